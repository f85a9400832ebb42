"""How samples come in audio messages, and their numbers where messages have none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, AudioBlock

RECEIVED_TOLERANCE = 1.0
"""Seconds by which the time of receipt may deviate from the sample clock: messages wait in queues."""
_DRIFT = 0.01  # share of a stamp's deviation that is taken for drift of the clocks: settles within some seconds
CODES = {"S16LE": "<i2", "S16BE": ">i2", "S32LE": "<i4", "F32LE": "<f4"}


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


def described(info: Any, channels: int | None, topic: str) -> AudioFormat:
    """Return the format that an `AudioInfo` describes.

    Parameters
    ----------
    info
        The message.
    channels
        Of the array; None if any number will do, for a loudspeaker.
    topic
        Whose format it is, for messages of errors.

    Raises
    ------
    InputError
        If the audio is compressed, or of another type or number of channels than can be used.
    """
    if info.coding_format.lower() not in ("", "wave", "wav", "raw"):
        raise InputError(
            f"{topic} is compressed ({info.coding_format}), which directions do not survive; "
            "run audio_capture with format:=wave"
        )
    code = CODES.get(info.sample_format or "S16LE")
    if code is None:
        raise InputError(f"{topic} has samples of {info.sample_format}; publish one of {', '.join(CODES)}")
    if channels is not None and info.channels != channels:
        raise InputError(f"{topic} has {info.channels} channels, the array {channels}; give the array that it is of")
    return AudioFormat(info.channels, info.sample_rate, code)


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


def nanoseconds(stamp: Any) -> int:
    """Return a stamp in nanoseconds."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
