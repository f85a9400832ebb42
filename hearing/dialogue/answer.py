"""An answer on its way: what the brain gives, and how far the loudspeaker is with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hearing.dialogue.acts import Spoken
from hearing.dialogue.brains.brain import BrainEvent, UserTurn
from hearing.recognition.text import normalize
from hearing.types import Utterance


@dataclass(slots=True)
class Answer:
    """What is being said.

    Attributes
    ----------
    id, to
        Which answer, and the track of whom it is for.
    turn, utterances
        What it answers, once the brain was asked.
    events
        The rest of what the brain gives; None before it is asked and after it has ended.
    voice, since, by
        What the loudspeaker shall do, since when, and the track that made it pause.
    prefix
        What is said before the brain's words: an opener, a name.
    text
        All that was given to the loudspeaker.
    question
        Whether it ends with a question.
    spoken, told
        How far the loudspeaker is, and when it told that last, in seconds of stream time.
    """

    id: str
    to: int
    turn: UserTurn | None = None
    utterances: tuple[Utterance, ...] = ()
    events: Iterator[BrainEvent] | None = None
    voice: Literal["speaking", "ducked", "paused"] = "speaking"
    since: float = 0.0
    by: int = 0
    prefix: str = ""
    text: str = ""
    question: bool = False
    spoken: Spoken | None = None
    told: float = 0.0

    @property
    def asked(self) -> bool:
        """Whether the brain was asked."""
        return self.turn is not None

    @property
    def heard(self) -> str:
        """What was heard of the brain's words."""
        said = self.spoken.said if self.spoken else ""
        return said[len(self.prefix) :].strip() if len(said) > len(self.prefix) else ""

    @property
    def over(self) -> bool:
        """Whether everything is said."""
        played = not self.text or (self.spoken is not None and self.spoken.finished)
        return self.asked and self.events is None and played and self.voice != "paused"

    def misunderstood(self, utterance: Utterance) -> bool:
        """Whether an utterance that this answers turned out to have other words before anything was said to it."""
        known = next((each for each in self.utterances if each.id == utterance.id), None)
        if known is None or self.heard or not utterance.words:
            return False
        return normalize(known.text) != normalize(utterance.text)
