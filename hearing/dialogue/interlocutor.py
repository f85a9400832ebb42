"""The robot's part in a conversation: from what was heard to what is said and done, wherever it is heard and played.

floor model -> duplex controller -> synthesis -> what the loudspeaker is to play

`Conversation` puts a pipeline before it; the ROS 2 dialogue node hears over topics instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hearing.dialogue.acts import DialogueAct, Duck, Emergency, Look, Pause, Resume, Speak, Spoken, Stop
from hearing.dialogue.brains.brain import Brain, BrainHealth
from hearing.dialogue.controller import DuplexController, Heard
from hearing.dialogue.floor import FloorState, RobotNow
from hearing.dialogue.listening import FloorListener
from hearing.dialogue.written import WRITTEN, WrittenTurns
from hearing.errors import InputError
from hearing.speech import LombardFilter, LombardStyle, SelfHearing, Speaking, Synthesizer, split_clauses
from hearing.types import SAMPLE_RATE, FaceState, Float32Array, SourceAudio, SpottedWord, Track, Utterance

DUCKED_DB = -9.0
"""Level of the robot's voice while somebody says something that may be worth listening to."""
HELD = 0.6
"""Seconds of what was given to the loudspeaker without coming out of it, from which on it is taken to be lost."""
POLL = 0.5
"""Seconds between two looks at how the brain is."""
_DISTANCE = 1.5
"""Metres at which somebody is taken to stand who is not seen."""
_SAME_DIRECTION = 0.2
_TALKS = 0.5
"""Probability of voice from which on a track is somebody's."""
_ANNOUNCEMENTS = 8
Voices = tuple[tuple[Track, ...], tuple[SourceAudio, ...]]
"""The people who are heard in a step of the pipeline, and their separated signals."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """What was heard in a stretch of the stream, which follows on the last one.

    Attributes
    ----------
    start_sample, n_samples
        Where it lies on the stream's sample clock.
    voices
        Of the steps that ended in it, as `Pipeline.listener` is told.
    utterances, faces
        What is new.
    noise_db
        Level of the noise in dB(A), or None where nobody knows it.
    played
        Stream time in seconds up to which the loudspeaker has played what it was given; None: all of it.
    spotted
        Emergency words that were heard before any text has them.
    """

    start_sample: int
    n_samples: int
    voices: Sequence[Voices] = ()
    utterances: Sequence[Utterance] = ()
    faces: Sequence[FaceState] = ()
    noise_db: float | None = None
    played: float | None = None
    spotted: Sequence[SpottedWord] = ()

    @property
    def end_time(self) -> float:
        """Stream time of its end in seconds."""
        return (self.start_sample + self.n_samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class InterlocutorHealth:
    """How the robot's part in the conversation is, for diagnostics.

    Attributes
    ----------
    brain
        What answers.
    loudspeaker_lost
        Whether what it says does not come out of the loudspeaker.
    voice
        What was wrong with the synthesizer when it failed last; empty if it has not since the stream began.
    muted
        Whether somebody has muted it.
    """

    brain: BrainHealth
    loudspeaker_lost: bool
    voice: str
    muted: bool


class Interlocutor:
    """Streaming: listens, decides, and makes what the loudspeaker is to play next.

    Parameters
    ----------
    controller
        Decides.
    synthesizer
        Speaks.
    floor
        Tells who has the floor.
    loudspeaker_db
        Level in dB(A) at 1 m at which the loudspeaker plays speech of -26 dB of full scale.

    Attributes
    ----------
    muted
        While it is true, the robot goes on as usual, but is silent.
    """

    def __init__(
        self, controller: DuplexController, synthesizer: Synthesizer, floor: FloorListener, loudspeaker_db: float = 70.0
    ) -> None:
        self._controller, self._synthesizer, self._floor = controller, synthesizer, floor
        self._lombard = LombardFilter(loudspeaker_db)
        self._written = WrittenTurns()
        self._own = SelfHearing()
        self._announcements: deque[str] = deque(maxlen=_ANNOUNCEMENTS)
        self._announcement: tuple[str, Speaking] | None = None
        self.muted = False
        self.reset()

    def reset(self) -> None:
        """Start a new stream. What is to be announced stays to be announced."""
        self._controller.brain.cancel()
        self._controller.reset()
        self._floor.reset()
        self._lombard.reset()
        self._written.reset()
        self._own.reset()
        if self._announcement is not None and self._announcement[1].remaining > 0:
            self._announcements.appendleft(self._announcement[0])
        self._answer: tuple[str, Speaking] | None = None
        self._announcement = None
        self._hum: Speaking | None = None
        self._interrupted = self._kept = self._lost = False
        self._sounded = self._polled = 0.0
        self._voice = ""
        self._talkers: set[int] = set()
        self._style = LombardStyle()
        self._brain = self._controller.brain.poll()

    @property
    def health(self) -> InterlocutorHealth:
        """How everything is."""
        return InterlocutorHealth(self._brain, self._lost, self._voice, self.muted)

    @property
    def speaks(self) -> bool:
        """Whether its loudspeaker sounds."""
        return any(speaking.sounding for speaking in self._all_speaking())

    @property
    def busy(self) -> bool:
        """Whether there is something to say, or something written to answer."""
        left = any(speaking.remaining > 0 for speaking in self._all_speaking())
        return left or bool(self._announcements) or self._written.waiting

    def use(self, brain: Brain) -> None:
        """Have another brain answer from now on; it goes on with the conversation. An answer on its way ends."""
        self._controller.brain.cancel()
        brain.conversation = self._controller.brain.conversation
        self._controller.brain = brain
        self._brain = brain.poll()

    def announce(self, text: str) -> None:
        """Say something that nobody asked for, as soon as nothing else is said; of too many, the oldest is dropped."""
        self._announcements.append(text)

    def stop(self) -> None:
        """Be silent at once, and drop what was to be said."""
        self._controller.brain.cancel()
        self._announcements.clear()
        for speaking in self._all_speaking():
            speaking.stop()

    def read(self, text: str, source: str, speaker: str, final: bool) -> None:
        """Take what somebody said to the robot as text, see `WrittenTurns.add`."""
        self._written.add(text, source, speaker, final)

    def process(self, stretch: Stretch) -> tuple[tuple[DialogueAct, ...], Float32Array]:
        """Take what was heard.

        Returns
        -------
        What the robot decided to do, and what its loudspeaker is to play next, of shape (stretch.n_samples,).
        """
        now = stretch.end_time
        if now - self._polled >= POLL:
            self._brain, self._polled = self._controller.brain.poll(), now
        self._follow_loudspeaker(stretch)
        stretch = self._of_people(stretch)
        states = self._states(stretch)
        written, read = self._written.take(stretch.start_sample, stretch.n_samples, bool(states))
        heard = Heard([*states, *read], [*stretch.utterances, *written], self._spoken(stretch.played), stretch.spotted)
        acts = [
            act
            for act in self._controller.process(now, heard)
            if not (isinstance(act, Look) and act.track_id >= WRITTEN)  # nobody knows where that person is
        ]
        for act in acts:
            self._do(act, stretch)
        return tuple(acts), self._play(stretch)

    def _all_speaking(self) -> list[Speaking]:
        return self._holding() + ([] if self._hum is None else [self._hum])

    def _holding(self) -> list[Speaking]:
        """Return what takes the floor when it sounds."""
        return [speech[1] for speech in (self._announcement, self._answer) if speech is not None]

    def _of_people(self, stretch: Stretch) -> Stretch:
        """Take the robot's own speech out of what was heard, before anything is made of it."""
        said = [word for speaking in self._all_speaking() for word in speaking.words(stretch.played)]
        utterances = self._own.process(stretch.utterances, said)
        return replace(stretch, utterances=utterances, spotted=self._own.others(stretch.spotted))

    def _states(self, stretch: Stretch) -> tuple[FloorState, ...]:
        """Ask the floor model about the steps of the stretch."""
        speaks = any(speaking.sounding for speaking in self._holding())
        robot = RobotNow(speaks, self._controller.asked)
        states: tuple[FloorState, ...] = ()
        for number, (tracks, sources) in enumerate(stretch.voices):
            # What sounds but was never heard to talk is a machine that takes the floor from nobody.
            self._talkers |= {track.id for track in tracks if track.activity >= _TALKS}
            tracks = tuple(track for track in tracks if track.id in self._talkers)
            sources = tuple(source for source in sources if source.track_id in self._talkers)
            utterances = stretch.utterances if number == 0 else ()
            states += self._floor.process(tracks, sources, utterances, stretch.faces, robot)
        return states

    def _follow_loudspeaker(self, stretch: Stretch) -> None:
        """Hold the speech while it does not come out of the loudspeaker, and go back to what was heard of it."""
        played = stretch.end_time if stretch.played is None else stretch.played
        lost = stretch.end_time - played > HELD
        if lost == self._lost:
            return
        self._lost = lost
        if lost:
            for speaking in self._all_speaking():
                speaking.take_back(played)

    def _spoken(self, played: float | None) -> Spoken | None:
        """Tell the controller how far the answer is; nothing while that cannot be known."""
        if self._lost or self._answer is None:
            return None
        name, speaking = self._answer
        finished = speaking.remaining <= 0 and (played is None or played >= self._sounded)
        return Spoken(name, speaking.said(played), speaking.unsaid(played), finished)

    def _do(self, act: DialogueAct, stretch: Stretch) -> None:
        """Carry out what concerns the loudspeaker."""
        if isinstance(act, Speak):
            self._style = _style(act, stretch)
            self._lombard.set_style(self._style)
            self._utter(act.text, self._speaking_of(act, Speaking(stretch.start_sample + stretch.n_samples)))
        elif isinstance(act, Emergency):
            self._announcements.clear()
            if self._announcement is not None:
                self._announcement[1].stop()
        elif isinstance(act, (Duck, Pause, Resume, Stop)) and self._answer is not None:
            name, speaking = self._answer
            if name != act.answer_id:
                return
            self._interrupted = isinstance(act, Pause)
            if isinstance(act, Duck):
                speaking.duck(DUCKED_DB)
            elif isinstance(act, Resume) and not self._kept:
                speaking.resume()
            elif isinstance(act, Stop):
                speaking.stop()

    def _speaking_of(self, act: Speak, new: Speaking) -> Speaking:
        """Return the speech that a piece belongs to: that of its answer, or a new one."""
        if act.hums:
            self._hum = new
        elif self._answer is None or self._answer[0] != act.answer_id:
            self._answer = act.answer_id, new
            self._interrupted = self._kept = False
        else:
            return self._answer[1]
        return new

    def _utter(self, text: str, speaking: Speaking) -> None:
        """Add text to a speech. A clause that the voice fails at is left out: the robot speaks on."""
        for clause in split_clauses(text):
            try:
                speaking.add(self._synthesizer.speak(clause, self._style))
            except InputError as error:
                self._voice = str(error)

    def _play(self, stretch: Stretch) -> Float32Array:
        """Make the next samples: of what is announced, or else of the answer, and of a hum."""
        self._begin_announcement(stretch)
        samples = np.zeros(stretch.n_samples, np.float32)
        if self._announcement is not None:
            self._keep(self._announcement[1], self._lost, True)
            samples += self._announcement[1].advance(stretch.n_samples)
        if self._answer is not None:
            keep = self._lost or self._interrupted or self._announcement is not None
            self._keep(self._answer[1], keep, self._kept)
            self._kept = keep
            samples += self._answer[1].advance(stretch.n_samples)
        if self._hum is not None:
            samples += self._hum.advance(stretch.n_samples)
        if self.speaks:
            self._sounded = stretch.end_time + stretch.n_samples / SAMPLE_RATE
        shaped = self._lombard.process(samples)
        return np.zeros_like(shaped) if self.muted else shaped

    def _begin_announcement(self, stretch: Stretch) -> None:
        """Begin with the next announcement if nothing else is being said, and end one that is over."""
        if self._announcement is not None and self._announcement[1].remaining <= 0:
            self._announcement = None
        answering = self._answer is not None and self._answer[1].remaining > 0
        if self._announcements and self._announcement is None and not answering:
            self._announcement = self._announcements.popleft(), Speaking(stretch.start_sample + stretch.n_samples)
            self._utter(*self._announcement)

    @staticmethod
    def _keep(speaking: Speaking, keep: bool, kept: bool) -> None:
        """Have a speech wait, or go on."""
        if keep:
            speaking.pause()
        elif kept:
            speaking.resume()


def _style(act: Speak, stretch: Stretch) -> LombardStyle:
    """Choose how to speak to somebody: by the noise, and how far away a camera sees him."""
    if stretch.noise_db is None:
        return LombardStyle()
    distance, direction = _DISTANCE, act.direction
    if direction is not None and stretch.faces:
        face = min(stretch.faces, key=lambda face: face.direction.angle_to(direction))
        distance = face.distance if face.direction.angle_to(direction) < _SAME_DIRECTION else distance
    return LombardStyle.from_noise(stretch.noise_db, distance)
