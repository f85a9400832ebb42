"""The sound of a take as a track of the pipeline might have it: in a hall, with machines and what is left of others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
from hearing_datasets import Split
from hearing_models.lips.takes import Take
from hearing_models.recognizer.halls import Halls, draw_responses
from hearing_models.recognizer.noises import generate_noises
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from hearing.types import SAMPLE_RATE, Float32Array
from hearing.vision.synchrony import SoundSteps

Rng = np.random.Generator

VARIANTS = 3
"""How often a take is heard, each time in another hall."""
SNR_DB = (0.0, 20.0)
LEAK_DB = (-22.0, -5.0)
"""What a beam leaves of somebody else, relative to the talker."""
TEMPO = (0.04, 0.14)
"""By how much faster or slower somebody else reads the same words."""
_LEVEL = 0.05
_ROOMS = 24


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """Halls, as responses of shape (n_halls, n_taps), and machines, as waveforms."""

    responses: Float32Array
    machines: list[Float32Array]

    @classmethod
    def make(cls, folder: Path, split: Split, seed: int) -> Surroundings:
        """Draw halls, and make noises or read those that are in a folder."""
        halls = Halls(rt60=(0.2, 0.7), distance=(0.5, 3.0))
        generator = torch.Generator().manual_seed(seed)
        responses = np.concatenate([draw_responses(halls, 1, 1, 0, 1, generator)[:, 0, 0] for _ in range(_ROOMS)])
        noises = generate_noises(folder, 4.0, seed, split, lambda _: None)
        return cls(responses, [soundfile.read(folder / noise.audio, dtype="float32")[0] for noise in noises])

    def track(self, sound: Float32Array, other: Float32Array, rng: Rng) -> Float32Array:
        """Return what a track has of a talker while somebody else talks, both of shape (n_samples,)."""
        heard = sound
        if rng.random() < 0.6:
            heard = fftconvolve(sound, self.responses[int(rng.integers(len(self.responses)))])[: len(sound)]
        if rng.random() < 0.5:
            heard = heard + 10 ** (rng.uniform(*LEAK_DB) / 20) * other
        machine = self.machines[int(rng.integers(len(self.machines)))]
        noise = np.take(machine, rng.integers(len(machine)) + np.arange(len(sound)), mode="wrap")
        noise = noise * _LEVEL / (noise.std() + 1e-6) * 10 ** (-rng.uniform(*SNR_DB) / 20)
        gain = 10 ** (rng.uniform(-30, 6) / 20)
        track: Float32Array = (gain * (heard + noise)).astype(np.float32)
        return track


def heard_takes(
    paths: list[Path], surroundings: Callable[[], Surroundings], seed: int, done: Callable[[int], None]
) -> list[NDArray[np.float16]]:
    """Hear takes, or read how they were heard before.

    Returns
    -------
    For every take the steps of its sound in `VARIANTS` halls, and last of somebody else who reads the same words
    faster or slower, in 16 bits of shape (VARIANTS + 1, n_steps, N_SOUND).
    """
    found, around = [], None
    for number, path in enumerate(paths):
        kept = path.with_suffix(".heard.npy")
        if not kept.is_file():
            around = around or surroundings()
            rng = np.random.default_rng((seed, number))
            sound, other = (_sound(p) for p in (path, paths[int(rng.integers(len(paths)))]))
            other = np.roll(np.resize(other, len(sound)), int(rng.integers(len(sound))))
            heard = [around.track(sound, other, rng) for _ in range(VARIANTS)]
            heard.append(around.track(_read_again(sound, rng), other, rng))
            np.save(kept, np.stack([SoundSteps().process(part) for part in heard]).astype(np.float16))
        found.append(np.load(kept))
        done(1)
    return found


def _sound(path: Path) -> Float32Array:
    return Take.load(path).sound.astype(np.float32) / np.float32(32767)


def _read_again(sound: Float32Array, rng: Rng) -> Float32Array:
    """Let somebody smaller or larger read the same words at another pace, a little earlier or later."""
    tempo = 1 + rng.choice([-1, 1]) * rng.uniform(*TEMPO)
    read = soxr.resample(sound, tempo, 1.0)
    moved: Float32Array = np.roll(np.resize(read, len(sound)), int(rng.uniform(-0.3, 0.3) * SAMPLE_RATE))
    return moved
