"""Emergency words: "stop" from anybody, at any loudness, as soon as it is in a partial transcript.

A command begins a clause: it comes first, or after words such as "robot", "no" and "please". In "the bus stop" and
"don't stop" it does not. What only begins like a command ("stop by at noon") is taken for one when no more has been
heard: to stop once too often does little harm.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hearing.attribution.clauses import HALTS, OPENERS, word_set
from hearing.errors import InputError
from hearing.types import Word

WORDS = ("stop", "emergency", "halt", "freeze", "hold it")
_CALLS = word_set("robot you now it just i said to must wrong enough")
_BEFORE = (OPENERS | HALTS | _CALLS) - word_set("and but so then first next")
_NOT_AFTER = word_set("by sign signs light lights over watch button in being worrying for until when if is was")
_LETTERS = re.compile(r"[a-z0-9']+")
_SOUNDS_ALIKE = {"stopp": "stop", "stahp": "stop", "stop'": "stop"}


class EmergencyWords:
    """Finds emergency words in what is heard, at most once an utterance.

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
        self._fired: dict[str, int] = {}

    def process(self, utterance_id: str, words: Sequence[Word]) -> str | None:
        """Take what is heard of an utterance so far; return the emergency word that is new in it, or None."""
        text = " ".join(word.text for word in words)
        found = self._count(text)
        if len(found) <= self._fired.get(utterance_id, 0):
            return None
        self._fired[utterance_id] = len(found)
        return found[-1]

    def find(self, text: str) -> str | None:
        """Return the first emergency word that is said as one in a text, or None."""
        return next(iter(self._count(text)), None)

    def _count(self, text: str) -> list[str]:
        found = []
        for clause in re.split(r"[,.;:!?]", text.lower()):
            tokens = _tokens(clause)
            for at in range(len(tokens)):
                found += [
                    " ".join(phrase)
                    for phrase in self._phrases
                    if tuple(tokens[at : at + len(phrase)]) == phrase and self._commands(tokens, at, len(phrase))
                ]
        return found

    def _commands(self, tokens: Sequence[str], at: int, length: int) -> bool:
        after = tokens[at + length] if at + length < len(tokens) else ""
        before = tokens[:at]
        calls = not before or all(word in self._before or (word,) in self._phrases for word in before[-2:])
        return calls and after not in _NOT_AFTER


def _tokens(text: str) -> list[str]:
    return [_SOUNDS_ALIKE.get(token, token) for token in _LETTERS.findall(text.lower())]
