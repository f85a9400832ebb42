"""Faces in a picture, near and far."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hearing.vision.networks import FACE_DETECTION, Network

FloatArray = NDArray[np.float64]
Image = NDArray[np.uint8]

_STRIDE = 4
"""Pixels of the network's picture between two places where a face may be."""


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """How to find faces.

    Attributes
    ----------
    min_score
        Probability that a face must reach.
    tile
        Side of the squares that are looked at one after the other, besides the whole picture, as a share of the
        picture's longer side; 1 to look at the whole only. Faces down to a fourteenth of a square are found.
    overlap
        What neighbouring squares have in common, as a share of the same: smaller faces are whole in one of them.
    max_overlap
        Intersection over union of two boxes from which on they are the same face.
    """

    min_score: float = 0.5
    tile: float = 0.5625
    overlap: float = 0.125
    max_overlap: float = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face that was found.

    Attributes
    ----------
    box
        Left, top, right, bottom in pixels: from the eyebrows to the chin.
    keypoints
        Pixels (x, y) of the eyes, the tip of the nose, the mouth, and the ears, of shape (6, 2); of two, first the one
        on the left of the picture.
    score
        Probability that it is a face.
    """

    box: FloatArray
    keypoints: FloatArray
    score: float

    @property
    def eyes(self) -> FloatArray:
        """Pixel (x, y) between the eyes."""
        return np.asarray(self.keypoints[:2].mean(axis=0))

    @property
    def mouth(self) -> FloatArray:
        """Pixel (x, y) of the mouth."""
        return np.asarray(self.keypoints[3])

    @property
    def roll(self) -> float:
        """By how many radians the face is turned clockwise in the picture."""
        x, y = self.keypoints[1] - self.keypoints[0]
        return math.atan2(y, x)


class FaceDetector:
    """Finds faces, each picture by itself.

    Parameters
    ----------
    config
        How to find them.

    Raises
    ------
    InputError
        If the network's file is not on this machine.
    """

    def __init__(self, config: DetectorConfig | None = None) -> None:
        self.config = config or DetectorConfig()
        self._network = Network(FACE_DETECTION)
        cells = (np.arange(self._network.size // _STRIDE) + 0.5) * _STRIDE
        self._anchors = np.stack(np.meshgrid(cells, cells), axis=-1).reshape(-1, 1, 2)

    def detect(self, image: Image) -> tuple[Detection, ...]:
        """Find the faces in a picture (blue, green, red) of shape (height, width, 3), surest first."""
        points, scores = zip(*(self._look(image, *tile) for tile in self._tiles(*image.shape[:2])), strict=True)
        return self._merge(np.concatenate(points), np.concatenate(scores))

    def _tiles(self, height: int, width: int) -> list[tuple[int, int, int]]:
        """List left, top and side of the squares to look at; the first one covers the whole picture."""
        whole = max(height, width)
        side, overlap = max(1, round(self.config.tile * whole)), round(self.config.overlap * whole)
        tops, lefts = _starts(height, side, overlap), _starts(width, side, overlap)
        tiles = [(left, top, side) for top in tops for left in lefts]
        return [(0, 0, whole), *tiles] if len(tiles) > 1 else tiles

    def _look(self, image: Image, left: int, top: int, side: int) -> tuple[FloatArray, FloatArray]:
        """Look at a square of a picture.

        Returns
        -------
        points
            Box as two corners, then key points, in pixels of the picture, of shape (n_faces, 8, 2).
        scores
            Of shape (n_faces,).
        """
        size = self._network.size
        tile = image[top : top + side, left : left + side]
        scale = size / side
        shape = (max(1, round(tile.shape[1] * scale)), max(1, round(tile.shape[0] * scale)))
        small = cv2.resize(tile, shape, interpolation=cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR)
        padded = np.full((size, size, 3), -1.0, np.float32)
        rgb = cv2.cvtColor(small, cv2.COLOR_BGR2RGB).astype(np.float32)
        padded[: shape[1], : shape[0]] = rgb / np.float32(127.5) - np.float32(1)
        raw, logits = self._network.run(padded)
        scores = 1 / (1 + np.exp(-np.clip(logits[:, 0].astype(np.float64), -50, 50)))
        keep = scores >= self.config.min_score
        faces = raw[keep].astype(np.float64).reshape(-1, 8, 2)
        centre, half = faces[:, :1], faces[:, 1:2] / 2
        points = np.concatenate([centre - half, centre + half, faces[:, 2:]], axis=1) + self._anchors[keep]
        return points / scale + (left, top), scores[keep]

    def _merge(self, points: FloatArray, scores: FloatArray) -> tuple[Detection, ...]:
        """Average what overlaps, weighted by score, as BlazeFace does."""
        found = []
        rest = np.argsort(-scores, kind="stable")
        while len(rest):
            overlap = overlaps(points[rest[0], :2].ravel(), points[rest, :2].reshape(-1, 4))
            same = rest[overlap > self.config.max_overlap]
            mean = np.average(points[same], axis=0, weights=scores[same])
            found.append(Detection(mean[:2].ravel(), mean[2:], float(scores[rest[0]])))
            rest = rest[overlap <= self.config.max_overlap]
        return tuple(found)


def areas(boxes: FloatArray) -> FloatArray:
    """Areas, of shape (...), of boxes (left, top, right, bottom) of shape (..., 4)."""
    return np.asarray(np.prod(np.maximum(boxes[..., 2:] - boxes[..., :2], 0.0), axis=-1))


def intersections(one: FloatArray, others: FloatArray) -> FloatArray:
    """Areas, of shape (...), that a box, of shape (4,), shares with others of shape (..., 4)."""
    first, last = np.maximum(one[:2], others[..., :2]), np.minimum(one[2:], others[..., 2:])
    return areas(np.concatenate([first, last], axis=-1))


def overlaps(one: FloatArray, others: FloatArray) -> FloatArray:
    """Intersection over union, of shape (...), of a box, of shape (4,), with others of shape (..., 4)."""
    common = intersections(one, others)
    return np.asarray(common / np.maximum(areas(one) + areas(others) - common, 1e-9))


def _starts(length: int, side: int, overlap: int) -> list[int]:
    """Spread tiles evenly over a length so that neighbours share at least `overlap` pixels."""
    if length <= side:
        return [0]
    count = 1 + math.ceil((length - side) / max(1, side - overlap))
    return [round(start) for start in np.linspace(0, length - side, count)]
