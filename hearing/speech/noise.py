"""How loud it is around the robot while nobody speaks: what `LombardStyle.from_noise` wants to know."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, Float32Array

_FRAME = SAMPLE_RATE // 10
_FLOOR = 1e-12


class NoiseLevel:
    """Streaming: the level of the noise, without that of speech.

    The lowest levels of the last seconds are the noise (Martin 2001, Noise power spectral density estimation based on
    optimal smoothing and minimum statistics, in its simplest form): people and the robot pause, machines do not. Levels
    are A-weighted (IEC 61672-1) and the median of all microphones.

    Parameters
    ----------
    seconds
        What is remembered.
    quantile
        Share of it that is below the noise.

    Examples
    --------
    >>> time = np.arange(32_000)[:, None] / SAMPLE_RATE
    >>> level = NoiseLevel().process(np.sin(2 * np.pi * 1000 * time).astype(np.float32))
    >>> level is not None and abs(level) < 0.1
    True
    """

    latency = 0.1

    def __init__(self, seconds: float = 6.0, quantile: float = 0.2) -> None:
        if not (seconds >= 0.1 and 0 <= quantile <= 1):
            raise InputError(f"noise of {seconds:g} s at quantile {quantile:g}: give 0.1 s or more, and 0 to 1")
        self._kept, self._quantile = round(seconds * 10), quantile
        self._sections = _a_weighting()
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._levels: deque[float] = deque(maxlen=self._kept)
        self._memory: NDArray[np.float64] | None = None
        self._pending: NDArray[np.float64] = np.zeros((0, 1))

    def process(self, samples: Float32Array) -> float | None:
        """Take the next samples.

        Parameters
        ----------
        samples
            Of shape (n_samples, n_microphones).

        Returns
        -------
        Level of the noise in dB(A) relative to a sine of full scale, or None before the first second.
        """
        if self._memory is None:
            self._memory = np.zeros((len(self._sections), 2, samples.shape[1]))
            self._pending = np.zeros((0, samples.shape[1]))
        weighted, self._memory = signal.sosfilt(self._sections, samples, axis=0, zi=self._memory)
        self._pending = np.concatenate([self._pending, weighted])
        whole = len(self._pending) // _FRAME * _FRAME
        frames, self._pending = self._pending[:whole].reshape(-1, _FRAME, samples.shape[1]), self._pending[whole:]
        power = np.median((frames**2).mean(axis=1), axis=1)
        self._levels.extend(10 * np.log10(2 * power + _FLOOR))
        return float(np.quantile(self._levels, self._quantile)) if len(self._levels) >= 10 else None


def _a_weighting() -> NDArray[np.float64]:
    """Return second-order sections of the weighting, 0 dB at 1 kHz; right within 1.5 dB up to 5 kHz."""
    low, second, third, high = (2 * np.pi * hertz for hertz in (20.598997, 107.65265, 737.86223, 12194.217))
    poles = [-low, -low, -second, -third, -high, -high]
    z, p, k = signal.bilinear_zpk([0.0] * 4, poles, 1.0, fs=SAMPLE_RATE)
    sections = signal.zpk2sos(z, p, k)
    _, response = signal.sosfreqz(sections, [1000.0], fs=SAMPLE_RATE)
    sections[0, :3] /= np.abs(response[0])
    return np.asarray(sections)
