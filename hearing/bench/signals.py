"""How much of a signal is what it should be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from hearing.stft import FRAME
from hearing.types import Float32Array

_FINER = 8
"""Parts of a sample to which signals are aligned: half a sample would cost all above 10 dB."""


def si_sdr(reference: Float32Array | NDArray[np.float64], estimate: Float32Array | NDArray[np.float64]) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al., 2019, SDR - half-baked or well done?, eq. 4).

    >>> round(si_sdr(np.array([1.0, 0.0, -1.0, 0.0]), np.array([3.0, 0.3, -3.0, -0.3])), 6)
    20.0
    """
    reference, estimate = np.asarray(reference, np.float64), np.asarray(estimate, np.float64)
    target = (estimate @ reference) / (reference @ reference) * reference
    distortion = estimate - target
    tiny = np.finfo(np.float64).tiny
    return float(10 * np.log10((target @ target + tiny) / (distortion @ distortion + tiny)))


def aligned(reference: Float32Array, estimate: Float32Array, limit: int = FRAME) -> NDArray[np.float64]:
    """Shift an estimate to where it is most like a reference, by `limit` samples at most and by parts of a sample.

    The beams' phase reference is the middle of the array, not the microphone that the reference is heard with.
    """
    n = fft.next_fast_len(len(reference) + limit, real=True)
    spectrum = fft.rfft(estimate.astype(np.float64), n)
    likeness = fft.irfft(fft.rfft(reference.astype(np.float64), n) * spectrum.conj(), n * _FINER)
    lags = np.arange(-limit * _FINER, limit * _FINER + 1)
    lag = lags[np.argmax(likeness[lags])] / _FINER
    shift = np.exp(-2j * np.pi * np.arange(len(spectrum)) * lag / n)
    shifted: NDArray[np.float64] = fft.irfft(spectrum * shift, n)[: len(estimate)]
    return shifted
