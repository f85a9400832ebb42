"""Faces made of numbers: rigid landmarks where an average face has them, lips on two ellipses."""

import numpy as np

from hearing.types import Direction
from hearing.vision.face import Face
from hearing.vision.head import _RIGID, _TEMPLATE
from hearing.vision.lips import POINTS

SIZE, PLACE = 90.0, np.array([320.0, 240.0, 0.0])


def landmarks(opening, width=0.15):
    """Landmarks, of shape (468, 3), of a mouth whose gap is a share of the height of the face."""
    points = np.random.default_rng(1).normal(0, 0.2, (468, 3))
    points[_RIGID] = _TEMPLATE
    angle = np.pi + 2 * np.pi * np.arange(20) / 20
    for ring, (half, thick) in enumerate(((width, 0.045), (0.8 * width, 0.0))):
        lips = np.stack([half * np.cos(angle), -(thick + opening / 2) * np.sin(angle)], axis=1)
        points[list(POINTS[20 * ring : 20 * ring + 20])] = np.column_stack(
            [lips + np.array([0.0, 0.2]), np.full(20, -0.15)]
        )
    points[list(POINTS[40:]), 1] = 0.45 + opening
    return SIZE * points + PLACE


def face_of(name, time, opening):
    """A face whose mouth is open so far, or is not seen at all."""
    seen = opening is not None
    points = landmarks(opening) if seen else None
    mouth = picture(opening) if seen else None
    return Face(
        name, time, (280, 195, 75, 90), Direction(0.0), 1.5, 0, 0, 1.0, opening or 0.0, points, mouth, float(seen)
    )


def picture(opening):
    """A dark gap between lips on skin, of shape (48, 64)."""
    y, x = np.mgrid[-1:1:48j, -1:1:64j]
    inside = (x / 0.6) ** 2 + (y / (0.02 + 6 * opening)) ** 2 < 1
    lips = (x / 0.7) ** 2 + (y / (0.25 + 6 * opening)) ** 2 < 1
    shades = 1.0 - 0.6 * lips - 1.0 * inside
    return ((shades - shades.mean()) / shades.std()).astype(np.float32)


def talk(n_frames, fps=25.0, seed=0):
    """Openings of a mouth that talks: about five syllables a second, unlike each other."""
    rng = np.random.default_rng(seed)
    knots = np.arange(0, n_frames / fps + 1, 0.1)
    heights = np.where(
        np.arange(len(knots)) % 2, rng.uniform(0.02, 0.12, len(knots)), rng.uniform(0.0, 0.02, len(knots))
    )
    return np.interp(np.arange(n_frames) / fps, knots, heights)
