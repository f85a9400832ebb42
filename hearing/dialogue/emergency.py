"""Emergency words: "stop" from anybody, at any loudness, as soon as it is spotted or in a partial transcript.

A command begins a clause: it comes first, or after words such as "robot", "no" and "please". In "the bus stop" and
"don't stop" it does not. What only begins like a command ("stop by at noon") is taken for one when no more has been
heard: to stop once too often does little harm. A spotted word is known half a second before a text has it, but what was
said before it is often misheard: what sounds like "robot" is taken for it, and a single word for a name. Each time
that a word is said is acted on once, however it becomes known first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from hearing.attribution.clauses import (
    AUXILIARIES,
    DETERMINERS,
    HALTS,
    OPENERS,
    PREPOSITIONS,
    SUBJECTS,
    word_set,
)
from hearing.errors import InputError
from hearing.types import SpottedWord, Word

WORDS = ("stop", "emergency", "halt", "freeze", "hold it")
_CALLS = word_set("robot you now it just i said to must wrong enough")
_BEFORE = (OPENERS | HALTS | _CALLS) - word_set("and but so then first next")
_NOT_AFTER = word_set("by sign signs light lights over watch button in being worrying for until when if is was")
_NO_NAMES = DETERMINERS | PREPOSITIONS | AUXILIARIES | SUBJECTS | word_set("don't dont never not can't cannot bus")
_LETTERS = re.compile(r"[a-z0-9']+")
_SOUNDS_ALIKE = {"stopp": "stop", "stahp": "stop", "stop'": "stop"}
_ALIKE, _LONG = 0.75, 4
"""How alike words must be, and of how many letters, if they were heard by their letters only."""
_SAME = 0.4
"""Seconds by which a word that is spotted and the same one in a text may be apart."""
_REMEMBERED = 64
"""Utterances of which it is known what was acted on: far more than are revised at a time."""


@dataclass(slots=True)
class _Acted:
    """What was acted on in an utterance: so many words of its text, those of them, and those that were spotted."""

    number: int = 0
    read: list[Word] = field(default_factory=list)
    spotted: list[Word] = field(default_factory=list)


class EmergencyWords:
    """Finds emergency words in what is heard, once for each time that one is said.

    Parameters
    ----------
    words
        Words or phrases, in any case.
    robot_names
        What people call the robot: may stand before them.

    Raises
    ------
    InputError
        If a word has no letters.

    Examples
    --------
    >>> emergency = EmergencyWords()
    >>> [emergency.find(text) for text in ("Robot, stop!", "the bus stop is here", "don't stop", "stop stop")]
    ['stop', None, None, 'stop']
    """

    def __init__(self, words: Sequence[str] = WORDS, robot_names: Sequence[str] = ("robot",)) -> None:
        self._phrases = [tuple(_tokens(word)) for word in words]
        if nameless := next((word for word, phrase in zip(words, self._phrases, strict=True) if not phrase), None):
            raise InputError(f"emergency word {nameless!r}: it needs letters")
        self._before = _BEFORE | {token for name in robot_names for token in _tokens(name)}
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._acted: dict[str, _Acted] = {}

    def process(self, utterance_id: str, words: Sequence[Word]) -> str | None:
        """Take what is heard of an utterance so far; return the emergency word that is new in it, or None."""
        found, acted = self._find(words), self._acted_on(utterance_id)
        if len(found) <= acted.number:
            return None
        acted.number = len(found)
        phrase, at = found[-1]
        if any(_near(words[at], spotted) for spotted in acted.spotted):
            return None
        acted.read.append(words[at])
        return phrase

    def spot(self, spotted: SpottedWord) -> str | None:
        """Take a word that was spotted; return it if it is to be acted on, or None.

        Parameters
        ----------
        spotted
            From `HearingOutput.spotted`; other words than emergency words are left alone.
        """
        phrase, before = tuple(_tokens(spotted.word)), _tokens(spotted.before)
        # A single word before that is none of the language's small ones may be a name, misheard.
        is_name = len(before) == 1 and before[0] not in _NO_NAMES
        if phrase not in self._phrases or not (is_name or all(self._calls(word) for word in before[-2:])):
            return None
        heard = Word(spotted.word, spotted.start_time, spotted.end_time, spotted.probability, spotted.emitted)
        acted = self._acted_on(spotted.utterance_id)
        if any(_near(heard, earlier) for earlier in (*acted.spotted, *acted.read)):
            return None
        acted.spotted.append(heard)
        return " ".join(phrase)

    def find(self, text: str) -> str | None:
        """Return the first emergency word that is said as one in a text, or None."""
        found = self._find([Word(word, 0.0, 0.0, 1.0, 0.0) for word in text.split()])
        return found[0][0] if found else None

    def _acted_on(self, utterance_id: str) -> _Acted:
        """Return what was acted on in an utterance, to be noted in; forget the one that was longest of no interest."""
        acted = self._acted[utterance_id] = self._acted.pop(utterance_id, _Acted())
        if len(self._acted) > _REMEMBERED:
            del self._acted[next(iter(self._acted))]
        return acted

    def _find(self, words: Sequence[Word]) -> list[tuple[str, int]]:
        """Return the emergency words in a text, and the numbers of the words that they begin with."""
        found = []
        for clause in _clauses(words):
            tokens = [token for token, _ in clause]
            for at in range(len(tokens)):
                found += [
                    (" ".join(phrase), clause[at][1])
                    for phrase in self._phrases
                    if tuple(tokens[at : at + len(phrase)]) == phrase and self._commands(tokens, at, len(phrase))
                ]
        return found

    def _calls(self, token: str) -> bool:
        """Whether a word that was heard by its letters only is like one that may stand before a command."""
        known = self._before | {phrase[0] for phrase in self._phrases}
        return token in known or any(
            min(len(token), len(word)) >= _LONG and SequenceMatcher(None, token, word).ratio() >= _ALIKE
            for word in known
        )

    def _commands(self, tokens: Sequence[str], at: int, length: int) -> bool:
        after = tokens[at + length] if at + length < len(tokens) else ""
        before = tokens[:at]
        calls = not before or all(word in self._before or (word,) in self._phrases for word in before[-2:])
        return calls and after not in _NOT_AFTER


def _clauses(words: Sequence[Word]) -> list[list[tuple[str, int]]]:
    """Divide words at their punctuation into clauses of tokens, each with the number of its word."""
    clauses: list[list[tuple[str, int]]] = [[]]
    for number, word in enumerate(words):
        for part in re.split(r"([,.;:!?])", word.text.lower()):
            if part and part in ",.;:!?":
                clauses.append([])
            clauses[-1] += [(token, number) for token in _tokens(part)]
    return clauses


def _near(word: Word, other: Word) -> bool:
    """Whether two words overlap, or nearly so."""
    return word.start_time < other.end_time + _SAME and word.end_time > other.start_time - _SAME


def _tokens(text: str) -> list[str]:
    return [_SOUNDS_ALIKE.get(token, token) for token in _LETTERS.findall(text.lower())]
