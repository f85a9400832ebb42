"""Motion: where something is at any time, from the places it passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

Vector = tuple[float, float, float]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A place (metres, room frame) that is passed at a time (seconds)."""

    time: float
    position: Vector


@dataclass(frozen=True, slots=True)
class PoseWaypoint:
    """A place and heading (degrees counter-clockwise from x) that the array passes at a time."""

    time: float
    position: Vector
    yaw_deg: float = 0.0


class Trajectory:
    """Where a point is at any time; before the first waypoint and after the last one it stands still.

    Between waypoints every coordinate follows a monotone cubic (Fritsch & Carlson 1980): the velocity has no jumps, and
    no coordinate leaves the range that its waypoints span.

    Parameters
    ----------
    waypoints
        In order of time.
    """

    def __init__(self, waypoints: Sequence[Waypoint | PoseWaypoint]) -> None:
        self._times = np.array([waypoint.time for waypoint in waypoints])
        self._values = np.array([waypoint.position for waypoint in waypoints])
        self._curve = PchipInterpolator(self._times, self._values) if len(waypoints) > 1 else None

    @property
    def moving(self) -> bool:
        """True if it is not always at the same place."""
        return bool(np.ptp(self._values, axis=0).any())

    def at(self, times: ArrayLike) -> FloatArray:
        """Return positions of shape (*times.shape, 3) in metres."""
        times = np.asarray(times, dtype=np.float64)
        if self._curve is None:
            return np.broadcast_to(self._values[0], (*times.shape, 3)).copy()
        positions: FloatArray = self._curve(np.clip(times, self._times[0], self._times[-1]))
        return positions

    def velocity(self, times: ArrayLike) -> FloatArray:
        """Return velocities of shape (*times.shape, 3) in metres per second."""
        times = np.asarray(times, dtype=np.float64)
        if self._curve is None:
            return np.zeros((*times.shape, 3))
        moves = (times >= self._times[0]) & (times <= self._times[-1])
        velocities: FloatArray = self._curve.derivative()(np.clip(times, self._times[0], self._times[-1]))
        return np.where(moves[..., None], velocities, 0.0)


class Pose:
    """Where a frame is that moves and turns about z; a heading turns the short way between waypoints.

    Parameters
    ----------
    waypoints
        In order of time.
    """

    def __init__(self, waypoints: Sequence[PoseWaypoint]) -> None:
        yaws = np.unwrap(np.radians([waypoint.yaw_deg for waypoint in waypoints]))
        self._origin = Trajectory(waypoints)
        # The heading is kept as the first coordinate of a point, to be interpolated like one.
        self._yaw = Trajectory(
            [Waypoint(waypoint.time, (float(yaw), 0.0, 0.0)) for waypoint, yaw in zip(waypoints, yaws, strict=True)]
        )

    @property
    def moving(self) -> bool:
        """True if it ever moves or turns."""
        return self._origin.moving or self._yaw.moving

    def origin(self, times: ArrayLike) -> FloatArray:
        """Return the frame's origin in the room, of shape (*times.shape, 3) in metres."""
        return self._origin.at(times)

    def yaw(self, times: ArrayLike) -> FloatArray:
        """Return the heading in radians, of shape times.shape."""
        heading: FloatArray = self._yaw.at(times)[..., 0]
        return heading

    def speed(self, times: ArrayLike) -> FloatArray:
        """Return the speed of the origin in metres per second, of shape times.shape."""
        speed: FloatArray = np.linalg.norm(self._origin.velocity(times), axis=-1)
        return speed

    def turn_rate(self, times: ArrayLike) -> FloatArray:
        """Return how fast the heading changes in radians per second, of shape times.shape."""
        rate: FloatArray = self._yaw.velocity(times)[..., 0]
        return rate

    def to_room(self, points: FloatArray, times: ArrayLike) -> FloatArray:
        """Move points of shape (..., 3), broadcast against times.shape, from this frame into the room frame."""
        return _turn(points, self.yaw(times)) + self.origin(times)

    def to_frame(self, points: FloatArray, times: ArrayLike) -> FloatArray:
        """Move points of shape (..., 3), broadcast against times.shape, from the room frame into this frame."""
        return _turn(points - self.origin(times), -self.yaw(times))


def _turn(points: FloatArray, angle: FloatArray) -> FloatArray:
    x, y, z = np.moveaxis(np.asarray(points), -1, 0)
    cos, sin = np.cos(angle), np.sin(angle)
    turned: FloatArray = np.stack(np.broadcast_arrays(cos * x - sin * y, sin * x + cos * y, z), axis=-1)
    return turned
