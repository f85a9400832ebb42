"""Where people face while they speak."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from hearing_sim.scene import ROBOT, Scene, Talker, Turn
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Way = Callable[[FloatArray], FloatArray]
"""Positions in the room of shape (n_times, 3) in metres at times of shape (n_times,) in seconds."""


def way_of(scene: Scene, name: str) -> Way:
    """Return where a talker's mouth, a machine, or the robot's array is at any time."""
    if name == ROBOT:
        return scene.array.pose.origin
    return next(source for source in (*scene.talkers, *scene.machines) if source.name == name).trajectory.at


def listener_of(scene: Scene, turns: Sequence[Turn], number: int) -> str:
    """Name to whom a turn is said: as it says itself, else who spoke before, else another talker, else the robot."""
    turn = turns[number]
    if turn.to is not None:
        return turn.to
    others = [talker.name for talker in scene.talkers if talker.name != turn.talker]
    spoke = [earlier.talker for earlier in turns[:number] if earlier.talker in others]
    return spoke[-1] if spoke else others[0] if others else ROBOT


def facing(scene: Scene, talker: Talker, listener: str) -> Way:
    """Return the unit vectors, level with the floor, in which a talker faces who speaks to `listener`.

    What the talker is told to look at comes first. Somebody who looks `ahead` faces along his way, or into the
    middle of the room where he stands still.
    """
    target = talker.looks_at or listener
    corners = np.array(scene.room.corners)
    middle = np.array([*corners.mean(axis=0), 0.0])

    def direction(times: FloatArray) -> FloatArray:
        here = talker.trajectory.at(times)
        vectors = (middle if target == "ahead" else way_of(scene, target)(times)) - here
        if target == "ahead":
            velocity = talker.trajectory.velocity(times)
            walks = np.linalg.norm(velocity, axis=1, keepdims=True) > 0.05
            vectors = np.where(walks, velocity, vectors)
        vectors[:, 2] = 0.0
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: FloatArray = np.where(length > 1e-6, vectors / np.maximum(length, 1e-6), [1.0, 0.0, 0.0])
        return unit

    return direction
