"""How mouths move: what phones and sounds make of them, and what they do besides talking.

All curves are sampled at `RATE`; openings go from 0 (closed) to 1 (widest), widths from -1 (rounded) to 1 (spread).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hearing_datasets import Phone
from hearing_sim.faces.mouth import SHAPES, VISEMES
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from hearing.types import SAMPLE_RATE, Float32Array
from hearing.voices.fbank import FilterBank

FloatArray = NDArray[np.float64]
Rng = np.random.Generator

RATE = 100
"""Samples of a curve per second."""
SILENCE = 0
"""Class of frames in which nothing is said; the visemes follow in the order of `VISEMES`."""
N_CLASSES = 1 + len(VISEMES)
_CLASS = {phone: 1 + n for n, phones in enumerate(VISEMES.values()) for phone in phones.split()}
_CONTEXT = np.arange(-14, 15, 2)
"""Frames of sound, 10 ms each, around the moment at which a mouth is imitated."""


@dataclass(slots=True, eq=False)
class Motion:
    """What a mouth does: opening, width and smile, each of shape (n_samples,)."""

    opening: FloatArray
    width: FloatArray
    smile: FloatArray

    @classmethod
    def rest(cls, n_samples: int) -> Motion:
        """Keep a mouth closed."""
        return cls(*np.zeros((3, n_samples)))

    def add(self, other: Motion, start: int) -> None:
        """Do something else as well, from a sample on; what does not fit in is dropped."""
        for mine, others in zip(self.curves(), other.curves(), strict=True):
            kept = others[max(0, -start) : max(0, len(mine) - start)]
            mine[max(0, start) : max(0, start) + len(kept)] += kept

    def curves(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return all three."""
        return self.opening, self.width, self.smile


def viseme_classes(phones: Sequence[Phone], n_samples: int) -> NDArray[np.int64]:
    """Return which viseme is said at every sample, of shape (n_samples,)."""
    classes = np.full(n_samples, SILENCE)
    for phone in phones:
        classes[round(phone.start * RATE) : round(phone.end * RATE)] = _CLASS.get(phone.phone, SILENCE)
    return classes


def say(phones: Sequence[Phone], n_samples: int, rng: Rng) -> Motion:
    """Say phones, in seconds from the start, as one of many people would.

    People open their mouths differently wide, hurry over short phones, are early or late by a few hundredths of a
    second, and blend neighbours more or less; closed lips are closed all the same.
    """
    shapes = np.array([SHAPES.get(phone.phone, (0.3, 0.0)) for phone in phones])
    effort = np.exp(rng.normal(-0.25, 0.35))
    shapes = shapes * np.exp(0.25 * rng.standard_normal((len(shapes), 1))) * np.clip([effort, effort + 0.2], 0.3, 1.3)
    durations = np.array([phone.end - phone.start for phone in phones])
    shapes *= np.sqrt(np.clip(durations / rng.uniform(0.05, 0.1), 0.3, 1.0))[:, None]
    lead, late = rng.uniform(0.0, 0.08), rng.normal(0.0, rng.uniform(0.0, 0.02), len(phones))
    knots, values = [phones[0].start - lead - rng.uniform(0.08, 0.2)], [np.zeros(2)]
    for phone, shape, shift in zip(phones, shapes, late, strict=True):
        if phone.start - lead - knots[-1] > 0.3:  # a pause: the mouth closes
            knots += [knots[-1] + 0.12, phone.start - lead - 0.1]
            values += [np.zeros(2), np.zeros(2)]
        middle = (phone.start + phone.end) / 2 - lead + shift
        if middle > knots[-1] + 0.01:
            knots.append(middle)
            values.append(shape)
    knots.append(max(phones[-1].end - lead, knots[-1]) + rng.uniform(0.08, 0.25))
    values.append(np.zeros(2))
    times = np.clip(np.arange(n_samples) / RATE, knots[0], knots[-1])
    curve = gaussian_filter1d(PchipInterpolator(knots, np.array(values))(times), rng.uniform(1.5, 4.5), axis=0)
    return Motion(np.clip(curve[:, 0], 0, 1.2), curve[:, 1], np.zeros(n_samples))


@dataclass(frozen=True, slots=True, eq=False)
class Imitation:
    """Ridge regression from sound to the mouth that made it, fitted to filmed talkers.

    Attributes
    ----------
    weights
        Of shape (n_inputs, 2), for opening and width.
    spread
        Standard deviation of what it gives, of shape (2,), and of what was filmed, of shape (2,).
    """

    weights: FloatArray
    spread: tuple[FloatArray, FloatArray]

    @classmethod
    def fit(cls, sounds: Sequence[Float32Array], motions: Sequence[Motion]) -> Imitation:
        """Learn from sounds at 16 kHz and what was seen meanwhile."""
        heard = np.concatenate([_context(s, len(m.opening)) for s, m in zip(sounds, motions, strict=True)])
        seen = np.concatenate([np.stack([m.opening, m.width], axis=1) for m in motions])
        gram = heard.T @ heard + 0.02 * len(heard) * np.eye(heard.shape[1])
        weights = np.linalg.solve(gram, heard.T @ seen)
        return cls(weights, ((heard @ weights).std(axis=0), seen.std(axis=0)))

    def move(self, sound: Float32Array, n_samples: int, rng: Rng) -> Motion:
        """Move a mouth to a sound, with an effort and errors that differ every time."""
        lead = round(rng.uniform(-0.01, 0.04) * RATE)
        curve = np.roll(_context(sound, n_samples) @ self.weights, -lead, axis=0)
        given, filmed = self.spread
        curve = curve * np.clip(filmed / (given + 1e-6), 1.0, 2.0) * np.exp(rng.normal(-0.1, 0.3))
        curve += 0.3 * filmed * np.stack([drift(n_samples, 4.0, rng) for _ in range(2)], axis=1)
        curve = gaussian_filter1d(curve, rng.uniform(1.0, 3.0), axis=0)
        return Motion(np.clip(curve[:, 0], 0, 1.2), np.clip(curve[:, 1], -1, 1), np.zeros(n_samples))


