"""What lips should do while words are said: visemes expected from the recognizer's words and their times.

Words are spelled as rough phonemes, which share a word's time between them, vowels more of it than consonants. While
one of them is said, each viseme is as likely as it was in aligned speech (`hearing_models.lips.spelling`); neither
times nor borders are exact, so that neighbours run into each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from hearing.fitted import read_fitted
from hearing.recognition.sounds import pronounce
from hearing.types import Float32Array, Word

FloatArray = NDArray[np.float64]

N_VISEMES = 13
"""Visemes of speech, as in `hearing_sim.faces.mouth.VISEMES`; silence is none of them."""
STEP = 0.04
"""Seconds between two moments for which visemes are expected."""
FILE = "visemes.json"
"""Beside the networks' weights."""
_VOWELS = frozenset("aeiouAOYW")
_LONGER = 1.4
"""Time of a vowel against that of a consonant."""
_EARLY = 0.06
"""Seconds by which words begin before the recognizer says so, in the median: letters are told once they are sure."""
_BLUR = 0.04
"""Standard deviation in seconds of where one phoneme goes over into the next."""


@dataclass(frozen=True, slots=True, eq=False)
class Spelled:
    """Rough phonemes in time.

    Attributes
    ----------
    symbols
        One letter each, as `pronounce` writes them; n of them.
    starts, ends
        Seconds, each of shape (n,).
    """

    symbols: str
    starts: FloatArray
    ends: FloatArray

    @classmethod
    def of(cls, words: Sequence[tuple[str, float, float]]) -> Spelled:
        """Spell words, each with its start and end in seconds."""
        symbols, borders = "", [np.zeros((0, 2))]
        for text, start, end in words:
            said = pronounce(text)
            long = np.array([_LONGER if symbol in _VOWELS else 1.0 for symbol in said])
            share = np.concatenate([[0.0], np.cumsum(long)]) / max(float(long.sum()), 1.0)
            at = start + share * (end - start)
            borders.append(np.stack([at[:-1], at[1:]], axis=1)[: len(said)])
            symbols += said
        starts, ends = np.concatenate(borders).T
        return cls(symbols, starts, ends)

    def shares(self, times: FloatArray) -> FloatArray:
        """Return how likely each phoneme is said at times in seconds, of shape (n_times, n); in pauses less than 1."""
        return np.asarray(ndtr((self.ends - times[:, None]) / _BLUR) - ndtr((self.starts - times[:, None]) / _BLUR))


class Spelling:
    """Which visemes are said while words are.

    Parameters
    ----------
    symbols
        Rough phonemes, as `pronounce` writes them.
    table
        Probabilities of the visemes while each is said, of shape (n_symbols, N_VISEMES).
    """

    def __init__(self, symbols: str, table: FloatArray) -> None:
        self._row = {symbol: row for row, symbol in enumerate(symbols)}
        # What was never said may be anything.
        self._table = np.concatenate([table, np.full((1, N_VISEMES), 1 / N_VISEMES)])

    @classmethod
    def beside(cls, weights: Path) -> Spelling:
        """Read what the fit has written into the folder of the weights.

        Raises
        ------
        InputError
            If the file is missing or damaged.
        """
        return read_fitted(weights / FILE, cls._of, "visemes of words")

    @classmethod
    def _of(cls, record: Any) -> Spelling:
        rows = record["visemes"]
        table = np.array(list(rows.values()), np.float64)
        if table.shape != (len(rows), N_VISEMES) or not np.isfinite(table).all():
            raise ValueError(f"a table of shape {table.shape}")
        return cls("".join(rows), table)

    def expect(self, words: Sequence[Word]) -> tuple[FloatArray, Float32Array]:
        """Tell what the lips of whoever says words do.

        Parameters
        ----------
        words
            With their times as the recognizer tells them.

        Returns
        -------
        Times in seconds of shape (n_times,), every 40 ms, and the probabilities of the visemes then, of shape (n_times,
        N_VISEMES): they add up to 1 while something is said, and are 0 in pauses.
        """
        said = Spelled.of([(word.text, word.start_time - _EARLY, word.end_time) for word in words])
        if not said.symbols:
            return np.zeros(0), np.zeros((0, N_VISEMES), np.float32)
        times = np.arange(np.floor(said.starts.min() / STEP), np.ceil(said.ends.max() / STEP) + 1) * STEP
        visemes = said.shares(times) @ self._table[[self._row.get(symbol, -1) for symbol in said.symbols]]
        total = visemes.sum(axis=1, keepdims=True)
        visemes = np.where(total > 0.5, visemes / np.maximum(total, 0.5), 0.0)
        return times, visemes.astype(np.float32)
