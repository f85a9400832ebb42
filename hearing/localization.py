"""Where sound comes from: steered response power with phase transform, SRP-PHAT.

The response is steered over a grid of directions by one matrix-vector product on the cross-spectra of all microphone
pairs. The matrix has low rank, since a small array resolves few directions, and is applied in factored form: SVD-PHAT
(Grondin and Glass, 2019, arXiv:1811.11785, eq. 8-12). Bins count by how far they stand above the stationary noise
floor, so that a steady machine does not win over a talker. Several sources are found one after the other; each takes
the bins that fit it, because speech is sparse (Yilmaz and Rickard, 2004).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearing.arrays import SPEED_OF_SOUND, MicrophoneArray
from hearing.stft import FRAME_RATE, FREQUENCIES, ComplexArray
from hearing.types import Direction, Float32Array, Peak


@dataclass(frozen=True, slots=True)
class LocalizationConfig:
    """How to localize.

    Attributes
    ----------
    min_frequency, max_frequency
        Band in Hz. Below, small arrays see no phase difference; above, speech has little energy.
    n_directions
        Points on the full sphere: 1500 are 5 degrees apart.
    max_elevation
        Radians; beyond it no talker is looked for.
    energy_kept
        Share of the steering matrix' energy that the low-rank factors keep.
    max_sources
        Peaks looked for in each block.
    min_power
        Peaks below are not reported.
    min_share
        Share of the band above the noise at which the power is halved.
    smoothing
        Time constant in seconds of the cross-spectra.
    """

    min_frequency: float = 250.0
    max_frequency: float = 6000.0
    n_directions: int = 1500
    max_elevation: float = np.deg2rad(70.0)
    energy_kept: float = 0.9995
    max_sources: int = 3
    min_power: float = 0.06
    min_share: float = 0.05
    smoothing: float = 0.08


class BinWeighting:
    """Which bins carry direct sound: those that stand above the stationary noise and above the reverberation.

    The noise is followed more slowly upwards than downwards. Reverberation is what is left of the power before after
    decaying as in a reverberant room (Lebart et al., 2001, eq. 5); without it, the last wall that answers when a talker
    pauses would be taken for another talker.

    Parameters
    ----------
    n_bins
        Number of frequency bins.
    rise, fall
        Time constants in seconds. Speech does not last in one bin for as long as `rise`.
    margin
        Power above the noise, as a factor, from which a bin counts.
    reverberation_time
        Time in seconds in which reverberation is taken to fall by 60 dB.
    """

    LIMIT = 2.0

    def __init__(
        self,
        n_bins: int,
        rise: float = 3.0,
        fall: float = 1.0,
        margin: float = 3.5,
        reverberation_time: float = 0.75,
    ) -> None:
        self._n_bins = n_bins
        self._rise, self._fall, self._margin = rise, fall, margin
        self._reverberation_time = reverberation_time
        self.reset()

    def reset(self) -> None:
        """Forget noise and reverberation."""
        self.noise: NDArray[np.float64] | None = None
        self._reverberation: NDArray[np.float64] = np.zeros(self._n_bins)

    def process(self, power: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weight the next frames.

        Parameters
        ----------
        power
            Of shape (n_frames, n_bins).

        Returns
        -------
        Share of each bin's power that is direct sound, in [0, 1], of shape (n_bins,).
        """
        # Over some frames and neighbouring bins noise hardly fluctuates, speech still stands out.
        smooth = np.convolve(np.pad(power.mean(axis=0), 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
        noise = smooth if self.noise is None else self.noise
        duration = len(power) / FRAME_RATE
        step = 1 - np.exp(-duration / np.where(smooth > noise, self._rise, self._fall))
        # Power limited to a few times the noise makes its estimate rise with the noise, not with speech.
        self.noise = noise + step * (np.minimum(smooth, self.LIMIT * noise + 1e-12) - noise)
        unwanted = self._margin * self.noise + self._reverberation
        decay = 10.0 ** (-6.0 * duration / self._reverberation_time)
        self._reverberation = decay * np.maximum(self._reverberation, smooth)
        share: NDArray[np.float64] = np.clip(1 - unwanted / (smooth + 1e-12), 0.0, 1.0)
        return share


class DirectionGrid:
    """Directions to steer to, as far as the array can tell them apart.

    A planar array cannot tell above from below and gets the upper half of the sphere; a linear array gets half a
    circle around its axis.

    Parameters
    ----------
    array
        The microphones.
    config
        Density and limits of the grid.
    """

    SAME_SOURCE = np.deg2rad(20.0)
    N_NEIGHBOURS = 9

    def __init__(self, array: MicrophoneArray, config: LocalizationConfig) -> None:
        self.axes = array.axes
        self.spacing = float(np.sqrt(4 * np.pi / config.n_directions))
        self._beside = self._unseen_axis()
        self.directions = self._directions(config)
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

    def _directions(self, config: LocalizationConfig) -> NDArray[np.float64]:
        if len(self.axes) == 1:
            angle = np.linspace(0, np.pi, 181)[:, None]
            half_circle: NDArray[np.float64] = np.cos(angle) * self.axes[0] + np.sin(angle) * self._beside
            return half_circle
        index = np.arange(config.n_directions)
        z = 1 - 2 * (index + 0.5) / config.n_directions
        azimuth = np.pi * (3 - np.sqrt(5)) * index
        radius = np.sqrt(1 - z * z)
        sphere = np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), z], axis=1)
        keep = (np.abs(z) <= np.sin(config.max_elevation)) & (sphere @ self._beside >= 0)
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


