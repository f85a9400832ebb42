"""Diarization error rate: who spoke when, whatever was said.

It is computed exactly, on the intervals between all starts and ends, without frames, without a collar and with
overlapping speech scored (NIST, "The Rich Transcription 2009 evaluation plan", section 6.1, with a collar of 0).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment


@dataclass(frozen=True, slots=True)
class DiarizationErrorRate:
    """Seconds of speaker time that were missed, invented and given to the wrong speaker.

    Attributes
    ----------
    missed, false_alarm, confusion
        The errors in seconds of speaker time: two people who talk for one second make two.
    length
        Seconds of speaker time in the reference.
    """

    missed: float
    false_alarm: float
    confusion: float
    length: float

    @classmethod
    def zero(cls) -> DiarizationErrorRate:
        """Return the neutral element of the sum."""
        return cls(0.0, 0.0, 0.0, 0.0)

    def __add__(self, other: DiarizationErrorRate) -> DiarizationErrorRate:
        """Combine two recordings."""
        return DiarizationErrorRate(
            self.missed + other.missed,
            self.false_alarm + other.false_alarm,
            self.confusion + other.confusion,
            self.length + other.length,
        )

    @property
    def errors(self) -> float:
        """All errors in seconds."""
        return self.missed + self.false_alarm + self.confusion

    @property
    def error_rate(self) -> float | None:
        """Errors per second of reference, or None if nobody speaks in it."""
        return self.errors / self.length if self.length else None


def diarization_error_rate(
    reference: Iterable[Mapping[str, Any]], hypothesis: Iterable[Mapping[str, Any]]
) -> DiarizationErrorRate:
    """Compare two lists of segments with `speaker`, `start_time` and `end_time`.

    Speakers are mapped one to one such that the time they have in common is as long as possible.

    >>> def segment(speaker, start, end):
    ...     return {"speaker": speaker, "start_time": start, "end_time": end}
    >>> diarization_error_rate([segment("A", 0, 4), segment("B", 4, 8)], [segment("x", 0, 5), segment("y", 5, 10)])
    DiarizationErrorRate(missed=0.0, false_alarm=2.0, confusion=1.0, length=8.0)
    """
    reference, hypothesis = list(reference), list(hypothesis)
    times = sorted({segment[key] for segment in (*reference, *hypothesis) for key in ("start_time", "end_time")})
    edges = np.array(times, dtype=np.float64)
    durations = np.diff(edges)
    if not len(durations):
        return DiarizationErrorRate.zero()
    true, heard = _activity(reference, edges), _activity(hypothesis, edges)
    common = (true * durations) @ heard.T
    correct = float(common[linear_sum_assignment(common, maximize=True)].sum())
    n_true, n_heard = true.sum(axis=0), heard.sum(axis=0)
    return DiarizationErrorRate(
        missed=float(durations @ np.maximum(n_true - n_heard, 0.0)),
        false_alarm=float(durations @ np.maximum(n_heard - n_true, 0.0)),
        confusion=max(0.0, float(durations @ np.minimum(n_true, n_heard)) - correct),
        length=float(durations @ n_true),
    )


def _activity(segments: list[Mapping[str, Any]], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 where a speaker talks, of shape (n_speakers, n_intervals), between consecutive edges."""
    speakers = sorted({segment["speaker"] for segment in segments})
    activity = np.zeros((len(speakers), len(edges) - 1))
    for segment in segments:
        first, last = np.searchsorted(edges, (segment["start_time"], segment["end_time"]))
        activity[speakers.index(segment["speaker"]), first:last] = 1.0
    return activity
