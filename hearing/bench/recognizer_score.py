"""How well engines recognize: error rates with intervals, from what they answered to each utterance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from hearing_datasets.text import normalized_text
from meeteval.wer import siso_word_error_rate
from numpy.typing import NDArray

Unit = Literal["words", "letters"]
_DRAWS = 2000
_TAILS = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one engine made of one utterance.

    Attributes
    ----------
    case, condition, group
        Which utterance, an example of what, and whose voice, see `Case`.
    engine, version
        Which engine, and a fingerprint of its network.
    said, heard
        What is said, empty in noise alone, and what the engine wrote.
    audio_seconds
        Length of the utterance.
    partial_seconds, final_seconds, latencies
        As in `Heard`.
    timed_words
        Words whose time is known.
    confidences
        Of the words in `heard`.
    """

    case: str
    condition: str
    group: str
    engine: str
    version: str
    said: str
    heard: str
    audio_seconds: float
    partial_seconds: float = 0.0
    final_seconds: float = 0.0
    latencies: tuple[float, ...] = ()
    timed_words: int = 0
    confidences: tuple[float, ...] = ()

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Answer:
        """Make an answer of what `dataclasses.asdict` and JSON made of one."""
        return cls(**record | {name: tuple(record.get(name, ())) for name in ("latencies", "confidences")})

    @property
    def n_heard(self) -> int:
        """Words that the engine wrote."""
        return len(normalized_text(self.heard).split())


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval, by bootstrap over utterances."""

    value: float
    low: float
    high: float


def error_rate(answers: Sequence[Answer], unit: Unit) -> Estimate | None:
    """Errors per true word or letter of some utterances; None if nothing is said in them."""
    errors, lengths = _counts(answers, unit)
    return _estimate(errors, lengths)


def error_ratio(answers: Sequence[Answer], others: Sequence[Answer]) -> Estimate | None:
    """Word errors of one engine over those of another one that heard the same utterances in the same order.

    Both are resampled together: utterances that are hard for everybody do not widen the interval. None if the other
    engine made no error; infinite bounds if it made none in too many of the draws.
    """
    return _estimate(_counts(answers, "words")[0], _counts(others, "words")[0])


def _estimate(parts: NDArray[np.int64], wholes: NDArray[np.int64]) -> Estimate | None:
    if not wholes.any():
        return None
    drawn = np.random.default_rng(0).integers(len(parts), size=(_DRAWS, len(parts)))
    sums = wholes[drawn].sum(axis=1)
    draws = np.divide(parts[drawn].sum(axis=1), sums, out=np.full(_DRAWS, np.inf), where=sums > 0)
    low, high = np.percentile(draws, _TAILS, method="nearest")
    return Estimate(float(parts.sum() / wholes.sum()), float(low), float(high))


def _counts(answers: Sequence[Answer], unit: Unit) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return errors and true words or letters of each utterance, each of shape (n_answers,)."""
    counts = [_compared(answer.said, answer.heard, unit) for answer in answers]
    table = np.array(counts, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


@cache
def _compared(said: str, heard: str, unit: Unit) -> tuple[int, int]:
    rate = siso_word_error_rate(_separated(said, unit), _separated(heard, unit))
    return rate.errors, rate.length


def _separated(text: str, unit: Unit) -> str:
    """Normalize a text and put blanks between what is counted; between letters there are none, "W B S A" is "WBSA"."""
    normal = normalized_text(text)
    return normal if unit == "words" else " ".join(normal.replace(" ", ""))
