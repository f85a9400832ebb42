"""The adaptive filter of the echo canceller: a Kalman filter whose state is the echo path, cut into partitions.

The echo path is a Gauss-Markov process in the frequency domain, whatever else the microphones hear its observation
noise (Enzner & Vary, 2006, "Frequency-domain adaptive Kalman filter for acoustic echo control in hands-free
telephones"). Step size and double-talk control are not heuristics then, they are the Kalman gain. Long paths are cut
into partitions of one hop (Kuech, Mabande & Enzner, 2014, "State-space architecture of the partitioned-block-based
acoustic echo controller"). Filtering is by overlap-save: spectra are those of the last two hops, and the second half of
what they give is valid.

All microphones share one state uncertainty and one gain, since they sit within decimetres of each other: that makes the
estimate of the observation noise steadier, and the filter cheap.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from hearing.stft import FRAME, HOP, N_BINS, ComplexArray
from hearing.types import Float32Array

PADDING = FRAME / HOP
"""M/R of Kuech et al. (2014): a frame over the part of it that a zero-padded block of errors fills."""
TURNS = 4
"""Hops after which it is a partition's turn again to age and to be cut to its length in time."""
SILENCE = 1e-12
"""Power per bin that is always assumed as noise, about -120 dB of full scale: it keeps quotients finite."""

RADIANS: NDArray[np.float64] = np.pi * np.arange(N_BINS) / (N_BINS - 1)
"""Frequency of each bin in radians per sample, of shape (N_BINS,)."""


def power(spectra: ComplexArray) -> Float32Array:
    """Return squared magnitudes."""
    return spectra.real**2 + spectra.imag**2


def padded_spectrum(block: Float32Array) -> ComplexArray:
    """Transform blocks of one hop with a hop of zeros before them, as overlap-save needs it.

    Parameters
    ----------
    block
        Of shape (..., HOP).

    Returns
    -------
    Of shape (..., N_BINS).
    """
    frame = np.zeros((*block.shape[:-1], FRAME), np.float32)
    frame[..., HOP:] = block
    spectrum: ComplexArray = scipy.fft.rfft(frame, axis=-1)
    return spectrum


class PartitionedKalmanFilter:
    """Learn the echo paths from partitions of playback to all microphones.

    Parameters
    ----------
    profile
        Share of each partition in the power gain that is expected, of shape (n_partitions,). Partitions of several
        playback channels just follow on each other.
    n_microphones
        Number of microphones.
    forgetting
        Factor A of the Gauss-Markov process per hop: the closer to 1, the steadier the path is believed to be.
    noise_memory
        Share of the last hop's observation noise that is kept.
    wandering
        False: every partition is believed to change in proportion to its own power, so that the direct sound, which
        hardly changes, takes most of the uncertainty. True: in proportion to the profile, as reverberation does when
        the robot moves; quick to follow, but more easily led astray.
    """

    def __init__(
        self,
        profile: Float32Array,
        n_microphones: int,
        forgetting: float,
        noise_memory: float = 0.8,
        wandering: bool = False,
    ) -> None:
        self._profile = profile[:, None]
        self._forgetting = forgetting
        self._noise_memory = noise_memory
        self._wandering = wandering
        self.path: ComplexArray = np.zeros((n_microphones, len(profile), N_BINS), np.complex64)
        """Transfer functions of the partitions, of shape (n_microphones, n_partitions, N_BINS)."""
        self.uncertainty: Float32Array = np.zeros((len(profile), N_BINS), np.float32)
        """Variance of their errors, of shape (n_partitions, N_BINS)."""
        self.drift = 0.0
        """Samples by which the paths grow longer with every call of `learn`, because clocks differ."""
        self._noise: Float32Array = np.zeros(N_BINS, np.float32)
        self._hop = 0

    def echo(self, playback: ComplexArray) -> Float32Array:
        """Estimate the echo in the newest hop.

        Parameters
        ----------
        playback
            Spectra of the playback that each partition sees, of shape (n_partitions, N_BINS).

        Returns
        -------
        Of shape (n_microphones, HOP).
        """
        spectrum = np.einsum("pf,mpf->mf", playback, self.path)
        echo: Float32Array = scipy.fft.irfft(spectrum, FRAME, axis=-1)[:, HOP:]
        return echo

    def learn(self, playback: ComplexArray, playback_power: Float32Array, error: Float32Array) -> Float32Array:
        """Correct the paths by what they left over, and predict the next hop.

        Gain, correction and prediction are those of Kuech et al. (2014) for a diagonal state covariance; their
        observation noise is the smoothed power of the error itself, which contains the near end.

        Parameters
        ----------
        playback, playback_power
            As for `echo`, and its squared magnitudes.
        error
            What the microphones heard beyond that echo, of shape (n_microphones, HOP).

        Returns
        -------
        Power of echo that the estimate was expected to miss, per bin of a windowed frame, of shape (N_BINS,).
        """
        spectrum = padded_spectrum(error)
        memory = self._noise_memory
        self._noise = memory * self._noise + (1 - memory) / len(error) * power(spectrum).sum(axis=0)
        innovation: Float32Array = np.einsum("pf,pf->f", self.uncertainty, playback_power)
        gain = self.uncertainty / (innovation + PADDING * self._noise + SILENCE)
        self.path += (gain * playback.conj()) * spectrum[:, None]
        self.uncertainty *= 1 - gain * playback_power / PADDING
        self._predict()
        return innovation / PADDING

    def doubt(self, gain: float) -> None:
        """Expect the paths to be wrong by a power gain, spread over the partitions by the profile."""
        self.uncertainty = np.maximum(self.uncertainty, np.float32(gain) * self._profile)

    def restart(self) -> None:
        """Forget the paths, and learn nothing until there is doubt again."""
        self.path[:] = 0
        self.uncertainty[:] = 0

    def shift(self, rows: int) -> None:
        """Move the paths to earlier rows, or to later ones if negative."""
        n = len(self._profile)
        kept = np.arange(n) + rows
        inside = ((kept >= 0) & (kept < n))[:, None]
        kept = kept.clip(0, n - 1)
        self.path = np.where(inside, self.path[:, kept], 0)
        self.uncertainty = np.where(inside, self.uncertainty[kept], 0)

    def _predict(self) -> None:
        """Let the paths age, and cut their partitions to one hop in time; a part of them each hop is enough."""
        rows = slice(self._hop % TURNS, None, TURNS)
        self._hop += 1
        kept = self._forgetting**TURNS
        longer = np.exp(-1j * self.drift * TURNS * RADIANS).astype(np.complex64)
        response = scipy.fft.irfft(kept * longer * self.path[:, rows], FRAME, axis=-1)
        response[..., HOP:] = 0
        self.path[:, rows] = scipy.fft.rfft(response, axis=-1)
        if self._wandering:
            change = self._profile[rows] * power(self.path).sum(axis=(0, 1))
        else:
            change = power(self.path[:, rows]).sum(axis=0)
        change *= (1 - kept**2) / len(self.path)
        self.uncertainty[rows] = kept**2 * self.uncertainty[rows] + change
