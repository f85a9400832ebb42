from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise, product
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearing.recognition import ctc
from hearing.recognition.biasing import PhraseBoost
from hearing.recognition.ctc import (
    BLANK,
    FRAME_RATE,
    LETTERS,
    PrefixBeamSearch,
    align,
    log_likelihood,
    log_likelihoods,
    to_letters,
)
from hearing.types import Float32Array

N_SYMBOLS = 29
FEW = (BLANK, *to_letters(" ab"))
SEEDS = st.integers(0, 2**32 - 1)
BOOST = PhraseBoost(["bab", "a bad cab", "Bay 4"], 0.8)


def few_symbols(seed: int, n_frames: int) -> Float32Array:
    """Random log-probabilities of the symbols in `FEW`; all others are impossible."""
    random = np.random.default_rng(seed)
    log_probabilities = np.full((n_frames, N_SYMBOLS), -np.inf, np.float32)
    log_probabilities[:, FEW] = np.log(0.9 * random.dirichlet(np.full(len(FEW), 0.7), n_frames) + 0.1 / len(FEW))
    return log_probabilities


def mostly_blank(seed: int, n_frames: int) -> Float32Array:
    """Random log-probabilities with peaks, as of a network that is often unsure."""
    random = np.random.default_rng(seed)
    logits = random.normal(-3.0, 1.5, (n_frames, N_SYMBOLS))
    logits[:, BLANK] = 4.0
    peaks = random.random(n_frames) < 0.5
    logits[peaks, random.choice(to_letters("  abcdy"), np.count_nonzero(peaks))] += random.normal(9.0, 3.0, peaks.sum())
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def said(text: str, rivals: Mapping[int, tuple[str, float]] | None = None) -> Float32Array:
    """Log-probabilities of a text: each letter clearly in one frame, then a frame of blank.

    A rival, or the blank if it is empty, takes a probability from the letter at an index of the text.
    """
    probabilities = np.full((2 * len(text), N_SYMBOLS), 1e-4)
    probabilities[1::2, BLANK] = 0.997
    for index, letter in enumerate(to_letters(text)):
        probabilities[2 * index, letter] = 0.997
        for rival, probability in [rivals[index]] if rivals and index in rivals else []:
            probabilities[2 * index, [letter, *(to_letters(rival) or [BLANK])]] = 0.997 - probability, probability
    return np.log(probabilities).astype(np.float32)


def heard(log_probabilities: Float32Array, boost: PhraseBoost | None = None) -> str:
    search = PrefixBeamSearch(boost=boost)
    search.process(log_probabilities)
    return " ".join(word.text for word in search.words)


def collapse(path: Sequence[int]) -> list[int]:
    return [symbol for symbol, _ in groupby(path) if symbol != BLANK]


def paths(log_probabilities: Float32Array) -> list[tuple[tuple[int, ...], float]]:
    """All paths of the symbols in `FEW`, each with its log-probability."""
    frames = range(len(log_probabilities))
    return [(path, float(sum(log_probabilities[frames, path]))) for path in product(FEW, repeat=len(log_probabilities))]


def chunked(log_probabilities: Float32Array, cuts: Sequence[int]) -> list[Float32Array]:
    return np.split(log_probabilities, sorted(cut % (len(log_probabilities) + 1) for cut in cuts))


def test_letters() -> None:
    assert len(LETTERS) == N_SYMBOLS - 1
    assert to_letters("Don't, é A9") == to_letters("don't  a") == [6, 17, 16, 2, 22, 1, 1, 3]
    assert to_letters("") == []


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.integers(1, 4))
def test_wide_beam_finds_the_best_of_all_texts(seed: int, n_frames: int) -> None:
    log_probabilities = few_symbols(seed, n_frames)
    texts: dict[str, float] = defaultdict(float)
    for path, log_probability in paths(log_probabilities):
        text = "".join(LETTERS[symbol - 1] for symbol in collapse(path))
        words = " ".join(text.split())
        texts[words + " " * (words != "" and text.endswith(" "))] += np.exp(log_probability)
    search = PrefixBeamSearch(beam=1000)
    with mock.patch.object(ctc, "_FAR_BEHIND", math.inf):
        search.process(log_probabilities)
    words = " ".join(word.text for word in search.words)
    assert max(texts[words], texts[words + " "]) == pytest.approx(max(texts.values()))


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.integers(0, 60), st.lists(st.integers(0, 60), max_size=8), st.sampled_from([None, BOOST]))
def test_chunks_make_no_difference(seed: int, n_frames: int, cuts: list[int], boost: PhraseBoost | None) -> None:
    log_probabilities = mostly_blank(seed, n_frames)
    whole, parts = PrefixBeamSearch(boost=boost), PrefixBeamSearch(boost=boost)
    whole.process(log_probabilities)
    for chunk in chunked(log_probabilities, cuts):
        parts.process(chunk)
    assert parts.words == whole.words
    assert parts.stable == whole.stable


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.lists(st.sampled_from([None, BOOST]), min_size=1, max_size=10))
def test_stable_words_stay(seed: int, boosts: list[PhraseBoost | None]) -> None:
    search = PrefixBeamSearch(beam=4)
    for chunk, boost in zip(np.array_split(mostly_blank(seed, 100), len(boosts)), boosts, strict=True):
        before = search.words[: search.stable]
        search.expect(boost)
        search.process(chunk)
        assert search.words[: search.stable][: len(before)] == before
        assert all(word.start < word.end and 0.0 < word.probability <= 1.0 for word in search.words)
        assert all(first.end <= second.start for first, second in pairwise(search.words))


