"""`hearing bench duplex`: how well turns are taken in made-up company, against two simpler ways to do it.

What is measured is the dialogue: people, their voices' prosody, and the words as late as the pipeline shows them are
simulated as events (`hearing_models.floor.world`); nothing is played and recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hearing.bench.duplex_policies import ClassifierAlone, Duplex, Journal, Policy, SilenceTimer
from hearing.bench.duplex_score import DuplexScore, score
from hearing.dialogue.floor import PERIOD, FloorModel, RobotNow
from hearing.errors import InputError

if TYPE_CHECKING:
    from hearing_models.floor.material import Sound
    from hearing_models.floor.world import Address, Turn

POLICIES: dict[str, Callable[[], Policy]] = {
    "duplex": Duplex,
    "silence timer 0.7 s": SilenceTimer,
    "classifier alone": ClassifierAlone,
}
Note = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: number of scenes and their length in seconds, which voices, and the seed of it all."""

    scenes: int = 40
    seconds: float = 120.0
    split: str = "dev"
    seed: int = 1

    def __post_init__(self) -> None:
        if self.scenes < 1 or self.seed < 0 or self.split not in ("dev", "train"):
            raise InputError("scenes: 1 or more; seed: 0 or more; split: dev or train")


@dataclass(slots=True)
class Scene:
    """A scene and what every policy made of it; people react, so that each has turns of its own."""

    people: int
    turns: dict[str, list[Turn]] = field(default_factory=dict)
    journals: dict[str, Journal] = field(default_factory=dict)
    scores: dict[str, DuplexScore] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Results:
    """All scenes."""

    plan: Plan
    scenes: list[Scene]

    def of(self, policy: str) -> list[DuplexScore]:
        """Return one policy's scores, scene by scene."""
        return [scene.scores[policy] for scene in self.scenes]


def run_bench(plan: Plan, folder: Path, note: Note = lambda *_: None) -> Results:
    """Let every policy take part in every scene.

    Parameters
    ----------
    plan
        What to measure.
    folder
        For the voices' material, which takes some minutes the first time.
    note
        Is told what is done, how much of it, and of how much.

    Raises
    ------
    InputError
        If something that makes or hears voices is not installed.
    """
    from hearing_models.floor.addresses import addresses_of
    from hearing_models.floor.material import make_material

    sounds = [sound for sound in make_material(plan.split, folder / f"{plan.split}.json", 1, note) if sound.words]
    addresses = addresses_of(plan.split, plan.seed)
    scenes = []
    for number in range(plan.scenes):
        note("taking turns", number, plan.scenes)
        scenes.append(run_scene(plan, number, sounds, addresses))
    return Results(plan, scenes)


def run_scene(plan: Plan, number: int, sounds: list[Sound], addresses: list[Address]) -> Scene:
    """Let every policy take part in one scene."""
    from hearing_models.floor.world import World

    scene = Scene(int(np.random.default_rng([plan.seed, number]).integers(1, 4)))
    for name, make in POLICIES.items():
        world = World(sounds, addresses, np.random.default_rng([plan.seed, number]), scene.people)
        model, policy = FloorModel(), make()
        speaks = False
        for _ in range(round(plan.seconds / PERIOD)):
            noticed = world.step(speaks)
            floor = model.process(noticed.now, noticed.people, RobotNow(speaks, policy.asked))
            speaks = policy.step(noticed.now, noticed.people, noticed.utterances, floor)
        scene.turns[name], scene.journals[name] = world.turns, policy.journal
        scene.scores[name] = score(world.turns, policy.journal, plan.seconds)
    return scene
