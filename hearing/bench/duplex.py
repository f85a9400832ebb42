"""`hearing bench duplex`: how well turns are taken, in rooms and in made-up company, against two simpler ways to do it.

In rooms (`duplex_live`) the pipeline hears what microphones record, the robot's own voice included. In made-up company
only the dialogue is measured, on many more turns: people, their voices' prosody, and the words as late as the pipeline
shows them are simulated as events (`hearing_models.floor.world`); nothing is played and recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hearing.bench.duplex_live import run_rooms
from hearing.bench.duplex_policies import POLICIES, EasyBrain, Player
from hearing.bench.duplex_score import DuplexScore, Scene, score
from hearing.bench.self_hearing import SelfHeard, run_self_hearing
from hearing.dialogue.controller import DuplexConfig, DuplexController
from hearing.dialogue.floor import PERIOD, FloorModel, RobotNow
from hearing.dialogue.interruption import InterruptionConfig
from hearing.errors import InputError

if TYPE_CHECKING:
    from hearing_models.floor.material import Sound
    from hearing_models.floor.world import Address

CURVE = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Probabilities of an interruption at which the robot is made to stop, for the curve."""
Note = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure.

    Attributes
    ----------
    scenes, seconds
        Number of scenes in made-up company, and their length.
    split
        Whose voices there.
    seed
        Of everything random.
    rooms
        Number of scenes in rooms.
    minutes
        In which the robot talks alone, in each of two rooms; 0: not at all.
    """

    scenes: int = 48
    seconds: float = 120.0
    split: str = "dev"
    seed: int = 1
    rooms: int = 6
    minutes: float = 30.0

    def __post_init__(self) -> None:
        if self.scenes < 1 or self.seed < 0 or self.split not in ("dev", "train"):
            raise InputError("scenes: 1 or more; seed: 0 or more; split: dev or train")
        if self.rooms < 0 or self.minutes < 0:
            raise InputError("rooms and minutes of self-hearing: 0 or more")


@dataclass(frozen=True, slots=True)
class Results:
    """What was measured.

    Attributes
    ----------
    plan
        How much.
    scenes, rooms
        In made-up company, and in rooms.
    curve
        In made-up company, scene by scene, by the probability at which the robot stops.
    alone
        What it heard of itself, by place.
    """

    plan: Plan
    scenes: list[Scene]
    rooms: list[Scene] = field(default_factory=list)
    curve: dict[float, list[DuplexScore]] = field(default_factory=dict)
    alone: dict[str, SelfHeard] = field(default_factory=dict)

    def of(self, policy: str) -> list[DuplexScore]:
        """Return one policy's scores in made-up company, scene by scene."""
        return [scene.scores[policy] for scene in self.scenes]


def run_bench(plan: Plan, folder: Path, out: Path, note: Note = lambda *_: None) -> Results:
    """Let every policy take part in every scene, and let the robot talk alone.

    Parameters
    ----------
    plan
        What to measure.
    folder
        For the voices' material, which takes some minutes the first time.
    out
        Keeps what was measured in rooms; what is there is not measured again.
    note
        Is told what is done, how much of it, and of how much.

    Raises
    ------
    InputError
        If something that makes or hears voices is not installed.
    """
    from hearing_models.floor.addresses import addresses_of
    from hearing_models.floor.material import make_material

    alone = run_self_hearing(plan.minutes, plan.seed, out, note)
    rooms = run_rooms(plan.rooms, plan.seed, out, note)
    sounds = [sound for sound in make_material(plan.split, folder / f"{plan.split}.json", 1, note) if sound.words]
    addresses = addresses_of(plan.split, plan.seed)
    scenes = []
    curve: dict[float, list[DuplexScore]] = {stop: [] for stop in CURVE}
    for number in range(plan.scenes):
        note("taking turns", number, plan.scenes)
        scenes.append(run_scene(plan, number, sounds, addresses))
        for stop, scores in curve.items():
            scores.append(run_scene(plan, number, sounds, addresses, {"duplex": _stopping(stop)}).scores["duplex"])
    return Results(plan, scenes, rooms, curve, alone)


def _stopping(takes: float) -> Callable[[EasyBrain], DuplexController]:
    config = DuplexConfig(interruption=replace(InterruptionConfig(), takes=takes))
    return lambda brain: DuplexController(brain, config)


def run_scene(
    plan: Plan,
    number: int,
    sounds: list[Sound],
    addresses: list[Address],
    policies: Mapping[str, Callable[[EasyBrain], DuplexController]] = POLICIES,
) -> Scene:
    """Let policies take part in one scene in made-up company."""
    from hearing_models.floor.world import World

    scene = Scene(f"company {number}", int(np.random.default_rng([plan.seed, number]).integers(1, 4)))
    for name, make in policies.items():
        world = World(sounds, addresses, np.random.default_rng([plan.seed, number]), scene.people)
        model, policy = FloorModel(), Player(make(EasyBrain()))
        speaks = False
        for _ in range(round(plan.seconds / PERIOD)):
            noticed = world.step(speaks)
            floor = model.process(noticed.now, noticed.people, RobotNow(speaks, policy.asked))
            speaks = policy.step(noticed, floor)
        scene.turns[name], scene.journals[name] = list(world.turns), policy.journal
        scene.scores[name] = score(world.turns, policy.journal, plan.seconds)
    return scene
