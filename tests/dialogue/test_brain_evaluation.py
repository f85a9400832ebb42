"""How the understanding of commands is measured."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from hearing.dialogue.brains.brain import UserTurn
from hearing.dialogue.brains.evaluation import Mishearing, Spoken, commands, evaluate, mentions, outcome
from hearing.dialogue.brains.grammar_brain import GrammarBrain
from hearing.dialogue.brains.grammar_file import load_grammar

GRAMMAR = load_grammar()
BARISTA = load_grammar(Path(__file__).parent / "barista.yaml")
FETCH = Spoken("bring me the wrench", "fetch", (("item", "wrench"),))


def garbled(text, rate, seed=0):
    mishearing = Mishearing(["wench", "ranch", "ring", "the", "hammock", "bay", "buy", "four", "for", "fore"])
    return mishearing.garble(text, rate, np.random.default_rng(seed))


def test_no_errors_change_nothing_and_the_same_seed_makes_the_same_ones():
    text = "bring me the wrench from bay four"
    assert garbled(text, 0.0) == text
    assert garbled(text, 0.5, 1) == garbled(text, 0.5, 1)
    assert len({garbled(text, 0.5, seed) for seed in range(5)}) > 1


def test_errors_are_as_frequent_as_wanted():
    text = " ".join(["wrench"] * 2000)
    kept = garbled(text, 0.3).split().count("wrench")
    # Of the words that go wrong, 15 % stay and get another one behind them.
    assert kept == pytest.approx(2000 * (1 - 0.3 * 0.85), rel=0.05)


@pytest.mark.parametrize(
    ("heard", "what"),
    [
        ("bring me the wench", "right"),
        ("bring me the hammer", "wrong"),
        ("bring me the", "asked"),
        ("go to bay", "asked wrong"),
        ("what a nice day", "nothing"),
    ],
)
def test_outcomes(heard, what):
    assert outcome(GrammarBrain(GRAMMAR), FETCH, UserTurn("1", heard, "Anna")) == what


@pytest.mark.parametrize("grammar", [GRAMMAR, BARISTA], ids=["workshop", "barista"])
def test_commands_without_errors_are_understood(grammar):
    said = commands(grammar, 20, ["lunch is ready"], np.random.default_rng(0))
    counts = evaluate(grammar, [(one, one.text) for one in said])
    assert counts["right"] >= 19
    assert counts["wrong"] == 0


def test_talking_about_things_is_no_command():
    said = mentions(GRAMMAR, False, np.random.default_rng(0))[::5]
    counts = evaluate(GRAMMAR, [(Spoken(text), text) for text in said])
    assert counts["wrong"] <= 0.1 * len(said)
    assert isinstance(counts, Counter)
