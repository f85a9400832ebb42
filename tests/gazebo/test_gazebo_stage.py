"""The stage: audio as far as poses are known, the same however they are told; and the truth about it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hearing_gazebo.field import BLOCK
from hearing_gazebo.poses import Pose
from hearing_gazebo.stage import Stage
from hearing_gazebo.truth import RecordingWriter, Truth
from hearing_gazebo.world import FACTORY

from hearing.errors import InputError
from hearing.evaluation.files import read_reference
from hearing.recording import open_recording
from hearing.types import SAMPLE_RATE


def standing(x: float, y: float, yaw: float = 0.0) -> Pose:
    return Pose.from_numbers(np.array([x, y, 0.0, 0.0, 0.0, yaw]))


def told(stage: Stage, end: float, rate: int = 50, batch: int = 1) -> np.ndarray:
    """Tell poses of robot and cart, the cart's `batch` steps late, and return the audio."""
    stage.reset()
    samples = []
    steps = round(end * rate) + 1
    for step in range(steps + batch):
        if step < steps:
            stage.add("robot", step / rate, standing(-1.0 + 0.2 * step / rate, 0.0, 0.1 * step / rate))
        if step >= batch:
            stage.add("cart", (step - batch) / rate, standing(-4.5, -3.4))
        samples += [block.samples for block in stage.blocks()]
    return np.concatenate(samples)


def test_audio_is_the_same_however_poses_come(stage: Stage) -> None:
    first = told(stage, 1.0)
    assert len(first) == int(1.0 * SAMPLE_RATE) // BLOCK * BLOCK
    assert first.any(axis=0).all()
    assert np.array_equal(first, told(stage, 1.0, batch=7))


def test_audio_waits_for_the_poses_of_all_that_may_move(stage: Stage) -> None:
    stage.reset()
    assert set(stage.moving) == {"robot", "cart"}
    stage.add("robot", 3.0, standing(-1.0, 0.0))
    stage.add("robot", 4.0, standing(-1.0, 0.0))
    assert not list(stage.blocks())
    assert stage.missing == ["cart"]
    stage.add("lathe", 3.5, standing(0.0, 0.0))  # which never moves
    stage.add("cart", 3.5, standing(-4.5, -3.4))
    assert not list(stage.blocks())
    stage.add("cart", 3.6, standing(-4.5, -3.4))
    blocks = list(stage.blocks())
    assert stage.begin == 3.5 * SAMPLE_RATE
    assert [block.start_sample for block in blocks] == [0, BLOCK, 2 * BLOCK]
    assert not stage.restarts("robot", 3.9)
    assert stage.restarts("robot", 0.0)


@pytest.fixture(scope="module")
def recording(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds, in which the robot drives past somebody who says something."""
    out = tmp_path_factory.mktemp("truth") / "recording"
    stage.reset()
    writer, truth = RecordingWriter(out, stage), Truth(stage, "test")
    for step in range(151):
        stage.add("robot", step / 50, standing(-1.0 + 0.2 * step / 50, 0.0, 0.1 * step / 50))
        stage.add("cart", step / 50, standing(-4.5, -3.4))
        for block in stage.blocks():
            writer.add((block.samples * 32767).astype(np.int16), truth.advance(block.end_time))
    assert not out.exists()
    writer.close()
    return out


def test_the_truth_is_a_recording_folder(recording: Path) -> None:
    source = open_recording(recording)
    assert source.array.n_microphones == 4
    assert source.duration == pytest.approx(3.0, abs=0.04)
    moved = [json.loads(line) for line in (recording / "motion.jsonl").read_text().splitlines()]
    assert moved[0]["position"] == [0.0, 0.0, 0.0]
    assert moved[40]["position"] == pytest.approx([0.4, 0.0, 0.0], abs=1e-6)
    assert moved[40]["yaw_deg"] == pytest.approx(np.degrees(0.2), abs=1e-3)
    assert moved[40]["state"] == "driving"


def test_what_is_said_is_true(recording: Path) -> None:
    (segment,) = read_reference(recording).segments
    assert (segment["speaker"], segment["words"]) == ("ben", "hello robot")
    assert segment["addressed_to_robot"] is True
    middle = (segment["start_time"] + segment["end_time"]) / 2
    # Ben's mouth is 8 cm before him; the robot has driven and turned until then.
    mouth = np.array([0.2 + 0.08 * np.cos(-2.07), 2.2 + 0.08 * np.sin(-2.07)])
    way = mouth - [-1.0 + 0.2 * middle, 0.0]
    azimuth = np.degrees(np.arctan2(way[1], way[0]) - 0.1 * middle)
    assert segment["azimuth_deg"] == pytest.approx(azimuth, abs=1.5)
    assert segment["start_time"] == pytest.approx(0.5 + segment["distance_m"] / 343, abs=0.05)


def test_sources_are_where_and_when_they_are(recording: Path) -> None:
    lines = [json.loads(line) for line in (recording / "reference" / "sources.jsonl").read_text().splitlines()]
    assert {line["source"] for line in lines} == {"ben", "extractor", "cart", "robot"}
    cart = [line for line in lines if line["source"] == "cart"]
    assert cart[0]["position"] == [-4.5, -3.4, 0.4]
    active = [line["time"] for line in cart if line["active"]]
    assert min(active) == pytest.approx(1.0, abs=0.11)  # as the file of sounds has it, in simulated time
    assert max(active) == pytest.approx(1.9, abs=0.11)


def test_a_recording_is_never_overwritten(stage: Stage, recording: Path) -> None:
    with pytest.raises(InputError, match="exists"):
        RecordingWriter(recording, stage)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("actor: ben", "actor: bert", "'bert' is unknown"),
        ("name: cart", "name: cat", "model 'cat' is unknown"),
        ("model: robot, link: microphones", "model: lathe, link: body", "is static"),
        ("link: microphones", "link: microphone", "did you mean 'microphones'"),
        ("file: voice.wav", "file: lost.wav", "lost.wav cannot be read"),
        ("to: robot", "to: rob", "did you mean 'robot'"),
    ],
)
def test_sounds_that_do_not_fit_the_world(sounds_file: Path, old: str, new: str, complaint: str) -> None:
    path = sounds_file.with_name("wrong.yaml")
    path.write_text(sounds_file.read_text().replace(old, new))
    with pytest.raises(InputError, match=complaint):
        Stage(FACTORY, path)
