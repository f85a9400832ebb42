"""Holds the sample clock: finds lost, repeated and re-ordered audio blocks, and streams that start again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hearing.types import SAMPLE_RATE, AudioBlock

STAMP_TOLERANCE = 0.1
"""Seconds by which a stamp may deviate from the sample clock; more is a jump. Drivers jitter by one block or two."""


@dataclass(slots=True)
class Faults:
    """What was wrong with the audio so far, as counts.

    Attributes
    ----------
    gaps
        Stretches that were lost and filled with silence.
    lost_samples
        Samples per channel in them.
    late
        Blocks that were dropped, in whole or in part, because their samples had come already.
    jumps
        Stamps that do not fit the sample clock: the driver lost samples, or the ROS clock was set.
    restarts
        Streams that began anew without an end of the one before.
    bad
        Messages that could not be used.
    """

    gaps: int = 0
    lost_samples: int = 0
    late: int = 0
    jumps: int = 0
    restarts: int = 0
    bad: int = 0


@dataclass(frozen=True, slots=True)
class Admission:
    """What to do with a block.

    Attributes
    ----------
    blocks
        What to process, on a clock that starts at 0 with the stream: silence in place of a gap, then the block.
    restart
        The stream before has ended and must be finished first.
    """

    blocks: tuple[AudioBlock, ...]
    restart: bool = False


class Continuity:
    """Admits the blocks of a stream so that they follow on each other without a gap.

    Parameters
    ----------
    max_gap
        Longest gap in seconds that is filled with silence; a longer one ends the stream and begins another.
    faults
        Where faults are counted.
    sample_rate
        Of the sender's clock in Hz.
    """

    def __init__(self, max_gap: float, faults: Faults, sample_rate: int = SAMPLE_RATE) -> None:
        self._rate = sample_rate
        self._max_gap = round(max_gap * sample_rate)
        self._faults = faults
        self.reset()

    def reset(self) -> None:
        """Expect a new stream; it may begin at any sample."""
        self._first: int | None = None
        self._next = 0
        self._origin = 0

    @property
    def samples(self) -> int:
        """Samples per channel that were admitted in this stream."""
        return self._next - (self._first or 0)

    def admit(self, block: AudioBlock, stamp: int) -> Admission:
        """Compare a block with what has come before.

        Parameters
        ----------
        block
            The block with its number on the sender's sample clock.
        stamp
            ROS time of its first sample in nanoseconds.
        """
        # Where the stream's sample 0 lies in ROS time according to this block: constant while nothing is lost.
        origin = stamp - round(block.start_sample * 1e9 / self._rate)
        if self._first is None:
            return self._begin(block, origin)
        jumped = abs(origin - self._origin) > STAMP_TOLERANCE * 1e9
        missing = block.start_sample - self._next
        if missing > self._max_gap or (missing < 0 and jumped):
            self._faults.restarts += 1
            return Admission(self._begin(block, origin).blocks, restart=True)
        self._faults.jumps += jumped
        if missing < 0:
            self._faults.late += 1
            block = AudioBlock(block.samples[-missing:], self._next)
            if not len(block.samples):
                return Admission(())
        self._origin = origin
        return Admission((*self._fill(missing, block.samples.shape[1]), self._take(block)))

    def _begin(self, block: AudioBlock, origin: int) -> Admission:
        self._first = self._next = block.start_sample
        self._origin = origin
        return Admission((self._take(block),))

    def _fill(self, missing: int, channels: int) -> tuple[AudioBlock, ...]:
        if missing <= 0:
            return ()
        self._faults.gaps += 1
        self._faults.lost_samples += missing
        return (self._take(AudioBlock(np.zeros((missing, channels), np.float32), self._next)),)

    def _take(self, block: AudioBlock) -> AudioBlock:
        start = self.samples
        self._next += len(block.samples)
        return AudioBlock(block.samples, start)
