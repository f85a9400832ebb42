"""Sounds that are meant to be heard, made by simple synthesis: sirens, horns, beepers, bells, and a kind of music."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from hearing_sim.machines.tools import Clock, Rng, Signal, band_noise, impacts, modes, orders, strokes
from scipy.signal import sawtooth, square

from hearing.types import SAMPLE_RATE

_HIGHEST = 7600.0


def siren(n_samples: int, rng: Rng) -> Signal:
    """Wail up and down, slowly or fast, evenly or falling back at once; or sound two horns in turn."""
    cycles = 2 * np.pi * np.exp(rng.uniform(-2, 1.6)) * _times(n_samples)
    swing = square(cycles) if rng.random() < 0.4 else sawtooth(cycles, rng.choice([0.2, 0.5, 1.0]))
    return _tone(rng.uniform(350, 900) * rng.uniform(1.12, 2.7) ** (0.5 + 0.5 * swing), rng)


def beeps(n_samples: int, rng: Rng) -> Signal:
    """Beep as vehicles and devices do, in groups with pauses between; or rush, as some vehicles do."""
    cycles, together, rests = _times(n_samples) / rng.uniform(0.12, 1.2), rng.integers(1, 6), rng.integers(0, 5)
    gate = (cycles % 1 < rng.uniform(0.3, 0.7)) & (cycles // 1 % (together + rests) < together)
    rush = rng.random() < 0.25
    sound = band_noise(n_samples, 700, 5000, rng) if rush else _tone(np.full(n_samples, rng.uniform(600, 3200)), rng)
    return sound * np.convolve(gate, np.full(80, 1 / 80), mode="same")


def bell(n_samples: int, rng: Rng) -> Signal:
    """Strike a bell now and then, or with a hammer many times in a second."""
    partials = rng.uniform(300, 1500) * np.array([0.5, 1, 1.2, 1.5, 2, 2.6, 3.1, 4.2]) * rng.uniform(0.98, 1.02, 8)
    ringing = modes(partials, rng.uniform(0.5, 2.5) * np.linspace(1.0, 0.3, 8), rng)
    onsets = strokes(Clock(0.0, n_samples), np.exp(rng.uniform(-3, 1)), 0.02, rng)
    return impacts(n_samples, onsets, rng.uniform(0.7, 1.0, len(onsets)), ringing)


def arpeggio(n_samples: int, rng: Rng) -> Signal:
    """Play notes after each other, as of a ringing phone or a music box."""
    return _repeat(n_samples, _notes(rng.uniform(200, 900), rng.uniform(0.1, 0.6), rng), rng.uniform(0.08, 0.3), rng)


def music(n_samples: int, rng: Rng) -> Signal:
    """Let a band play: chords, a melody and drums, or some of these."""
    beat = 60 / rng.uniform(70, 170)
    notes = _notes(rng.uniform(110, 220), 4 * beat, rng)
    chords = [notes[i] + notes[i + 2] + notes[i + 4] for i in range(len(notes) - 4)]
    times = _times(SAMPLE_RATE // 4)
    kick = np.sin(2 * np.pi * 40 * times - 12 * np.exp(-25 * times)) * np.exp(-12 * times)
    drums = [4 * kick, *(band_noise(len(times), low, 7000, rng) * np.exp(-20 * times) for low in (200, 5000))]
    parts = [(chords, 4 * beat), (_notes(rng.uniform(220, 440), beat, rng), beat / 2), (drums, beat / 2)]
    chosen = rng.permutation(3)[: rng.integers(1, 4)]
    return np.sum([rng.uniform(0.5, 1.0) * _repeat(n_samples, *parts[i], rng) for i in chosen], axis=0)


TONES: dict[str, Callable[[int, Rng], Signal]] = {make.__name__: make for make in (siren, beeps, bell, arpeggio, music)}


def _times(n_samples: int) -> Signal:
    return np.arange(n_samples) / SAMPLE_RATE


def _tone(pitch: Signal, rng: Rng) -> Signal:
    """Sound a pitch in Hz, of shape (n_samples,), with a timbre of its own."""
    angle = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    return orders(angle, _harmonics(int(rng.integers(1, 16)), pitch.max()), rng.uniform(0.3, 2.0), rng)


def _harmonics(number: int, pitch: float) -> list[int]:
    return list(range(1, min(number, int(_HIGHEST / pitch)) + 1))


def _notes(base: float, seconds: float, rng: Rng) -> list[Signal]:
    """Let an instrument play two octaves of a scale upwards from a pitch in Hz."""
    scale = np.array([[0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 10]][int(rng.integers(2))])
    times, slope, number = _times(round(seconds * SAMPLE_RATE)), rng.uniform(0.5, 2.0), int(rng.integers(1, 12))
    envelope = np.exp(-rng.uniform(0.5, 6.0) * times / seconds)
    envelope *= np.clip(np.minimum(times / rng.uniform(0.003, 0.1), (seconds - times) / 0.03), 0, 1)
    pitches = base * 2 ** (np.concatenate([scale, scale + 12]) / 12)
    return [envelope * orders(2 * np.pi * p * times, _harmonics(number, p), slope, rng) for p in pitches]


def _repeat(n_samples: int, sounds: Sequence[Signal], step: float, rng: Rng) -> Signal:
    """Play sounds, or nothing, in a pattern of 16 steps of so many seconds again and again."""
    pattern = rng.integers(-len(sounds) // 2, len(sounds), 16)
    pattern[0] = 0
    played = np.zeros(n_samples + max(map(len, sounds)))
    for count, start in enumerate(range(0, n_samples, round(step * SAMPLE_RATE))):
        if pattern[count % 16] >= 0:
            sound = sounds[pattern[count % 16]]
            played[start : start + len(sound)] += sound
    return played[:n_samples]
