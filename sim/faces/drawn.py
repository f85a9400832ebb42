"""A drawn face, for machines without the photographs of the data kit."""

from __future__ import annotations

import cv2
import numpy as np
from hearing_sim.faces.photo import Expression, Patch

Pair = tuple[float, float]


class DrawnFace:
    """A cartoon of a face whose mouth, lids and head move.

    Parameters
    ----------
    rng
        Source of skin, hair and shirt.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        tone = rng.uniform(0.55, 1.0)
        self._skin = tuple(int(value * tone) for value in (170, 195, 235))
        self._hair = tuple(int(value) for value in rng.integers(20, 90, 3))
        self._shirt = tuple(int(value) for value in rng.integers(60, 210, 3))

    def show(self, expression: Expression, face_height: float) -> Patch:
        """Show the face with an expression, so many pixels high from hairline to chin."""
        h = face_height
        size = max(8, round(3.2 * h))
        image = np.zeros((size, size, 4), dtype=np.uint8)
        x, y = size / 2, 0.42 * size
        shift = 0.25 * h * np.sin(expression.turn)

        def ellipse(
            at: tuple[float, float], axes: tuple[float, float], colour: tuple[int, ...], start: int = 0
        ) -> None:
            centre, half = tuple(round(16 * v) for v in at), tuple(max(1, round(16 * v)) for v in axes)
            cv2.ellipse(image, centre, half, 0, start, 360, (*colour, 255), -1, cv2.LINE_AA, 4)

        ellipse((x, size), (0.44 * size, 0.32 * size), self._shirt, 180)
        ellipse((x, y + 0.6 * h), (0.17 * h, 0.45 * h), self._skin)
        ellipse((x, y - 0.12 * h), (0.46 * h, 0.58 * h), self._hair)
        ellipse((x + 0.3 * shift, y), (0.38 * h, 0.5 * h + 0.06 * h * expression.opening), self._skin)
        for side in (-1, 1):
            eye = (x + shift + side * 0.16 * h, y - 0.08 * h)
            ellipse(eye, (0.07 * h, 0.035 * h * (1 - 0.9 * expression.blink)), (245, 245, 245))
            ellipse(eye, (0.03 * h, 0.03 * h * (1 - 0.9 * expression.blink)), (50, 40, 30))
        mouth = (x + shift, y + 0.25 * h)
        broad = 0.13 * h * (1 + 0.3 * expression.width + 0.3 * expression.smile)
        ellipse(mouth, (broad, 0.025 * h + 0.08 * h * expression.opening), (90, 90, 180))
        if expression.opening > 0.02:
            ellipse(mouth, (0.85 * broad, 0.08 * h * expression.opening), (30, 20, 50))
        return Patch(image, mouth, (x - 0.38 * h, y - 0.5 * h, 0.76 * h, h))
