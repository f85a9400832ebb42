"""Where things are at any time: fixed, as a script says, or as their poses arrive."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

FloatArray = NDArray[np.float64]

KEPT = 5.0
"""Seconds for which poses are kept after they have arrived: longer than sound is on its way."""


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Where a frame is in another one.

    Attributes
    ----------
    position
        Of shape (3,) in metres.
    rotation
        Of shape (3, 3): columns are the frame's axes.
    """

    position: FloatArray
    rotation: FloatArray

    @classmethod
    def from_numbers(cls, numbers: FloatArray) -> Pose:
        """Return the pose of `x y z roll pitch yaw` in metres and radians, as SDF writes it."""
        return cls(numbers[:3], Rotation.from_euler("xyz", numbers[3:]).as_matrix())

    def __matmul__(self, inner: Pose) -> Pose:
        """Return the pose of a frame that is given in this one."""
        return Pose(self.to_outer(inner.position), self.rotation @ inner.rotation)

    def to_outer(self, points: FloatArray) -> FloatArray:
        """Move points of shape (..., 3) out of this frame."""
        return points @ self.rotation.T + self.position

    def to_inner(self, points: FloatArray) -> FloatArray:
        """Move points of shape (..., 3) into this frame."""
        return (points - self.position) @ self.rotation

    @classmethod
    def from_matrix(cls, matrix: FloatArray) -> Pose:
        """Return the pose of a matrix of shape (4, 4) that maps coordinates in the frame to those in the outer one."""
        return cls(matrix[:3, 3], matrix[:3, :3])

    @property
    def matrix(self) -> FloatArray:
        """The matrix of shape (4, 4) of `from_matrix`."""
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = self.rotation, self.position
        return matrix

    def inverse(self) -> Pose:
        """Return the pose of the outer frame in this one."""
        return Pose(-self.position @ self.rotation, self.rotation.T)

    @property
    def yaw(self) -> float:
        """Heading in radians, counter-clockwise from x."""
        return float(np.arctan2(self.rotation[1, 0], self.rotation[0, 0]))


IDENTITY = Pose(np.zeros(3), np.eye(3))


class Motion(Protocol):
    """Where something is in the world at any time."""

    def at(self, time: float) -> Pose:
        """Return its pose at a time in seconds of simulation."""


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """Something that never moves."""

    pose: Pose

    def at(self, time: float) -> Pose:
        """Return its pose."""
        return self.pose


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """Something at a fixed place on something that moves."""

    carrier: Motion
    place: Pose

    def at(self, time: float) -> Pose:
        """Return its pose."""
        return self.carrier.at(time) @ self.place


class Script:
    """The trajectory of an actor, as Gazebo plays it.

    Positions follow a cardinal spline through the waypoints, like gz::math::Spline's; headings turn steadily and the
    short way between them, where Gazebo uses a spline of quaternions.

    Parameters
    ----------
    origin
        Pose of the actor in the world.
    times, numbers
        Waypoints in order of time, which begins with 0, of shape (n,) in seconds, and their poses, of shape (n, 6), as
        `Pose.from_numbers` takes them.
    loop
        Whether it begins again after the last waypoint.
    delay
        Seconds of simulation after which it begins.
    tension
        0 for the smoothest curve, 1 for straight lines.
    """

    def __init__(
        self, origin: Pose, times: FloatArray, numbers: FloatArray, loop: bool, delay: float, tension: float
    ) -> None:
        self._origin, self._times, self._loop, self._delay = origin, times, loop, delay
        self._points, self._angles = numbers[:, :3], np.unwrap(numbers[:, 3:], axis=0)
        # As gz::math::Spline::RecalcTangents: half the way between the neighbours; at open ends half of the way to one.
        points = self._points
        before, after = np.vstack([points[:1], points[:-1]]), np.vstack([points[1:], points[-1:]])
        if np.array_equal(points[0], points[-1]) and len(points) > 1:
            before[0], after[-1] = points[-2], points[1]
        self._tangents = (1 - tension) * (after - before) / 2

    def at(self, time: float) -> Pose:
        """Return the actor's pose."""
        end = float(self._times[-1])
        time = max(0.0, time - self._delay)
        time = time % end if self._loop and end > 0 else min(time, end)
        first = int(np.clip(np.searchsorted(self._times, time, side="right") - 1, 0, len(self._times) - 1))
        second = min(first + 1, len(self._times) - 1)
        span = float(self._times[second] - self._times[first])
        part = (time - float(self._times[first])) / span if span > 0 else 0.0
        angles = (1 - part) * self._angles[first] + part * self._angles[second]
        return self._origin @ Pose.from_numbers(np.concatenate([self._between(first, second, part), angles]))

    def _between(self, first: int, second: int, part: float) -> FloatArray:
        """Hermite's cubic from one waypoint to the next."""
        square, cube = part * part, part * part * part
        position: FloatArray = (
            (2 * cube - 3 * square + 1) * self._points[first]
            + (cube - 2 * square + part) * self._tangents[first]
            + (3 * square - 2 * cube) * self._points[second]
            + (cube - square) * self._tangents[second]
        )
        return position


class Received:
    """Poses as they arrive; between two of them the way is straight, before the first and after the last there is none.

    What is asked for must not be older than `KEPT` seconds.
    """

    def __init__(self) -> None:
        self._poses: deque[tuple[float, Pose]] = deque()

    @property
    def first(self) -> float | None:
        """Time of the first pose that is kept."""
        return self._poses[0][0] if self._poses else None

    @property
    def last(self) -> float | None:
        """Time to which poses are known."""
        return self._poses[-1][0] if self._poses else None

    def clear(self) -> None:
        """Forget all poses."""
        self._poses.clear()

    def add(self, time: float, pose: Pose) -> None:
        """Take a pose; one that is not later than the last one is dropped."""
        if self._poses and time <= self._poses[-1][0]:
            return
        self._poses.append((time, pose))
        while len(self._poses) > 2 and self._poses[1][0] < time - KEPT:
            self._poses.popleft()

    def at(self, time: float) -> Pose:
        """Return the pose at a time."""
        later = next((i for i in range(len(self._poses) - 1, -1, -1) if self._poses[i][0] <= time), -1) + 1
        if later == 0 or later == len(self._poses):
            return self._poses[min(later, len(self._poses) - 1)][1]
        (start, before), (end, after) = self._poses[later - 1], self._poses[later]
        part = (time - start) / (end - start)
        turn = Rotation.from_matrix(before.rotation.T @ after.rotation).as_rotvec() * part
        return Pose(
            (1 - part) * before.position + part * after.position,
            before.rotation @ Rotation.from_rotvec(turn).as_matrix(),
        )