def _context(sound: Float32Array, n_samples: int) -> FloatArray:
    """Return what is heard around every sample, of shape (n_samples, n_inputs), relative to the whole sound."""
    mel = FilterBank().process(np.pad(sound, (200, SAMPLE_RATE)))[:n_samples].astype(np.float64)
    mel = np.pad(mel, ((0, n_samples - len(mel)), (0, 0)), mode="edge").reshape(n_samples, 20, 4).mean(axis=2)
    mel = np.maximum(mel, np.quantile(mel, 0.95) - 9.0)
    mel = (mel - mel.mean(axis=0)) / (mel.std(axis=0) + 0.3)
    index = np.clip(np.arange(n_samples)[:, None] + _CONTEXT, 0, n_samples - 1)
    return np.column_stack([mel[index].reshape(n_samples, -1), np.ones(n_samples)])


def chew(n_samples: int, rng: Rng) -> Motion:
    """Chew, with lips closed or not, sideways or not, with rests."""
    rate = rng.uniform(0.9, 2.2) * np.exp(0.15 * drift(n_samples, 0.7, rng))
    phase = 2 * np.pi * np.cumsum(rate) / RATE
    strength = np.clip(0.8 + 0.5 * drift(n_samples, rng.uniform(0.2, 0.8), rng), 0.0, 1.5)
    opening = strength * rng.uniform(0.05, 0.4) * np.maximum(np.sin(phase) + rng.uniform(-0.3, 0.6), 0.0)
    width = strength * rng.uniform(0.0, 0.3) * np.sin(phase * rng.choice([0.5, 1.0]) + rng.uniform(0, 6))
    return Motion(np.clip(opening, 0, 1), width, np.zeros(n_samples))


def smile(n_samples: int, rng: Rng) -> Motion:
    """Smile for a while, with closed lips or laughing."""
    smiling = np.clip(0.6 * drift(n_samples, rng.uniform(0.2, 0.8), rng) + rng.uniform(-0.2, 0.5), 0, 1)
    opening = rng.choice([0.0, 0.3]) * smiling**2
    return Motion(opening * (1 + 0.2 * drift(n_samples, 3.0, rng)), np.zeros(n_samples), smiling)


def yawn(n_samples: int, rng: Rng) -> Motion:
    """Yawn once or more."""
    times, long = np.arange(n_samples) / RATE, rng.uniform(0.7, 1.6)
    middles = np.arange(rng.uniform(0.5, 3.0), times[-1] + 2, rng.uniform(4, 9))
    opening = rng.uniform(0.6, 1.1) * np.exp(-(((times[:, None] - middles) / long) ** 4)).sum(axis=1)
    return Motion(opening, -0.3 * opening, np.zeros(n_samples))


def fidget(n_samples: int, rng: Rng) -> Motion:
    """Press, purse and part the lips now and then, breathe through the mouth."""
    parted = rng.uniform(0, 0.12) * np.clip(drift(n_samples, 0.3, rng), 0, 2)
    pursed = 0.8 * np.clip(drift(n_samples, rng.uniform(0.3, 1.0), rng) - 0.8, -0.3, 1)
    return Motion(parted, pursed, np.zeros(n_samples))


def rest(n_samples: int, rng: Rng) -> Motion:
    """Do nothing; a mouth is never quite still."""
    return Motion(
        np.clip(0.02 * drift(n_samples, 1.0, rng), 0, 1), 0.05 * drift(n_samples, 0.5, rng), np.zeros(n_samples)
    )


GESTURES = {"chewing": chew, "smiling": smile, "yawning": yawn, "fidgeting": fidget, "resting": rest}
"""What mouths do besides talking."""


def drift(n_samples: int, rate: float, rng: Rng) -> FloatArray:
    """Smooth noise of about unit power that changes `rate` times per second."""
    spread = RATE / rate / 2
    margin = int(np.ceil(3 * spread))
    noise = gaussian_filter1d(rng.standard_normal(n_samples + 2 * margin), spread)[margin : margin + n_samples]
    curve: FloatArray = np.clip(noise * np.sqrt(2 * np.sqrt(np.pi) * spread), -2.5, 2.5)
    return curve
