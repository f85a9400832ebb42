"""What words mean that were heard right or wrong."""

import pytest

from hearing.dialogue.brains.grammar_file import load_grammar, parse_grammar
from hearing.dialogue.brains.matching import Matcher
from hearing.dialogue.brains.understanding import Understanding, tokens_of
from hearing.recognition.sounds import SPAN, Lexicon, pronounce

GRAMMAR = load_grammar()


def patterns_of(grammar):
    return [(intent.name, pattern) for intent in grammar.intents.values() for pattern in intent.patterns]


@pytest.fixture(scope="module")
def understanding():
    return Understanding(patterns_of(GRAMMAR), GRAMMAR.slots, GRAMMAR.robot_names)


def distance(heard, entry):
    tokens = heard.split()
    return Lexicon([entry]).distances(tokens)[0, len(tokens) - 1, 0]


@pytest.mark.parametrize(
    ("first", "second"),
    [("for", "four"), ("to", "two"), ("ate", "eight"), ("won", "one"), ("knight", "night"), ("by", "bye")],
)
def test_homophones_sound_the_same(first, second):
    assert pronounce(first) == pronounce(second)


@pytest.mark.parametrize(
    ("near", "entry", "far"),
    [
        ("wench", "wrench", "hammer"),
        ("fife", "five", "four"),
        ("fortin", "fourteen", "forty"),
        ("hummer", "hammer", "drill"),
    ],
)
def test_what_is_misheard_is_closer_than_other_words(near, entry, far):
    assert distance(near, entry) < distance(far, entry)


def test_distance_is_a_symmetric_share():
    words = ["wrench", "bay", "screwdriver", "a", "hold"]
    for first in words:
        assert distance(first, first) == 0
        for second in words:
            assert 0 <= distance(first, second) <= 1
            assert distance(first, second) == pytest.approx(distance(second, first))


def test_blanks_do_not_matter():
    assert distance("screw driver", "screwdriver") == 0
    assert distance("tool room", "toolroom") == 0


def test_stretches_beyond_the_end_fit_nothing():
    distances = Lexicon(["bay", "four"]).distances(["bay", "four"])
    assert distances.shape == (2, SPAN, 2)
    assert distances[1, 1:].min() == float("inf")


def test_numbers_are_spelled_out_and_keep_their_confidence():
    assert tokens_of("Bay 24, -- no!", [0.9, 0.8, 0.7, 0.6]) == (["bay", "twenty", "four", "no"], [0.9, 0.8, 0.8, 0.6])
    assert tokens_of("bay 24", [0.9])[1] == []


@pytest.mark.parametrize(
    ("text", "intent", "slots"),
    [
        ("Bring me the wrench.", "fetch", {"item": "wrench"}),
        ("Robot, could you please bring me the spanner from bay 4? Thanks!", "fetch", {"item": "wrench", "bay": 4}),
        ("hey row bot go to bay for", "go_to_bay", {"bay": 4}),
        ("go to bay for tin", "go_to_bay", {"bay": 14}),
        ("go to bay twenty one", "go_to_bay", {"bay": 21}),
        ("drive over to the charger", "go_to_place", {"place": "charging station"}),
        ("bring me the screw driver", "fetch", {"item": "screwdriver"}),
        ("um get a ranch", "fetch", {"item": "wrench"}),
        ("empty babe three", "empty_bay", {"bay": 3}),
        ("tell anna that lunch is ready", "tell", {"person": "Anna", "message": "lunch is ready"}),
        ("say to ben and then we go", "tell", {"person": "Ben", "message": "and then we go"}),
        ("stop", "stop", {}),
        ("robot stop stop", "stop", {}),
    ],
)
def test_commands_are_found(understanding, text, intent, slots):
    best = understanding.meanings(text)[0]
    assert (best.intent, dict(best.slots), best.missing) == (intent, slots, ())
    assert best.probability > 0.7


@pytest.mark.parametrize(
    "text",
    [
        "the weather is nice today and I went to the office with my brother",
        "what a nice day",
        "did you see the game last night",
        "my daughter has a hammer",
        "we should talk about the conveyor tomorrow",
        "hm",
    ],
)
def test_what_is_no_command_is_improbable(understanding, text):
    assert all(meaning.probability < 0.4 for meaning in understanding.meanings(text))


def test_nothing_means_nothing(understanding):
    assert understanding.meanings("") == []
    assert understanding.meanings("... !") == []


def test_missing_details_are_named(understanding):
    best = understanding.meanings("go to bay")[0]
    assert (best.intent, best.missing) == ("go_to_bay", ("bay",))


def test_probabilities_of_alternatives_add_up_to_one_at_most(understanding):
    for text in ("go to bay fourty", "bring me the case", "top", "turn the light of"):
        meanings = understanding.meanings(text)
        assert sum(meaning.probability / meaning.fits for meaning in meanings) == pytest.approx(1)
        assert meanings[0].probability == max(meaning.probability for meaning in meanings)


def test_worse_words_are_less_probable(understanding):
    texts = ["bring me the wrench", "bring me the wench", "ring me the wench", "ring them the wench"]
    probabilities = [understanding.meanings(text)[0].probability for text in texts]
    assert probabilities == sorted(probabilities, reverse=True)


def test_only_some_intents_can_be_looked_for(understanding):
    assert {meaning.intent for meaning in understanding.meanings("go to bay four", only={"fetch"})} <= {"fetch"}


def test_the_least_sure_word_of_a_detail_is_told(understanding):
    best = understanding.meanings("go to bay four", [0.9, 0.9, 0.8, 0.2])[0]
    assert best.least_sure == 0.2


def test_doubtful_words_are_skipped_at_less_cost():
    grammar = parse_grammar("intents: {halt: {phrases: [halt there]}}", "f")
    matcher = Matcher(patterns_of(grammar), {}, ["robot"])
    sure = matcher.matches(["halt", "banana", "there"], [1.0, 1.0, 1.0])[0]
    doubtful = matcher.matches(["halt", "banana", "there"], [1.0, 0.1, 1.0])[0]
    assert doubtful.cost < sure.cost
