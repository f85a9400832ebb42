"""From a mixture to what a network sees and what it should say: mixed anew at every pass.

Levels, the microphones that are used, the talkers that are there and the errors of the directions are drawn anew every
time. Targets are shares of power at the first microphone, so that a network trained with cross-entropy estimates their
means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hearing_models.frontend.mixtures import Mixture
from numpy.typing import NDArray

from hearing.arrays import MicrophoneArray
from hearing.features import BAND_STARTS, DirectionFeatures, SceneFeatures, Spectra
from hearing.mask_network import NOBODY, rivals
from hearing.stft import HOP, Stft
from hearing.types import SAMPLE_RATE, Float32Array

Rng = np.random.Generator

MOST_MICROPHONES = 6
"""Microphones that an example uses at most; more would only take longer."""
SNR_DB = (-6.0, 20.0)
SELF_NOISE_DB = (-55.0, -25.0)
ACTIVE_DB = -35.0
"""Level of direct sound, relative to the talker's loudest frame, from which he counts as talking."""
NOT_A_TALKER = np.radians(25.0)
"""Radians from all talkers from which a direction is one without a talker."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """What a network sees, (inputs, n_frames, N_BANDS), and what it should say.

    `masks` are the shares of direct and of reverberant speech, (2, n_frames, N_BANDS); `active` is whether somebody
    talks, (n_frames,).
    """

    features: Float32Array
    masks: Float32Array
    active: Float32Array


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """A mixture of drawn levels; talkers' spectra are those at the first microphone, (n_talkers, n_frames, n_bins)."""

    array: MicrophoneArray
    spectra: Spectra
    direct: NDArray[np.complex64]
    reverberant: NDArray[np.complex64]
    present: NDArray[np.intp]


def mask_examples(mixture: Mixture, rng: Rng) -> list[Example]:
    """Draw an example of telling speech from everything else."""
    mixed = draw_mixed(mixture, rng)
    masks, active = _targets(mixed, mixed.direct.sum(axis=0), mixed.reverberant.sum(axis=0))
    return [Example(SceneFeatures().process(mixed.spectra), masks, active)]


def separator_examples(mixture: Mixture, rng: Rng) -> list[Example]:
    """Draw examples of telling the talker in one direction from everything else: with a talker there, or nobody."""
    mixed = draw_mixed(mixture, rng)
    scene = SceneFeatures().process(mixed.spectra)
    times = np.arange(len(mixed.spectra.frames)) * HOP / SAMPLE_RATE
    steps = np.minimum((times * 10).astype(int), mixture.directions.shape[1] - 1)
    ways = mixture.directions[:, steps].astype(np.float64)
    examples = []
    for _ in range(2):
        if len(mixed.present) and rng.uniform() < 0.7:
            target = int(rng.choice(mixed.present))
            own = _missed(ways[target], rng)
            others = [k for k in mixed.present if k != target and rng.uniform() < 0.85]
            row = int(np.flatnonzero(mixed.present == target)[0])
            masks, active = _targets(mixed, mixed.direct[row], mixed.reverberant[row])
        else:
            own = np.broadcast_to(_nobody(mixture, mixed, rng), ways[0].shape)
            others = [k for k in mixed.present if rng.uniform() < 0.85]
            nothing = np.zeros_like(mixed.spectra.frames[..., 0])
            masks, active = _targets(mixed, nothing, nothing)
        machines = [
            np.broadcast_to(direction, own.shape)
            for direction in mixture.machine_directions.astype(np.float64)
            if rng.uniform() < 0.5 and np.arccos(np.clip(direction @ own[0], -1, 1)) > NOT_A_TALKER
        ]
        directions = np.stack([own, *(_missed(ways[k], rng) for k in others), *(_missed(m, rng) for m in machines)])
        still = float(np.ptp(directions, axis=1).max()) < 1e-3
        compared = DirectionFeatures(mixed.array).process(mixed.spectra, directions[:, 0] if still else directions)
        rival = rivals(compared)[0] if len(compared) > 1 else np.broadcast_to(NOBODY, compared[0].shape)
        examples.append(Example(np.concatenate([scene, compared[0], rival]), masks, active))
    return examples


