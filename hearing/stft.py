"""The one short-time Fourier transform that all stages share, and its inverse.

Frames of 32 ms every 16 ms with a square-root Hann window on both sides: analysis followed by synthesis gives the
signal back, delayed by one hop.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from hearing.types import SAMPLE_RATE, Float32Array

FRAME = 512
HOP = 256
N_BINS = FRAME // 2 + 1
FRAME_RATE = SAMPLE_RATE / HOP

ComplexArray = NDArray[np.complex64]

WINDOW: Float32Array = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
FREQUENCIES: NDArray[np.float64] = np.arange(N_BINS) * SAMPLE_RATE / FRAME
"""Centre frequency of each bin in Hz, of shape (N_BINS,)."""


class Stft:
    """Streaming analysis. Frame t covers the samples from `(t - 1) * HOP` to `(t + 1) * HOP`.

    Parameters
    ----------
    n_channels
        Number of microphones.
    """

    latency = 0.0
    """A frame is out as soon as its last sample is in."""

    def __init__(self, n_channels: int) -> None:
        self.n_channels = n_channels
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._tail: Float32Array = np.zeros((FRAME - HOP, self.n_channels), np.float32)

    def process(self, samples: Float32Array) -> ComplexArray:
        """Transform the next stretch of the stream.

        Parameters
        ----------
        samples
            Of shape (n_hops * HOP, n_channels).

        Returns
        -------
        Frames of shape (n_hops, N_BINS, n_channels).
        """
        signal = np.concatenate([self._tail, samples])
        self._tail = signal[-(FRAME - HOP) :]
        frames = np.lib.stride_tricks.sliding_window_view(signal, FRAME, axis=0)[::HOP]
        spectra: ComplexArray = fft.rfft(frames * WINDOW, axis=-1).transpose(0, 2, 1)
        return spectra


class InverseStft:
    """Streaming synthesis by overlap-add: frame t completes the samples from `(t - 1) * HOP` to `t * HOP`."""

    latency = HOP / SAMPLE_RATE

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._tail: Float32Array = np.zeros(FRAME - HOP, np.float32)

    def process(self, frames: ComplexArray) -> Float32Array:
        """Synthesise the next frames.

        Parameters
        ----------
        frames
            Of shape (n_frames, N_BINS).

        Returns
        -------
        Samples of shape (n_frames * HOP,).
        """
        segments: Float32Array = fft.irfft(frames, FRAME, axis=-1) * WINDOW
        first, second = segments[:, :HOP], segments[:, HOP:]
        first[1:] += second[:-1]
        first[:1] += self._tail
        self._tail = second[-1] if len(frames) else self._tail
        return first.reshape(-1)
