"""Where the robot's own loudspeaker is heard: a track of kind `robot`, from the echo that was taken out.

What the echo canceller subtracts is the robot's voice as the microphones heard it, and nothing else: its steered
response shows the loudspeaker, so that nobody takes that direction for a talker's.
"""

from __future__ import annotations

import numpy as np

from hearing.features import Spectra
from hearing.localization import AveragedResponse, SteeredResponse
from hearing.stft import Stft
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
        self._averaged = AveragedResponse(response, self.MEMORY)
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._stft.reset()
        self._averaged.reset()
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
        self._averaged.add(spectra, np.ones_like(spectra.power))
        if peaks := self._averaged.peaks(self.MIN_POWER):
            self._direction = peaks[0].direction
