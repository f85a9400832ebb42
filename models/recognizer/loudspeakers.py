"""Loudspeakers: what public address, a site radio, a phone or a television makes of speech."""

from __future__ import annotations

import numpy as np
from hearing_sim.machines.tools import Rng, Signal, band_noise, orders, unit
from scipy.signal import butter, iirpeak, lfilter, sosfilt

from hearing.types import SAMPLE_RATE, Float32Array

LOW, HIGH = (150.0, 600.0), (2200.0, 6000.0)
"""Range in Hz of the lower and the upper end of the band that passes."""
NOISE_DB = (-40.0, -20.0)
"""Range of the level of hum and static, relative to speech."""


def through_loudspeaker(rng: np.random.Generator, samples: Float32Array) -> Float32Array:
    """Play dry speech over a loudspeaker that is drawn at random.

    The announcements and radios of `hearing_sim.machines.voices` are within the range of these. The band is limited
    once before the distortion, by the channel, and once after it, by the loudspeaker.

    Parameters
    ----------
    rng
        Draws the loudspeaker and its noise.
    samples
        Shape (n_samples,) at 16 kHz.

    Returns
    -------
    Float32 array of the same shape and level; silence stays silence.
    """
    if not np.any(samples):
        return np.zeros_like(samples, np.float32)
    level = np.sqrt(np.mean(samples.astype(np.float64) ** 2))
    order, low, high = int(rng.integers(1, 3)), rng.uniform(*LOW), np.exp(rng.uniform(*np.log(HIGH)))
    band = np.concatenate(
        [butter(order, edge, kind, fs=SAMPLE_RATE, output="sos") for edge, kind in ((low, "high"), (high, "low"))]
    )
    played = unit(sosfilt(band, samples.astype(np.float64)))
    played = _compressed(played, rng) if rng.random() < 0.5 else np.tanh(rng.uniform(0.3, 4.0) * played)
    if rng.random() < 0.4:
        limit = rng.uniform(0.15, 0.8) * np.abs(played).max()
        played = np.clip(played, -limit, limit)
    played = unit(played)
    played += 10 ** (rng.uniform(*NOISE_DB) / 20) * _noise(len(played), rng)
    for _ in range(int(rng.integers(3))):
        peak = lfilter(*iirpeak(rng.uniform(low, high), rng.uniform(1.5, 10.0), fs=SAMPLE_RATE), played)
        played += rng.uniform(0.4, 2.5) * peak
    return (level * unit(sosfilt(band, played))).astype(np.float32)


def _compressed(signal: Signal, rng: Rng) -> Signal:
    """Turn down what is loud: the envelope rises fast and falls slowly."""
    rise, fall = (
        np.exp(-1 / (seconds * SAMPLE_RATE)) for seconds in (rng.uniform(0.002, 0.01), rng.uniform(0.05, 0.3))
    )
    loud = [lfilter([1 - pole], [1, -pole], np.abs(signal)) for pole in (rise, fall)]
    ratio = rng.uniform(2.0, 10.0)
    return signal * (0.05 + np.maximum(*loud)) ** (1 / ratio - 1)


def _noise(n_samples: int, rng: Rng) -> Signal:
    """Hum of the mains, static with some crackling, or both; root mean square 1."""
    mains, hum, crackle = rng.choice([50.0, 60.0]), rng.uniform(), rng.uniform(0, 3)
    times = np.arange(n_samples) / SAMPLE_RATE
    tones = orders(2 * np.pi * mains * times, list(range(1, 13)), rng.uniform(0.0, 1.5), rng)
    static = band_noise(n_samples, 300, 7000, rng) * (1 + 10 * crackle * (rng.random(n_samples) < 0.0005))
    return unit(hum * unit(tones) + (1 - hum) * unit(static))
