"""Bulk delay between playback and microphones, so that the echo canceller's filter is spent on the room.

Generalised cross-correlation with the smoothed coherence transform (Knapp & Carter, 1976, "The generalized correlation
method for estimation of time delay") over lags of many hops: every hop of lag is one smoothed cross-spectrum. The delay
moves in whole hops, for a filter of partitions then only has to shift them.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from hearing.echo_filter import PADDING, SILENCE, padded_spectrum, power
from hearing.stft import FRAME, HOP, N_BINS, ComplexArray
from hearing.types import Float32Array

MARGIN = HOP // 3
"""Samples that the filter keeps before the strongest path, should a weaker one be shorter."""
PERIOD = 4
"""Hops between two looks at the correlation."""
CONFIRMATIONS = (2, 5)
"""Looks in a row that must agree before a delay is believed at first, and before a known one moves."""
CLARITY = 10.0
"""How far the strongest path must stand above the root mean square of the correlation."""


class DelayEstimator:
    """Follow the delay in hops.

    Parameters
    ----------
    max_delay
        Longest delay that is looked for, in hops.
    memory
        Share of the last hop's correlation that is kept.
    """

    def __init__(self, max_delay: int, memory: float = 0.98) -> None:
        self._memory = memory
        self._cross: ComplexArray = np.zeros((max_delay + 1, N_BINS), np.complex64)
        self._powers: Float32Array = np.zeros((2, N_BINS), np.float32)
        self._hop = 0
        self._votes: tuple[int, int] = (0, 0)
        self.delay = 0
        """Hops of delay before the first partition."""
        self.known = False
        """Whether a delay has been found yet."""

    @property
    def gain(self) -> float:
        """Power gain from the playback to what of it the microphones hear.

        Noise adds to it, but 10 dB less than its power.
        """
        playback = self._powers[0] + SILENCE
        heard = PADDING**2 * np.sum(power(self._cross) / playback)
        return float(heard / np.sum(playback))

    def process(self, playback: ComplexArray, samples: Float32Array) -> int:
        """Hear one hop.

        Parameters
        ----------
        playback
            Spectra of the last two hops of playback, one row per hop of lag, of shape (max_delay + 1, N_BINS).
        samples
            Of one microphone or the mean of several, of shape (HOP,).

        Returns
        -------
        By how many hops the delay has just grown; mostly 0.
        """
        heard = padded_spectrum(samples)
        self._cross *= self._memory
        self._cross += (1 - self._memory) * playback.conj() * heard
        self._powers *= self._memory
        self._powers += (1 - self._memory) * np.stack([power(playback[0]), power(heard)])
        self._hop += 1
        return self._look() if self._hop % PERIOD == 0 else 0

    def _look(self) -> int:
        """Move the delay if the strongest path has been elsewhere several times."""
        coherence = self._cross / np.sqrt(self._powers[0] * self._powers[1] + 1e-20)
        correlation = np.abs(scipy.fft.irfft(coherence, FRAME, axis=-1)[:, :HOP]).ravel()
        lag = int(correlation.argmax())
        if correlation[lag] < CLARITY * np.sqrt(np.mean(correlation**2)):
            return 0
        within = lag - self.delay * HOP
        target = max(0, lag - MARGIN) // HOP
        # Twice the margin: a path on the border between two hops must not make the delay swing.
        if (self.delay == 0 or within >= MARGIN // 2) and within < HOP + 2 * MARGIN:
            target = self.delay
        candidate, count = self._votes
        self._votes = (target, count + 1 if target == candidate else 1)
        if self._votes[1] < CONFIRMATIONS[self.known]:
            return 0
        self.known = True
        grown, self.delay = target - self.delay, target
        return grown
