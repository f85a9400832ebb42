"""How much of its own speech the robot takes for somebody's, while it talks and talks in a simulated room.

Nobody else is there. What is counted are utterances with words: those that the pipeline makes in spite of the echo
canceller and the direction of the own voice, and those that are left when the robot's words are known
(`hearing.speech.SelfHearing`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hearing.pipeline import Pipeline
from hearing.speech import (
    LombardStyle,
    SelfHearing,
    Speaking,
    SpeechClause,
    Synthesizer,
    load_synthesizer,
    split_clauses,
)
from hearing.types import SAMPLE_RATE, HearingOutput, Utterance

if TYPE_CHECKING:
    from hearing_sim.live import LiveRoom

BLOCK = 1024
_PAUSES = (0.4, 2.0)
"""Seconds of silence between two of its answers."""
PARTS = 300.0
"""Seconds of a stream: each is heard from its beginning, when the canceller knows nothing of the room."""
ROOMS = {
    "its own loudspeaker": False,
    "and another one in the hall, 0.3 s later": True,
}
"""Whether a loudspeaker in the hall plays the same."""
RT60 = 0.6


@dataclass(frozen=True, slots=True)
class SelfHeard:
    """What was taken for somebody's speech.

    Attributes
    ----------
    seconds, spoken
        Of the stream, and how much of it the robot spoke.
    leaked, words
        Utterances that the pipeline made of it, and their words.
    shown
        Those of them, or of their partial words, that were passed on for a while.
    left
        Utterances that stayed.
    texts
        Those that stayed.
    """

    seconds: float = 0.0
    spoken: float = 0.0
    leaked: int = 0
    words: int = 0
    shown: int = 0
    left: int = 0
    texts: tuple[str, ...] = ()

    def __add__(self, other: SelfHeard) -> SelfHeard:
        """Combine two streams."""
        return SelfHeard(
            self.seconds + other.seconds, self.spoken + other.spoken, self.leaked + other.leaked,
            self.words + other.words, self.shown + other.shown, self.left + other.left,
            self.texts + tuple(other.texts),
        )  # fmt: skip


def run_self_hearing(
    minutes: float, seed: int, folder: Path, note: Callable[[str, int, int], None] = lambda *_: None
) -> dict[str, SelfHeard]:
    """Let the robot talk in every room.

    Parameters
    ----------
    minutes
        Of its own speech, pauses included; 0: it does not talk at all.
    seed
        Of what it says.
    folder
        Keeps what is done, part by part.
    note
        Is told what is done, how much of it, and of how much.
    """
    if not minutes:
        return {}
    parts = max(round(minutes * 60 / PARTS), 1)
    found = {}
    for name, hall in ROOMS.items():
        total = SelfHeard()
        for part in range(parts):
            note(f"talking, {name}", part, parts)
            path = folder / f"{'hall' if hall else 'own'}_{seed}_{part}.json"
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                heard = talk(hall, min(PARTS, minutes * 60), np.random.default_rng([seed, part]))
                path.write_text(json.dumps(asdict(heard), indent=1), encoding="utf-8")
            total += SelfHeard(**json.loads(path.read_text(encoding="utf-8")))
        found[name] = total
    return found


def talk(hall: bool, seconds: float, rng: np.random.Generator) -> SelfHeard:
    """Let the robot talk alone in a room, with or without another loudspeaker in the hall, and count."""
    room = talking_room(hall)
    pipeline = Pipeline.create(room.array)
    own, voice = SelfHearing(), load_synthesizer()
    speaking = Speaking()
    played = np.zeros(BLOCK, np.float32)
    made: dict[str, str] = {}
    left: dict[str, str] = {}
    shown: set[str] = set()
    spoken = 0
    for number in range(1, round(seconds * SAMPLE_RATE / BLOCK) + 1):
        heard = pipeline.process(room.process(played), played[:, None])
        _count(heard, own.process(heard.utterances, speaking.words()), made, left, shown)
        if speaking.remaining == 0:
            speaking = _answer(voice, number * BLOCK, rng)
        played = speaking.advance(BLOCK)
        spoken += bool(played.any())
    heard = pipeline.flush()
    _count(heard, own.process(heard.utterances), made, left, shown)
    words = sum(len(text.split()) for text in made.values())
    texts = tuple(text for text in left.values() if text)
    return SelfHeard(
        seconds, round(spoken * BLOCK / SAMPLE_RATE, 1), sum(map(bool, made.values())), words, len(shown), len(texts),
        texts,
    )  # fmt: skip


def talking_room(hall: bool) -> LiveRoom:
    """Build a room of 8 x 6.5 m with the robot in it, and with a loudspeaker 4 m away or without."""
    from hearing_sim.live import HallLoudspeaker, LiveRoom
    from hearing_sim.scene import ArrayPose, Background, EgoNoise, Loudspeaker, Microphones, Robot, Room, Scene

    scene = Scene(
        "talking", 30.0, Room(size=(8.0, 6.5, 3.2), rt60=RT60),
        ArrayPose("respeaker_6mic", position=(3.1, 2.7, 1.1), yaw_deg=20.0),
        Microphones(gain_spread_db=0.5, phase_spread_deg=2.0, position_spread=0.0005),
        robot=Robot(EgoNoise(fan_db=38.0), Loudspeaker(level_db=66.0, delay=0.06, distortion=0.15)),
        backgrounds=(Background("hall", 45.0),), seed=11,
    )  # fmt: skip
    return LiveRoom(scene, (HallLoudspeaker((6.6, 4.6, 2.6)),) if hall else ())


def _answer(voice: Synthesizer, start: int, rng: np.random.Generator) -> Speaking:
    """Say what a robot answers, or anything, after a pause."""
    from hearing_models.recognizer.texts import sentence
    from hearing_sim import conversation

    speaking = Speaking(start)
    pause = np.zeros(round(rng.uniform(*_PAUSES) * SAMPLE_RATE), np.float32)
    speaking.add(SpeechClause("", (), pause))
    for _ in range(int(rng.integers(1, 4))):
        text = conversation._filled(conversation.ANSWERS, rng) if rng.uniform() < 0.5 else sentence(rng).said
        for clause in split_clauses(text):
            speaking.add(voice.speak(clause, LombardStyle()))
    return speaking


def _count(
    heard: HearingOutput, others: Sequence[Utterance], made: dict[str, str], left: dict[str, str], shown: set[str]
) -> None:
    made |= {utterance.id: utterance.text for utterance in heard.utterances}
    left |= {utterance.id: utterance.text for utterance in others}
    shown |= {utterance.id for utterance in others if utterance.words}
