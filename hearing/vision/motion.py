"""How a face moves through the picture: a Kalman filter with a velocity that changes like a random walk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MotionConfig:
    """How faces move. Lengths in heights of the face, so that near and far ones move alike; sizes as logarithms.

    Attributes
    ----------
    speed, growth
        Standard deviation of the unknown velocity of a new face, per second, of place and size.
    change, change_of_growth
        Standard deviation of what is added to these velocities in one second.
    stops_within
        Seconds in which a face that is not seen comes to rest.
    max_uncertainty
        Standard deviation beyond which the place of a face that is not seen does not become: it would be taken for
        its neighbours.
    """

    speed: float = 3.0
    growth: float = 0.5
    change: float = 6.0
    change_of_growth: float = 0.5
    stops_within: float = 1.0
    max_uncertainty: float = 0.4


class FaceMotion:
    """Place and size of a face.

    Parameters
    ----------
    place
        Pixels of the middle, and logarithm of the height in pixels, of shape (3,).
    spread
        Standard deviation of that place, in heights of the face, and of the logarithm.
    config
        How faces move.
    """

    def __init__(self, place: FloatArray, spread: tuple[float, float], config: MotionConfig) -> None:
        self._config = config
        self._state = np.stack([place, np.zeros(3)])
        self._covariance = np.zeros((3, 2, 2))
        unit = self._unit
        self._covariance[:, 0, 0] = (unit * self._each(*spread)) ** 2
        self._covariance[:, 1, 1] = (unit * self._each(config.speed, config.growth)) ** 2

    @property
    def place(self) -> FloatArray:
        """Pixels of the middle, and logarithm of the height in pixels, of shape (3,)."""
        place: FloatArray = self._state[0]
        return place

    @property
    def size(self) -> float:
        """Height in pixels."""
        return float(np.exp(self._state[0, 2]))

    @property
    def _unit(self) -> FloatArray:
        """Pixels per height of the face, twice, and one, of shape (3,)."""
        return np.array([self.size, self.size, 1.0])

    @staticmethod
    def _each(place: float, size: float) -> FloatArray:
        return np.array([place, place, size])

    def predict(self, dt: float, seen: bool) -> None:
        """Move on by `dt` seconds."""
        config = self._config
        keep = 1.0 if seen else float(np.exp(-dt / config.stops_within))
        transition = np.array([[1.0, dt], [0.0, keep]])
        self._state = transition @ self._state
        walk = np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
        noise = (self._unit * self._each(config.change, config.change_of_growth)) ** 2
        self._covariance = transition @ self._covariance @ transition.T + noise[:, None, None] * walk
        limit = (self._unit * config.max_uncertainty) ** 2
        self._covariance *= np.minimum(1.0, limit / self._covariance[:, 0, 0])[:, None, None]

    def misfit(self, place: FloatArray, spread: tuple[float, float]) -> float:
        """Return the squared Mahalanobis distance of a measurement, as the constructor takes it."""
        variance = self._covariance[:, 0, 0] + (self._unit * self._each(*spread)) ** 2
        return float((((place - self._state[0]) ** 2) / variance).sum())

    def update(self, place: FloatArray, spread: tuple[float, float]) -> None:
        """Take note of a measurement, as the constructor takes it."""
        variance = self._covariance[:, 0, 0] + (self._unit * self._each(*spread)) ** 2
        gain = self._covariance[:, :, 0] / variance[:, None]
        self._state = self._state + (gain * (place - self._state[0])[:, None]).T
        self._covariance = self._covariance - gain[:, :, None] * self._covariance[:, None, 0, :]
