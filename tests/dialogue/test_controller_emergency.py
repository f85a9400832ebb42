import pytest

from hearing.dialogue.emergency import EmergencyWords
from hearing.errors import InputError
from hearing.types import SpottedWord, Word


def words(text):
    return [Word(word, 0.0, 0.1, 0.5, 0.1) for word in text.split()]


@pytest.mark.parametrize(
    "text",
    ["Stop!", "stop", "Robot, stop.", "robot stop", "no no stop", "please stop", "Stop the conveyor!", "hey stop now",
     "Halt", "wait, stop", "He is under it. Stop!", "Stop it", "okay stop", "freeze"],
)  # fmt: skip
def test_it_hears_commands(text):
    assert EmergencyWords().find(text)


@pytest.mark.parametrize(
    "text",
    ["The bus stop is over there.", "Don't stop.", "We never stop before noon", "He could not stop laughing",
     "Stop by my table at noon.", "They stopped it.", "the stop button is red", "I have to stop at the shop",
     "It came to a halt", "In an emergency call Ben", "non-stop music"],
)  # fmt: skip
def test_it_ignores_mentions(text):
    assert EmergencyWords().find(text) is None


def test_it_acts_once_for_each_time_it_is_said():
    emergency = EmergencyWords()
    assert emergency.process("a", words("robot")) is None
    assert emergency.process("a", words("robot stop")) == "stop"
    assert emergency.process("a", words("robot stop now")) is None
    assert emergency.process("a", words("robot stop now, stop")) == "stop"
    assert emergency.process("b", words("stop")) == "stop"
    emergency.reset()
    assert emergency.process("b", words("stop")) == "stop"


def test_words_can_be_chosen():
    emergency = EmergencyWords(("red alert",), ("Max",))
    assert emergency.find("Max, red alert!") == "red alert"
    assert emergency.find("stop") is None
    with pytest.raises(InputError, match="needs letters"):
        EmergencyWords(("!",))


def spotted(word, at=1.0, before="", utterance="a"):
    return SpottedWord(word, utterance, 1, at, at + 0.4, at + 0.6, 0.9, before)


def word_at(text, at):
    return Word(text, at, at + 0.4, 0.5, at + 1.0)


@pytest.mark.parametrize("before", ["", "robot", "robit", "no no", "pleas", "hey robott", "stopp", "roadhead"])
def test_a_spotted_word_is_a_command_after_what_sounds_like_a_call(before):
    assert EmergencyWords().spot(spotted("stop", before=before)) == "stop"


@pytest.mark.parametrize("before", ["the bus", "bus", "never", "don't", "we never", "it came to a", "he could not"])
def test_a_spotted_mention_is_none(before):
    assert EmergencyWords().spot(spotted("stop", before=before)) is None


def test_other_spotted_words_are_left_alone():
    assert EmergencyWords(("halt",)).spot(spotted("stop")) is None


def test_each_time_counts_once_whichever_way_it_is_known_first():
    emergency = EmergencyWords()
    assert emergency.spot(spotted("stop", 1.0)) == "stop"
    assert emergency.spot(spotted("stop", 1.1)) is None
    assert emergency.process("a", [word_at("Stop", 1.05)]) is None
    assert emergency.spot(spotted("stop", 3.0)) == "stop"
    assert emergency.process("a", [word_at("Stop,", 1.05), word_at("stop,", 3.0), word_at("stop!", 5.0)]) == "stop"
    assert emergency.spot(spotted("stop", 5.0)) is None
    assert emergency.spot(spotted("stop", 5.0, utterance="b")) == "stop"


def test_what_was_acted_on_is_forgotten_of_utterances_that_are_long_over():
    emergency = EmergencyWords()
    assert emergency.process("first", words("stop")) == "stop"
    for number in range(30):
        emergency.process(f"u{number}", words("go on"))
        assert emergency.process("first", words("stop")) is None
    for number in range(1000):
        emergency.process(f"v{number}", words("go on"))
    assert emergency.process("first", words("stop")) == "stop"
