"""What mouths look like, so that those that are covered are told: principal components of mouths that are seen.

Usage: python -m hearing_models.lips.covers [WEIGHTS]

`mouths.npz` is written into the folder of the lip networks, by default the package's. The mouths are those of every
second training identity on the data kit's photographs, as they speak, smile and turn, 35 to 120 pixels high, and of
clips for training of the one talker on video. The limit leaves `LOST` of them out. Takes a minute of one core.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from hearing_datasets import Split
from hearing_models.lips.export import WEIGHTS
from hearing_models.lips.takes import photographs, real_clips
from hearing_sim.faces.photo import Expression, FacePhoto, photo
from numpy.typing import NDArray

from hearing.types import Float32Array
from hearing.vision.camera import Camera, open_video
from hearing.vision.covers import FILE, MouthLooks, reduced
from hearing.vision.face_tracker import AROUND, FaceTracker
from hearing.vision.head import head_of
from hearing.vision.landmarks import FaceLandmarks, Region
from hearing.vision.mouth import mouth_picture

SEED = 8
EACH = 10
"""Pictures of every identity."""
COMPONENTS = 12
LOST = 0.02
"""Share of mouths that are seen and taken for covered."""
HEIGHTS = (35.0, 120.0)
"""Pixels from hairline to chin."""

Rng = np.random.Generator


def fit(pictures: Float32Array) -> MouthLooks:
    """Fit to pictures of mouths of shape (n, 48, 64)."""
    shades = reduced(pictures)
    mean = shades.mean(axis=0)
    _, _, components = np.linalg.svd(shades - mean, full_matrices=False)
    looks = MouthLooks(mean.astype(np.float32), components[:COMPONENTS].astype(np.float32), 0.0)
    return MouthLooks(looks.mean, looks.components, float(np.quantile(looks.strangeness(pictures), 1 - LOST)))


def rendered(split: Split, rng: Rng) -> Iterator[Float32Array]:
    """Give mouths of photographs that speak, smile and turn."""
    mesh = FaceLandmarks()
    for path in photographs(split)[::2]:
        look = photo(path)
        for _ in range(EACH):
            expression = Expression(
                opening=float(rng.choice([0.0, rng.uniform(0, 1)])),
                width=float(rng.uniform(-0.7, 0.5)),
                smile=float(rng.choice([0.0, rng.uniform(0, 1)])),
                turn=float(np.radians(rng.uniform(-25, 25))),
                nod=float(np.radians(rng.normal(0, 5))),
            )
            yield _picture(look, expression, mesh, rng)


def filmed(split: Split) -> Iterator[Float32Array]:
    """Give mouths of the talker on video, every fifth frame."""
    for clip in real_clips(split)[:5]:
        with open_video(clip.path) as video:
            tracker = FaceTracker(Camera(video.width, video.height, 400, 400, video.width / 2, video.height / 2))
            for number, frame in enumerate(video.frames()):
                for face in tracker.process(frame.image, frame.time):
                    if face.landmarks is not None and number % 5 == 0:
                        yield _cut(frame.image, face.landmarks)


def _picture(look: FacePhoto, expression: Expression, mesh: FaceLandmarks, rng: Rng) -> Float32Array:
    height = float(np.exp(rng.uniform(*np.log(HEIGHTS))))
    patch = look.show(expression, height)
    alpha = patch.image[..., 3:] / 255
    picture = patch.image[..., :3] * alpha + rng.uniform(60, 160) * (1 - alpha)
    noisy = rng.uniform(0.4, 1.1) * picture + rng.normal(0, rng.uniform(1, 6), picture.shape[:2])[..., None]
    image = np.clip(noisy, 0, 255).astype(np.uint8)
    left, top, width, tall = patch.box
    points = mesh.find(image, Region(left + width / 2, top + tall / 2, AROUND * height)).points
    return _cut(image, points)


def _cut(image: NDArray[np.uint8], points: NDArray[np.float64]) -> Float32Array:
    """Cut a mouth out, whatever covers it."""
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    return mouth_picture(grey, points, head_of(points))


def write(looks: MouthLooks, weights: Path) -> None:
    """Write what was fitted into a folder."""
    np.savez_compressed(
        weights / FILE,
        mean=looks.mean.astype(np.float16),
        components=looks.components.astype(np.float16),
        limit=np.float32(looks.limit),
    )


def main(weights: Path) -> None:
    """Fit and write."""
    pictures = np.stack([*rendered("train", np.random.default_rng(SEED)), *filmed("train")])
    looks = fit(pictures)
    write(looks, weights)
    print(f"{len(pictures)} mouths, limit {looks.limit:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else WEIGHTS)
