import dataclasses
import itertools

import numpy as np
import pytest
from hearing_datasets import kit_root, split_of
from hearing_sim import Scene, conversation, simulate
from hearing_sim.checks import inside
from hearing_sim.conversation import Style, Voice, converse
from hearing_sim.distribution import distribution_names, load_distribution
from hearing_sim.factorybench import benchmark_scene, benchmark_scenes, categories
from hearing_sim.placement import angles_apart
from hearing_sim.random_scenes import random_scene
from hearing_sim.talkers import place_turns

from hearing.errors import InputError

needs_kit = pytest.mark.skipif(kit_root() is None, reason="needs the voices of the data kit")
CATEGORIES = ["audio_visual", "busy", "crowd", "duplex", "loud", "moving", "noise_only", "quiet", "shouting"]


def synthetic(name):
    """A distribution that needs no data kit."""
    distribution = load_distribution(name)
    people = dataclasses.replace(distribution.people, collections={"synthesis": 1.0})
    machines = dataclasses.replace(distribution.machines, recorded=0.0, backgrounds=())
    return dataclasses.replace(distribution, people=people, machines=machines)


@pytest.fixture
def mute(no_kit, monkeypatch):
    """Speech of plausible length without the time that it takes to synthesize it."""
    monkeypatch.setattr("hearing_sim.conversation.spoken_length", lambda text: 0.07 * len(text))


def test_factorybench_has_its_nine_kinds():
    assert categories() == CATEGORIES
    for name in categories():
        seeds = load_distribution(name).seeds
        assert len(seeds["dev"]) >= 5
        assert len(seeds["test"]) >= 5


def test_no_two_benchmark_scenes_share_a_seed():
    seeds = [seed for name in categories() for split in load_distribution(name).seeds.values() for seed in split]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("name", [*CATEGORIES, "training"])
def test_same_seed_same_scene_and_nobody_in_a_wall(mute, name):
    distribution = synthetic(name)
    for seed in range(4):
        scene = random_scene(distribution, seed, "dev")
        assert scene == random_scene(distribution, seed, "dev")
        times = np.linspace(0, scene.duration, 50)
        for mover in (*scene.talkers, *scene.machines):
            assert inside(scene.room, mover.trajectory.at(times)).all()
            gap = np.linalg.norm(mover.trajectory.at(times) - scene.array.pose.origin(times), axis=1)
            assert gap.min() > 0.2
    assert random_scene(distribution, 0, "dev") != random_scene(distribution, 1, "dev")


def apart(one, other, times):
    """How near two come to each other on the floor, in metres."""
    return np.linalg.norm((one.trajectory.at(times) - other.trajectory.at(times))[:, :2], axis=1).min()


@pytest.mark.parametrize("name", ["moving", "audio_visual", "crowd"])
def test_people_keep_clear_of_each_other_and_of_machines(mute, name):
    for seed in range(6):
        scene = random_scene(synthetic(name), seed, "dev")
        times = np.arange(0, scene.duration, 0.01)
        assert all(apart(*pair, times) >= 0.5 for pair in itertools.combinations(scene.talkers, 2))
        assert all(apart(*pair, times) >= 0.5 for pair in itertools.product(scene.talkers, scene.machines))


@pytest.mark.parametrize("name", ["audio_visual", "crowd", "quiet"])
def test_people_start_at_angles_apart(mute, name):
    distribution = synthetic(name)
    for seed in range(12):
        scene = random_scene(distribution, seed, "dev")
        places = [scene.array.pose.to_frame(talker.trajectory.at(0.0), 0.0) for talker in scene.talkers]
        angles = np.degrees([np.arctan2(y, x) for x, y, _ in places])
        assert np.abs(angles).max() <= distribution.people.ahead_deg + 0.2
        for one, other in itertools.combinations(angles, 2):
            assert abs((one - other + 180) % 360 - 180) >= distribution.people.min_angle_deg


def test_angles_are_apart_wherever_there_is_room():
    rng = np.random.default_rng(0)
    for count, widest in ((6, 180.0), (4, 30.0), (1, 0.0), (0, 30.0)):
        angles = np.sort(angles_apart(rng, count, 19.0, widest))
        assert len(angles) == count
        assert np.all(np.diff(angles) >= 19.0)
        assert widest == 180.0 or np.all(np.abs(angles) <= widest)
    with pytest.raises(InputError, match="5 people do not fit"):
        angles_apart(rng, 5, 20.0, 30.0)


def test_parts_of_a_scene_are_drawn_independently(mute):
    distribution = dataclasses.replace(synthetic("busy"), duration=(30.0, 60.0))
    distribution = dataclasses.replace(distribution, machines=dataclasses.replace(distribution.machines, recorded=0.5))
    scenes = [random_scene(distribution, seed, "dev") for seed in range(200)]
    recorded = np.array([scene.machines[0].kind == "recording" for scene in scenes])
    ratio = np.array([scene.snr_db for scene in scenes])
    length = np.array([scene.duration for scene in scenes])
    level = np.array([scene.machines[0].level_db for scene in scenes])
    walls = np.array([scene.room.size[0] if scene.room.size else scene.room.corners[1][0] for scene in scenes])
    drawn = np.stack([recorded, ratio, length, level, walls])
    # Of independent draws a correlation is about 1 / sqrt(200) = 0.07.
    assert np.abs(np.corrcoef(drawn)[~np.eye(len(drawn), dtype=bool)]).max() < 0.25
    assert np.ptp(ratio[recorded]) > 4
    assert np.ptp(ratio[~recorded]) > 4


