"""A head from its landmarks: place, size, where it faces, how far its mouth is open.

A rigid face is laid over the landmarks that neither jaw nor brows move, by the similarity transform of least squares
(Umeyama, 1991, Least-squares estimation of transformation parameters between two point patterns, eq. 38-42).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from hearing.fitted import read_fitted

FloatArray = NDArray[np.float64]

HEIGHT = 0.175
"""Metres from hairline to chin of an adult's face whose mouth is closed: the eyes are 65 mm apart then. Adults differ
by 5 %, and so do distances; directions hardly, as long as the camera is near the array."""
FACING = "facing.json"
"""Beside the face encoder's weights."""
WIDTH = 0.825
"""From cheek to cheek, as a share of the height."""

# The rigid face: the mean of 102 photographs of neutral faces (Face Research Lab London Set), made symmetrical. The
# unit is the height of the face, the origin its middle; x to the right of the picture, y down, z away from the camera.
_SIDES = {  # landmark on the right side of the face, its mirror image, and the place of the latter
    (33, 263): (0.269, -0.170, 0.021),  # eyes
    (133, 362): (0.105, -0.164, -0.011),
    (127, 356): (0.412, -0.124, 0.319),  # temples
    (234, 454): (0.407, -0.036, 0.341),
    (98, 327): (0.095, 0.083, -0.107),  # nostrils
    (103, 332): (0.297, -0.434, 0.044),  # forehead
    (109, 338): (0.113, -0.495, -0.058),
    (50, 280): (0.286, 0.027, -0.026),  # cheekbones
}
_MIDDLE = {
    10: (0.0, -0.500, -0.067),
    9: (0.0, -0.298, -0.117),
    168: (0.0, -0.205, -0.110),
    6: (0.0, -0.163, -0.138),
    195: (0.0, -0.085, -0.204),
    4: (0.0, 0.007, -0.257),
    2: (0.0, 0.092, -0.156),
}
_RIGID = [*(right for right, _ in _SIDES), *(left for _, left in _SIDES), *_MIDDLE]
_TEMPLATE = np.array([*((-x, y, z) for x, y, z in _SIDES.values()), *_SIDES.values(), *_MIDDLE.values()])
_CENTRE = _TEMPLATE.mean(axis=0)
_CENTRED = _TEMPLATE - _CENTRE
_EYES = (33, 263)
_UPPER_LIP, _LOWER_LIP = [82, 13, 312], [87, 14, 317]
LIPS, CORNERS = [13, 14], [61, 291]
"""Landmarks in the middle of the inner lips, and of the corners of the mouth."""


@dataclass(frozen=True, slots=True)
class Head:
    """A head in a picture.

    Attributes
    ----------
    x, y
        Pixels of the middle of the face.
    size
        Pixels from hairline to chin if the mouth were closed and the face turned to the camera.
    yaw, pitch, roll
        Radians relative to the line of sight to the camera: to the person's left, down, and clockwise in the picture.
    opening
        Gap between the inner lips as a share of the size.
    """

    x: float
    y: float
    size: float
    yaw: float
    pitch: float
    roll: float
    opening: float

    @property
    def place(self) -> FloatArray:
        """Pixels of the middle, and logarithm of the size, of shape (3,)."""
        return np.array([self.x, self.y, np.log(self.size)])


def head_of(points: FloatArray) -> Head:
    """Measure a head by its landmarks of shape (468, 3)."""
    rigid = points[_RIGID]
    middle = rigid.mean(axis=0)
    rotation, size = _similarity(_CENTRED, rigid - middle)
    x, y, _ = middle - size * rotation @ _CENTRE
    out_of_face = -rotation[:, 2]
    right, left = points[_EYES[0]], points[_EYES[1]]
    gaps = np.linalg.norm(points[_UPPER_LIP] - points[_LOWER_LIP], axis=1)
    return Head(
        x=float(x),
        y=float(y),
        size=size,
        yaw=float(np.arctan2(out_of_face[0], -out_of_face[2])),
        pitch=float(np.arcsin(np.clip(out_of_face[1], -1.0, 1.0))),
        roll=float(np.arctan2(left[1] - right[1], left[0] - right[0])),
        opening=float(gaps.mean()) / size,
    )


def _similarity(source: FloatArray, target: FloatArray) -> tuple[FloatArray, float]:
    """Return the rotation of shape (3, 3) and the scale that lay points of shape (n, 3) over others; both centred."""
    left, values, right = np.linalg.svd(target.T @ source)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation: FloatArray = left * signs @ right
    return rotation, max(float((values * signs).sum() / (source**2).sum()), 1e-6)


@dataclass(frozen=True, slots=True)
class Facing:
    """Whether somebody looks at the camera: a fitted logistic regression on how far the head is turned away.

    Attributes
    ----------
    angle, spread
        Radians away at which one is as likely to look as not, and over which the odds fall by a factor of e.
    share
        How much nodding counts against turning.
    level
        Pitch in radians of those who look.
    """

    angle: float
    spread: float
    share: float
    level: float

    @classmethod
    def beside(cls, weights: Path) -> Facing:
        """Read what the fit (`hearing_models.faces.facing`) has written into the folder of the face encoder's weights.

        Raises
        ------
        InputError
            If the file is missing or damaged.
        """
        return read_fitted(
            weights / FACING,
            lambda record: cls(*(float(record["fit"][name]) for name in cls.__dataclass_fields__)),
            "calibration of looks",
        )

    def log_odds(self, yaw: FloatArray, pitch: FloatArray) -> FloatArray:
        """Return the log odds of looking at the camera for angles of heads in radians, of any shape."""
        away = np.hypot(yaw, self.share * (np.asarray(pitch) - self.level))
        odds: FloatArray = (self.angle - away) / self.spread
        return odds


def facing_probability(yaw: float, pitch: float) -> float:
    """Return the probability that somebody looks at the camera, by where the head faces, see `Head`."""
    return float(expit(_facing().log_odds(np.asarray(yaw), np.asarray(pitch))))


@cache
def _facing() -> Facing:
    return Facing.beside(Path(str(resources.files("hearing_models"))) / "faces" / "weights")
