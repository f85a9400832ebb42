"""Dialogues with the built-in brain."""

import pytest

from hearing.dialogue.brains.brain import Ask, Command, DialogueContext, Nothing, Say, UserTurn, is_known
from hearing.dialogue.brains.grammar_brain import PATIENCE, GrammarBrain
from hearing.dialogue.brains.grammar_file import load_grammar, parse_grammar

GRAMMAR = load_grammar()
GATES = """
slots: {gate: {values: [left gate, right gate], say: "the {gate}"}}
intents: {open: {phrases: ["open the {gate}"], allow: [Anna, Ben]}}
"""
LAMPS = """
slots: {item: {values: [red lamp, bed lamp, hammer], say: "the {item}"}}
intents: {fetch: {phrases: ["bring me the {item}"]}}
"""
UNCLEAR = "bring me the fed lamp"


class Talk:
    """A dialogue: `say` returns the command, if one is given, and what the robot says."""

    def __init__(self, grammar=GRAMMAR):
        self.brain = GrammarBrain(grammar)
        self.time = 0.0
        self.number = 0

    def say(self, text, speaker="Anna", after=2.0, **more):
        self.number += 1
        start = self.time + after
        self.time = start + 1.0
        turn = UserTurn(str(self.number), text, speaker, start_time=start, end_time=self.time, **more)
        self.events = list(self.brain.respond(turn, DialogueContext()))
        commands = [event for event in self.events if isinstance(event, Command)]
        spoken = " ".join(event.text for event in self.events if isinstance(event, Say | Ask))
        if len(commands) > 1:
            return commands, spoken
        return (commands[0].intent, dict(commands[0].slots)) if commands else None, spoken

    @property
    def command(self):
        return next(event for event in self.events if isinstance(event, Command))


@pytest.fixture
def talk():
    return Talk()


def test_names_of_people_and_strangers():
    assert is_known("Anna")
    assert not is_known("talker_12")
    assert not is_known("unknown")


def test_commands_are_done_and_answered(talk):
    assert talk.say("bring me the spanner") == (("fetch", {"item": "wrench"}), "I am getting the wrench.")
    assert talk.command.speaker == "Anna"
    assert talk.command.turn_id == "1"
    assert talk.say("bring me the spanner from bay 4")[1] == "I am getting the wrench from bay 4."


def test_what_is_no_command_is_told_to_who_asked_only(talk):
    assert talk.say("what a nice day") == (None, GRAMMAR.replies.not_understood)
    assert talk.say("what a nice day", addressed=0.2) == (None, "")
    assert isinstance(talk.events[0], Nothing)


def test_a_detail_is_corrected_and_the_first_command_replaced(talk):
    talk.say("go to bay four")
    assert talk.say("no, five") == (("go_to_bay", {"bay": 5}), "Going to bay 5.")
    assert talk.command.replaces == "1"
    talk.say("no i said bay nine")
    assert (dict(talk.command.slots), talk.command.replaces) == ({"bay": 9}, "2")


def test_only_the_own_command_is_corrected_and_not_for_long(talk):
    talk.say("go to bay four")
    assert talk.say("no, five", "Ben")[0] is None
    assert talk.say("no, five", after=PATIENCE + 1)[0] is None


def test_a_stranger_who_got_a_new_name_can_correct(talk):
    talk.say("go to bay four", "talker_1")
    assert talk.say("no, five", "talker_2")[0] == ("go_to_bay", {"bay": 5})


def test_close_readings_are_asked_back():
    talk = Talk(parse_grammar(LAMPS, "f"))
    assert talk.say(UNCLEAR) == (None, "Did you say the red lamp or the bed lamp?")
    assert talk.say("the second one")[0] == ("fetch", {"item": "bed lamp"})
    assert talk.say("and the other one too")[0] == ("fetch", {"item": "red lamp"})
    assert talk.say("and the other one too") == (None, GRAMMAR.replies.nothing_else)


@pytest.mark.parametrize(
    ("answer", "slots"),
    [
        ("the first", {"item": "red lamp"}),
        ("the bed lamp please", {"item": "bed lamp"}),
        ("no, the hammer", {"item": "hammer"}),
        ("never mind", None),
        ("neither", None),
    ],
)
def test_answers_to_a_choice(answer, slots):
    talk = Talk(parse_grammar(LAMPS, "f"))
    talk.say(UNCLEAR)
    command, said = talk.say(answer)
    assert command == (("fetch", slots) if slots else None)
    assert slots or said == GRAMMAR.replies.cancelled
    assert talk.brain.question is None


def test_both_are_done_if_both_are_wanted():
    talk = Talk(parse_grammar(LAMPS, "f"))
    talk.say(UNCLEAR)
    commands, _ = talk.say("both")
    assert [command.slots["item"] for command in commands] == ["red lamp", "bed lamp"]
    assert [command.replaces for command in commands] == [None, None]


def test_yes_does_not_answer_which_one():
    talk = Talk(parse_grammar(LAMPS, "f"))
    _, question = talk.say(UNCLEAR)
    assert talk.say("yes") == (None, question)


def test_an_unsure_detail_is_asked_back(talk):
    text = "go to bay four"
    assert talk.say(text, confidences=(0.9, 0.9, 0.9, 0.9))[0] is not None
    command, question = talk.say(text, confidences=(0.9, 0.9, 0.9, 0.2))
    assert command is None
    assert "bay 4" in question
    assert talk.say("yes")[0] == ("go_to_bay", {"bay": 4})


def test_commands_that_are_close_are_asked_back(talk):
    assert talk.say("turn the light of") == (None, "Did you say switch on the light or switch off the light?")
    assert talk.say("the second")[0] == ("light_off", {})


