"""Identifiers of REP-155: of voices and faces, which pass, and of persons, which stay. They begin with a letter."""

from __future__ import annotations

import re

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ANONYMOUS = re.compile(r"talker_\d+")
_PLAIN = re.compile(r"[^A-Za-z0-9_]")


def voice_id(origin: int, track_id: int) -> str:
    """Return the id of a track's voice in the stream whose first sample has this ROS time in nanoseconds."""
    return f"v{_code(origin)}_{track_id}"


def face_id(face: str) -> str:
    """Return the id of a face by what the vision node calls it."""
    return f"f_{_plain(face)}"


def person_id(origin: int, speaker: str) -> str | None:
    """Return the id of a speaker: the same for ever of who is enrolled; None of nobody."""
    if speaker == "unknown":
        return None
    return f"p{_code(origin)}_{speaker}" if is_anonymous(speaker) else f"p_{_plain(speaker)}"


def is_anonymous(speaker: str) -> bool:
    """Tell whether a speaker is known only as one of those who have talked in this stream."""
    return _ANONYMOUS.fullmatch(speaker) is not None


def _code(origin: int) -> str:
    """Return five letters and digits that tell the streams of a week apart."""
    number, code = origin // 10_000_000, ""
    for _ in range(5):
        number, rest = divmod(number, len(_DIGITS))
        code = _DIGITS[rest] + code
    return code


def _plain(name: str) -> str:
    """Spell a name with what topics may be made of; others become `_` and their number, so that names stay apart."""
    return _PLAIN.sub(lambda match: f"_{ord(match[0]):x}_", name)
