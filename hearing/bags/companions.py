"""What comes with the sound of a bag: what was played and seen meanwhile, each at its own stamps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import soxr
from numpy.typing import NDArray

from hearing.bags.formats import AudioFormat, Heard, SampleNumbers, nanoseconds
from hearing.bags.pictures import decoded
from hearing.bags.reading import Bag, Entry
from hearing.continuity import STAMP_TOLERANCE
from hearing.types import SAMPLE_RATE, AudioBlock, Float32Array

if TYPE_CHECKING:
    from hearing.vision.camera import Camera, Frame


class Playback:
    """What was played, on the sample clock of the microphones: silence where nothing was.

    Parameters
    ----------
    messages
        In order.
    form
        How their samples are sent.
    origin
        ROS time of the microphones' first sample in nanoseconds.
    """

    def __init__(self, messages: Iterator[Heard], form: AudioFormat, origin: int) -> None:
        self._messages, self._form = messages, form
        self._numbers = SampleNumbers(form.sample_rate, STAMP_TOLERANCE, origin)
        self._position = 0
        self._resampler = None
        if form.sample_rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(form.sample_rate, SAMPLE_RATE, form.channels, dtype="float32")
        self._ready: Float32Array = np.zeros((0, form.channels), np.float32)
        self._end = 0  # on the sender's clock
        self._pending: tuple[int, Float32Array] | None = None

    def take(self, samples: int) -> Float32Array:
        """Return the next samples, of shape (samples, channels)."""
        while len(self._ready) < samples:
            self._ready = np.concatenate([self._ready, self._more(samples - len(self._ready))])
        taken, self._ready = self._ready[:samples], self._ready[samples:]
        return taken

    def _more(self, samples: int) -> Float32Array:
        """Return about so many samples, at least one unless they are still in the resampler."""
        wanted = -(-samples * self._form.sample_rate // SAMPLE_RATE)
        if self._pending is None:
            self._pending = self._next()
        start, sound = self._pending or (self._end + wanted, self._ready[:0])
        if start > self._end:
            piece: Float32Array = np.zeros((min(wanted, start - self._end), self._form.channels), np.float32)
        else:
            piece, self._pending = sound[self._end - start :], None
        self._end += len(piece)
        return piece if self._resampler is None else self._resampler.resample_chunk(piece)

    def _next(self) -> tuple[int, Float32Array] | None:
        for heard in self._messages:
            start = self._numbers.number(heard.stamp, len(heard.block.samples))
            if start + len(heard.block.samples) > self._end:
                return start, heard.block.samples
        return None


class Pictures:
    """What the camera saw, frame by frame.

    Parameters
    ----------
    bag, topic
        Where the pictures are.
    camera
        Its calibration.
    origin
        ROS time of the microphones' first sample in nanoseconds.
    start
        When to begin to read, in nanoseconds of the bag's clock.
    """

    def __init__(self, bag: Bag, topic: str, camera: Camera, origin: int, start: int) -> None:
        self._where = f"{bag.path}: {topic}"
        self._messages = bag.read([topic], start)
        self._camera, self._origin = camera, origin
        self._pending: Entry | None = None

    def until(self, time: float) -> Iterator[Frame]:
        """Return the frames before a time that have not been returned yet."""
        from hearing.vision.camera import Frame

        while (entry := self._pending or next(self._messages, None)) is not None:
            taken = (nanoseconds(entry.message.header.stamp) - self._origin) / 1e9
            self._pending = entry if taken >= time else None
            if self._pending is not None:
                return
            if taken >= 0:
                yield Frame(taken, decoded(entry.message, self._camera, self._where))


def resampled(blocks: Iterator[AudioBlock], form: AudioFormat) -> Iterator[AudioBlock]:
    """Bring a stream to `SAMPLE_RATE`."""
    if form.sample_rate == SAMPLE_RATE:
        yield from blocks
        return
    resampler = soxr.ResampleStream(form.sample_rate, SAMPLE_RATE, form.channels, dtype="float32")
    start = 0
    end = AudioBlock(np.zeros((0, form.channels), np.float32), 0)
    for block in chain(blocks, [end]):
        samples: NDArray[np.float32] = resampler.resample_chunk(np.ascontiguousarray(block.samples), last=block is end)
        if len(samples):
            yield AudioBlock(samples, start)
            start += len(samples)
