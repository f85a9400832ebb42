"""How many people are heard, and whether each of them stays the same one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hearing.attribution import UNKNOWN
from hearing.evaluation.words import RecognizedWord


@dataclass(frozen=True, slots=True)
class PersonCount:
    """People who speak.

    Attributes
    ----------
    true, heard
        How many there are, and how many are told apart; nobody's words make no person.
    error
        By how many each recording is wrong, one way or the other.
    """

    true: int
    heard: int
    error: int

    @classmethod
    def zero(cls) -> PersonCount:
        """Return the neutral element of the sum."""
        return cls(0, 0, 0)

    def __add__(self, other: PersonCount) -> PersonCount:
        """Combine two recordings: who is missed in one does not make up for who is invented in the other."""
        return PersonCount(self.true + other.true, self.heard + other.heard, self.error + other.error)


def person_count(reference: Iterable[Mapping[str, Any]], hypothesis: Iterable[Mapping[str, Any]]) -> PersonCount:
    """Compare the numbers of speakers of a recording.

    >>> person_count([{"speaker": "anna"}, {"speaker": "anna"}], [{"speaker": "1"}, {"speaker": "2"}])
    PersonCount(true=1, heard=2, error=1)
    """
    true = {segment["speaker"] for segment in reference}
    heard = {segment["speaker"] for segment in hypothesis} - {UNKNOWN}
    return PersonCount(len(true), len(heard), abs(len(true) - len(heard)))


def identity_switches(words: Iterable[RecognizedWord]) -> int:
    """Count how often somebody's words are suddenly somebody else's, from one recognized word to his next.

    Words of which it is left open who says them do not count.

    >>> heard = [RecognizedWord("anna", time, name) for time, name in enumerate("11211")]
    >>> identity_switches(heard)
    2
    """
    names: dict[str, list[str]] = {}
    for word in sorted(words, key=lambda word: word.time):
        if word.heard_speaker != UNKNOWN:
            names.setdefault(word.speaker, []).append(word.heard_speaker)
    return sum(before != after for heard in names.values() for before, after in pairwise(heard))
