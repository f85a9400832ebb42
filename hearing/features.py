"""What the front end's networks look at: levels, coherence and directions, for any array.

Nothing here depends on how many microphones there are or where: everything between microphones is pooled over pairs
and compared with what a wave from the direction in question would give (angle features; Chen et al., 2018,
Multi-channel overlapped speech recognition with location guided speech extraction network, eq. 5). Bins above 3 kHz
are joined into bands, since masks need no finer resolution there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from hearing.arrays import MicrophoneArray
from hearing.steering import diffuse_coherence, steering_vectors
from hearing.stft import FRAME_RATE, N_BINS, ComplexArray
from hearing.types import Float32Array

N_SINGLE = 96
"""Bins from 0 to 3 kHz that stay single."""
N_BANDS = 129
"""Bands that the networks see: single bins, then groups of bins up to 8 kHz."""
BAND_STARTS: NDArray[np.intp] = np.concatenate(
    [np.arange(N_SINGLE), np.linspace(N_SINGLE, N_BINS, N_BANDS - N_SINGLE + 1)[:-1].round().astype(np.intp)]
)
"""First bin of each band, of shape (N_BANDS,)."""
_BAND_SIZES: Float32Array = np.diff(np.append(BAND_STARTS, N_BINS)).astype(np.float32)
_BAND_OF_BIN = np.repeat(np.arange(N_BANDS), _BAND_SIZES.astype(np.intp))

LEVEL_MEMORY = 2.0
"""Time constant in seconds of the level that others are compared with."""
COHERENCE_MEMORY = 0.06
"""Time constant in seconds over which microphones must agree to be coherent."""
SPARSE_LOADING = 0.03
"""Share of uncorrelated noise for which the superdirective beams are designed."""
_QUIETEST = 1e-10


def to_bands(values: Float32Array) -> Float32Array:
    """Average bins (..., N_BINS) in bands (..., N_BANDS)."""
    bands: Float32Array = np.add.reduceat(values, BAND_STARTS, axis=-1) / _BAND_SIZES
    return bands


def to_bins(bands: Float32Array) -> Float32Array:
    """Give every bin (..., N_BINS) the value of its band (..., N_BANDS)."""
    return bands[..., _BAND_OF_BIN]


@dataclass(frozen=True, slots=True, eq=False)
class Spectra:
    """A stretch of frames as all stages after the transform see it.

    Attributes
    ----------
    frames
        Short-time spectra of shape (n_frames, N_BINS, n_mics).
    power
        Mean over the microphones, of shape (n_frames, N_BINS).
    phases
        Cross-spectra of all pairs without their magnitude, of shape (N_BINS, n_frames, n_pairs).
    usable
        Which microphones work, of shape (n_mics,).
    """

    frames: ComplexArray
    power: Float32Array
    phases: ComplexArray
    usable: NDArray[np.bool_]

    @classmethod
    def of(cls, frames: ComplexArray, usable: NDArray[np.bool_] | None = None) -> Spectra:
        """Compute powers and phases; pairs with a microphone that does not work have zero phases."""
        usable = np.ones(frames.shape[2], bool) if usable is None else usable
        powers = np.square(frames.real) + np.square(frames.imag)
        power = powers @ (usable / max(usable.sum(), 1)).astype(np.float32)
        scale = usable.astype(np.float32) / np.sqrt(powers + np.float32(1e-20))
        unit = np.ascontiguousarray((frames * scale).transpose(1, 0, 2))
        first, second = np.triu_indices(frames.shape[2], k=1)
        phases = unit[..., first] * unit[..., second].conj()
        return cls(frames, power, phases, usable)

    @classmethod
    def joined(cls, stretches: Sequence[Spectra]) -> Spectra:
        """Join stretches that follow on each other; microphones that broke meanwhile do not count in any."""
        return cls(
            np.concatenate([stretch.frames for stretch in stretches]),
            np.concatenate([stretch.power for stretch in stretches]),
            np.concatenate([stretch.phases for stretch in stretches], axis=1),
            np.logical_and.reduce([stretch.usable for stretch in stretches]),
        )

    @property
    def n_pairs(self) -> int:
        """Number of pairs of microphones that work."""
        n = int(self.usable.sum())
        return max(n * (n - 1) // 2, 1)


class SceneFeatures:
    """What the networks see of the scene as a whole: level and coherence per band. Streaming, whatever the gain."""

    N_FEATURES = 2

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._level: NDArray[np.float64] = np.zeros((1, 2))
        self._coherence: ComplexArray | None = None

    def process(self, spectra: Spectra) -> Float32Array:
        """Look at the next frames.

        Returns
        -------
        Of shape (N_FEATURES, n_frames, N_BANDS): level in bels over the mean level of the last seconds, and coherence
        in [0, 1].
        """
        level = np.log10(to_bands(spectra.power) + _QUIETEST)
        keep = np.exp(-1 / (LEVEL_MEMORY * FRAME_RATE))
        # The second column is the weight of what has been heard so far: the mean is unbiased from the first frame.
        seen = np.stack([level.mean(axis=-1), np.ones(len(level))], axis=1)
        means, self._level = lfilter([1 - keep], [1, -keep], seen, axis=0, zi=self._level)
        relative = level - (means[:, 0] / means[:, 1])[:, None]
        features = np.stack([np.clip(relative, -3, 3), 2 * self._coherent(spectra) - 1])
        return np.asarray(features, np.float32)

    def _coherent(self, spectra: Spectra) -> Float32Array:
        """Share of every band that comes from one place, of shape (n_frames, N_BANDS)."""
        keep = np.exp(-1 / (COHERENCE_MEMORY * FRAME_RATE))
        if self._coherence is None:
            self._coherence = (keep * spectra.phases[:, :1]).astype(np.complex64)
        smooth, self._coherence = lfilter(
            np.array([1 - keep], np.complex64), np.array([1, -keep], np.complex64), spectra.phases, axis=1,
            zi=self._coherence,
        )  # fmt: skip
        return to_bands((np.abs(smooth).sum(axis=2) / spectra.n_pairs).T)


class DirectionFeatures:
    """What the networks see of one direction: how well phases fit, and what a beam lets through. Without memory.

    Parameters
    ----------
    array
        The microphones.
    """

    def __init__(self, array: MicrophoneArray) -> None:
        self._array = array
        self._first, self._second = np.triu_indices(array.n_microphones, k=1)
        coherence = diffuse_coherence(array) + SPARSE_LOADING * np.eye(array.n_microphones)
        self._whiten = np.linalg.inv(coherence).astype(np.complex64)

    def process(self, spectra: Spectra, directions: NDArray[np.float64]) -> Float32Array:
        """Compare frames with directions.

        Parameters
        ----------
        spectra
            The frames.
        directions
            Unit vectors of shape (n_directions, 3), or (n_directions, n_frames, 3) for directions that move.

        Returns
        -------
        Of shape (n_directions, 2, n_frames, N_BANDS): mean cosine of the phase errors over all pairs, and level of a
        superdirective beam over that of the microphones in bels.
        """
        steering = steering_vectors(self._array, directions)
        moving = steering.ndim == 4
        expected = steering[..., self._first] * steering[..., self._second].conj()
        beams = self._beams(steering)
        if moving:
            angle = np.einsum("ftp,ktfp->ktf", spectra.phases, expected.conj(), optimize=True).real
            beamed = np.einsum("tfm,ktfm->ktf", spectra.frames, beams.conj(), optimize=True)
        else:
            angle = np.matmul(spectra.phases, expected.conj().transpose(1, 2, 0)).real.transpose(2, 1, 0)
            beamed = np.matmul(spectra.frames.transpose(1, 0, 2), beams.conj().transpose(1, 2, 0)).transpose(2, 1, 0)
        passed = to_bands(np.square(np.abs(beamed))) + _QUIETEST
        ratio = np.log10(passed / (to_bands(spectra.power) + _QUIETEST))
        features = np.stack([to_bands(angle / spectra.n_pairs), np.clip(ratio, -3, 1)], axis=1)
        return np.asarray(features, np.float32)

    def _beams(self, steering: ComplexArray) -> ComplexArray:
        """Weights of superdirective beams, of the shape of the steering vectors."""
        weights = np.matmul(self._whiten, steering[..., None])[..., 0]
        gain = np.sum(steering.conj() * weights, axis=-1, keepdims=True)
        beams: ComplexArray = (weights / gain).astype(np.complex64)
        return beams
