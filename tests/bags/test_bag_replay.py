"""Bags: written from recording folders and heard again, with everything that goes wrong on the way."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import yaml
from builders import audio_block, audio_info, audio_stamped, sound
from rosbags.rosbag2 import StoragePlugin

from hearing import cli
from hearing.arrays import load_array
from hearing.bags import messages
from hearing.bags.messages import DEFINITIONS
from hearing.bags.privacy import filter_bag
from hearing.bags.reading import open_bag
from hearing.bags.streams import BagRecording, open_bag_recording
from hearing.bags.writing import ORIGIN, BagWriter, array_message, new_bag, write_bag
from hearing.continuity import Faults
from hearing.errors import InputError
from hearing.motion import MotionLog
from hearing.pipeline import Pipeline
from hearing.recording import BLOCK_SIZE, open_recording
from hearing.types import SAMPLE_RATE, CueConfidence, Direction, HearingOutput, Utterance, Word

ARRAY = "respeaker_4mic"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording folder with everything but a camera."""
    folder = tmp_path / "meeting"
    (folder / "reference").mkdir(parents=True)
    samples = 3 * SAMPLE_RATE + 100
    sf.write(folder / "audio.wav", sound(samples, 4), SAMPLE_RATE, subtype="PCM_16")
    sf.write(folder / "playback.wav", sound(samples, 1, seed=2), SAMPLE_RATE, subtype="PCM_16")
    array = {"name": ARRAY, "microphones": load_array(ARRAY).positions.tolist()}
    (folder / "array.yaml").write_text(yaml.safe_dump(array))
    lines = [
        {"time": t / 10, "position": [t / 20, 0, 0], "yaw_deg": 3.0 * t, "state": "driving" if t < 9 else "idle"}
        for t in range(30)
    ]
    (folder / "motion.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    segments = [
        {
            "session_id": "m",
            "speaker": name,
            "words": "Hello robot.",
            "start_time": t,
            "end_time": t + 0.5,
            "azimuth_deg": 9,
        }
        for name, t in (("anna", 0.2), ("ben", 2.0))
    ]
    (folder / "reference" / "segments.json").write_text(json.dumps(segments))
    return folder


@pytest.mark.parametrize(("plugin", "old"), [("mcap", False), ("sqlite3", False), ("sqlite3", True)])
def test_a_bag_holds_what_its_recording_holds(folder: Path, tmp_path: Path, plugin: str, old: bool) -> None:
    write_bag(folder, tmp_path / "bag", StoragePlugin[plugin.upper()])
    if old:  # what ROS 2 Humble writes does not say what its messages are
        with closing(sqlite3.connect(tmp_path / "bag" / "bag.db3")) as database:
            database.execute("DELETE FROM message_definitions")
            database.commit()
    bag, recording = open_bag_recording(tmp_path / "bag"), open_recording(folder)
    assert bag.array.positions == pytest.approx(recording.array.positions)
    heard = list(bag.moments())
    expected = list(recording.moments())
    assert {heading.number for heading, _ in heard} == {1}
    assert len(heard) == len(expected)
    for (_, moment), original in zip(heard, expected, strict=True):
        assert moment.block.start_sample == original.block.start_sample
        np.testing.assert_array_equal(moment.block.samples, original.block.samples)
        np.testing.assert_array_equal(moment.playback, original.playback)
    assert bag.faults == Faults()
    heading = heard[0][0]
    assert json.loads(bag.reference(heading)["segments.json"])[1]["start_time"] == 2.0
    replayed, original = bag.motion(heading), MotionLog.load(recording.motion)
    for time in (0.0, 0.05, 1.23, 2.9):
        a, b = replayed.known_at(time), original.known_at(time)
        assert (a.yaw, a.state) == (pytest.approx(b.yaw), b.state)
        assert a.position == pytest.approx(b.position, abs=1e-9)


def test_a_bag_of_a_folder_is_the_same_every_time(folder: Path, tmp_path: Path) -> None:
    for name in ("one/bag", "two/bag"):
        write_bag(folder, tmp_path / name)
    assert (tmp_path / "one/bag/bag.mcap").read_bytes() == (tmp_path / "two/bag/bag.mcap").read_bytes()


