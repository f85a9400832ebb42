"""Who holds the floor, and who is about to take or to yield it: told for every person every 0.1 s.

A small recurrent network reads prosody, words, gaze, what the others and the robot do, and, once a pause, a packaged
classifier of finished speech. It was trained on made-up conversations of recorded and synthetic voices
(`hearing_models.floor`), after the continuous turn-taking model of Skantze (2017, Towards a general, continuous model
of turn-taking in spoken dialogue using LSTM recurrent neural networks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearing.dialogue.endings import TextCues, text_cues
from hearing.dialogue.prosody import SILENCE, Prosody
from hearing.errors import InputError
from hearing.recognition.session import open_session
from hearing.types import Direction, Float32Array

PERIOD = 0.1
"""Seconds of a tick."""
PAUSE = 0.2
"""Seconds of silence after which the classifier of finished speech is asked."""
MEMORY = 48
"""Numbers that the network remembers of a person."""
CUES = (
    "voice", "level", "pitch", "voiced", "tilt", "change", "others", "silence", "short_silence", "speech", "run",
    "unread", "text_age", "final", *TextCues._fields, "robot_speaks", "robot_lately", "robot_asked", "seen", "facing",
    "addressed", "judged", "sounds_over",
)  # fmt: skip
_FORGOTTEN = 6.0


@dataclass(frozen=True, slots=True)
class PersonNow:
    """What is noticed of a person in one tick.

    Attributes
    ----------
    prosody
        How the voice goes.
    others
        Share of the tick in which somebody else talks.
    text, text_end, final
        Words of the turn so far, when the last of them ended in seconds of stream time, and whether they are final.
    facing
        Probability that the person looks at the robot, or None if no camera sees it.
    addressed
        Probability that the turn is said to the robot.
    sounds_over
        Probability that the turn sounds finished, told once a pause; None in all other ticks.
    direction
        Where the person is, or None; handed on.
    """

    prosody: Prosody = SILENCE
    others: float = 0.0
    text: str = ""
    text_end: float = 0.0
    final: bool = False
    facing: float | None = None
    addressed: float = 0.5
    sounds_over: float | None = None
    direction: Direction | None = None


@dataclass(frozen=True, slots=True)
class RobotNow:
    """What the robot does in a tick: whether its loudspeaker sounds, and whether its last words were a question."""

    speaks: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class FloorState:
    """What becomes of the floor, as far as one person is concerned. Probabilities unless said.

    Attributes
    ----------
    time
        Stream time in seconds.
    track_id
        Whose state it is.
    talking
        Whether there is voice now.
    run, silence, speech
        Seconds of the stretch of voice that goes on or has ended last, of silence since, and of voice in this turn.
    over
        The turn is over: in a pause, that no more is to come.
    yields
        The turn ends within 2 s.
    takes, backchannel, side
        What is being said takes the floor from the robot or answers it; is a listener's "mm-hm"; is said to somebody
        else. They sum up to 1.
    direction
        Where the person is, or None.
    sounds_over
        What the classifier of finished speech said in this pause; None before it was asked.
    """

    time: float
    track_id: int
    talking: bool
    run: float
    silence: float
    speech: float
    over: float
    yields: float
    takes: float
    backchannel: float
    side: float
    direction: Direction | None = None
    sounds_over: float | None = None

    @property
    def holds(self) -> float:
        """Probability that a pause is one to think, after which the person goes on."""
        return 0.0 if self.talking else 1 - self.over


@dataclass(slots=True)
class TurnClock:
    """Times of one person's turn, from tick to tick."""

    silence: float = _FORGOTTEN
    speech: float = 0.0
    run: float = 0.0
    last_voice: float = 0.0
    text: str = ""
    text_changed: float = 0.0
    sounds_over: float | None = None
    robot_silent: float = 60.0
    answered: bool = False

    def advance(self, now: float, person: PersonNow, robot: RobotNow) -> NDArray[np.float32]:
        """Take a tick and return its cues, of shape (len(CUES),)."""
        if person.prosody.voice > 0.5:
            if self.silence >= _FORGOTTEN or self.answered:
                self.speech = 0.0
            if self.silence > 0:
                self.run, self.sounds_over, self.answered = 0.0, None, False
            self.silence = 0.0
            self.run, self.speech, self.last_voice = self.run + PERIOD, self.speech + PERIOD, now
        else:
            self.silence = min(self.silence + PERIOD, _FORGOTTEN)
            self.answered |= robot.speaks and self.silence > PAUSE
        self.robot_silent = 0.0 if robot.speaks else min(self.robot_silent + PERIOD, 60.0)
        if person.sounds_over is not None:
            self.sounds_over = person.sounds_over
        if person.text != self.text:
            self.text, self.text_changed = person.text, now
        return self._cues(now, person, robot)

    def _cues(self, now: float, person: PersonNow, robot: RobotNow) -> NDArray[np.float32]:
        unread = np.log1p(max(self.last_voice - person.text_end, 0.0)) if person.text else 1.0
        judged = self.sounds_over is not None
        return np.array(
            [
                *person.prosody.values,
                person.others,
                np.log1p(self.silence),
                min(self.silence, 1.0),
                np.log1p(self.speech) / 2,
                np.log1p(self.run),
                min(unread, 2.0),
                min(np.log1p(now - self.text_changed), 2.0),
                person.final,
                *text_cues(person.text),
                robot.speaks,
                np.exp(-self.robot_silent / 3),
                robot.asked,
                person.facing is not None,
                0.0 if person.facing is None else 2 * person.facing - 1,
                _log_odds(person.addressed) / 3,
                judged,
                _log_odds(self.sounds_over) / 4 if self.sounds_over is not None else 0.0,
            ],
            np.float32,
        )


