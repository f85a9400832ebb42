"""Speech that is nobody who is present: announcements over the hall's loudspeakers, and a radio."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from hearing_datasets import kit_clips, read_clip, synthesize
from hearing_sim.machines.tools import Clock, Rng, Signal, band_noise, band_pass, unit
from hearing_sim.scene import Machine

from hearing.types import SAMPLE_RATE

UNTRANSCRIBED = "speech/read_251_speakers"
"""Voices of the kit whose words nobody wrote down: good for being overheard."""
ANNOUNCEMENTS = (
    "Attention please. The forklift lane in hall two is closed until noon.",
    "Maintenance to press line three. Maintenance to press line three.",
    "The driver of the white truck at gate five, please come to the office.",
    "The shift changes in fifteen minutes. Please clean your work places.",
)


def announcement(machine: Machine, clock: Clock, rng: Rng) -> Signal:
    """Public address: a chime, then the text from a horn loudspeaker, again and again with pauses."""
    text = machine.text or ANNOUNCEMENTS[int(rng.integers(len(ANNOUNCEMENTS)))]
    speech = np.tanh(1.5 * unit(band_pass(_spoken(text), 350, 4500)))
    times = np.arange(round(0.7 * SAMPLE_RATE)) / SAMPLE_RATE
    chime = [np.sin(2 * np.pi * pitch * times) * np.exp(-4 * times) for pitch in (660.0, 528.0)]
    call = np.concatenate([*chime, np.zeros(SAMPLE_RATE // 4), speech])
    signal = np.zeros(clock.n_samples + len(call))
    onset = round(rng.uniform(0.2, 2.0) * SAMPLE_RATE) if clock.duration > len(call) / SAMPLE_RATE else 0
    while onset < clock.n_samples:
        signal[onset : onset + len(call)] += call
        onset += len(call) + round(rng.uniform(4.0, 10.0) * SAMPLE_RATE)
    return signal[: clock.n_samples]


def radio(machine: Machine, clock: Clock, rng: Rng) -> Signal:
    """Radio on a workbench: people who talk without an end, from a small loudspeaker, with some hiss."""
    talk = voices(clock.n_samples, rng)
    return band_pass(talk, 180, 6000) + 0.02 * band_noise(clock.n_samples, 500, 7000, rng)


def voices(n_samples: int, rng: Rng) -> Signal:
    """Somebody after somebody else speaks without a pause; recorded voices, or synthesis without the kit."""
    clips = kit_clips(UNTRANSCRIBED)
    parts: list[Signal] = []
    while sum(map(len, parts)) < n_samples:
        if clips:
            sound = read_clip(clips[int(rng.integers(len(clips)))]).astype(np.float64)
        else:
            sound = _spoken(ANNOUNCEMENTS[int(rng.integers(len(ANNOUNCEMENTS)))])
            sound = sound[int(rng.integers(len(sound) // 2)) :]
        parts.append(unit(sound))
    return np.concatenate(parts)[:n_samples]


@lru_cache(maxsize=16)
def _spoken(text: str) -> Signal:
    return synthesize(text).astype(np.float64)
