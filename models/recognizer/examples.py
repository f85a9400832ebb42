"""Examples to be tested on: speech as it arrives at one microphone, or from a beam, of a robot in a noisy hall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soxr
import torch
from hearing_models.recognizer.beams import steer
from hearing_models.recognizer.corpus import speech_level
from hearing_models.recognizer.places import Place, read_place
from hearing_models.recognizer.speech import Speech
from scipy.signal import oaconvolve

from hearing.types import SAMPLE_RATE, Float32Array

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How hard examples are; intervals are drawn from evenly.

    Attributes
    ----------
    snr_db
        Speech over machines at the microphone.
    rival
        Probability that somebody else talks at the same time.
    rival_db, rival_beam_db
        The talker over the other one at a microphone, and where a beam is steered at the talker.
    """

    snr_db: tuple[float, float] = (-3.0, 22.0)
    rival: float = 0.25
    rival_db: tuple[float, float] = (6.0, 20.0)
    rival_beam_db: tuple[float, float] = (-3.0, 12.0)


def spoken_at(rng: Rng, speech: Speech) -> Float32Array:
    """Return speech at a random tempo and at level 1 while somebody speaks, quiet clips being brought up."""
    samples = speech.samples.astype(np.float32)
    if rng.uniform() < 0.5:
        samples = soxr.resample(samples, SAMPLE_RATE, SAMPLE_RATE / rng.uniform(0.88, 1.12), quality="LQ")
    return samples / np.float32(max(speech_level(samples), 1.0)) * np.float32(10 ** (rng.uniform(-4, 4) / 20))


def arrive(
    rng: Rng, dry: Float32Array, pool: Sequence[Speech], place: Place, how: Difficulty, condition: str
) -> Float32Array:
    """Bring dry speech to a place and record it with one microphone, or with a beam; shape (n_samples,)."""
    beam = condition == "beam"
    people = rng.permutation(len(place.responses))
    microphones = slice(None) if beam else slice(0, 1)
    speech = _convolved(dry, place.responses[people[0], microphones])
    noise = _stretch(rng, place.noise[microphones], speech.shape[1])
    noise = noise * np.float32(10 ** (-rng.uniform(*how.snr_db) / 20))
    if dry.any() and rng.uniform() < how.rival:
        rival = _fitted(rng, spoken_at(rng, pool[int(rng.integers(len(pool)))]), len(dry))
        level = 10 ** (-rng.uniform(*(how.rival_beam_db if beam else how.rival_db)) / 20)
        noise = noise + np.float32(level) * _convolved(rival, place.responses[people[1], microphones])
    if not beam:
        return speech[0] + noise[0]
    tensors = (torch.from_numpy(part)[None] for part in (speech, noise, place.responses[people[0]]))
    return steer(*tensors, rng)[0].numpy()


@lru_cache(maxsize=400)
def cached_place(path: Path) -> Place:
    """Read a place, or remember it."""
    return read_place(path)


def even(mel: Float32Array) -> Float32Array:
    """Make the number of frames even: the encoder halves it."""
    return mel[: len(mel) // 2 * 2]


def _convolved(dry: Float32Array, responses: Float32Array) -> Float32Array:
    return oaconvolve(dry[None], responses, axes=1)[:, : len(dry)].astype(np.float32)


def _stretch(rng: Rng, noise: Float32Array, length: int) -> Float32Array:
    """Cut a stretch out of noise of shape (n_mics, n_samples), repeating it if need be."""
    start = int(rng.integers(noise.shape[1]))
    return np.take(noise, np.arange(start, start + length), axis=1, mode="wrap")


def _fitted(rng: Rng, samples: Float32Array, length: int) -> Float32Array:
    """Put samples somewhere into a stretch of silence."""
    start = int(rng.integers(-len(samples) // 2, max(1, length - len(samples) // 2)))
    out = np.zeros(length, np.float32)
    begin, end = max(0, start), min(length, start + len(samples))
    out[begin:end] = samples[begin - start : end - start]
    return out
