"""Where sound comes from: steered response power with phase transform, SRP-PHAT.

The response is steered over a grid of directions by one matrix-vector product on the cross-spectra of all microphone
pairs. The matrix has low rank, since a small array resolves few directions, and is applied in factored form: SVD-PHAT
(Grondin and Glass, 2019, arXiv:1811.11785, eq. 8-12). Bins count by how much of their power is direct sound of speech,
so that the loudest machine does not win over a talker. Several sources are found one after the other; each takes the
bins that fit it, because speech is sparse (Yilmaz and Rickard, 2004).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearing.arrays import SPEED_OF_SOUND, MicrophoneArray
from hearing.direction_grid import DirectionGrid
from hearing.features import Spectra
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
    distance
        Metres from which wave fronts are taken to come: their curvature matters to large arrays.
    energy_kept
        Share of the steering matrix' energy that the low-rank factors keep.
    max_sources
        Peaks looked for in each block.
    min_power
        Peaks below are not reported.
    min_share
        Share of the band that must count for a peak's power to be more than half of what it would be.
    smoothing
        Time constant in seconds of the cross-spectra.
    purity
        Power to which the share of what is looked for counts.
    likelihood
        Bias, and weights of the logarithms of power and of share of the band, of the log-odds that somebody talks
        within 10 degrees of a peak.
    """

    min_frequency: float = 250.0
    max_frequency: float = 6000.0
    n_directions: int = 1500
    max_elevation: float = np.deg2rad(70.0)
    distance: float = 1.5
    energy_kept: float = 0.9995
    max_sources: int = 3
    min_power: float = 0.06
    min_share: float = 0.02
    smoothing: float = 0.08
    purity: float = 3.0
    likelihood: tuple[float, float, float] = (1.71, 2.78, -1.21)


class SteeredResponse:
    """The steered response of an array: where the maxima of cross-spectra are. Without memory.

    Parameters
    ----------
    array
        The microphones.
    config
        How to localize.
    """

    NEWTON_STEPS = 4

    def __init__(self, array: MicrophoneArray, config: LocalizationConfig | None = None) -> None:
        self.config = config or LocalizationConfig()
        self.grid = DirectionGrid(array, self.config.n_directions, self.config.max_elevation)
        self.bins = np.flatnonzero(
            (self.config.min_frequency <= FREQUENCIES) & (self.config.max_frequency >= FREQUENCIES)
        )
        self._omega = 2 * np.pi * FREQUENCIES[self.bins]
        self._first, self._second = np.triu_indices(array.n_microphones, k=1)
        self.n_pairs = len(self._first)
        self._array = array
        # Seconds by which a pair's delay grows per unit of direction vector, of shape (n_pairs, 3).
        self._pair_gradient = -(array.positions[self._first] - array.positions[self._second]) / SPEED_OF_SOUND
        self._spread, self._project = self._factor()

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
        delays = self._array.delays(directions, self.config.distance)
        difference = delays[:, self._first] - delays[:, self._second]
        phase = np.exp(1j * difference[:, :, None] * self._omega)
        return phase.reshape(len(directions), -1).astype(np.complex64)

    def cross_spectra(self, spectra: Spectra, weight: Float32Array) -> ComplexArray:
        """Sum of the phases of the frames, weighted by weights of shape (n_frames, n_bins): shape (n_pairs, n_bins)."""
        phases = spectra.phases[self.bins].transpose(0, 2, 1)
        cross = np.matmul(phases, weight.T.astype(np.float32)[:, :, None])[..., 0].T
        # Pairs of broken microphones are zero; the others stand for them.
        scaled: ComplexArray = cross * np.float32(len(self._first) / spectra.n_pairs)
        return scaled

    def peaks(self, cross: ComplexArray, weight: NDArray[np.float64], min_power: float) -> tuple[Peak, ...]:
        """Find the sources.

        Parameters
        ----------
        cross, weight
            Cross-spectra of shape (n_pairs, n_bins), and how much each bin counts in them, of shape (n_bins,).
        min_power
            Peaks below are not reported.

        Returns
        -------
        Peaks, strongest first.
        """
        # A few bins agree on some direction by chance: they must be a share of the band to count in full.
        remaining = cross / (len(self._first) * (weight.sum() + self.config.min_share * len(self.bins)))
        peaks: list[Peak] = []
        for _ in range(self.config.max_sources):
            stacked = np.concatenate([remaining.real.ravel(), remaining.imag.ravel()])
            response = self._spread @ (self._project @ stacked)
            maxima = self.grid.local_maxima(response)
            for known in peaks:
                maxima &= ~self.grid.beside(known.direction)
            best = int(np.argmax(np.where(maxima, response, -1.0)))
            if not maxima[best] or response[best] < min_power:
                break
            direction = self._climb(self.grid.directions[best], remaining)
            power = float(np.clip(response[best], 0.0, 1.0))
            peaks.append(Peak(direction, power, self._likelihood(power, float(weight.mean()))))
            remaining = remaining * (1 - self._fit(direction, cross, weight))
        # What one source masked may turn out stronger once that source is taken away.
        return tuple(sorted(peaks, key=lambda peak: -peak.power))

    def _likelihood(self, power: float, counting: float) -> float:
        """Probability that somebody talks there, by logistic regression."""
        bias, of_power, of_share = self.config.likelihood
        log_odds = bias + of_power * np.log(power) + of_share * np.log(counting + 1e-3)
        return float(1 / (1 + np.exp(-log_odds)))

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

    def _fit(self, direction: Direction, cross: ComplexArray, weight: NDArray[np.float64]) -> Float32Array:
        """How well each bin's phases fit a direction, in [0, 1], of shape (n_bins,)."""
        phase = self._steering(direction.vector[None]).reshape(cross.shape)
        aligned = np.mean((cross * phase).real, axis=0)
        fit: Float32Array = np.clip(aligned / (weight + 1e-9), 0.0, 1.0).astype(np.float32)
        return fit


