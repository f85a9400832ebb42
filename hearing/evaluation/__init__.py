"""Scores of who said what, when, and from where, against the truth.

Metrics
-------
Words are compared after OpenAI's English text normalizer (`whisper_normalizer.english.EnglishTextNormalizer`) has been
applied to both sides: no case, punctuation or fillers, numbers and spellings in one form.

cpWER, tcpWER, ORC-WER
    Word errors as `meeteval` counts them: concatenated minimum permutation, the same with a collar of 5 s on the times
    of words, and optimal reference combination, which is blind to speakers.
attribution error
    Share of the recognized words that are given to the wrong speaker, see `hearing.evaluation.words`.
person count, identity switches
    How many speakers are told apart, and how often somebody becomes somebody else, see `hearing.evaluation.people`.
wrong face
    Share of the recognized words that are given to the wrong face, see `hearing.evaluation.faces`.
DER
    Diarization error without collar, overlaps scored, see `hearing.evaluation.diarization`.
direction error
    Degrees of azimuth, per 0.1 s and per utterance, see `hearing.evaluation.directions`.
latency
    Stream time between the end of a word and its first lasting partial, and its final result.
"""

from __future__ import annotations

from pathlib import Path

from hearing.evaluation.diarization import diarization_error_rate
from hearing.evaluation.directions import frame_errors, segment_errors
from hearing.evaluation.faces import face_error_rate
from hearing.evaluation.files import read_hypothesis, read_reference
from hearing.evaluation.people import identity_switches, person_count
from hearing.evaluation.report import render
from hearing.evaluation.score import Score
from hearing.evaluation.words import (
    attribution_error_rate,
    false_alarm_words,
    normalized,
    recognized_words,
    word_error_rates,
)

__all__ = ["Score", "evaluate", "render"]


def evaluate(reference: Path, hypothesis_dir: Path) -> Score:
    """Compare a folder that `hearing transcribe` wrote with the truth.

    Parameters
    ----------
    reference
        A recording folder, its `reference/` folder, or a segments.json.
    hypothesis_dir
        Folder with segments.json; words.jsonl, tracks.jsonl, faces.jsonl and timing.json are scored if they are there.

    Raises
    ------
    InputError
        If a file is missing, broken, or holds more than one session.
    """
    truth = read_reference(reference)
    hypothesis = read_hypothesis(hypothesis_dir)
    true_words, heard_words = normalized(truth.segments), normalized(hypothesis.segments)
    rates = word_error_rates(true_words, heard_words)
    recognized = recognized_words(true_words, heard_words)
    speakers = dict(rates.cp.assignment)
    return Score(
        cp=rates.cp,
        tcp=rates.tcp,
        orc=rates.orc,
        attribution=None if recognized is None else attribution_error_rate(recognized, speakers),
        diarization=diarization_error_rate(truth.segments, hypothesis.segments),
        hypothesis_words=sum(len(segment["words"].split()) for segment in hypothesis.segments),
        false_alarm_words=false_alarm_words(truth.segments, hypothesis.words),
        frame_direction_errors=frame_errors(truth.talkers, hypothesis.tracks),
        segment_direction_errors=segment_errors(truth.segments, hypothesis.segments),
        partial_latencies=_latencies(hypothesis.words, "emitted_partial"),
        final_latencies=_latencies(hypothesis.words, "emitted_final"),
        audio_seconds=hypothesis.audio_seconds,
        compute_seconds=hypothesis.compute_seconds,
        people=person_count(truth.segments, hypothesis.segments),
        switches=None if recognized is None else identity_switches(recognized),
        faces=None if recognized is None else face_error_rate(recognized, truth.faces, hypothesis.faces),
    )


def _latencies(words: list[dict[str, float]], event: str) -> tuple[float, ...]:
    return tuple(word[event] - word["end_time"] for word in words if word.get(event) is not None)
