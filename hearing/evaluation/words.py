"""Word errors and attribution errors, computed with MeetEval."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from meeteval.io import SegLST
from meeteval.wer import (
    CPErrorRate,
    OrcErrorRate,
    cp_word_error_rate,
    greedy_orc_word_error_rate,
    orc_word_error_rate,
    time_constrained_minimum_permutation_word_error_rate,
    time_constrained_orc_wer,
)
from meeteval.wer.wer.time_constrained import align
from whisper_normalizer.english import EnglishTextNormalizer

from hearing.errors import InputError

COLLAR = 5.0
"""Seconds by which the time of a word may be off in tcpWER and in the attribution error."""

SILENCE_MARGIN = 0.5
"""Seconds around true speech in which a heard word is not yet a false alarm; times of words are not exact."""

# MeetEval takes the length of a segment for that of a word and warns that words longer than the collar look wrong.
logging.getLogger("preprocess").setLevel(logging.ERROR)

_MAX_SPEAKERS = 20  # MeetEval refuses more
_MAX_ORC_SPEAKERS = 10  # as well
_MAX_ORC_CELLS = 50_000_000  # about a second of the exact algorithm


@dataclass(frozen=True, slots=True)
class WordErrorRates:
    """Word errors as MeetEval counts them.

    Attributes
    ----------
    cp, tcp
        With speakers.
    orc
        Blind to speakers; None if there are too many heard speakers to compute it.
    """

    cp: CPErrorRate
    tcp: CPErrorRate
    orc: OrcErrorRate | None


@dataclass(frozen=True, slots=True)
class AttributionErrorRate:
    """Share of recognized words that are given to the wrong speaker.

    Attributes
    ----------
    errors
        Recognized words that the wrong speaker is said to have spoken.
    length
        Recognized words.
    """

    errors: int
    length: int

    @classmethod
    def zero(cls) -> AttributionErrorRate:
        """Return the neutral element of the sum."""
        return cls(0, 0)

    def __add__(self, other: AttributionErrorRate) -> AttributionErrorRate:
        """Combine two recordings."""
        return AttributionErrorRate(self.errors + other.errors, self.length + other.length)

    @property
    def error_rate(self) -> float | None:
        """Errors per recognized word, or None if no word was recognized."""
        return self.errors / self.length if self.length else None


@dataclass(frozen=True, slots=True)
class RecognizedWord:
    """A true word that was recognized.

    Attributes
    ----------
    speaker, time
        Who says it, and when it begins in about, in seconds.
    heard_speaker
        Who is said to have said it.
    face_id
        Whose face is said to have said it, if any.
    """

    speaker: str
    time: float
    heard_speaker: str
    face_id: str | None = None


def normalized(segments: list[dict[str, Any]]) -> SegLST:
    """Make a SegLST of one session with normalized words; segments without any are left out."""
    normalize = normalizer()
    records = [
        {
            "session_id": "session",
            "speaker": str(segment["speaker"]),
            "words": normalize(segment["words"]),
            "start_time": float(segment["start_time"]),
            "end_time": float(segment["end_time"]),
            "face_id": segment.get("face_id"),
        }
        for segment in segments
    ]
    return SegLST([record for record in records if record["words"]])


def word_error_rates(reference: SegLST, hypothesis: SegLST) -> WordErrorRates:
    """Compute cpWER, tcpWER with a collar of `COLLAR`, and ORC-WER of normalized segments.

    The exact ORC algorithm's cost is the product of the lengths of all speakers; where that is too much, MeetEval's
    greedy version takes its place, which finds an upper bound.

    Raises
    ------
    InputError
        If one side has more speakers than MeetEval maps.
    """
    for side, segments in (("reference", reference), ("hypothesis", hypothesis)):
        if (speakers := len(segments.groupby("speaker"))) > _MAX_SPEAKERS:
            raise InputError(
                f"{side}: {speakers} speakers, MeetEval maps at most {_MAX_SPEAKERS}; score a shorter recording"
            )
    return WordErrorRates(
        cp=cp_word_error_rate(reference, hypothesis),
        tcp=time_constrained_minimum_permutation_word_error_rate(reference, hypothesis, collar=COLLAR),
        orc=_orc_word_error_rate(reference, hypothesis),
    )


def recognized_words(reference: SegLST, hypothesis: SegLST) -> list[RecognizedWord] | None:
    """List the words that are recognized, and whose they are said to be.

    1. Each true segment is assigned to the heard speaker whose words fit it best at that time, blind to who spoke:
       MeetEval's time-constrained ORC alignment with a collar of `COLLAR`.
    2. The words of each heard speaker are aligned with the segments assigned to it. Words that are equal are the
       recognized ones.

    Parameters
    ----------
    reference, hypothesis
        Normalized segments.

    Returns
    -------
    The words in order of time, or None if there are too many heard speakers to align.
    """
    if not len(reference) or not len(hypothesis):
        return []
    streams = hypothesis.groupby("speaker")
    if len(streams) > _MAX_ORC_SPEAKERS:
        return None
    assignment = time_constrained_orc_wer(reference, hypothesis, collar=COLLAR).assignment
    words = []
    for heard_speaker, stream in streams.items():
        assigned = SegLST([segment for segment, to in zip(reference, assignment, strict=True) if to == heard_speaker])
        if not len(assigned):
            continue
        for true, heard in align(assigned, stream, collar=COLLAR, style="seglst"):
            if true is not None and heard is not None and true["words"] == heard["words"]:
                words.append(RecognizedWord(true["speaker"], true["start_time"], heard_speaker, heard["face_id"]))
    return sorted(words, key=lambda word: word.time)


def attribution_error_rate(
    words: Iterable[RecognizedWord], speakers: Mapping[str | None, str | None]
) -> AttributionErrorRate:
    """Count recognized words that are given to the wrong speaker.

    Parameters
    ----------
    words
        Recognized words.
    speakers
        Heard speaker by true speaker, from cpWER's permutation; a word is wrong if it is given to another one.

    >>> words = [RecognizedWord("anna", 0.0, "1"), RecognizedWord("ben", 1.0, "1")]
    >>> attribution_error_rate(words, {"anna": "1", "ben": "2"})
    AttributionErrorRate(errors=1, length=2)
    """
    right = [speakers.get(word.speaker) == word.heard_speaker for word in words]
    return AttributionErrorRate(right.count(False), len(right))


def false_alarm_words(reference: list[dict[str, Any]], words: list[dict[str, Any]]) -> int:
    """Count heard words that lie more than `SILENCE_MARGIN` from all true speech.

    Parameters
    ----------
    reference
        True segments.
    words
        Records of words.jsonl, or segments, whose words count together.
    """
    return sum(
        len((word.get("word") or word.get("words", "")).split())
        for word in words
        if not any(
            word["start_time"] < segment["end_time"] + SILENCE_MARGIN
            and word["end_time"] > segment["start_time"] - SILENCE_MARGIN
            for segment in reference
        )
    )


def _orc_word_error_rate(reference: SegLST, hypothesis: SegLST) -> OrcErrorRate | None:
    lengths: Counter[str] = Counter()
    for segment in hypothesis:
        lengths[segment["speaker"]] += len(segment["words"].split())
    if len(lengths) > _MAX_ORC_SPEAKERS:
        return None
    true_words = sum(len(segment["words"].split()) for segment in reference)
    cells = true_words * math.prod(length + 1 for length in lengths.values())
    compute = orc_word_error_rate if cells <= _MAX_ORC_CELLS else greedy_orc_word_error_rate
    if not lengths:
        # MeetEval 0.4.3 fails on an empty hypothesis: its dummy speaker does not survive the consistency check
        return OrcErrorRate(true_words, true_words, 0, true_words, 0, None, None, ("",) * len(reference))
    return compute(reference, hypothesis)


@cache
def normalizer() -> EnglishTextNormalizer:
    """Return what brings both sides into the form in which words are compared."""
    return EnglishTextNormalizer()
