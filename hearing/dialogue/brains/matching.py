"""Finding commands in what a recognizer has understood, right or wrong.

Words are aligned with the grammar's phrases by dynamic programming (Wagner and Fischer 1974, on graphs of phrases):
a word costs the more the less it sounds like the one that is expected, small words cost little, and what people say
out of politeness next to nothing. Of a phrase, the best few fillings of its slots are kept, so that it shows when two
are close.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hearing.attribution.clauses import word_set
from hearing.dialogue.brains.brain import SlotValue
from hearing.dialogue.brains.grammar import Slot
from hearing.dialogue.brains.pattern import Arc, Pattern
from hearing.recognition.biasing import spoken
from hearing.recognition.sounds import SPAN, Lexicon

HIGHEST_COST = 4.0
"""Phrases that fit worse are not looked at."""
_UNLIKE = 0.6
MISSING = 0.7
"""Cost of a slot that nobody named."""
_SMALL, _WORD, _SLOT, _POLITE, _FREE = 0.3, 1.0, 1.2, 0.03, 0.02
_MORE_WORDS, _LEFT_OUT, _HEARD = 0.5, 1.3, 0.5
_NUMBERS, _BEYOND = 100, 0.15
_KEPT = 4
_ALIKE_ENOUGH = 0.9
_NAME_ALIKE = 0.35
_LONG = 5
SMALL_WORDS = word_set(
    """a an the of to in on at it is are and or that this me my your you i we us some for from with please so up now
    then there here be do will would can could by as into its our over out just also have has was what's it's i'm
    i'd i'll let's them"""
)
"""Words that tell little."""
_POLITE_WORDS = tuple(
    tuple(phrase.split())
    for phrase in (
        "please", "thanks", "thank you", "thank you very much", "could you", "can you", "would you", "will you", "hey",
        "hello", "hi", "okay", "ok", "well", "um", "uh", "er", "erm", "so", "now", "just", "for me", "if you can",
        "i want you to", "i need you to", "i would like you to", "i'd like you to", "would you mind",
        "would you please", "could you please", "can you please", "be so kind and", "quickly", "right away",
        "listen", "then", "and",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Match:
    """A command that may have been said.

    Attributes
    ----------
    intent
        Which.
    slots
        The values of its slots.
    missing
        Slots that the phrase needs and nobody named.
    cost
        How badly the words fit: 0 word by word, about 1 for each word that counts and is wrong.
    fitting
        How much of the phrase was heard: about 1 for each word that counts.
    spans
        Which words name the slots: first, and one after the last.
    bare
        True if of the phrase's own words none that counts was heard, but only details: "the hammer".
    """

    intent: str
    slots: Mapping[str, SlotValue]
    missing: tuple[str, ...]
    cost: float
    fitting: float
    spans: Mapping[str, tuple[int, int]]
    bare: bool


class _Named(NamedTuple):
    """A slot, its value, the words that name it: first, and one after the last; and whether they are free text."""

    slot: str
    value: SlotValue
    start: int
    end: int
    free: bool

    @property
    def what(self) -> tuple[str, SlotValue]:
        """What makes a difference: whether there is free text, not where it begins."""
        return (self.slot, "") if self.free else (self.slot, self.value)


class _Path(NamedTuple):
    """A way through a phrase so far."""

    cost: float
    fitting: float
    slots: tuple[_Named, ...] = ()
    missing: tuple[str, ...] = ()
    worded: bool = False

    def plus(self, cost: float, weight: float = 0.0, worded: bool = False) -> _Path:
        fitting = self.fitting + max(weight - cost, 0.0)
        return _Path(self.cost + cost, fitting, self.slots, self.missing, self.worded or worded)


_START = _Path(0.0, 0.0)
_Front = list[list[_Path]]


class Matcher:
    """Compares words with phrases.

    Parameters
    ----------
    patterns
        The phrases, with the intent that each stands for.
    slots
        The slots that they name.
    robot_names
        What people call the robot; names count nothing wherever they are said.
    """

    def __init__(
        self, patterns: Iterable[tuple[str, Pattern]], slots: Mapping[str, Slot], robot_names: Sequence[str]
    ) -> None:
        self._patterns = list(patterns)
        self._slots = slots
        self._names = tuple(name.lower() for name in robot_names)
        entries: dict[str, None] = dict.fromkeys(self._names)
        for _, pattern in self._patterns:
            entries.update(dict.fromkeys(sorted(pattern.words)))
        spelled = {name: _spelled(slot) for name, slot in slots.items()}
        for spellings in spelled.values():
            entries.update(dict.fromkeys(spellings))
        self._lexicon = Lexicon(list(entries))
        index = self._lexicon.index
        self._slot_entries = {
            name: (np.array([index[s] for s in spellings], np.int64), spellings) for name, spellings in spelled.items()
        }
        self._pattern_entries = [self._entries_of(pattern) for _, pattern in self._patterns]
        self._need_words = [_needs_words(pattern) for _, pattern in self._patterns]

    def matches(
        self, tokens: Sequence[str], reliability: Sequence[float] = (), only: Container[str] | None = None
    ) -> list[Match]:
        """Find the commands that words may mean.

        Parameters
        ----------
        tokens
            Words in letters, numbers spelled out.
        reliability
            Probability of each word that it is right; empty where nothing is known.
        only
            Intents to look for; None for all.

        Returns
        -------
        Different commands, best first; none fits worse than `HIGHEST_COST`.
        """
        if not tokens:
            return []
        heard = _Heard(tokens, reliability, self._lexicon, self._names)
        values: dict[str, _Values] = {}
        best: dict[tuple[object, ...], Match] = {}
        for (intent, pattern), entries, needs_words in zip(
            self._patterns, self._pattern_entries, self._need_words, strict=True
        ):
            if only is not None and intent not in only:
                continue
            if entries is not None and heard.least_cost(entries) > HIGHEST_COST:
                continue
            for name in pattern.slots:
                if name not in values:
                    values[name] = _values(heard, self._slots[name], *self._slot_entries[name])
            for path in self._paths(pattern, heard, values):
                match = _match(intent, path, needs_words)
                key = (intent, frozenset(named.what for named in path.slots), match.missing)
                if key not in best or match.cost < best[key].cost:
                    best[key] = match
        return sorted(best.values(), key=lambda match: (match.cost, -match.fitting))

    def _entries_of(self, pattern: Pattern) -> NDArray[np.int64] | None:
        """Return all that a phrase may hold; None if it takes free text."""
        if any(self._slots[name].kind == "text" for name in pattern.slots):
            return None
        words = [self._lexicon.index[word] for word in pattern.words]
        parts = [np.array(words, np.int64), *(self._slot_entries[name][0] for name in pattern.slots)]
        entries: NDArray[np.int64] = np.concatenate(parts)
        return entries

    def _paths(self, pattern: Pattern, heard: _Heard, values: Mapping[str, _Values]) -> list[_Path]:
        """Align words with one phrase."""
        fronts: list[_Front] = [[[] for _ in range(heard.n + 1)] for _ in range(pattern.end + 1)]
        fronts[0][0].append(_START)
        done = -1
        for arc in pattern.arcs:
            while done < arc.source:
                done += 1
                _insert(fronts[done], heard)
            self._take(arc, fronts[arc.source], fronts[arc.target], heard, values)
        _insert(fronts[pattern.end], heard)
        return fronts[pattern.end][heard.n]

    def _take(self, arc: Arc, source: _Front, target: _Front, heard: _Heard, values: Mapping[str, _Values]) -> None:
        for at, paths in enumerate(source):
            if not paths:
                continue
            if arc.word is not None:
                for length, cost in heard.word_steps(at, arc.word, self._lexicon.index[arc.word]):
                    weight = _weight(arc.word)
                    worded = weight >= _WORD and cost < _HEARD
                    target[at + length] += [path.plus(cost, weight, worded) for path in paths]
            elif arc.slot is not None:
                if not arc.optional:
                    target[at] += [path._replace(missing=(*path.missing, arc.slot)).plus(MISSING) for path in paths]
                free = self._slots[arc.slot].kind == "text"
                for end, value, cost, weight in values[arc.slot][at]:
                    if value is None:
                        beyond = [path._replace(missing=(*path.missing, arc.slot)) for path in paths]
                        target[end] += [path.plus(cost + _BEYOND, weight) for path in beyond]
                        continue
                    named = _Named(arc.slot, value, at, end, free)
                    target[end] += [path._replace(slots=(*path.slots, named)).plus(cost, weight) for path in paths]
            else:
                target[at] += paths


_Value = tuple[int, SlotValue | None, float, float]
"""Where a value ends, which it is, what it costs, and how much it is worth; None is a number that cannot be."""
_Values = list[list[_Value]]
"""The values that begin with each word."""


class _Heard:
    """Words, and how well they fit all that the grammar knows."""

    def __init__(
        self, tokens: Sequence[str], reliability: Sequence[float], lexicon: Lexicon, names: Sequence[str]
    ) -> None:
        self.tokens = tokens
        self.n = len(tokens)
        sure = np.ones(self.n) if len(reliability) != self.n else 0.4 + 0.6 * np.asarray(reliability, np.float64)
        self.costs = np.minimum(lexicon.distances(tokens) / _UNLIKE, 1.0)
        self._weights = np.array([_weight(token) for token in tokens]) * sure
        self._sure = sure
        self.skips = [[(1, float(weight))] for weight in self._weights]
        self._find_polite(names, lexicon)
        # The best fit of every entry to any stretch with a word in it.
        self._covered = np.ones((self.n, self.costs.shape[2]))
        for start in range(self.n):
            for k in range(min(SPAN, self.n - start)):
                covered = self._covered[start : start + k + 1]
                np.minimum(covered, self.costs[start, k], out=covered)

    def least_cost(self, entries: NDArray[np.int64]) -> float:
        """Return a bound below of what a phrase with some entries costs."""
        cheapest = np.array([min(cost / length for length, cost in skips) for skips in self.skips])
        return float(np.minimum(cheapest, self._covered[:, entries].min(axis=1)).sum())

    def weight(self, start: int, end: int) -> float:
        """Return what it costs to skip some words."""
        return float(self._weights[start:end].sum())

    def word_steps(self, at: int, word: str, entry: int) -> list[tuple[int, float]]:
        """Return how many words may stand for one that is expected, and at what cost; none if it is left out."""
        steps = [(0, _LEFT_OUT * _weight(word))]
        if at < self.n:
            alike = float(self.costs[at, 0, entry])
            steps.append((1, alike * max(_weight(word), float(self._weights[at])) * float(self._sure[at])))
        if at + 1 < self.n and len(word) >= _LONG and self.costs[at, 1, entry] < 0.5:
            steps.append((2, float(self.costs[at, 1, entry])))
        return steps

    def _find_polite(self, names: Sequence[str], lexicon: Lexicon) -> None:
        """Find what people say besides, which may be skipped at little cost: courtesies and the robot's name."""
        for at in range(self.n):
            for phrase in _POLITE_WORDS:
                if tuple(self.tokens[at : at + len(phrase)]) == phrase:
                    self.skips[at].append((len(phrase), _POLITE))
            for name in names:
                for k in range(min(2, self.n - at)):
                    if self.costs[at, k, lexicon.index[name]] * _UNLIKE < _NAME_ALIKE:
                        self.skips[at].append((k + 1, _POLITE + float(self.costs[at, k, lexicon.index[name]]) * 0.3))


def _spelled(slot: Slot) -> dict[str, SlotValue | None]:
    """Return all spellings of a slot; numbers up to 100 that it cannot have are there too, so as not to be bent."""
    spellings: dict[str, SlotValue | None] = dict(slot.spellings)
    if slot.kind == "number":
        for number in range(_NUMBERS + 1):
            spellings.setdefault(spoken(str(number))[0])
    return spellings


def _values(
    heard: _Heard, slot: Slot, entries: NDArray[np.int64], spellings: Mapping[str, SlotValue | None]
) -> _Values:
    """Find what may name a slot."""
    found: _Values = [[] for _ in range(heard.n + 1)]
    if slot.kind == "text":
        for start in range(heard.n):
            for end in range(start + 1, heard.n + 1):
                found[start].append((end, " ".join(heard.tokens[start:end]), _FREE * (end - start), 0.0))
        return found
    weights = np.array([_SLOT * (1 + _MORE_WORDS * spelling.count(" ")) for spelling in spellings])
    named = list(spellings.values())
    for start in range(heard.n):
        for k in range(min(SPAN, heard.n - start)):
            alike = heard.costs[start, k, entries]
            costs = alike * np.maximum(weights, heard.weight(start, start + k + 1))
            best: dict[SlotValue | None, _Value] = {}
            for number in np.argsort(costs, kind="stable")[: 3 * _KEPT]:
                if alike[number] < _ALIKE_ENOUGH:
                    value = named[int(number)]
                    best.setdefault(value, (start + k + 1, value, float(costs[number]), float(weights[number])))
            found[start] += list(best.values())[:_KEPT]
    return found


def _insert(front: _Front, heard: _Heard) -> None:
    """Skip words that a phrase does not hold, and keep the best paths."""
    for at, paths in enumerate(front):
        if not paths:
            continue
        best: dict[tuple[object, ...], _Path] = {}
        for path in sorted(paths, key=lambda path: path.cost):
            if path.cost > HIGHEST_COST:
                break
            best.setdefault((path.missing, *(named.what for named in path.slots)), path)
        paths[:] = list(best.values())[:_KEPT]
        if at < heard.n:
            for length, cost in heard.skips[at]:
                front[at + length] += [path.plus(cost) for path in paths]


def _weight(word: str) -> float:
    return _SMALL if word in SMALL_WORDS else _WORD


def _needs_words(pattern: Pattern) -> bool:
    """Whether every way to say a phrase holds a word that counts."""
    without = {0}
    for arc in pattern.arcs:
        if arc.source in without and (arc.word is None or _weight(arc.word) < _WORD):
            without.add(arc.target)
    return pattern.end not in without


def _match(intent: str, path: _Path, needs_words: bool) -> Match:
    return Match(
        intent,
        {named.slot: named.value for named in path.slots},
        path.missing,
        path.cost,
        path.fitting,
        {named.slot: (named.start, named.end) for named in path.slots},
        needs_words and not path.worded,
    )
