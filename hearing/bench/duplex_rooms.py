"""Rooms with people around a robot, to be heard while it talks with them: who stands where, and who says what when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import soxr
from numpy.typing import NDArray

from hearing.bench.duplex_score import PAUSE
from hearing.types import SAMPLE_RATE

if TYPE_CHECKING:
    from hearing_sim.live import LiveRoom
    from hearing_sim.scene import Scene

ROBOT_DELAY = 0.1
"""Seconds from the decision to speak or to stop until the loudspeaker does: computing, and the device's buffers."""
PATIENCE = 4.0
"""Seconds after which somebody gives up on an answer."""
_THINK = (0.8, 2.0)
"""Seconds of a pause to think."""
_PITCHES = (0.84, 1.12, 0.92, 1.2)
"""Of the people's synthetic voices; the robot's own is 1."""
_PLACES = ((1.5, 0.9, 1.62), (1.2, -1.3, 1.7), (-1.2, 1.5, 1.55))
"""Of the people, in metres from the array, the last one being the height of the mouth."""
_HALTS = ("Stop!", "Robot, stop!", "Stop, stop!")


@dataclass(frozen=True, slots=True)
class RoomPlan:
    """A room, and what happens in it.

    Attributes
    ----------
    name
        What it is.
    size, rt60
        In metres and seconds.
    hall_db
        Level of the background noise.
    machine
        Kind and level of a machine, or None.
    people
        How many there are.
    exchanges
        What happens one after the other, see `LiveCompany`.
    """

    name: str
    size: tuple[float, float, float]
    rt60: float
    hall_db: float
    machine: tuple[str, float] | None
    people: int
    exchanges: tuple[str, ...]


ROOMS = (
    RoomPlan("office", (6.0, 5.0, 2.8), 0.35, 38.0, ("fan", 50.0), 2, ("ask", "hum", "cut in", "side")),
    RoomPlan("workshop", (9.0, 7.0, 3.5), 0.5, 46.0, ("cnc", 60.0), 2, ("think", "cut in", "side", "hum")),
    RoomPlan("hall", (14.0, 10.0, 5.0), 0.8, 48.0, ("press", 66.0), 3, ("side", "ask", "cut in", "halt")),
    RoomPlan("hard walls", (7.0, 6.0, 3.0), 0.6, 42.0, ("fan", 55.0), 2, ("hum", "think", "cut in", "hum")),
    RoomPlan("office, three people", (6.0, 5.0, 2.8), 0.35, 38.0, None, 3, ("both", "side", "halt", "hum")),
    RoomPlan("beside a conveyor", (10.0, 8.0, 4.0), 0.6, 45.0, ("conveyor", 62.0), 2, ("ask", "side", "hum", "cut in")),
)


@dataclass(frozen=True, slots=True)
class LiveTurn:
    """Something that was said in a room, as `Turn` of the made-up company; times at the mouth."""

    person: int
    kind: str
    to_robot: bool
    text: str
    begin: float
    end: float
    longest_pause: float
    parts: tuple[()] = ()

    @property
    def name(self) -> str:
        """What is said, for people who read it."""
        return self.text


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """What somebody says: sound of shape (n_samples,) with root mean square 1, its speech, and its longest pause."""

    sound: NDArray[np.float64]
    first: int
    last: int
    longest_pause: float


def scene_of(plan: RoomPlan, seed: int) -> Scene:
    """Build a room with the robot somewhat off its middle."""
    from hearing_sim.scene import (
        ArrayPose,
        Background,
        EgoNoise,
        Loudspeaker,
        Machine,
        Microphones,
        Robot,
        Room,
        Talker,
    )
    from hearing_sim.scene import Scene as Description

    middle = (0.42 * plan.size[0], 0.45 * plan.size[1])
    machine = plan.machine
    return Description(
        plan.name, 20.0, Room(size=plan.size, rt60=plan.rt60),
        ArrayPose("respeaker_6mic", position=(*middle, 1.1)),
        Microphones(gain_spread_db=0.5, phase_spread_deg=2.0, position_spread=0.0005),
        robot=Robot(EgoNoise(fan_db=36.0), Loudspeaker(level_db=64.0, delay=ROBOT_DELAY, distortion=0.15)),
        talkers=tuple(
            Talker(f"person {number + 1}", ("synthesis",), position=(middle[0] + x, middle[1] + y, z), lombard=0.4)
            for number, (x, y, z) in enumerate(_PLACES[: plan.people])
        ),
        machines=() if machine is None else (
            Machine("machine", machine[0], position=(plan.size[0] - 0.8, 0.8, 1.2), level_db=machine[1]),
        ),
        backgrounds=(Background("hall", plan.hall_db),), seed=seed,
    )  # fmt: skip


