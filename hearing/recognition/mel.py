"""Log-mel features, streaming: what Whisper hears, relative to the loudest frame so far, not to the loudest of all."""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy.fft

from hearing.types import SAMPLE_RATE, Float32Array

WINDOW = 400
HOP = 160
N_MELS = 80
WARM_UP = 48
"""Frames at the start of an utterance that share one reference: the first is often all noise."""
PEAK = 1.24
"""What the loudest frame so far becomes; it is the mean over clean utterances at Whisper's own scaling."""
RANGE = 8.0
_FLOOR = 1e-10
# Slaney's scale: 15 mels up to 1 kHz, then 27 for every factor of 6.4.
_BREAK, _LINEAR, _LOG_STEP = 1000.0, 15.0, np.log(6.4) / 27
SILENT = PEAK - RANGE / 4
"""What silence is when it has been much louder before."""


class LogMel:
    """Streaming log-mel frames of one utterance.

    Frame i is centred on sample 160 i. Whatever the level of the utterance, its loudest frame so far is at the same
    value, and what is 80 dB below it is at the bottom (Radford et al. 2022, section 2.2, causal).
    """

    def __init__(self) -> None:
        self._samples: Float32Array = np.zeros(WINDOW // 2, np.float32)
        self._held: Float32Array = np.zeros((0, N_MELS), np.float32)
        self._reference: np.float32 | None = None

    def process(self, samples: Float32Array) -> Float32Array:
        """Take samples of shape (n_samples,) and return the frames that are known now, of shape (n_frames, 80)."""
        self._samples = np.concatenate([self._samples, samples])
        n_frames = max(0, (len(self._samples) - WINDOW) // HOP + 1)
        frames = np.lib.stride_tricks.sliding_window_view(self._samples, WINDOW)[::HOP][:n_frames] if n_frames else None
        self._samples = self._samples[n_frames * HOP :]
        if frames is None:
            return np.zeros((0, N_MELS), np.float32)
        return self._scaled(_log_mel(frames), final=False)

    def flush(self) -> Float32Array:
        """Return the frames whose centres are left, hearing silence after the end."""
        missing = len(self._samples) - WINDOW // 2
        n_frames = -(-missing // HOP)
        padded = np.pad(self._samples, (0, WINDOW + HOP))
        frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][: max(0, n_frames)]
        return self._scaled(_log_mel(frames), final=True)

    def _scaled(self, log_mel: Float32Array, final: bool) -> Float32Array:
        if self._reference is None:
            self._held = np.concatenate([self._held, log_mel])
            if len(self._held) < WARM_UP and not final:
                return np.zeros((0, N_MELS), np.float32)
            log_mel, self._held = self._held, self._held[:0]
            if not len(log_mel):
                return log_mel
            self._reference = log_mel[:WARM_UP].max()
        if not len(log_mel):
            return log_mel
        reference = np.maximum.accumulate(np.concatenate([[self._reference], log_mel.max(axis=1)]))
        self._reference = reference[-1]
        relative: Float32Array = np.maximum(log_mel - reference[1:, None], -RANGE)
        return (relative / 4 + np.float32(PEAK)).astype(np.float32)


def log_mel(samples: Float32Array) -> Float32Array:
    """Return the frames of a whole utterance, of shape (n_frames, 80), as `LogMel` gives them bit by bit."""
    stream = LogMel()
    return np.concatenate([stream.process(samples), stream.flush()])


def _log_mel(frames: Float32Array) -> Float32Array:
    if not len(frames):
        return np.zeros((0, N_MELS), np.float32)
    spectra = scipy.fft.rfft(frames * _window(), axis=1)
    power = spectra.real**2 + spectra.imag**2
    # Not by BLAS, whose last digits depend on its threads and on how many frames it gets at once.
    bands = np.einsum("tf,fm->tm", power, mel_filters(), optimize=False)
    logarithm: Float32Array = np.log10(np.maximum(bands, _FLOOR)).astype(np.float32)
    return logarithm


@cache
def _window() -> Float32Array:
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32)


@cache
def mel_filters() -> Float32Array:
    """Return Slaney's mel filters, of shape (201, 80): triangles of one area, linear below 1 kHz, logarithmic above."""
    mels = np.linspace(0, _LINEAR + np.log(SAMPLE_RATE / 2 / _BREAK) / _LOG_STEP, N_MELS + 2)
    edges = np.where(mels < _LINEAR, mels * _BREAK / _LINEAR, _BREAK * np.exp(_LOG_STEP * (mels - _LINEAR)))
    bins = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)[:, None]
    rising = (bins - edges[:-2]) / np.diff(edges[:-1])
    falling = (edges[2:] - bins) / np.diff(edges[1:])
    triangles: Float32Array = np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2])
    return triangles.astype(np.float32)
