"""Which of two ways of hearing the same recordings is better: paired bootstrap over recordings.

Recordings are drawn with replacement, both ways are scored on the same draw, and the differences of many draws are a
distribution (Bisani & Ney 2004, "Bootstrap estimates for confidence intervals in ASR performance evaluation", sections
2 and 4). Words of one recording depend on each other; recordings do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearing.evaluation import Score

DRAWS = 2000
LEVEL = 0.95
FEWEST = 5
"""Recordings below which an interval says little."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What is compared; less is better.

    Attributes
    ----------
    name, unit
        For people; the unit `%` is for shares.
    of
        What a score contributes: errors and length of a rate, or the values whose median is taken.
    """

    name: str
    unit: str
    of: Callable[[Score], Any]


def _rate(rate: Any) -> tuple[float, float] | None:
    return None if rate is None else (float(rate.errors), float(rate.length))


METRICS = (
    Metric("cpWER", "%", lambda score: _rate(score.cp)),
    Metric("wrong speaker", "%", lambda score: _rate(score.attribution)),
    Metric("DER", "%", lambda score: _rate(score.diarization)),
    Metric("direction error", "°", lambda score: np.array(score.frame_direction_errors)),
    Metric("partial after", "s", lambda score: np.array(score.partial_latencies)),
    Metric("final after", "s", lambda score: np.array(score.final_latencies)),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """How far two ways of hearing differ in one metric.

    Attributes
    ----------
    metric
        Which.
    first, second
        The metric over all recordings; rates are shares.
    low, high
        Interval of `second - first` in which `LEVEL` of the draws lie; None with one recording.
    """

    metric: Metric
    first: float
    second: float
    low: float | None
    high: float | None

    @property
    def winner(self) -> int:
        """0 if the first is better beyond doubt, 1 if the second is, -1 if neither."""
        if self.low is None or self.high is None or self.low <= 0 <= self.high:
            return -1
        return 0 if self.low > 0 else 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two ways of hearing the same recordings.

    Attributes
    ----------
    names
        Of the two.
    recordings
        How many were compared.
    differences
        Metric by metric.
    """

    names: tuple[str, str]
    recordings: int
    differences: tuple[Difference, ...]

    @property
    def verdict(self) -> str:
        """Say in one line which is better."""
        parts = []
        for winner in (0, 1):
            won = [difference.metric.name for difference in self.differences if difference.winner == winner]
            if won:
                parts.append(f"{self.names[winner]} is better in {', '.join(won)}")
        line = "; ".join(parts) or "no difference is beyond doubt"
        few = f" ({self.recordings} recordings are few: take {FEWEST} or more)" if self.recordings < FEWEST else ""
        return f"{line}{few}"


def compare(names: tuple[str, str], first: Mapping[str, Score], second: Mapping[str, Score]) -> Comparison:
    """Compare the scores of two ways of hearing.

    Parameters
    ----------
    names
        Of the two.
    first, second
        Scores by recording; recordings that only one has are left out.
    """
    common = sorted(first.keys() & second.keys())
    draws = np.random.default_rng(1).integers(0, len(common), (DRAWS, len(common))) if common else np.zeros((0, 0), int)
    differences = []
    for metric in METRICS:
        pairs = [(metric.of(first[name]), metric.of(second[name])) for name in common]
        if any(one is None or other is None for one, other in pairs):
            continue  # too many speakers to tell
        values = [_value(side) for side in zip(*pairs, strict=True)] if pairs else []
        if not values or None in values:
            continue
        low, high = _interval(pairs, draws) if len(common) > 1 else (None, None)
        differences.append(Difference(metric, float(values[0] or 0), float(values[1] or 0), low, high))
    return Comparison(names, len(common), tuple(differences))


def _interval(pairs: list[tuple[Any, Any]], draws: NDArray[np.int64]) -> tuple[float | None, float | None]:
    found = []
    for draw in draws:
        one, other = (_value(side) for side in zip(*(pairs[index] for index in draw), strict=True))
        if one is not None and other is not None:
            found.append(other - one)
    if not found:
        return None, None
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _value(parts: Sequence[Any]) -> float | None:
    """Return the metric over some recordings, or None if there is nothing to measure."""
    if isinstance(parts[0], tuple):
        errors, length = np.sum(parts, axis=0)
        return float(errors / length) if length else None
    values = np.concatenate(parts)
    return float(np.median(values)) if len(values) else None