class SrpPhat:
    """Streaming multi-source localization.

    Parameters
    ----------
    array
        The microphones.
    config
        How to localize.
    """

    latency = 0.0
    NEWTON_STEPS = 4

    def __init__(self, array: MicrophoneArray, config: LocalizationConfig | None = None) -> None:
        self.config = config or LocalizationConfig()
        self.grid = DirectionGrid(array, self.config)
        self._bins = np.flatnonzero(
            (self.config.min_frequency <= FREQUENCIES) & (self.config.max_frequency >= FREQUENCIES)
        )
        self._omega = 2 * np.pi * FREQUENCIES[self._bins]
        self._first, self._second = np.triu_indices(array.n_microphones, k=1)
        self._array = array
        # Seconds by which a pair's delay grows per unit of direction vector, of shape (n_pairs, 3).
        self._pair_gradient = -(array.positions[self._first] - array.positions[self._second]) / SPEED_OF_SOUND
        self._spread, self._project = self._factor()
        self._weighting = BinWeighting(len(self._bins))
        self.reset()

    def _factor(self) -> tuple[Float32Array, Float32Array]:
        """Low-rank factors of the steering matrix: (n_directions, rank) and (rank, 2 * n_pairs * n_bins)."""
        phase = self._steering(self.grid.directions)
        steering = np.concatenate([phase.real, -phase.imag], axis=1).astype(np.float32)
        energy, basis = np.linalg.eigh((steering @ steering.T).astype(np.float64))
        kept = np.cumsum(energy[::-1]) / energy.sum()
        rank = int(np.searchsorted(kept, self.config.energy_kept)) + 1
        spread = np.ascontiguousarray(basis[:, : -rank - 1 : -1], dtype=np.float32)
        return spread, np.ascontiguousarray(spread.T @ steering)

    def _steering(self, directions: NDArray[np.float64]) -> ComplexArray:
        """Phases that align the pairs' cross-spectra, of shape (n_directions, n_pairs * n_bins)."""
        delays = self._array.delays(directions)
        difference = delays[:, self._first] - delays[:, self._second]
        phase = np.exp(1j * difference[:, :, None] * self._omega)
        return phase.reshape(len(directions), -1).astype(np.complex64)

    def reset(self) -> None:
        """Start a new stream."""
        self._weighting.reset()
        self._cross: ComplexArray = np.zeros((len(self._first), len(self._bins)), np.complex64)
        self._weight: NDArray[np.float64] = np.zeros(len(self._bins))

    def process(self, frames: ComplexArray) -> tuple[Peak, ...]:
        """Localize what sounds in the next frames.

        Parameters
        ----------
        frames
            Short-time spectra of shape (n_frames, n_bins, n_microphones).

        Returns
        -------
        Peaks, strongest first.
        """
        band = frames[:, self._bins]
        magnitude = np.abs(band)
        above = self._weighting.process(np.mean(magnitude.astype(np.float64) ** 2, axis=2))
        phases = band / (magnitude + 1e-12)
        cross = np.einsum("tfp,tfp->pf", phases[:, :, self._first], phases[:, :, self._second].conj()) / len(frames)
        keep = np.exp(-len(frames) / (self.config.smoothing * FRAME_RATE))
        self._cross = (keep * self._cross + (1 - keep) * above * cross).astype(np.complex64)
        self._weight = keep * self._weight + (1 - keep) * above
        return self._find_peaks()

    def _find_peaks(self) -> tuple[Peak, ...]:
        # A few bins agree on some direction by chance: they must be a share of the band to count in full.
        scale = len(self._first) * (self._weight.sum() + self.config.min_share * len(self._bins))
        remaining = self._cross / scale
        peaks: list[Peak] = []
        for _ in range(self.config.max_sources):
            stacked = np.concatenate([remaining.real.ravel(), remaining.imag.ravel()])
            response = self._spread @ (self._project @ stacked)
            maxima = self.grid.local_maxima(response)
            for known in peaks:
                maxima &= ~self.grid.beside(known.direction)
            best = int(np.argmax(np.where(maxima, response, -1.0)))
            if not maxima[best] or response[best] < self.config.min_power:
                break
            direction = self._climb(self.grid.directions[best], remaining)
            peaks.append(Peak(direction, float(np.clip(response[best], 0.0, 1.0))))
            remaining = remaining * (1 - self._fit(direction))
        # What one source masked may turn out stronger once that source is taken away.
        return tuple(sorted(peaks, key=lambda peak: -peak.power))

    def _climb(self, direction: NDArray[np.float64], cross: ComplexArray) -> Direction:
        """Move from a grid point to the maximum of the steered response by Newton's method."""
        for _ in range(self.NEWTON_STEPS):
            aligned = cross * self._steering(direction[None]).reshape(cross.shape)
            slope = self._pair_gradient.T @ (-aligned.imag @ self._omega)
            pair_curvature = -aligned.real @ self._omega**2
            curvature = (self._pair_gradient * pair_curvature[:, None]).T @ self._pair_gradient
            basis = self.grid.tangent(direction)
            gradient, hessian = basis @ slope, basis @ curvature @ basis.T
            if len(self.grid.axes) == 3:
                hessian -= (slope @ direction) * np.eye(2)
            values, vectors = np.linalg.eigh(hessian)
            if values.max() >= 0:
                break
            step = -vectors @ ((vectors.T @ gradient) / values)
            step *= min(1.0, self.grid.spacing / max(float(np.linalg.norm(step)), 1e-12))
            direction = self.grid.onto_sphere(direction + step @ basis)
        return Direction.from_vector(direction)

    def _fit(self, direction: Direction) -> Float32Array:
        """How well each bin's phases fit a direction, in [0, 1], of shape (n_bins,)."""
        phase = self._steering(direction.vector[None]).reshape(self._cross.shape)
        aligned = np.mean((self._cross * phase).real, axis=0)
        fit: Float32Array = np.clip(aligned / (self._weight + 1e-9), 0.0, 1.0).astype(np.float32)
        return fit
