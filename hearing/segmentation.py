"""Where a track's utterances begin and end.

A window of audio counts as the track's own speech if it sounds like speech and the network that listens in the track's
direction says that the talker there talks: speech of others leaks into every beam, but does not come from there.

An utterance is noticed once somebody has surely spoken for some moments. It began where his speech did, sure or not;
after a pause it goes on once he surely speaks again. Who begins while somebody else still speaks claims a voice that is
held for the other one's at first, and quiet first words are less sure: once he surely speaks, his utterance began with
what he claimed right before.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from hearing.activity import WINDOW
from hearing.types import SAMPLE_RATE, Float32Array, SourceAudio, SpeechChunk, Track


@dataclass(frozen=True, slots=True)
class SegmentationConfig:
    """How to segment. Times in seconds.

    Attributes
    ----------
    threshold, sure
        A window is own speech if its probability exceeds the first, and surely if it exceeds the second.
    disputed, faint
        So much that the track claimed right before its own speech counts as its own, and so does what exceeds the
        second there.
    onset, resumption, onset_window
        So much sure own speech within this window opens an utterance, or resumes it after a pause.
    gap
        Words have gaps: only a longer one is a pause.
    lookback
        How long before it is noticed an utterance may have begun: new tracks are tentative for a while.
    lead, tail
        Audio before the first and after the last own speech that belongs to the utterance.
    endpoint
        Time without own speech that ends an utterance.
    activity_hold
        Time constant by which the reported activity falls: words have gaps.
    max_length
        A longer utterance is cut: the recognizer takes no more at once.
    """

    threshold: float = 0.3
    sure: float = 0.5
    disputed: float = 1.0
    faint: float = 0.1
    onset: float = 0.16
    resumption: float = 0.1
    onset_window: float = 0.8
    gap: float = 0.3
    lookback: float = 2.0
    lead: float = 0.3
    tail: float = 0.3
    endpoint: float = 0.8
    activity_hold: float = 0.4
    max_length: float = 26.0


@dataclass(slots=True)
class _Line:
    """State of one track; positions are samples on the stream's clock.

    Attributes
    ----------
    start
        Position of the first held sample.
    judged
        Position up to which windows were judged.
    recent, claimed
        Probabilities of the last of them that they are own speech, and before voices were told apart.
    held
        Audio that was neither handed on nor dropped.
    last_own
        Where the own speech of the last utterance ends, or that of the open one so far.
    activity
        Probability that the track speaks.
    utterance_id
        The open utterance.
    opened
        Its first sample, or that of the last one; None if there was none yet.
    settled
        As in `SpeechChunk`, in samples.
    """

    start: int
    judged: int
    recent: deque[float]
    claimed: deque[float]
    held: Float32Array = field(default_factory=lambda: np.zeros(0, np.float32))
    last_own: int = 0
    activity: float = 0.0
    utterance_id: str | None = None
    opened: int | None = None
    settled: int = 0


class UtteranceSegmenter:
    """Streaming segmentation of all tracks into utterances.

    Parameters
    ----------
    config
        How to segment.
    """

    def __init__(self, config: SegmentationConfig | None = None) -> None:
        self.config = config or SegmentationConfig()
        self.reset()

    @property
    def latency(self) -> float:
        """Time it takes to know that an utterance has ended."""
        return self.config.endpoint

    def reset(self) -> None:
        """Start a new stream."""
        self._lines: dict[int, _Line] = {}
        self._count = 0

    def process(
        self, track: Track, audio: SourceAudio, speech: NDArray[np.float32], now: float
    ) -> tuple[SpeechChunk, ...]:
        """Take the next stretch of one track.

        Parameters
        ----------
        track
            The track; while it is tentative, no utterance begins.
        audio
            The track's audio.
        speech
            Probabilities that the windows that this audio completes are the track's own speech, and before it was
            decided whose voice it is, of shape (n_windows, 2).
        now
            Stream time in seconds.

        Returns
        -------
        Audio that is now known to belong to an utterance.
        """
        if track.id not in self._lines:
            recent: deque[float] = deque(maxlen=_windows(self.config.lookback))
            self._lines[track.id] = _Line(audio.start_sample, audio.start_sample, recent, recent.copy())
        line = self._lines[track.id]
        line.held = np.concatenate([line.held, audio.samples])
        fall = float(np.exp(-WINDOW / SAMPLE_RATE / self.config.activity_hold))
        for probability, claimed in speech.tolist():
            line.judged += WINDOW
            line.recent.append(probability)
            line.claimed.append(claimed)
            line.activity = max(probability, fall * line.activity)
            if line.utterance_id is not None and self._goes_on(line):
                line.last_own = line.judged
        if line.utterance_id is None:
            self._drop_until(line, line.judged - _samples(self.config.lookback + self.config.lead))
            if not track.tentative and self._speaks(line, self.config.onset):
                self._open(line)
        return self._advance(track.id, line, now) if line.utterance_id else ()

    def close(self, gone: set[int], now: float) -> tuple[SpeechChunk, ...]:
        """End the open utterances of tracks that are gone, and forget the tracks."""
        chunks = []
        for track_id in sorted(gone & self._lines.keys()):
            line = self._lines.pop(track_id)
            if line.utterance_id:
                chunks.append(self._hand_on(track_id, line, now, last=True))
        return tuple(chunks)

    @property
    def track_ids(self) -> set[int]:
        """The tracks that are followed."""
        return set(self._lines)

    def activity(self, track_id: int) -> float:
        """Probability that the track speaks now."""
        return self._lines[track_id].activity

    def _goes_on(self, line: _Line) -> bool:
        """Whether the newest window belongs to the open utterance."""
        if line.recent[-1] <= self.config.threshold:
            return False
        pause = line.judged - WINDOW - line.last_own
        return pause <= _samples(self.config.gap) or self._speaks(line, self.config.resumption)

    def _speaks(self, line: _Line, enough: float) -> bool:
        """Whether there were so many seconds of sure own speech of late that belong to no utterance yet."""
        n_windows = min(_windows(self.config.onset_window), (line.judged - line.last_own) // WINDOW)
        n_sure = sum(probability > self.config.sure for probability in islice(reversed(line.recent), n_windows))
        return n_sure >= _windows(enough)

    def _open(self, line: _Line) -> None:
        """Begin an utterance where the own speech began that has just been noticed."""
        config, recent = self.config, np.array(line.recent)[-((line.judged - line.last_own) // WINDOW) :]
        own = np.flatnonzero(recent > config.threshold)
        # Before a pause only what is sure counts, as after one.
        first = _first_of_stretch(np.flatnonzero(recent > config.sure), len(recent), _windows(config.endpoint))
        first = _first_of_stretch(own, first, _windows(config.gap))
        before = (np.array(line.claimed)[-len(recent) :] > config.threshold) | (recent > config.faint)
        begin = max(_first_of_stretch(np.flatnonzero(before), first, 0), first - _windows(config.disputed))
        line.last_own = line.judged - (len(recent) - 1 - int(own[-1])) * WINDOW
        settled, opened = (line.judged - (len(recent) - w) * WINDOW - _samples(config.lead) for w in (first, begin))
        self._drop_until(line, opened)
        line.settled = settled
        self._count += 1
        line.utterance_id, line.opened = f"u{self._count:04d}", line.start

    def _advance(self, track_id: int, line: _Line, now: float) -> tuple[SpeechChunk, ...]:
        """Hand on what is sure to belong to the open utterance."""
        silent = line.judged - line.last_own >= _samples(self.config.endpoint)
        full = line.start + len(line.held) - (line.opened or 0) >= _samples(self.config.max_length)
        chunk = self._hand_on(track_id, line, now, last=silent or full)
        return (chunk,) if len(chunk.samples) or chunk.last else ()

    def _hand_on(self, track_id: int, line: _Line, now: float, last: bool) -> SpeechChunk:
        utterance_id, start_time = line.utterance_id or "", line.start / SAMPLE_RATE
        # The pause after the last own speech is held back until it surely resumes: others may talk in it.
        sure = max(0, line.last_own + _samples(self.config.tail) - line.start)
        samples = line.held[:sure]
        self._drop_until(line, line.start + len(samples))
        if last:
            line.utterance_id = None
        opened = (line.opened or 0) / SAMPLE_RATE
        settled = line.settled / SAMPLE_RATE
        return SpeechChunk(utterance_id, track_id, samples, start_time, now, last, opened, settled=settled)

    @staticmethod
    def _drop_until(line: _Line, position: int) -> None:
        n = min(max(0, position - line.start), len(line.held))
        line.held = line.held[n:]
        line.start += n


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def _windows(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE / WINDOW)


def _first_of_stretch(windows: NDArray[np.intp], end: int, pause: int) -> int:
    """Go back from a window over some before it, given in ascending order, as long as no more lie between two of them.

    >>> _first_of_stretch(np.array([1, 5, 6, 8]), 9, 2)
    5
    """
    for window in windows[windows < end][::-1].tolist():
        if end - 1 - window > pause:
            break
        end = window
    return end
