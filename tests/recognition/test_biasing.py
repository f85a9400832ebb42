from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearing.errors import InputError
from hearing.recognition.biasing import PhraseBoost, spoken
from hearing.recognition.ctc import to_letters

# Symbols 0 to 1 go on with a word, 2 to 3 begin one, 4 to 5 are between words.
N_SYMBOLS = 6
BEGINS = {2, 3}
SEPARATES = {4, 5}
TEXTS = st.lists(st.integers(0, N_SYMBOLS - 1), max_size=12)
PHRASES = st.lists(st.lists(st.integers(0, N_SYMBOLS - 1), min_size=1, max_size=4), max_size=6)


def score(boost: PhraseBoost, symbols: Sequence[int]) -> tuple[float, int]:
    """Score of the symbols before the end of the text, and the state after them."""
    state, total = boost.start, 0.0
    for symbol in symbols:
        state, gain = boost.step(state, symbol)
        total += gain
    return total, state


def final(boost: PhraseBoost, text: str) -> float:
    total, state = score(boost, to_letters(text))
    return total + boost.finish(state)


def covered(text: Sequence[int], phrases: Sequence[Sequence[int]]) -> set[int]:
    """Indices of the symbols that belong to whole phrases."""
    indices: set[int] = set()
    for phrase in phrases:
        for begin in range(len(text) - len(phrase) + 1):
            end = begin + len(phrase)
            begins = begin == 0 or text[begin - 1] in SEPARATES or text[begin] in BEGINS
            ends = end == len(text) or text[end] in BEGINS | SEPARATES
            if begins and ends and list(text[begin:end]) == list(phrase):
                indices.update(range(begin, end))
    return indices


@settings(deadline=None, max_examples=100)
@given(PHRASES, TEXTS)
def test_each_symbol_of_a_phrase_counts_once(phrases: list[list[int]], text: list[int]) -> None:
    boost = PhraseBoost.compile(phrases, 0.5, BEGINS, SEPARATES)
    total, state = score(boost, text)
    assert total + boost.finish(state) == 0.5 * len(covered(text, phrases))
    # No symbol that may yet count is missing before the end.
    assert total >= 0.5 * len(covered(text, phrases))


@settings(deadline=None, max_examples=50)
@given(PHRASES, TEXTS)
def test_bonuses_are_the_scores_of_all_steps(phrases: list[list[int]], text: list[int]) -> None:
    boost = PhraseBoost.compile(phrases, 0.5, BEGINS, SEPARATES)
    _, state = score(boost, text)
    symbols, bonuses, others = boost.bonuses(state)
    scores = np.full(N_SYMBOLS, others)
    scores[symbols] += bonuses
    assert scores.tolist() == [boost.step(state, symbol)[1] for symbol in range(N_SYMBOLS)]
    assert others <= 0.0
    assert len(set(symbols.tolist())) == len(symbols)
    assert (bonuses > 0.0).all()


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("bay", 3),
        ("the bay is open", 3),
        ("baykeeper", 0),
        ("bombay", 0),
        ("bay's", 0),
        ("bay fo", 3),
        ("bay four", 8),
        ("bay four bay four", 16),
        ("bay bay four", 11),
        ("bay forty", 3),
        ("four lifts", 10),
        ("bay four lifts", 14),
        ("nothing of it", 0),
        ("", 0),
    ],
)
def test_phrases_in_texts(text: str, letters: int) -> None:
    """Phrases that share a beginning, lie within each other, overlap, or are given twice."""
    boost = PhraseBoost(["bay", "Bay 4", "bay four", "BAY FIVE!", "four lifts"], 0.5)
    assert final(boost, text) == 0.5 * letters


def test_bonus_comes_at_once_and_goes_if_the_phrase_breaks_off() -> None:
    boost = PhraseBoost(["bay four"], 0.5)
    assert [score(boost, to_letters(text))[0] for text in ("b", "bay f", "bay four", "bay four ")] == [0.5, 2.5, 4, 4]
    assert [score(boost, to_letters(text))[0] for text in ("bo", "bay fi", "bay fours")] == [0.0, 0.0, 0.0]


def test_nothing_is_boosted_without_phrases() -> None:
    boost = PhraseBoost([], 0.5)
    assert final(boost, "any text") == 0.0
    symbols, bonuses, others = boost.bonuses(boost.start)
    assert (symbols.size, bonuses.size, others) == (0, 0, 0.0)


def test_tokens() -> None:
    """A robot's name of two tokens, "For" and "ky", of which the first begins a word."""
    forky, rest, other, comma = (10, 11), 11, 12, 13
    boost = PhraseBoost.compile([forky], 2.0, begins={10, 12}, separates={comma})
    total, state = score(boost, [other, *forky])
    assert total == 4.0
    assert [boost.step(state, symbol)[1] for symbol in (other, comma, rest)] == [0.0, 0.0, -4.0]
    assert boost.finish(state) == 0.0
    symbols, bonuses, others = boost.bonuses(score(boost, [other, 10])[1])
    assert (dict(zip(symbols.tolist(), bonuses.tolist(), strict=True)), others) == ({10: 2.0, 11: 4.0}, -2.0)


@pytest.mark.parametrize(
    ("text", "variants"),
    [
        ("Bay 4", {"bay four"}),
        (
            "Pump P-101",
            {
                "pump p one oh one",
                "pump p one zero one",
                "pump p one hundred one",
                "pump p one hundred and one",
            },
        ),
        ("AGV7", {"agv seven", "a g v seven"}),
        ("dock 12", {"dock twelve", "dock one two"}),
        (
            "unit 340",
            {f"unit three {rest}" for rest in ("forty", "four oh", "four zero", "hundred forty")}
            | {"unit three hundred and forty"},
        ),
        ("0", {"zero", "oh"}),
        ("007", {"zero zero seven", "oh oh seven"}),
        ("1,500", {"one thousand five hundred", "fifteen hundred", "one five oh oh", "one five zero zero"}),
        ("2.5 kg", {"two point five kg"}),
        ("the 3rd, 20th and 42nd", {"the third twentieth and forty second"}),
        ("Don\u2019t go; caf\u00e9", {"don't go cafe"}),
        ("12345678", {"one two three four five six seven eight"}),
    ],
)
def test_spoken_variants(text: str, variants: set[str]) -> None:
    assert set(spoken(text)) == variants


def test_variants_are_distinct_and_not_too_many() -> None:
    variants = spoken("P-101 Q-102 R-103 S-104")
    assert len(set(variants)) == len(variants) == 32


def test_all_variants_of_a_phrase_are_boosted() -> None:
    boost = PhraseBoost(["Pump P-101"], 0.5)
    for variant in spoken("Pump P-101"):
        assert final(boost, f"the {variant} is hot") == 0.5 * len(variant)
    assert final(boost, "the pump is hot") == 0.0


@pytest.mark.parametrize("phrase", ["", " ", "?!", "\u4eba"])
def test_phrase_without_letters_is_refused(phrase: str) -> None:
    with pytest.raises(InputError, match="has no letters a-z and no digits: write it as it is said") as error:
        PhraseBoost(["bay", phrase], 0.5)
    assert "\n" not in str(error.value)
