"""Where a track's utterances begin and end.

A window of audio counts as the track's own speech if it sounds like speech and the network that listens in the track's
direction says that the talker there talks: speech of others leaks into every beam, but does not come from there.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

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
    onset, onset_window
        So much sure own speech within this window opens an utterance.
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
    onset: float = 0.16
    onset_window: float = 0.8
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
    held
        Audio that was neither handed on nor dropped.
    judged
        Position up to which windows were judged.
    own
        End positions of the recent windows of own speech, and whether each is sure.
    last_own
        End of the last of them.
    activity
        Probability that the track speaks.
    utterance_id
        The open utterance.
    opened
        Its first sample, or that of the last one; None if there was none yet.
    """

    start: int
    judged: int
    held: Float32Array = field(default_factory=lambda: np.zeros(0, np.float32))
    own: deque[tuple[int, bool]] = field(default_factory=deque)
    last_own: int = 0
    activity: float = 0.0
    utterance_id: str | None = None
    opened: int | None = None


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
            Probability that the windows that this audio completes are the track's own speech.
        now
            Stream time in seconds.

        Returns
        -------
        Audio that is now known to belong to an utterance.
        """
        line = self._lines.setdefault(track.id, _Line(audio.start_sample, audio.start_sample))
        line.held = np.concatenate([line.held, audio.samples])
        fall = float(np.exp(-WINDOW / SAMPLE_RATE / self.config.activity_hold))
        for probability in speech:
            line.judged += WINDOW
            line.activity = max(float(probability), fall * line.activity)
            if probability > self.config.threshold:
                line.own.append((line.judged, bool(probability > self.config.sure)))
                line.last_own = line.judged
        if line.utterance_id is None:
            self._open_if_speech(line, track.tentative)
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

    def _open_if_speech(self, line: _Line, tentative: bool) -> None:
        while line.own and line.own[0][0] <= line.judged - _samples(self.config.onset_window):
            line.own.popleft()
        first = (line.own[0][0] if line.own else line.judged) - WINDOW - _samples(self.config.lead)
        self._drop_until(line, first)
        sure = sum(is_sure for _, is_sure in line.own) * WINDOW
        if sure >= _samples(self.config.onset) and not tentative:
            self._count += 1
            line.utterance_id = f"u{self._count:04d}"
            line.opened = line.start

    def _advance(self, track_id: int, line: _Line, now: float) -> tuple[SpeechChunk, ...]:
        """Hand on what is sure to belong to the open utterance."""
        silent = line.judged - line.last_own >= _samples(self.config.endpoint)
        full = line.start + len(line.held) - (line.opened or 0) >= _samples(self.config.max_length)
        chunk = self._hand_on(track_id, line, now, last=silent or full)
        return (chunk,) if len(chunk.samples) or chunk.last else ()

    def _hand_on(self, track_id: int, line: _Line, now: float, last: bool) -> SpeechChunk:
        utterance_id, start_time = line.utterance_id or "", line.start / SAMPLE_RATE
        # The pause after the last own speech is held back until speech resumes: others may talk in it.
        sure = max(0, line.last_own + _samples(self.config.tail) - line.start)
        samples = line.held[:sure]
        self._drop_until(line, line.start + len(samples))
        if last:
            line.utterance_id = None
            line.own.clear()
        opened = (line.opened or 0) / SAMPLE_RATE
        return SpeechChunk(utterance_id, track_id, samples, start_time, now, last, opened)

    @staticmethod
    def _drop_until(line: _Line, position: int) -> None:
        n = min(max(0, position - line.start), len(line.held))
        line.held = line.held[n:]
        line.start += n


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)
