"""Fitting how sure to be that a word is spotted, on made-up judges."""

from __future__ import annotations

import numpy as np
from hearing_models.recognizer.calls import ALIKE, CALLS, COMMAND, call_of, draw_call
from hearing_models.recognizer.speech import Speech
from hearing_models.recognizer.spotting import ALARMS, Tries, choose_words, fit_model, judge

from hearing.dialogue.emergency import WORDS, EmergencyWords
from hearing.recognition.engines.support import own_weights
from hearing.recognition.spotting import SpottingModel


def made_up(number: int, seed: int) -> Tries:
    """Words that are said get a better mark from the decoder, and a slightly better one from the letters."""
    rng = np.random.default_rng(seed)
    said = rng.uniform(size=number) < 0.3
    letters = rng.integers(3, 12, number)
    features = np.stack(
        [
            rng.normal(np.where(said, -1, -7), 1.5),
            rng.normal(np.where(said, -2, -3), 1.0),
            rng.normal(-4, 1, number),
            letters,
        ],
        axis=1,
    )
    speakers = np.array(["a", "b"])[rng.integers(0, 2, number)]
    asked = {(name, n): int(np.sum(said & (speakers == name) & (letters == n))) for name in "ab" for n in range(3, 12)}
    return Tries(features, said, letters, speakers, asked, {(name, n): 4.0 for name in "ab" for n in range(3, 12)})


def test_the_judge_that_tells_words_apart_counts_most() -> None:
    model = fit_model(made_up(3000, 0))
    decoder, ratio, posterior, letters = model.weights
    assert decoder > ratio > abs(posterior)
    assert abs(letters) < ratio


def test_false_alarms_are_about_as_rare_as_asked() -> None:
    found = judge(fit_model(made_up(3000, 0)), made_up(3000, 1))
    assert found.missed < 0.1 * found.said
    assert found.alarms <= 4 * ALARMS * found.hours


def test_tries_of_some_speakers() -> None:
    tries = made_up(100, 2)
    part = tries.of({"a"})
    assert set(part.speakers) == {"a"}
    assert {name for name, _ in part.asked} == {name for name, _ in part.hours} == {"a"}


def test_words_are_chosen_from_what_is_said() -> None:
    speech = [
        Speech(np.zeros(1, np.int16), "", text, "a", "") for text in ("bring it over here", "go to the window now")
    ]
    words = choose_words(speech, 5)
    assert len(set(words)) == 5
    assert all(any(word in one.spoken for one in speech) for word in words)


def test_calls_are_what_they_are_said_to_be() -> None:
    for call in CALLS:
        found = EmergencyWords().find(call.text)
        assert (found is not None) == (call.kind == COMMAND) or call.word, call
        assert call.word in (*WORDS, "")
        assert call_of(call.text).text == call.text
        assert not (call.kind == ALIKE and call.word)
    assert call_of(draw_call(np.random.default_rng(0)).written) in CALLS


def test_the_package_knows_how_sure_to_be() -> None:
    model = SpottingModel.beside(own_weights())
    assert model is not None
    assert model.weights[0] > 0