@pytest.mark.parametrize("style", [Style(overlaps=1.0, overlap=(0.5, 2.5)), Style(gap=(-0.5, 0.2), backchannel=1.0)])
def test_nobody_talks_over_himself(mute, style):
    voices = {"ann": Voice(), "bob": Voice(pitch=0.9), "cas": Voice()}
    for seed in range(20):
        turns = converse(voices, style, 60.0, np.random.default_rng(seed), robot_speaks=seed % 2 == 0)
        now, ends, overlaps = 0.0, {}, 0
        for turn in turns:
            start = now + turn.gap
            assert start > ends.get(turn.talker, -1.0) + 0.1
            overlaps += start < now
            length = conversation.spoken_length(turn.text) / voices.get(turn.talker, Voice()).pitch
            ends[turn.talker] = start + min(length, turn.breaks_off_after or length)
            now = max(now, ends[turn.talker])
        assert overlaps


def test_turns_with_their_sound_do_not_overlap_either(no_kit):
    ends = {}
    for placed in place_turns(random_scene(synthetic("training"), 0, "dev")):
        assert placed.start > ends.get(placed.turn.talker, -1.0)
        ends[placed.turn.talker] = placed.end
    assert ends


def test_moving_scenes_move(mute):
    scenes = [random_scene(synthetic("moving"), seed, "dev") for seed in range(8)]
    assert any(scene.array.pose.moving for scene in scenes)
    assert any(talker.trajectory.moving for scene in scenes for talker in scene.talkers)


@needs_kit
def test_voices_of_one_split_are_never_in_another():
    for split in ("dev", "test", "train"):
        scenes = [random_scene(load_distribution("busy"), seed, split) for seed in range(6)]
        voices = {talker.voice[0] for scene in scenes for talker in scene.talkers}
        assert {split_of(voice) for voice in voices} == {split}


@needs_kit
@pytest.mark.parametrize("category", CATEGORIES)
def test_every_benchmark_scene_can_be_drawn(category):
    for split in ("dev", "test"):
        scenes = benchmark_scenes(category, split)
        assert all(isinstance(scene, Scene) for scene in scenes)
        assert len({scene.name for scene in scenes}) == len(scenes)
        spoken = sum(len(scene.turns) for scene in scenes)
        assert (spoken == 0) == (category == "noise_only")


@needs_kit
def test_benchmark_scene_by_name_is_simulated():
    simulation = simulate(benchmark_scene("factorybench/quiet/dev/1"))
    assert simulation.snr_db == pytest.approx(20, abs=2.1)
    assert simulation.rt60 == pytest.approx(0.4, abs=0.1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("factorybench/quiet", "like factorybench/busy/dev/3"),
        ("factorybench/quite/dev/1", "did you mean 'quiet'"),
        ("factorybench/quiet/train/1", "split 'train' is unknown; known are: dev, test"),
        ("factorybench/quiet/dev/99", "has the scenes 0 to 9"),
    ],
)
def test_benchmark_scenes_that_are_not(name, message):
    with pytest.raises(InputError, match=message):
        benchmark_scene(name)


def test_distributions_are_checked(tmp_path, no_kit):
    assert {*CATEGORIES, "training"} <= set(distribution_names())
    with pytest.raises(InputError, match="did you mean 'training'"):
        load_distribution("trainings")
    (tmp_path / "mine.yaml").write_text("name: mine\nduration: [5]\nrooms: {}\n")
    with pytest.raises(InputError, match=r"distribution\.duration must be two numbers"):
        load_distribution(tmp_path / "mine.yaml")
    with pytest.raises(InputError, match="has no voices left of speech/read_5_speakers"):
        random_scene(load_distribution("quiet"), 0, "dev")


def test_conversation_fits_and_does_what_its_style_says(no_kit):
    voices = {"ann": Voice(), "bob": Voice(pitch=0.9)}
    turns = converse(voices, Style(barge_in=1.0, correction=1.0), 60.0, np.random.default_rng(0), robot_speaks=True)
    kinds = {turn.kind for turn in turns}
    assert {"command", "correction", "answer", "barge_in"} <= kinds
    answers = [turn for turn in turns if turn.talker == "robot"]
    assert answers
    assert all(turn.breaks_off_after is not None for turn in answers)
    assert all(turn.to == "robot" for turn in turns if turn.kind in ("command", "correction", "barge_in"))
    assert not any("{" in (turn.text or "") for turn in turns)


def test_robot_without_a_loudspeaker_does_not_answer(no_kit):
    turns = converse({"ann": Voice()}, Style(), 30.0, np.random.default_rng(0))
    assert turns
    assert {turn.talker for turn in turns} == {"ann"}
