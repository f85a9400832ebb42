"""Who is called in an utterance, the robot or somebody else, and whether the robot is only talked about."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from hearing.attribution.clauses import DETERMINERS, GROUPS, HAILS, PREPOSITIONS, Text, word_set

_BLOCKS = (DETERMINERS | PREPOSITIONS | word_set("and or is was not as")) - word_set(
    "up down off out away back here there"
)
"""Who stands after such a word is not called."""


class NameCues(NamedTuple):
    """Who is called. All are 1 where it is so and 0 elsewhere.

    Attributes
    ----------
    called
        A name of the robot opens a clause, set off or followed by what one says to it: "Robot, stop", "robot can you".
    hailed
        After a greeting: "hey robot".
    called_last
        A name ends a clause and is nobody's object: "Stop, robot".
    amid
        A name without article elsewhere: "could you robot please".
    subject
        A name without article does something: "robot is broken".
    mentioned
        It is talked about: "the robot", "to our robot", "robots", "the robot's arm".
    sounds, resembles
        Words that sound like a name, as "row bot", or nearly so, as "Robert", stand where it would be called.
    person
        Somebody else is called: "Anna, wait", "Hand me the wrench, Anna", "hey guys".
    person_last
        A person's name ends a clause without a comma: "hand me the wrench anna", "follow Anna".
    person_mentioned
        Somebody is named elsewhere.
    """

    called: float = 0.0
    hailed: float = 0.0
    called_last: float = 0.0
    amid: float = 0.0
    subject: float = 0.0
    mentioned: float = 0.0
    sounds: float = 0.0
    resembles: float = 0.0
    person: float = 0.0
    person_last: float = 0.0
    person_mentioned: float = 0.0


class NameFinder:
    """Finds out who is called.

    Parameters
    ----------
    names
        What the robot is called, of one or more words each; it is always called "robot" too.
    people
        Given names in lower case.
    """

    def __init__(self, names: Sequence[str], people: Iterable[str]) -> None:
        spelled = {tuple(word for word in Text(name).words if word not in HAILS) for name in (*names, "robot")}
        self._names = sorted((name for name in spelled if name), key=lambda name: (-len(name), name))
        self._first = {form for name in self._names for form in _forms(name[0])}
        self._last = {name[-1] for name in self._names}
        keys = ((len(name), sound_key("".join(name))) for name in self._names)
        self._keys = [(length, key) for length, key in keys if len(key) >= _SHORT_KEY]
        self._others = (frozenset(people) | GROUPS) - {word for name in self._names for word in name}

    def find(self, text: Text) -> tuple[NameCues, list[int]]:
        """Say who is called, and the numbers of the words at which clauses begin when names are skipped."""
        words = text.words
        found: dict[str, float] = {}
        taken: set[int] = set()
        for begin, end in self._spans(words):
            use = self._use(text, begin, end)
            found[use] = 1.0
            taken.update(range(begin, end))
            if use == "called" and begin not in text.stops and words[begin - 1] in HAILS:
                found["hailed"] = 1.0
        if "called" not in found and "called_last" not in found and (likeness := self._likeness(text, taken)):
            found[likeness] = 1.0
        for at, word in enumerate(words):
            if at not in taken and (word in self._others or text.names(at)):
                found[_use_of_person(text, at)] = 1.0
                taken.add(at)
        return NameCues(**found), [
            at for start in text.starts if (at := _after_names(words, start, taken)) < len(words)
        ]

    def _spans(self, words: list[str]) -> Iterator[tuple[int, int]]:
        """List where names stand, as numbers of their first word and of the one after, the longest where they meet."""
        free = 0
        for at, word in enumerate(words):
            if at >= free and word in self._first:
                for name in self._names:
                    *part, last = words[at : at + len(name)]
                    if (*part, name[-1]) == name and last in _forms(name[-1]):
                        free = at + len(name)
                        yield at, free
                        break

    def _use(self, text: Text, begin: int, end: int) -> str:
        before = None if begin in text.stops else text.words[begin - 1]
        opens = begin in text.starts or before is None or before in HAILS
        if text.words[end - 1] not in self._last or (before in _BLOCKS and not opens):
            return "mentioned"
        if opens:
            return "subject" if end not in text.stops and text.does(end) else "called"
        if end in text.stops:
            return "called_last"
        return "subject" if text.does(end) else "amid"

    def _likeness(self, text: Text, taken: Collection[int]) -> str:
        """Say whether words that open or end a clause and are not taken `sounds` or `resembles` like a name, or ""."""
        likeness = {
            _alike(sound_key("".join(text.words[begin:end])), key)
            for length, key in self._keys
            for begin, end in _edges(text, length + 1)
            if not any(at in taken for at in range(begin, end))
        }
        return next((each for each in ("sounds", "resembles") if each in likeness), "")


def _edges(text: Text, most: int) -> Iterator[tuple[int, int]]:
    """List up to so many words with which clauses begin or end, as numbers of the first word and of the one after."""
    for number in range(1, most + 1):
        ends = [(stop - number, stop) for stop in text.stops if stop - number in text.stops]
        for begin, end in (*((start, start + number) for start in text.starts), *ends):
            if end <= len(text.words) and text.stops.isdisjoint(range(begin + 1, end)):
                yield begin, end


def _use_of_person(text: Text, at: int) -> str:
    before = None if at in text.stops else text.words[at - 1]
    closes = at + 1 in text.stops
    if before in _BLOCKS and at not in text.starts:
        return "person_mentioned"
    if at in text.starts or before is None or before in HAILS:
        return "person" if closes or not text.does(at + 1) else "person_mentioned"
    return "person_last" if closes else "person_mentioned"


def _forms(word: str) -> tuple[str, str, str]:
    return word, f"{word}s", f"{word}'s"


def _after_names(words: Sequence[str], at: int, taken: Collection[int]) -> int:
    while at in taken or (at - 1 in taken and words[at : at + 1] == ["please"]):
        at += 1
    return at


_SPELLINGS = tuple(
    (re.compile(pattern), key)
    for pattern, key in (
        ("ph", "f"), ("x", "ks"), ("[ck]+|qu?", "k"), ("(?<=.)e$", ""), ("(?<=[aeiouyw])[rh]+(?![aeiouyw])", ""),
        (r"(.)\1+", r"\1"), ("[ou][aeiouyw]*", "o"), ("[eiy][aeiuyw]*", "e"), ("a[aeiuyw]*", "a"),
    )
)  # fmt: skip
_CLASSES = str.maketrans("bdgvzj", "ptkfsk")
_SHORT_KEY, _LONG_KEY = 4, 5
"""Letters of a key at least that is looked for, and where one of them may be wrong."""


@lru_cache(maxsize=4096)
def sound_key(word: str) -> str:
    """Return what words that sound alike have in common: vowels in three classes, consonants without voice.

    Examples
    --------
    >>> sound_key("robot"), sound_key("rowboat"), sound_key("robert"), sound_key("rabbit")
    ('ropot', 'ropot', 'ropet', 'rapet')
    """
    for pattern, key in _SPELLINGS:
        word = pattern.sub(key, word)
    return word.translate(_CLASSES)


def _alike(heard: str, key: str) -> str:
    """Say `sounds` for the same key, `resembles` for one letter more, less or other after the first of a long one."""
    if heard == key:
        return "sounds"
    if len(key) < _LONG_KEY or abs(len(heard) - len(key)) > 1 or heard[0] != key[0]:
        return ""
    short, long = sorted((heard, key), key=len)
    same = next((at for at, letter in enumerate(short) if letter != long[at]), len(short))
    return "resembles" if long[same + 1 :] == short[same + (len(short) == len(long)) :] else ""
