"""Ways to take turns, to be compared, and what they do their part with: a loudspeaker, and a brain that answers all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hearing.bench.duplex_baselines import ClassifierAlone, SilenceTimer
from hearing.dialogue.acts import Duck, Emergency, Pause, Resume, Speak, Spoken, Stop
from hearing.dialogue.brains.brain import Ask, Brain, BrainEvent, BrainHealth, DialogueContext, Say, UserTurn
from hearing.dialogue.brains.conversation import Conversation
from hearing.dialogue.controller import DuplexController, Heard
from hearing.dialogue.floor import PERIOD, FloorState
from hearing.speech import Speaking, SpeechClause, SpokenWord
from hearing.types import SAMPLE_RATE

if TYPE_CHECKING:
    from hearing_models.floor.world import Noticed

VOICE_DELAY = 0.1
"""Seconds from a text to its first sound."""
STOP_DELAY = 0.1
"""Seconds from the decision to fall silent until the loudspeaker has: buffers."""
_WORD = 0.32
_ANSWERS = (
    "I am taking it there, it will be done in seven minutes, and then I will come back to you.",
    "All right, I will go there as soon as the lane is free.",
    "It is on the second shelf from the top, beside the red toolbox.",
)
_QUESTION = "Which one do you mean?"


@dataclass(slots=True)
class Speech:
    """What the robot said in one go, in seconds of stream time.

    Attributes
    ----------
    to
        Track of whom it was said to.
    begin, end
        First and last sound; silent pauses are in between.
    content
        When the first word after openers and names sounded, or None.
    """

    to: int
    begin: float
    end: float
    content: float | None = None


@dataclass(slots=True)
class Journal:
    """What a policy did: speeches, when it fell silent because of somebody, and emergencies by utterance."""

    speeches: list[Speech] = field(default_factory=list)
    stops: list[float] = field(default_factory=list)
    emergencies: list[tuple[float, str]] = field(default_factory=list)


class Mouth:
    """A loudspeaker with the bookkeeping of a real one, and a voice of even words."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._speaking: Speaking | None = None
        self._due: list[tuple[float, str, bool]] = []
        self.answer_id, self._to = "", 0
        self._content: list[int] = []
        self.sounds = False

    def say(self, now: float, answer_id: str, text: str, to: int, content: bool) -> None:
        """Say a text after `VOICE_DELAY`; another answer ends the one before."""
        if answer_id != self.answer_id:
            self.answer_id, self._to, self._due = answer_id, to, []
            self._speaking = Speaking(round(now * SAMPLE_RATE))
            self._journal.speeches.append(Speech(to, np.inf, np.inf))
        self._due.append((now + VOICE_DELAY, text, content))

    def stop(self, now: float) -> None:
        """Fall silent for good."""
        if self._speaking is not None and self.sounds:
            self._journal.stops.append(now + STOP_DELAY)
        self._speaking, self._due, self.sounds, self.answer_id = None, [], False, ""

    def pause(self, now: float) -> None:
        """Fall silent for now."""
        if self._speaking is not None:
            if self.sounds:
                self._journal.stops.append(now + STOP_DELAY)
            self._speaking.pause()

    def duck(self) -> None:
        """Speak more quietly."""
        if self._speaking is not None:
            self._speaking.duck(-9.0)

    def resume(self) -> None:
        """Speak as before."""
        if self._speaking is not None:
            self._speaking.resume()

    def advance(self, now: float) -> bool:
        """Play the tenth of a second that begins now; return whether it sounds."""
        if self._speaking is None:
            return False
        speech = self._journal.speeches[-1]
        for entry in [entry for entry in self._due if entry[0] <= now + 1e-6]:
            self._due.remove(entry)
            words = entry[1].split()
            times = tuple(SpokenWord(word, k * _WORD, (k + 1) * _WORD) for k, word in enumerate(words))
            sound = np.ones(round(len(words) * _WORD * SAMPLE_RATE), np.float32)
            if entry[2] and speech.content is None:
                speech.content = now + self._speaking.remaining
            self._speaking.add(SpeechClause(" ".join(words), times, sound))
        self.sounds = bool(np.abs(self._speaking.advance(round(PERIOD * SAMPLE_RATE))).mean() > 0.1)
        if self.sounds:
            speech.begin, speech.end = min(speech.begin, now), now + PERIOD
        return self.sounds

    @property
    def spoken(self) -> Spoken | None:
        """What was said so far, for the controller."""
        if self._speaking is None:
            return None
        finished = self._speaking.remaining == 0 and not self._due
        return Spoken(self.answer_id, self._speaking.said(), self._speaking.unsaid(), finished)


class EasyBrain:
    """Has an answer to everything, at once; every fifth is a question."""

    def __init__(self) -> None:
        self.conversation = Conversation()
        self._count = 0

    def prepare(self, turn: UserTurn, context: DialogueContext) -> None:
        """Do nothing."""

    def respond(self, turn: UserTurn, context: DialogueContext) -> Iterator[BrainEvent]:
        """Say one of a few sentences."""
        self._count += 1
        yield Ask(_QUESTION) if self._count % 5 == 0 else Say(_ANSWERS[self._count % len(_ANSWERS)])

    def heard(self, text: str) -> None:
        """Do nothing."""

    def cancel(self) -> None:
        """Do nothing."""

    def poll(self) -> BrainHealth:
        """Be well."""
        return BrainHealth("easy")


POLICIES: dict[str, Callable[[Brain], DuplexController]] = {
    "duplex": DuplexController,
    "silence timer 0.7 s": SilenceTimer,
    "classifier alone": ClassifierAlone,
}


class Player:
    """A policy with a loudspeaker that makes no sound."""

    def __init__(self, controller: DuplexController) -> None:
        self.journal = Journal()
        self._mouth = Mouth(self.journal)
        self._controller = controller

    @property
    def asked(self) -> bool:
        """Whether its last words were a question."""
        return self._controller.asked

    def step(self, noticed: Noticed, floor: tuple[FloorState, ...]) -> bool:
        """Take a tick; return whether the loudspeaker sounds in the next one."""
        mouth, now = self._mouth, noticed.now
        heard = Heard(floor, noticed.utterances, mouth.spoken, noticed.spotted)
        for act in self._controller.process(now, heard):
            if isinstance(act, Speak):
                mouth.say(now, act.answer_id, act.text, act.track_id, content=len(act.text.split()) > 3)
            elif isinstance(act, Pause):
                mouth.pause(now)
            elif isinstance(act, Resume):
                mouth.resume()
            elif isinstance(act, Duck):
                mouth.duck()
            elif isinstance(act, Stop):
                mouth.stop(now)
            elif isinstance(act, Emergency):
                self.journal.emergencies.append((now, act.utterance_id))
        return mouth.advance(now)
