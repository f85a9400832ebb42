"""Training material: simulated scenes kept in parts, so that they can be mixed anew at every pass.

A mixture holds what every microphone hears of each talker, of the machines and of the robot's own body, and where
everybody is. Arrays are random: rings, grids, heads and clouds of four to eight microphones, besides the built-in ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from hearing_datasets import Split
from hearing_models.workers import call_all
from hearing_sim.distribution import ARRAYS, SceneDistribution, load_distribution
from hearing_sim.generate import DatasetPlan, sample_scene
from hearing_sim.reference import reference_sources
from hearing_sim.simulation import direct_speech
from numpy.typing import NDArray

RANDOM_ARRAYS = 60
HALL_EVERY = 4
"""One mixture in so many has the diffuse noise of a hall, which takes as long to make as all the rest."""
_FULL_SCALE = 32_000


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """A scene in parts, at 16 kHz.

    Attributes
    ----------
    positions
        Microphones in the array frame as the array file has them, of shape (n_mics, 3) in metres.
    talkers
        What is heard of each talker, of shape (n_talkers, n_samples, n_mics).
    direct
        What the first microphone would hear of each talker without the room, of shape (n_talkers, n_samples).
    machines, ego
        What is heard of machines and of the robot's body, of shape (n_samples, n_mics).
    directions
        Unit vectors to the talkers at every 0.1 s, of shape (n_talkers, n_steps, 3).
    machine_directions
        Unit vectors to the machines when the scene starts, of shape (n_machines, 3).
    """

    positions: NDArray[np.float32]
    talkers: NDArray[np.float32]
    direct: NDArray[np.float32]
    machines: NDArray[np.float32]
    ego: NDArray[np.float32]
    directions: NDArray[np.float32]
    machine_directions: NDArray[np.float32]


def generate_mixtures(
    folder: Path, number: int, seed: int, split: Split, workers: int, done: Callable[[int], None]
) -> list[Path]:
    """Make mixtures, or those that are missing in a folder; a mixture depends on seed and number only.

    Returns
    -------
    The files in order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan = DatasetPlan("training", number, seed, split)
    paths = [folder / f"{index:06d}.npz" for index in range(number)]
    missing = [index for index, path in enumerate(paths) if not path.is_file()]
    done(number - len(missing))
    arrays = random_arrays(folder / "arrays", seed)
    call_all(workers, [partial(_make, plan, arrays, index, paths[index]) for index in missing], done)
    return paths


def read_mixture(path: Path) -> Mixture:
    """Read a mixture that `generate_mixtures` has made."""
    with np.load(path) as file:
        parts = {name: file[name] for name in file.files}
    scales = parts.pop("scales")
    names = ("talkers", "direct", "machines", "ego")
    audio = {name: parts[name].astype(np.float32) * scale for name, scale in zip(names, scales, strict=True)}
    return Mixture(**(parts | audio))


def random_arrays(folder: Path, seed: int) -> tuple[str, ...]:
    """Write random array files; return their paths and the names of the built-in arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index in range(RANDOM_ARRAYS):
        rng = np.random.default_rng((seed, index))
        path = folder / f"random_{index:02d}.yaml"
        content = {"name": path.stem, "microphones": random_geometry(rng).round(4).tolist()}
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        paths.append(str(path))
    return (*paths, *ARRAYS * 3)


def random_geometry(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a geometry of four to eight microphones, of shape (n_mics, 3) in metres."""
    count = int(rng.integers(4, 9))
    kind = rng.choice(["ring", "grid", "head", "cloud"], p=[0.4, 0.15, 0.25, 0.2])
    turn = rng.uniform(0, 2 * np.pi)
    if kind == "ring":
        around = count - int(rng.uniform() < 0.3)
        angle = turn + 2 * np.pi * np.arange(around) / around
        radius = rng.uniform(0.025, 0.1)
        ring = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.zeros(around)], axis=1)
        return np.concatenate([ring, np.zeros((count - around, 3))])
    if kind == "grid":
        columns = (count + 1) // 2
        spacing = rng.uniform((0.025, 0.03), (0.06, 0.1))
        place = np.stack([np.arange(count) % columns, np.arange(count) // columns, np.zeros(count)], axis=1)
        return (place - place.mean(axis=0)) * [*spacing, 0.0]
    if kind == "head":
        angle = turn + 2 * np.pi * np.arange(count) / count
        height = np.where(np.arange(count) % 2 == 0, 1, -1) * rng.uniform(0.02, 0.05)
        radius = rng.uniform(0.06, 0.11)
        return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)
    while True:
        extent = rng.uniform(0.04, 0.1) * np.array([1, 1, rng.uniform(0.2, 1.0)])
        cloud = rng.uniform(-extent, extent, (count, 3))
        distance = np.linalg.norm(cloud[:, None] - cloud, axis=-1)[~np.eye(count, dtype=bool)]
        if distance.min() > 0.02:
            return cloud


def _distribution(arrays: tuple[str, ...], index: int) -> SceneDistribution:
    training = load_distribution("training")
    machines = dataclasses.replace(training.machines, backgrounds=() if index % HALL_EVERY else ("hall",))
    return dataclasses.replace(training, arrays=arrays, machines=machines)


def _make(plan: DatasetPlan, arrays: tuple[str, ...], index: int, path: Path) -> None:
    scene, simulation = sample_scene(_distribution(arrays, index), plan, index)
    names = list(simulation.talkers)
    direct = direct_speech(scene, simulation)
    audio = {
        "talkers": np.stack([simulation.talkers[name] for name in names]),
        "direct": np.stack([direct[name][:, 0] for name in names]),
        "machines": simulation.machines,
        "ego": simulation.ego,
    }
    scales = [max(float(np.abs(signal).max()), 1e-9) / _FULL_SCALE for signal in audio.values()]
    parts: dict[str, Any] = {
        name: np.round(signal / scale).astype(np.int16)
        for (name, signal), scale in zip(audio.items(), scales, strict=True)
    }
    lines = reference_sources(scene, simulation.turns)
    machines = [machine.name for machine in scene.machines]
    temporary = path.with_suffix(".part.npz")
    np.savez(
        temporary,
        **parts,
        scales=np.array(scales, np.float32),
        positions=simulation.array.positions.astype(np.float32),
        directions=np.stack([_directions(lines, name) for name in names]),
        machine_directions=np.array([_directions(lines, name)[0] for name in machines], np.float32).reshape(-1, 3),
    )
    temporary.rename(path)


def _directions(lines: list[dict[str, Any]], name: str) -> NDArray[np.float32]:
    """Return unit vectors to a source at every 0.1 s, of shape (n_steps, 3)."""
    angles = np.radians([[line["azimuth_deg"], line["elevation_deg"]] for line in lines if line["source"] == name])
    azimuth, elevation = angles.T
    vectors = [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
    return np.stack(vectors, axis=1).astype(np.float32)
