"""Whom an utterance is said to, as a person would tell from words, dialogue and faces."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearing.attribution.addressee import CUES, NUMBER, AddressCues, AddresseeModel, cue_values, own_weights
from hearing.attribution.clauses import Text
from hearing.attribution.names import NameFinder, sound_key
from hearing.attribution.wording import wording
from hearing.errors import InputError

MODEL = AddresseeModel()
FINDER = NameFinder(("robot",), ("anna", "robert"))


def likely(text: str, **cues: float) -> float:
    return MODEL.probability(AddressCues(text, **cues))


def uses(text: str, *names: str) -> set[str]:
    """Say in which ways somebody is called."""
    finder = NameFinder(names, ("anna",)) if names else FINDER
    return {cue for cue, value in finder.find(Text(text))[0]._asdict().items() if value}


@pytest.mark.parametrize(
    "text",
    [
        "Robot, bring me the wrench.",
        "robot bring me the wrench",
        "Hey robot come here.",
        "Stop, robot!",
        "Okay robot, what do you see?",
        "Could you, robot, please help me?",
        "Row bot, stop.",
    ],
)
def test_who_calls_the_robot_talks_to_it(text):
    assert likely(text) > 0.9
    assert likely(text, others=2, since_other=1.0) > 0.8


@pytest.mark.parametrize(
    "text",
    [
        "Yesterday the robot dropped it again.",
        "The old robot broke.",
        "They want to buy two more robots.",
        "The robot's battery is flat.",
        "I told Anna to ask the robot.",
    ],
)
def test_who_talks_about_the_robot_does_not_talk_to_it(text):
    assert likely(text) < 0.25
    assert likely(text, others=1, since_other=1.0, facing=0.5) < 0.25


def test_an_order_goes_to_whom_one_looks_at():
    order = AddressCues("Hand me the wrench.", others=1, since_other=4.0)
    assert MODEL.probability(replace(order, facing=0.9)) > 0.7
    assert MODEL.probability(replace(order, facing=0.0)) < 0.3
    probabilities = [MODEL.probability(replace(order, facing=share)) for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    assert probabilities == sorted(probabilities)


def test_without_camera_an_order_says_less():
    order = AddressCues("Hand me the wrench.", others=1, since_other=4.0)
    assert 0.1 < MODEL.probability(order) < 0.8
    assert MODEL.probability(replace(order, facing=0.0)) < MODEL.probability(order)
    assert MODEL.probability(order) < MODEL.probability(replace(order, facing=0.9))


def test_who_talks_to_the_robot_goes_on():
    alone = likely("And the other one too.")
    assert likely("And the other one too.", since_addressed=3.0) > alone
    assert likely("Yes.", since_robot_spoke=0.5, since_addressed=5.0) > 0.8
    assert likely("Yes.", since_other=0.5, others=1) < 0.2
    assert likely("Thanks.", since_addressed=4.0) > likely("Thanks.", since_addressed=90.0)


def test_other_people_are_called_by_their_names():
    assert likely("Anna, could you help me?", others=1, since_other=3.0) < 0.2
    assert likely("Anna, could you help me?") < likely("Could you help me?")
    assert likely("Hand me that, Zbigniew.") < likely("Hand me that.")
    assert likely("Bring this to Anna.") > likely("Anna, bring this.")
    stranger = AddressCues("zbigniew could you help me", others=1, since_other=3.0)
    assert AddresseeModel(people=("Zbigniew",)).probability(stranger) < MODEL.probability(stranger)


@pytest.mark.parametrize(
    ("text", "use"),
    [
        ("Robot, stop", {"called"}),
        ("robot can you stop", {"called"}),
        ("hey robot", {"called", "hailed"}),
        ("stop that robot thing", {"mentioned"}),
        ("come back robot", {"called_last"}),
        ("ask the robot", {"mentioned"}),
        ("robot is broken", {"subject"}),
        ("is it our robot's fault", {"mentioned"}),
        ("robots", {"mentioned"}),
        ("row bot wait", {"sounds"}),
        ("Anna, wait", {"person"}),
        ("Wait, Anna", {"person"}),
        ("follow Anna", {"person_last"}),
        ("Anna has the key", {"person_mentioned"}),
        ("the window is open", set()),
        ("", set()),
    ],
)
def test_names_are_called_or_mentioned(text, use):
    assert uses(text) == use


def test_robots_have_names_of_one_or_more_words():
    assert uses("factory bot, come here", "factory bot") == {"called"}
    assert uses("Hey Factory Bot come here", "hey factory bot") == {"called", "hailed"}
    assert uses("the factory bot is slow", "factory bot") == {"mentioned"}
    assert uses("the factory is big", "factory bot") == set()
    assert uses("factory boat come here", "factory bot") == {"sounds"}
    assert uses("fetch it, mister robot", "mister robot") == {"called"}
    assert uses("Rosie dropped it", "Rosie") == {"subject"}
    assert uses("robot, come here", "Rosie") == {"called"}
    assert AddresseeModel(("Rosie",)).probability(AddressCues("Rosie, come here.")) > 0.9


def test_names_are_found_where_somebody_would_be_called_only():
    assert uses("I saw a row bot there") == set()
    assert uses("make the bed", "Max") == set()
    assert sound_key("robot") == sound_key("rowboat") != sound_key("wrench")


def test_orders_questions_and_stories_are_told_apart():
    def manner(text):
        words = Text(text)
        return wording(words, FINDER.find(words)[1])

    assert manner("robot please fetch the drill").imperative
    assert manner("zap the fuse").imperative
    assert not manner("the drill is hot").imperative
    assert manner("is the drill hot").question
    assert not manner("the drill is hot").question
    assert manner("she told me yesterday").past
    assert manner("she told me yesterday").third
    assert manner("mm yeah").backchannel


@given(st.text(max_size=80), st.none() | st.floats(0, 1), st.none() | st.floats(0, 1e6), st.integers(0, 9))
@settings(max_examples=150, deadline=None)
def test_whatever_is_heard_has_a_probability(text, facing, seconds, others):
    cues = AddressCues(text, facing, seconds, seconds, seconds, others, seconds)
    values = cue_values(cues, FINDER)
    assert values.shape == (NUMBER,)
    assert abs(values).max() <= 2.0
    assert 0.03 <= MODEL.probability(cues) <= 0.97
    assert MODEL.probability(cues) == AddresseeModel().probability(cues)


def test_every_beginning_of_an_utterance_has_a_probability():
    words = ["okay", "so", "robot", "could", "you", "please", "bring", "me", "the", "wrench"]
    probabilities = [likely(" ".join(words[:number])) for number in range(len(words) + 1)]
    assert all(before < 0.7 for before in probabilities[:3])
    assert all(after > 0.9 for after in probabilities[3:])


def test_punctuation_and_capitals_are_not_needed():
    for text in ("Robot, stop that now.", "Could you bring me the wrench?", "I think we should go for lunch."):
        plain = text.lower().translate(str.maketrans("", "", ",.?"))
        assert likely(plain) == pytest.approx(likely(text), abs=0.2)


@pytest.mark.parametrize("content", [None, "{", "{}", '{"weights": {"name": {}}, "bias": 0, "people": []}', "[1]"])
def test_bad_weights_are_refused(tmp_path, content):
    path = tmp_path / "addressee.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"addressee\.json"):
        AddresseeModel(weights=path)


def test_a_robot_needs_a_name():
    with pytest.raises(InputError, match="letters"):
        AddresseeModel(("...",))


def test_the_package_has_weights_for_all_cues():
    record = json.loads(own_weights().read_text(encoding="utf-8"))
    assert {kind: tuple(weights) for kind, weights in record["weights"].items()} == CUES
    assert len(record["people"]) > 200
