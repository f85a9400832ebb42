"""Audio of ros-drivers' audio_common_msgs: its stamps, its format, and the AudioInfo that who comes late never gets."""

from __future__ import annotations

import array
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
from audio_common_msgs.msg import AudioData, AudioDataStamped, AudioInfo
from hearing_nodes import optional
from hearing_nodes.conversions import time_message
from hearing_nodes.hearing import Hearing
from hearing_nodes.intake import CommonIntake, is_mpeg
from rclpy.executors import SingleThreadedExecutor
from spinning import spin_until
from std_msgs.msg import Header

from hearing import pipeline as pipelines
from hearing.bags.formats import AudioFormat
from hearing.continuity import Faults
from hearing.errors import InputError
from hearing.recognition.scheduling import RecognitionQueue
from hearing.types import SAMPLE_RATE, AudioBlock, HearingOutput

ORIGIN = 1_700_000_000_000_000_000
CHANNELS = 6
SIZE = 512
MP3 = bytes([0xFF, 0xFB, 0x90, 0x00]) + bytes(413)
"""A frame of MPEG 1 layer III of 128 kbit/s at 44.1 kHz."""


def sound(start: int, size: int = SIZE) -> np.ndarray:
    """Samples that tell which they are, of shape (size, CHANNELS)."""
    numbers = np.arange(start, start + size) % 32_768
    return np.repeat(numbers.astype("<i2")[:, None], CHANNELS, axis=1)


def data(samples: np.ndarray) -> AudioData:
    return AudioData(data=array.array("B", samples.astype("<i2").tobytes()))


def stamped(start: int, size: int = SIZE, late: float = 0.0, rate: int = SAMPLE_RATE) -> AudioDataStamped:
    header = Header(stamp=time_message(ORIGIN + round((start / rate + late) * 1e9)), frame_id="head")
    return AudioDataStamped(header=header, audio=data(sound(start, size)))


def intake(faults: Faults | None = None, **form: object) -> CommonIntake:
    return CommonIntake(AudioFormat(CHANNELS, **form), "microphones", 5.0, faults or Faults())


def heard(blocks: list[AudioBlock]) -> np.ndarray:
    """Samples of blocks that follow on each other, as the numbers that they were sent as."""
    ends = np.cumsum([len(block.samples) for block in blocks])
    assert [block.start_sample for block in blocks] == [0, *ends[:-1]]
    return np.rint(np.concatenate([block.samples[:, 0] for block in blocks]) * 32_768)


def test_stamps_that_jitter_leave_no_gap() -> None:
    faults = Faults()
    taker = intake(faults)
    delays = (0.0, 0.02, 0.0, 0.05, 0.03)
    arrivals = [taker.take(stamped(number * SIZE, late=late), 0) for number, late in enumerate(delays)]
    blocks = [block for arrival in arrivals for block in arrival.blocks]
    np.testing.assert_array_equal(heard(blocks), sound(0, 5 * SIZE)[:, 0])
    assert faults == Faults()
    assert (arrivals[0].clock.origin, arrivals[0].clock.frame_id) == (ORIGIN, "head")


def test_what_was_lost_is_silent() -> None:
    faults = Faults()
    taker = intake(faults)
    blocks = [*taker.take(stamped(0), 0).blocks, *taker.take(stamped(10 * SIZE), 0).blocks]
    samples = heard(blocks)
    assert len(samples) == 11 * SIZE
    assert not samples[SIZE : 10 * SIZE].any()
    assert (faults.gaps, faults.lost_samples) == (1, 9 * SIZE)


def test_without_stamps_the_time_of_receipt_counts() -> None:
    taker = intake()
    first = taker.take(data(sound(0)), ORIGIN)
    assert (first.clock.origin, first.clock.frame_id) == (ORIGIN, "microphones")
    second = taker.take(data(sound(SIZE)), ORIGIN + 300_000_000)
    assert second.blocks[0].start_sample == SIZE


def test_other_rates_are_resampled_to_the_end() -> None:
    taker = intake(sample_rate=48_000)
    tone = np.sin(2 * np.pi * 500 * np.arange(48_000) / 48_000)[:, None].repeat(CHANNELS, axis=1) * 8000
    blocks: list[AudioBlock] = []
    for start in range(0, 48_000, 480):
        message = stamped(start, rate=48_000)
        message.audio = data(tone[start : start + 480])
        blocks += taker.take(message, 0).blocks
    last = taker.take(stamped(60 * 48_000, rate=48_000), 0)  # too long a gap: another stream
    assert last.restart
    blocks += last.tail
    samples = np.concatenate([block.samples[:, 0] for block in blocks])
    assert len(samples) == SAMPLE_RATE
    expected = np.sin(2 * np.pi * 500 * np.arange(SAMPLE_RATE) / SAMPLE_RATE) * 8000 / 32_768
    np.testing.assert_allclose(samples[800:-800], expected[800:-800], atol=2e-3)
    assert last.blocks == () or last.blocks[0].start_sample == 0


