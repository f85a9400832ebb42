"""The decoder's greedy way through an utterance, with the project's own weights."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hearing_datasets import packaged_clips, read_clip

from hearing.recognition.decoder import Decoded
from hearing.recognition.engines.support import own_weights
from hearing.recognition.mel import log_mel
from hearing.recognition.streaming import StreamingRecognizer
from hearing.types import SAMPLE_RATE, Float32Array

Heard = tuple[Float32Array, Float32Array, float]
CLIPS = packaged_clips()


@pytest.fixture(scope="module")
def engine() -> StreamingRecognizer:
    return StreamingRecognizer(own_weights())


@pytest.fixture(scope="module")
def heard(engine: StreamingRecognizer) -> Heard:
    return _heard(engine, read_clip(CLIPS[0]))


def test_what_was_written_before_is_written_again_in_few_steps(engine: StreamingRecognizer) -> None:
    n_tokens = n_steps = 0
    for clip in CLIPS[:5]:
        heard = _heard(engine, read_clip(clip))
        written = engine.decoder.write_on(Decoded(), *heard)
        with patch.object(engine.decoder, "_step", wraps=engine.decoder._step) as step:
            again = engine.decoder.write_on(written.cut(2), *heard)
        # Where two texts are as likely as each other, rounding decides, so they need not be the same.
        assert again.ended
        assert np.mean(again.log_probabilities) == pytest.approx(np.mean(written.log_probabilities), abs=0.1)
        n_tokens, n_steps = n_tokens + len(written.tokens), n_steps + step.call_count
    assert n_steps < n_tokens / 2


def test_what_is_tried_in_vain_is_not_written(engine: StreamingRecognizer, heard: Heard) -> None:
    written = engine.decoder.write_on(Decoded(), *heard)
    prefix = Decoded(written.tokens[:3], written.log_probabilities[:3], rest=(written.tokens[3], 1, 2, 3))
    again = engine.decoder.write_on(prefix, *heard)
    assert again.ended
    assert again.tokens[:3] == written.tokens[:3]
    assert not {1, 2, 3} & set(again.tokens)
    assert np.mean(again.log_probabilities) == pytest.approx(np.mean(written.log_probabilities), abs=0.1)


@pytest.mark.parametrize("period", [1, 3])
def test_a_text_that_loops_is_given_up(engine: StreamingRecognizer, heard: Heard, period: int) -> None:
    loop = iter(range(1000))

    def step(tokens, past, heard, read=1):  # type: ignore[no-untyped-def]
        log_probabilities = np.full((1, read, 500), -10.0, np.float32)
        log_probabilities[:, :, next(loop) % period] = 0
        return log_probabilities, past

    with patch.object(engine.decoder, "_step", step):
        written = engine.decoder.write_on(Decoded(), heard[0], heard[1], 30.0)
    assert not written.ended
    assert len(written.tokens) == 12


def test_the_search_is_at_least_as_sure_as_the_greedy_way(engine: StreamingRecognizer, heard: Heard) -> None:
    greedy = engine.decoder.write_on(Decoded(), *heard)
    best, *others = engine.decoder.search(*heard)
    assert best.score > np.mean(greedy.log_probabilities) - 0.02
    assert all(best.score >= other.score for other in others)


def _heard(engine: StreamingRecognizer, samples: Float32Array) -> Heard:
    return *engine.encoder.with_silence(engine.encoder.whole(log_mel(samples))), len(samples) / SAMPLE_RATE
