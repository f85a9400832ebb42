"""What answers: one interface for every brain, and what goes in and comes out.

A brain is asked with `respond` and answers in pieces, so that the robot speaks while the rest is thought of. Nothing
blocks: whoever has no thread to spare takes events as they come. To swap brains while the robot runs, `cancel` the one
that answers, hand its `conversation` to the next, and ask that one from then on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from hearing.attribution import UNKNOWN
from hearing.types import Direction, Utterance

if TYPE_CHECKING:
    from hearing.dialogue.brains.conversation import Conversation

_ANONYMOUS = re.compile(r"talker_\d+")
SlotValue = str | int
BrainState = Literal["ready", "probing", "down"]


@dataclass(frozen=True, slots=True)
class UserTurn:
    """What somebody says, whole or so far.

    Attributes
    ----------
    id
        The same for all that is known of the turn while it grows.
    text
        Its words so far.
    speaker
        Name of a person whom the robot knows, `talker_1`, ..., or `unknown`.
    direction
        Where the speaker is, or None.
    addressed
        Probability that it is said to the robot.
    speaker_confidence
        Probability that the speaker is right, or None where nobody can tell.
    confidences
        Probability of each word of the text that it is right; empty where it is not known.
    start_time, end_time
        Seconds of stream time.
    final
        False as long as words may come or change.
    """

    id: str
    text: str
    speaker: str = UNKNOWN
    direction: Direction | None = None
    addressed: float = 1.0
    speaker_confidence: float | None = None
    confidences: tuple[float, ...] = ()
    start_time: float = 0.0
    end_time: float = 0.0
    final: bool = True

    @classmethod
    def of(cls, utterance: Utterance) -> UserTurn:
        """Make a turn of one utterance."""
        return cls(
            utterance.id,
            utterance.text,
            utterance.speaker,
            utterance.direction,
            utterance.addressed_to_robot,
            utterance.confidence.speaker,
            tuple(word.confidence for word in utterance.words),
            utterance.start_time,
            utterance.end_time,
            utterance.final,
        )

    @property
    def known(self) -> bool:
        """Whether the speaker is a person whom the robot knows by name."""
        return is_known(self.speaker)


def is_known(speaker: str) -> bool:
    """Tell names of people whom the robot knows from those that it gives to strangers.

    >>> is_known("Anna"), is_known("talker_3"), is_known("unknown")
    (True, False, False)
    """
    return speaker != UNKNOWN and _ANONYMOUS.fullmatch(speaker) is None


@dataclass(frozen=True, slots=True)
class PersonHere:
    """Somebody who is around: a name as in `UserTurn.speaker`, and the direction, or None."""

    name: str
    direction: Direction | None = None


@dataclass(frozen=True, slots=True)
class DialogueContext:
    """What the robot knows besides the turn.

    Attributes
    ----------
    people
        Who is around.
    overheard
        Latest turns that were not said to the robot, oldest first; those that a brain was told before are known by id.
    robot_name
        What people call it.
    """

    people: tuple[PersonHere, ...] = ()
    overheard: tuple[UserTurn, ...] = ()
    robot_name: str = "Robot"


@dataclass(frozen=True, slots=True)
class Say:
    """A piece of the answer: a clause or sentence to speak. The pieces of an answer are joined with blanks."""

    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to speak; the next turn answers it.

    Attributes
    ----------
    text
        The question.
    choices
        What may be answered, as people say it; empty if anything.
    """

    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do.

    Attributes
    ----------
    intent
        Which command, as the grammar calls it.
    slots
        Its details: names of slots, and numbers or the names of list values, or free text.
    speaker, turn_id
        Who wants it, and what he said.
    confidence
        Probability that exactly this was meant.
    replaces
        `turn_id` of the command that it corrects: that one shall not be gone on with.
    """

    intent: str
    slots: Mapping[str, SlotValue] = field(default_factory=dict)
    speaker: str = UNKNOWN
    turn_id: str = ""
    confidence: float = 1.0
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to say, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing new yet; ask the iterator again later."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The brain could not go on, and why; what it said before stands. `FallbackBrain` never gives it."""

    reason: str


BrainEvent = Say | Ask | Command | Nothing | Waiting | Failed


@dataclass(frozen=True, slots=True)
class BrainHealth:
    """How a brain is, for diagnostics.

    Attributes
    ----------
    name
        Which brain, `grammar` or the name of a model.
    state
        `ready`; `probing`: unreachable, and asked again all the time; `down`: will not answer until it is mended.
    message
        One line for people.
    answers, failures
        How many answers were complete, and how many were not.
    first_piece
        Seconds from the question to the first piece of the latest answer, or None.
    """

    name: str
    state: BrainState = "ready"
    message: str = ""
    answers: int = 0
    failures: int = 0
    first_piece: float | None = None


class Brain(Protocol):
    """What answers."""

    conversation: Conversation

    def prepare(self, turn: UserTurn, context: DialogueContext) -> None:
        """Think about a turn that may not be over. Commits to nothing and may be repeated as the turn grows."""

    def respond(self, turn: UserTurn, context: DialogueContext) -> Iterator[BrainEvent]:
        """Answer a turn.

        The iterator never blocks for more than some milliseconds: it gives `Waiting` when nothing is ready. It never
        raises for what an endpoint does: that is `Failed`. Asking anew ends the answer before.
        """

    def heard(self, text: str) -> None:
        """Tell what of the latest answer has been heard so far, from its beginning; "" if nothing was.

        Told as often as it changes; what was never told counts as unheard.
        """

    def cancel(self) -> None:
        """Stop answering and preparing, and let go of connections; the brain can be asked again.

        A question that it has asked may still be answered: whoever interrupts one often does just that.
        """

    def poll(self) -> BrainHealth:
        """Do what is due, such as trying an endpoint again, and tell how the brain is. To be called twice a second."""
