"""What the models of machines are made of: shafts, order lines, coloured noise, impacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hearing_sim.scene import Machine
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, oaconvolve, sosfilt

from hearing.types import SAMPLE_RATE

Signal = NDArray[np.float64]
Rng = np.random.Generator

RAMP = 0.15
"""Seconds in which a machine gets loud after it is switched on, and quiet after it is switched off."""
SPIN = 0.6
"""Seconds in which a shaft gets up to speed."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The stretch of scene time that is to be filled with sound.

    Attributes
    ----------
    start
        Scene time of the first sample in seconds.
    n_samples
        Length at 16 kHz.
    """

    start: float
    n_samples: int

    @property
    def times(self) -> Signal:
        """Scene times of shape (n_samples,) in seconds."""
        times: Signal = self.start + np.arange(self.n_samples) / SAMPLE_RATE
        return times

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.n_samples / SAMPLE_RATE


def running(machine: Machine, clock: Clock) -> Signal:
    """Loudness of a machine from 0 (off) to 1 by the times at which it runs, of shape (n_samples,)."""
    if not machine.on:
        return np.ones(clock.n_samples)
    times = clock.times
    loudness = np.zeros(clock.n_samples)
    for start, end in machine.on:
        loudness = np.maximum(loudness, np.clip(np.minimum((times - start) / RAMP, (end - times) / RAMP), 0, 1))
    return loudness


def shaft_angle(machine: Machine, default_rpm: float, clock: Clock, rng: Rng) -> Signal:
    """Angle of a shaft in radians, of shape (n_samples,).

    Its speed follows the machine's profile, rises after each start, and wanders by about half a per cent.
    """
    speed = (machine.speed_rpm or default_rpm) / 60 * (1 + 0.005 * slow_noise(clock.n_samples, 0.5, rng))
    if machine.speed_profile:
        times, factors = np.array(machine.speed_profile).T
        speed = speed * np.interp(clock.times, times, factors)
    for start, _ in machine.on:
        since = clock.times - start
        speed = np.where((since >= 0) & (since < SPIN), speed * (0.3 + 0.7 * since / SPIN), speed)
    angle: Signal = 2 * np.pi * np.cumsum(speed) / SAMPLE_RATE
    return angle


def orders(angle: Signal, multiples: Sequence[float], slope: float, rng: Rng) -> Signal:
    """Sum of tones at multiples of the shaft speed; the k-th one has amplitude k ** -slope and a random phase."""
    phases = rng.uniform(0, 2 * np.pi, len(multiples))
    total = np.zeros_like(angle)
    for k, (order, phase) in enumerate(zip(multiples, phases, strict=True), 1):
        total += k**-slope * np.cos(order * angle + phase)
    return total


def low_noise(n_samples: int, pole: float, rng: Rng) -> Signal:
    """Noise of unit power, low-pass filtered with one pole."""
    noise: Signal = lfilter([np.sqrt(1 - pole**2)], [1, -pole], rng.standard_normal(n_samples))
    return noise


def band_noise(n_samples: int, low: float, high: float, rng: Rng) -> Signal:
    """Noise of unit power between two frequencies in Hz."""
    return unit(band_pass(rng.standard_normal(n_samples), low, high))


def band_pass(signal: Signal, low: float, high: float) -> Signal:
    """Keep what is between two frequencies in Hz (second-order Butterworth)."""
    passed: Signal = sosfilt(butter(2, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos"), signal)
    return passed


def slow_noise(n_samples: int, rate: float, rng: Rng) -> Signal:
    """Noise of about unit power that changes `rate` times per second, interpolated linearly."""
    knots = rng.standard_normal(int(n_samples / SAMPLE_RATE * rate) + 2)
    noise: Signal = np.interp(np.arange(n_samples) * rate / SAMPLE_RATE, np.arange(len(knots)), knots)
    return noise


def phases(clock: Clock, on: tuple[float, float], off: tuple[float, float], rng: Rng, ramp: float = 0.05) -> Signal:
    """Alternate between working (1) and pausing (0), for uniformly drawn seconds each, with ramps between."""
    number = int(clock.duration / (on[0] + off[0])) + 2
    lengths = np.column_stack([rng.uniform(*off, number), rng.uniform(*on, number)]).ravel()
    edges = np.cumsum(lengths) - rng.uniform(0, sum(on) / 2)
    index = np.searchsorted(edges, np.arange(clock.n_samples) / SAMPLE_RATE)
    length = max(2, round(ramp * SAMPLE_RATE))
    kernel = np.hanning(length + 2)[1:-1]
    smooth: Signal = np.clip(oaconvolve((index % 2).astype(float), kernel / kernel.sum(), mode="same"), 0, 1)
    return smooth


def strokes(clock: Clock, period: float, jitter: float, rng: Rng) -> NDArray[np.int64]:
    """Sample indices of what happens every `period` seconds, give or take a share `jitter` of it."""
    number = int(clock.duration / period) + 1
    times = (rng.uniform() + np.arange(number)) * period + jitter * period * rng.standard_normal(number)
    index = np.round(times * SAMPLE_RATE).astype(np.int64)
    return index[(index >= 0) & (index < clock.n_samples)]


def impacts(n_samples: int, onsets: NDArray[np.int64], amplitudes: Signal, response: Signal) -> Signal:
    """Let a structure ring with `response` after every blow."""
    heard = onsets < n_samples
    blows = np.zeros(n_samples)
    np.add.at(blows, onsets[heard], amplitudes[heard])
    ringing: Signal = oaconvolve(blows, response)[:n_samples]
    return ringing


def modes(frequencies: Sequence[float], decays: Sequence[float], rng: Rng) -> Signal:
    """Impulse response of a structure: tones (Hz) that decay by 60 dB in the given seconds, with random phases."""
    times = np.arange(round(max(decays) * SAMPLE_RATE)) / SAMPLE_RATE
    response = np.zeros_like(times)
    for frequency, decay in zip(frequencies, decays, strict=True):
        phase = rng.uniform(0, 2 * np.pi)
        response += 10 ** (-3 * times / decay) * np.sin(2 * np.pi * frequency * times + phase)
    return response


def unit(signal: Signal) -> Signal:
    """Scale a signal to root mean square 1; silence stays silence."""
    scaled: Signal = signal / np.sqrt(max(float(np.mean(signal**2)), 1e-12))
    return scaled
