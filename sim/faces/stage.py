"""The picture around the faces: a hall behind them, clothes, what covers a mouth, light, blur and noise."""

from __future__ import annotations

import cv2
import numpy as np
from hearing_sim.faces.camera import Lens
from hearing_sim.faces.photo import Image, Patch
from hearing_sim.scene import Camera
from numpy.typing import NDArray

PANORAMA = (512, 2048)
"""Height (from -60 to 60 degrees) and width (all around) of the hall's picture."""
_HIGHEST = np.radians(60.0)
NOISE = 2.5
"""Standard deviation of the sensor's noise in steps of 255, in good light."""
_COLOURS = ((96, 92, 88), (70, 84, 110), (60, 98, 72), (42, 74, 150), (36, 120, 168), (110, 110, 118))


class Hall:
    """A factory hall around the robot, drawn once: floor, wall, machines, pipes and lamps.

    Parameters
    ----------
    rng
        Source of what stands where.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        height, width = PANORAMA
        rows = np.linspace(1, 0, height)[:, None, None]
        wall, floor = np.array([122.0, 126.0, 128.0]), np.array([78.0, 82.0, 86.0])
        picture = np.where(np.arange(height)[:, None, None] < 0.55 * height, wall * (0.75 + 0.4 * rows), floor)
        picture = np.ascontiguousarray(np.broadcast_to(picture, (height, width, 3)).astype(np.uint8))
        for _ in range(26):
            left, broad = int(rng.integers(width)), int(rng.integers(30, 160))
            bottom, tall = int(rng.uniform(0.52, 0.68) * height), int(rng.integers(40, 170))
            colour = np.array(_COLOURS[int(rng.integers(len(_COLOURS)))]) * rng.uniform(0.6, 1.2)
            corner = (left + broad, bottom)
            cv2.rectangle(picture, (left, bottom - tall), corner, [float(c) for c in colour], -1)
            cv2.rectangle(picture, (left, bottom - tall), corner, [float(c) for c in 0.6 * colour], 2)
        for _ in range(10):
            y = int(rng.uniform(0.05, 0.3) * height)
            cv2.line(picture, (0, y), (width, y), (90, 96, 100), int(rng.integers(2, 6)))
        for x in rng.integers(0, width, 14):
            cv2.rectangle(picture, (int(x), int(0.08 * height)), (int(x) + 40, int(0.1 * height)), (235, 240, 240), -1)
        grain = rng.normal(0, 6, picture.shape)
        self._picture = cv2.GaussianBlur(np.clip(picture + grain, 0, 255).astype(np.uint8), (0, 0), 1.2)
        self._last: tuple[float, Image] | None = None

    def behind(self, lens: Lens, time: float, heading: float) -> Image:
        """Return what the camera sees of the hall; `heading` is the robot's, in radians."""
        if self._last is None or self._last[0] != heading:
            azimuth, elevation = lens.directions(time)
            height, width = PANORAMA
            x = ((-azimuth / (2 * np.pi)) % 1 * width).astype(np.float32)
            y = ((0.5 - elevation / (2 * _HIGHEST)) * height).astype(np.float32)
            seen = cv2.remap(self._picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            self._last = (heading, seen)
        return self._last[1].copy()


def paste(frame: Image, patch: Patch, mouth: tuple[float, float], blur: tuple[float, float] = (0.0, 0.0)) -> None:
    """Put a person into a frame, the mouth at a pixel (x, y), blurred along a motion of so many pixels."""
    image = patch.image
    x, y = mouth[0] - patch.mouth[0], mouth[1] - patch.mouth[1]
    left, top = int(np.floor(x)), int(np.floor(y))
    shift = np.float32([[1, 0, x - left], [0, 1, y - top]])
    image = cv2.warpAffine(image, shift, (image.shape[1] + 1, image.shape[0] + 1), flags=cv2.INTER_LINEAR)
    length = float(np.hypot(*blur))
    if length > 1:
        image = cv2.filter2D(image, -1, _motion_kernel(blur, length))
    height, width = frame.shape[:2]
    first_x, first_y = max(0, left), max(0, top)
    last_x, last_y = min(width, left + image.shape[1]), min(height, top + image.shape[0])
    if first_x >= last_x or first_y >= last_y:
        return
    part = image[first_y - top : last_y - top, first_x - left : last_x - left].astype(np.float32)
    alpha = part[..., 3:] / 255
    under = frame[first_y:last_y, first_x:last_x]
    frame[first_y:last_y, first_x:last_x] = (alpha * part[..., :3] + (1 - alpha) * under).astype(np.uint8)


def dress(frame: Image, patch: Patch, mouth: tuple[float, float]) -> None:
    """Draw the body below a picture that ends at the shoulders, in the colour of the clothes."""
    height, width = patch.image.shape[:2]
    hem = patch.image[max(0, height - 4) : max(1, height - 2)].reshape(-1, 4)
    hem = hem[hem[:, 3] > 128]
    if not len(hem):
        return
    colour = [float(value) for value in 0.93 * hem[:, :3].mean(axis=0)]
    left, bottom = int(mouth[0] - patch.mouth[0]), int(mouth[1] - patch.mouth[1] + height)
    if bottom < frame.shape[0]:
        cv2.rectangle(frame, (left + width // 40, bottom - 2), (left + width - width // 40, frame.shape[0]), colour, -1)


def cover(patch: Patch, occlusion: str) -> None:
    """Cover a part of a face with a mask, a hand or a cup; the picture is changed in place."""
    left, top, width, height = patch.box
    x, y = patch.mouth
    opaque = {"mask": (205, 190, 150, 255), "hand": (120, 150, 205, 255), "cup": (225, 225, 230, 255)}
    if occlusion == "mask":
        corners = [(left + 0.08 * width, y - 0.2 * height), (left + 0.92 * width, y - 0.2 * height)]
        corners += [(left + 0.8 * width, top + 0.97 * height), (left + 0.2 * width, top + 0.97 * height)]
        polygon = np.round(np.array(corners)).astype(np.int32)
        cv2.fillPoly(patch.image, [polygon], opaque[occlusion], lineType=cv2.LINE_AA)
    elif occlusion == "hand":
        centre, axes = (round(x + 0.2 * width), round(y + 0.1 * height)), (round(0.3 * width), round(0.2 * height))
        cv2.ellipse(patch.image, centre, axes, -30, 0, 360, opaque[occlusion], -1, lineType=cv2.LINE_AA)
    elif occlusion == "cup":
        first, last = (
            (round(x - 0.2 * width), round(y - 0.02 * height)),
            (round(x + 0.2 * width), round(y + 0.3 * height)),
        )
        cv2.rectangle(patch.image, first, last, opaque[occlusion], -1, lineType=cv2.LINE_AA)


def back_of_head(face_height: float, colour: tuple[int, int, int]) -> Patch:
    """Draw somebody who looks away: hair and shoulders, but no face."""
    size = max(8, round(3.2 * face_height))
    image = np.zeros((size, size, 4), dtype=np.uint8)
    middle, head = size // 2, round(0.42 * size)
    cloth, hair = (*colour, 255), (34, 42, 56, 255)
    cv2.ellipse(image, (middle, size), (round(0.44 * size), round(0.32 * size)), 0, 180, 360, cloth, -1, cv2.LINE_AA)
    neck = round(0.16 * face_height) + 1
    cv2.rectangle(image, (middle - 2 * neck, head), (middle + 2 * neck, round(0.74 * size)), (110, 130, 170, 255), -1)
    axes = (round(0.46 * face_height), round(0.68 * face_height))
    cv2.ellipse(image, (middle, head), axes, 0, 0, 360, hair, -1, cv2.LINE_AA)
    mouth = (float(middle), head + 0.3 * face_height)
    return Patch(image, mouth, (0.0, 0.0, 0.0, 0.0))


def expose(frame: Image, camera: Camera, rng: np.random.Generator) -> Image:
    """Apply the light and the sensor's noise, which is the stronger the darker it is."""
    noise = np.empty(frame.shape[:2], dtype=np.int16)
    cv2.setRNGSeed(int(rng.integers(1 << 31)))
    cv2.randn(noise, 0, NOISE / np.sqrt(camera.light))
    lit = cv2.convertScaleAbs(frame, alpha=camera.light)
    exposed: NDArray[np.uint8] = np.clip(lit.astype(np.int16) + noise[..., None], 0, 255).astype(np.uint8)
    return exposed


def _motion_kernel(motion: tuple[float, float], length: float) -> NDArray[np.float32]:
    size = 2 * int(np.ceil(length / 2)) + 1
    kernel = np.zeros((size, size), dtype=np.float32)
    middle = size // 2
    x, y = (0.5 * component / length * (size - 1) for component in motion)
    cv2.line(kernel, (round(middle - x), round(middle - y)), (round(middle + x), round(middle + y)), 1.0, 1)
    return kernel / kernel.sum()
