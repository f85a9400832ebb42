import dataclasses

import numpy as np
import pytest
from hearing_datasets import kit_root, split_of
from hearing_sim import Scene, simulate
from hearing_sim.checks import inside
from hearing_sim.conversation import Style, Voice, converse
from hearing_sim.factorybench import benchmark_scene, benchmark_scenes, categories
from hearing_sim.random_scenes import distribution_names, load_distribution, random_scene

from hearing.errors import InputError

needs_kit = pytest.mark.skipif(kit_root() is None, reason="needs the voices of the data kit")
CATEGORIES = ["audio_visual", "busy", "crowd", "duplex", "loud", "moving", "noise_only", "quiet", "shouting"]


def synthetic(name):
    """A distribution that needs no data kit."""
    distribution = load_distribution(name)
    people = dataclasses.replace(distribution.people, collections={"synthesis": 1.0})
    machines = dataclasses.replace(distribution.machines, recorded=0.0, backgrounds=())
    return dataclasses.replace(distribution, people=people, machines=machines)


def test_factorybench_has_its_nine_kinds():
    assert categories() == CATEGORIES
    for name in categories():
        seeds = load_distribution(name).seeds
        assert len(seeds["dev"]) >= 5
        assert len(seeds["test"]) >= 5
        assert not set(seeds["dev"]) & set(seeds["test"])


@pytest.mark.parametrize("name", [*CATEGORIES, "training"])
def test_same_seed_same_scene_and_nobody_in_a_wall(no_kit, name):
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


def test_moving_scenes_move(no_kit):
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
