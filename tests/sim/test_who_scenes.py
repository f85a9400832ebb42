"""Scenes in which it is hard to tell who speaks."""

import dataclasses

import numpy as np
import pytest
from hearing_datasets import kit_root, split_of
from hearing_datasets.splits import kit_splits
from hearing_sim.distribution import load_distribution
from hearing_sim.factorybench import benchmark_scene, categories, who_categories
from hearing_sim.random_scenes import random_scene
from hearing_sim.reference import reference_segments
from hearing_sim.talkers import place_turns

from hearing.errors import InputError

needs_kit = pytest.mark.skipif(kit_root() is None, reason="needs the voices of the data kit")


def synthetic(name, *arrangements):
    """A distribution that needs no data kit."""
    distribution = load_distribution(f"who/{name}")
    people = dataclasses.replace(distribution.people, collections={"synthesis": 1.0})
    if arrangements:
        people = dataclasses.replace(people, arrangements=arrangements)
    machines = dataclasses.replace(distribution.machines, recorded=0.0)
    return dataclasses.replace(distribution, people=people, machines=machines)


@pytest.fixture
def mute(no_kit, monkeypatch):
    """Speech of plausible length without the time that it takes to synthesize it."""
    monkeypatch.setattr("hearing_sim.conversation.spoken_length", lambda text: 0.07 * len(text))


def azimuth(scene, talker, time=0.0):
    x, y, _ = scene.array.pose.to_frame(talker.trajectory.at(time), time)
    return np.degrees(np.arctan2(y, x))


def apart(one, other):
    return abs((one - other + 180) % 360 - 180)


def test_the_kinds_are_known_by_their_names_and_not_among_factorybench():
    assert who_categories() == ["who/audio_only", "who/audio_visual", "who/one_walker"]
    assert not set(who_categories()) & set(categories())
    seeds = [
        seed
        for name in (*categories(), *who_categories())
        for split in load_distribution(name).seeds.values()
        for seed in split
    ]
    assert len(set(seeds)) == len(seeds)
    with pytest.raises(InputError, match="unknown"):
        benchmark_scene("who/nonsense/dev/0")


def test_only_one_walks(mute):
    for seed in range(6):
        scene = random_scene(synthetic("audio_only", "one_walks"), seed, "dev")
        assert sum(talker.trajectory.moving for talker in scene.talkers) == 1


def test_two_change_places_while_nobody_speaks(mute):
    for seed in range(6):
        scene = random_scene(synthetic("audio_only", "swap"), seed, "dev")
        one, other = (talker for talker in scene.talkers if talker.trajectory.moving)
        end = scene.duration
        for walker, goal in ((one, other), (other, one)):
            assert np.allclose(walker.trajectory.at(end)[:2], goal.trajectory.at(0.0)[:2])
        times = np.arange(0.0, end, 0.02)
        walks = np.linalg.norm(one.trajectory.velocity(times), axis=1) > 0
        gap = np.linalg.norm((one.trajectory.at(times) - other.trajectory.at(times))[:, :2], axis=1)
        assert gap.min() > 0.5
        starts, stops = times[walks].min(), times[walks].max()
        assert not any(turn.start < stops and turn.end > starts for turn in placed(scene))
        assert any(turn.start > stops for turn in placed(scene))


def placed(scene):
    """When turns are, from the gaps between them and the lengths that were assumed."""
    end, turns = 0.0, []
    for turn in scene.turns:
        start = end + turn.gap
        length = min(0.07 * len(turn.text), turn.breaks_off_after or np.inf)
        pitch = next(talker.pitch for talker in scene.talkers if talker.name == turn.talker)
        turns.append(dataclasses.make_dataclass("Placed", ["start", "end"])(start, start + length / pitch))
        end = max(end, turns[-1].end)
    return turns


def test_two_stand_in_one_line(mute):
    for seed in range(6):
        scene = random_scene(synthetic("audio_only", "in_line"), seed, "dev")
        *others, behind = scene.talkers
        gaps = [apart(azimuth(scene, behind), azimuth(scene, other)) for other in others]
        assert min(gaps) < 5.5
        near = others[int(np.argmin(gaps))]
        origin = scene.array.pose.origin(0.0)
        assert np.linalg.norm((behind.position - origin)[:2]) > np.linalg.norm((near.position - origin)[:2]) + 0.5


def test_a_voice_comes_from_outside_the_picture(mute):
    for seed in range(6):
        scene = random_scene(synthetic("audio_visual", "off_screen"), seed, "dev")
        *others, hidden = scene.talkers
        assert apart(azimuth(scene, hidden), 0.0) > scene.camera.hfov_deg / 2 + 10
        assert all(apart(azimuth(scene, other), 0.0) < scene.camera.hfov_deg / 2 for other in others)


def test_cameras_have_their_frame_rates_by_the_seed(mute):
    distribution = synthetic("audio_visual")
    rates = {random_scene(distribution, seed, "dev").camera.fps for seed in range(6)}
    assert rates == set(distribution.robots.fps)


def test_unknown_arrangements_are_refused(mute):
    with pytest.raises(InputError, match="'nonsense' is unknown"):
        random_scene(synthetic("audio_only", "nonsense"), 0, "dev")


def test_segments_name_the_face_that_says_them(mute):
    scene = random_scene(synthetic("audio_visual", "off_screen"), 1, "dev")
    turns = place_turns(scene)
    hidden = scene.talkers[-1].name

    def box(name, time):
        return None if name == hidden else (10.0, 10.0, 50.0, 60.0)

    for segment in reference_segments(scene, turns, box):
        assert segment["face_id"] == (None if segment["speaker"] == hidden else segment["speaker"])
    assert {segment["face_id"] for segment in reference_segments(scene, turns)} == {None}


@needs_kit
def test_voices_and_faces_are_those_of_the_split():
    scene = benchmark_scene("who/audio_visual/dev/0")
    assert scene == benchmark_scene("who/audio_visual/dev/0")
    assert all(split_of(talker.voice[0]) == "dev" for talker in scene.talkers)
    faces = [talker.face.identity for talker in scene.talkers]
    assert len(set(faces)) == len(faces)
    assert set(faces) <= set(kit_splits()["dev"]["faces"])
