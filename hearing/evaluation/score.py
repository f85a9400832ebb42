"""The score of a hypothesis, as counts and single errors that can be added up over recordings."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from meeteval.wer import ErrorRate

from hearing.evaluation.diarization import DiarizationErrorRate
from hearing.evaluation.faces import FaceErrorRate
from hearing.evaluation.people import PersonCount
from hearing.evaluation.words import AttributionErrorRate

GOOD_DIRECTION = 10.0
"""Degrees up to which a direction counts as right."""


@dataclass(frozen=True, slots=True)
class Score:
    """How well a recording was heard.

    Attributes
    ----------
    cp, tcp, orc
        Word error rates; `orc` is None if there are too many heard speakers to compute it.
    attribution
        Recognized words given to the wrong speaker; None as `orc`.
    diarization
        Who spoke when.
    hypothesis_words
        Heard words.
    false_alarm_words
        Those of them where nobody spoke.
    frame_direction_errors, segment_direction_errors
        Degrees of azimuth, one for each compared frame or segment.
    partial_latencies, final_latencies
        Seconds from the end of a word to its result, one for each word.
    audio_seconds, compute_seconds
        Length of the audio and time it took; 0 if not known.
    people
        How many there are, and are told apart.
    switches
        How often somebody's words are suddenly somebody else's; None as `orc`.
    faces
        Recognized words given to the wrong face; of no words without a camera, None as `orc`.
    """

    cp: ErrorRate
    tcp: ErrorRate
    orc: ErrorRate | None
    attribution: AttributionErrorRate | None
    diarization: DiarizationErrorRate
    hypothesis_words: int
    false_alarm_words: int
    frame_direction_errors: tuple[float, ...]
    segment_direction_errors: tuple[float, ...]
    partial_latencies: tuple[float, ...]
    final_latencies: tuple[float, ...]
    audio_seconds: float
    compute_seconds: float
    people: PersonCount
    switches: int | None
    faces: FaceErrorRate | None

    @classmethod
    def zero(cls) -> Score:
        """Return the neutral element of the sum."""
        words, attribution = ErrorRate.zero(), AttributionErrorRate.zero()
        return cls(
            words, words, words, attribution, DiarizationErrorRate.zero(), 0, 0, (), (), (), (), 0.0, 0.0,
            PersonCount.zero(), 0, FaceErrorRate.zero(),
        )  # fmt: skip

    def __add__(self, other: Score) -> Score:
        """Combine two recordings: counts add up, and percentiles are taken over all of them."""
        sums: dict[str, Any] = {}
        for name in (field.name for field in fields(self)):
            mine, others = getattr(self, name), getattr(other, name)
            sums[name] = None if mine is None or others is None else mine + others
        return Score(**sums)

    @property
    def real_time_factor(self) -> float | None:
        """Seconds of work per second of audio."""
        return self.compute_seconds / self.audio_seconds if self.audio_seconds else None

    def to_dict(self) -> dict[str, Any]:
        """Return what score.json holds: rates are shares, not percent; None where there is nothing to score."""
        return {
            "cpwer": _word_errors(self.cp),
            "tcpwer": _word_errors(self.tcp),
            "orcwer": _word_errors(self.orc),
            "attribution_error": _counts(self.attribution, "errors", "length"),
            "der": _counts(self.diarization, "missed", "false_alarm", "confusion", "length"),
            "person_count": asdict(self.people),
            "identity_switches": self.switches,
            "wrong_face": _counts(self.faces, "errors", "missed", "length"),
            "direction_error_deg": direction_summary(self.frame_direction_errors),
            "direction_error_per_segment_deg": direction_summary(self.segment_direction_errors),
            "latency_partial_seconds": percentiles(self.partial_latencies, 50, 90),
            "latency_final_seconds": percentiles(self.final_latencies, 50, 90),
            "hypothesis_words": self.hypothesis_words,
            "false_alarm_words": self.false_alarm_words,
            "real_time_factor": _rounded(self.real_time_factor),
        }


def percentiles(values: tuple[float, ...], *which: int) -> dict[str, float | None]:
    """Percentiles by name such as `p50`, None without values."""
    return {f"p{p}": _rounded(float(np.percentile(values, p))) if values else None for p in which}


def direction_summary(errors: tuple[float, ...]) -> dict[str, float | int | None]:
    """Median, 90th percentile, and the share within `GOOD_DIRECTION`."""
    summary = percentiles(errors, 50, 90)
    within = float(np.mean(np.array(errors) <= GOOD_DIRECTION)) if errors else None
    return {
        "median": summary["p50"],
        "p90": summary["p90"],
        f"within_{GOOD_DIRECTION:.0f}": _rounded(within),
        "count": len(errors),
    }


def _word_errors(rate: ErrorRate | None) -> dict[str, Any] | None:
    return _counts(rate, "errors", "length", "insertions", "deletions", "substitutions")


def _counts(rate: Any, *names: str) -> dict[str, Any] | None:
    if rate is None:
        return None
    return {"error_rate": _rounded(rate.error_rate)} | {name: _rounded(getattr(rate, name)) for name in names}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