def test_words_become_stable_soon_after_a_space_but_not_while_a_rival_lives() -> None:
    search = PrefixBeamSearch()
    search.process(said("turn off"))
    assert search.stable == 1
    search.process(said(" "))
    assert search.stable == 2
    unsure = PrefixBeamSearch()
    unsure.process(said("turn off the ", {6: ("n", 0.3)}))
    assert unsure.stable == 1
    assert len(unsure.words) == 3


def test_times_and_probabilities() -> None:
    log_probabilities = np.repeat(said("go on"), 2, axis=0)[:-3]
    search = PrefixBeamSearch()
    search.process(log_probabilities)
    go, on = search.words
    assert (go.text, go.start, go.end) == ("go", 0.0, 5 / FRAME_RATE)
    assert (on.text, on.start, on.end) == ("on", 12 / FRAME_RATE, 17 / FRAME_RATE)
    assert go.probability == pytest.approx(0.997)


def test_a_letter_that_swells_is_timed_where_it_is_clear() -> None:
    search = PrefixBeamSearch()
    search.process(said("a", {0: ("", 0.9)})[:1])
    search.process(said("a"))
    (word,) = search.words
    assert (word.start, word.end) == (1 / FRAME_RATE, 2 / FRAME_RATE)
    assert word.probability == pytest.approx(0.997)


def test_nothing_is_heard_in_no_frames_and_in_blanks() -> None:
    search = PrefixBeamSearch()
    search.process(np.empty((0, N_SYMBOLS), np.float32))
    assert (search.words, search.stable) == ((), 0)
    search.process(said("   ")[1:2].repeat(50, axis=0))
    assert (search.words, search.stable) == ((), 0)


def test_spaces_in_a_row_are_one_and_double_letters_are_two() -> None:
    assert heard(said("  all  gone ")) == "all gone"


def test_expected_phrase_wins_over_what_sounds_alike() -> None:
    log_probabilities = said("go to bey four", {7: ("a", 0.35), 12: ("", 0.7)})
    assert heard(log_probabilities) == "go to bey for"
    assert heard(log_probabilities, PhraseBoost(["Bay 4"], 0.5)) == "go to bay four"
    assert heard(log_probabilities, PhraseBoost(["Bay 5"], 0.5)) == "go to bey for"


def test_other_sentences_stay_as_they_are_under_a_boost() -> None:
    log_probabilities = said("the bey keeper went forth", {5: ("a", 0.3)})
    plain, biased = PrefixBeamSearch(), PrefixBeamSearch(boost=PhraseBoost(["Bay 4", "keep off"], 1.0))
    plain.process(log_probabilities)
    biased.process(log_probabilities)
    assert " ".join(word.text for word in plain.words) == "the bey keeper went forth"
    assert biased.words == plain.words


def test_phrases_may_change_within_an_utterance() -> None:
    search = PrefixBeamSearch()
    search.process(said("go to bey", {7: ("a", 0.35)}))
    assert search.words[-1].text == "bey"
    search.expect(PhraseBoost(["bay"], 0.5))
    assert search.words[-1].text == "bay"
    search.expect(None)
    assert search.words[-1].text == "bey"


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.integers(0, 4), st.lists(st.lists(st.sampled_from(FEW[1:]), max_size=4), min_size=1, max_size=4))
def test_likelihoods_sum_over_all_paths(seed: int, n_frames: int, hypotheses: list[list[int]]) -> None:
    log_probabilities = few_symbols(seed, n_frames)
    expected = np.zeros(len(hypotheses))
    for path, log_probability in paths(log_probabilities):
        expected[[collapse(path) == letters for letters in hypotheses]] += np.exp(log_probability)
    likelihoods = log_likelihoods(log_probabilities, hypotheses)
    np.testing.assert_allclose(np.exp(likelihoods), expected, rtol=1e-5)
    np.testing.assert_array_equal(likelihoods == -np.inf, expected == 0.0)
    assert [log_likelihood(log_probabilities, letters) for letters in hypotheses] == pytest.approx(likelihoods)


def test_likelihood_of_a_long_utterance_stays_finite() -> None:
    log_probabilities = np.full((2000, N_SYMBOLS), -np.log(N_SYMBOLS), np.float32)
    assert -7000 < log_likelihood(log_probabilities, to_letters("turn off the machine " * 20)) < -3000
    assert log_likelihood(said("a" * 50), to_letters("z" * 40)) == pytest.approx(40 * np.log(1e-4), rel=0.2)


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.integers(1, 4), st.lists(st.sampled_from(FEW[1:]), max_size=3))
def test_alignment_is_that_of_the_best_path(seed: int, n_frames: int, letters: list[int]) -> None:
    log_probabilities = few_symbols(seed, n_frames)
    fitting = [entry for entry in paths(log_probabilities) if collapse(entry[0]) == letters]
    if not fitting:
        with pytest.raises(ValueError, match=f"{len(letters)} letters do not fit into {n_frames} frames"):
            align(log_probabilities, letters)
        return
    path, _ = max(fitting, key=lambda entry: entry[1])
    expected = []
    for symbol, run in groupby(range(n_frames), key=path.__getitem__):
        if symbol != BLANK:
            expected.append(max(run, key=lambda frame: log_probabilities[frame, symbol]))
    assert align(log_probabilities, letters).tolist() == expected


def test_alignment_of_clear_letters() -> None:
    assert align(said("all of it"), to_letters("all of it")).tolist() == list(range(0, 18, 2))
