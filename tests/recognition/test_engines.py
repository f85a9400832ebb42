from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from hearing.errors import InputError
from hearing.recognition.engine import Engine, Recognition, spread
from hearing.recognition.moonshine import read_tokenizer
from hearing.recognition.text import normalize
from hearing.recognition.whisper import Whisper
from hearing.types import SAMPLE_RATE, Float32Array

from .conftest import SPOKEN


@pytest.fixture(params=["moonshine", "whisper"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.getfixturevalue(request.param)


def test_tokenizer_reads_lengths_of_one_and_two_bytes(tmp_path: Path) -> None:
    long = b"x" * 300
    path = tmp_path / "tokenizer.bin"
    path.write_bytes(b"\x02hi" + b"\x00" + bytes([0x80 | 300 % 128, 300 // 128]) + long + b"\x01!")
    assert read_tokenizer(path) == [b"hi", b"", long, b"!"]


@pytest.mark.parametrize("content", [b"\x03hi", b"\x81", b"\x81\x01x"])
def test_truncated_tokenizer_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokenizer.bin"
    path.write_bytes(content)
    with pytest.raises(InputError, match="ends within token 0"):
        read_tokenizer(path)


def test_real_speech(engine: Engine, beckett: Float32Array) -> None:
    recognition = engine.transcribe(beckett)
    heard = " ".join(normalize(word.text) for word in recognition.words)
    assert heard == SPOKEN or heard == SPOKEN.replace("ever tried", "ever try")
    assert all(word.text == word.text.strip() for word in recognition.words)
    assert all(0 < word.probability <= 1 for word in recognition.words)
    assert recognition.avg_logprob > -0.6


def test_word_times_are_ordered_and_within_the_audio(engine: Engine, beckett: Float32Array) -> None:
    words = engine.transcribe(beckett).words
    assert words[0].start >= 0
    assert all(word.start < word.end for word in words)
    assert all(first.end <= second.start for first, second in pairwise(words))
    assert words[-1].end <= len(beckett) / SAMPLE_RATE


def test_whisper_times_words_by_the_sound(whisper: Whisper, beckett: Float32Array) -> None:
    """Silence is 0.3 s or more between the six sentences, and none of the words lies in it."""
    words = whisper.transcribe(beckett).words
    for word in words:
        stretch = beckett[int(word.start * SAMPLE_RATE) : int(word.end * SAMPLE_RATE)]
        assert np.sqrt(np.mean(stretch**2)) > 0.3 * np.sqrt(np.mean(beckett**2)), word


def test_same_audio_gives_the_same_words(engine: Engine, beckett: Float32Array) -> None:
    stretch = beckett[: 3 * SAMPLE_RATE]
    assert engine.transcribe(stretch) == engine.transcribe(stretch)


def test_quiet_speech_is_heard_like_loud_speech(engine: Engine, beckett: Float32Array) -> None:
    loud = engine.transcribe(beckett)
    quiet = engine.transcribe(beckett / 300)
    assert [normalize(word.text) for word in quiet.words] == [normalize(word.text) for word in loud.words]


@pytest.mark.parametrize("length", [0, 1, 200, 1599])
def test_too_short_for_a_word(engine: Engine, length: int) -> None:
    assert engine.transcribe(np.ones(length, np.float32)) == Recognition()


@pytest.mark.parametrize("length", [1600, 1601, 2000])
def test_very_short_audio_is_no_error(engine: Engine, beckett: Float32Array, length: int) -> None:
    # What a recognizer invents here differs from one processor to the next; the guards withhold it.
    assert len(engine.transcribe(beckett[16000 : 16000 + length]).words) <= 6


def test_noise_cannot_make_an_engine_run_away(engine: Engine) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 4 * SAMPLE_RATE).astype(np.float32)
    assert len(engine.transcribe(noise).text) < 400


def test_whisper_refuses_more_than_its_window(whisper: Whisper) -> None:
    with pytest.raises(ValueError, match="at most 30 s"):
        whisper.transcribe(np.zeros(31 * SAMPLE_RATE, np.float32))


def test_whisper_hears_a_full_window(whisper: Whisper, beckett: Float32Array) -> None:
    words = whisper.transcribe(np.resize(beckett, 30 * SAMPLE_RATE)).words
    assert len(words) > 2 * len(SPOKEN.split())
    assert words[-1].end <= 30


def test_repetition_is_seen_in_the_compression_ratio() -> None:
    plain = Recognition(spread(SPOKEN.split(), [1.0] * 12, 10.0))
    looping = Recognition(spread(["again"] * 60, [1.0] * 60, 10.0))
    assert Recognition().compression_ratio == 0
    assert plain.compression_ratio < 2.4 < looping.compression_ratio


def test_spread_shares_the_duration_by_letters() -> None:
    short, long = spread(["no", "matter"], [0.5, 0.25], 5.0)
    assert (short.start, short.end, long.end) == (0.0, 1.5, 5.0)
    assert (short.probability, long.probability) == (0.5, 0.25)
