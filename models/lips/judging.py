"""How well the networks do on unseen people: windows of takes, judged by what is exported.

Windows of five lengths begin every 0.25 s. One speaks if its mouth does in more than 80 % of it, and does not if in
less than 20 %. Wrong sounds are other talkers', the mouth's own too early or late by 160 to 600 ms, the same words read
by somebody else, and what somebody says whom a mouth that chews, smiles or yawns does not belong to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from hearing_models.lips.examples import at_times, sequence_features
from hearing_models.lips.export import LipStep, SoundStep
from hearing_models.lips.network import silence
from hearing_models.lips.sounds import VARIANTS
from hearing_models.lips.takes import Take
from numpy.typing import NDArray

from hearing.types import Float32Array
from hearing.vision.synchrony import N_POINT, READ_LATE, word_agreement
from hearing.vision.visemes import N_VISEMES, STEP

FloatArray = NDArray[np.float64]

WINDOWS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Seconds."""
WRONG = ("other", "shifted", "reread", "gesture")
_SPEAKS, _SILENT = 0.8, 0.2
_OTHERS = 3
_HOP, _WARM_UP = 0.25, 0.4
_Row = tuple[float, float, float, float, str, float]
"""Of `Windows`."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A take as the networks have it.

    Attributes
    ----------
    times, speaks
        Of its frames in seconds, and whether the mouth speaks, of shape (n_frames,).
    likely
        Logits of speaking, of shape (n_frames,).
    lips, sounds
        Embeddings, of shape (n_frames, D) and (VARIANTS + 1, n_steps, D).
    said
        Visemes that the recognized words need, at the steps of sound, of shape (n_steps, N_VISEMES).
    talking
        Whether the talker talks at the steps of sound, of shape (n_steps,).
    kind
        Of the take.
    """

    times: FloatArray
    speaks: FloatArray
    likely: FloatArray
    lips: FloatArray
    sounds: FloatArray
    said: FloatArray
    talking: FloatArray
    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Windows, n of them, each of shape (n,).

    Attributes
    ----------
    points, seconds, words, spoken
        What lips and sounds, and lips and words agree by, see `SyncLikelihood`.
    kind
        `own`, or one of `WRONG`.
    length
        One of `WINDOWS`.
    """

    points: FloatArray
    seconds: FloatArray
    words: FloatArray
    spoken: FloatArray
    kind: NDArray[np.str_]
    length: FloatArray

    @property
    def own(self) -> NDArray[np.bool_]:
        """Whether the mouth makes the sound."""
        own: NDArray[np.bool_] = self.kind == "own"
        return own

    def where(self, chosen: NDArray[np.bool_]) -> Windows:
        """Choose some."""
        return Windows(*(getattr(self, entry.name)[chosen] for entry in fields(self)))


@torch.no_grad()
def see(
    take: Take,
    heard: NDArray[np.float16],
    said: tuple[FloatArray, Float32Array],
    lips: LipStep,
    sound: SoundStep,
    fps: float = 30.0,
) -> Seen:
    """Run the networks on a take.

    Parameters
    ----------
    take, heard
        What is seen and heard, see `heard_takes`.
    said
        What lips do that say the words recognized in it, see `Spelling.expect`.
    lips, sound
        The networks.
    fps
        At most so many frames per second are seen.
    """
    film = take.film
    frames = np.flatnonzero(film.seen)
    ticks = np.floor(film.times[frames] * fps + 1e-6)
    frames = frames[np.diff(ticks, prepend=-1) > 0]
    features, _ = sequence_features(film.shapes[None, frames], film.times[None, frames])
    logits, points, visemes, _ = lips.network(torch.from_numpy(features), silence(lips.network, 1))
    shown = lips.embedding(points, visemes)
    sounds, _ = sound(torch.from_numpy(heard.astype(np.float32)), silence(sound.network, len(heard)))
    steps = (np.arange(sounds.shape[1]) + 1) * STEP
    return Seen(
        film.times[frames],
        at_times(take.speaking, film.times[frames], 0).astype(float),
        logits[0].double().numpy(),
        shown[0].double().numpy(),
        sounds.double().numpy(),
        _at_steps(*said, steps),
        at_times(take.speaking, steps, 0).astype(float),
        take.kind,
    )


def _at_steps(times: FloatArray, visemes: Float32Array, steps: FloatArray) -> FloatArray:
    """Return the visemes at steps of sound, 0 where none are said."""
    there = np.searchsorted(steps, times - STEP / 2)
    inside = there < len(steps)
    said = np.zeros((len(steps), N_VISEMES))
    said[there[inside]] = visemes[inside]
    return said


def speaking_scores(seen: Sequence[Seen], length: float) -> dict[str, FloatArray]:
    """Return mean logits of windows: of mouths that `speak`, that `rest`, and that do something else, by its name."""
    found: dict[str, list[float]] = {}
    for one in seen:
        for window in _windows(one, length):
            share = one.speaks[window].mean()
            if share > _SPEAKS:
                name = "speak"
            elif share < _SILENT:
                name = one.kind if one.kind in ("chewing", "smiling", "yawning", "fidgeting") else "rest"
            else:
                continue
            found.setdefault(name, []).append(float(one.likely[window].mean()))
    return {name: np.array(scores) for name, scores in found.items()}


def match_windows(seen: Sequence[Seen], seed: int = 0) -> Windows:
    """Compare mouths with their own and with wrong sounds in windows of all lengths."""
    rng = np.random.default_rng(seed)
    rows = [row for one in seen for length in WINDOWS for row in _compared(one, seen, length, rng)]
    return Windows(*(np.array(column) for column in zip(*rows, strict=True)))


def auc(positive: FloatArray, negative: FloatArray) -> float:
    """Return the probability that a positive score is above a negative one (Mann-Whitney)."""
    if not len(positive) or not len(negative):
        return float("nan")
    ordered = np.sort(negative)
    below, upto = np.searchsorted(ordered, positive, "left"), np.searchsorted(ordered, positive, "right")
    return float((below + upto).mean() / 2 / len(negative))


def _windows(one: Seen, length: float) -> Iterator[NDArray[np.int64]]:
    """Give the frames of windows that begin every `_HOP` seconds; nothing is known about a mouth in its first ones."""
    for start in np.arange(one.times[0] + _WARM_UP, one.times[-1] - length + STEP, _HOP):
        frames = np.flatnonzero((one.times >= start) & (one.times < start + length))
        if len(frames) > 1 and one.times[frames[-1]] - one.times[frames[0]] > 0.6 * length:
            yield frames


def _compared(one: Seen, everyone: Sequence[Seen], length: float, rng: np.random.Generator) -> Iterator[_Row]:
    gesture = not one.speaks.any()
    talkers = [other for other in everyone if other is not one and other.talking.any()]
    variant = int(rng.integers(VARIANTS))
    for frames in _windows(one, length):
        lips, times = one.lips[frames], one.times[frames]
        weight = np.diff(times, prepend=times[0] - STEP)

        def row(other: Seen, variant: int, moments: FloatArray, kind: str) -> _Row:
            points = weight @ (lips[:, :N_POINT] * _between(other.sounds[variant], moments)).sum(axis=1)  # noqa: B023
            # Whoever reads the same words does so at other times, which nobody wrote down.
            said = np.zeros_like(other.said) if variant == VARIANTS else other.said
            words, spoken = word_agreement(
                lips[:, N_POINT:].astype(np.float32),  # noqa: B023
                _between(said, moments - READ_LATE).astype(np.float32),
                weight,  # noqa: B023
            )
            return float(points), float(weight.sum()), words, spoken, kind, length  # noqa: B023

        if one.speaks[frames].mean() > _SPEAKS:
            yield row(one, variant, times, "own")
            shift = rng.choice([-1, 1]) * rng.uniform(0.16, 0.6)
            yield row(one, variant, times + shift, "shifted")
            yield row(one, VARIANTS, times, "reread")
        elif not gesture or rng.random() > 0.5:
            continue
        for _ in range(_OTHERS):
            other = talkers[int(rng.integers(len(talkers)))]
            begin = rng.uniform(STEP, max(len(other.talking) * STEP - length, 2 * STEP))
            moments = begin + times - times[0]
            heard = np.clip(np.round(moments / STEP).astype(int) - 1, 0, len(other.talking) - 1)
            if other.talking[heard].mean() > _SPEAKS:
                yield row(other, variant, moments, "gesture" if gesture else "other")


def _between(sounds: FloatArray, times: FloatArray) -> FloatArray:
    place = np.clip(times / STEP - 1, 0, len(sounds) - 1.001)
    whole = place.astype(int)
    share = (place - whole)[:, None]
    between: FloatArray = (1 - share) * sounds[whole] + share * sounds[whole + 1]
    return between
