"""Faces before a camera keep their names, whatever they and the frames do."""

import subprocess
import sys

import numpy as np
import pytest

from hearing.errors import InputError
from hearing.types import Direction
from hearing.vision.camera import Camera
from hearing.vision.face_tracker import FaceTracker, FaceTrackerConfig

CAMERA = Camera(640, 480, 457, 457, 320, 240)


def names(faces, place):
    """Ids over time of the faces that are seen near a place in the array frame, (place or seconds -> place)."""
    found = []
    for each in faces:
        for face in each:
            where = place(face.time) if callable(place) else place
            if where and face.quality > 0 and face.direction.angle_to(Direction.from_vector(np.array(where))) < 0.05:
                found.append(face.id)
    return found


def outline(face):
    return (face.id, face.time, face.box, face.direction, face.distance, face.facing, face.opening, face.quality)


def outlines(frames):
    return [[outline(face) for face in faces] for faces in frames]


def test_faces_are_where_they_are(stage, standing):
    faces = stage.follow(stage.film(np.arange(0, 1.0, 0.1), *standing))
    assert faces[0] == ()  # one detection is not enough
    assert len({face.id for each in faces for face in each}) == 2
    for _, way, _ in standing:
        place = np.array(way(0.0))
        face = min(faces[-1], key=lambda face: face.direction.angle_to(Direction.from_vector(place)))
        assert face.direction.angle_to(Direction.from_vector(place)) < np.deg2rad(0.5)
        assert face.distance == pytest.approx(np.linalg.norm(place), rel=0.15)
        assert face.landmarks.shape == (468, 3)
        assert face.mouth.shape == (48, 64)
        assert face.mouth.dtype == np.float32
        assert face.facing > 0.8
        assert 0.3 < face.quality <= 1.0
        _, _, width, height = face.box
        assert 0.7 < width / height < 0.95


@pytest.mark.parametrize("height", [40, 60])
def test_small_faces_are_found(stage, height):
    distance = stage.camera.fy * 0.185 / height
    people = [
        (who, lambda _, y=y: (0.1 + distance, y * distance, 0.2), ())
        for who, y in (("003", -0.35), ("009", 0.05), ("022", 0.45))
    ]
    faces = stage.follow(stage.film((0.0, 0.25), *people))[-1]
    assert len(faces) == 3


