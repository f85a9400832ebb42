"""The project's own engine with its own weights, on recorded sentences."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hearing_datasets import Clip, packaged_clips, read_clip
from hearing_datasets.text import normalized_text
from meeteval.wer import siso_word_error_rate

from hearing.bench.recognizer_listening import peak_memory
from hearing.errors import InputError
from hearing.recognition.encoder import CHUNK
from hearing.recognition.engines.support import own_weights
from hearing.recognition.streaming import StreamingRecognizer, timed
from hearing.recognition.text import normalized
from hearing.types import SAMPLE_RATE, Float32Array

CLIPS = packaged_clips()


@pytest.fixture(scope="module")
def engine() -> StreamingRecognizer:
    return StreamingRecognizer(own_weights())


@pytest.fixture(autouse=True)
def nothing_expected(engine: StreamingRecognizer) -> None:
    engine.bias([])


def test_final_words_are_right(engine: StreamingRecognizer) -> None:
    errors = words = 0
    for clip in CLIPS:
        stream = engine.open()
        samples = read_clip(clip)
        stream.accept(samples)
        score = siso_word_error_rate(normalized_text(clip.text or ""), normalized_text(stream.finish(samples).text))
        errors, words = errors + score.errors, words + score.length
    assert errors < 0.15 * words


@pytest.mark.parametrize("block", [160, 1024, 16_000])
def test_blocks_make_no_difference(engine: StreamingRecognizer, block: int) -> None:
    samples = read_clip(CLIPS[0])
    assert _streamed(engine, samples, block) == _streamed(engine, samples, len(samples))


def test_words_stay_while_the_utterance_goes_on(engine: StreamingRecognizer) -> None:
    for clip in CLIPS[1:4]:
        stream = engine.open()
        committed: list[list[str]] = []
        shown = 0
        samples = read_clip(clip)
        for start in range(0, len(samples), 1024):
            stream.accept(samples[start : start + 1024])
            if stream.pending > 0:
                hypothesis = stream.advance()
                committed.append(normalized(hypothesis.committed))
                shown = len(hypothesis.committed) + len(hypothesis.tentative)
                assert stream.pending == 0
        for earlier, later in pairwise(committed):
            assert later[: len(earlier)] == earlier
        assert shown > len((clip.text or "").split()) / 2


def test_nothing_is_computed_before_a_chunk_is_complete(engine: StreamingRecognizer) -> None:
    stream = engine.open()
    stream.accept(np.zeros(SAMPLE_RATE // 5, np.float32))
    assert stream.pending == 0
    stream.accept(np.zeros(SAMPLE_RATE, np.float32))
    assert stream.pending == pytest.approx(3 * CHUNK / 50)


def test_an_utterance_beyond_what_the_network_can_place_is_heard_as_far_as_it_can(engine: StreamingRecognizer) -> None:
    clip = read_clip(CLIPS[1])
    samples = np.concatenate([clip, np.zeros(32 * SAMPLE_RATE - len(clip), np.float32)])
    stream = engine.open()
    for start in range(0, len(samples), SAMPLE_RATE):
        stream.accept(samples[start : start + SAMPLE_RATE])
        if stream.pending > 0:
            stream.advance()
    assert stream.pending == 0
    assert stream.finish().words
    assert engine.open().finish(samples).words


def test_words_are_timed_where_they_are_said(engine: StreamingRecognizer) -> None:
    clip = CLIPS[0]
    samples = read_clip(clip)
    silence = np.zeros(2 * SAMPLE_RATE, np.float32)
    late = engine.open().finish(np.concatenate([silence, samples]))
    early = engine.open().finish(samples)
    assert normalized(late.words) == normalized(early.words)
    shifts = [second.start - first.start for first, second in zip(early.words, late.words, strict=True)]
    np.testing.assert_allclose(shifts, 2.0, atol=0.25)
    for word, following in pairwise(early.words):
        assert 0 <= word.start < word.end <= following.start + 0.1
    assert early.words[-1].end <= len(samples) / SAMPLE_RATE


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.3, 4.0])
@pytest.mark.parametrize("level", [0.0, 0.05])
def test_noise_and_silence_say_nothing(engine: StreamingRecognizer, seconds: float, level: float) -> None:
    noise = level * np.random.default_rng(0).standard_normal(round(seconds * SAMPLE_RATE)).astype(np.float32)
    stream = engine.open()
    stream.accept(noise)
    assert not stream.finish().words
    assert not engine.open().finish(noise).words


def test_a_phrase_that_is_expected_is_heard_instead_of_one_that_sounds_alike(engine: StreamingRecognizer) -> None:
    clip = next(clip for clip in CLIPS if "despair" in (clip.text or ""))
    words = ("winter", "wind")
    heard = {}
    for expected in words:
        engine.bias([f"{expected} of despair"])
        heard[expected] = _final(engine, clip)
    assert all(f"{expected} of despair" in text for expected, text in heard.items())
    assert all("of hope" in text for text in heard.values())


def test_phrases_do_not_change_what_is_plainly_something_else(engine: StreamingRecognizer) -> None:
    plain = [_final(engine, clip) for clip in CLIPS[:4]]
    engine.bias(["forklift", "bay four", "Miguel", "P-101", "torque wrench"])
    assert [_final(engine, clip) for clip in CLIPS[:4]] == plain


def test_a_phrase_of_signs_alone_is_refused(engine: StreamingRecognizer) -> None:
    with pytest.raises(InputError, match="letters"):
        engine.bias(["...", "stop"])


def test_a_robot_has_the_memory_for_it() -> None:
    assert peak_memory("hearing", None, read_clip(CLIPS[1])) < 480e6


def test_letters_that_do_not_fit_are_spread() -> None:
    letters = np.log(np.full((3, 29), 1 / 29, np.float32))
    words = timed([("hello", 0.5), ("there", 0.7)], letters, 0.06)
    assert [word.text for word in words] == ["hello", "there"]
    assert words[-1].end == pytest.approx(0.06)


def _streamed(engine: StreamingRecognizer, samples: Float32Array, block: int) -> list[tuple[str, float, float]]:
    stream = engine.open()
    for start in range(0, len(samples), block):
        stream.accept(samples[start : start + block])
        if stream.pending > 0:
            stream.advance()
    return [(word.text, round(word.start, 3), round(word.end, 3)) for word in stream.finish().words]


def _final(engine: StreamingRecognizer, clip: Clip) -> str:
    return engine.open().finish(read_clip(clip)).text
