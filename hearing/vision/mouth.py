"""Pictures of mouths that can be compared: level, of one size, of one brightness."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hearing.vision.head import CORNERS, Head

HEIGHT, WIDTH = 48, 64
SHARE = 0.45
"""Of the face's height that the picture is wide: 8 cm, the mouth about two thirds of it."""
LOWERED = 0.03
"""Of the face's height by which the picture's middle is below the corners of the mouth: mouths open downwards."""


def mouth_picture(grey: NDArray[np.uint8], points: NDArray[np.float64], head: Head) -> NDArray[np.float32]:
    """Cut out a mouth.

    Parameters
    ----------
    grey
        The picture, of shape (height, width).
    points
        Landmarks in it, of shape (468, 3).
    head
        What they say about the head.

    Returns
    -------
    Float32 of shape (48, 64) with mean 0 and standard deviation 1, or 0 where there is nothing but one shade.
    """
    scale = SHARE * head.size / WIDTH
    cos, sin = scale * np.cos(head.roll), scale * np.sin(head.roll)
    turn = np.array([[cos, -sin], [sin, cos]])
    x, y = points[CORNERS, :2].mean(axis=0)
    down = LOWERED * head.size
    middle = np.array([x - down * np.sin(head.roll), y + down * np.cos(head.roll)])
    to_image = np.column_stack([turn, middle - turn @ [(WIDTH - 1) / 2, (HEIGHT - 1) / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(grey, to_image, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    shades = crop.astype(np.float32)
    shades -= shades.mean()
    return shades / max(float(shades.std()), 1.0)
