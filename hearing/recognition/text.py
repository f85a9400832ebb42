"""Comparing words whatever their casing and punctuation."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from hearing.recognition.engine import RecognizedWord
from hearing.types import Word


def normalize(text: str) -> str:
    """Lower the case and drop everything but letters and digits."""
    return "".join(filter(str.isalnum, text.lower()))


def normalized(words: Sequence[RecognizedWord | Word]) -> list[str]:
    """Normalize words for comparison, one entry per word."""
    return [normalize(word.text) for word in words]


def matches(first: Sequence[str], second: Sequence[str]) -> list[tuple[int, int]]:
    """Align two word sequences: index pairs of equal words, in order (Ratcliff and Obershelp's matching)."""
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    return [(block.a + i, block.b + i) for block in blocks for i in range(block.size)]