def test_audio_info_counts_more_than_parameters() -> None:
    taker = intake()
    taker.take(stamped(0), 0)
    taker.inform(AudioInfo(channels=CHANNELS, sample_rate=48_000, sample_format="S16LE", coding_format="wave"))
    first = taker.take(stamped(SIZE), 0)
    assert first.restart
    blocks = [block for n in range(100) for block in taker.take(stamped((n + 2) * SIZE, rate=48_000), 0).blocks]
    assert sum(len(block.samples) for block in blocks) == pytest.approx(100 * SIZE / 3, rel=0.05)
    taker.inform(AudioInfo(channels=CHANNELS, sample_rate=48_000, sample_format="S16LE", coding_format="wave"))
    assert not taker.take(stamped(102 * SIZE, rate=48_000), 0).restart


@pytest.mark.parametrize(
    ("info", "complaint"),
    [
        ({"coding_format": "mp3"}, "compressed"),
        ({"channels": 2}, "2 channels, the array 6"),
        ({"sample_format": "S24LE"}, "S24LE"),
    ],
)
def test_a_format_that_cannot_be_used_is_refused_until_another_comes(info: dict, complaint: str) -> None:
    good = {"channels": CHANNELS, "sample_rate": SAMPLE_RATE, "sample_format": "S16LE", "coding_format": "wave"}
    taker = intake()
    taker.inform(AudioInfo(**good | info))
    with pytest.raises(InputError, match=complaint):
        taker.take(stamped(0), 0)
    taker.inform(AudioInfo(**good))
    assert taker.take(stamped(0), 0).blocks


def test_compressed_audio_is_recognized_without_audio_info() -> None:
    assert is_mpeg(MP3)
    assert is_mpeg(MP3 + MP3)
    assert not is_mpeg(sound(0).tobytes())
    assert not is_mpeg(np.full((64, 2), -1025, "<i2").tobytes())  # loud, and begins as MP3 does
    with pytest.raises(InputError, match="format:=wave"):
        intake().take(AudioData(data=array.array("B", MP3)), ORIGIN)
    with pytest.raises(InputError, match="whole frames of 6 channels"):
        intake().take(AudioData(data=array.array("B", bytes(14))), ORIGIN)


class NotingPipeline:
    """Notes what it hears."""

    latency, faults, queue, listener = 0.5, (), RecognitionQueue(), None

    def __init__(self) -> None:
        self.blocks: list[AudioBlock] = []

    def check_phrases(self, phrases: object) -> None: ...

    def bias(self, phrases: object) -> None: ...

    def listen_for(self, words: object) -> None: ...

    def reset(self) -> None: ...

    def process(self, block: AudioBlock, *beside: object) -> HearingOutput:
        self.blocks.append(block)
        return HearingOutput()


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Iterator[NotingPipeline]:
    pipeline = NotingPipeline()
    monkeypatch.setattr(pipelines.Pipeline, "create", lambda *_, **__: pipeline)
    rclpy.init()
    yield pipeline
    rclpy.shutdown()


def node_with(**parameters: object) -> Hearing:
    node = Hearing()
    node.set_parameters([rclpy.Parameter(name, value=value) for name, value in parameters.items()])
    return node


def test_the_node_hears_stamped_audio(pipeline: NotingPipeline) -> None:
    node, peer = node_with(messages="AudioDataStamped"), rclpy.create_node("peer")
    assert node.start()
    publisher = peer.create_publisher(AudioDataStamped, "audio_stamped", 10)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    until = partial(spin_until, executor)
    until(publisher.get_subscription_count)
    for number in range(3):
        publisher.publish(stamped(number * SIZE))
    until(lambda: len(pipeline.blocks) == 3)
    np.testing.assert_array_equal(heard(pipeline.blocks), sound(0, 3 * SIZE)[:, 0])
    assert node._session.clock.frame_id == "head"
    node.stop()
    node.destroy_node()
    peer.destroy_node()


def test_without_the_messages_one_line_says_what_to_install(
    pipeline: NotingPipeline, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> SimpleNamespace:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(optional, "import_module", missing)
    node = node_with(messages="AudioData")
    assert not node.start()
    assert node.exit_status == 2
    node.destroy_node()
    assert "apt install ros-$ROS_DISTRO-audio-common-msgs" in capfd.readouterr().err


def test_the_nodes_need_no_rosbags() -> None:
    code = "import sys; sys.modules['rosbags'] = None; import hearing_nodes.hearing, hearing_nodes.hri"
    subprocess.run([sys.executable, "-c", code], check=True)
