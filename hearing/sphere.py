"""Directions as unit vectors: turning them, and how far they are apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rotation(angle: float) -> NDArray[np.float64]:
    """Return the matrix of shape (3, 3) that turns vectors counter-clockwise about z, by radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def azimuths_apart(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Difference in azimuth of two vectors of shape (3,), in [0, pi]: small arrays hardly know the elevation.

    >>> azimuths_apart(np.array([1.0, 0.1, 0.5]), np.array([1.0, 0.1, -0.5]))
    0.0
    """
    difference = np.arctan2(first[1], first[0]) - np.arctan2(second[1], second[0])
    return float(abs((difference + np.pi) % (2 * np.pi) - np.pi))
