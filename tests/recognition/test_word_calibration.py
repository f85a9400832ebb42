from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hearing_datasets import packaged_clips, read_clip

from hearing.errors import InputError
from hearing.recognition.calibration import FEATURES, FILE, Calibration, word_features
from hearing.recognition.ctc import to_letters
from hearing.recognition.engine import RecognizedWord
from hearing.recognition.engines.support import own_weights
from hearing.recognition.streaming import StreamingRecognizer
from hearing.types import Float32Array


def letters_of(text: str, sure: float = 0.9) -> Float32Array:
    """Every letter in three frames, then a blank."""
    path = [number for letter in to_letters(text) for number in (letter, letter, letter, 0)]
    probabilities = np.full((len(path), 29), (1 - sure) / 28)
    probabilities[np.arange(len(path)), path] = sure
    return np.log(probabilities).astype(np.float32)


def word(text: str, probability: float = 0.9) -> RecognizedWord:
    return RecognizedWord(text, 0.0, 0.1, probability)


def test_a_word_agrees_with_letters_that_spell_it() -> None:
    letters = letters_of("stop the press")
    right, wrong, impossible = (
        word_features([word("Stop"), word("the"), word(last)], letters)[:, FEATURES.index("letters")]
        for last in ("press.", "dress.", "press" * 40)
    )
    assert right == pytest.approx(np.log(0.9))
    assert wrong[:2] == pytest.approx(np.log(0.9))
    assert wrong[2] < right[2] - 0.5
    assert (impossible < -5).all()


def test_words_are_described_by_their_own_and_by_other_probabilities() -> None:
    words = [word("go", 0.5), word("on", 0.9), word("12", 1.0)]
    features = word_features(words, letters_of("go on twelve"))
    assert features.shape == (3, len(FEATURES))
    assert np.isfinite(features).all()
    own, following, whole, last = (
        features[:, FEATURES.index(name)] for name in ("decoder", "next", "utterance", "last")
    )
    assert own[:2] == pytest.approx([0.0, np.log(9)])
    assert following.tolist() == [own[1], own[2], own[2]]
    assert whole == pytest.approx(own.mean())
    assert last.tolist() == [0, 0, 1]


def test_better_evidence_makes_a_word_likelier() -> None:
    calibration = Calibration(-1.0, (0.5, 0.1, 0.2, 1.0, -0.3))
    words = [word("stop", 0.6)]
    plain, sure, unheard = (
        calibration.apply([one], letters)[0]
        for one, letters in (
            (words[0], letters_of("stop")),
            (word("stop", 0.95), letters_of("stop")),
            (words[0], letters_of("mill")),
        )
    )
    assert 0 < unheard.probability < plain.probability < sure.probability < 1
    assert (plain.text, plain.start, plain.end) == (words[0].text, words[0].start, words[0].end)


def test_it_is_read_from_beside_the_networks(tmp_path: Path) -> None:
    assert Calibration.beside(tmp_path) is None
    record = {"bias": 1, "weights": {name: number for number, name in enumerate(FEATURES)}}
    (tmp_path / FILE).write_text(json.dumps(record))
    assert Calibration.beside(tmp_path) == Calibration(1.0, tuple(map(float, range(len(FEATURES)))))
    for damaged in ("{", "[]", json.dumps({"bias": 1}), json.dumps({"bias": 1, "weights": {"letters": 1}})):
        (tmp_path / FILE).write_text(damaged)
        with pytest.raises(InputError, match="fit it anew"):
            Calibration.beside(tmp_path)


def test_only_probabilities_of_final_words_change() -> None:
    engine = StreamingRecognizer(own_weights())
    samples = read_clip(packaged_clips()[0])
    assert engine.calibration
    calibrated = engine.open().finish(samples)
    engine.calibration = None
    plain = engine.open().finish(samples)
    assert [(w.text, w.start, w.end) for w in calibrated.words] == [(w.text, w.start, w.end) for w in plain.words]
    assert all(one.probability != other.probability for one, other in zip(calibrated.words, plain.words, strict=True))
    assert all(0 < one.probability < 1 for one in calibrated.words)
