"""How much can be seen of a face."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from hearing.vision.head import Head
from hearing.vision.landmarks import Landmarks

LARGE = 60.0
"""Pixels from hairline to chin above which size does not matter."""
SHARP = 0.02
"""Power of the Laplacian, relative to the picture's variance, of a sharp face."""
TURNED = math.radians(60.0)
"""Nothing can be said about the mouth of a head that is turned by this angle."""


def quality_of(grey: NDArray[np.uint8], landmarks: Landmarks, head: Head) -> float:
    """Judge a face.

    Parameters
    ----------
    grey
        The picture, of shape (height, width).
    landmarks
        Where the face is, and how sure that is.
    head
        Its size and angles.

    Returns
    -------
    Product of the score with shares from 0 to 1 for size, sharpness, angle, and what is inside the picture.
    """
    box, (height, width) = landmarks.box, grey.shape
    left, top = np.clip(np.floor(box[:2]), 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(box[2:]), 0, (width, height)).astype(int)
    crop = grey[top:bottom, left:right]
    if min(crop.shape) < 3:
        return 0.0
    inside = crop.size / float(np.prod(box[2:] - box[:2] + 1))
    angle = math.acos(math.cos(head.yaw) * math.cos(head.pitch))
    shares = (head.size / LARGE, sharpness(crop) / SHARP, inside, math.cos(min(angle / TURNED, 1.0) * math.pi / 2))
    return landmarks.score * math.prod(min(1.0, share) for share in shares)


def sharpness(grey: NDArray[np.uint8]) -> float:
    """Return the power of the Laplacian of a picture, smoothed against noise, relative to its variance.

    What is larger than needed is made smaller before: large faces may be blurred by more pixels.
    """
    scale = min(1.0, LARGE / max(grey.shape))
    size = (max(3, round(scale * grey.shape[1])), max(3, round(scale * grey.shape[0])))
    smooth = cv2.GaussianBlur(cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32), (0, 0), 1.0)
    return float(cv2.Laplacian(smooth, cv2.CV_32F).var() / max(float(smooth.var()), 1.0))
