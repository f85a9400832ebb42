"""Contextual biasing: phrases that are expected gain probability while they are written (Zhao et al. 2019).

Each symbol that goes on with an expected phrase scores a bonus at once, so that the phrase survives the search, and the
bonus is taken back if the phrase breaks off (shallow fusion over an automaton of Aho and Corasick 1975, as icefall's
context graph). A phrase counts as whole words only.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from itertools import islice, product

import numpy as np
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.recognition.ctc import SPACE, to_letters
from hearing.types import Float32Array

_BEGIN, _INSIDE = 0, 1
_MOST_VARIANTS = 32

_PIECES = re.compile(r"[0-9]+(?:st|nd|rd|th)\b|[0-9]+|(?<=[0-9])\.(?=[0-9])|[a-z]+(?:'[a-z]+)*", re.IGNORECASE)
_DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve"] + [f"{ten}teen" for ten in ("thir", "four", "fif", "six", "seven", "eigh", "nine")]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_LONGEST_CARDINAL = 6


class PhraseBoost:
    """An automaton that scores symbols, letters or tokens, by the expected phrases that they go on with.

    What a text has scored in the end is the bonus times the number of its symbols that belong to an expected phrase,
    each counted once, however phrases overlap. A phrase may begin and end only where words do; that a word has ended is
    known from the symbol after it, or from `finish`. States are numbers; a text begins in state `start`.

    Parameters
    ----------
    phrases
        What to expect, as people write it; it is spelled in the letters of `ctc` as `spoken` says it.
    weight
        Bonus per letter in nats.
    """

    start = _BEGIN

    def __init__(self, phrases: Sequence[str], weight: float) -> None:
        spellings = [to_letters(variant) for phrase in phrases for variant in spoken(phrase)]
        self._build(spellings, weight, frozenset(), frozenset({SPACE}))

    @classmethod
    def compile(
        cls, sequences: Iterable[Sequence[int]], bonus: float, begins: Collection[int], separates: Collection[int]
    ) -> PhraseBoost:
        """Expect sequences of symbols of any kind.

        Parameters
        ----------
        sequences
            The phrases.
        bonus
            Per symbol, in nats.
        begins
            Symbols that begin a word whatever is before them: tokens with a blank in front.
        separates
            Symbols after which a word begins: the letters' space, tokens of punctuation.
        """
        boost = cls.__new__(cls)
        boost._build(sequences, bonus, frozenset(begins), frozenset(separates))
        return boost

    def step(self, state: int, symbol: int) -> tuple[int, float]:
        """Take the next symbol of a text.

        Returns
        -------
        state
            The state after it.
        score
            What it adds to the text's score in nats; negative where it breaks off a phrase.
        """
        arc = self._arcs[state].get(symbol)
        if arc is not None:
            return arc
        begins, separates = symbol in self._begins, symbol in self._separates
        score = self._ended[state] if begins or separates else self._broken[state]
        if begins and symbol in self._first:
            return self._first[symbol], score + self._bonus
        return (_BEGIN if separates else _INSIDE), score

    def finish(self, state: int) -> float:
        """Return what the end of the text adds to its score in nats; a token that says so is none of the symbols."""
        return self._ended[state]

    def bonuses(self, state: int) -> tuple[NDArray[np.int64], Float32Array, float]:
        """Score all symbols that may come next at once.

        Returns
        -------
        symbols
            Those that score more than all others, of shape (n_symbols,). They are few, unless a phrase is complete if
            the word ends here.
        bonuses
            How much more they score, in nats, of the same shape.
        others
            What any other symbol scores, in nats; not positive.
        """
        if state not in self._sparse:
            others, more = self._broken[state], {}
            if self._ended[state] > others:
                more = dict.fromkeys(self._begins | self._separates, self._ended[state] - others)
            for symbol in (*self._first, *self._arcs[state]):
                more[symbol] = self.step(state, symbol)[1] - others
            symbols = np.fromiter(more.keys(), np.int64, len(more))
            self._sparse[state] = symbols, np.fromiter(more.values(), np.float32, len(more)), others
        return self._sparse[state]

    def _build(
        self, sequences: Iterable[Sequence[int]], bonus: float, begins: frozenset[int], separates: frozenset[int]
    ) -> None:
        """Compile the phrases: give numbers to the states that texts can reach, and list what leads on from each.

        A state is a node of the trie, together with which of its symbols belong to a complete phrase already: bit 0 for
        the latest symbol, bit 1 for the one before.
        """
        trie = _Trie(sequences, begins, separates)
        self._bonus, self._begins, self._separates = bonus, begins, separates
        self._arcs: list[dict[int, tuple[int, float]]] = []
        self._ended: list[float] = []
        self._broken: list[float] = []
        self._sparse: dict[int, tuple[NDArray[np.int64], Float32Array, float]] = {}
        states = [(_BEGIN, 0), (_INSIDE, 0)]
        numbers = {state: number for number, state in enumerate(states)}
        for node, counted in states:  # which grow meanwhile
            depth = trie.depth[node]
            complete = counted | (1 << trie.longest[node]) - 1
            arcs = {}
            for symbol in trie.continuations(node):
                target = trie.follow(node, symbol)
                before = complete if symbol in begins or symbol in separates else counted
                after = before << 1 & (1 << trie.depth[target]) - 1
                if (target, after) not in numbers:
                    numbers[target, after] = len(states)
                    states.append((target, after))
                # Symbols have scored that belong to a complete phrase, or to the phrase that has begun.
                gain = before.bit_count() - after.bit_count() + trie.depth[target] - depth
                arcs[symbol] = numbers[target, after], bonus * gain
            self._arcs.append(arcs)
            self._ended.append(bonus * (complete.bit_count() - depth))
            self._broken.append(bonus * (counted.bit_count() - depth))
        self._first = {symbol: state for symbol, (state, _) in self._arcs[_BEGIN].items() if symbol in begins}


class _Trie:
    """Beginnings of phrases, each a node that stands for all texts of which it is the longest one at their end.

    Texts that end with no beginning of a phrase are at node `_BEGIN` if a word may begin after them, else at `_INSIDE`.

    Attributes
    ----------
    depth
        Number of symbols of each node.
    longest
        Number of symbols of the longest phrase that each node ends with; 0 if there is none.
    """

    def __init__(self, sequences: Iterable[Sequence[int]], begins: frozenset[int], separates: frozenset[int]) -> None:
        self._separates = separates
        self._children: list[dict[int, int]] = [{}, {}]
        self._shorter = [_INSIDE, _INSIDE]
        self.depth = [0, 0]
        self.longest = [0, 0]
        for sequence in sequences:
            node = _BEGIN
            for symbol in sequence:
                node = self._children[node].get(symbol) or self._add(node, symbol)
            self.longest[node] = self.depth[node]
        first = self._children[_BEGIN]
        self._children[_INSIDE] = {symbol: child for symbol, child in first.items() if symbol in begins}
        self._link()

    def continuations(self, node: int) -> set[int]:
        """Return the symbols that lead on from a node or from a shorter one, but for those that do so from anywhere."""
        symbols: set[int] = set()
        while node != _INSIDE:
            symbols |= self._children[node].keys()
            node = self._shorter[node]
        return symbols

    def follow(self, node: int, symbol: int) -> int:
        """Return the node of a text with one symbol more."""
        while node != _INSIDE and symbol not in self._children[node]:
            node = self._shorter[node]
        return self._children[node].get(symbol, _BEGIN if symbol in self._separates else _INSIDE)

    def _add(self, node: int, symbol: int) -> int:
        child = self._children[node][symbol] = len(self._children)
        self._children.append({})
        self._shorter.append(_INSIDE)
        self.depth.append(self.depth[node] + 1)
        self.longest.append(0)
        return child

    def _link(self) -> None:
        """Find the longest shorter node that each node ends with (Aho and Corasick 1975, algorithm 3)."""
        waiting = deque([_BEGIN])
        while waiting:
            node = waiting.popleft()
            for symbol, child in self._children[node].items():
                if node != _BEGIN:
                    self._shorter[child] = self.follow(self._shorter[node], symbol)
                elif symbol in self._separates:
                    self._shorter[child] = _BEGIN
                self.longest[child] = self.longest[child] or self.longest[self._shorter[child]]
                waiting.append(child)


def written_forms(phrase: str) -> set[str]:
    """Return the ways in which a decoder may write a phrase: as it is, in small letters, and beginning a sentence."""
    return {phrase, phrase.lower(), phrase[:1].upper() + phrase[1:]}


def spoken(text: str) -> tuple[str, ...]:
    """Write a phrase in all the ways in which people say it, as words of letters and apostrophes.

    Numbers are said as a whole, with or without "and", digit by digit with "oh" or "zero", or by pairs of digits;
    capitals as a word or letter by letter. There are at most 32 variants, which phrases with many numbers exceed.

    Examples
    --------
    >>> spoken("P-101")
    ('p one hundred one', 'p one hundred and one', 'p one oh one', 'p one zero one')

    Raises
    ------
    InputError
        If the phrase has neither letters nor digits.
    """
    marks_apart = unicodedata.normalize("NFKD", text).replace("\u2019", "'")
    plain = "".join(character for character in marks_apart if not unicodedata.combining(character))
    pieces = _PIECES.findall(re.sub(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))", "", plain))
    if not pieces:
        raise InputError(f"the phrase {text!r} has no letters a-z and no digits: write it as it is said, or remove it")
    return tuple(" ".join(words) for words in islice(product(*map(_said, pieces)), _MOST_VARIANTS))


def _said(piece: str) -> list[str]:
    """Say a word, a number, an ordinal or a decimal point."""
    if piece.isdigit():
        return _number(piece)
    if piece == ".":
        return ["point"]
    word = piece.lower()
    if word[0].isdigit():
        *before, last = _cardinal(int(word[:-2])).split(" ")
        regular = last.removesuffix("y") + ("ieth" if last.endswith("y") else "th")
        return [" ".join((*before, _ORDINALS.get(last, regular)))]
    return [word, " ".join(word)] if piece.isupper() and len(word) > 1 else [word]


def _number(digits: str) -> list[str]:
    one_by_one = " ".join(_DIGITS[int(digit)] for digit in digits)
    ways = [one_by_one.replace("zero", "oh"), one_by_one]
    if digits[0] != "0" and len(digits) <= _LONGEST_CARDINAL:
        whole = _cardinal(int(digits))
        ways = [whole, re.sub("hundred (?!thousand)", "hundred and ", whole), *ways]
        if len(digits) in (3, 4):
            ways.append(f"{_cardinal(int(digits[:-2]))} {_pair(digits[-2:])}")
    return list(dict.fromkeys(ways))


def _pair(digits: str) -> str:
    """Say two digits after others."""
    if digits == "00":
        return "hundred"
    return f"oh {_DIGITS[int(digits)]}" if digits[0] == "0" else _cardinal(int(digits))


def _cardinal(number: int) -> str:
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if number >= size:
            more = f" {_cardinal(number % size)}" if number % size else ""
            return f"{_cardinal(number // size)} {name}{more}"
    if number < 20:
        return (_DIGITS + _TEENS)[number]
    return _TENS[number // 10 - 2] + (f" {_DIGITS[number % 10]}" if number % 10 else "")
