"""Phrases as people write them in a grammar: "(bring|get) [me] the {item}".

Round brackets group, a bar separates alternatives, square brackets hold what may be left out, braces name a slot.
A phrase becomes a small acyclic graph whose arcs are words and slots.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from hearing.errors import InputError
from hearing.recognition.biasing import spoken

_TOKEN = re.compile(r"\{([^{}]*)\}|([\[\]()|])|([^\s\[\]()|{}]+)|([{}])")
_CLOSING = {"[": "]", "(": ")"}


class Arc(NamedTuple):
    """A step through a phrase: a word, a slot, or neither; optional if it can be left out alone."""

    source: int
    target: int
    word: str | None = None
    slot: str | None = None
    optional: bool = False


@dataclass(slots=True)
class Pattern:
    """A phrase as a graph from node 0 to the last node; every arc leads to a node of a higher number.

    Attributes
    ----------
    text
        The phrase as it was written.
    arcs
        In the order of their sources.
    end
        The last node.
    """

    text: str
    arcs: list[Arc] = field(default_factory=list)
    end: int = 0

    @property
    def words(self) -> set[str]:
        """All words that it may hold."""
        return {arc.word for arc in self.arcs if arc.word is not None}

    @property
    def slots(self) -> list[str]:
        """The slots that it may hold, each once, in order."""
        return list(dict.fromkeys(arc.slot for arc in self.arcs if arc.slot is not None))

    @property
    def ways(self) -> int:
        """In how many ways it can be said."""
        ways = [1] + [0] * self.end
        for arc in self.arcs:
            ways[arc.target] += ways[arc.source]
        return ways[self.end]

    def variants(self) -> Iterator[tuple[str, ...]]:
        """Give all ways to say it, as words and slots in braces."""
        leaving: dict[int, list[Arc]] = {}
        for arc in self.arcs:
            leaving.setdefault(arc.source, []).append(arc)

        def walk(node: int) -> Iterator[tuple[str, ...]]:
            if node == self.end:
                yield ()
            for arc in leaving.get(node, []):
                step = (arc.word,) if arc.word else (f"{{{arc.slot}}}",) if arc.slot else ()
                for rest in walk(arc.target):
                    yield step + rest

        return walk(0)


def parse_pattern(text: str) -> Pattern:
    """Read a phrase.

    Examples
    --------
    >>> [" ".join(words) for words in parse_pattern("(bring|get) [me] the {item}").variants()]
    ['bring me the {item}', 'bring the {item}', 'get me the {item}', 'get the {item}']

    Raises
    ------
    InputError
        If brackets do not match, or it may be left out altogether.
    """
    parser = _Parser(text)
    pattern = parser.parse()
    silent = [True] + [False] * pattern.end
    for arc in pattern.arcs:
        silent[arc.target] |= silent[arc.source] and arc.word is None and arc.slot is None
    if silent[pattern.end]:
        raise InputError(f"phrase {text!r} says nothing: leave at least one word outside of square brackets")
    return pattern


class _Parser:
    """Recursive descent over the brackets; nodes are numbered as they are closed, so that arcs lead upwards."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [match.groups() for match in _TOKEN.finditer(text)]
        self._at = 0
        self._arcs: list[Arc] = []
        self._nodes = 1

    def parse(self) -> Pattern:
        end = self._alternatives(0, "")
        arcs = sorted(self._arcs, key=lambda arc: arc[:2])
        optional = [bool(self._silent_from(arc.source) & self._silent_from(arc.target)) for arc in arcs]
        return Pattern(self._text, [arc._replace(optional=may) for arc, may in zip(arcs, optional, strict=True)], end)

    def _silent_from(self, node: int) -> set[int]:
        """Return the nodes that are reached from one without a word or slot."""
        reached = {node}
        for arc in sorted(self._arcs, key=lambda arc: arc[:2]):
            if arc.source in reached and arc.word is None and arc.slot is None:
                reached.add(arc.target)
        return reached

    def _alternatives(self, start: int, closing: str) -> int:
        """Read alternatives up to a closing bracket; return the node in which they meet."""
        ends = [self._sequence(start)]
        while self._take("|"):
            ends.append(self._sequence(start))
        if closing and not self._take(closing):
            raise InputError(f"phrase {self._text!r}: a bracket is not closed, write {closing!r} at its end")
        if not closing and self._at < len(self._tokens):
            raise InputError(f"phrase {self._text!r}: {self._tokens[self._at][1] or 'a brace'!r} closes nothing")
        if len(ends) == 1:
            return ends[0]
        return self._join(ends)

    def _sequence(self, node: int) -> int:
        """Read words, slots and brackets that follow on each other."""
        while self._at < len(self._tokens):
            slot, bracket, word, brace = self._tokens[self._at]
            if bracket in ("|", "]", ")"):
                break
            self._at += 1
            if brace:
                raise InputError(f"phrase {self._text!r}: write a slot as {{name}}, with both braces")
            if slot is not None:
                node = self._step(node, None, slot.strip())
            elif bracket:
                end = self._alternatives(node, _CLOSING[bracket])
                node = self._join([end, node]) if bracket == "[" else end
            else:
                for part in spoken(word)[0].split():
                    node = self._step(node, part, None)
        return node

    def _step(self, node: int, word: str | None, slot: str | None) -> int:
        target = self._nodes
        self._nodes += 1
        self._arcs.append(Arc(node, target, word, slot))
        return target

    def _join(self, ends: list[int]) -> int:
        target = self._nodes
        self._nodes += 1
        self._arcs += [Arc(end, target) for end in dict.fromkeys(ends)]
        return target

    def _take(self, token: str) -> bool:
        taken = self._at < len(self._tokens) and self._tokens[self._at][1] == token
        self._at += taken
        return taken
