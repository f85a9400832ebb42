"""Face photographs that move: landmarks, a cut-out person, and a warp that opens the mouth and turns the head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import Delaunay

from hearing.console import hushed
from hearing.errors import InputError

FloatArray = NDArray[np.float64]
Image = NDArray[np.uint8]

FACE_HEIGHT = 0.185
"""Metres from the hairline (landmark 10) to the chin (landmark 152) of an adult."""
WIDEST_MOUTH = 0.16
"""Opening of the widest mouth, as a share of the face's height."""
MOST_TURNED = np.radians(28.0)
"""A photograph shows no more of a turned head; it is turned so far at most."""
RELIEF = 0.7
"""Share of the true depth with which a head is turned: the full one would fold the far cheek over the background."""
SHUT = 0.88
"""How far lids close in a blink; lids that met would leave the eye's picture no place to go."""
USUAL_SHADE, SHADES = 130.0, (0.4, 1.1)
"""Median of a face's levels, of 255, in which mouths have their colours, and shares between which they are shaded."""

# Landmarks of MediaPipe's face mesh.
TOP, CHIN = 10, 152
INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
_OUTER_LOWER = (146, 91, 181, 84, 17, 314, 405, 321, 375)
_OUTER_UPPER = (185, 40, 39, 37, 0, 267, 269, 270, 409)
_CORNERS = (61, 291, 78, 308)
_UPPER_LIDS = (246, 161, 160, 159, 158, 157, 173, 466, 388, 387, 386, 385, 384, 398)
_LOWER_LIDS = (7, 163, 144, 145, 153, 154, 155, 249, 390, 373, 374, 380, 381, 382)
_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expression:
    """A face at a moment: opening and width of the mouth, smile and blink from 0 to 1, head angles in radians.

    `turn` is to the left of the picture, `nod` down, `tilt` clockwise.
    """

    opening: float = 0.0
    width: float = 0.0
    smile: float = 0.0
    blink: float = 0.0
    turn: float = 0.0
    nod: float = 0.0
    tilt: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A picture with transparency, and where its face is.

    Attributes
    ----------
    image
        Blue, green, red, alpha, of shape (height, width, 4).
    mouth
        Pixel (x, y) of the mouth's middle.
    box
        Left, top, width and height of the face in pixels.
    """

    image: Image
    mouth: tuple[float, float]
    box: tuple[float, float, float, float]


class FacePhoto:
    """A photograph of somebody with a closed mouth.

    Parameters
    ----------
    image
        Blue, green, red, of shape (height, width, 3).

    Raises
    ------
    InputError
        If there is no face in it.
    """

    def __init__(self, image: Image) -> None:
        landmarks = find_landmarks(image)
        if landmarks is None:
            raise InputError("no face is found in the photograph; choose another identity")
        self._image = np.dstack([image, _cut_out(image)])
        self._points = landmarks
        self.face_height = float(np.linalg.norm(landmarks[CHIN, :2] - landmarks[TOP, :2]))
        self._middle = landmarks[[234, 454]].mean(axis=0)
        self._around = self._surroundings()

    @lru_cache(maxsize=8)  # noqa: B019 - photographs live as long as the process
    def _scaled(self, level: int) -> tuple[Image, float]:
        """Return the picture at a fourth root of two to the power of `level` below its size, and that scale."""
        scale = 2 ** (-level / 4)
        size = (max(2, round(self._image.shape[1] * scale)), max(2, round(self._image.shape[0] * scale)))
        return cv2.resize(self._image, size, interpolation=cv2.INTER_AREA), size[0] / self._image.shape[1]

    def show(self, expression: Expression, face_height: float) -> Patch:
        """Show the person with an expression, the face so many pixels high."""
        level = max(0, int(np.floor(-4 * np.log2(min(1.0, face_height / self.face_height)))))
        image, scale = self._scaled(level)
        rest = face_height / (self.face_height * scale)
        target = self.landmarks(expression)
        source_points = np.concatenate([self._points[:, :2], self._around]) * scale
        target_points = np.concatenate([target[:, :2], self._around]) * scale * rest
        height, width = round(image.shape[0] * rest), round(image.shape[1] * rest)
        warped = _warp(image, source_points, target_points, (height, width))
        at = target_points[: len(target)]
        _paint_mouth(warped, at, expression.opening)
        face = at[list(_OVAL)]
        (left, top), (right, bottom) = face.min(axis=0), face.max(axis=0)
        mouth = at[[13, 14]].mean(axis=0)
        return Patch(warped, (float(mouth[0]), float(mouth[1])), (left, top, right - left, bottom - top))

    def _surroundings(self) -> FloatArray:
        """Points around the head that stay where they are: the picture's edge, and a ring beyond the hair."""
        height, width = self._image.shape[:2]
        steps = np.linspace(0, 1, 9)
        edge = [(x * width, y) for x in steps for y in (0, height)] + [
            (x, y * height) for x in (0, width) for y in steps
        ]
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        centre = self._points[list(_OVAL), :2].mean(axis=0)
        ring = centre + 0.95 * self.face_height * np.stack([np.cos(angles), 1.15 * np.sin(angles)], axis=1)
        inside = (ring > 2).all(axis=1) & (ring < [width - 2, height - 2]).all(axis=1)
        return np.concatenate([np.array(edge, dtype=np.float64), ring[inside]])

    def landmarks(self, expression: Expression) -> FloatArray:
        """Return where the landmarks of an expression are, in pixels of the photograph, of shape (468, 3)."""
        points = self._points.copy()
        size = self.face_height
        mouth = self._points[[13, 14]].mean(axis=0)
        half_width = np.linalg.norm(self._points[61, :2] - self._points[291, :2]) / 2
        across = np.abs(points[:, 0] - mouth[0]) / half_width

        gap = WIDEST_MOUTH * size * expression.opening
        # The jaw turns about the ears: the chin goes down with the lower lip, the cheeks less, the upper lip hardly.
        below = points[:, 1] > mouth[1] + 0.01 * size
        jaw = np.where(below, np.exp(-((across / 1.9) ** 2)), 0.0)
        jaw[list(_OUTER_LOWER)] = 1 - 0.35 * np.clip(across[list(_OUTER_LOWER)], 0, 1) ** 2
        lips = 1 - np.clip(across, 0, 1) ** 2.5
        jaw[list(INNER_LOWER)] = lips[list(INNER_LOWER)]
        jaw[[*INNER_UPPER, *_OUTER_UPPER, *_CORNERS]] = 0.0
        points[:, 1] += 0.85 * gap * jaw
        upper = [*INNER_UPPER, *_OUTER_UPPER]
        points[upper, 1] -= 0.15 * gap * lips[upper]

        near = np.exp(-((across / 1.4) ** 2) - ((points[:, 1] - mouth[1]) / (0.16 * size)) ** 2)
        spread = 0.16 * expression.width + 0.22 * expression.smile - 0.10 * expression.opening
        points[:, 0] += near * spread * (points[:, 0] - mouth[0])
        points[:, 1] -= near * expression.smile * 0.055 * size * np.clip(across, 0, 1.3) ** 2
        lids = np.array(_UPPER_LIDS), np.array(_LOWER_LIDS)
        points[lids[0], 1] += SHUT * expression.blink * (points[lids[1], 1] - points[lids[0], 1])
        return self._turned(points, expression)

    def _turned(self, points: FloatArray, expression: Expression) -> FloatArray:
        turn = float(np.clip(expression.turn, -MOST_TURNED, MOST_TURNED))
        sin, cos = np.sin([turn, expression.nod, expression.tilt]), np.cos([turn, expression.nod, expression.tilt])
        x, y, z = (points - self._middle).T
        z = RELIEF * z
        x, z = cos[0] * x + sin[0] * z, -sin[0] * x + cos[0] * z
        y, z = cos[1] * y - sin[1] * z, sin[1] * y + cos[1] * z
        x, y = cos[2] * x - sin[2] * y, sin[2] * x + cos[2] * y
        return np.stack([x, y, z], axis=1) + self._middle


