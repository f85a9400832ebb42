"""How well letters that were heard fit to words: the best path that writes each, against the best that may write all.

What the path is worse than the best one that may write anything, which is the filler of keyword spotting (Rose and Paul
1990), is a ratio of likelihoods that depends neither on loudness nor on how clearly everything is heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hearing.recognition.ctc import BLANK, SPACE
from hearing.types import Float32Array

_LEAD, _TAIL = 8, 5
"""Frames of blank before the first letter that begin a word, and after the last one that end it, if no space does."""
_IMPOSSIBLE = -1e9
_CERTAIN = 30.0

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


class KeywordPath(NamedTuple):
    """The best path of every word; arrays of shape (n_words,).

    Attributes
    ----------
    ratio
        Log-likelihood of the path over that of the filler's, at most 0.
    begin, end
        Frames of the first letter, and after the last one.
    heard
        Log-likelihood of the path itself.
    """

    ratio: FloatArray
    begin: IntArray
    end: IntArray
    heard: FloatArray


class _State(NamedTuple):
    """The best paths into every place of every word, of shape (n_words, n_places), and where a word may begin now.

    Attributes
    ----------
    ratio, begin, heard
        As in `KeywordPath`.
    space
        Ratio of the best path whose last letter is a space.
    blanks
        Ratios of blank in the last `_LEAD` frames.
    frame
        Number of the next frame.
    """

    ratio: FloatArray
    begin: IntArray
    heard: FloatArray
    space: float
    blanks: tuple[float, ...]
    frame: int


class KeywordPaths:
    """Words whose paths are followed from one word boundary to another: a space, or a stretch of blanks.

    Parameters
    ----------
    words
        Numbers of the letters of each, without blanks, see `ctc.to_letters`; none empty.
    """

    def __init__(self, words: Sequence[Sequence[int]]) -> None:
        self.n_letters = np.array([len(letters) for letters in words], np.int64)
        shape = len(words), 2 * int(self.n_letters.max()) - 1 + _TAIL
        # The letters with blanks between, then blanks that end the word.
        self._labels = np.full(shape, BLANK)
        self._stay, self._skip = np.full((2, *shape), _IMPOSSIBLE)
        for labels, stay, skip, letters in zip(self._labels, self._stay, self._skip, words, strict=True):
            inside = 2 * len(letters) - 1
            labels[:inside:2] = letters
            stay[:inside] = 0.0
            skip[2:inside:2][np.diff(letters) != 0] = 0.0
        places = np.arange(shape[1])
        self._last = 2 * self.n_letters - 2
        self._first = places == 0
        self._ends = (places >= self._last[:, None]) & (places < self._last[:, None] + _TAIL)

    def best(self, letters: Float32Array) -> KeywordPath:
        """Find the best path of every word in a stretch that begins and ends at a word's boundary.

        Parameters
        ----------
        letters
            Natural log-probabilities of shape (n_frames, 29).
        """
        silence = np.full((_TAIL, letters.shape[1]), -_CERTAIN)
        silence[:, BLANK] = 0.0
        nothing = np.full(self._labels.shape, _IMPOSSIBLE)
        state = _State(nothing, np.zeros(nothing.shape, np.int64), nothing, 0.0, (0.0,) * _LEAD, 0)
        n_words, length = len(self._labels), len(letters)
        zeros = np.zeros(n_words, np.int64)
        found = KeywordPath(np.full(n_words, _IMPOSSIBLE), zeros, zeros, np.full(n_words, _IMPOSSIBLE))
        for row in np.concatenate([letters.astype(np.float64), silence]):
            state, ended = self._hear(state, row)
            better = ended.ratio > found.ratio
            found = KeywordPath(*(np.where(better, new, old) for new, old in zip(ended, found, strict=True)))
        return found._replace(end=np.minimum(found.end, length))

    def _hear(self, state: _State, row: FloatArray) -> tuple[_State, KeywordPath]:
        """Take one frame (Viterbi): the paths after it, and those that are complete with it."""
        worse = row - row.max()
        ways = np.full((3, *self._labels.shape), _IMPOSSIBLE)
        ways[0] = state.ratio + self._stay
        ways[1, :, 1:] = state.ratio[:, :-1]
        ways[1, :, 0] = max(state.space, sum(state.blanks))
        ways[2, :, 2:] = state.ratio[:, :-2] + self._skip[:, 2:]
        origin = ways.argmax(axis=0)
        # A path begins with the first letter, in this frame unless it comes from an earlier one.
        source = np.maximum(np.arange(self._labels.shape[1]) - origin, 0)
        fresh = (origin == 1) & self._first
        begin = np.where(fresh, state.frame, np.take_along_axis(state.begin, source, axis=1))
        heard = np.where(fresh, 0.0, np.take_along_axis(state.heard, source, axis=1)) + row[self._labels]
        ratio = np.maximum(ways.max(axis=0) + worse[self._labels], _IMPOSSIBLE)
        space = max(state.space + worse[BLANK], worse[SPACE])
        after = _State(ratio, begin, heard, space, (*state.blanks[1:], worse[BLANK]), state.frame + 1)
        return after, self._ended(state, after, worse[SPACE])

    def _ended(self, before: _State, after: _State, space: float) -> KeywordPath:
        """Return the paths that a space ends as soon as it is heard, or blanks when there are enough of them."""
        words = np.arange(len(self._labels))
        place = np.where(self._ends, before.ratio, _IMPOSSIBLE).argmax(axis=1)
        by_space, tail = before.ratio[words, place] + space, self._last + _TAIL
        spaced = by_space > after.ratio[words, tail]
        return KeywordPath(
            np.where(spaced, by_space, after.ratio[words, tail]),
            np.where(spaced, before.begin[words, place], after.begin[words, tail]),
            after.frame - np.where(spaced, 1 + place - self._last, _TAIL),
            np.where(spaced, before.heard[words, place], after.heard[words, tail]),
        )
