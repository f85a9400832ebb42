"""What the dialogue decides, and what it is told of the loudspeaker."""

from __future__ import annotations

from dataclasses import dataclass

from hearing.dialogue.brains.brain import Command
from hearing.types import Direction


@dataclass(frozen=True, slots=True)
class Speak:
    """Say a piece of an answer: the first one begins it, further ones follow on.

    Attributes
    ----------
    answer_id
        Which answer; unique in the stream.
    text
        A clause, a sentence or a few of them.
    to, track_id, direction
        Whom it is for, as in `Utterance.speaker`, on which track, and where that is, or None.
    hums
        Whether it is a mere "mm-hm", an answer of its own that takes the floor from nobody.
    """

    answer_id: str
    text: str
    to: str
    track_id: int
    direction: Direction | None = None
    hums: bool = False


@dataclass(frozen=True, slots=True)
class Duck:
    """Say on more quietly: somebody says something that may be worth to listen to."""

    answer_id: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Be silent at once and keep what is left: somebody takes the floor."""

    answer_id: str


@dataclass(frozen=True, slots=True)
class Resume:
    """Say on as before: nobody wanted the floor."""

    answer_id: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Be silent at once and drop what is left."""

    answer_id: str


@dataclass(frozen=True, slots=True)
class Look:
    """Turn the gaze to somebody."""

    person: str
    track_id: int
    direction: Direction


@dataclass(frozen=True, slots=True)
class Do:
    """Do something that somebody told the robot, see `Command`."""

    command: Command


@dataclass(frozen=True, slots=True)
class Emergency:
    """Somebody said an emergency word: stop whatever moves.

    Attributes
    ----------
    word
        The word that was heard.
    utterance_id, speaker, direction
        In what, by whom, from where.
    """

    word: str
    utterance_id: str
    speaker: str
    direction: Direction | None = None


DialogueAct = Speak | Duck | Pause | Resume | Stop | Look | Do | Emergency


@dataclass(frozen=True, slots=True)
class Spoken:
    """How far the loudspeaker is with an answer.

    Attributes
    ----------
    answer_id
        Which one.
    said, unsaid
        What of it was heard, and what not yet, as `hearing.speech.Speaking` tells.
    finished
        Whether all that was given to it is played.
    """

    answer_id: str
    said: str
    unsaid: str
    finished: bool = False
