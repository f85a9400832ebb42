"""Taking turns in simulated rooms: what the microphones hear, the robot's own voice included, is all that counts.

The loop is closed: what the robot says is played in the room while it speaks, and people react to it. A stream's clock
is the room's; computing and the loudspeaker's buffers take `ROBOT_DELAY`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hearing.bench.duplex_policies import POLICIES, EasyBrain, Journal, Speech
from hearing.bench.duplex_rooms import ROBOT_DELAY, ROOMS, LiveCompany, LiveTurn, RoomPlan, scene_of
from hearing.bench.duplex_score import DuplexScore, Scene, score
from hearing.bench.journal import RecordFile
from hearing.dialogue.acts import Emergency, Pause, Speak, Stop
from hearing.dialogue.converse import Conversation, Exchange
from hearing.dialogue.listening import FloorListener
from hearing.dialogue.turn_classifier import TurnClassifier
from hearing.pipeline import Pipeline
from hearing.speech import Synthesizer, load_synthesizer
from hearing.types import SAMPLE_RATE, Direction

if TYPE_CHECKING:
    from hearing_sim.live import LiveRoom

Note = Callable[[str, int, int], None]
BLOCK = 1024
LONGEST = 90.0
"""Seconds after which a scene ends in any case."""
_SILENT = 1e-3
_GHOST = 0.5
"""Seconds around what people say in which words that are heard are taken for theirs."""


@dataclass(frozen=True, slots=True)
class Part:
    """A policy's part in what happened in a room."""

    scene: str
    policy: str
    turns: list[LiveTurn]
    journal: Journal
    score: DuplexScore


def run_rooms(scenes: int, seed: int, folder: Path, note: Note = lambda *_: None) -> list[Scene]:
    """Let every policy take part in every room.

    Parameters
    ----------
    scenes
        How many; more than there are rooms go through them again with other words.
    seed
        Of everything random.
    folder
        Keeps what is done.
    note
        Is told what is done, how much of it, and of how much.

    Raises
    ------
    InputError
        If something that makes or hears voices is not installed.
    """
    from hearing_sim.live import LiveRoom

    folder.mkdir(parents=True, exist_ok=True)
    known = RecordFile(folder / "rooms.jsonl", _parsed, lambda part: (part.scene, part.policy))
    hear = _hearing()
    found: list[Scene] = []
    for number in range(scenes):
        plan = ROOMS[number % len(ROOMS)]
        scene, key = Scene(plan.name, plan.people), f"{seed}/{number}"
        room: LiveRoom | None = None
        for at, policy in enumerate(POLICIES):
            note("talking in rooms", number * len(POLICIES) + at, scenes * len(POLICIES))
            if (part := known.find(key, policy)) is None:
                room = room or LiveRoom(scene_of(plan, seed + number))
                part = take_part(plan, room, hear(room, policy), np.random.default_rng([seed, number]), key, policy)
                known.add(part)
            scene.turns[policy], scene.journals[policy] = list(part.turns), part.journal
            scene.scores[policy] = part.score
        found.append(scene)
    return found


def _hearing() -> Callable[[LiveRoom, str], Conversation]:
    """Return what makes a policy hear and speak; models are loaded once, when they are needed."""

    @cache
    def loaded() -> tuple[TurnClassifier, Synthesizer]:
        return TurnClassifier(), load_synthesizer()

    pipelines: dict[str, Pipeline] = {}

    def conversation(room: LiveRoom, policy: str) -> Conversation:
        classifier, voice = loaded()
        if room.array.name not in pipelines:
            pipelines[room.array.name] = Pipeline.create(room.array)
        controller = POLICIES[policy](EasyBrain())
        return Conversation(pipelines[room.array.name], controller, voice, FloorListener(classifier=classifier))

    return conversation


def take_part(
    plan: RoomPlan, room: LiveRoom, conversation: Conversation, rng: np.random.Generator, scene: str, policy: str
) -> Part:
    """Let a policy take part in what happens in a room."""
    room.reset()
    conversation.reset()
    company, log = LiveCompany(plan, room, rng), _Log(plan)
    played = np.zeros(BLOCK, np.float32)
    while company.step(bool(np.abs(played).max() > _SILENT)) and room.now < LONGEST:
        exchange = conversation.process(room.process(played))
        log.note(room.now, exchange)
        played = exchange.samples
    judged = score(company.turns, log.journal, room.now) + log.judge(company.turns)
    return Part(scene, policy, company.turns, log.journal, judged)


class _Log:
    """Notes what was played, decided and heard."""

    def __init__(self, plan: RoomPlan) -> None:
        self.journal = Journal()
        self._directions = directions_of(plan)
        self._answer, self._sounds = "", False
        self._heard: dict[str, tuple[float, float, bool]] = {}

    def note(self, now: float, exchange: Exchange) -> None:
        """Take what happened in a block that ended now; what it plays is heard after `ROBOT_DELAY`."""
        for act in exchange.acts:
            if isinstance(act, Speak) and act.answer_id != self._answer:
                self._answer = act.answer_id
                self.journal.speeches.append(Speech(self._person(act.direction), np.inf, np.inf))
            elif isinstance(act, (Pause, Stop)) and self._sounds:
                self.journal.stops.append(now + ROBOT_DELAY)
            elif isinstance(act, Emergency):
                self.journal.emergencies.append((now, act.utterance_id))
        loud = np.flatnonzero(np.abs(exchange.samples) > _SILENT)
        self._sounds = bool(len(loud))
        if len(loud) and self.journal.speeches:
            speech = self.journal.speeches[-1]
            first, last = (now + ROBOT_DELAY + at / SAMPLE_RATE for at in (loud[0], loud[-1]))
            speech.begin, speech.end = min(speech.begin, first), last
        for utterance in exchange.heard.utterances:
            self._heard[utterance.id] = (utterance.start_time, utterance.end_time, bool(utterance.words))

    def _person(self, direction: Direction | None) -> int:
        if direction is None:
            return 0
        return 1 + min(range(len(self._directions)), key=lambda at: self._directions[at].angle_to(direction))

    def judge(self, turns: list[LiveTurn]) -> DuplexScore:
        """Count what was heard or done though nobody had said anything."""
        said = [(turn.begin - _GHOST, turn.end + _GHOST) for turn in turns]
        ghosts = sum(
            words and not any(begin < end_time and start_time < end for begin, end in said)
            for start_time, end_time, words in self._heard.values()
        )
        unprovoked = sum(not any(turn.begin < when <= turn.end + 1.0 for turn in turns) for when in self.journal.stops)
        spoken = sum(speech.end - speech.begin for speech in self.journal.speeches if np.isfinite(speech.begin))
        return DuplexScore(ghosts=ghosts, unprovoked_stops=unprovoked, spoken=spoken)


def directions_of(plan: RoomPlan) -> list[Direction]:
    """Return where the people of a room are, seen from the array."""
    from hearing_sim.scene import ROBOT

    scene = scene_of(plan, 0)
    origin = np.array(scene.array.position)
    return [
        Direction.from_vector(np.array(talker.position) - origin) for talker in scene.talkers if talker.name != ROBOT
    ]


def _parsed(record: dict[str, Any]) -> Part:
    """Make a part of what was written down."""
    written = record["journal"]
    journal = Journal(
        [Speech(**speech) for speech in written["speeches"]],
        written["stops"],
        [(when, name) for when, name in written["emergencies"]],
    )
    turns = [LiveTurn(**turn | {"parts": ()}) for turn in record["turns"]]
    entries: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in record["score"].items()
    }
    return Part(record["scene"], record["policy"], turns, journal, DuplexScore(**entries))