def test_people_who_cross_keep_their_names(stage):
    near, far = lambda t: (1.5, 0.8 - 0.8 * t, 0.25), lambda t: (2.1, -0.9 + 0.9 * t, 0.25)
    faces = stage.follow(stage.film(np.arange(0, 2.0, 1 / 15), ("003", near, ()), ("022", far, ())))
    early, late = faces[: len(faces) // 3], faces[-8:]
    for way in (near, far):
        assert len(set(names(early, way))) == 1
        assert set(names(late, way)) == set(names(early, way))
    assert len({face.id for each in faces for face in each}) == 2


@pytest.mark.parametrize(("away", "same"), [(1.5, True), (6.0, True), (9.0, False)])
def test_who_turns_away_for_a_moment_keeps_his_name(stage, standing, away, same):
    who, way, kind = standing[0]
    turning = (who, lambda t: way(t) if not 0.5 <= t < 0.5 + away else None, kind)
    times = [*np.arange(0, 0.8, 0.1), *np.arange(1.0, 0.5 + away, 0.5), *np.arange(0.5 + away, 1.2 + away, 0.1)]
    faces = stage.follow(stage.film(times, turning, standing[1]))
    before, after = set(names(faces[:5], way(0.0))), set(names(faces[-3:], way(0.0)))
    assert len(before) == len(after) == 1
    assert (before == after) is same
    hidden = next(face for face in faces[7] if face.id in before)
    assert hidden.quality == 0.0
    assert hidden.mouth is None
    assert hidden.direction.angle_to(Direction.from_vector(np.array(way(0.0)))) < np.deg2rad(3)


def test_who_leaves_the_picture_is_gone(stage, standing):
    leaving = ("003", lambda t: (1.5, 0.8 + t, 0.25), ())
    faces = stage.follow(stage.film(np.arange(0, 1.2, 0.1), leaving, standing[1]))
    assert len(faces[3]) == 2
    assert len(faces[-1]) == 1


@pytest.mark.parametrize("fps", [5, 60])
def test_the_frame_rate_changes_nothing(stage, fps):
    people = ("003", lambda t: (1.6, 0.5 - 0.3 * t, 0.3), ()), ("022", lambda t: (2.2, -0.4 + 0.2 * t, 0.25), ())
    usual, other = (stage.follow(stage.film(np.arange(0, 0.61, 1 / rate), *people))[-1] for rate in (15, fps))
    assert [face.id for face in usual] == [face.id for face in other]
    for one, two in zip(usual, other, strict=True):
        assert one.direction.angle_to(two.direction) < np.deg2rad(0.5)
        assert one.distance == pytest.approx(two.distance, rel=0.05)


def test_lost_and_late_frames(stage, standing):
    film = stage.film(np.arange(0, 1.5, 1 / 15), *standing)
    lossy = [frame for number, frame in enumerate(film) if number % 3 != 1 and not 6 <= number < 14]
    tracker = FaceTracker(stage.camera)
    expected = [outlines([tracker.process(*frame)]) for frame in lossy]
    assert {face.id for face in tracker.process(*stage.film((1.5,), *standing)[0])} == {"face_1", "face_2"}
    tracker.reset()
    for frame, result in zip(lossy, expected, strict=True):
        assert outlines([tracker.process(*frame)]) == result
        assert tracker.process(film[0][0], frame[1] - 0.5) == ()
        assert tracker.process(*frame) == ()
    assert tracker.late == 2 * len(lossy)


def test_nothing_depends_on_what_comes_later(stage, standing):
    film = stage.film(np.arange(0, 1.2, 0.1), *standing)
    other = [*film[:6], *((255 - picture, time) for picture, time in film[6:])]
    first, second = stage.follow(film), stage.follow(other)
    assert outlines(first[:6]) == outlines(second[:6])
    assert outlines(first[6:]) != outlines(second[6:])
    assert outlines(stage.follow(film)) == outlines(first)


def test_cameras_have_names(stage, standing):
    faces = stage.follow(stage.film((0.0, 0.2), *standing), name="left")[-1]
    assert sorted(face.id for face in faces) == ["left_face_1", "left_face_2"]


def test_landmarks_may_be_looked_for_less_often(stage, standing):
    config = FaceTrackerConfig(landmark_period=0.2)
    faces = stage.follow(stage.film(np.arange(0, 0.85, 0.1), *standing), config=config)
    assert [len(each) for each in faces] == [0, 0, 2, 2, 2, 2, 2, 2, 2]
    assert [all(face.quality > 0 for face in each) for each in faces[2:]] == [True, False] * 3 + [True]


def test_mouths_and_heads_that_move_are_measured(stage):
    place = lambda _: (1.3, 0.1, 0.2)  # noqa: E731
    openings, turns = [], []
    tracker = FaceTracker(stage.camera)
    for step in range(24):
        opening, turn = 0.3 - 0.3 * np.cos(1.1 * step), 0.4 * np.sin(0.4 * step)
        person = ("009", place, (("opening", round(opening, 2)), ("turn", round(turn, 2))))
        faces = tracker.process(stage.picture(step / 10, person), step / 10)
        if faces:
            openings.append((opening, faces[0].opening))
            # A head that turns to the left of the picture turns to its own right.
            turns.append((-turn, faces[0].yaw))
    assert np.corrcoef(np.transpose(openings))[0, 1] > 0.9
    assert np.corrcoef(np.transpose(turns))[0, 1] > 0.9


@pytest.mark.parametrize("picture", ["black", "white", "noise"])
def test_no_faces_where_there_are_none(picture):
    rng = np.random.default_rng(0)
    shape, tracker = (480, 640, 3), FaceTracker(CAMERA)
    for step in range(6):
        image = {"black": np.zeros, "white": lambda s: np.full(s, 255), "noise": lambda s: rng.integers(0, 255, s)}
        assert tracker.process(image[picture](shape).astype(np.uint8), step / 5) == ()


def test_an_empty_hall_shows_nobody(stage):
    assert all(faces == () for faces in stage.follow(stage.film((0.0, 0.2, 0.4))))


@pytest.mark.parametrize(
    ("image", "time"),
    [
        (np.zeros((480, 640), np.uint8), 0.0),
        (np.zeros((240, 320, 3), np.uint8), 0.0),
        (np.zeros((480, 640, 3), np.float32), 0.0),
        (np.zeros((0, 0, 3), np.uint8), 0.0),
        (None, 0.0),
        (np.zeros((480, 640, 3), np.uint8), float("nan")),
        (np.zeros((480, 640, 3), np.uint8), float("inf")),
    ],
)
def test_rubbish_is_refused(image, time):
    tracker = FaceTracker(CAMERA)
    with pytest.raises(InputError, match="a frame"):
        tracker.process(image, time)
    assert tracker.process(np.zeros((480, 640, 3), np.uint8), 0.0) == ()


def test_robots_without_a_camera_load_none_of_it():
    command = (
        "import sys, hearing.pipeline, hearing.cli; print([m for m in ('hearing.vision', 'cv2') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", command], capture_output=True, text=True).stdout == "[]\n"


def test_mediapipe_is_not_imported_and_the_terminal_stays_quiet():
    command = (
        "import sys; from hearing.vision.face_tracker import FaceTracker; from hearing.vision.camera import Camera; "
        "FaceTracker(Camera(640, 480, 457, 457, 320, 240)); print('mediapipe' in sys.modules, 'jax' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("False False\n", "")
