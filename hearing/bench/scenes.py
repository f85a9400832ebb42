"""The scenes that are measured: rendered once, kept on disk with what one microphone hears of each talker alone."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.recording import Recording, open_recording
from hearing.types import SAMPLE_RATE, Float32Array

if TYPE_CHECKING:
    from hearing_sim.scene import Scene

TICK = 0.1
"""Seconds between two lines about a source in sources.jsonl."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What really happens in a scene.

    Attributes
    ----------
    names
        The talkers.
    azimuth_deg, talks
        Where each of them is and whether he talks, every `TICK` seconds, of shape (n_ticks, n_talkers).
    segments
        What is said, as SegLST records.
    images
        What the first microphone would hear of each talker without the room, by name, of shape (n_samples,).
    microphone
        What it hears altogether.
    """

    names: tuple[str, ...]
    azimuth_deg: NDArray[np.float64]
    talks: NDArray[np.bool_]
    segments: list[dict[str, Any]]
    images: dict[str, Float32Array]
    microphone: Float32Array


def choose_scenes(kinds: tuple[str, ...], split: str, number: int) -> list[tuple[str, Scene]]:
    """Make the first scenes of each kind of FactoryBench, without cameras, which a front end does not see.

    Parameters
    ----------
    kinds
        Categories; all if there are none.
    split
        `dev` or `test`.
    number
        Scenes of each kind.

    Returns
    -------
    Kind and scene.

    Raises
    ------
    InputError
        If there is no such scene, or no simulator.
    """
    if number < 1:
        raise InputError(f"{number} scenes of each kind: give 1 or more")
    try:  # a robot has no simulator
        from hearing_sim.factorybench import PREFIX, benchmark_scene, categories
        from hearing_sim.schema import check_choice
    except ImportError as error:
        raise InputError(f"{error}; install what this command needs: pip install 'robot-hearing[sim]'") from error
    for kind in kinds:
        check_choice(f"FactoryBench category {kind!r}", kind, categories())
    return [
        (kind, dataclasses.replace(benchmark_scene(f"{PREFIX}{kind}/{split}/{i}"), camera=None))
        for kind in kinds or categories()
        for i in range(number)
    ]


def rendered(scene: Scene, folder: Path) -> Recording:
    """Open the recording of a scene in a folder; render it first if it is not there."""
    images = folder / "images.npz"
    if not images.is_file():
        from hearing_sim import render
        from hearing_sim.simulation import direct_speech

        direct = direct_speech(scene, render(scene, folder / "recording"))
        partial = folder / "partial.npz"
        np.savez(partial, **{name: image[:, 0].astype(np.float32) for name, image in direct.items()})
        os.replace(partial, images)  # its presence says that everything is there
    return open_recording(folder / "recording")


def read_truth(folder: Path, seconds: float | None = None) -> Truth:
    """Read the truth about a rendered scene, or about its first seconds."""
    reference = folder / "recording" / "reference"
    end = np.inf if seconds is None else seconds
    segments = json.loads((reference / "segments.json").read_text(encoding="utf-8"))
    lines = map(json.loads, (reference / "sources.jsonl").read_text(encoding="utf-8").splitlines())
    people = [line for line in lines if line["kind"] == "talker" and line["time"] < end]
    names = tuple(dict.fromkeys(line["source"] for line in people))
    # Lines are in order of time, and the talkers in the same order at every time.
    azimuth = np.array([line["azimuth_deg"] for line in people], np.float64).reshape(-1, max(len(names), 1))
    talks = np.array([line["active"] for line in people], np.bool_).reshape(azimuth.shape)
    length = None if seconds is None else round(seconds * SAMPLE_RATE)
    with np.load(folder / "images.npz") as images:
        heard = {name: images[name][:length] for name in names}
    return Truth(
        names,
        azimuth[:, : len(names)],
        talks[:, : len(names)],
        [segment for segment in segments if segment["end_time"] <= end],
        heard,
        open_recording(folder / "recording").read()[:length, 0],
    )
