"""Brains by what people write: a grammar's file, or the address of a language model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hearing.dialogue.brains.brain import Brain
from hearing.dialogue.brains.chat import ChatBrain
from hearing.dialogue.brains.chat_stream import Endpoint
from hearing.dialogue.brains.fallback import FallbackBrain
from hearing.dialogue.brains.grammar import Allowed, Grammar, Intent
from hearing.dialogue.brains.grammar_brain import GrammarBrain
from hearing.errors import InputError


def make_brain(commands: Grammar, endpoint: Endpoint | None = None) -> Brain:
    """Make a brain that obeys commands, and with a language model talks about everything else."""
    grammar = GrammarBrain(commands)
    return grammar if endpoint is None else FallbackBrain(ChatBrain(endpoint, grammar), grammar)


def with_permissions(commands: Grammar, permissions: Iterable[str]) -> Grammar:
    """Change who may command what.

    Parameters
    ----------
    commands
        A grammar.
    permissions
        Each `INTENT=WHO`, where who is `anyone`, `known` people, or names with commas between them.

    Raises
    ------
    InputError
        If one is written otherwise, or there is no such command, or it is an emergency's.
    """
    allowed = dict(_permission(text, commands.intents) for text in permissions)
    intents = {name: replace(each, allow=allowed.get(name, each.allow)) for name, each in commands.intents.items()}
    return replace(commands, intents=intents)


def _permission(text: str, intents: Mapping[str, Intent]) -> tuple[str, Allowed]:
    name, _, who = (part.strip() for part in text.partition("="))
    people = tuple(person for person in map(str.strip, who.split(",")) if person)
    if not people:
        raise InputError(f"permission {text!r}: write INTENT=anyone, INTENT=known, or INTENT=Anna,Ben")
    if name not in intents:
        raise InputError(f"permission {text!r}: no such command; there are {', '.join(intents)}")
    if intents[name].emergency:
        raise InputError(f"permission {text!r}: in an emergency anyone may command; leave it out")
    if people in (("anyone",), ("known",)):
        return name, "anyone" if people == ("anyone",) else "known"
    return name, people
