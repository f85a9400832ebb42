"""Machines: parametric models of what rotates and blows, and recordings.

Each model is recognisable by its order lines: tones at multiples of the shaft speed, which wanders a little.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hearing_datasets import kit_clips, kit_root, read_clip
from hearing_sim.scene import Background, Machine
from numpy.typing import NDArray
from scipy.signal import lfilter

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

Signal = NDArray[np.float64]
Rng = np.random.Generator

CROSSFADE = round(0.25 * SAMPLE_RATE)
"""Samples over which a recording fades into its own repetition."""


def machine_signal(machine: Machine, start: float, n_samples: int, rng: Rng) -> Signal:
    """Make the sound of a machine from the scene's time `start` (seconds, may be negative) on.

    Returns
    -------
    Array of shape (n_samples,) with root mean square 1.

    Raises
    ------
    InputError
        If the recording it names is not in the data kit.
    """
    if machine.kind == "recording":
        signal = _recording(machine, n_samples, rng)
    else:
        model, default_speed = _MODELS[machine.kind]
        signal = model(_shaft_angle(machine.speed_rpm or default_speed, n_samples, rng), rng)
    normalised: Signal = signal / np.sqrt(np.mean(signal**2))
    if machine.on:
        times = start + np.arange(n_samples) / SAMPLE_RATE
        normalised = normalised * np.any([(times >= a) & (times < b) for a, b in machine.on], axis=0)
    return normalised


def background_signals(background: Background, n_signals: int, n_samples: int, rng: Rng) -> Signal:
    """Make independent diffuse noises of shape (n_samples, n_signals) with root mean square 1 each."""
    signals = np.stack([_coloured_noise(n_samples, 0.95, rng) for _ in range(n_signals)], axis=1)
    return signals / np.sqrt(np.mean(signals**2, axis=0))


def _motor(angle: Signal, rng: Rng) -> Signal:
    """Electric motor with a gear train: unbalance, rotor slots, two gear meshes with sidebands, bearing noise."""
    mesh = 1 + 0.3 * np.cos(angle)
    tones = _orders(angle, [1, 2, 3, 4, 5, 6], 0.5, rng)
    tones += 0.8 * _orders(angle, [36, 72], 0.5, rng)
    tones += mesh * _orders(angle, [17, 34, 51, 68], 1.0, rng)
    tones += 0.6 * mesh * _orders(angle, [17 * 23 / 41, 2 * 17 * 23 / 41], 1.0, rng)
    return tones + 0.8 * mesh * _coloured_noise(len(angle), 0.9, rng)


def _fan(angle: Signal, rng: Rng) -> Signal:
    """Fan: broadband flow noise, lines at the blade passing frequency (7 blades), slow turbulence."""
    turbulence = 1 + 0.15 * _slow_noise(len(angle), 2.0, rng)
    return turbulence * _coloured_noise(len(angle), 0.93, rng) + 0.4 * _orders(angle, [7, 14, 21], 1.0, rng)


def _compressor(angle: Signal, rng: Rng) -> Signal:
    """Reciprocating compressor: a thump and a hiss of the valves in every revolution, and many harmonics."""
    stroke: Signal = np.exp(4 * (np.cos(angle) - 1))
    hiss = stroke * rng.standard_normal(len(angle))
    return _orders(angle, list(range(1, 13)), 0.7, rng) + 1.5 * hiss + 0.5 * _coloured_noise(len(angle), 0.97, rng)


_MODELS: dict[str, tuple[Callable[[Signal, Rng], Signal], float]] = {
    "motor": (_motor, 1470.0),
    "fan": (_fan, 980.0),
    "compressor": (_compressor, 730.0),
}


def _shaft_angle(speed_rpm: float, n_samples: int, rng: Rng) -> Signal:
    """Angle of the shaft in radians; its speed wanders by about half a per cent."""
    speed = speed_rpm / 60 * (1 + 0.005 * _slow_noise(n_samples, 0.5, rng))
    angle: Signal = 2 * np.pi * np.cumsum(speed) / SAMPLE_RATE
    return angle


def _orders(angle: Signal, orders: list[int] | list[float], slope: float, rng: Rng) -> Signal:
    """Sum of tones at multiples of the shaft speed; the k-th one has amplitude k ** -slope and a random phase."""
    phases = rng.uniform(0, 2 * np.pi, len(orders))
    total = np.zeros_like(angle)
    for k, (order, phase) in enumerate(zip(orders, phases, strict=True), 1):
        total += k**-slope * np.cos(order * angle + phase)
    return total


def _coloured_noise(n_samples: int, pole: float, rng: Rng) -> Signal:
    """Noise of unit power, low-pass filtered with one pole."""
    noise: Signal = lfilter([np.sqrt(1 - pole**2)], [1, -pole], rng.standard_normal(n_samples))
    return noise


def _slow_noise(n_samples: int, rate: float, rng: Rng) -> Signal:
    """Noise of about unit power that changes `rate` times per second, interpolated linearly."""
    knots = rng.standard_normal(int(n_samples / SAMPLE_RATE * rate) + 2)
    noise: Signal = np.interp(np.arange(n_samples) * rate / SAMPLE_RATE, np.arange(len(knots)), knots)
    return noise


def _recording(machine: Machine, n_samples: int, rng: Rng) -> Signal:
    """Repeat a recording from a random place on, each repetition faded into the one before."""
    clips = [clip for clip in kit_clips("noise") if clip.name == machine.recording]
    if not clips:
        where = kit_root() or "there is no data kit: set HEARING_DATA"
        raise InputError(f"machine {machine.name}: no noise recording {machine.recording!r} ({where}); choose another")
    sound = read_clip(clips[0]).astype(np.float64)
    fade = min(CROSSFADE, len(sound) // 2)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade))
    loop = sound[fade:].copy()
    loop[len(loop) - fade :] = loop[len(loop) - fade :] * ramp[::-1] + sound[:fade] * ramp
    return np.resize(np.roll(loop, -int(rng.integers(len(loop)))), n_samples)
