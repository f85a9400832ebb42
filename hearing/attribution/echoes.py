"""The same words heard twice: on the talker's track, and on another one, by an echo or because he walked out of it."""

from __future__ import annotations

from collections.abc import Sequence

from hearing.recognition.text import matches, normalized
from hearing.types import Word

APART = 0.3
"""Seconds by which the beginning of a word may differ on two tracks."""
SHARE = 0.5
"""Share of an utterance's words that are another one's from which on it is its echo."""


def is_echo(words: Sequence[Word], others: Sequence[Word]) -> bool:
    """Whether what is heard on one track is what is said on another one, or part of it.

    Parameters
    ----------
    words, others
        Of both utterances, with times on the same clock. Of two that are equally long the less sure one is the echo.

    Examples
    --------
    >>> def heard(text, start, confidence=0.9):
    ...     words = enumerate(text.split())
    ...     return [Word(word, start + 0.3 * k, start + 0.3 * k + 0.2, confidence, 0.0) for k, word in words]
    >>> said = heard("but refraction by the raindrop", 15.6)
    >>> is_echo(heard("but reflection by", 15.5), said), is_echo(said, heard("but reflection by", 15.5))
    (True, False)
    >>> is_echo(heard("but refraction by", 17.0), said)
    False
    """
    if not words or not others:
        return False
    # Most pairs are said at different times: they need no alignment.
    if max(words[0].start_time - others[-1].start_time, others[0].start_time - words[-1].start_time) > APART:
        return False
    if (len(words), _confidence(words)) >= (len(others), _confidence(others)):
        return False
    pairs = matches(normalized(words), normalized(others))
    twice = sum(abs(words[first].start_time - others[second].start_time) <= APART for first, second in pairs)
    return twice >= SHARE * len(words)


def _confidence(words: Sequence[Word]) -> float:
    return sum(word.confidence for word in words) / len(words)
