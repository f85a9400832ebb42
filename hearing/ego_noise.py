"""What the robot's own body sounds like: noise covariances remembered for every state of motion.

A robot that starts to drive makes another noise from one moment to the next, and makes it again whenever it drives. The
state comes from the robot if it tells; if not, states are told apart by the spectrum of the noise, clustered as it
comes: whatever differs by some decibels from all that was heard before is a state of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearing.features import Spectra, to_bands
from hearing.stft import FRAME_RATE, N_BINS, ComplexArray
from hearing.types import ArrayMotion, Float32Array

DRIVES = 0.02
"""Metres per second above which the robot drives."""
TURNS = np.radians(3.0)
"""Radians per second above which it turns."""


class MotionStates:
    """Streaming recognition of the state of motion.

    Attributes
    ----------
    moving
        Whether the robot is known to move.
    """

    latency = 0.0
    DIFFERENT_DB = 8.0
    MEMORY = 1.0
    MOST = 4
    _N_GROUPS = 16

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self.moving = False
        self._before: ArrayMotion | None = None
        self._centres: list[NDArray[np.float64]] = []

    def process(self, spectra: Spectra, noise: Float32Array, motion: ArrayMotion | None) -> str:
        """Name the state that the robot is in during the next frames.

        Parameters
        ----------
        spectra
            The frames.
        noise
            Share of each bin's power that is not speech, of shape (n_frames, N_BINS).
        motion
            What the robot knows of its motion at the end of the frames, None if it does not say.
        """
        if motion is None:
            return self._cluster(spectra, noise)
        before, self._before = self._before or motion, motion
        dt = max(motion.time - before.time, 1e-3)
        driving = float(np.linalg.norm(motion.position - before.position)) / dt > DRIVES
        turning = abs(motion.yaw - before.yaw) / dt > TURNS
        self.moving = driving or turning or motion.state not in (None, "idle")
        return motion.state or ("driving" if driving else "turning" if turning else "idle")

    def _cluster(self, spectra: Spectra, noise: Float32Array) -> str:
        """Find the nearest of the noises that were heard so far, or a new one."""
        bands = to_bands(spectra.power * noise).mean(axis=0, dtype=np.float64)
        level = 10 * np.log10(np.array([group.mean() for group in np.array_split(bands, self._N_GROUPS)]) + 1e-12)
        distances = [float(np.sqrt(np.mean((level - centre) ** 2))) for centre in self._centres]
        nearest = int(np.argmin(distances)) if distances else -1
        if not distances or (distances[nearest] > self.DIFFERENT_DB and len(distances) < self.MOST):
            self._centres.append(level)
            return f"noise_{len(self._centres)}"
        rate = 1 - np.exp(-len(spectra.frames) / (self.MEMORY * FRAME_RATE))
        self._centres[nearest] += rate * (level - self._centres[nearest])
        return f"noise_{nearest + 1}"


@dataclass(slots=True)
class _Noise:
    """A covariance as a decaying sum, of shape (N_BINS, n_mics, n_mics), and the weight of the sum per bin."""

    total: ComplexArray
    weight: Float32Array


class NoiseMemory:
    """Noise covariances of all states of motion, of which that of the current one is learned and used.

    Parameters
    ----------
    n_microphones
        Number of microphones.
    memory
        Time constant in seconds.
    """

    _LITTLE = 0.05

    def __init__(self, n_microphones: int, memory: float) -> None:
        self._n_microphones = n_microphones
        self._memory = memory
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        n = self._n_microphones
        nothing = _Noise(np.zeros((N_BINS, n, n), np.complex64), np.full((N_BINS, 1, 1), 1e-3, np.float32))
        self._states: dict[str, _Noise] = {}
        self._current = nothing

    def switch(self, state: str) -> None:
        """Use what was learned in a state; a new one starts from the noise up to now, which soon fades."""
        if state not in self._states:
            scale = np.float32(self._LITTLE) if self._states else np.float32(1)
            self._states[state] = _Noise(scale * self._current.total, scale * self._current.weight)
        self._current = self._states[state]

    def learn(self, covariance: ComplexArray, weight: Float32Array, n_frames: int) -> None:
        """Learn a sum of outer products (N_BINS, n_mics, n_mics) whose weights add up to `weight` (N_BINS,)."""
        keep = np.float32(np.exp(-n_frames / (self._memory * FRAME_RATE)))
        self._current.total = keep * self._current.total + covariance
        self._current.weight = keep * self._current.weight + weight[:, None, None]

    @property
    def covariance(self) -> ComplexArray:
        """The noise now, of shape (N_BINS, n_mics, n_mics)."""
        mean: ComplexArray = self._current.total / (self._current.weight + np.float32(1e-6))
        return mean
