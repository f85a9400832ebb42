"""Batches of takes: at other frame rates, with frames lost, mirrored.

Arrays are named by their axes: B examples, T frames of the camera, K steps of sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from hearing_models.lips.sounds import VARIANTS
from hearing_models.lips.takes import RATE, UNKNOWN, Take
from numpy.typing import NDArray
from torch import Tensor

from hearing.types import Float32Array
from hearing.vision.lips import LONGEST, N_SHAPE, POINTS, SHORTEST, lip_features, updated_habit
from hearing.vision.visemes import STEP

Rng = np.random.Generator

N_FRAMES = 56
"""In an example."""
N_STEPS, _BEFORE = 168, 18
"""Steps of sound in an example, and how many of them are before the first frame."""
SHARES = {"real": 0.18, "film": 0.34, "sketch": 0.48}
"""Of takes by how they were seen."""
DELAY = 0.08
"""Seconds by which visemes are told after they are said: what comes next shows in the mouth, and is heard, by then."""
JITTER = 0.03
"""Seconds by which sound and picture of an example may be apart."""
_ORDER = (*range(10, -1, -1), *range(19, 10, -1))
_MIRROR = np.array([*_ORDER, *(20 + i for i in _ORDER), 40, 41, 43, 42])
"""Where each of `POINTS` is in a mirrored face."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Examples.

    Attributes
    ----------
    features
        Inputs of the lip encoder, (B, T, N_FEATURES).
    sound, rival
        Inputs of the sound encoder, (B, K, N_SOUND): the mouth's own, and the same words by somebody else.
    place
        Which step of sound belongs to a frame, with fractions, (B, T).
    elapsed
        Seconds since the frame before, (B, T).
    speaking, viseme
        Of the frames, (B, T); visemes may be unknown.
    spoken
        Visemes of the steps of sound, (B, K).
    """

    features: Tensor
    sound: Tensor
    rival: Tensor
    place: Tensor
    elapsed: Tensor
    speaking: Tensor
    viseme: Tensor
    spoken: Tensor


class Examples:
    """Batches without end, the same for the same seed.

    Parameters
    ----------
    takes
        What is seen.
    heard
        How they sound, see `heard_takes`.
    size
        Of a batch.
    seed
        What everything random follows from.
    """

    def __init__(self, takes: Sequence[Take], heard: Sequence[NDArray[np.float16]], size: int, seed: int) -> None:
        self._takes, self._heard, self._size, self._seed = takes, heard, size, seed

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng(self._seed)
        shares = _shares(self._takes)
        while True:
            yield self._drawn(rng, rng.choice(len(shares), min(self._size, len(shares)), replace=False, p=shares))

    def _drawn(self, rng: Rng, chosen: NDArray[np.int64]) -> Batch:
        takes = [self._takes[i] for i in chosen]
        frames = [_draw_frames(take, rng) for take in takes]
        shapes = np.stack([take.film.shapes[at] for take, at in zip(takes, frames, strict=True)])
        times = np.stack([take.film.times[at] for take, at in zip(takes, frames, strict=True)])
        mirrored = rng.random(len(takes)) < 0.5
        shapes[mirrored] = mirror(shapes[mirrored])
        features, elapsed = sequence_features(shapes, times)
        variant = rng.integers(VARIANTS, size=len(takes))
        first = np.maximum(times[:, 0] / STEP - _BEFORE, 0).astype(int)
        steps = first[:, None] + np.arange(N_STEPS)
        sound, rival = (
            np.stack([_cut(self._heard[i][v], s) for i, v, s in zip(chosen, which, steps, strict=True)])
            for which in (variant, np.full(len(takes), VARIANTS))
        )
        moments = (steps + 1) * STEP - DELAY
        return Batch(
            torch.from_numpy(features),
            torch.from_numpy(sound),
            torch.from_numpy(rival),
            torch.from_numpy(
                times / STEP - 1 - first[:, None] + rng.uniform(-JITTER, JITTER, (len(takes), 1)) / STEP
            ).float(),
            torch.from_numpy(elapsed),
            torch.from_numpy(np.stack([at_times(t.speaking, s, 0) for t, s in zip(takes, times, strict=True)])).float(),
            torch.from_numpy(
                np.stack([at_times(t.viseme, s - DELAY, UNKNOWN) for t, s in zip(takes, times, strict=True)])
            ).long(),
            torch.from_numpy(
                np.stack([at_times(t.viseme, s, UNKNOWN) for t, s in zip(takes, moments, strict=True)])
            ).long(),
        )


def at_times(curve: NDArray[np.int8], times: NDArray[np.float64], outside: int) -> NDArray[np.int8]:
    """Return what a curve is at times in seconds, and something else outside it."""
    index = np.round(times * RATE).astype(int)
    there = (index >= 0) & (index < len(curve))
    return np.where(there, curve[np.clip(index, 0, len(curve) - 1)], outside).astype(np.int8)


def sequence_features(shapes: Float32Array, times: NDArray[np.float64]) -> tuple[Float32Array, Float32Array]:
    """Return what `LipReader` makes of mouths (B, T, N_SHAPE) at times (B, T): features (B, T, N_FEATURES), elapsed."""
    elapsed = np.diff(times, axis=1, prepend=times[:, :1] - STEP)
    elapsed = np.clip(elapsed, SHORTEST, LONGEST).astype(np.float32)
    before = habit = shapes[:, 0]
    features = []
    for frame, since in zip(shapes.swapaxes(0, 1), elapsed.T, strict=True):
        habit = updated_habit(habit, frame, since)
        features.append(lip_features(frame, before, habit, since))
        before = frame
    return np.stack(features, axis=1), elapsed


def mirror(shapes: Float32Array) -> Float32Array:
    """Look at mouths (..., N_SHAPE) in a mirror."""
    n_points = len(POINTS)
    points = shapes[..., : 2 * n_points].reshape(*shapes.shape[:-1], n_points, 2)[..., _MIRROR, :]
    points = points * np.array([-1, 1], np.float32)
    rest = shapes[..., 2 * n_points : N_SHAPE] * np.array([1, 1, -1, 1, 1], np.float32)
    return np.concatenate([points.reshape(*shapes.shape[:-1], 2 * n_points), rest], axis=-1)


def _draw_frames(take: Take, rng: Rng) -> NDArray[np.int64]:
    """Choose frames of a take: every one, or every second or third, some lost, from somewhere on."""
    frames = np.flatnonzero(take.film.seen)
    stride = int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))
    kept = frames[::stride][rng.random(len(frames[::stride])) > rng.choice([0.0, 0.0, 0.1])]
    kept = kept if len(kept) >= N_FRAMES else frames
    start = int(rng.integers(max(1, len(kept) - N_FRAMES + 1)))
    return np.resize(kept[start : start + N_FRAMES], N_FRAMES)


def _shares(takes: Sequence[Take]) -> NDArray[np.float64]:
    """Return how often takes are drawn: real ones are few, sketched ones many."""
    groups = np.array([list(SHARES).index(take.way) for take in takes])
    shares = np.array(list(SHARES.values()))[groups] / np.bincount(groups, minlength=3)[groups]
    probabilities: NDArray[np.float64] = shares / shares.sum()
    return probabilities


def _cut(steps: NDArray[np.float16], at: NDArray[np.int64]) -> Float32Array:
    cut: Float32Array = steps[np.minimum(at, len(steps) - 1)].astype(np.float32)
    return cut
