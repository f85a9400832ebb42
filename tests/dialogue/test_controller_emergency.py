import pytest

from hearing.dialogue.emergency import EmergencyWords
from hearing.errors import InputError
from hearing.types import Word


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