def test_replay_starts_anywhere(folder: Path, tmp_path: Path) -> None:
    write_bag(folder, tmp_path / "bag")
    bag = open_bag_recording(tmp_path / "bag", start=1.0)
    (heading, first), *_ = bag.moments()
    skipped = round((heading.origin - ORIGIN) * SAMPLE_RATE / 1e9)
    whole = open_recording(folder).read()
    np.testing.assert_array_equal(first.block.samples, whole[skipped : skipped + BLOCK_SIZE])
    (segment,) = json.loads(bag.reference(heading)["segments.json"])
    assert segment["start_time"] == pytest.approx(2.0 - skipped / SAMPLE_RATE, abs=1e-3)
    at_start = bag.motion(heading).at(0.0)  # poses are relative to where the array is when hearing starts
    assert np.linalg.norm(at_start.position) < 0.05


def test_an_offset_beyond_the_end_is_refused(folder: Path, tmp_path: Path) -> None:
    write_bag(folder, tmp_path / "bag")
    with pytest.raises(InputError, match="--start 99 is outside"):
        open_bag_recording(tmp_path / "bag", start=99.0)


def bag_of(path: Path, blocks: list[tuple[int, int, bool]], topic: str = messages.AUDIO) -> BagRecording:
    """Write audio blocks: first sample, delay in ms, end of stream; sample n has the value n of `sound`."""
    whole = sound(40 * BLOCK_SIZE, 4)
    with new_bag(path) as writer:
        bag = BagWriter(writer)
        bag.write(messages.ARRAY, messages.STRING, ORIGIN, array_message(load_array(ARRAY)), latched=True)
        for number, (start, delay, last) in enumerate(blocks):
            block = audio_block(whole[start : start + BLOCK_SIZE], start, ORIGIN + delay * 1_000_000, last)
            bag.write(topic, messages.AUDIO_BLOCK, ORIGIN + number * 32_000_000, block)
    return open_bag_recording(path)


def test_lost_repeated_and_late_blocks_are_counted(tmp_path: Path) -> None:
    order = [0, 1, 2, 2, 5, 4, 6]
    bag = bag_of(tmp_path / "bag", [(BLOCK_SIZE * n, 0, False) for n in order])
    heard = np.concatenate([moment.block.samples for _, moment in bag.moments()])
    expected = sound(40 * BLOCK_SIZE, 4)[: 7 * BLOCK_SIZE].copy()
    expected[3 * BLOCK_SIZE : 5 * BLOCK_SIZE] = 0
    np.testing.assert_allclose(heard, expected, atol=1 / 32_768)
    assert bag.faults == Faults(gaps=1, lost_samples=2 * BLOCK_SIZE, late=2)


def test_streams_that_follow_each_other_are_told_apart(tmp_path: Path) -> None:
    again = [(0, 0, False), (BLOCK_SIZE, 0, True), (0, 5000, False), (BLOCK_SIZE, 5000, False), (0, 9000, False)]
    bag = bag_of(tmp_path / "bag", again)
    streams = [(heading.number, moment.block.start_sample) for heading, moment in bag.moments()]
    assert streams == [(1, 0), (1, BLOCK_SIZE), (2, 0), (2, BLOCK_SIZE), (3, 0)]
    assert bag.faults == Faults(restarts=1)


def common_bag(
    path: Path, rate: int, form: str | None, jitter: float, skip: Collection[int] = (), coding: str = "wave"
) -> BagRecording:
    """Write ros-drivers' messages of 0.05 s whose stamps jitter; those in `skip` are lost."""
    rng = np.random.default_rng(1)
    size = rate // 20
    whole = sound(size * 60, 4)
    with new_bag(path) as writer:
        bag = BagWriter(writer)
        if form is not None:
            bag.write("/audio/audio_info", messages.AUDIO_INFO, ORIGIN, audio_info(4, rate, form, coding))
        for number in range(60):
            if number not in skip:
                stamp = ORIGIN + round((number * 0.05 + rng.uniform(0, jitter)) * 1e9)
                message = audio_stamped(whole[number * size : (number + 1) * size], stamp, form or "S16LE")
                bag.write("/audio/audio_stamped", messages.AUDIO_STAMPED, stamp + 1, message)
    return open_bag_recording(path, ARRAY)


@pytest.mark.parametrize("form", ["S16LE", "S32LE", "F32LE", None])
def test_stamps_that_jitter_lose_nothing(tmp_path: Path, form: str | None) -> None:
    bag = common_bag(tmp_path / "bag", SAMPLE_RATE, form, 0.04)
    heard = np.concatenate([moment.block.samples for _, moment in bag.moments()])
    np.testing.assert_allclose(heard, sound(3 * SAMPLE_RATE, 4), atol=1 / 32_768)
    assert bag.faults == Faults()
    assert any("no AudioInfo" in notice for notice in bag.notices) == (form is None)