class AveragedResponse:
    """Steered response of the last moments: cross-spectra and their weights, exponentially averaged.

    Parameters
    ----------
    response
        Steered response of the array.
    memory
        Time constant in seconds.
    """

    def __init__(self, response: SteeredResponse, memory: float) -> None:
        self._response = response
        self._memory = memory
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._cross: ComplexArray = np.zeros((self._response.n_pairs, len(self._response.bins)), np.complex64)
        self._weight: NDArray[np.float64] = np.zeros(len(self._response.bins))

    @property
    def counting(self) -> float:
        """Share of the band that counts now."""
        return float(self._weight.mean())

    def add(self, spectra: Spectra, share: Float32Array, faded: float = 1.0) -> None:
        """Average in the next frames.

        Parameters
        ----------
        spectra
            The frames.
        share
            How much each bin counts, of shape (n_frames, N_BINS).
        faded
            Factor by which what is old counts less besides.
        """
        weight = share[:, self._response.bins]
        keep = np.float32(faded * np.exp(-len(weight) / (self._memory * FRAME_RATE)))
        cross = self._response.cross_spectra(spectra, weight) / np.float32(len(weight))
        self._cross = keep * self._cross + (1 - keep) * cross
        self._weight = keep * self._weight + (1 - keep) * weight.mean(axis=0)

    def peaks(self, min_power: float) -> tuple[Peak, ...]:
        """Find the sources, strongest first; peaks below `min_power` are not reported."""
        return self._response.peaks(self._cross, self._weight, min_power)


class SrpPhat:
    """Streaming multi-source localization.

    Parameters
    ----------
    response
        Steered response of the array.
    """

    latency = 0.0

    def __init__(self, response: SteeredResponse) -> None:
        self._config = response.config
        self._averaged = AveragedResponse(response, self._config.smoothing)

    @property
    def counting(self) -> float:
        """Share of the band that counts now."""
        return self._averaged.counting

    def reset(self) -> None:
        """Start a new stream."""
        self._averaged.reset()

    def process(self, spectra: Spectra, share: Float32Array) -> tuple[Peak, ...]:
        """Localize what sounds in the next frames.

        Parameters
        ----------
        spectra
            The frames.
        share
            Share of each bin's power that is direct sound of what is looked for, in [0, 1], of shape
            (n_frames, N_BINS).

        Returns
        -------
        Peaks, strongest first.
        """
        # To a power, for bins that are nearly pure to count: they are where the phases are right.
        self._averaged.add(spectra, share**self._config.purity)
        return self._averaged.peaks(self._config.min_power)
