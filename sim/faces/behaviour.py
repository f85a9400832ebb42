"""Behaviour: where people look, how their heads move, and what their faces do while they listen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hearing_sim.attention import listener_of, way_of
from hearing_sim.faces.mouth import mouth_track
from hearing_sim.scene import ROBOT, Scene, Talker
from hearing_sim.talkers import PlacedTurn
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

FloatArray = NDArray[np.float64]

REACTION = 0.25
"""Seconds in which a head turns to somebody else."""
BLINK = 0.24
"""Seconds of a blink."""
BLINKS_PER_SECOND = 0.28


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """What a face does, frame by frame; arrays of shape (n_frames,).

    Attributes
    ----------
    heading
        Where the head faces in the room, in radians counter-clockwise from x.
    nod, tilt
        Pitch (down) and roll (to the right) of the head in radians.
    opening, width
        Of the mouth: 0 closed to 1 widest, -1 rounded to 1 spread.
    smile, blink
        From 0 to 1.
    """

    heading: FloatArray
    nod: FloatArray
    tilt: FloatArray
    opening: FloatArray
    width: FloatArray
    smile: FloatArray
    blink: FloatArray


def perform(
    scene: Scene, turns: Sequence[PlacedTurn], talker: Talker, times: FloatArray, rng: np.random.Generator
) -> Performance:
    """Decide what a talker's face does at the times of the frames, of shape (n_frames,) in seconds."""
    speech = np.zeros((len(times), 2))
    speaking = np.zeros(len(times), dtype=bool)
    for turn in turns:
        if turn.turn.talker == talker.name:
            speech = np.where(np.abs(speech) > 0, speech, mouth_track(turn, times, rng))
            speaking |= (times > turn.start - 0.1) & (times < turn.end + 0.1)
    idle_opening, smile, nod = _habit(talker.face.habit if talker.face else "still", times, rng)
    listening = gaussian_filter1d((~speaking).astype(float), 0.1 * _rate(times))
    wobble = _drift(times, 0.5, rng) * np.where(speaking, 2.0, 1.0)
    return Performance(
        heading=_heading(scene, turns, talker, times) + np.radians(2.0) * _drift(times, 0.4, rng),
        nod=np.radians(1.2) * wobble + nod * listening,
        tilt=np.radians(1.5) * _drift(times, 0.3, rng),
        opening=np.clip(np.where(speaking, speech[:, 0], idle_opening * (~speaking)), 0, 1.2),
        width=speech[:, 1],
        smile=smile * listening,
        blink=_blinks(times, rng),
    )


def _heading(scene: Scene, turns: Sequence[PlacedTurn], talker: Talker, times: FloatArray) -> FloatArray:
    """Turn to whom one speaks to, else to whoever speaks, else to the robot."""
    here = talker.trajectory.at(times)
    target = way_of(scene, ROBOT)(times)
    if talker.looks_at not in (None, "ahead"):
        target = way_of(scene, talker.looks_at or ROBOT)(times)
    elif talker.looks_at is None:
        for number, turn in sorted(enumerate(turns), key=lambda entry: entry[1].turn.talker == talker.name):
            mine = turn.turn.talker == talker.name
            whom = listener_of(scene, scene.turns, number) if mine else turn.turn.talker
            during = (times > turn.start + (0.0 if mine else REACTION)) & (times < turn.end + 0.5)
            target = np.where(during[:, None], way_of(scene, whom)(times), target)
    vector = target - here
    if talker.looks_at == "ahead":
        velocity = talker.trajectory.velocity(times)
        walks = np.linalg.norm(velocity, axis=1, keepdims=True) > 0.05
        middle = np.array([*np.mean(scene.room.corners, axis=0), 0.0])
        vector = np.where(walks, velocity, middle - here)
    heading = np.unwrap(np.arctan2(vector[:, 1], vector[:, 0]))
    return gaussian_filter1d(heading, REACTION / 2 * _rate(times), mode="nearest")


def _habit(habit: str, times: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return opening, smile and nod of somebody who listens."""
    still = np.zeros(len(times))
    if habit == "chewing":
        rate = rng.uniform(1.2, 1.7) * (1 + 0.1 * _drift(times, 0.5, rng))
        chew = np.maximum(np.sin(2 * np.pi * np.cumsum(rate) / _rate(times)), -0.2)
        return np.clip(0.22 * (chew + 0.2), 0, 1), still, still
    if habit == "nodding":
        bursts = np.maximum(_drift(times, 0.4, rng), 0)
        return still, still, np.radians(7) * bursts * np.sin(2 * np.pi * 1.8 * times)
    if habit == "smiling":
        return still, np.clip(0.6 + 0.4 * _drift(times, 0.25, rng), 0, 1), still
    if habit == "yawning":
        middles = np.arange(rng.uniform(2, 6), times[-1] + 8, rng.uniform(9, 14))
        yawn = np.exp(-(((times[:, None] - middles) / 1.1) ** 4)).sum(axis=1)
        return 0.95 * yawn, still, -np.radians(6) * yawn
    return still, still, still


def _blinks(times: FloatArray, rng: np.random.Generator) -> FloatArray:
    number = rng.poisson(BLINKS_PER_SECOND * (times[-1] - times[0] + 1))
    middles = rng.uniform(times[0], times[-1] + 1e-3, number)
    closed: FloatArray = np.clip(1 - np.abs(times[:, None] - middles) / (BLINK / 2), 0, 1).max(axis=1, initial=0.0)
    return closed


def _drift(times: FloatArray, rate: float, rng: np.random.Generator) -> FloatArray:
    """Smooth noise of about unit power that changes `rate` times per second, within -2 and 2."""
    spread = _rate(times) / rate / 2
    margin = int(np.ceil(4 * spread))
    noise = gaussian_filter1d(rng.standard_normal(len(times) + 2 * margin), spread)[margin : margin + len(times)]
    # White noise smoothed by a Gaussian keeps this share of its power.
    drift: FloatArray = np.clip(noise * np.sqrt(2 * np.sqrt(np.pi) * spread), -2, 2)
    return drift


def _rate(times: FloatArray) -> float:
    return 1 / float(times[1] - times[0]) if len(times) > 1 else 25.0
