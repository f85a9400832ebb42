"""FactoryBench: nine kinds of scenes with fixed seeds for development and for tests, made on demand.

What each kind is for, and how to score, stands in `datasets/factorybench/README.md`.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from hearing_datasets import Split
from hearing_sim.distribution import load_distribution
from hearing_sim.random_scenes import random_scene
from hearing_sim.scene import Scene
from hearing_sim.schema import check_choice

from hearing.errors import InputError

PREFIX = "factorybench/"


def categories() -> list[str]:
    """List the kinds of scenes."""
    return sorted(path.stem for path in Path(str(resources.files("hearing_datasets"))).glob("factorybench/*.yaml"))


def benchmark_scenes(category: str, split: Split) -> list[Scene]:
    """Make all scenes of a kind.

    Parameters
    ----------
    category
        One of `categories()`.
    split
        `dev` or `test`; the voices of one are never heard in the other.

    Raises
    ------
    InputError
        If there is no such category or split, or the data kit is missing.
    """
    check_choice(f"FactoryBench category {category!r}", category, categories())
    distribution = load_distribution(category)
    check_choice(f"FactoryBench split {split!r}", split, distribution.seeds)
    return [random_scene(distribution, seed, split) for seed in distribution.seeds[split]]


def benchmark_scene(name: str) -> Scene:
    """Make the scene of a name such as `factorybench/busy/dev/3`, numbers starting from 0.

    Raises
    ------
    InputError
        If the name is none of a scene.
    """
    parts = name.removeprefix(PREFIX).split("/")
    if len(parts) != 3 or not parts[2].isdigit():
        raise InputError(
            f"{name}: name a scene of FactoryBench as {PREFIX}CATEGORY/SPLIT/NUMBER, like {PREFIX}busy/dev/3"
        )
    category, split, number = parts[0], parts[1], int(parts[2])
    check_choice(f"FactoryBench category {category!r}", category, categories())
    distribution = load_distribution(category)
    check_choice(f"FactoryBench split {split!r}", split, distribution.seeds)
    seeds = distribution.seeds[split]
    if number >= len(seeds):
        raise InputError(f"{name}: {category} has the scenes 0 to {len(seeds) - 1}; choose one of them")
    return random_scene(distribution, seeds[number], split)  # type: ignore[arg-type]
