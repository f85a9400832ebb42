"""Noise as it was recorded."""

from __future__ import annotations

import numpy as np
from hearing_datasets import kit_clips, kit_root, read_clip
from hearing_sim.machines.tools import Clock, Rng, Signal
from hearing_sim.scene import Machine

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

CROSSFADE = round(0.25 * SAMPLE_RATE)
"""Samples over which a recording fades into its own repetition."""


def recorded_noise(machine: Machine, clock: Clock, rng: Rng) -> Signal:
    """Repeat a recording of the data kit, from a random place on."""
    return looped(read_noise(machine.recording or "", f"machine {machine.name}"), clock.n_samples, rng)


def read_noise(name: str, what: str) -> Signal:
    """Read a noise recording of the data kit.

    Raises
    ------
    InputError
        If the kit has none of this name; `what` says who asked for it.
    """
    clips = [clip for clip in kit_clips("noise") if clip.name == name]
    if not clips:
        where = kit_root() or "there is no data kit: set HEARING_DATA"
        raise InputError(f"{what}: no noise recording {name!r} ({where}); choose another")
    return read_clip(clips[0]).astype(np.float64)


def looped(sound: Signal, n_samples: int, rng: Rng) -> Signal:
    """Repeat a sound from a random place on, each repetition faded into the one before."""
    fade = min(CROSSFADE, len(sound) // 2)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade))
    loop = sound[fade:].copy()
    loop[len(loop) - fade :] = loop[len(loop) - fade :] * ramp[::-1] + sound[:fade] * ramp
    return np.resize(np.roll(loop, -int(rng.integers(len(loop)))), n_samples)
