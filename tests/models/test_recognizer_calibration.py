from __future__ import annotations

import json

import numpy as np
import pytest
from hearing_datasets import packaged_clips, read_clip
from hearing_models.recognizer.calibration import HeardWords, fingerprint, fit, hear_words, held_out
from hearing_models.recognizer.evaluation import Trial

from hearing.recognition.calibration import FEATURES, FILE
from hearing.recognition.engines.support import own_weights
from hearing.recognition.streaming import StreamingRecognizer


def test_the_fit_finds_what_words_were_drawn_from() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal((2, -1, 0, 0, 0), (2, 1, 1, 1, 1), (20_000, 5))
    weights = np.array([0.8, 1.5, 0.0, -0.5, 0.2])
    right = rng.uniform(size=len(features)) < 1 / (1 + np.exp(-(0.3 + features @ weights)))
    found = fit(features, right)
    assert found.bias == pytest.approx(0.3, abs=0.15)
    assert found.weights == pytest.approx(weights, abs=0.1)


def test_nobody_is_judged_by_a_fit_to_his_own_words() -> None:
    """What tells right words from wrong ones is the other way around for one speaker."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4000, 5))
    speakers = np.array([f"s{number % 20:02d}" for number in range(4000)])
    odd = speakers == "s00"
    right = (features[:, 0] > 0) != odd
    likely = held_out(HeardWords(features, np.full(4000, 0.5), right, speakers))
    assert np.mean((likely[~odd] > 0.5) == right[~odd]) > 0.9
    assert np.mean((likely[odd] > 0.5) == right[odd]) < 0.1


def test_words_are_heard_in_chunks_and_as_a_whole() -> None:
    clip = packaged_clips()[0]
    trials = [
        Trial(read_clip(clip), clip.text or "", "clean", np.inf, "anna"),
        Trial(np.zeros(16_000, np.float32), "", "nobody", -np.inf),
    ]
    words = hear_words(StreamingRecognizer(own_weights()), trials, lambda *_: None)
    assert set(words.speakers) == {"anna"}
    assert words.features.shape == (len(words.right), len(FEATURES))
    assert len(words.right) == len(words.unfitted) > len((clip.text or "").split())
    assert words.right.mean() > 0.5


def test_the_confidences_were_fitted_to_the_networks_of_the_package() -> None:
    """Otherwise: python -m hearing_models.recognizer.calibration."""
    record = json.loads((own_weights() / FILE).read_text(encoding="utf-8"))
    assert record["network"] == fingerprint(own_weights())
    assert record["after"]["brier"] < record["before"]["brier"]
