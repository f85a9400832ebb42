"""Examples to train on: speech as it arrives at one microphone, or from a beam, of a robot in a noisy hall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soxr
from hearing_models.recognizer.beams import steer
from hearing_models.recognizer.places import ARRAY_EVERY, Place, read_place
from hearing_models.recognizer.speech import LONGEST, Speech
from numpy.typing import NDArray
from scipy.signal import butter, oaconvolve, sosfilt

from hearing.recognition.mel import log_mel
from hearing.types import SAMPLE_RATE, Float32Array

Rng = np.random.Generator
CONDITIONS = {"clean": 0.12, "microphone": 0.5, "beam": 0.33, "nobody": 0.05}
"""Share of the examples that are clean, from one microphone, from a beam, or hold noise alone."""


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
    damage
        Probability of each kind of damage: band limits, clipping, a jump of the level.
    """

    snr_db: tuple[float, float] = (-3.0, 22.0)
    rival: float = 0.25
    rival_db: tuple[float, float] = (6.0, 20.0)
    rival_beam_db: tuple[float, float] = (-3.0, 12.0)
    damage: float = 0.08


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One utterance.

    Attributes
    ----------
    mel, clean
        Log-mel frames of shape (n_frames, 80), n_frames even: as it arrives, and without room and noise.
    written, spoken
        What is said, see `Speech`; empty where nobody speaks.
    """

    mel: Float32Array
    clean: Float32Array
    written: str
    spoken: str


def draw_example(rng: Rng, pool: Sequence[Speech], places: Sequence[Path], how: Difficulty) -> Example:
    """Draw an example from a pool of speech and a list of places."""
    condition = str(rng.choice(list(CONDITIONS), p=list(CONDITIONS.values())))
    dry, written, said = compose(rng, pool)
    if condition == "nobody":
        dry, written, said = np.zeros_like(dry), "", ""
    heard = dry
    if condition != "clean":
        index = int(rng.integers(len(places)))
        place = cached_place(places[index - index % ARRAY_EVERY if condition == "beam" else index])
        heard = arrive(rng, dry, pool, place, how, condition)
    heard = _damaged(rng, heard, how.damage)
    heard = heard + 10 ** rng.uniform(-4.2, -2.8) * np.sqrt(np.mean(heard**2)) * rng.standard_normal(len(heard))
    return Example(even(log_mel(heard.astype(np.float32))), even(log_mel(dry)), written, said)


def compose(rng: Rng, pool: Sequence[Speech]) -> tuple[Float32Array, str, str]:
    """Say one utterance or several after each other, with pauses, up to a random length; level 1 (root mean square)."""
    wanted = 0.0 if rng.uniform() < 0.4 else rng.uniform(2.0, LONGEST - 2.0)
    parts: list[Float32Array] = [_pause(rng, 0.05, 0.6)]
    written, said = [], []
    total = 0.0
    while not written or total < wanted:
        speech = pool[int(rng.integers(len(pool)))]
        if written and total + speech.duration > LONGEST - 2.0:
            break
        parts += [spoken_at(rng, speech), _pause(rng, 0.1, 0.8)]
        written.append(speech.written)
        said.append(speech.spoken)
        total = sum(map(len, parts)) / SAMPLE_RATE
    return np.concatenate(parts), " ".join(written), " ".join(said)


def spoken_at(rng: Rng, speech: Speech) -> Float32Array:
    """Return speech at a random tempo and at level 1 while somebody speaks, quiet clips being brought up."""
    samples = speech.samples.astype(np.float32) / 32768
    if rng.uniform() < 0.5:
        samples = soxr.resample(samples, SAMPLE_RATE, SAMPLE_RATE / rng.uniform(0.88, 1.12), quality="LQ")
    return samples / np.float32(max(_level(samples), 1e-5)) * np.float32(10 ** (rng.uniform(-4, 4) / 20))


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
    return steer(rng, speech, noise, place.responses[people[0]]) if beam else speech[0] + noise[0]


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


def _pause(rng: Rng, shortest: float, longest: float) -> Float32Array:
    return np.zeros(round(rng.uniform(shortest, longest) * SAMPLE_RATE), np.float32)


def _level(samples: NDArray[np.float32]) -> float:
    """Root mean square of the louder half of the frames: pauses do not count."""
    frames = samples[: len(samples) // 400 * 400].reshape(-1, 400)
    power = np.sort(np.mean(frames**2, axis=1))[len(frames) // 2 :]
    return float(np.sqrt(power.mean())) if len(power) else 0.0


def _damaged(rng: Rng, samples: Float32Array, probability: float) -> Float32Array:
    if rng.uniform() < probability:
        samples = sosfilt(butter(4, rng.uniform(3000, 7000), "low", fs=SAMPLE_RATE, output="sos"), samples)
    if rng.uniform() < probability:
        samples = sosfilt(butter(2, rng.uniform(100, 350), "high", fs=SAMPLE_RATE, output="sos"), samples)
    if rng.uniform() < probability:
        limit = rng.uniform(0.2, 0.8) * np.abs(samples).max()
        samples = np.clip(samples, -limit, limit)
    if rng.uniform() < probability:
        step = np.ones(len(samples))
        step[int(rng.integers(len(samples))) :] = 10 ** (rng.uniform(-12, 12) / 20)
        samples = samples * step
    return samples
