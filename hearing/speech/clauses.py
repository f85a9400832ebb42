"""Cuts text into clauses that are synthesized one after the other, while the text is still being written.

A clause ends where a speaker would pause. The first one may be short, so that the first sound comes early; later ones
are longer, because a voice stresses a phrase better the more of it it sees, and by then there is time.
"""

from __future__ import annotations

import re

_LONGEST = 200
_FIRST_WORDS, _LATER_WORDS = 1, 6
_WORDS_BEFORE_CONJUNCTION = 5
# What stands before a word that belongs to it, whatever its case.
_BEFORE_NAMES = re.compile(
    r"mr|mrs|ms|dr|prof|st|sr|jr|gen|col|sgt|capt|lt|mt|nos|vs|fig|vol|approx|e\.g|i\.e|cf|[a-hj-z]", re.I
)
# May end a sentence: they do where a capital follows.
_MAY_END = re.compile(r"etc|inc|ltd|co|corp|dept|est|a\.m|p\.m|u\.s|u\.k|ca|min|max|sec|hrs?|ft|in|oz|lbs?|kg", re.I)
_BOUNDARY = re.compile(
    r"(?P<newline>[^\S\n]*\n\s*)"
    r"|(?P<sentence>[.!?\u2026]+[\"'\u2019\u201d)\]]*)\s+"
    r"|(?P<clause>[,;:][\"'\u2019\u201d)\]]*|\s[-\u2013\u2014])\s+"
    r"|\s+(?P<conjunction>(?:and|but|because|so|which|while|when|although|unless|until|before|after)\s)"
)
_LAST_WORD = re.compile(r"[^\s(\"'\u201c\u2018]*$")


class ClauseSplitter:
    """Streaming splitter: the clauses depend on the text alone, not on the pieces in which it arrives.

    A boundary is known with the first letter after it, which `flush` doesn't wait for.

    Examples
    --------
    >>> splitter = ClauseSplitter()
    >>> splitter.feed("Okay, Dr. Smith asked for 1,250 bolts of 3.5 mm... The")
    ['Okay,', 'Dr. Smith asked for 1,250 bolts of 3.5 mm...']
    >>> splitter.feed(" rest is in bay four.")
    []
    >>> splitter.flush()
    ['The rest is in bay four.']
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start a new text."""
        self._text = ""
        self._first = True

    def feed(self, piece: str) -> list[str]:
        """Take the next piece of the text, of any length, and return the clauses that are complete now."""
        self._text += piece
        clauses = []
        while (end := self._end()) is not None:
            clause, self._text = self._text[:end].strip(), self._text[end:].lstrip()
            if clause:
                clauses.append(clause)
                self._first = False
        return clauses

    def flush(self) -> list[str]:
        """Return what is left at the end of the text, and start a new one."""
        rest = " ".join(self._text.split())
        self.reset()
        return [rest] if rest else []

    def _end(self) -> int | None:
        """Find the first boundary, as the number of characters before it; None if there is none yet."""
        for match in _BOUNDARY.finditer(self._text):
            if match.end() >= len(self._text) or match.start() > _LONGEST:
                break
            if self._divides(match):
                return match.end() if match["conjunction"] is None else match.start("conjunction")
        if len(self._text) <= 2 * _LONGEST:
            return None
        blank = self._text.rfind(" ", 0, _LONGEST)
        return _LONGEST if blank <= 0 else blank + 1

    def _divides(self, match: re.Match[str]) -> bool:
        before, after = self._text[: match.start()], self._text[match.end()]
        n_words = len(before.split())
        if match["newline"] is not None:
            return True
        if match["sentence"] is not None:
            return not (match["sentence"] == "." and _is_abbreviation(before, after))
        if match["clause"] is not None:
            return not after.isdigit() and n_words >= (_FIRST_WORDS if self._first else _LATER_WORDS)
        return self._first and n_words >= _WORDS_BEFORE_CONJUNCTION


def split_clauses(text: str) -> list[str]:
    """Cut a whole text into clauses."""
    splitter = ClauseSplitter()
    return splitter.feed(text) + splitter.flush()


def _is_abbreviation(before: str, after: str) -> bool:
    """Tell whether a full stop between two texts only shortens a word."""
    found = _LAST_WORD.search(before)
    word = found.group() if found else ""
    if word.isdigit():  # "1. Open the door" is an item; "in bay 5. Then" an end
        return not before[: -len(word)].strip()
    if word.lower() == "no":  # "No. 5" is a number, "No. Stop!" an answer
        return after.isdigit()
    if _BEFORE_NAMES.fullmatch(word):
        return True
    return _MAY_END.fullmatch(word) is not None and not after.isupper()
