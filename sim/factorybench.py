"""Scenes with fixed seeds for development and for tests, made on demand: FactoryBench's nine kinds, and `who/`'s.

What each kind is for, and how to score, stands in `datasets/factorybench/README.md` and `datasets/who/README.md`.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from hearing_datasets import Split
from hearing_sim.distribution import SceneDistribution, distribution_names, load_distribution
from hearing_sim.random_scenes import random_scene
from hearing_sim.scene import Scene
from hearing_sim.schema import check_choice

from hearing.errors import InputError

PREFIX = "factorybench/"
WHO = "who/"
"""Start of the names of kinds of scenes in which it is hard to tell who speaks."""


def categories() -> list[str]:
    """List FactoryBench's kinds of scenes."""
    return sorted(path.stem for path in Path(str(resources.files("hearing_datasets"))).glob("factorybench/*.yaml"))


def who_categories() -> list[str]:
    """List the kinds of scenes in which it is hard to tell who speaks, as in `who/audio_only`."""
    return [name for name in distribution_names() if name.startswith(WHO)]


def benchmark_scenes(category: str, split: Split) -> list[Scene]:
    """Make all scenes of a kind.

    Parameters
    ----------
    category
        One of `categories()` or `who_categories()`.
    split
        `dev` or `test`; the voices of one are never heard in the other.

    Raises
    ------
    InputError
        If there is no such category or split, or the data kit is missing.
    """
    distribution = _distribution(category, split)
    return [random_scene(distribution, seed, split) for seed in distribution.seeds[split]]


def benchmark_scene(name: str) -> Scene:
    """Make the scene of a name such as `factorybench/busy/dev/3` or `who/audio_only/dev/3`, numbers starting from 0.

    Raises
    ------
    InputError
        If the name is none of a scene.
    """
    parts = name.removeprefix(PREFIX).rsplit("/", 2)
    if len(parts) != 3 or not parts[2].isdigit():
        raise InputError(
            f"{name}: name a scene of FactoryBench as {PREFIX}CATEGORY/SPLIT/NUMBER, like {PREFIX}busy/dev/3"
        )
    category, split, number = parts[0], parts[1], int(parts[2])
    distribution = _distribution(category, split)
    seeds = distribution.seeds[split]
    if number >= len(seeds):
        raise InputError(f"{name}: {category} has the scenes 0 to {len(seeds) - 1}; choose one of them")
    return random_scene(distribution, seeds[number], split)  # type: ignore[arg-type]


def _distribution(category: str, split: str) -> SceneDistribution:
    known = who_categories() if category.startswith(WHO) else categories()
    check_choice(f"FactoryBench category {category!r}", category, known)
    distribution = load_distribution(category)
    check_choice(f"FactoryBench split {split!r}", split, distribution.seeds)
    return distribution
