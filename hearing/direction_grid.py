"""Directions to steer to, as far as an array can tell them apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hearing.arrays import MicrophoneArray
from hearing.types import Direction, Float32Array


class DirectionGrid:
    """Directions to steer to, as far as the array can tell them apart.

    A planar array cannot tell above from below and gets the upper half of the sphere; a linear array gets half a
    circle around its axis.

    Parameters
    ----------
    array
        The microphones.
    n_directions
        Points on the full sphere: 1500 are 5 degrees apart.
    max_elevation
        Radians; beyond it no talker is looked for.
    """

    SAME_SOURCE = np.deg2rad(20.0)
    N_NEIGHBOURS = 9

    def __init__(self, array: MicrophoneArray, n_directions: int, max_elevation: float) -> None:
        self.axes = array.axes
        self.spacing = float(np.sqrt(4 * np.pi / n_directions))
        self._beside = self._unseen_axis()
        self.directions = self._directions(n_directions, max_elevation)
        self._azimuth = np.arctan2(self.directions[:, 1], self.directions[:, 0])
        closeness = self.directions @ self.directions.T
        self._neighbours = np.argsort(-closeness, axis=1, kind="stable")[:, : self.N_NEIGHBOURS]

    def _unseen_axis(self) -> NDArray[np.float64]:
        """Find the direction across the array's plane or line, upward or forward; zero if it extends everywhere."""
        if len(self.axes) == 3:
            return np.zeros(3)
        across = np.array([0.0, 0.0, 1.0]) if len(self.axes) == 1 and abs(self.axes[0, 2]) < 0.9 else self.axes[-1]
        normal = np.cross(across, self.axes[0])
        sign = 1.0 if normal[int(np.argmax(np.abs(normal)))] > 0 else -1.0
        unseen: NDArray[np.float64] = sign * normal / np.linalg.norm(normal)
        return unseen

    def _directions(self, n_directions: int, max_elevation: float) -> NDArray[np.float64]:
        if len(self.axes) == 1:
            angle = np.linspace(0, np.pi, 181)[:, None]
            half_circle: NDArray[np.float64] = np.cos(angle) * self.axes[0] + np.sin(angle) * self._beside
            return half_circle
        index = np.arange(n_directions)
        z = 1 - 2 * (index + 0.5) / n_directions
        azimuth = np.pi * (3 - np.sqrt(5)) * index
        radius = np.sqrt(1 - z * z)
        sphere = np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), z], axis=1)
        keep = (np.abs(z) <= np.sin(max_elevation)) & (sphere @ self._beside >= 0)
        selected: NDArray[np.float64] = sphere[keep]
        return selected

    def local_maxima(self, response: Float32Array) -> NDArray[np.bool_]:
        """Tell where a response of shape (n_directions,) is larger than all around it."""
        maxima: NDArray[np.bool_] = response >= response[self._neighbours].max(axis=1)
        return maxima

    def beside(self, direction: Direction) -> NDArray[np.bool_]:
        """Tell which grid points belong to the same source, of shape (n_directions,).

        All elevations do: floor and ceiling reflect a talker at his own azimuth.
        """
        turned = np.abs((self._azimuth - direction.azimuth + np.pi) % (2 * np.pi) - np.pi)
        beside: NDArray[np.bool_] = turned < self.SAME_SOURCE
        beside |= self.directions @ direction.vector > np.cos(self.SAME_SOURCE)
        return beside

    def tangent(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Orthonormal coordinates of shape (n, 3) in which a direction can be moved.

        For planar and linear arrays these are the array's own axes: the phases depend on nothing else.
        """
        if len(self.axes) < 3:
            return self.axes
        _, _, basis = np.linalg.svd(direction[None])
        return np.asarray(basis[1:])

    def onto_sphere(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bring a moved direction back to unit length, on the side where the grid is."""
        if len(self.axes) == 3:
            return np.asarray(vector / np.linalg.norm(vector))
        seen = self.axes @ vector
        seen /= max(1.0, float(np.linalg.norm(seen)))
        unseen = np.sqrt(max(0.0, 1.0 - float(seen @ seen)))
        return np.asarray(seen @ self.axes + unseen * self._beside)
