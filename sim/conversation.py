"""Conversation: who speaks when, to whom, and what for.

Recorded voices say what they were recorded with, to each other or to the robot. Synthesized voices follow scripts:
commands to the robot by name, corrections, backchannels, and interruptions while the robot answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from hearing_datasets import Clip, read_clip, synthesize
from hearing_sim.scene import ROBOT, Turn
from hearing_sim.talkers import speech_stretch

from hearing.types import SAMPLE_RATE

Rng = np.random.Generator
Interval = tuple[float, float]

PARTS = (
    "torque wrench",
    "small gripper",
    "spare belt",
    "red toolbox",
    "hex key",
    "drill",
    "safety valve",
    "label roll",
)
PLACES = (
    "bay four",
    "bay five",
    "bay nine",
    "press two",
    "the loading dock",
    "the paint shop",
    "my table",
    "gate seven",
)
COMMANDS = (
    "Robot, bring the {part} to {place}.",
    "Robot, please go to {place}.",
    "Robot, where is the {part}?",
    "Could you take this {part} to {place}?",
    "Robot, stop.",
    "Count the boxes in {place}, please.",
    "Robot, tell {place} that we need {number} more.",
)
ANSWERS = (
    "I am taking the {part} to {place}, it will be there in {number} minutes.",
    "The {part} is at {place}, on the second shelf from the top.",
    "All right. I will go to {place} as soon as the lane is free.",
)
CORRECTIONS = ("No, sorry, I meant {place}.", "Not {place}. The other one, {place}.", "Wait, make that {number}.")
BARGE_INS = ("Stop.", "Wait, wait.", "No, not now.", "Robot, stop talking.")
BACKCHANNELS = ("Mm-hm.", "Okay.", "Right.", "Yeah.", "Uh-huh.")
SIDE_TALK = ("He never finds the {part}.", "Did you see the {part} anywhere?", "It was at {place} this morning.")
NUMBERS = ("two", "three", "seven", "twelve", "fifteen", "forty")
BREATH = 0.2
"""Seconds at least between two turns of the same talker, who cannot talk over himself."""


@dataclass(frozen=True, slots=True)
class Style:
    """How people talk. Probabilities are per turn; `gap` and `overlap` are ranges in seconds.

    The defaults give about the shares of gaps and overlaps of Heldner & Edlund (2010).

    Attributes
    ----------
    gap
        Silence before a turn that does not overlap.
    overlaps
        Probability that a turn of somebody else begins before the last one has ended.
    overlap
        How long before; at most half of the turn.
    to_robot
        Probability that a recorded utterance is said to the robot.
    cut
        True if an utterance too long for the scene breaks off, false if it is left out.
    barge_in
        Probability that the robot's answer is interrupted.
    correction
        Probability that a command is corrected.
    backchannel
        Probability that somebody says mm-hm while the robot or somebody else speaks.
    """

    gap: Interval = (0.1, 1.2)
    overlaps: float = 0.35
    overlap: Interval = (0.1, 0.9)
    to_robot: float = 0.3
    cut: bool = False
    barge_in: float = 0.3
    correction: float = 0.25
    backchannel: float = 0.25


@dataclass(frozen=True, slots=True)
class Voice:
    """What somebody can say: recorded clips in the order to be said, or anything if there are none (synthesis)."""

    clips: tuple[Clip, ...] = ()
    pitch: float = 1.0


def converse(
    voices: Mapping[str, Voice],
    style: Style,
    duration: float,
    rng: Rng,
    robot_speaks: bool = False,
    silence: Interval | None = None,
) -> tuple[Turn, ...]:
    """Let people talk until the time is over or nobody has anything left to say.

    Parameters
    ----------
    voices
        What everybody can say, by name.
    style
        How they do it.
    duration
        Seconds of the scene.
    rng
        Source of everything random.
    robot_speaks
        True if the robot answers.
    silence
        From when to when nobody speaks, in seconds; None if anybody may at any time.

    Returns
    -------
    Turns that fit into the duration.
    """
    talk = _Talk(style, duration, rng, silence)
    left = {name: list(voice.clips) for name, voice in voices.items()}
    scripted = [name for name, voice in voices.items() if not voice.clips]
    while talk.open and (scripted or any(left.values())):
        round_of = rng.permutation([name for name in voices if name in scripted or left[name]]).tolist()
        before = len(talk.turns)
        for name in round_of:
            if name in scripted:
                _scripted_exchange(talk, name, voices, rng, robot_speaks)
            elif left[name]:
                clip = left[name].pop(0)
                if clip.text is None or clip.text not in talk.said:
                    to = _listener(name, voices, rng) if rng.uniform() >= style.to_robot else ROBOT
                    kind = "side_talk" if scripted and to != ROBOT else "statement"
                    talk.add(name, clip_length(clip), to, kind, clip=clip)
        if len(talk.turns) == before and not any(left.values()):
            break
    return tuple(talk.turns)


class _Talk:
    """The turns so far, and where the time line ends."""

    def __init__(self, style: Style, duration: float, rng: Rng, silence: Interval | None = None) -> None:
        self.turns: list[Turn] = []
        self.said: set[str] = set()
        self._silence = silence
        self.style, self._last, self._rng = style, duration - 0.3, rng
        self._end = 0.0
        self._ends: dict[str, float] = {}

    @property
    def open(self) -> bool:
        return self._end < self._last - 0.8

    def add(
        self, name: str, length: float, to: str, kind: str, *, clip: Clip | None = None, text: str | None = None,
        gap: float | None = None, breaks_off_after: float | None = None,
    ) -> bool:  # fmt: skip
        """Add a turn if it fits; tell whether it did."""
        style, rng = self.style, self._rng
        if gap is None:
            overlapping = bool(self.turns) and self.turns[-1].talker != name and rng.uniform() < style.overlaps
            gap = -min(rng.uniform(*style.overlap), length / 2) if overlapping else rng.uniform(*style.gap)
        free = self._ends[name] + BREATH if name in self._ends else 0.0
        gap = math.ceil(100 * max(gap, free - self._end)) / 100
        length = min(length, breaks_off_after or length)
        begin = self._end + gap
        if self._silence is not None and begin < self._silence[1] and begin + length > self._silence[0]:
            gap = math.ceil(100 * (self._silence[1] - self._end)) / 100
        if self._end + gap + length > self._last:
            room = self._last - self._end - gap
            if not style.cut or room < 0.8:
                return False
            breaks_off_after = length = round(room, 2)
        name_of_clip = clip.name if clip is not None else None
        self.turns.append(Turn(name, gap, name_of_clip, text, to, kind, breaks_off_after))
        self.said.add((clip.text if clip is not None else text) or "")
        self._ends[name] = self._end + gap + length
        self._end = max(self._end, self._ends[name])
        return True


def _scripted_exchange(talk: _Talk, name: str, voices: Mapping[str, Voice], rng: Rng, robot_speaks: bool) -> None:
    """Let somebody command the robot, which answers, is corrected or interrupted; or let him talk to the others."""
    style = talk.style
    pitch = voices[name].pitch

    def say(lines: tuple[str, ...], to: str, kind: str, gap: float | None = None) -> bool:
        text = _filled(lines, rng)
        return talk.add(name, spoken_length(text) / pitch, to, kind, text=text, gap=gap)

    others = [other for other in voices if other != name]
    if others and rng.uniform() < 0.25:
        say(SIDE_TALK, str(rng.choice(others)), "side_talk")
        return
    if not say(COMMANDS, ROBOT, "command"):
        return
    if rng.uniform() < style.correction:
        say(CORRECTIONS, ROBOT, "correction", gap=rng.uniform(0.3, 1.0))
    if not robot_speaks:
        return
    answer = _filled(ANSWERS, rng)
    length = spoken_length(answer)
    interrupted = rng.uniform() < style.barge_in
    stops = round(rng.uniform(0.4, 0.8) * length, 2) if interrupted else None
    if not talk.add(ROBOT, length, name, "answer", text=answer, gap=rng.uniform(0.4, 1.0), breaks_off_after=stops):
        return
    if interrupted:
        say(BARGE_INS, ROBOT, "barge_in", gap=-rng.uniform(0.2, 0.4))
    elif rng.uniform() < style.backchannel:
        say(BACKCHANNELS, ROBOT, "backchannel", gap=-rng.uniform(0.2, 1.0))


def _listener(name: str, voices: Mapping[str, Voice], rng: Rng) -> str:
    others = [other for other in voices if other != name]
    return str(rng.choice(others)) if others else ROBOT


def _filled(lines: tuple[str, ...], rng: Rng) -> str:
    """Choose a line and fill each of its blanks anew."""
    text = lines[int(rng.integers(len(lines)))]
    choices: Iterator[tuple[str, tuple[str, ...]]] = iter((("part", PARTS), ("place", PLACES), ("number", NUMBERS)))
    for blank, words in choices:
        while f"{{{blank}}}" in text:
            text = text.replace(f"{{{blank}}}", words[int(rng.integers(len(words)))], 1)
    return text


def _length(sound: np.ndarray) -> float:
    first, last = speech_stretch(sound)
    return (last - first) / SAMPLE_RATE


clip_length: Callable[[Clip], float] = lru_cache(maxsize=4096)(lambda clip: _length(read_clip(clip)))
"""Seconds of speech in a clip."""
spoken_length: Callable[[str], float] = lru_cache(maxsize=1024)(lambda text: _length(synthesize(text)))
"""Seconds that the synthetic voice takes to say a text."""
