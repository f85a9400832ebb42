"""Visemes that words need, and mouths that say them."""

import json

import numpy as np
import pytest

from hearing.errors import InputError
from hearing.types import SourceAudio, Word
from hearing.vision.face import LipState
from hearing.vision.lips import own_weights
from hearing.vision.synchrony import N_POINT, READ_LATE, Synchrony, word_agreement
from hearing.vision.visemes import FILE, N_VISEMES, STEP, Spelled, Spelling

CLOSED, TEETH = 8, 9  # B M P and F V


def words(*texts, start=1.0, long=0.4):
    times = start + long * np.arange(len(texts) + 1)
    return [Word(text, a, b, 0.9, b) for text, a, b in zip(texts, times, times[1:], strict=False)]


SAID, OTHER = (
    words(*["people", "move", "the", "bamboo", "before", "five"]),
    words(*["she", "sells", "cheese", "at", "each", "shiny", "shop"]),
)


def mouth(said, times):
    """Likelihood ratios of visemes of a mouth that says words, not quite clearly."""
    at, visemes = Spelling.beside(own_weights()).expect(said)
    seen = np.stack([np.interp(times, at + READ_LATE, column, 0, 0) for column in visemes.T], axis=1)
    return (0.5 + 0.5 * N_VISEMES * seen).astype(np.float32)


def test_phonemes_share_their_word():
    said = Spelled.of([("moped", 1.0, 2.0), ("fine", 2.5, 2.9)])
    assert said.symbols[0] == "m"
    assert (said.starts[1:] >= said.ends[:-1] - 1e-9).all()
    assert said.starts[0] == 1.0
    assert said.ends[-1] == pytest.approx(2.9)
    shares = said.shares(np.array([0.0, 1.5, 2.25, 2.7, 4.0])).sum(axis=1)
    np.testing.assert_allclose(shares, [0, 1, 0, 1, 0], atol=0.01)


def test_closed_lips_are_expected_where_they_are_said():
    times, visemes = Spelling.beside(own_weights()).expect(words("mom", long=0.6))
    assert set(np.round(visemes.sum(axis=1), 3)) <= {0.0, 1.0}
    first, middle, last = (visemes[np.abs(times - at).argmin(), CLOSED] for at in (1.02, 1.27, 1.55))
    assert min(first, last) > 0.7 > middle + 0.3
    _, visemes = Spelling.beside(own_weights()).expect(words("five"))
    assert visemes[:, TEETH].max() > 0.7


def test_nothing_is_expected_in_pauses_and_of_what_cannot_be_said():
    spelling = Spelling.beside(own_weights())
    times, visemes = spelling.expect([Word("one", 1.0, 1.3, 1.0, 1.3), Word("two", 2.3, 2.6, 1.0, 2.6)])
    assert not visemes[(times > 1.5) & (times < 2.0)].any()
    assert np.allclose(np.diff(times), STEP)
    for nothing in ([], words("...")):
        times, visemes = spelling.expect(nothing)
        assert times.shape == (0,)
        assert visemes.shape == (0, N_VISEMES)


def test_a_mouth_agrees_with_what_it_says_however_it_looks():
    times = np.arange(1.0, 3.4, STEP)
    weight = np.full(len(times), STEP)
    spelling = Spelling.beside(own_weights())
    looks = np.exp(np.random.default_rng(0).normal(0, 0.5, N_VISEMES)).astype(np.float32)
    for habit in (np.ones(N_VISEMES, np.float32), looks):
        seen = mouth(SAID, times) * habit
        found = []
        for said in (SAID, OTHER):
            at, visemes = spelling.expect(said)
            expected = np.stack([np.interp(times - READ_LATE, at, column) for column in visemes.T], axis=1)
            found.append(word_agreement(seen, expected.astype(np.float32), weight))
        (own, seconds), (other, _) = found
        assert own > other + 0.3
        assert seconds == pytest.approx(2.4, abs=0.3)


def test_words_tell_whose_mouth_says_them():
    synchrony = Synchrony()
    times = np.arange(0.5, 4.5, STEP)
    for time in times:
        states = [
            LipState(name, time, 0.9, np.concatenate([np.zeros(N_POINT, np.float32), mouth(said, time[None])[0]]))
            for name, said in (("face_1", SAID), ("face_2", OTHER))
        ]
        synchrony.see(states)
    quiet = np.full(4 * 16000, 1e-4, np.float32)
    synchrony.hear([SourceAudio(7, quiet, quiet, np.ones(250, np.float32), 0)])

    def ratios():
        return [synchrony.log_ratio(face, 7, 1.0, 3.5) for face in ("face_1", "face_2")]

    before = ratios()
    assert before[0] == before[1]
    synchrony.read("utterance_1", 7, OTHER[:2])
    synchrony.read("utterance_1", 7, SAID)
    own, other = ratios()
    assert own > max(before[0], other) + 1.0
    synchrony.read("utterance_2", 8, OTHER)
    assert ratios() == [own, other]
    synchrony.read("utterance_1", 7, ())
    assert ratios() == before
    synchrony.read("utterance_1", 7, SAID)
    synchrony.reset()
    assert not synchrony._said


def test_missing_visemes_are_named(tmp_path):
    with pytest.raises(InputError, match="no visemes of words"):
        Spelling.beside(tmp_path)
    for content in ({"visemes": {"a": [1.0]}}, {"visemes": [1]}, {}):
        (tmp_path / FILE).write_text(json.dumps(content))
        with pytest.raises(InputError, match="no visemes of words"):
            Spelling.beside(tmp_path)
