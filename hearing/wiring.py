"""Which channels are wired wrongly: polarity inverted, or exchanged with another one against the array file.

Both show in the phases between the channels. While a pair is less than a quarter of a wavelength apart, the real part
of its coherence is positive in every sound field, from one plane wave to a diffuse one: where it is negative, one of
the two is inverted. Two exchanged channels make sound from most directions fit the geometry worse than if they were
exchanged back. The fit is the maximum of the steered response power with phase transform (DiBiase, 2000, eq. 6.33).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearing.arrays import SPEED_OF_SOUND, MicrophoneArray
from hearing.bin_weighting import BinWeighting
from hearing.direction_grid import DirectionGrid
from hearing.stft import FREQUENCIES, ComplexArray
from hearing.types import Float32Array

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WiringConfig:
    """How to judge the wiring.

    Attributes
    ----------
    min_frequency, max_frequency
        Band in Hz.
    n_directions
        Points on the full sphere: 500 are 9 degrees apart.
    min_share
        Share of the band that must be direct sound for a stretch of the stream to count.
    min_coherence
        Mean real part of a channel's coherence with its neighbours from which its polarity is judged.
    gain
        Steered response power by which exchanged channels must fit better for a stretch to count.
    evidence
        Sum of what exceeds `gain` from which one direction speaks for the exchange.
    apart
        Radians between two directions that must both speak for it.
    """

    min_frequency: float = 200.0
    max_frequency: float = 4000.0
    n_directions: int = 500
    min_share: float = 0.05
    min_coherence: float = 0.15
    gain: float = 0.02
    evidence: float = 0.05
    apart: float = np.deg2rad(40.0)


class CrossSpectra:
    """Cross-spectra of all channels with phase transform, averaged over a stretch of the stream.

    Parameters
    ----------
    config
        The band.

    Attributes
    ----------
    frequencies
        Of the bins in Hz, of shape (n_bins,).
    """

    ALL_BELOW = 800.0
    STEP = 4

    def __init__(self, config: WiringConfig) -> None:
        band = np.flatnonzero((config.min_frequency <= FREQUENCIES) & (config.max_frequency >= FREQUENCIES))
        # Polarity shows in few low bins, which all count; of the many others every second one will do.
        low = FREQUENCIES[band] < self.ALL_BELOW
        self._bins = np.concatenate([band[low], band[~low][::2]])
        self.frequencies = FREQUENCIES[self._bins]
        self._weighting = BinWeighting(len(self._bins))

    def reset(self) -> None:
        """Start a new stream."""
        self._weighting.reset()

    def process(self, frames: ComplexArray) -> tuple[ComplexArray, ComplexArray, FloatArray]:
        """Average frames of shape (n_frames, N_BINS, n_microphones), a multiple of `STEP`.

        Returns
        -------
        The cross-spectra of all that sounds, of shape (n_bins, n_microphones, n_microphones); the same weighted with
        the share of direct sound; and that share, of shape (n_bins,).
        """
        band = frames[:, self._bins].transpose(1, 2, 0)
        magnitude = np.abs(band)
        # The median, so that one broken channel does not decide what is loud.
        power = np.sort(magnitude, axis=1)[:, band.shape[1] // 2].astype(np.float64).T ** 2
        shares = [self._weighting.process(power[i : i + self.STEP]) for i in range(0, len(power), self.STEP)]
        share = np.repeat(np.array(shares, np.float32), self.STEP, axis=0).T / np.float32(len(frames))
        phases = band / (magnitude + np.float32(1e-12))
        adjoint = phases.conj().transpose(0, 2, 1)
        everything = phases @ adjoint / np.float32(len(frames))
        return everything, (phases * share[:, None]) @ adjoint, np.mean(shares, axis=0)


class PolarityTest:
    """Tells inverted channels from the sign of the coherence at low frequencies.

    Parameters
    ----------
    array
        The microphones. Pairs so far apart that the band has no low frequencies for them are left out.
    frequencies
        Of the cross-spectra in Hz, of shape (n_bins,).
    config
        How to judge.
    """

    WAVELENGTHS = 1 / 6
    """Up to which distance of a pair its coherence is taken to be positive: a quarter, less what a head delays."""

    def __init__(self, array: MicrophoneArray, frequencies: FloatArray, config: WiringConfig) -> None:
        distance = _distances(array.positions)
        limit = self.WAVELENGTHS * SPEED_OF_SOUND / np.where(distance > 0, distance, np.inf)
        low = (frequencies[:, None, None] < limit) & (distance > 0)
        self._mean = (low / np.maximum(low.sum(axis=0), 1)).astype(np.float32)
        self._neighbours = np.maximum(low.any(axis=0).sum(axis=1), 1)
        self._min_coherence = config.min_coherence

    def judge(self, cross: ComplexArray) -> NDArray[np.int8]:
        """Judge a stretch by its cross-spectra of shape (n_bins, n_microphones, n_microphones), noise and all.

        Returns
        -------
        1 where a channel is inverted against most of the others, -1 where it is not, 0 where that cannot be told; of
        shape (n_microphones,).
        """
        coherence = np.einsum("fij,fij->ij", cross.real, self._mean)
        # The signs that make most of the coherence positive are those of the leading eigenvector.
        leading = np.linalg.eigh(coherence)[1][:, -1]
        sign = np.sign(np.where(np.abs(leading) > 1e-6, leading, 0.0))
        balance = float(sign.sum()) or float(sign[0])
        sign *= -1.0 if balance < 0 else 1.0
        support = sign * (coherence @ sign) / self._neighbours
        return np.where(support > self._min_coherence, -sign, 0).astype(np.int8)


class ExchangeTest:
    """Tells which two channels are exchanged, from how sound of several directions fits the geometry.

    Parameters
    ----------
    array
        The microphones. Exchanges that make the array's mirror image cannot be heard and are left out, such as that of
        two opposite ones of a square.
    frequencies
        Of the cross-spectra in Hz, of shape (n_bins,).
    config
        How to judge.
    """

    MAX_ELEVATION = np.deg2rad(70.0)
    ENERGY_KEPT = 0.99
    N_CELLS = 40
    LIMIT = 10.0
    LEAD = 1.3
    """By how much the evidence for an exchange must exceed that for every other: half of its channels explain half."""

    def __init__(self, array: MicrophoneArray, frequencies: FloatArray, config: WiringConfig) -> None:
        self._config = config
        self._first, self._second = np.triu_indices(array.n_microphones, k=1)
        self._grid = DirectionGrid(array, config.n_directions, self.MAX_ELEVATION).directions
        self._orders, self.candidates = self._hypotheses(array.positions)
        self._spread, self._project = self._factor(array, 2 * np.pi * frequencies)
        cells = DirectionGrid(array, self.N_CELLS, self.MAX_ELEVATION).directions
        self._cells = cells if len(array.axes) > 1 else cells[:: len(cells) // 10]
        self._cell_of = np.argmax(self._grid @ self._cells.T, axis=1)
        self._apart = self._cells @ self._cells.T < np.cos(config.apart)
        self.reset()

    def reset(self) -> None:
        """Forget all evidence."""
        self._evidence: FloatArray = np.zeros((len(self.candidates), len(self._cells)))

    @staticmethod
    def _hypotheses(positions: FloatArray) -> tuple[NDArray[np.intp], tuple[tuple[tuple[int, int], ...], ...]]:
        """Orders of channels to try, (1 + n_candidates, n_microphones), the given one first; and what each exchanges.

        Exchanges that cannot be told from each other, because they leave mirror images, are one candidate.
        """
        identity = np.arange(len(positions))
        orders, shapes, exchanges = [identity], [_distances(positions)], [[(0, 0)]]
        for first, second in zip(*np.triu_indices(len(positions), k=1), strict=True):
            order = identity.copy()
            order[[first, second]] = second, first
            shape = _distances(positions[order])
            same = [k for k, known in enumerate(shapes) if np.abs(shape - known).max() < 2e-3]
            if same:
                exchanges[same[0]].append((int(first), int(second)))
            else:
                orders.append(order)
                shapes.append(shape)
                exchanges.append([(int(first), int(second))])
        return np.array(orders), tuple(map(tuple, exchanges[1:]))

    def _factor(self, array: MicrophoneArray, omega: FloatArray) -> tuple[Float32Array, Float32Array]:
        """Low-rank factors of the steering matrix, as in `localization.SrpPhat`."""
        delays = array.delays(self._grid)
        difference = delays[:, self._first] - delays[:, self._second]
        phase = np.exp(1j * omega[:, None] * difference[:, None]).reshape(len(delays), -1)
        steering = np.concatenate([phase.real, -phase.imag], axis=1).astype(np.float32)
        energy, basis = np.linalg.eigh((steering @ steering.T).astype(np.float64))
        rank = int(np.searchsorted(np.cumsum(energy[::-1]) / energy.sum(), self.ENERGY_KEPT)) + 1
        spread = np.ascontiguousarray(basis[:, : -rank - 1 : -1], dtype=np.float32)
        return spread, np.ascontiguousarray(spread.T @ steering)

    def judge(self, direct: ComplexArray, share: FloatArray) -> NDArray[np.int8]:
        """Judge a stretch by its cross-spectra of shape (n_bins, n_microphones, n_microphones).

        Returns
        -------
        For each candidate 1 if this stretch and sound of another direction before speak for the exchange, -1 if this
        stretch speaks against it, 0 otherwise; of shape (n_candidates,). At most one is 1.
        """
        fit, direction = self._fit(direct, share)
        better = fit[1:] - fit[0]
        config, rows = self._config, np.arange(len(better))
        cell = self._cell_of[direction[1:]]
        grown = self._evidence[rows, cell] + better - config.gain
        self._evidence[rows, cell] = np.clip(grown, 0.0, self.LIMIT * config.evidence)
        verdict = np.where(better < -config.gain, -1, 0).astype(np.int8)
        if len(better):
            total = self._evidence.sum(axis=1)
            best = int(np.argmax(total))
            clear = (self.LEAD * np.delete(total, best) < total[best]).all()
            spoken = self._evidence[best] >= config.evidence
            if clear and self._apart[np.ix_(spoken, spoken)].any() and better[best] > config.gain:
                verdict[best] = 1
        return verdict

    def _fit(self, direct: ComplexArray, share: FloatArray) -> tuple[Float32Array, NDArray[np.intp]]:
        """Maximum over directions of the steered response power for every order of the channels, and where it is."""
        # Of shape (n_bins, n_pairs, n_orders).
        cross = direct[:, self._orders[:, self._first].T, self._orders[:, self._second].T]
        stacked = np.concatenate([cross.real, cross.imag]).reshape(-1, len(self._orders))
        response = self._spread @ (self._project @ stacked)
        scale = np.float32(len(self._first) * max(float(share.sum()), 1e-9))
        return response.max(axis=0) / scale, response.argmax(axis=0)

    def forget(self, candidate: int) -> None:
        """Drop the evidence for a candidate, once it has been found right again."""
        self._evidence[candidate] = 0.0


def _distances(positions: FloatArray) -> FloatArray:
    distances: FloatArray = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    return distances
