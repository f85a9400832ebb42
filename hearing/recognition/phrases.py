"""Words and phrases that the recognizer shall expect: names of people, machines and parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hearing.errors import InputError
from hearing.recognition.biasing import spoken

MOST_PHRASES = 1000
"""More take seconds to prepare, and what is expected everywhere is heard everywhere."""


def check_phrases(phrases: Sequence[str]) -> None:
    """Make sure that phrases can be expected.

    Raises
    ------
    InputError
        If one has neither letters nor digits, or if there are more than `MOST_PHRASES`.
    """
    if len(phrases) > MOST_PHRASES:
        raise InputError(f"{len(phrases)} phrases, at most {MOST_PHRASES} can be expected: keep names and rare words")
    for phrase in phrases:
        spoken(phrase)


def read_phrases(path: Path) -> tuple[str, ...]:
    """Read a text file with a word or phrase in each line; blank lines and those that begin with # are left out.

    Raises
    ------
    InputError
        If the file cannot be read, or its phrases cannot be expected.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a text file, one phrase a line") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file in UTF-8; give one with one phrase a line") from error
    stripped = (line.strip() for line in lines)
    phrases = tuple(line for line in stripped if line and not line.startswith("#"))
    if not phrases:
        raise InputError(f"{path}: holds no phrases; write one a line, or leave out the file")
    try:
        check_phrases(phrases)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return phrases
