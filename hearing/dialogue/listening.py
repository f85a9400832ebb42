"""What is noticed of everybody, from what the pipeline hears: the way from sound and utterances to the floor model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hearing.dialogue.floor import PAUSE, PERIOD, FloorModel, FloorState, PersonNow, RobotNow
from hearing.dialogue.prosody import SILENCE, TICK, Prosody, ProsodyTracker
from hearing.dialogue.turn_classifier import LENGTH, TurnClassifier
from hearing.types import FaceState, Float32Array, SourceAudio, Track, Utterance

_FORGET_WORDS = 6.0
"""Seconds after voice and words from which on what comes is another turn."""
_DONE, _OVER = 2.0, 0.9
"""Seconds of silence after which it is if the last one was over with this probability."""
_SAME_DIRECTION = 0.2
_ANY = 0.3
"""How likely a person is taken to talk to the robot before anything is known."""


@dataclass(slots=True)
class _Listened:
    """A person.

    Attributes
    ----------
    prosody, ticks
        The voice, and ticks of it that wait.
    sound, words
        Of the turn, words by utterance.
    silence
        Seconds since there was voice.
    asked
        Whether the classifier was asked in this pause.
    answered
        Whether the robot has spoken since: what comes is another turn.
    over
        How likely the turn was over at last.
    """

    prosody: ProsodyTracker = field(default_factory=ProsodyTracker)
    ticks: list[Prosody] = field(default_factory=list)
    sound: Float32Array = field(default_factory=lambda: np.zeros(0, np.float32))
    silence: float = 60.0
    asked: bool = True
    answered: bool = False
    over: float = 0.0
    words: dict[str, Utterance] = field(default_factory=dict)

    def begins_another_turn(self, now: float) -> bool:
        """Whether voice that begins now belongs to another turn than the words so far."""
        # Noise that passes for voice for a moment makes no turn longer.
        read = max((word.end_time for said in self.words.values() for word in said.words), default=now)
        done = self.silence >= _DONE and self.over >= _OVER
        return self.answered or done or self.silence > _FORGET_WORDS or now - read > _FORGET_WORDS


class FloorListener:
    """Streaming: tells every 0.1 s what becomes of the floor.

    Parameters
    ----------
    model
        The floor model.
    classifier
        Tells how finished speech sounds; without, the floor model does without it.
    """

    latency = PERIOD

    def __init__(self, model: FloorModel | None = None, classifier: TurnClassifier | None = None) -> None:
        self._model = model or FloorModel()
        self._classifier = classifier
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._model.reset()
        self._people: dict[int, _Listened] = {}

    def process(
        self,
        tracks: Sequence[Track],
        sources: Sequence[SourceAudio],
        utterances: Sequence[Utterance] = (),
        faces: Sequence[FaceState] = (),
        robot: RobotNow | None = None,
    ) -> tuple[FloorState, ...]:
        """Take what the pipeline heard in its next step.

        Parameters
        ----------
        tracks
            People, tentative ones left out.
        sources
            Their separated signals, all of one length and one beginning.
        utterances
            New or revised ones.
        faces
            Those that are seen.
        robot
            What the robot does.

        Returns
        -------
        One state a person for every 0.1 s that is complete; that of the latest is the last.
        """
        for utterance in utterances:
            if (person := self._people.get(utterance.track_id)) is not None:
                person.words[utterance.id] = utterance
        people = {track.id: track for track in tracks}
        self._people = {track: self._people.get(track) or _Listened() for track in people}
        if not sources:
            return ()
        for source in sources:
            if (person := self._people.get(source.track_id)) is not None:
                person.ticks += person.prosody.process(source.samples, source.talking)
                person.sound = np.concatenate([person.sound, source.samples])[-LENGTH:]
        begin = sources[0].start_sample
        end = begin + len(sources[0].samples)
        states: tuple[FloorState, ...] = ()
        for tick in range(begin // TICK + 1, end // TICK + 1):
            states += self._tell(tick / 10, people, faces, robot or RobotNow())
        return states

    def _tell(
        self, now: float, tracks: dict[int, Track], faces: Sequence[FaceState], robot: RobotNow
    ) -> tuple[FloorState, ...]:
        # Ticks of a track begin where the track does: the first may not be complete at the stream's first tenth.
        ticks = {track: each.ticks.pop(0) if each.ticks else SILENCE for track, each in self._people.items()}
        noticed = {}
        for track, person in self._people.items():
            others = max((tick.voice for other, tick in ticks.items() if other != track), default=0.0)
            person.answered |= robot.speaks and person.silence > PAUSE
            noticed[track] = self._notice(now, person, ticks[track], others, tracks[track], faces)
        states = self._model.process(now, noticed, robot)
        for state in states:
            self._people[state.track_id].over = state.over
        return states

    def _notice(
        self, now: float, person: _Listened, tick: Prosody, others: float, track: Track, faces: Sequence[FaceState]
    ) -> PersonNow:
        over = None
        if tick.voice > 0.5:
            if person.silence > 0 and person.begins_another_turn(now):
                person.words.clear()
                person.sound = person.sound[-2 * TICK :]
            person.silence, person.asked, person.answered = 0.0, False, False
        else:
            person.silence += PERIOD
        if person.silence >= PAUSE - 1e-6 and not person.asked:
            person.asked = True
            over = self._classifier.probability(person.sound) if self._classifier else None
        parts = sorted((part for part in person.words.values() if part.words), key=lambda part: part.start_time)
        face = min(faces, key=lambda face: face.direction.angle_to(track.direction), default=None)
        seen = face is not None and face.direction.angle_to(track.direction) < _SAME_DIRECTION
        return PersonNow(
            tick,
            others,
            " ".join(part.text for part in parts),
            parts[-1].words[-1].end_time if parts else 0.0,
            bool(parts) and all(part.final for part in parts),
            face.facing if face is not None and seen else None,
            max((part.addressed_to_robot for part in parts), default=_ANY),
            over,
            track.direction,
        )
