"""A conversation as the messages of a language model: who said what, from where, to whom, and what was heard."""

from __future__ import annotations

from collections.abc import Iterator

from hearing.dialogue.brains.brain import DialogueContext, UserTurn
from hearing.dialogue.brains.conversation import Answer, Conversation, Line
from hearing.types import Direction

_SYSTEM = (
    "You are {name}, a robot that works among people. You hear all of them. Every line of the conversation tells who "
    "speaks, from where, and whether it is said to you. What you only overhear is there for you to know; do not answer "
    "it. Answer whoever spoke to you last, in one or two short sentences that will be spoken aloud: no lists, no "
    "markup, no names in front. Call a function only if that person wants it done now; never say that you did "
    "something without calling one."
)
_AHEAD, _BEHIND = 20.0, 160.0


def messages(conversation: Conversation, context: DialogueContext, persona: str = "") -> list[dict[str, str]]:
    """Write a conversation as messages, of which the last one is to be answered.

    Users and assistant take turns strictly, as many models' templates demand. An answer is told only as far as it was
    heard.

    Parameters
    ----------
    conversation
        What was said; its last entry is the answer that is being made.
    context
        Who is around, and what the robot is called.
    persona
        What else the model shall know of the robot and its work.
    """
    system = _SYSTEM.format(name=context.robot_name)
    if context.people:
        around = ", ".join(f"{person.name} ({_where(person.direction)})" for person in context.people)
        system += f"\nAround you: {around}."
    if persona:
        system += f"\n{persona}"
    written = [{"role": "system", "content": system}]
    for role, content in _contents(conversation):
        if written[-1]["role"] == role:
            written[-1]["content"] += f"\n{content}"
        elif role == "user" or len(written) > 1:
            written.append({"role": role, "content": content})
    return written


def _contents(conversation: Conversation) -> Iterator[tuple[str, str]]:
    entries = list(conversation)
    for entry in entries[:-1] if entries and isinstance(entries[-1], Answer) else entries:
        if isinstance(entry, Line):
            yield "user", _line(entry.turn, entry.addressed)
            continue
        if entry.heard:
            yield "assistant", entry.heard
        if note := _note(entry):
            yield "user", f"({note})"


def _line(turn: UserTurn, addressed: bool) -> str:
    told = "to you" if addressed else "overheard"
    return f"{turn.speaker} ({_where(turn.direction)}, {told}): {turn.text}"


def _note(answer: Answer) -> str:
    """Tell what a model cannot see in its own words."""
    notes = []
    for command in answer.commands:
        details = "".join(f", {name} {value}" for name, value in command.slots.items())
        notes.append(f"You did: {command.intent}{details}.")
    if answer.said and not answer.heard:
        notes.append("What you answered was not heard.")
    elif answer.interrupted:
        notes.append("You were interrupted there: the rest of what you wanted to say was not heard.")
    return " ".join(notes)


def _where(direction: Direction | None) -> str:
    """Say where somebody is, seen from the robot."""
    if direction is None:
        return "somewhere"
    azimuth = direction.azimuth_deg
    if abs(azimuth) < _AHEAD:
        return "ahead"
    if abs(azimuth) > _BEHIND:
        return "behind you"
    return f"{abs(azimuth):.0f} degrees to your {'left' if azimuth > 0 else 'right'}"
