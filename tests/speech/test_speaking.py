from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearing.errors import InputError
from hearing.speech import Speaking
from hearing.types import SAMPLE_RATE, Float32Array

from .conftest import clause_of

WORDS = (("Bay", 0.1, 0.3), ("four,", 0.3, 0.6), ("not", 0.7, 0.9), ("five.", 0.9, 1.2))
CLAUSE = clause_of(*WORDS, duration=1.4)
FADE = Speaking.FADE


def seconds(time: float) -> int:
    return round(time * SAMPLE_RATE)


def started() -> Speaking:
    speaking = Speaking()
    speaking.add(CLAUSE)
    return speaking


@settings(deadline=None)
@given(st.lists(st.integers(0, 5000), max_size=30))
def test_blocks_change_nothing(sizes: list[int]) -> None:
    speaking = started()
    played = np.concatenate([np.zeros(0, np.float32), *(speaking.advance(size) for size in sizes)])
    total = sum(sizes)
    np.testing.assert_array_equal(played[: len(CLAUSE.samples)], CLAUSE.samples[:total])
    assert not played[len(CLAUSE.samples) :].any()
    said = [text for text, _, end in WORDS if seconds(end) <= total]
    assert speaking.said().split() == said
    assert speaking.unsaid().split() == [text for text, _, _ in WORDS[len(said) :]]
    assert speaking.time == total / SAMPLE_RATE


def test_words_have_stream_times() -> None:
    speaking = Speaking(start_sample=seconds(10))
    speaking.advance(seconds(0.5))  # nothing is ready yet
    speaking.add(CLAUSE)
    speaking.advance(seconds(0.8))
    words = speaking.words()
    assert [(word.text, word.complete) for word in words] == [("Bay", True), ("four,", True), ("not", False)]
    np.testing.assert_allclose([word.start_time for word in words], [10.6, 10.8, 11.2])
    np.testing.assert_allclose([word.end_time for word in words], [10.8, 11.1, 11.4])


def test_what_a_device_holds_back_is_not_heard() -> None:
    speaking = started()
    speaking.advance(seconds(1.3))
    assert speaking.said() == "Bay four, not five."
    assert speaking.said(until=0.65) == "Bay four,"
    assert speaking.unsaid(until=0.65) == "not five."
    assert [(word.text, word.complete) for word in speaking.words(until=0.75)][-1] == ("not", False)


def test_clauses_follow_each_other_without_a_gap() -> None:
    speaking = started()
    second = clause_of(("Go.", 0.0, 0.2), duration=0.3, seed=1)
    speaking.advance(seconds(1.0))
    speaking.add(second)
    played = speaking.advance(seconds(0.7))
    np.testing.assert_array_equal(played, np.concatenate([CLAUSE.samples[seconds(1.0) :], second.samples]))
    assert speaking.said() == "Bay four, not five. Go."
    assert speaking.remaining == 0


def test_stop_fades_and_the_rest_stays_unsaid() -> None:
    speaking = started()
    speaking.advance(seconds(0.5))
    speaking.stop()
    assert speaking.remaining == 0
    played = speaking.advance(seconds(2))
    assert np.all(np.abs(played[:FADE]) <= np.abs(CLAUSE.samples[seconds(0.5) :][:FADE]))
    assert not played[FADE:].any()
    assert not speaking.sounding
    speaking.add(clause_of(("More.", 0.0, 0.2), duration=0.3))
    speaking.resume()
    assert not speaking.advance(1000).any()
    assert (speaking.said(), speaking.unsaid()) == ("Bay", "four, not five. More.")


@settings(deadline=None)
@given(st.integers(0, seconds(1.5)), st.integers(100, 4000))
def test_a_pause_loses_nothing(at: int, block: int) -> None:
    speaking = started()
    speaking.advance(at)
    speaking.pause()
    paused = speaking.advance(seconds(0.5))
    assert not paused[FADE:].any()
    cut = [word.text for word in speaking.words() if not word.complete]
    speaking.resume()
    played = np.concatenate([speaking.advance(block) for _ in range(seconds(2) // block + 1)])
    assert speaking.said() == CLAUSE.text
    words = speaking.words()
    assert all(first.end_time <= second.start_time + 1e-9 for first, second in pairwise(words))
    if cut:  # the word that was cut short is said again as a whole, after the pause
        word = next(word for word in words if word.text == cut[0])
        assert word.start_time >= (at + seconds(0.5)) / SAMPLE_RATE
        begin = seconds(word.start_time) - at - seconds(0.5)
        start, end = next((seconds(start), seconds(end)) for text, start, end in WORDS if text == cut[0])
        full = slice(begin + FADE, begin + end - start)
        np.testing.assert_allclose(played[full], CLAUSE.samples[start + FADE : end], atol=1e-6)


def test_a_pause_that_is_taken_back_at_once_is_no_pause() -> None:
    speaking = started()
    speaking.advance(1000)
    speaking.pause()
    speaking.resume()
    np.testing.assert_array_equal(speaking.advance(1000), CLAUSE.samples[1000:2000])


def test_paused_before_the_first_word() -> None:
    speaking = Speaking()
    speaking.pause()
    speaking.add(CLAUSE)
    assert not speaking.advance(5000).any()
    assert (speaking.said(), speaking.words()) == ("", ())
    speaking.resume()
    speaking.advance(seconds(1.4))
    assert speaking.said() == CLAUSE.text


def gains(speaking: Speaking, n_samples: int, start: int) -> Float32Array:
    return speaking.advance(n_samples) / CLAUSE.samples[start : start + n_samples]


def test_ducking_is_a_ramp_and_words_go_on() -> None:
    speaking = started()
    speaking.advance(4000)
    speaking.duck(-20)
    ducked = gains(speaking, 4000, 4000)
    speaking.resume()
    back = gains(speaking, 4000, 8000)
    np.testing.assert_allclose(ducked[FADE:], 0.1, rtol=1e-4)
    np.testing.assert_allclose(back[FADE:], 1.0, rtol=1e-4)
    steps = np.abs(np.diff(np.concatenate([[1.0], ducked, back])))
    assert steps.max() <= 1.01 / FADE
    assert speaking.said() == "Bay four,"


@pytest.mark.parametrize("gain_db", [0.0, 6.0, float("nan")])
def test_a_gain_that_does_not_duck_is_refused(gain_db: float) -> None:
    with pytest.raises(InputError, match="negative"):
        started().duck(gain_db)


def test_a_negative_number_of_samples_is_refused() -> None:
    with pytest.raises(InputError, match="0 or more"):
        started().advance(-1)


def test_words_without_sound_do_not_block() -> None:
    speaking = Speaking()
    speaking.add(clause_of(("-", 0.0, 0.0), ("Yes", 0.1, 0.3), ("...", 0.3, 0.3), duration=0.4))
    speaking.add(clause_of(("...", 0.0, 0.0), duration=0.0))
    speaking.advance(seconds(0.4))
    assert speaking.said() == "- Yes ... ..."
