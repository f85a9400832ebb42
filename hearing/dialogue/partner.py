"""What the dialogue knows of everybody who is around: the turn of words that is not answered yet, and the floor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hearing.attribution import UNKNOWN
from hearing.dialogue.brains.brain import PersonHere, UserTurn
from hearing.dialogue.floor import FloorState
from hearing.types import Direction, Utterance

FORGOTTEN = 8.0
"""Seconds after which words that nobody answered belong to no turn any more."""
_READ = 0.35
SETTLED = 1.0
"""Seconds for which a word must have been shown to be believed before it is final: longer than a recognizer that is not
behind takes to hear an utterance once more at its end, so that what was misheard at first is seldom acted on."""


@dataclass(slots=True)
class Partner:
    """Somebody, by the track that is heard.

    Attributes
    ----------
    track_id
        The track.
    name, direction
        As in the latest utterance.
    floor, over
        The latest state of the floor, and how likely it was at most in this pause that the turn is over.
    utterances
        The words of the turn that is not answered yet, by utterance.
    last_voice, closed_voice
        Stream time of the latest voice, and of the latest that belongs to a turn that is done with.
    answered
        Ids of utterances that have been answered, or that are of no interest.
    hummed
        Whether the robot said "mm-hm" in this turn.
    """

    track_id: int
    name: str = UNKNOWN
    direction: Direction | None = None
    floor: FloorState | None = None
    over: float = 0.0
    utterances: dict[str, Utterance] = field(default_factory=dict)
    last_voice: float = 0.0
    closed_voice: float = 0.0
    answered: set[str] = field(default_factory=set)
    hummed: bool = False

    def hear(self, utterance: Utterance) -> None:
        """Note new words, or that there were none after all."""
        self.name, self.direction = utterance.speaker, utterance.direction
        if utterance.id in self.answered:
            return
        if utterance.words:
            self.utterances[utterance.id] = utterance
        elif utterance.final:
            self.utterances.pop(utterance.id, None)

    def follow(self, floor: FloorState) -> None:
        """Note what becomes of the floor; old words are forgotten."""
        self.floor = floor
        self.over = 0.0 if floor.talking else max(self.over, floor.over)
        self.direction = floor.direction or self.direction
        if floor.talking:
            self.last_voice = floor.time
        elif floor.time - self.last_voice > FORGOTTEN and all(each.final for each in self.utterances.values()):
            self.close()

    def close(self, until: float = 0.0) -> None:
        """Let the turn be over and done with, and with it voice up to a stream time that is not here yet."""
        self.answered |= set(self.utterances)
        self.utterances.clear()
        self.closed_voice = max(self.last_voice, until)
        self.hummed = False

    def reopen(self, utterances: Iterable[Utterance]) -> None:
        """Take back that a turn was over."""
        self.answered -= {utterance.id for utterance in utterances}
        self.utterances |= {utterance.id: utterance for utterance in utterances}
        self.closed_voice = 0.0

    @property
    def last_heard(self) -> float:
        """Stream time of the latest voice or word."""
        return max([self.last_voice, *(part.end_time for part in self.utterances.values())])

    @property
    def fresh(self) -> bool:
        """Whether something was said that is not done with."""
        return bool(self.utterances) or self.last_voice > self.closed_voice

    @property
    def turn(self) -> UserTurn | None:
        """The turn so far, all its utterances joined; None without words."""
        parts = sorted(self.utterances.values(), key=lambda part: (part.start_time, part.id))
        if not parts:
            return None
        last = UserTurn.of(parts[-1])
        words = [word for part in parts for word in part.words]
        return UserTurn(
            parts[0].id,
            " ".join(word.text for word in words),
            last.speaker,
            last.direction,
            max(part.addressed_to_robot for part in parts),
            last.speaker_confidence,
            tuple(word.confidence for word in words),
            parts[0].start_time,
            parts[-1].end_time,
            all(part.final for part in parts),
        )

    def read(self, now: float) -> bool:
        """Whether the words are known and reach to where the voice ended: all are final, or have been shown a while."""
        parts = self.utterances.values()
        if all(part.final for part in parts):
            return bool(parts)
        shown = max(word.emitted_partial for part in parts if not part.final for word in part.words)
        return shown <= now - SETTLED and max(part.words[-1].end_time for part in parts) > self.last_voice - _READ

    @property
    def here(self) -> PersonHere:
        """Who it is and where, for brains."""
        return PersonHere(self.name, self.direction)
