import numpy as np
import pytest
from hearing_sim import Room
from hearing_sim.motion import Pose, PoseWaypoint, Trajectory, Waypoint
from hearing_sim.propagation import PointSource, Receiver, SoundField
from hearing_sim.room import RoomAcoustics, measure_rt60

from hearing.arrays import load_array
from hearing.errors import InputError

L_SHAPE = ((0.0, 0.0), (8.0, 0.0), (8.0, 6.0), (4.0, 6.0), (4.0, 3.0), (0.0, 3.0))
SQUARE = ((0.0, 0.0), (6.0, 0.0), (6.0, 5.0), (0.0, 5.0))


def measured(room, source, array):
    positions = load_array("respeaker_6mic").positions
    receiver = Receiver(Pose([PoseWaypoint(0.0, array, 20.0)]), positions, np.zeros(len(positions)))
    field = SoundField(RoomAcoustics(room), receiver)
    return measure_rt60(field.response(PointSource(Trajectory([Waypoint(0.0, source)])), 0.0).T)


@pytest.mark.parametrize(
    "room",
    [
        Room(size=(6.0, 5.0, 3.0), rt60=0.3),
        Room(size=(6.0, 5.0, 3.0), rt60=0.6),
        Room(size=(8.0, 3.5, 2.4), rt60=0.45),
        Room(size=(30.0, 20.0, 8.0), rt60=1.5),
        Room(polygon=L_SHAPE, height=3.2, rt60=0.5),
        Room(size=(6.0, 5.0, 3.0), rt60=0.5, materials={"ceiling": "ceiling_fissured_tile", "floor": "concrete_floor"}),
    ],
)
@pytest.mark.parametrize("source", [(1.2, 1.0, 1.5), (3.4, 2.6, 1.2)])
def test_reverberation_time_is_what_was_asked(room, source):
    assert measured(room, source, (2.5, 1.5, 1.1)) == pytest.approx(room.rt60, rel=0.1)


def test_hard_walls_ring_longer_than_soft_ones():
    hard, soft = (
        RoomAcoustics(
            Room(size=(6.0, 5.0, 3.0), materials={"walls": walls, "floor": "concrete_floor", "ceiling": walls})
        )
        for walls in ("brickwork", "rockwool_50mm_80kgm3")
    )
    assert np.all(hard.rt60 > 2 * soft.rt60)
    assert hard.rt60[-1] < hard.rt60[2], "air absorbs the highest octave"


def test_polygon_mirrors_like_a_shoe_box():
    """A rectangular polygon has the images of the shoe box, up to its own highest order."""
    box = RoomAcoustics(Room(size=(6.0, 5.0, 3.0), rt60=0.4))
    polygon = RoomAcoustics(Room(polygon=SQUARE, height=3.0, rt60=0.4))
    assert polygon.volume == pytest.approx(box.volume)
    np.testing.assert_allclose(polygon.rt60, box.rt60, rtol=1e-3)
    source, receiver = np.array([[1.0, 1.5, 1.2]]), np.array([[4.0, 3.0, 1.5]])
    boxed, cornered = (acoustics.reflections(source, receiver) for acoustics in (box, polygon))
    # All walls absorb alike, so that the damping tells how many of them an image has met.
    one_wall = np.sort(boxed.damping[:, 3])[-2]
    met = [np.round(np.log(found.damping[:, 3]) / np.log(one_wall)) for found in (boxed, cornered)]
    expected, found = (
        {tuple(place) for place in (images.linear @ source[0] + images.offset)[order <= 3].round(2)}
        for images, order in zip((boxed, cornered), met, strict=True)
    )
    assert found == expected


def test_corner_hides_the_direct_sound():
    acoustics = RoomAcoustics(Room(polygon=L_SHAPE, height=3.0, rt60=0.5))
    found = acoustics.reflections(np.array([[1.0, 2.0, 1.5]]), np.array([[7.0, 5.5, 1.5]]))
    direct = np.all(found.linear == np.eye(3), axis=(1, 2)) & ~found.offset.any(axis=1)
    assert not found.visibility[0, direct].any()


@pytest.mark.parametrize(
    ("room", "message"),
    [
        (Room(size=(20.0, 20.0, 10.0), rt60=0.1), "raise rt60"),
        (Room(size=(4.0, 4.0, 2.5), rt60=60.0), "lower rt60"),
        (Room(size=(4.0, 4.0, 2.5), materials={"walls": "brikwork"}), "did you mean 'brickwork'"),
        (Room(size=(4.0, 4.0, 2.5), materials={"wall": "brickwork"}), "wall 'wall' is unknown; did you mean 'walls'"),
        (Room(size=(4.0, 4.0, 2.5), materials={"walls": "brickwork"}), "lacks 'floor'"),
    ],
)
def test_rooms_that_cannot_be_built(room, message):
    with pytest.raises(InputError, match=message):
        RoomAcoustics(room)
