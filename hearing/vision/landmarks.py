"""The points of a face: its outline, eyes, nose and lips, in three dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hearing.vision.networks import FACE_LANDMARKS, Network

FloatArray = NDArray[np.float64]
Image = NDArray[np.uint8]

N_LANDMARKS = 468


@dataclass(frozen=True, slots=True)
class Region:
    """A square of a picture that holds a face.

    Attributes
    ----------
    x, y
        Its middle in pixels.
    side
        Its length in pixels; a face fills two thirds of it.
    roll
        By how many radians the face is turned clockwise in the picture.
    """

    x: float
    y: float
    side: float
    roll: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """The points of a face.

    Attributes
    ----------
    points
        Pixels to the right, down, and away from the camera relative to the middle of the head, of shape (468, 3).
    score
        Probability that it is a face.
    """

    points: FloatArray
    score: float

    @property
    def box(self) -> FloatArray:
        """Left, top, right, bottom in pixels, of shape (4,)."""
        return np.concatenate([self.points[:, :2].min(axis=0), self.points[:, :2].max(axis=0)])


class FaceLandmarks:
    """Finds the landmarks of a face whose place is roughly known, each picture by itself.

    Raises
    ------
    InputError
        If the network's file is not on this machine.
    """

    def __init__(self) -> None:
        self._network = Network(FACE_LANDMARKS)

    def find(self, image: Image, region: Region) -> Landmarks:
        """Find the landmarks in a region of a picture (blue, green, red) of shape (height, width, 3)."""
        size = self._network.size
        to_image = _from_crop(region, size)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(image, to_image, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        rgb = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB).astype(np.float32) / np.float32(255)
        raw, logit = self._network.run(rgb)
        points = raw.reshape(N_LANDMARKS, 3).astype(np.float64)
        points[:, :2] = points[:, :2] @ to_image[:, :2].T + to_image[:, 2]
        points[:, 2] *= region.side / size
        return Landmarks(points, 1 / (1 + float(np.exp(-logit.ravel()[0]))))


def _from_crop(region: Region, size: int) -> FloatArray:
    """Map, of shape (2, 3), from pixels of the network's picture to those of the whole one."""
    scale = region.side / size
    cos, sin = scale * np.cos(region.roll), scale * np.sin(region.roll)
    turn = np.array([[cos, -sin], [sin, cos]])
    middle = turn @ np.full(2, (size - 1) / 2)
    return np.column_stack([turn, np.array([region.x, region.y]) - middle])