def draw_mixed(mixture: Mixture, rng: Rng) -> Mixed:
    """Mix a scene anew: who is there, how loud everybody is, and which microphones are used."""
    n_talkers, n_samples, n_mics = mixture.talkers.shape
    number = int(rng.integers(min(4, n_mics), min(n_mics, MOST_MICROPHONES) + 1))
    chosen = np.concatenate([[0], 1 + rng.permutation(n_mics - 1)[: number - 1]])
    present = np.flatnonzero(rng.uniform(size=n_talkers) > 0.1)
    gains = 10 ** (rng.normal(0, 4, len(present)) / 20)[:, None, None]
    talkers = (gains * mixture.talkers[present][..., chosen]).astype(np.float32)
    direct = (gains[..., 0] * mixture.direct[present]).astype(np.float32)
    speech = talkers.sum(axis=0)
    loud = np.abs(speech[:, 0]) > 0.02 * np.abs(speech[:, 0]).max()
    power = float(np.mean(speech[loud] ** 2)) if loud.any() else 1e-3
    noise = _at(power, -rng.uniform(*SNR_DB), mixture.machines[:, chosen])
    if rng.uniform() < 0.5:
        noise += _at(power, -rng.uniform(0, 25), mixture.ego[:, chosen])
    noise += _at(power, rng.uniform(*SELF_NOISE_DB), rng.standard_normal((n_samples, number)).astype(np.float32))
    mixed = speech + noise
    parts = np.concatenate([direct.T, talkers[..., 0].T], axis=1)
    whole = n_samples // HOP * HOP
    frames = Stft(mixed.shape[1]).process(mixed[:whole])
    of_talkers = Stft(parts.shape[1]).process(parts[:whole]).transpose(2, 0, 1)
    array = MicrophoneArray("mixture", mixture.positions[chosen].astype(np.float64))
    return Mixed(array, Spectra.of(frames), of_talkers[: len(present)], of_talkers[len(present) :], present)


def _at(power: float, level_db: float, signal: Float32Array) -> Float32Array:
    """Scale a signal to a level relative to a power; silence stays silent."""
    own = float(np.mean(signal**2))
    return signal * np.float32(np.sqrt(power * 10 ** (level_db / 10) / own)) if own > 0 else signal


def _targets(
    mixed: Mixed, direct: NDArray[np.complex64], reverberant: NDArray[np.complex64]
) -> tuple[Float32Array, Float32Array]:
    first = mixed.spectra.frames[..., 0]
    masks = np.stack([_share(direct, first), _share(reverberant, first)])
    level = np.square(np.abs(direct)).sum(axis=1)
    active = level > max(level.max() * 10 ** (ACTIVE_DB / 10), 1e-9)
    return masks, active.astype(np.float32)


def _share(part: NDArray[np.complex64], whole: NDArray[np.complex64]) -> Float32Array:
    """Share of a part in the power of every band."""
    wanted, rest = (np.add.reduceat(np.square(np.abs(x)), BAND_STARTS, axis=1) for x in (part, whole - part))
    share: Float32Array = (wanted / (wanted + rest + 1e-12)).astype(np.float32)
    return share


def _missed(way: NDArray[np.float64], rng: Rng) -> NDArray[np.float64]:
    """Miss directions of shape (n_frames, 3) as a tracker does: by a few degrees, more in elevation."""
    azimuth = rng.normal(0, np.radians(3)) if rng.uniform() < 0.7 else rng.uniform(-1, 1) * np.radians(12)
    return _from_angles(np.arctan2(way[:, 1], way[:, 0]) + azimuth, np.arcsin(way[:, 2]) + rng.normal(0, 0.17))


def _nobody(mixture: Mixture, mixed: Mixed, rng: Rng) -> NDArray[np.float64]:
    """Draw a direction without a talker, half of the time one with a machine; where there is none, straight up."""
    talkers = mixture.directions[mixed.present].reshape(-1, 3).astype(np.float64)
    machines = mixture.machine_directions.astype(np.float64)
    for _ in range(20):
        if len(machines) and rng.uniform() < 0.5:
            direction = machines[rng.integers(len(machines))]
        else:
            direction = _from_angles(np.array(rng.uniform(-np.pi, np.pi)), np.array(rng.normal(0, 0.25)))
        if not len(talkers) or (talkers @ direction).max() < np.cos(NOT_A_TALKER):
            return direction
    return np.array([0.0, 0.0, 1.0])


def _from_angles(azimuth: NDArray[np.float64], elevation: NDArray[np.float64]) -> NDArray[np.float64]:
    across = np.cos(elevation)
    return np.stack([across * np.cos(azimuth), across * np.sin(azimuth), np.sin(elevation)], axis=-1)
