"""Places where speech is recorded: impulse responses and machine noise of simulated halls, made once and used often.

The recognizer is tested on them; it is trained in `halls`, which are plainer and much faster. A place keeps what is
expensive to simulate, the responses from a few people's mouths to the microphones and what its machines sound like
there; examples are convolutions and sums of these.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from hearing_datasets import Split
from hearing_models.workers import call_all
from hearing_sim.attention import facing
from hearing_sim.distribution import Machines, People, Rooms, SceneDistribution, load_distribution
from hearing_sim.microphones import draw_microphones
from hearing_sim.propagation import PointSource, Receiver, SoundField
from hearing_sim.random_scenes import random_scene
from hearing_sim.room import RoomAcoustics
from hearing_sim.scene import ROBOT, Scene
from hearing_sim.simulation import simulate
from numpy.typing import NDArray

from hearing.arrays import load_array
from hearing.types import SAMPLE_RATE

NOISE_SECONDS = 16.0
"""Of machine noise that a place keeps."""
ARRAY_EVERY = 3
"""Every so many places keep all microphones of an array, to steer beams; the others keep one."""
_TAIL_DB = 55.0


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """What a place does to speech.

    Attributes
    ----------
    responses
        From the mouths of people, nearest first, to the microphones: float32 of shape (n_people, n_mics, n_taps). The
        direct sound of the first microphone arrives at tap 0 and carries unit energy over its first 50 ms.
    noise
        What machines sound like there: float32 of shape (n_mics, n_samples), root mean square 1 at the first one.
    rt60
        Reverberation time in seconds.
    """

    responses: NDArray[np.float32]
    noise: NDArray[np.float32]
    rt60: float


def generate_places(
    folder: Path, number: int, seed: int, split: Split, workers: int, done: Callable[[int], None]
) -> list[Path]:
    """Make places, or those that are missing in a folder; a place depends on seed and number only.

    Returns
    -------
    The files in order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{index:05d}.npz" for index in range(number)]
    missing = [index for index, path in enumerate(paths) if not path.is_file()]
    done(number - len(missing))
    call_all(workers, [partial(_make, paths[index], index, seed, split) for index in missing], done)
    return paths


def read_place(path: Path) -> Place:
    """Read a place that `generate_places` has made."""
    with np.load(path) as file:
        return Place(file["responses"].astype(np.float32), file["noise"].astype(np.float32), float(file["rt60"]))


def distribution(index: int) -> SceneDistribution:
    """Describe what a place is drawn from: halls and rooms, one to four machines, voices at 0.4 to 5 m."""
    training = load_distribution("training")
    return dataclasses.replace(
        training,
        duration=(NOISE_SECONDS, NOISE_SECONDS),
        rooms=Rooms((3.0, 3.0, 2.4), (25.0, 18.0, 8.0), (0.25, 1.0), l_shaped=0.1, varied_walls=0.5),
        people=People((3, 3), {"synthesis": 1.0}, distance=(0.4, 5.0), min_angle_deg=15),
        machines=Machines((1, 4), level_db=(60, 75), recorded=0.4, backgrounds=("hall",) if index % 2 else ()),
        snr_db=None,
    )


def _make(path: Path, index: int, seed: int, split: Split) -> None:
    scene = random_scene(distribution(index), 100_000 * seed + index, split)
    scene = dataclasses.replace(scene, turns=(), robot=dataclasses.replace(scene.robot, states=()))
    simulation = simulate(scene)
    noise = simulation.machines.T
    responses = _responses(scene)
    if index % ARRAY_EVERY:
        noise, responses = noise[:1], responses[:, :1]
    noise = noise / np.sqrt(np.mean(noise[0] ** 2))
    temporary = path.with_suffix(".part.npz")
    np.savez(
        temporary,
        responses=responses.astype(np.float16),
        noise=noise.astype(np.float16),
        rt60=np.float32(simulation.rt60 or scene.room.rt60 or 0.0),
    )
    temporary.rename(path)


def _responses(scene: Scene) -> NDArray[np.float64]:
    """Return the responses from the people, the nearest first, as a place keeps them."""
    real = draw_microphones(
        load_array(scene.array.geometry).positions, scene.microphones, np.random.default_rng(scene.seed)
    )
    field = SoundField(
        RoomAcoustics(scene.room), Receiver(scene.array.pose, real.positions, real.delays, scene.array.body_radius)
    )
    here = scene.array.pose.origin(np.zeros(1))[0]
    people = sorted(scene.talkers, key=lambda talker: float(np.linalg.norm(talker.trajectory.at(0.0) - here)))
    found = []
    for number, talker in enumerate(people):
        way = facing(scene, talker, ROBOT) if talker.directivity else None
        response = (
            field.response(PointSource(talker.trajectory, way, (scene.seed, number)), 0.0).T * real.gains[:, None]
        )
        onset = int(np.argmax(np.abs(response[0]) > 0.2 * np.abs(response[0]).max()))
        response = response[:, max(0, onset - 8) :]
        found.append(response / np.sqrt(np.sum(response[0, : SAMPLE_RATE // 20] ** 2)))
    longest = max(_audible(response) for response in found)
    return np.stack([np.pad(r, ((0, 0), (0, max(0, longest - r.shape[1]))))[:, :longest] for r in found])


def _audible(response: NDArray[np.float64]) -> int:
    """Return the tap after which the energy that is left is `_TAIL_DB` below all of it."""
    left = np.cumsum(response[0, ::-1] ** 2)[::-1]
    return int(np.sum(left > left[0] * 10 ** (-_TAIL_DB / 10)))