@cache
def photo(path: Path) -> FacePhoto:
    """Load a photograph once.

    Raises
    ------
    InputError
        If it cannot be read or shows no face.
    """
    image = cv2.imread(str(path))
    if image is None:
        raise InputError(f"{path}: cannot read this photograph; restore the file")
    return FacePhoto(image)


def find_landmarks(image: Image) -> FloatArray | None:
    """Find the landmarks of the face in a picture with MediaPipe's face mesh.

    Returns
    -------
    Array of shape (468, 3) in pixels (z towards the viewer is negative), or None without a face.
    """
    with hushed():
        found = _face_mesh().process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).multi_face_landmarks
    if not found:
        return None
    points = np.array([(point.x, point.y, point.z) for point in found[0].landmark[:468]])
    return points * [image.shape[1], image.shape[0], image.shape[1]]


@cache
def _face_mesh() -> Any:
    import mediapipe

    return mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=False)


def _cut_out(image: Image) -> Image:
    """Return how much of each pixel is the person, from 0 to 255."""
    import mediapipe

    with (
        hushed(),
        mediapipe.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0) as segmentation,
    ):
        mask = segmentation.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).segmentation_mask
    mask = cv2.GaussianBlur(np.clip((mask - 0.35) / 0.4, 0, 1), (0, 0), 1.5)
    alpha: Image = (255 * mask).astype(np.uint8)
    alpha[:, [0, 1, -2, -1]] = 0
    alpha[:2] = 0
    return alpha


