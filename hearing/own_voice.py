"""Where the robot's own loudspeaker is heard: a track of kind `robot`, from the echo that was taken out.

What the echo canceller subtracts is the robot's voice as the microphones heard it, and nothing else: its steered
response shows the loudspeaker, so that nobody takes that direction for a talker's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hearing.features import Spectra
from hearing.localization import SteeredResponse
from hearing.stft import FRAME_RATE, N_BINS, ComplexArray, Stft
from hearing.types import Direction, Float32Array, Track

TRACK_ID = 20_001


class OwnVoice:
    """Streaming localization of the robot's loudspeaker.

    Parameters
    ----------
    n_microphones
        Number of microphones.
    response
        Steered response of the array.
    """

    latency = 0.0
    MEMORY = 0.5
    AUDIBLE = 1e-4
    """Root mean square from which an echo is looked at."""
    MIN_POWER = 0.1

    def __init__(self, n_microphones: int, response: SteeredResponse) -> None:
        self._stft = Stft(n_microphones)
        self._response = response
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._stft.reset()
        self._cross: ComplexArray | None = None
        self._weight: NDArray[np.float64] = np.zeros(len(self._response.bins))
        self._direction: Direction | None = None

    def process(self, echo: Float32Array, time: float) -> tuple[Track, ...]:
        """Look at the next stretch of echo.

        Parameters
        ----------
        echo
            What was subtracted from the microphones, of shape (n_hops * HOP, n_microphones).
        time
            Stream time at its end in seconds.

        Returns
        -------
        The loudspeaker as a track once it was heard, active while it sounds.
        """
        frames = self._stft.process(echo)
        audible = float(np.sqrt(np.mean(np.square(echo)))) > self.AUDIBLE
        if audible:
            self._look(Spectra.of(frames))
        if self._direction is None:
            return ()
        return (Track(TRACK_ID, time, self._direction, float(audible), kind="robot"),)

    def _look(self, spectra: Spectra) -> None:
        share = np.ones((len(spectra.power), N_BINS), np.float32)[:, self._response.bins]
        keep = np.float32(np.exp(-len(share) / (self.MEMORY * FRAME_RATE)))
        cross = (1 - keep) / len(share) * self._response.cross_spectra(spectra, share)
        self._cross = cross if self._cross is None else keep * self._cross + cross
        self._weight = keep * self._weight + (1 - keep)
        peaks = self._response.peaks(self._cross, self._weight, self.MIN_POWER)
        if peaks:
            self._direction = peaks[0].direction