class LiveCompany:
    """Streaming: people in a room who react to when the robot speaks.

    They `ask`, `think` in the middle of what they ask, `hum` or `cut in` while it answers, ask at the same time
    (`both`), talk to each other (`side`), or shout `halt` while it speaks.

    Parameters
    ----------
    plan
        What happens.
    room
        Where.
    rng
        Of everything random.
    """

    def __init__(self, plan: RoomPlan, room: LiveRoom, rng: np.random.Generator) -> None:
        self._plan, self._room, self._rng = plan, room, rng
        self._robot = False
        self._script = self._conversation()
        self.turns: list[LiveTurn] = []

    def step(self, robot_speaks: bool) -> bool:
        """Let a block begin in which the robot is heard or not; return False when everything has happened."""
        self._robot = robot_speaks
        return next(self._script, "over") is None

    def _conversation(self) -> Iterator[None]:
        yield from self._wait(1.0)
        for at, exchange in enumerate(self._plan.exchanges):
            person = at % self._plan.people + 1
            other = person % self._plan.people + 1
            if exchange == "side":
                yield from self._side_talk(person, other)
            else:
                yield from self._request(exchange, person, other)
            yield from self._wait(self._rng.uniform(0.8, 1.5))
        yield from self._wait(PATIENCE)

    def _request(self, exchange: str, person: int, other: int) -> Iterator[None]:
        turn = self._say(person, "request", thinks=exchange == "think")
        end = turn.end
        if exchange == "both":
            yield from self._wait(self._rng.uniform(0.0, 0.6))
            end = max(end, self._say(other, "request").end)
        yield from self._until(lambda: self._room.now >= end, 30.0)
        yield from self._until(lambda: self._robot, PATIENCE)
        if self._robot:
            yield from self._wait(self._rng.uniform(1.0, 2.0))
        kinds = {"hum": "backchannel", "cut in": "barge_in", "halt": "halt"}
        if self._robot and exchange in kinds:
            listener = other if exchange == "hum" and self._rng.uniform() < 0.3 else person
            turn = self._say(listener, kinds[exchange])
            yield from self._until(lambda: self._room.now >= turn.end, 30.0)
        yield from self._until(lambda: not self._robot, 12.0)
        if exchange in ("both", "cut in"):
            yield from self._until(lambda: self._robot, PATIENCE)
            yield from self._until(lambda: not self._robot, 12.0)

    def _side_talk(self, person: int, other: int) -> Iterator[None]:
        for at in range(2):
            turn = self._say((person, other)[at % 2], "side", (other, person)[at % 2])
            yield from self._wait(turn.end - self._room.now + self._rng.uniform(0.2, 0.8))
        yield from self._wait(PATIENCE)

    def _wait(self, seconds: float) -> Iterator[None]:
        yield from self._until(lambda: False, seconds)

    def _until(self, happens: Callable[[], bool], most: float) -> Iterator[None]:
        until = self._room.now + most
        while not happens() and self._room.now < until:
            yield

    def _say(self, person: int, kind: str, to: int = 0, thinks: bool = False) -> LiveTurn:
        text = _text(kind, self._rng)
        pause = float(self._rng.uniform(*_THINK)) if thinks else 0.0
        voice = _voice(text, _PITCHES[person - 1], round(pause, 2))
        self._room.say(f"person {person}", voice.sound, f"person {to}" if to else "robot")
        begin, end = (self._room.now + at / SAMPLE_RATE for at in (voice.first, voice.last))
        turn = LiveTurn(person, kind, to == 0, text, begin, end, voice.longest_pause)
        self.turns.append(turn)
        return turn


def _text(kind: str, rng: np.random.Generator) -> str:
    from hearing_sim import conversation

    requests = tuple(line for line in conversation.COMMANDS if "stop" not in line)
    barge_ins = ("Wait, wait.", "No, not now.", "No, sorry, I meant {place}.", "Hold on, where is the {part}?")
    lines: dict[str, tuple[str, ...]] = {
        "request": requests, "barge_in": barge_ins, "backchannel": conversation.BACKCHANNELS,
        "side": conversation.SIDE_TALK, "halt": _HALTS,
    }  # fmt: skip
    return str(conversation._filled(lines[kind], rng))


@lru_cache(maxsize=256)
def _voice(text: str, pitch: float, pause: float) -> Voice:
    """Speak a text, with a pause to think after a word in its middle."""
    from hearing_datasets import align, synthesize
    from hearing_sim.talkers import speech_stretch

    sound = soxr.resample(synthesize(text), pitch, 1.0).astype(np.float64)
    if pause:
        words = align(sound.astype(np.float32), text)
        cut = round(words[len(words) // 2].start * SAMPLE_RATE)
        fade = np.linspace(1, 0, min(320, cut))
        sound[cut - len(fade) : cut] *= fade
        sound = np.concatenate([sound[:cut], np.zeros(round(pause * SAMPLE_RATE)), sound[cut:]])
    first, last = speech_stretch(sound)
    loudness = np.sqrt(np.mean(sound[first:last] ** 2) * (last - first) / max(last - first - pause * SAMPLE_RATE, 1))
    return Voice(sound / loudness, first, last, pause if pause >= PAUSE else 0.0)
