"""Plane and spherical waves for tests of the front end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hearing.arrays import SPEED_OF_SOUND, MicrophoneArray
from hearing.types import SAMPLE_RATE, Direction, Float32Array


def speech_like(seconds: float, seed: int) -> NDArray[np.float64]:
    """Buzz with gliding pitch in syllables: like speech, sparse in time and frequency."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    rng = np.random.default_rng(seed)
    pitch = rng.uniform(100, 220) * (1 + 0.2 * np.sin(2 * np.pi * rng.uniform(0.4, 0.9) * time))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    buzz = sum(np.cos(k * phase + rng.uniform(0, 2 * np.pi)) / np.sqrt(k) for k in range(1, 35))
    syllables = np.clip(np.sin(2 * np.pi * rng.uniform(1.6, 2.4) * time + rng.uniform(0, 6)), 0, None) ** 0.5
    return 0.03 * np.asarray(buzz) * syllables


def plane_wave(array: MicrophoneArray, direction: Direction, signal: NDArray[np.float64]) -> Float32Array:
    """Delay a signal of shape (n,) to every microphone, without a room: shape (n, n_microphones)."""
    spectrum = np.fft.rfft(signal, 2 * len(signal))
    frequency = np.fft.rfftfreq(2 * len(signal), 1 / SAMPLE_RATE)
    delays = array.delays(direction.vector)
    delayed = np.fft.irfft(spectrum[:, None] * np.exp(-2j * np.pi * frequency[:, None] * delays), axis=0)
    return delayed[: len(signal)].astype(np.float32)


def spherical_wave(
    positions: NDArray[np.float64], place: NDArray[np.float64], signal: NDArray[np.float64]
) -> Float32Array:
    """Hear a point at microphones of shape (n_microphones, 3): later and weaker with distance, (n, n_microphones)."""
    distance = np.linalg.norm(positions - place, axis=1)
    spectrum = np.fft.rfft(signal)[:, None]
    frequency = np.fft.rfftfreq(len(signal), 1 / SAMPLE_RATE)[:, None]
    delayed = spectrum * np.exp(-2j * np.pi * frequency * distance / SPEED_OF_SOUND) / distance
    return np.fft.irfft(delayed, len(signal), axis=0).astype(np.float32)


def microphone_noise(shape: tuple[int, ...], level: float, seed: int) -> Float32Array:
    """Uncorrelated noise of the microphones."""
    return (level * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)
