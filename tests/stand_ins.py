"""A voice, a floor and people that take no time, for tests of what comes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hearing.dialogue.acts import DialogueAct, Do, Speak
from hearing.dialogue.floor import FloorState, RobotNow
from hearing.dialogue.interlocutor import Interlocutor, Stretch
from hearing.errors import InputError
from hearing.speech import LombardStyle, SpeechClause, SpokenWord
from hearing.types import SAMPLE_RATE, CueConfidence, Direction, FaceState, SourceAudio, Track, Utterance, Word

STEP = 1600
WORD = 0.3
"""Seconds of a word of the quick voice."""
ANNA = Direction(0.5)


class QuickVoice:
    """Hums every word for `WORD` seconds; fails at clauses with a certain word."""

    def __init__(self, fails_at: str = "\0") -> None:
        self.fails_at = fails_at

    def speak(self, clause: str, style: LombardStyle) -> SpeechClause:
        if self.fails_at in clause:
            raise InputError(f"speech synthesizer quick: cannot say {clause!r}")
        words = tuple(SpokenWord(word, k * WORD, (k + 1) * WORD) for k, word in enumerate(clause.split()))
        return SpeechClause(clause, words, np.full(round(len(words) * WORD * SAMPLE_RATE), 0.05, np.float32))


class PlainFloor:
    """Whoever does not sound has yielded the floor to the robot."""

    latency = 0.1

    def __init__(self, classifier: object = None) -> None:
        self.reset()

    def reset(self) -> None:
        self._silent: dict[int, float] = {}

    def process(
        self,
        tracks: Sequence[Track],
        sources: Sequence[SourceAudio],
        utterances: Sequence[Utterance] = (),
        faces: Sequence[FaceState] = (),
        robot: RobotNow | None = None,
    ) -> tuple[FloorState, ...]:
        return tuple(self._state(track) for track in tracks)

    def _state(self, track: Track) -> FloorState:
        talking = track.activity > 0.5
        silent = self._silent[track.id] = 0.0 if talking else self._silent.get(track.id, 0.0) + 0.1
        chances = (0.0, 1.0, 1.0, 0.0, 0.0) if talking else (1.0, 0.0, 1.0, 0.0, 0.0)
        return FloorState(track.time, track.id, talking, 1.0, silent, 1.0, *chances, track.direction)


def utterance(
    text: str, start: float, end: float, name: str = "u1", speaker: str = "Anna", **more: object
) -> Utterance:
    """Something that somebody says to the robot, its words evenly in time."""
    texts = text.split()
    times = np.linspace(start, end, len(texts) + 1)
    words = tuple(Word(word, a, b, 1.0, b, b) for word, a, b in zip(texts, times[:-1], times[1:], strict=True))
    said = {"track_id": 1, "final": True, "revision": 0} | more
    return Utterance(
        id=name, speaker=speaker, words=words, start_time=start, end_time=end, direction=ANNA,
        confidence=CueConfidence(1.0, speaker=1.0), addressed_to_robot=1.0, **said,
    )  # fmt: skip


class Company:
    """Somebody who says sentences to the robot, and a loudspeaker that may be lost, on a clock of their own."""

    def __init__(self, robot: Interlocutor) -> None:
        self.robot = robot
        self.acts: list[tuple[float, DialogueAct]] = []
        self.sound: list[np.ndarray] = []
        self.heard_until: float | None = None
        self._position = 0
        self._count = 0
        self._talks_until = -1.0
        self._says: Utterance | None = None

    @property
    def now(self) -> float:
        return self._position / SAMPLE_RATE

    @property
    def texts(self) -> list[str]:
        return [act.text for _, act in self.acts if isinstance(act, Speak)]

    @property
    def commands(self) -> list[str]:
        return [act.command.intent for _, act in self.acts if isinstance(act, Do)]

    def say(self, text: str) -> None:
        """Begin to say something, which takes a second; its words are known at its end."""
        self._count += 1
        self._talks_until = self.now + 1.0
        self._says = utterance(text, self.now, self.now + 1.0, f"u{self._count}")

    def step(self) -> None:
        """Let 0.1 s pass."""
        end = self.now + STEP / SAMPLE_RATE
        track = Track(1, end, ANNA, 1.0 if end <= self._talks_until else 0.0)
        new = ()
        if self._says is not None and end > self._talks_until:
            new, self._says = (self._says,), None
        stretch = Stretch(self._position, STEP, [((track,), ())], new, played=self.heard_until)
        done, samples = self.robot.process(stretch)
        self.acts += [(end, act) for act in done]
        self.sound.append(samples)
        self._position += STEP

    def steps(self, seconds: float) -> None:
        """Let some time pass."""
        for _ in range(round(seconds * 10)):
            self.step()

    def until(self, condition: Callable[[], object], limit: int = 3000) -> None:
        """Let time pass until something is so."""
        for _ in range(limit):
            if condition():
                return
            self.step()
        raise AssertionError("it never happened")

    @property
    def sounding(self) -> bool:
        """Whether the last samples were speech."""
        return bool(self.sound) and bool(np.abs(self.sound[-1]).max() > 1e-3)
