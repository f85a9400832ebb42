"""Which bins carry direct sound, judged without a network by how they stand out in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hearing.stft import FRAME_RATE


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
