"""What breaks while the robot talks, and that it is neither deaf nor mute for long once it is mended.

Time is that of the stream: a step is 0.1 s, however long it takes. Only the language model answers in real time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from fake_chat import FakeChat, Reply
from stand_ins import Company, PlainFloor, QuickVoice

from hearing.dialogue.acts import Emergency
from hearing.dialogue.brains.chat import PROBE_EVERY, PROBE_PATIENCE
from hearing.dialogue.brains.chat_stream import Endpoint
from hearing.dialogue.brains.fallback import CANNOT_THINK
from hearing.dialogue.brains.grammar_file import load_grammar
from hearing.dialogue.brains.loading import make_brain
from hearing.dialogue.controller import DuplexConfig, DuplexController
from hearing.dialogue.interlocutor import HELD, Interlocutor

RECOVERED = 2.0
"""Seconds after something is mended within which it has to work again."""
CONFIG = DuplexConfig(openers=())
GRAMMAR = load_grammar()


def company(endpoint: Endpoint | None = None, voice: QuickVoice | None = None) -> Company:
    controller = DuplexController(make_brain(GRAMMAR, endpoint), CONFIG)
    return Company(Interlocutor(controller, voice or QuickVoice(), PlainFloor()))


def answer(people: Company, text: str) -> str:
    """Say something to the robot, and return its answer once it is said."""
    before = len(people.texts)
    people.say(text)
    people.until(lambda: len(people.texts) > before and people.sounding)
    people.until(lambda: not people.sounding)
    return " ".join(people.texts[before:])


@pytest.fixture
def server() -> Iterator[FakeChat]:
    fake = FakeChat()
    yield fake
    fake.stop()


@pytest.fixture
def thinking(server: FakeChat) -> Company:
    return company(Endpoint(server.url, "test", first_piece=20.0, between=20.0))


def test_a_model_that_dies_in_the_middle_of_an_answer_is_missed_aloud_and_commands_go_on(
    server: FakeChat, thinking: Company
) -> None:
    server.replies = [Reply(["It is noon. ", "And the "], breaks_off=True)]
    said = answer(thinking, "what time is it")
    server.stop()
    thinking.until(lambda: CANNOT_THINK in thinking.texts)
    assert said.startswith("It is noon.")
    assert answer(thinking, "go to bay four") == "Going to bay 4."
    assert thinking.commands == ["go_to_bay"]
    assert thinking.robot.health.brain.failures == 1


def test_a_model_that_is_back_answers_again(server: FakeChat, thinking: Company) -> None:
    server.stop()
    assert CANNOT_THINK in answer(thinking, "what time is it")
    server.replies = [Reply(["It is one o'clock."])]
    server.start()
    thinking.until(lambda: thinking.robot.health.brain.state == "ready", 100_000)
    assert answer(thinking, "what time is it") == "It is one o'clock."
    assert PROBE_EVERY + PROBE_PATIENCE <= RECOVERED


def test_another_brain_takes_over_while_the_first_one_hangs(server: FakeChat, thinking: Company) -> None:
    server.replies = [Reply(["It is noon. ", "And more."], delay=0.0, hangs=60.0)]
    thinking.say("what time is it")
    thinking.until(lambda: server.requests)
    thinking.robot.use(make_brain(GRAMMAR))
    assert answer(thinking, "go to bay four") == "Going to bay 4."
    assert thinking.robot.health.brain.name == "grammar"


def test_the_new_brain_knows_what_was_said_before(server: FakeChat) -> None:
    people = company()
    answer(people, "go to bay four")
    people.robot.use(make_brain(GRAMMAR, Endpoint(server.url, "test", first_piece=20.0, between=20.0)))
    server.replies = [Reply(["Bay four."])]
    assert answer(people, "why is that so far away") == "Bay four."
    told = " ".join(message["content"] for message in server.requests[-1]["messages"])
    assert "go to bay four" in told
    assert "Going to bay 4." in told


def test_speech_that_the_loudspeaker_loses_is_said_again_from_where_it_was_heard() -> None:
    people = company()
    people.robot.announce("one two three four five six seven eight")
    people.until(lambda: people.sounding)
    people.steps(0.6)
    people.heard_until = lost = people.now
    people.until(lambda: people.robot.health.loudspeaker_lost)
    assert people.now - lost <= HELD + 0.2
    people.steps(1.0)
    assert not people.sounding
    mended = people.now
    people.heard_until = None
    people.until(lambda: people.sounding)
    assert people.now - mended <= RECOVERED
    begun = len(people.sound) - 1
    people.until(lambda: not people.sounding)
    seconds = sum(np.abs(sound).max() > 1e-3 for sound in people.sound[begun:]) / 10
    assert seconds == pytest.approx(8 * 0.3 - 0.6, abs=0.3)


def test_an_answer_that_stays_unheard_is_given_up_and_the_next_one_is_heard() -> None:
    people = company()
    people.say("go to bay four")
    people.until(lambda: people.sounding)
    people.heard_until = people.now
    people.steps(CONFIG.lost + 2.0)
    assert people.robot.health.loudspeaker_lost
    people.say("wait here")
    people.steps(4.0)
    assert people.commands == ["go_to_bay", "wait"]
    people.heard_until = None
    mended = people.now
    people.say("go to bay five")
    people.until(lambda: people.sounding)
    assert people.texts[-1] == "Going to bay 5."
    assert people.now - mended <= 1.0 + RECOVERED
    assert not people.robot.health.loudspeaker_lost


def test_an_emergency_word_is_heard_without_loudspeaker_and_model(server: FakeChat, thinking: Company) -> None:
    server.stop()
    thinking.heard_until = 0.0
    thinking.steps(1.0)
    thinking.say("stop")
    thinking.until(lambda: any(isinstance(act, Emergency) for _, act in thinking.acts))


def test_a_voice_that_fails_at_a_clause_speaks_on() -> None:
    people = company(voice=QuickVoice(fails_at="bay 4"))
    people.say("go to bay four")
    people.steps(4.0)
    assert people.commands == ["go_to_bay"]
    assert "cannot say" in people.robot.health.voice
    people.say("go to bay five")
    people.until(lambda: people.sounding)


def test_a_new_stream_is_listened_to_at_once_and_what_was_to_be_said_is_said() -> None:
    people = company()
    people.robot.announce("one two three four five six")
    people.until(lambda: people.sounding)
    people.robot.reset()
    again = Company(people.robot)
    again.until(lambda: again.sounding)
    assert again.now <= RECOVERED
    assert answer(again, "go to bay four") == "Going to bay 4."


def test_what_is_stopped_is_not_said_and_what_is_muted_is_not_heard() -> None:
    people = company()
    people.robot.announce("one two three four five six")
    people.until(lambda: people.sounding)
    people.robot.stop()
    people.steps(0.2)
    assert not people.sounding
    people.robot.muted = True
    people.say("go to bay four")
    people.steps(4.0)
    assert people.commands == ["go_to_bay"]
    assert not any(sound.any() for sound in people.sound[-20:])
    people.robot.muted = False
    assert answer(people, "go to bay five") == "Going to bay 5."


def test_an_announcement_waits_for_the_answer_and_an_answer_for_the_announcement() -> None:
    people = company()
    people.say("go to bay four")
    people.until(lambda: people.sounding)
    people.robot.announce("one two")
    people.until(lambda: not people.sounding)
    people.say("go to bay five")
    people.until(lambda: people.texts[-1] == "Going to bay 5.")
    people.until(lambda: not people.sounding)
    assert people.commands == ["go_to_bay", "go_to_bay"]


def test_written_turns_are_answered_whether_or_not_somebody_is_heard() -> None:
    people = company()
    people.robot.read("go to", "keyboard", "Anna", False)
    people.step()
    people.robot.read("go to bay four", "keyboard", "Anna", True)
    people.until(lambda: people.commands == ["go_to_bay"])
    people.steps(3.0)
    assert people.texts == ["Going to bay 4."]
    people.steps(9.0)
    people.robot.read("go to bay five", "keyboard", "Anna", True)
    people.until(lambda: people.commands == ["go_to_bay", "go_to_bay"])
