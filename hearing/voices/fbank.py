"""Kaldi's log-mel filter bank, streaming: what the speaker encoder hears."""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from hearing.types import SAMPLE_RATE, Float32Array

WINDOW = 400
HOP = 160
N_MELS = 80
_FFT = 512
_LOWEST = 20.0
_PRE_EMPHASIS = 0.97
_FLOOR = float(np.finfo(np.float32).eps)


class FilterBank:
    """Streaming log-mel frames, as Kaldi's `compute-fbank-feats` makes them without dither (povey window, power).

    Frame i is of the samples 160 i to 160 i + 400. A gain adds the same to all of them, full scale is 1.
    """

    def __init__(self) -> None:
        self._samples: Float32Array = np.zeros(0, np.float32)

    def process(self, samples: Float32Array) -> Float32Array:
        """Take samples of shape (n_samples,) and return the frames that they complete, of shape (n_frames, 80)."""
        self._samples = np.concatenate([self._samples, samples])
        n_frames = max(0, (len(self._samples) - WINDOW) // HOP + 1)
        if not n_frames:
            return np.zeros((0, N_MELS), np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(self._samples, WINDOW)[::HOP][:n_frames].astype(np.float64)
        self._samples = self._samples[n_frames * HOP :]
        frames = frames - frames.mean(axis=1, keepdims=True)
        before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
        spectra = scipy.fft.rfft((frames - _PRE_EMPHASIS * before) * _window(), _FFT, axis=1)
        power = spectra.real**2 + spectra.imag**2
        # Not by BLAS, whose last digits depend on how many frames it gets at once.
        bands = np.einsum("tf,fm->tm", power, _filters(), optimize=False)
        logarithm: Float32Array = np.log(np.maximum(bands, _FLOOR)).astype(np.float32)
        return logarithm


@cache
def _window() -> NDArray[np.float64]:
    window: NDArray[np.float64] = np.hanning(WINDOW) ** 0.85
    return window


@cache
def _filters() -> NDArray[np.float64]:
    """Return triangles on the mel scale, of shape (257, 80)."""
    edges = np.linspace(_mel(_LOWEST), _mel(SAMPLE_RATE / 2), N_MELS + 2)
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    mel = _mel(np.arange(_FFT // 2 + 1) * SAMPLE_RATE / _FFT)[:, None]
    rising, falling = (mel - left) / (middle - left), (right - mel) / (right - middle)
    filters: NDArray[np.float64] = np.maximum(np.minimum(rising, falling), 0.0)
    return filters


def _mel(frequency: NDArray[np.float64] | float) -> NDArray[np.float64]:
    mel: NDArray[np.float64] = 1127.0 * np.log1p(np.asarray(frequency) / 700.0)
    return mel
