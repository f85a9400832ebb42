"""Mistakes, utterance by utterance: what was misheard, missed, given to the wrong person, or made up.

Every heard word is put to the true utterance that it belongs to: one of the person whom cpWER takes its speaker for if
one is near, else, as said by the wrong person, whatever is said at that time, else it is words in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from hearing.evaluation.directions import angular_distance
from hearing.evaluation.score import GOOD_DIRECTION
from hearing.evaluation.words import SILENCE_MARGIN, normalizer

Kind = Literal["right", "missed", "wrong", "added"]
Record = dict[str, Any]
_NEAR = 1.0  # s around an utterance in which words of its speaker belong to it


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of words: right, missed, wrong (`text` instead of `instead`), or added."""

    kind: Kind
    text: str
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Mistake:
    """An utterance that was not heard as it was said.

    Attributes
    ----------
    start, end
        Seconds.
    speaker
        Who said it; empty if nobody did.
    pieces
        What was heard as said by the right person, against what was said.
    others
        What was heard as said by somebody else, by name.
    weight
        Number of words that are not right.
    direction
        Degrees by which its direction is off, if that is too much.
    """

    start: float
    end: float
    speaker: str
    pieces: tuple[Piece, ...]
    others: dict[str, str]
    weight: int
    direction: float | None = None


def find_mistakes(
    truth: Sequence[Record], words: Sequence[Record], segments: Sequence[Record], speakers: Mapping[Any, Any]
) -> list[Mistake]:
    """Compare what was heard with what was said.

    Parameters
    ----------
    truth
        True segments.
    words
        Lines of `words.jsonl`.
    segments
        Heard segments.
    speakers
        Heard speaker by true speaker, from cpWER.

    Returns
    -------
    Mistakes in order of time.
    """
    own: list[list[Record]] = [[] for _ in truth]
    foreign: list[list[Record]] = [[] for _ in truth]
    nowhere: list[Record] = []
    names = {heard: true for true, heard in speakers.items() if heard is not None and true is not None}
    for word in words:
        mine = _nearest(truth, word, names.get(word["speaker"]), _NEAR)
        if mine is not None:
            own[mine].append(word)
        elif (other := _nearest(truth, word, None, SILENCE_MARGIN)) is not None:
            foreign[other].append(word)
        else:
            nowhere.append(word)
    found = [_of_utterance(*parts, segments) for parts in zip(truth, own, foreign, strict=True)]
    mistakes = [mistake for mistake in found if mistake.weight or mistake.direction is not None]
    return sorted([*mistakes, *_in_silence(nowhere)], key=lambda mistake: mistake.start)


def difference(true: str, heard: str) -> tuple[Piece, ...]:
    """Align words that are written alike after normalization.

    >>> difference("turn the red valve", "turn a red valve now")[1:3]
    (Piece(kind='wrong', text='a', instead='the'), Piece(kind='right', text='red valve', instead=''))
    """
    normalize = normalizer()
    said, got = normalize(true).split(), normalize(heard).split()
    pieces = []
    for tag, a, b, c, d in SequenceMatcher(None, said, got, autojunk=False).get_opcodes():
        old, new = " ".join(said[a:b]), " ".join(got[c:d])
        if tag == "equal":
            pieces.append(Piece("right", new))
        elif tag == "delete":
            pieces.append(Piece("missed", old))
        elif tag == "insert":
            pieces.append(Piece("added", new))
        else:
            pieces.append(Piece("wrong", new, old))
    return tuple(pieces)


def _nearest(truth: Sequence[Record], word: Record, speaker: str | None, margin: float) -> int | None:
    """Return the utterance, of a speaker or of anybody, that is nearest to a word and near enough."""
    middle = (word["start_time"] + word["end_time"]) / 2
    distances = [
        (max(segment["start_time"] - middle, middle - segment["end_time"], 0.0), number)
        for number, segment in enumerate(truth)
        if speaker is None or str(segment["speaker"]) == speaker
    ]
    distance, number = min(distances, default=(float("inf"), -1))
    return number if distance <= margin else None


def _of_utterance(true: Record, own: list[Record], foreign: list[Record], segments: Sequence[Record]) -> Mistake:
    pieces = difference(true["words"], " ".join(map(_text, own)))
    others: dict[str, str] = {}
    for word in foreign:
        others[word["speaker"]] = f"{others.get(word['speaker'], '')} {_text(word)}".strip()
    weight = sum(max(len(p.text.split()), len(p.instead.split())) for p in pieces if p.kind != "right")
    return Mistake(
        start=true["start_time"],
        end=true["end_time"],
        speaker=str(true["speaker"]),
        pieces=pieces,
        others=others,
        weight=weight + (len(foreign) if not weight else 0),
        direction=_direction(true, own, segments),
    )


def _direction(true: Record, own: list[Record], segments: Sequence[Record]) -> float | None:
    """Return by how much the heard utterance that most own words are from is off, if it is too much."""
    ids = [word.get("utterance_id") for word in own]
    heard = next((s for s in segments if ids and s.get("utterance_id") == max(ids, key=ids.count)), None)
    if heard is None or heard.get("azimuth_deg") is None or true.get("azimuth_deg") is None:
        return None
    off = float(angular_distance(true["azimuth_deg"], heard["azimuth_deg"]))
    return off if off > GOOD_DIRECTION else None


def _in_silence(words: list[Record]) -> Iterator[Mistake]:
    groups: dict[Any, list[Record]] = {}
    for word in words:
        groups.setdefault((word["speaker"], word.get("utterance_id")), []).append(word)
    for (speaker, _), group in groups.items():
        text = " ".join(map(_text, group))
        yield Mistake(group[0]["start_time"], group[-1]["end_time"], "", (), {speaker: text}, len(group))


def _text(record: Record) -> str:
    """Return the word of a line of words.jsonl, or the words of a segment in its place."""
    return str(record.get("word") or record.get("words", ""))
