"""How far confidences are to be believed: which of the heard words are right, and how well they were foretold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hearing.evaluation.words import normalizer
from hearing.recognition.text import matches

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Words of about the same confidence: its mean, the share that is right, and their number."""

    confidence: float
    right: float
    number: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """How well confidences foretold which words are right.

    Attributes
    ----------
    number
        Words.
    calibration_error
        Expected calibration error: how far confidence and share of right words are apart in `BINS` bins of equal width,
        in the mean over the words (Naeini et al. 2015; Guo et al. 2017, eq. 3).
    brier
        Mean square of confidence less 1 for words that are right, or less 0 for wrong ones (Brier 1950).
    bins
        Those that hold words, by confidence.
    """

    number: int
    calibration_error: float
    brier: float
    bins: tuple[Bin, ...]

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Reliability:
        """Make one of what `dataclasses.asdict` and JSON made of one."""
        return cls(**record | {"bins": tuple(Bin(**part) for part in record["bins"])})

    @property
    def mean_confidence(self) -> float:
        """How many words should be right, as a share of all."""
        return sum(part.number * part.confidence for part in self.bins) / self.number

    @property
    def share_right(self) -> float:
        """How many words are right, as a share of all."""
        return sum(part.number * part.right for part in self.bins) / self.number

    @classmethod
    def of(cls, confidences: ArrayLike, right: ArrayLike) -> Reliability | None:
        """Compare confidences with the truth, each of shape (n_words,); None without words."""
        said, true = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
        if not len(said):
            return None
        place = np.minimum((said * BINS).astype(int), BINS - 1)
        chosen = [place == number for number in range(BINS)]
        bins = tuple(Bin(float(said[c].mean()), float(true[c].mean()), int(c.sum())) for c in chosen if c.any())
        error = sum(part.number * abs(part.confidence - part.right) for part in bins) / len(said)
        return cls(len(said), error, float(np.mean((said - true) ** 2)), bins)


def judge(said: str, heard: Sequence[str]) -> list[bool | None]:
    """Tell of each heard word whether it is right.

    Words are compared in the form in which errors are counted, see `hearing.evaluation`; there several may be one, as
    "twenty one", which share its fate, or none, as "uh", which nobody counts: None.

    Parameters
    ----------
    said
        The true text.
    heard
        Words as they are written, in order.

    Examples
    --------
    >>> judge("Turn off line 21, please.", ["Turn", "of", "um", "line", "twenty", "one", "please."])
    [True, False, None, True, True, True, True]
    """
    normalize = normalizer()
    normal = [normalize(" ".join(heard[:length])).split() for length in range(len(heard) + 1)]
    right = {at for _, at in matches(normalize(said).split(), normal[-1])}
    last = len(normal[-1]) - 1
    judged: list[bool | None] = []
    for before, after in pairwise(normal):
        # A word stands for what it adds to the normal form of the text, or for the last part, which it changes.
        parts = range(min(len(before), len(after) - 1), len(after))
        judged.append(None if before == after else all(min(part, last) in right for part in parts))
    return judged