def _warp(image: Image, source: FloatArray, target: FloatArray, size: tuple[int, int]) -> Image:
    """Move the points `source` of a picture to `target`, and all between them piecewise linearly."""
    height, width = size
    step = 2 if height > 120 else 1
    y, x = np.mgrid[0 : height + step : step, 0 : width + step : step]
    back = LinearNDInterpolator(Delaunay(target), source)(np.stack([x.ravel(), y.ravel()], axis=1))
    back = np.nan_to_num(back, nan=-1.0).reshape(*x.shape, 2).astype(np.float32)
    if step > 1:
        shift = np.float32([[1 / step, 0, 0], [0, 1 / step, 0]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        back = cv2.warpAffine(back, shift, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    warped: Image = cv2.remap(image, back[:height, :width], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    warped[:, [0, 1, -2, -1], 3] = 0  # the picture's edge would show as a line beside the person
    return warped


def _paint_mouth(image: Image, points: FloatArray, opening: float) -> None:
    """Paint what shows between the lips: darkness, the upper teeth, some tongue; as bright as the face is lit."""
    upper, lower = points[list(INNER_UPPER)], points[list(INNER_LOWER)]
    gap = float((lower[:, 1] - upper[:, 1]).max())
    if opening <= 0.02 or gap < 0.3:
        return
    shade = _shade(image, points[list(_OVAL)])
    _fill(image, np.concatenate([upper, lower[::-1]]), (28, 22, 58), shade)
    top, bottom = upper[2:-2], lower[2:-2]
    tongue = np.stack([bottom[:, 0], np.maximum(bottom[:, 1] - 0.35 * gap, top[:, 1])], axis=1)
    _fill(image, np.concatenate([tongue, bottom[::-1]]), (62, 52, 120), shade)
    long = min(0.35 * gap, 0.036 * float(np.linalg.norm(points[CHIN] - points[TOP])))
    edge = np.stack([top[:, 0], np.minimum(top[:, 1] + long, bottom[:, 1])], axis=1)
    _fill(image, np.concatenate([top, edge[::-1]]), (190, 200, 205), shade)


def _shade(image: Image, oval: FloatArray) -> float:
    """Return how bright a face is against most: teeth that shine in a dark one would be taken for its lips."""
    (left, top), (right, bottom) = np.maximum(oval.min(axis=0), 0).astype(int), oval.max(axis=0).astype(int) + 1
    return float(np.clip(np.median(image[top:bottom, left:right, :3]) / USUAL_SHADE, *SHADES))


def _fill(image: Image, polygon: FloatArray, colour: tuple[int, int, int], shade: float) -> None:
    """Fill a polygon with smooth edges; positions count in sixteenths of a pixel."""
    opaque = (*(round(shade * value) for value in colour), 255)
    cv2.fillPoly(image, [np.round(16 * polygon).astype(np.int32)], opaque, lineType=cv2.LINE_AA, shift=4)
