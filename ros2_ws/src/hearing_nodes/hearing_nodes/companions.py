"""What comes with the audio on topics of its own, brought onto the audio's sample clock by the stamps."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from hearing_msgs import msg

from hearing.continuity import STAMP_TOLERANCE
from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, AudioBlock, Float32Array
from hearing.vision.face import Sight
from hearing_nodes import conversions, sights
from hearing_nodes.conversions import StreamClock

_KEPT = 300
"""Messages that wait for their audio, at most; older ones are dropped."""


@dataclass(slots=True)
class CompanionFaults:
    """What was wrong with playback and sights so far, as counts.

    Attributes
    ----------
    playback_missing_samples
        Samples per channel of audio for which no playback came in time. A loudspeaker may publish nothing while it is
        silent.
    bad_playback, bad_sights
        Messages that could not be used.
    last_bad
        What was wrong with the last of them.
    """

    playback_missing_samples: int = 0
    bad_playback: int = 0
    bad_sights: int = 0
    last_bad: str = ""


class Playback:
    """Aligns what the loudspeaker plays with the audio.

    Parameters
    ----------
    channels
        Of the playback.
    faults
        Where faults are counted.
    """

    def __init__(self, channels: int, faults: CompanionFaults) -> None:
        self._channels, self._faults = channels, faults
        self._waiting: deque[tuple[int, Float32Array]] = deque(maxlen=_KEPT)
        self._next = (0, 0)

    def add(self, message: msg.AudioBlock) -> None:
        """Take a message."""
        try:
            block = conversions.audio_block(message, self._channels)
        except InputError as error:
            self._faults.bad_playback += 1
            self._faults.last_bad = str(error)
            return
        stamp = conversions.nanoseconds(message.header.stamp)
        following, due = self._next
        # Stamps jitter; what follows on the sender's sample clock follows without a gap.
        if block.start_sample == following and abs(stamp - due) <= STAMP_TOLERANCE * 1e9:
            stamp = due
        self._waiting.append((stamp, block.samples))
        length = len(block.samples)
        self._next = (block.start_sample + length, stamp + _nanoseconds(length))

    def reaches(self, block: AudioBlock, clock: StreamClock) -> bool:
        """Tell whether the playback to the end of a block of audio is there."""
        end = clock.origin + _nanoseconds(block.start_sample + len(block.samples))
        return self._next[1] >= end - _nanoseconds(1) // 2  # stamps are rounded

    def take(self, block: AudioBlock, clock: StreamClock) -> Float32Array:
        """Return what was played during a block of audio, of shape (n_samples, n_channels): silence where it lacks.

        Parameters
        ----------
        block
            The audio, on the stream's sample clock; older playback is forgotten.
        clock
            Of the stream.
        """
        size = len(block.samples)
        played, there = np.zeros((size, self._channels), np.float32), np.zeros(size, bool)
        for stamp, samples in self._waiting:
            start = round((stamp - clock.origin) * SAMPLE_RATE / 1e9) - block.start_sample
            part = slice(max(start, 0), max(min(start + len(samples), size), 0))
            if part.start < part.stop:
                played[part], there[part] = samples[part.start - start : part.stop - start], True
        self._faults.playback_missing_samples += int(size - there.sum())
        end = clock.origin + _nanoseconds(block.start_sample + size)
        while self._waiting and self._waiting[0][0] + _nanoseconds(len(self._waiting[0][1])) <= end:
            self._waiting.popleft()
        return played


class Sights:
    """Keeps what cameras see until its audio is heard.

    Parameters
    ----------
    faults
        Where faults are counted.
    """

    def __init__(self, faults: CompanionFaults) -> None:
        self._faults = faults
        self._waiting: deque[msg.Faces] = deque(maxlen=_KEPT)
        self.begin()

    def begin(self) -> None:
        """Expect another stream of audio."""
        self._last: dict[str, float] = {}

    def add(self, message: msg.Faces) -> None:
        """Take a message."""
        self._waiting.append(message)

    def take(self, block: AudioBlock, clock: StreamClock) -> tuple[Sight, ...]:
        """Return what has been seen to the end of a block of audio, in order of time.

        Parameters
        ----------
        block
            The audio, on the stream's sample clock; what comes late is given with the next block.
        clock
            Of the stream; what was seen before it began is forgotten.
        """
        taken, later = [], []
        for message in self._waiting:
            time = (conversions.nanoseconds(message.header.stamp) - clock.origin) / 1e9
            if time >= block.end_time:
                later.append(message)
            elif time > self._last.get(message.camera, -1e-9):
                self._last[message.camera] = time
                taken.append((time, message))
        self._waiting = deque(later, maxlen=_KEPT)
        seen = []
        for time, message in sorted(taken, key=lambda entry: entry[0]):
            try:
                seen.append(sights.sight(message, time))
            except InputError as error:
                self._faults.bad_sights += 1
                self._faults.last_bad = str(error)
        return tuple(seen)


def _nanoseconds(samples: int) -> int:
    return round(samples * 1e9 / SAMPLE_RATE)