def test_what_stamps_say_is_lost_becomes_silence(tmp_path: Path) -> None:
    bag = common_bag(tmp_path / "bag", SAMPLE_RATE, "S16LE", 0.0, range(20, 30))
    heard = np.concatenate([moment.block.samples for _, moment in bag.moments()])
    assert len(heard) == 3 * SAMPLE_RATE
    assert not heard[SAMPLE_RATE : SAMPLE_RATE + SAMPLE_RATE // 2].any()
    assert bag.faults == Faults(gaps=1, lost_samples=SAMPLE_RATE // 2)


def test_another_rate_is_resampled(tmp_path: Path) -> None:
    bag = common_bag(tmp_path / "bag", 48_000, "S16LE", 0.02)
    assert sum(len(moment.block.samples) for _, moment in bag.moments()) == pytest.approx(3 * SAMPLE_RATE, abs=1)


def test_compressed_audio_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"compressed \(mp3\).*format:=wave"):
        common_bag(tmp_path / "bag", SAMPLE_RATE, "S16LE", 0.0, coding="mp3")


def test_the_definition_of_audio_is_that_of_its_message() -> None:
    text = (Path(__file__).parents[2] / "ros2_ws/src/hearing_msgs/msg/AudioBlock.msg").read_text()
    lines = [" ".join(line.split("#")[0].split()) for line in text.splitlines()]
    assert [line for line in lines if line] == DEFINITIONS[messages.AUDIO_BLOCK].splitlines()


def test_the_privacy_filter_keeps_no_sound(folder: Path, tmp_path: Path) -> None:
    write_bag(folder, tmp_path / "bag")
    assert filter_bag(tmp_path / "bag", tmp_path / "filtered") == [messages.AUDIO, messages.PLAYBACK]
    with open_bag(tmp_path / "filtered") as bag:
        kinds = {bag.type_of(topic) for topic in bag.topics(*[c.msgtype for c in bag.connections])}
    assert kinds == {messages.STRING, messages.ODOMETRY, messages.TRANSFORMS}


class CountingPipeline:
    """Says one word about what it was given."""

    latency = 0.1

    def __init__(self, array, config, people=None):
        self.array, self.compute_seconds, self.faults = array, {}, ()
        self.reset()

    def bias(self, phrases):
        pass

    def reset(self):
        self.samples, self.total = 0, 0.0

    def process(self, block, playback=None, motion=None, sights=()):
        self.samples += len(block.samples)
        self.total += float(np.square(block.samples).sum())
        return HearingOutput()

    def flush(self):
        end = self.samples / SAMPLE_RATE
        word = Word(f"w{self.total:.6f}", 0.2, end, 0.5, end, end)
        return HearingOutput(
            utterances=(
                Utterance("u1", 1, True, "talker_1", 1, (word,), 0.2, end, Direction(0.1), CueConfidence(0.5), 0.0),
            )
        )


def test_two_replays_are_the_same(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pipeline, "create", CountingPipeline)
    write_bag(folder, tmp_path / "bag")
    for name in ("a", "b"):
        assert cli.main(["replay", str(tmp_path / "bag"), "--out", str(tmp_path / name)]) == 0
    for file in ("segments.json", "words.jsonl", "tracks.jsonl", "reference/segments.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert json.loads((tmp_path / "a" / "score.json").read_text())["cpwer"]["length"] == 4
    assert cli.main(["replay", str(tmp_path), "--out", str(tmp_path / "all")]) == 0
    assert (tmp_path / "all" / "bag" / "words.jsonl").is_file()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none", "no such bag"),
        ("meeting", "no rosbag2 is or lies"),
        ("x.mcap", "cannot be read"),
        ("a.txt", "not a rosbag2"),
    ],
)
def test_what_is_no_bag_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    for file in ("x.mcap", "a.txt"):
        (tmp_path / file).write_bytes(b"nothing")
    assert cli.main(["replay", str(tmp_path / name), "--out", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "out").exists()


def test_a_bag_is_never_overwritten(folder: Path, tmp_path: Path) -> None:
    write_bag(folder, tmp_path / "bag")
    with pytest.raises(InputError, match="exists; give another"):
        write_bag(folder, tmp_path / "bag")
