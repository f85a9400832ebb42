"""Brains by what people write, and who may command what."""

from __future__ import annotations

import pytest

from hearing.dialogue.brains.brain import Command, DialogueContext, UserTurn
from hearing.dialogue.brains.chat_stream import Endpoint
from hearing.dialogue.brains.fallback import FallbackBrain
from hearing.dialogue.brains.grammar_brain import GrammarBrain
from hearing.dialogue.brains.grammar_file import load_grammar
from hearing.dialogue.brains.loading import make_brain, with_permissions
from hearing.errors import InputError

GRAMMAR = load_grammar()


def commanded(permission: str, speaker: str) -> bool:
    brain = make_brain(with_permissions(GRAMMAR, [permission]))
    events = brain.respond(UserTurn("u1", "go to bay four", speaker, speaker_confidence=1.0), DialogueContext())
    return any(isinstance(event, Command) for event in events)


@pytest.mark.parametrize(
    ("permission", "speaker", "may"),
    [
        ("go_to_bay=anyone", "talker_1", True),
        ("go_to_bay=known", "talker_1", False),
        ("go_to_bay=known", "Anna", True),
        ("go_to_bay = Anna, Ben", "Ben", True),
        ("go_to_bay=Anna,Ben", "Carla", False),
    ],
)
def test_permissions_say_who_may(permission: str, speaker: str, may: bool) -> None:
    assert commanded(permission, speaker) == may


@pytest.mark.parametrize(
    ("permission", "complaint"),
    [
        ("go_to_bay", "write INTENT=anyone"),
        ("go_to_bay=,", "write INTENT=anyone"),
        ("fly=known", "no such command; there are stop, fetch"),
        ("stop=known", "in an emergency anyone may command"),
    ],
)
def test_permissions_that_cannot_be_are_refused(permission: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        with_permissions(GRAMMAR, [permission])


def test_the_others_stay_as_they_are() -> None:
    changed = with_permissions(GRAMMAR, ["go_to_bay=known"])
    assert changed.intents["fetch"] == GRAMMAR.intents["fetch"]
    assert with_permissions(GRAMMAR, []).intents == GRAMMAR.intents


def test_with_an_endpoint_a_model_thinks_and_the_grammar_obeys() -> None:
    assert isinstance(make_brain(GRAMMAR), GrammarBrain)
    brain = make_brain(GRAMMAR, Endpoint("http://127.0.0.1:1/v1", "test"))
    assert isinstance(brain, FallbackBrain)
    assert brain.chat.conversation is brain.grammar.conversation
