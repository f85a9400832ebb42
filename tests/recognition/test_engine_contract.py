"""What holds for every engine, on real speech; docs/engines.md says how an engine gets in here."""

from __future__ import annotations

import os
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hearing_datasets import packaged_clips, read_clip

from hearing.errors import InputError
from hearing.recognition.engine import Hypothesis, Recognition, StreamingEngine
from hearing.recognition.engines import engine_names, load_engine
from hearing.recognition.text import matches, normalize, normalized
from hearing.types import SAMPLE_RATE, Float32Array

BLOCK = SAMPLE_RATE // 10
PACKAGED = ("hearing", "moonshine", "whisper-base", "faster-whisper", "faster-whisper-tiny.en", "pocketsphinx")


def follow(engine: StreamingEngine, samples: Float32Array) -> tuple[list[Hypothesis], Recognition]:
    """Everything that an engine says about audio that arrives in blocks."""
    utterance = engine.open()
    hypotheses = []
    for begin in range(0, len(samples), BLOCK):
        utterance.accept(samples[begin : begin + BLOCK])
        if utterance.pending:
            hypotheses.append(utterance.advance())
            assert utterance.pending == 0
    return hypotheses, utterance.finish()


@pytest.fixture(scope="module", params=engine_names())
def engine(request: pytest.FixtureRequest) -> StreamingEngine:
    if request.param in PACKAGED:
        return load_engine(request.param, threads=1)
    folder = Path(os.environ.get("HEARING_MODELS", os.devnull)) / request.param
    if not folder.is_dir():
        pytest.skip(f"no model in $HEARING_MODELS/{request.param}")
    return load_engine(request.param, folder, threads=1)


@pytest.fixture(scope="module")
def spoken() -> str:
    return "What are you talking about?"


@pytest.fixture(scope="module")
def clip(spoken: str) -> Float32Array:
    return next(read_clip(clip) for clip in packaged_clips() if clip.text == spoken)


@pytest.fixture(scope="module")
def heard(engine: StreamingEngine, clip: Float32Array) -> tuple[list[Hypothesis], Recognition]:
    return follow(engine, clip)


def test_most_words_are_heard(heard: tuple[list[Hypothesis], Recognition], spoken: str) -> None:
    expected = [normalize(word) for word in spoken.split()]
    assert len(matches(normalized(heard[1].words), expected)) > len(expected) / 2


def test_same_audio_gives_the_same_words_whatever_else_is_heard(
    engine: StreamingEngine, heard: tuple[list[Hypothesis], Recognition], clip: Float32Array
) -> None:
    silence, again = engine.open(), engine.open()
    silence.accept(np.zeros(SAMPLE_RATE, np.float32))
    for start in range(0, len(clip), BLOCK):
        again.accept(clip[start : start + BLOCK])
    assert len(silence.finish().words) <= 6
    assert again.finish() == heard[1]


def test_no_audio_has_no_words(engine: StreamingEngine) -> None:
    utterance = engine.open()
    assert utterance.pending == 0
    assert utterance.advance() == Hypothesis()
    assert utterance.finish().words == ()


def test_words_are_in_order_and_within_the_audio(
    heard: tuple[list[Hypothesis], Recognition], clip: Float32Array
) -> None:
    hypotheses, final = heard
    for words in (final.words, *(shown.committed + shown.tentative for shown in hypotheses)):
        assert all(0 <= word.start <= word.end <= len(clip) / SAMPLE_RATE for word in words)
        assert all(first.end <= second.start for first, second in pairwise(words))
        assert all(0 < word.probability <= 1 for word in words)
        assert all(word.text == word.text.strip() and normalize(word.text) for word in words)


def test_committed_words_only_grow(heard: tuple[list[Hypothesis], Recognition]) -> None:
    hypotheses, _ = heard
    assert hypotheses
    for before, after in pairwise(hypotheses):
        assert after.committed[: len(before.committed)] == before.committed


def test_nobody_speaks_faster_than_six_words_a_second(
    heard: tuple[list[Hypothesis], Recognition], clip: Float32Array
) -> None:
    assert 0 < len(heard[1].words) <= 6 * len(clip) / SAMPLE_RATE


def test_phrases_are_taken_or_refused(engine: StreamingEngine) -> None:
    with nullcontext() if engine.takes_phrases else pytest.raises(InputError):
        engine.bias(["torque wrench"])
    engine.bias([])
