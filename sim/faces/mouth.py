"""Mouths: how far they open and how wide they are while something is said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hearing_datasets import Phone
from hearing_sim.talkers import PlacedTurn
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from hearing.types import SAMPLE_RATE

FloatArray = NDArray[np.float64]

LEAD = 0.04
"""Seconds by which the mouth is ahead of the sound it shapes."""
SMOOTHING = 0.025
"""Standard deviation in seconds of the smoothing that stands for coarticulation."""
CONTROL_RATE = 100.0

VISEMES = {
    (1.0, 0.0): "AA",
    (0.85, 0.25): "AE AY",
    (0.6, 0.1): "AH EH AW",
    (0.7, -0.45): "AO OW OY",
    (0.5, 0.4): "EY",
    (0.35, -0.3): "ER R",
    (0.35, 0.35): "IH IY Y",
    (0.3, -0.75): "UH UW W",
    (0.0, 0.0): "B M P",
    (0.07, 0.1): "F V",
    (0.2, 0.0): "TH DH T D N L S Z",
    (0.22, -0.35): "SH ZH CH JH",
    (0.3, 0.0): "K G NG HH",
}
"""Opening (0 closed, 1 widest) and width (-1 rounded, 1 spread) of the visemes, with their ARPAbet phones."""
SHAPES = {phone: shape for shape, phones in VISEMES.items() for phone in phones.split()}
"""Opening and width by phone."""


def mouth_track(turn: PlacedTurn, times: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return opening and width of a mouth that says a turn, at times in seconds, of shape (n_times, 2).

    The phones' visemes lead; each is said a little differently every time. Without phones the mouth opens with the
    sound's envelope.
    """
    phones = [phone for word in turn.words for phone in word.phones]
    track = _from_phones(phones, times, rng) if phones else _from_envelope(turn, times)
    outside = (times < turn.start - 2 * LEAD) | (times > turn.end + 2 * LEAD)
    track[outside] = 0.0
    return track


def _from_phones(phones: Sequence[Phone], times: FloatArray, rng: np.random.Generator) -> FloatArray:
    shapes = np.array([SHAPES.get(phone.phone, (0.3, 0.0)) for phone in phones])
    # Vowels differ between two sayings, closed lips do not.
    shapes = shapes * np.clip(1 + 0.2 * rng.standard_normal(len(shapes)), 0.5, 1.4)[:, None] * rng.uniform(0.75, 1.1)
    knots, values = [phones[0].start - 0.12], [np.zeros(2)]
    for phone, shape in zip(phones, shapes, strict=True):
        if phone.start - knots[-1] > 0.25:  # a pause: the mouth closes
            knots += [knots[-1] + 0.1, phone.start - 0.08]
            values += [np.zeros(2), np.zeros(2)]
        middle = (phone.start + phone.end) / 2
        if middle > knots[-1] + 0.005:
            knots.append(middle)
            values.append(shape)
    knots.append(max(phones[-1].end, knots[-1]) + 0.12)
    values.append(np.zeros(2))
    fine = np.arange(knots[0] - 0.2, knots[-1] + 0.2, 1 / CONTROL_RATE)
    curve = PchipInterpolator(knots, np.array(values))(np.clip(fine, knots[0], knots[-1]))
    curve = gaussian_filter1d(curve, SMOOTHING * CONTROL_RATE, axis=0)
    return np.stack([np.interp(times + LEAD, fine, column, left=0.0, right=0.0) for column in curve.T], axis=1)


def _from_envelope(turn: PlacedTurn, times: FloatArray) -> FloatArray:
    hop = round(SAMPLE_RATE / CONTROL_RATE)
    frames = turn.samples[: len(turn.samples) // hop * hop].reshape(-1, hop)
    level = gaussian_filter1d(np.sqrt(np.mean(frames**2, axis=1)), SMOOTHING * CONTROL_RATE)
    opening = np.clip(level / max(float(np.quantile(level, 0.95)), 1e-9), 0, 1) ** 0.7
    fine = turn.onset / SAMPLE_RATE + np.arange(len(opening)) / CONTROL_RATE
    opened = np.interp(times + LEAD, fine, opening, left=0.0, right=0.0)
    return np.stack([opened, np.zeros_like(opened)], axis=1)
