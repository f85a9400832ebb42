"""Whether a stretch of speech sounds finished: Smart Turn 3.2, a packaged classifier of audio.

It hears up to 8 s that end in a short pause, as Whisper's log-mel frames (Daily 2025, Smart Turn v3), and is asked once
a pause.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearing.recognition.catalogue import MODELS
from hearing.recognition.mel import HOP, WINDOW, mel_filters
from hearing.recognition.session import open_session
from hearing.recognition.store import locate
from hearing.types import SAMPLE_RATE, Float32Array

MODEL = "smart-turn-v3.2"
LENGTH = 8 * SAMPLE_RATE
"""Samples that it hears at most."""


class TurnClassifier:
    """Tells how finished speech sounds.

    Parameters
    ----------
    weights
        The network; by default from the model store.

    Raises
    ------
    InputError
        If the model is not installed or not the published one.
    """

    def __init__(self, weights: Path | None = None) -> None:
        self._session = open_session(weights or locate(MODELS[MODEL]) / "smart-turn-v3.2-cpu.onnx", threads=1)

    def probability(self, samples: Float32Array) -> float:
        """Return the probability that the turn that these samples end with is over.

        Parameters
        ----------
        samples
            One person from the beginning of his turn to now, of shape (n_samples,), 16 kHz; the last 8 s count.
        """
        features = log_mel(samples[-LENGTH:])[None]
        return float(self._session.run(None, {"input_features": features})[0][0, 0])


def log_mel(samples: Float32Array) -> Float32Array:
    """Return what the classifier hears, of shape (80, 800): Whisper's frames of the samples after silence.

    The samples are brought to no mean and unit variance, with the silence before them.
    """
    padded = np.pad(samples, (LENGTH - len(samples), 0)).astype(np.float32)
    padded = (padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(padded, WINDOW // 2, mode="reflect"), WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames[:-1] * _window(), axis=1)) ** 2
    level = np.log10(np.maximum(power @ mel_filters(), 1e-10)).T
    scaled: Float32Array = ((np.maximum(level, level.max() - 8) + 4) / 4).astype(np.float32)
    return scaled


@cache
def _window() -> NDArray[np.float64]:
    return np.hanning(WINDOW + 1)[:-1]
