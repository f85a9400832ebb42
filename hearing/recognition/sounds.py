"""How alike words sound: what a recognizer takes for one another.

Spelling is turned into rough phonemes by rules, and phonemes are aligned with costs that depend on how alike they are
(weighted edit distance, Levenshtein 1966; groups of like sounds as in Zobel and Dart 1996, Phonetic string matching:
lessons from information retrieval). Blanks count nothing, so that "screw driver" is "screwdriver".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SPAN = 5
"""Most words that are taken for one entry."""

_WHOLE = {
    "one": "wan", "won": "wan", "two": "tu", "to": "tu", "too": "tu", "do": "du", "you": "yu", "your": "yor",
    "are": "ar", "our": "aur", "eight": "At", "ate": "At", "the": "Te", "of": "ov", "said": "sed", "some": "sam",
    "sum": "sam", "who": "hu", "whose": "huz", "come": "kam", "done": "dan", "give": "giv", "get": "get",
    "have": "hav", "were": "wer", "was": "woz", "be": "bi", "me": "mi", "he": "hi", "she": "Si", "we": "wi",
    "bye": "bY",
}  # fmt: skip
"""Short frequent words that are not spoken as they are spelled."""
_RULES = [
    (r"^([b-df-hj-np-tv-z]+)y$", r"\1Y"),
    (r"^wr", "r"), (r"^kn|^gn|^pn", "n"), (r"^ps", "s"), (r"^wh", "w"), (r"mb$", "m"), (r"tch", "C"), (r"sch", "sk"),
    (r"dge", "J"), (r"eigh|aigh", "A"), (r"igh", "Y"), (r"ough|augh", "o"), (r"gh", "g"), (r"[ts]ion", "Sn"),
    (r"sh", "S"), (r"ch", "C"), (r"ph", "f"), (r"th", "T"), (r"ck", "k"), (r"qu", "kw"), (r"x", "ks"),
    (r"(?<=.)g(?=[eiy])", "J"), (r"c(?=[eiy])", "s"), (r"c|q", "k"), (r"j", "J"),
    (r"([bdfglmnprstz])e(?=s$)", r"\1"), (r"(?<=[aeiouYA][b-df-hj-np-tv-zA-Z])e$", ""), (r"(?<=[a-z][a-z])e$", ""),
    (r"ee|ea|ie|ey$|(?<=.)y$", "i"), (r"ai|ay|ei|ey", "A"), (r"oa|ow$|oe", "O"), (r"oo|ue|ew|ui", "u"),
    (r"our", "or"), (r"ou|ow", "W"), (r"au|aw", "o"), (r"oi|oy", "oY"), (r"(?<=.)y(?=[b-df-hj-np-tv-z])", "i"),
    (r"(.)\1", r"\1"),
]  # fmt: skip
_VOWELS = "aeiouAOYW"
_ALIKE = ("pb", "td", "kg", "fvT", "szSZ", "SCJ", "mn", "lrw", "wv", "Td", "Ts", "hk")
_CLOSE_VOWELS = ("aou", "oO", "eiA", "eaA", "iY", "uO", "OW", "aW", "YA", "ae")
_SYMBOLS = "abdefghiklmnoprstuvwyzACJOSTWYZ"
_NUMBER = {symbol: index for index, symbol in enumerate(_SYMBOLS)}


@lru_cache(maxsize=4096)
def pronounce(text: str) -> str:
    """Write words as rough phonemes, one letter each.

    >>> pronounce("four"), pronounce("for"), pronounce("screw driver") == pronounce("screwdriver")
    ('for', 'for', True)
    """
    return "".join(_word(word) for word in text.lower().split())


def _word(word: str) -> str:
    plain = re.sub(r"[^a-z]", "", word)
    if plain in _WHOLE:
        return _WHOLE[plain]
    for pattern, replacement in _RULES:
        plain = re.sub(pattern, replacement, plain)
    return "".join(symbol for symbol in plain if symbol in _NUMBER)


def _tables() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the costs of replacing symbols, of shape (n, n), and of losing or inventing them, of shape (n,)."""
    n = len(_SYMBOLS)
    vowel = np.array([symbol in _VOWELS for symbol in _SYMBOLS])
    replace = np.ones((n, n))
    replace[np.ix_(vowel, vowel)] = 0.6
    for groups, cost in ((_ALIKE, 0.4), (_CLOSE_VOWELS, 0.3)):
        for group in groups:
            for first in group:
                for second in group:
                    replace[_NUMBER[first], _NUMBER[second]] = cost
    np.fill_diagonal(replace, 0.0)
    lose = np.where(vowel, 0.5, 0.8)
    lose[_NUMBER["h"]] = 0.4
    return replace, lose


_REPLACE, _LOSE = _tables()


class Lexicon:
    """Entries that words are compared with.

    Parameters
    ----------
    entries
        Words or phrases as people say them.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        coded = [[_NUMBER[symbol] for symbol in pronounce(entry)] for entry in entries]
        self.index = {entry: number for number, entry in enumerate(entries)}
        self._length = np.array([max(len(code), 1) for code in coded])
        width = int(self._length.max(initial=1))
        self._codes = np.zeros((len(coded), width), np.int64)
        lost = np.zeros((len(coded), width))
        for row, code in enumerate(coded):
            self._codes[row, : len(code)] = code
            lost[row, : len(code)] = _LOSE[code]
        self._lost = np.concatenate([np.zeros((len(coded), 1)), lost.cumsum(axis=1)], axis=1)
        self._ends = np.array([len(code) for code in coded], np.int64)

    def distances(self, tokens: Sequence[str]) -> NDArray[np.float64]:
        """Compare every stretch of words with every entry.

        Parameters
        ----------
        tokens
            Words.

        Returns
        -------
        Distances of shape (n_tokens, SPAN, n_entries): [i, k] for the k + 1 words from word i on. 0 is the same sound,
        1 has nothing in common; infinite beyond the last word.
        """
        n = len(self._ends)
        distances = np.full((len(tokens), SPAN, n), np.inf)
        rows = np.arange(n)
        for start in range(len(tokens)):
            state = self._lost.copy()
            length = 0
            for k, token in enumerate(tokens[start : start + SPAN]):
                for symbol in pronounce(token):
                    state = self._step(state, _NUMBER[symbol])
                    length += 1
                distances[start, k] = state[rows, self._ends] / np.maximum(self._length, length)
        return distances

    def _step(self, state: NDArray[np.float64], symbol: int) -> NDArray[np.float64]:
        """Hear one phoneme more: one row of the edit distance, for all entries at once."""
        after = state + _LOSE[symbol]
        np.minimum(after[:, 1:], state[:, :-1] + _REPLACE[symbol][self._codes], out=after[:, 1:])
        # What an entry has and was not heard: a running minimum once its cumulated cost is taken away.
        stepped: NDArray[np.float64] = np.minimum.accumulate(after - self._lost, axis=1) + self._lost
        return stepped
