"""Text: what a transcript says without its corpus' markup, and what is compared when words are scored."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_MARKUP = re.compile(r"\[[^\]]*\]|<[^>]*>|\{[^}]*\}|\(\(|\)\)|&\w+;")
"""Events in brackets, tags, XML entities: what nobody says."""
_SPELLED = re.compile(r"\b([A-Za-z])_(?=[A-Za-z]?\b)|_")
_PUNCTUATION = re.compile(r"\s+([.,!?;:])")


def plain_text(text: str) -> str:
    """Remove markup from a transcript: `[noise]`, `<laugh>`, `{pause}`, marks of doubt, underscores of spelled letters.

    >>> plain_text("okay [laughs] so um the T_V_ <unk> is (( over )) there .")
    'okay so um the T V is over there.'
    >>> plain_text("A MAN APPROACHED THE CAR")
    'a man approached the car'
    """
    text = _MARKUP.sub(" ", text)
    text = _SPELLED.sub(r"\1 ", text)
    text = _PUNCTUATION.sub(r"\1", " ".join(text.split()))
    return text.lower() if text.isupper() else text


def normalized_text(text: str) -> str:
    """Bring a transcript into the form in which words are compared: Whisper's English normalizer on plain text.

    >>> normalized_text("Mr. Smith's 2 dogs ain't [noise] here!")
    'mister smith is 2 dogs aint here'
    """
    normalized: str = _normalizer()(plain_text(text))
    return normalized


@cache
def _normalizer() -> Any:
    from whisper_normalizer.english import EnglishTextNormalizer

    return EnglishTextNormalizer()
