"""Noise from everywhere: signals of one kind that are independent of each other."""

from __future__ import annotations

import numpy as np
from hearing_sim.machines.recorded import looped, read_noise
from hearing_sim.machines.tools import Clock, Rng, Signal, impacts, low_noise, modes, orders, slow_noise, unit
from hearing_sim.machines.voices import voices
from hearing_sim.scene import Background

from hearing.types import SAMPLE_RATE

CROWD = 6
"""Voices at a time in every signal of a crowd."""
VOICE_POOL = 60
"""Seconds of speech from which the voices of a crowd are cut."""


def background_signals(background: Background, n_signals: int, n_samples: int, rng: Rng) -> Signal:
    """Make noises of a kind.

    Returns
    -------
    Array of shape (n_samples, n_signals), root mean square 1 each.

    Raises
    ------
    InputError
        If the recording it names is not in the data kit.
    """
    if background.kind == "recording":
        sound = read_noise(background.recording or "", "a background")
        signals = [looped(sound, n_samples, rng) for _ in range(n_signals)]
    elif background.kind == "babble":
        pool = voices(VOICE_POOL * SAMPLE_RATE, rng)
        signals = [
            sum((looped(pool, n_samples, rng) for _ in range(CROWD)), np.zeros(n_samples)) for _ in range(n_signals)
        ]
    elif background.kind == "ventilation":
        signals = [_ventilation(n_samples, rng) for _ in range(n_signals)]
    else:
        signals = [_hall(n_samples, rng) for _ in range(n_signals)]
    return np.stack([unit(signal) for signal in signals], axis=1)


def _ventilation(n_samples: int, rng: Rng) -> Signal:
    """Air ducts: noise that falls towards high frequencies, and breathes."""
    return low_noise(n_samples, 0.97, rng) * (1 + 0.08 * slow_noise(n_samples, 0.7, rng))


def _hall(n_samples: int, rng: Rng) -> Signal:
    """Make a hall at work: rumble, the hum of the mains and of far motors, and far blows blurred by the room."""
    rumble = low_noise(n_samples, 0.985, rng) + 0.35 * low_noise(n_samples, 0.8, rng)
    hum = orders(2 * np.pi * 49.2 * Clock(0.0, n_samples).times, [1, 2, 3, 6, 11, 17], 0.8, rng)
    onsets = np.flatnonzero(rng.uniform(size=n_samples) < 0.7 / SAMPLE_RATE)
    blow = modes(rng.uniform(120, 1400, 8), rng.uniform(0.4, 0.9, 8), rng)
    far = impacts(n_samples, onsets, rng.uniform(0.2, 1.0, len(onsets)), blow)
    return unit(rumble) + 0.2 * unit(hum) + 0.06 * far
