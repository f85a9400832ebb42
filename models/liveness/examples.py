"""Examples to learn liveness from: people who are there and loudspeakers, in simulated halls among machines.

Halls are the simulator's (`hearing_models.recognizer.places`), whose mouths are turned away and whose walls swallow the
highs: what a far voice lacks is not to be mistaken for what a loudspeaker lacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from hearing_models.recognizer.beams import steer
from hearing_models.recognizer.examples import cached_place, spoken_at
from hearing_models.recognizer.loudspeakers import through_loudspeaker
from hearing_models.recognizer.places import Place
from hearing_models.recognizer.speech import Speech
from scipy.signal import oaconvolve

from hearing.types import SAMPLE_RATE, Float32Array

Rng = np.random.Generator
SECONDS = (0.8, 8.0)
_SOMEBODY, _BEAM, _CHIME = 0.5, 0.7, 0.3
_SNR_DB = (-3.0, 22.0)
"""The same for people and loudspeakers: machines are no sign of either."""
_ANNOUNCED, _CLOSE = 0.25, 0.1
"""Shares of the people over a loudspeaker that talks as well, and of those who are heard clean."""


@dataclass(frozen=True, slots=True)
class Sounds:
    """What examples are made of.

    Attributes
    ----------
    voices
        Speech, said by people and by loudspeakers.
    noises
        Machines, each of shape (n_samples,) at 16 kHz.
    places
        Files of simulated places.
    """

    voices: Sequence[Speech]
    noises: Sequence[Float32Array]
    places: Sequence[Path]


def draw_example(rng: Rng, sounds: Sounds) -> tuple[Float32Array, bool]:
    """Draw samples of shape (n_samples,) at 16 kHz, and whether somebody speaks in them."""
    length = int(rng.uniform(*SECONDS) * SAMPLE_RATE)
    somebody, kind = rng.uniform() < _SOMEBODY, rng.uniform()
    if somebody and kind < _CLOSE:
        return _hiss(rng, _unit(_talk(rng, sounds, length))), True
    place = cached_place(sounds.places[int(rng.integers(len(sounds.places)))])
    beam = place.responses.shape[1] > 1 and rng.uniform() < _BEAM
    people = rng.permutation(len(place.responses))
    responses = place.responses[people] if beam else place.responses[people, :1]
    noise = _machines(rng, sounds, place, responses[1], length)
    noise *= np.float32(10 ** (-rng.uniform(*_SNR_DB) / 20))
    if somebody and kind < _CLOSE + _ANNOUNCED:
        noise += _convolved(_loudspeaker(rng, sounds, length), responses[2]) * 10 ** np.float32(
            -rng.uniform(0, 15) / 20
        )
    dry = _unit(_talk(rng, sounds, length)) if somebody else _loudspeaker(rng, sounds, length)
    wanted = _convolved(dry, responses[0])
    if beam:
        parts = (torch.from_numpy(part)[None] for part in (wanted, noise, responses[0]))
        return _hiss(rng, steer(*parts, rng)[0].numpy()), somebody
    return _hiss(rng, (wanted + noise)[0]), somebody


def _talk(rng: Rng, sounds: Sounds, length: int) -> Float32Array:
    """Let people speak one after the other; some have begun before."""
    parts = [np.zeros(int(rng.uniform(0, 0.4) * SAMPLE_RATE), np.float32)]
    while sum(map(len, parts)) < length:
        parts.append(spoken_at(rng, sounds.voices[int(rng.integers(len(sounds.voices)))]))
        parts.append(np.zeros(int(rng.uniform(0.1, 0.8) * SAMPLE_RATE), np.float32))
    said = np.concatenate(parts)
    begun = len(said) > length and rng.uniform() < 0.4
    start = int(rng.integers(len(said) - length)) if begun else 0
    return said[start : start + length]


def _loudspeaker(rng: Rng, sounds: Sounds, length: int) -> Float32Array:
    """Play speech over a loudspeaker, perhaps after a chime."""
    played = through_loudspeaker(rng, _talk(rng, sounds, length))
    if rng.uniform() < _CHIME:
        times = np.arange(min(length, round(0.7 * SAMPLE_RATE))) / SAMPLE_RATE
        tones = np.sin(2 * np.pi * rng.uniform(400, 1500, (2, 1)) * times).sum(axis=0)
        chime = rng.uniform(0.5, 2.0) * np.exp(-4 * times) * tones
        played[: len(times)] = 0.1 * played[: len(times)] + chime
    return _unit(played)


def _machine(rng: Rng, sounds: Sounds, length: int) -> Float32Array:
    noise = sounds.noises[int(rng.integers(len(sounds.noises)))]
    start = int(rng.integers(len(noise)))
    return _unit(np.take(noise, np.arange(start, start + length), mode="wrap"))


def _machines(rng: Rng, sounds: Sounds, place: Place, response: Float32Array, length: int) -> Float32Array:
    """Let the machines of a place run, and in half of all cases another one: shape (n_mics, n_samples), level 1."""
    start = int(rng.integers(place.noise.shape[1]))
    noise = np.take(place.noise[: len(response)], np.arange(start, start + length), axis=1, mode="wrap")
    if rng.uniform() < 0.5:
        noise = noise + _convolved(_machine(rng, sounds, length), response) * 10 ** np.float32(rng.uniform(-8, 4) / 20)
    return noise / (np.sqrt(np.mean(noise[0] ** 2)) + np.float32(1e-6))


def _convolved(dry: Float32Array, responses: Float32Array) -> Float32Array:
    heard: Float32Array = oaconvolve(dry[None], responses, axes=1)[:, : len(dry)].astype(np.float32)
    return heard


def _hiss(rng: Rng, heard: Float32Array) -> Float32Array:
    """Add the noise of the microphone."""
    level = np.float32(10 ** rng.uniform(-4.2, -2.8) * np.sqrt(np.mean(heard**2)))
    return heard + level * rng.standard_normal(len(heard)).astype(np.float32)


def _unit(samples: Float32Array) -> Float32Array:
    return (samples / (np.sqrt(np.mean(samples**2)) + 1e-6)).astype(np.float32)
