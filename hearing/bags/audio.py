"""Audio messages as blocks on a sample clock: this project's `AudioBlock`, and ros-drivers' `audio_common_msgs`.

`AudioBlock` numbers its samples. `AudioDataStamped` has a stamp that jitters, and `AudioData` not even that: what is
lost of them is found where stamps, or times of recording, leave the sample clock. Their format is in an `AudioInfo`
that is sent once, so that a recorder which starts later never sees it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from hearing.bags.messages import AUDIO_BLOCK, AUDIO_INFO, AUDIO_STAMPED
from hearing.bags.reading import Bag, Entry
from hearing.continuity import STAMP_TOLERANCE
from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, AudioBlock

RECORDED_TOLERANCE = 1.0
"""Seconds by which the time of recording may deviate from the sample clock: messages wait in queues."""
RATES = (8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)
_DRIFT = 0.01  # share of a stamp's deviation that is taken for drift of the clocks: settles within some seconds
_CODES = {"S16LE": "<i2", "S16BE": ">i2", "S32LE": "<i4", "F32LE": "<f4"}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How samples are sent.

    Attributes
    ----------
    channels, sample_rate
        Number of interleaved channels, and Hz.
    code
        NumPy's name of the sample type.
    """

    channels: int
    sample_rate: int = SAMPLE_RATE
    code: str = "<i2"

    def samples(self, data: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Convert bytes to samples of shape (n_samples, channels), full scale being 1.

        Raises
        ------
        InputError
            If they are no whole number of frames.
        """
        kind = np.dtype(self.code)
        if len(data) % (kind.itemsize * self.channels):
            raise InputError(f"audio message of {len(data)} bytes: not whole frames of {self.channels} channels")
        samples = np.frombuffer(data, kind).reshape(-1, self.channels).astype(np.float32)
        return samples / np.float32(np.iinfo(kind).max + 1) if kind.kind == "i" else samples


class Heard(NamedTuple):
    """An audio message: its block on the sender's clock, the ROS time of its first sample, and the microphones' frame.

    The frame is empty if it is not said.
    """

    block: AudioBlock
    stamp: int
    frame: str = ""


class SampleNumbers:
    """Numbers samples that come with nothing but a time.

    They follow on each other while the times fit the sample clock, whose drift against them is followed.

    Parameters
    ----------
    sample_rate
        In Hz.
    tolerance
        Seconds by which a time may deviate; more is a gap.
    origin
        Nanoseconds of sample 0; by default the first time.
    """

    def __init__(self, sample_rate: int, tolerance: float, origin: int | None = None) -> None:
        self._rate, self._tolerance = sample_rate, tolerance
        self._origin = origin
        self._next: int | None = None
        self._last = -1

    def number(self, stamp: int, samples: int) -> int:
        """Return the number of the first of so many samples; it is one that has been if they come again, or late."""
        if self._origin is None:
            self._origin = stamp
        start = round((stamp - self._origin) * self._rate / 1e9)
        if self._next is not None:
            deviation = (start - self._next) / self._rate
            if deviation < -max(1.0, self._tolerance):  # the clock was set back, or the source has started again
                self._origin, self._next, start = stamp, 0, 0
            elif stamp > self._last and abs(deviation) <= self._tolerance:
                start = self._next
                self._origin += round(_DRIFT * deviation * 1e9)
        self._last = stamp if start == 0 else max(self._last, stamp)
        self._next = start + samples if self._next is None else max(self._next, start + samples)
        return start


class AudioReader:
    """Reads the messages of one topic.

    Parameters
    ----------
    kind
        Their type.
    form
        How samples are sent; `AudioBlock` must be sent so.
    """

    def __init__(self, kind: str, form: AudioFormat) -> None:
        self.kind, self.form = kind, form
        tolerance = STAMP_TOLERANCE if kind == AUDIO_STAMPED else RECORDED_TOLERANCE
        self._numbers = SampleNumbers(form.sample_rate, tolerance)

    def read(self, entry: Entry) -> Heard:
        """Convert a message.

        Raises
        ------
        InputError
            If it does not fit the format.
        """
        message = entry.message
        if self.kind == AUDIO_BLOCK:
            return self._block(message)
        stamped = self.kind == AUDIO_STAMPED
        samples = self.form.samples(message.audio.data if stamped else message.data)
        stamp = nanoseconds(message.header.stamp) if stamped else entry.time
        start = self._numbers.number(stamp, len(samples))
        return Heard(AudioBlock(samples, start), stamp, message.header.frame_id if stamped else "")

    def _block(self, message: Any) -> Heard:
        if message.sample_rate != self.form.sample_rate:
            raise InputError(f"audio of {message.sample_rate} Hz: publish it at {self.form.sample_rate} Hz")
        if message.channels != self.form.channels:
            raise InputError(
                f"audio of {message.channels} channels, the array has {self.form.channels}; give another --array"
            )
        samples = self.form.samples(message.data.astype("<i2").tobytes())
        block = AudioBlock(samples, int(message.start_sample))
        return Heard(block, nanoseconds(message.header.stamp), message.header.frame_id)


def audio_format(bag: Bag, topic: str, channels: int | None) -> AudioFormat:
    """Find out how a topic's samples are sent.

    Parameters
    ----------
    topic
        Of audio.
    channels
        Of the array; None if any number will do, for a loudspeaker.

    Raises
    ------
    InputError
        If they are compressed, or it cannot be found out.
    """
    if bag.type_of(topic) == AUDIO_BLOCK:
        return AudioFormat(channels or int(next(bag.read([topic])).message.channels))
    info = _info(bag, topic)
    if info is None:
        return AudioFormat(channels or 1, _guessed_rate(bag, topic, channels or 1))
    if info.coding_format.lower() not in ("", "wave", "wav", "raw"):
        raise InputError(
            f"{bag.path}: {topic} is compressed ({info.coding_format}), which directions do not survive; "
            "record with audio_capture's format:=wave"
        )
    code = _CODES.get(info.sample_format or "S16LE")
    if code is None:
        raise InputError(f"{bag.path}: {topic} has samples of {info.sample_format}; record one of {', '.join(_CODES)}")
    if channels is not None and info.channels != channels:
        raise InputError(f"{bag.path}: {topic} has {info.channels} channels, the array {channels}; give its --array")
    return AudioFormat(info.channels, info.sample_rate, code)


def _info(bag: Bag, topic: str) -> Any | None:
    """Return what is said of a topic's format: beside it, or in the bag if that holds one format only."""
    infos = bag.topics(AUDIO_INFO)
    beside = [info for info in infos if info.rpartition("/")[0] == topic.rpartition("/")[0]]
    chosen = beside[:1] or (infos if len(infos) == 1 else [])
    return bag.last(chosen[0]) if chosen else None


def _guessed_rate(bag: Bag, topic: str, channels: int) -> int:
    """Take the usual rate that is nearest to how many samples of 16 bits were recorded in a second."""
    size = 0
    times = []
    for entry in bag.read([topic]):
        size += len(entry.message.data if hasattr(entry.message, "data") else entry.message.audio.data)
        times.append(entry.time)
    seconds = (times[-1] - times[0]) / 1e9 * len(times) / max(len(times) - 1, 1)  # the last message lasts as well
    heard = size / 2 / channels / seconds if seconds else float(SAMPLE_RATE)
    rate = min(RATES, key=lambda usual: abs(np.log(usual / heard)))
    if not 0.8 < rate / heard < 1.25:
        raise InputError(
            f"{bag.path}: {topic} has no AudioInfo, and {heard:.0f} samples of {channels} channels a second are no "
            "usual rate; record audio_info, with audio_capture's format:=wave, or give another --array"
        )
    return rate


def nanoseconds(stamp: Any) -> int:
    """Return a stamp in nanoseconds."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