@dataclass(slots=True)
class _Person:
    clock: TurnClock = field(default_factory=TurnClock)
    memory: Float32Array = field(default_factory=lambda: np.zeros(MEMORY, np.float32))


class FloorModel:
    """Streaming: tells for everybody what becomes of the floor.

    Parameters
    ----------
    weights
        The network; by default the package's.

    Raises
    ------
    InputError
        If the file is missing, damaged or of another version.
    """

    latency = 0.0

    def __init__(self, weights: Path | None = None) -> None:
        path = weights or own_weights()
        try:
            self._session = open_session(path, threads=1)
            shape = self._session.get_inputs()[0].shape[1]
        except Exception as error:  # the runtime raises its own kinds for missing and damaged files
            raise InputError(f"{path}: no floor model ({type(error).__name__}); install again") from error
        if shape != len(CUES):
            raise InputError(f"{path}: reads {shape} cues instead of {len(CUES)}; train it anew, or install again")
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._people: dict[int, _Person] = {}

    def process(self, now: float, people: dict[int, PersonNow], robot: RobotNow) -> tuple[FloorState, ...]:
        """Take a tick.

        Parameters
        ----------
        now
            Stream time in seconds; ticks are 0.1 s apart.
        people
            What is noticed of everybody, by track. Who is missing is forgotten.
        robot
            What the robot does.

        Returns
        -------
        One state a person.
        """
        self._people = {track: self._people.get(track) or _Person() for track in people}
        if not people:
            return ()
        cues = np.stack([self._people[track].clock.advance(now, person, robot) for track, person in people.items()])
        memory = np.stack([self._people[track].memory for track in people])
        odds, memory = self._session.run(None, {"cues": cues, "memory": memory})
        for track, row in zip(people, memory, strict=True):
            self._people[track].memory = row
        return tuple(
            _state(now, track, self._people[track].clock, row, people[track].direction)
            for track, row in zip(people, odds, strict=True)
        )


def own_weights() -> Path:
    """Give the file of the project's own weights."""
    return Path(str(resources.files("hearing_models"))) / "floor" / "weights" / "floor.onnx"


def as_matrix(ticks: Sequence[tuple[float, PersonNow, RobotNow]]) -> Float32Array:
    """Return the cues of one person's ticks from the beginning of a stream, of shape (n_ticks, len(CUES))."""
    clock = TurnClock()
    return np.stack([clock.advance(*tick) for tick in ticks])


def _state(now: float, track: int, clock: TurnClock, odds: Float32Array, direction: Direction | None) -> FloorState:
    over, yields = (float(1 / (1 + np.exp(-value))) for value in odds[:2])
    kinds = np.exp(odds[2:] - odds[2:].max())
    takes, backchannel, side = (float(value) for value in kinds / kinds.sum())
    return FloorState(
        now, track, clock.silence == 0, clock.run, clock.silence, clock.speech, over, yields, takes, backchannel, side,
        direction, clock.sounds_over,
    )  # fmt: skip


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, 0.003), 0.997)
    return float(np.log(bounded / (1 - bounded)))
