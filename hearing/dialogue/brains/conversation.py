"""Who said what to whom, and what of the robot's answers was heard."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from hearing.dialogue.brains.brain import Ask, BrainEvent, Command, DialogueContext, Say, UserTurn

REMEMBERED = 40
"""Turns and answers that are kept."""


@dataclass(slots=True)
class Line:
    """A turn of a person; `addressed` tells whether the robot was asked to answer it, or only overheard it."""

    turn: UserTurn
    addressed: bool


@dataclass(slots=True)
class Answer:
    """An answer of the robot.

    Attributes
    ----------
    turn_id
        What it answers.
    said
        Its text as far as it was made.
    heard
        What of it was heard; None as long as nobody told.
    commands
        What the robot did.
    """

    turn_id: str
    said: str = ""
    heard: str | None = None
    commands: list[Command] = field(default_factory=list)

    @property
    def interrupted(self) -> bool:
        """Whether less was heard than was made."""
        return len((self.heard or "").split()) < len(self.said.split())


class Conversation:
    """The latest turns and answers; brains that take over from each other share one."""

    def __init__(self) -> None:
        self._entries: deque[Line | Answer] = deque(maxlen=REMEMBERED)
        self._known: deque[str] = deque(maxlen=4 * REMEMBERED)

    def __iter__(self) -> Iterator[Line | Answer]:
        """Give all that is remembered, oldest first."""
        return iter(self._entries)

    @property
    def answer(self) -> Answer | None:
        """The latest answer."""
        return next((entry for entry in reversed(self._entries) if isinstance(entry, Answer)), None)

    def begin(self, turn: UserTurn, context: DialogueContext) -> None:
        """Begin to answer a turn.

        If the latest answer is to the same turn, it is gone on with, or begun anew where the turn has got other words.
        """
        self.overhear(context.overheard)
        if len(self._entries) >= 2 and isinstance(answer := self._entries[-1], Answer) and answer.turn_id == turn.id:
            if isinstance(line := self._entries[-2], Line) and line.turn.text != turn.text:
                line.turn = turn
                answer.said, answer.heard = "", None
            return
        self._known.append(turn.id)
        self._entries += [Line(turn, True), Answer(turn.id)]

    def continued(self, turn: UserTurn, context: DialogueContext) -> Conversation:
        """Return what the conversation is once a turn is answered, without changing this one."""
        other = Conversation()
        other._entries.extend(replace(entry) for entry in self._entries)
        other._known.extend(self._known)
        other.begin(turn, context)
        return other

    def overhear(self, turns: Sequence[UserTurn]) -> None:
        """Take note of what was not said to the robot."""
        for turn in turns:
            if turn.id not in self._known:
                self._known.append(turn.id)
                self._entries.append(Line(turn, False))

    def add(self, event: BrainEvent) -> None:
        """Go on with the latest answer."""
        if (answer := self.answer) is None:
            return
        if isinstance(event, Say | Ask):
            answer.said = f"{answer.said} {event.text}".strip()
        elif isinstance(event, Command):
            answer.commands.append(event)

    def heard(self, text: str) -> None:
        """Take note of what has been heard of the latest answer so far, from its beginning."""
        if self.answer is not None:
            self.answer.heard = text.strip()
