import numpy as np
import pytest

from hearing.mask_network import Masks
from hearing.mouths import at_mouths, with_mouths
from hearing.types import Direction, Mouth, Peak, Track


def heard(active: float) -> Masks:
    share = np.full((1, 4, 257), 0.5, np.float32)
    return Masks(share, share, np.full((1, 4), active, np.float32))


def track(azimuth_deg: float) -> Track:
    return Track(1, 0.0, Direction(np.deg2rad(azimuth_deg)), 1.0)


def mouth(azimuth_deg: float, speaking: float) -> Mouth:
    return Mouth(Direction(np.deg2rad(azimuth_deg)), speaking)


@pytest.mark.parametrize("mouths", [(), (mouth(60.0, 0.01),)])
def test_without_a_mouth_where_the_track_is_nothing_changes(mouths: tuple[Mouth, ...]):
    masks = with_mouths(heard(0.6), (track(0.0),), mouths)
    assert masks.active == pytest.approx(heard(0.6).active, abs=1e-4)
    assert masks.speech == pytest.approx(heard(0.6).speech, abs=1e-4)


def test_a_silent_mouth_makes_the_track_less_believed_and_its_share_smaller():
    shut, shutter = (with_mouths(heard(0.6), (track(2.0),), (mouth(0.0, speaking),)) for speaking in (0.4, 0.35))
    assert np.all(shutter.active < shut.active)
    assert np.all(shut.active < 0.6)
    assert np.all(shutter.speech < shut.speech)
    assert np.all(shut.speech < 0.5)
    still = with_mouths(heard(0.6), (track(2.0),), (mouth(0.0, 0.001),))
    assert np.all(still.active > 0.5)


def test_a_mouth_that_speaks_makes_it_more_believed_but_no_sound_its_own():
    masks = with_mouths(heard(0.4), (track(0.0),), (mouth(0.0, 0.95),))
    assert np.all(masks.active > 0.4)
    assert masks.speech == pytest.approx(heard(0.4).speech)


def test_the_nearest_mouth_counts():
    masks = with_mouths(heard(0.5), (track(10.0),), (mouth(-10.0, 0.02), mouth(11.0, 0.9)))
    assert np.all(masks.active > 0.5)


def test_nothing_is_made_of_no_tracks():
    nothing = np.zeros((0, 4, 257), np.float32)
    assert len(with_mouths(Masks(nothing, nothing, nothing[..., 0]), (), (mouth(0.0, 0.9),)).active) == 0


def peak(azimuth_deg: float) -> Peak:
    return Peak(Direction(np.deg2rad(azimuth_deg)), 0.5, 0.9)


def test_a_voice_close_to_a_mouth_that_speaks_comes_from_it():
    heard_there = (peak(6.0), peak(60.0))
    here, there = at_mouths(heard_there, (mouth(0.0, 0.9), mouth(8.0, 0.1), mouth(-4.0, 0.8)))
    assert here.direction.azimuth_deg == pytest.approx(0.0)
    assert (here.power, here.likelihood) == (0.5, 0.9)
    assert there == heard_there[1]


def test_where_nobodys_lips_move_voices_stay_where_they_are_heard():
    assert at_mouths((peak(2.0),), (mouth(0.0, 0.2),)) == (peak(2.0),)
    assert at_mouths((peak(2.0),), ()) == (peak(2.0),)
