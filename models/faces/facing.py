"""Who looks at the camera, by the angles of the head: logistic regression on photographs that turn.

Usage: python -m hearing_models.faces.facing [WEIGHTS]

`facing.json` is written into the folder of the face encoder's weights, by default the package's. People stand 0.8 to
3 m before the camera and look at it, at somebody else who stands there, or down; heads that look somewhere are some
degrees off, since eyes do the rest. The training identities of the data kit's photographs are fitted to, the
development ones are judged. Takes two minutes of one core.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import scipy.optimize
from hearing_datasets import Split
from hearing_models.lips.takes import photographs
from hearing_sim.faces.photo import FACE_HEIGHT, Expression, FacePhoto, photo
from numpy.typing import NDArray

from hearing.vision.face_tracker import AROUND
from hearing.vision.head import FACING, Facing, head_of
from hearing.vision.identity import own_weights
from hearing.vision.landmarks import FaceLandmarks, Region

SEED = 6
EACH = {"train": 6, "dev": 20}
"""Pictures of every identity."""
FOCAL = 460.0
"""Of the camera, in pixels."""
OFF_DEG = 4.0
"""Standard deviation by which a head that looks at something is not turned to it."""
DOWN, DOWN_DEG = 0.3, (15.0, 40.0)
"""Share of those who look elsewhere who look down, at what they do, and by which angle."""
FLAT = 0.55
"""By which share of an angle a photograph that turns seems to be turned: it has less relief than a head."""

FloatArray = NDArray[np.float64]


def angles_seen(split: Split, mesh: FaceLandmarks) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Film the identities of a split.

    Returns
    -------
    Yaw and pitch as they are measured, in radians, and whether the camera is looked at, each of shape (n,).
    """
    rng = np.random.default_rng((SEED, ("train", "dev", "test").index(split)))
    rows = []
    for path in photographs(split):
        for number in range(EACH[split]):
            looks = number % 2 == 0
            distance, elsewhere = _company(rng)
            turned = np.radians(OFF_DEG) * rng.standard_normal(2)
            if not looks:
                turned += (elsewhere, 0.0) if rng.random() > DOWN else (0.0, np.radians(rng.uniform(*DOWN_DEG)))
            measured = _measured(photo(path), turned, FOCAL * FACE_HEIGHT / distance, mesh, rng)
            if measured is not None:
                rows.append((*measured, looks))
    yaw, pitch, looks_there = np.array(rows).T
    return yaw, pitch, looks_there.astype(bool)


def fit(yaw: FloatArray, pitch: FloatArray, looks: NDArray[np.bool_]) -> Facing:
    """Fit by cross-entropy, looking and not looking being equally likely before."""
    level = float(np.median(pitch[looks]))

    def facing(values: FloatArray) -> Facing:
        angle, spread, share = map(float, values)
        return Facing(angle, float(np.exp(spread)), abs(share), level)

    def cost(values: FloatArray) -> float:
        return cross_entropy(facing(values), yaw, pitch, looks)

    return facing(scipy.optimize.minimize(cost, (0.2, np.log(0.05), 0.5), method="Nelder-Mead").x)


def cross_entropy(facing: Facing, yaw: FloatArray, pitch: FloatArray, looks: NDArray[np.bool_]) -> float:
    """Return the mean cost in bits; 1 is knowing nothing."""
    odds = facing.log_odds(yaw, pitch)
    costs = np.logaddexp(0, np.where(looks, -odds, odds))
    return float(np.where(looks, costs / looks.mean(), costs / (1 - looks.mean())).mean() / 2 / np.log(2))


def main(weights: Path) -> None:
    """Fit, judge and write."""
    mesh = FaceLandmarks()
    facing = fit(*angles_seen("train", mesh))
    fitted = {name: round(getattr(facing, name), 5) for name in Facing.__dataclass_fields__}
    (weights / FACING).write_text(json.dumps({"fit": fitted}, indent=1) + "\n", encoding="utf-8")
    yaw, pitch, looks = angles_seen("dev", mesh)
    odds = facing.log_odds(yaw, pitch)
    above = (odds[looks][:, None] > odds[~looks]).mean()
    print(
        f"{fitted}\ndevelopment: {len(looks)} pictures, area under the curve {above:.3f}, right "
        f"{((odds > 0) == looks).mean():.3f}, cost {cross_entropy(facing, yaw, pitch, looks):.3f} bits"
    )


def _company(rng: np.random.Generator) -> tuple[float, float]:
    """Return how far off somebody is in metres, and by how many radians he turns away to look at somebody else."""
    distances, azimuths = rng.uniform(0.8, 3.0, 2), np.radians(rng.uniform(-30, 30, 2))
    mine, other = np.stack([distances * np.cos(azimuths), distances * np.sin(azimuths)], axis=1)
    to_other, to_robot = np.arctan2(*(other - mine)[::-1]), np.arctan2(*(-mine)[::-1])
    return float(distances[0]), float((to_other - to_robot + np.pi) % (2 * np.pi) - np.pi)


def _measured(
    look: FacePhoto, turned: FloatArray, height: float, mesh: FaceLandmarks, rng: np.random.Generator
) -> tuple[float, float] | None:
    """Return yaw and pitch of a head that is turned by so many radians to its left, and down; None if none is found."""
    expression = Expression(
        opening=max(0.0, float(rng.normal(0.05, 0.15))), turn=-float(turned[0]) / FLAT, nod=float(turned[1]) / FLAT
    )
    patch = look.show(expression, height)
    alpha = patch.image[..., 3:] / 255
    picture = patch.image[..., :3] * alpha + 110 * (1 - alpha) + rng.normal(0, 3.0, patch.image.shape[:2])[..., None]
    left, top, width, tall = patch.box
    region = Region(left + width / 2, top + tall / 2, AROUND * height)
    for _ in range(2):  # where a tracker expects it, the second time
        found = mesh.find(np.clip(picture, 0, 255).astype(np.uint8), region)
        head = head_of(found.points)
        region = Region(head.x, head.y, AROUND * head.size, head.roll)
    return (head.yaw, head.pitch) if found.score > 0.5 else None


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else own_weights())