def test_a_thing_that_is_only_named_is_asked_about(talk):
    command, question = talk.say("the screwdriver")
    assert command is None
    assert question.startswith("Did you say")
    assert "screwdriver" in question
    assert talk.say("bay four", after=100.0)[0] is None


def test_a_number_that_cannot_be_is_not_bent(talk):
    assert talk.say("go to bay thirty") == (None, "Which bay?")
    assert talk.say("go to bay 99") == (None, "Which bay?")


def test_missing_details_are_asked_for(talk):
    assert talk.say("go to bay") == (None, "Which bay?")
    assert talk.say("number fourteen")[0] == ("go_to_bay", {"bay": 14})
    assert talk.say("tell ben") == (None, "What shall I say?")
    assert talk.say("lunch is ready")[0] == ("tell", {"person": "Ben", "message": "lunch is ready"})


def test_another_command_takes_the_place_of_an_answer(talk):
    talk.say("go to bay")
    assert talk.say("bring me the hammer")[0] == ("fetch", {"item": "hammer"})
    assert talk.brain.question is None


def test_what_destroys_is_confirmed_by_who_asked(talk):
    assert talk.say("empty bay 3") == (None, "Shall I really throw away everything in bay 3?")
    assert talk.say("yes", "Ben") == (None, "")
    assert talk.say("yes", "talker_1") == (None, "")
    assert talk.say("yes please")[0] == ("empty_bay", {"bay": 3})
    assert talk.say("yes")[0] is None


def test_everybody_may_deny_what_destroys(talk):
    talk.say("empty bay 3")
    assert talk.say("no don't do that", "talker_4") == (None, GRAMMAR.replies.cancelled)
    assert talk.say("yes")[0] is None


def test_a_corrected_confirmation_is_asked_again(talk):
    talk.say("empty bay 3")
    assert talk.say("no, bay four") == (None, "Shall I really throw away everything in bay 4?")
    assert talk.say("yes")[0] == ("empty_bay", {"bay": 4})


def test_a_question_that_nobody_heard_cannot_be_confirmed(talk):
    talk.say("empty bay 3")
    talk.brain.heard("")
    assert talk.say("yes")[0] is None


def test_questions_do_not_wait_for_ever(talk):
    talk.say("empty bay 3")
    assert talk.say("yes", after=PATIENCE + 1)[0] is None


def test_strangers_and_doubtful_speakers_are_refused(talk):
    assert talk.say("empty bay 3", "talker_1") == (None, "Sorry, only people I know may ask me to do that.")
    command, said = talk.say("empty bay 3", "Anna", speaker_confidence=0.4)
    assert command is None
    assert "not sure who is speaking" in said
    assert talk.say("empty bay 3", "Anna", speaker_confidence=0.9)[1].startswith("Shall I")


def test_names_are_admitted():
    talk = Talk(parse_grammar(GATES, "f"))
    assert talk.say("open the left gate", "Cleo") == (None, "Sorry, only Anna or Ben may ask me to do that.")
    assert talk.say("open the left gate", "ben")[0] == ("open", {"gate": "left gate"})
    assert talk.say("and the other one too", "ben") == (("open", {"gate": "right gate"}), "All right.")


def test_a_follow_up_needs_the_same_permission():
    talk = Talk(parse_grammar(GATES, "f"))
    talk.say("open the left gate", "Ben")
    assert talk.say("and the right gate too", "talker_1")[0] is None


def test_commands_are_repeated_extended_and_cancelled(talk):
    talk.say("bring me the hammer")
    assert talk.say("and the gloves too")[0] == ("fetch", {"item": "gloves"})
    assert talk.say("again")[0] == ("fetch", {"item": "gloves"})
    command, _ = talk.say("never mind")
    assert command == ("cancel", {})
    assert talk.command.replaces == "3"


def test_stop_is_done_whoever_says_it_whatever_was_asked(talk):
    talk.say("empty bay 3")
    assert talk.say("stop", "talker_9", speaker_confidence=0.1)[0] == ("stop", {})
    assert talk.brain.question is None


def test_a_turn_that_goes_on_after_its_answer_replaces_its_command():
    brain = GrammarBrain(GRAMMAR)

    def commands(text):
        turn = UserTurn("7", text, "Anna")
        return [event for event in brain.respond(turn, DialogueContext()) if isinstance(event, Command)]

    assert [command.replaces for command in commands("bring me the hammer")] == [None]
    assert commands("bring me the hammer") == []
    assert [command.replaces for command in commands("bring me the hammer from bay 2")] == ["7"]


def test_preparing_changes_nothing(talk):
    turn = UserTurn("1", "empty bay 3", "Anna")
    talk.brain.prepare(turn, DialogueContext())
    assert talk.brain.question is None
    assert list(talk.brain.conversation) == []
    assert talk.brain.poll().answers == 0


def test_the_same_dialogue_gives_the_same_answers():
    lines = ["go to bay for", "no five", UNCLEAR, "the first", "again", "cancel"]
    first, second = Talk(), Talk()
    assert [first.say(line) for line in lines] == [second.say(line) for line in lines]


def test_commands_of_other_brains_are_checked(talk):
    turn = UserTurn("1", "whatever", "Anna")
    assert talk.brain.command("dance", {}, turn) is None
    assert talk.brain.command("fetch", {"item": "moon"}, turn) is None
    assert talk.brain.command("fetch", {"colour": "red"}, turn) is None
    assert talk.brain.command("fetch", {}, turn) == [Ask("Which item?", tuple(GRAMMAR.slots["item"].values))]
    command, _ = talk.brain.command("fetch", {"item": "allen key", "bay": "12"}, turn)
    assert dict(command.slots) == {"item": "hex key", "bay": 12}
