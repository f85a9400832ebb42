"""Faces as witnesses of who speaks."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from hearing.attribution import PersonAttribution
from hearing.attribution.faces import FaceWitness
from hearing.types import Direction, SpeechChunk, Track
from hearing.vision.face import Face, LipState, Sight

FRAMES = 20
"""A second."""


def sight(time: float, *seen: tuple[str, float, float]) -> Sight:
    """See faces: name, azimuth in degrees, probability that the mouth speaks."""
    mouth = np.zeros((48, 64), np.float32)
    faces = tuple(
        Face(
            name,
            time,
            (0.0, 0.0, 40.0, 50.0),
            Direction(np.deg2rad(azimuth)),
            2.0,
            0.0,
            0.0,
            0.9,
            0.05,
            None,
            mouth,
            0.8,
        )
        for name, azimuth, _ in seen
    )
    return Sight(time, faces, tuple(LipState(name, time, speaking, None) for name, _, speaking in seen))


def sights(start: float, end: float, *seen: tuple[str, float, float]) -> list[Sight]:
    return [sight(float(time), *seen) for time in np.arange(start, end, 1 / FRAMES)]


def towards(azimuth_deg: float) -> np.ndarray:
    return Direction(np.deg2rad(azimuth_deg)).vector


def witness(seen: Sequence[Sight]) -> FaceWitness:
    faces = FaceWitness()
    faces.see(seen, 0.0)
    return faces


def test_the_face_there_that_moves_its_lips_says_it():
    faces = witness(sights(0.0, 2.0, ("a", 10.0, 0.9), ("b", 16.0, 0.05), ("c", -30.0, 0.05)))
    ratios = faces.ratios(1, towards(12.0), 0.0, 2.0)
    assert max(ratios, key=lambda name: ratios[name]) == "a"
    assert ratios["a"] > ratios["b"] + 3
    assert ratios["a"] > 0 > ratios["c"]
    assert ratios["b"] > ratios["c"] + 1


def test_direction_has_a_veto():
    faces = witness(sights(0.0, 2.0, ("a", 60.0, 0.95)))
    assert faces.ratios(1, towards(0.0), 0.0, 2.0)["a"] < 0.5


def test_a_still_mouth_loses_little_where_it_is():
    faces = witness(sights(0.0, 2.0, ("a", 0.0, 0.01)))
    assert faces.ratios(1, towards(0.0), 0.0, 2.0)["a"] > 0


def test_what_shows_of_a_covered_mouth_says_nothing():
    still = sights(0.0, 2.0, ("a", 0.0, 0.01))
    covered = [
        one if number % 3 == 0 else replace(one, faces=tuple(replace(face, mouth=None) for face in one.faces))
        for number, one in enumerate(still)
    ]
    seen, hidden = (witness(film).ratios(1, towards(0.0), 0.0, 2.0)["a"] for film in (still, covered))
    assert hidden > seen + 1


def test_a_face_that_was_hardly_seen_meanwhile_is_no_witness():
    faces = witness([*sights(0.0, 0.3, ("a", 0.0, 0.9)), *sights(0.3, 2.0)])
    assert faces.ratios(1, towards(0.0), 0.0, 2.0) == {}


def test_a_robot_that_turns_moves_no_faces():
    faces = FaceWitness()
    faces.see(sights(0.0, 1.0, ("a", 20.0, 0.9)), 0.0)
    faces.see(sights(1.0, 2.0, ("a", -10.0, 0.9)), np.deg2rad(30.0))
    place = faces.place("a")
    assert place is not None
    assert place[0] == pytest.approx(towards(20.0))


@pytest.mark.parametrize(("activity", "moving", "likely"), [(0.9, 0.9, True), (0.02, 0.05, False)])
def test_a_face_speaks_if_somebody_is_heard_there_and_its_lips_move(activity: float, moving: float, likely: bool):
    faces = witness(sights(0.0, 1.0, ("a", 0.0, moving), ("b", 40.0, 0.05)))
    states = {state.face_id: state for state in faces.states(1.0, (Track(1, 1.0, Direction(0.0), activity),))}
    assert (states["a"].speaking > 0.5) == likely
    assert states["b"].speaking < 0.3
    assert states["a"].facing == pytest.approx(0.9)


def test_faces_that_are_gone_are_not_reported():
    faces = witness([*sights(0.0, 1.0, ("a", 0.0, 0.9)), *sights(1.0, 3.0)])
    assert faces.states(3.0, ()) == ()


class Scene:
    """People who are heard and seen."""

    def __init__(self) -> None:
        self.attribution = PersonAttribution()
        self.count = 0

    def say(self, azimuth: float, start: float, end: float, seen: list[Sight]) -> str:
        self.count += 1
        self.attribution.see(seen, 0.0)
        chunk = SpeechChunk(
            f"u{self.count}", self.count, np.zeros(round(16000 * (end - start)), np.float32), start, end, True, start
        )
        here = Track(self.count, end, Direction(np.deg2rad(azimuth)), 1.0)
        self.attribution.follow((chunk,), (here,), 0.0, end)
        return self.attribution.of(chunk.utterance_id).speaker


def test_whoever_walks_in_silence_before_the_camera_is_the_same_person_where_he_stops():
    scene = Scene()
    before = scene.say(-20.0, 0.0, 2.0, sights(0.0, 2.0, ("a", -20.0, 0.9)))
    walk = [sight(2.0 + k / FRAMES, ("a", -20.0 + k, 0.05)) for k in range(60)]
    after = scene.say(40.0, 5.0, 7.0, [*walk, *sights(5.0, 7.0, ("a", 40.0, 0.9))])
    assert before == after


def test_a_silent_face_is_not_taken_for_somebody_elses_voice():
    scene = Scene()
    both = (("a", 0.0, 0.9), ("b", 9.0, 0.03))
    first = scene.say(2.0, 0.0, 2.0, sights(0.0, 2.0, *both))
    second = scene.say(7.0, 3.0, 5.0, sights(2.0, 5.0, ("a", 0.0, 0.03), ("b", 9.0, 0.9)))
    again = scene.say(3.0, 6.0, 8.0, sights(5.0, 8.0, *both))
    assert first == again != second
    assert scene.attribution.of("u2").face_id == "b"
