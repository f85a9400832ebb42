"""What likeness of faces means: logistic regression on pairs of photographs, near and far, by training identities.

Usage: python -m hearing_models.faces.calibration [WEIGHTS]

WEIGHTS is the folder of the encoder, by default the package's; `calibration.json` is written into it. The data kit has
two photographs of 102 people, one neutral and one smiling. They are shown as a camera sees them, 35 to 200 pixels
high, once as they are and once turned, tilted, blurred, in other light and as they speak; landmarks are found as in a
video. The training identities are fitted to, the development ones are judged. Prints equal error rates and what the
ratios are worth. Takes three minutes of one core.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import scipy.optimize
from hearing_datasets import Split, kit_root, split_of
from hearing_models.voices.calibration import calibration_cost, equal_error_rate
from hearing_sim.faces.photo import Expression, FacePhoto, Patch, photo
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.likeness import CALIBRATION
from hearing.vision.face_tracker import AROUND
from hearing.vision.head import head_of
from hearing.vision.identity import FaceEncoder, own_weights
from hearing.vision.landmarks import FaceLandmarks, Region
from hearing.vision.likelihood import COEFFICIENTS
from hearing.vision.quality import quality_of

HEIGHTS = (200, 80, 50, 35)
"""Pixels from hairline to chin."""
SEED = 5
NOISE = 3.0
"""Of the sensor, in shades of 256."""
_START = {"half": 0.3, "power": 2.0, "slope": 20.0, "middle": 0.4}
_BOUNDS = {"half": (0.1, 1.0), "power": (0.5, 4.0), "slope": (0.0, 100.0), "middle": (0.0, 1.0)}
_BINS = ((-np.inf, -4.0), (-4.0, -2.0), (-2.0, 0.0), (0.0, 2.0), (2.0, 4.0), (4.0, np.inf))

FloatArray = NDArray[np.float64]
Image = NDArray[np.uint8]
Rng = np.random.Generator


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Faces, n of them.

    Attributes
    ----------
    embeddings
        Of shape (n, n_dimensions).
    quality
        As `Face.quality` has it, of shape (n,).
    identity, kind
        Whose face it is, and from which of his photographs, of shape (n,).
    height
        Which of `HEIGHTS`, of shape (n,).
    rough
        Whether it is turned, blurred and so on, of shape (n,).
    """

    embeddings: FloatArray
    quality: FloatArray
    identity: NDArray[np.str_]
    kind: NDArray[np.str_]
    height: NDArray[np.int64]
    rough: NDArray[np.bool_]

    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Pair faces from different photographs: the numbers of both, and whether they are one person's."""
        first, second = np.triu_indices(len(self.identity), 1)
        same = self.identity[first] == self.identity[second]
        apart = ~same | (self.kind[first] != self.kind[second])
        return first[apart], second[apart], same[apart]


def see(split: Split, encoder: FaceEncoder) -> Seen:
    """Embed the faces of a split.

    Raises
    ------
    InputError
        If there is no data kit with photographs.
    """
    root = kit_root()
    if root is None or not (root / "faces").is_dir():
        raise InputError("the data kit has no photographs; set HEARING_DATA to a kit that has")
    manifest = (root / "faces" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    landmarks, rng, rows = FaceLandmarks(), np.random.default_rng(SEED), []
    for entry in map(json.loads, manifest):
        if split_of(entry["identity"]) != split:
            continue
        look = photo(root / "faces" / entry["image"])
        for height, rough, picture, region in views(look, entry["kind"], rng):
            found = landmarks.find(picture, region)
            if found.score < 0.5:
                continue
            grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
            quality = quality_of(grey, found, head_of(found.points))
            embedding = encoder.embed(picture, found.points)
            rows.append((embedding, quality, entry["identity"], entry["kind"], height, rough))
        photo.cache_clear()  # photographs are large
    return Seen(*(np.array(column) for column in zip(*rows, strict=True)))


def views(look: FacePhoto, kind: str, rng: Rng) -> Iterator[tuple[int, bool, Image, Region]]:
    """Show a photograph at all heights, smooth and rough: height, rough, picture, and where the face is about."""
    for height in HEIGHTS:
        for rough in (False, True):
            most = np.array([0.5, 0.2, 0.25] if rough else [0.1, 0.0, 0.05])
            turn, nod, tilt = rng.uniform(-most, most).tolist()
            opening = float(rng.uniform(0, 0.3)) if rough and kind == "neutral" else 0.0
            patch = look.show(Expression(opening=opening, turn=turn, nod=nod, tilt=tilt), float(height))
            left, top, width, tall = patch.box
            x, y = np.array([left + width / 2, top + tall / 2]) + rng.normal(0, 0.03 * height, 2)
            side = AROUND * height * float(np.exp(rng.normal(0, 0.04)))
            yield height, rough, _exposed(patch, height, rough, rng), Region(float(x), float(y), side)


def _exposed(patch: Patch, height: int, rough: bool, rng: Rng) -> Image:
    """Put a face before a wall and take a picture of it."""
    alpha = patch.image[..., 3:] / 255.0
    picture = patch.image[..., :3] * alpha + rng.integers(40, 200, 3) * (1 - alpha)
    if rough:
        blur = max(0.1, float(rng.uniform(0, 0.02)) * height)
        picture = cv2.GaussianBlur(np.clip(picture, 0, 255), (0, 0), blur)
        picture = 255 * rng.uniform(0.6, 1.1) * (picture / 255) ** rng.uniform(0.7, 1.5)
        picture = picture * (1 + rng.uniform(-0.3, 0.3) * np.linspace(-1, 1, picture.shape[1])[None, :, None])
        picture = picture * rng.uniform(0.9, 1.1, 3)
    noisy = np.clip(picture + rng.normal(0, NOISE, picture.shape), 0, 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def fit(seen: Seen) -> dict[str, float]:
    """Fit `FaceLikelihood` by cross-entropy, one person and two being equally likely before."""
    first, second, same = seen.pairs()
    strangers = float(_cosines(seen, first, second)[~same].mean())
    names = COEFFICIENTS[1:]

    def cost(values: FloatArray) -> float:
        ratios = log_ratios(dict(zip(COEFFICIENTS, (strangers, *values), strict=True)), seen)
        return float(calibration_cost(ratios, same))

    found = scipy.optimize.minimize(
        cost, [_START[name] for name in names], method="L-BFGS-B", bounds=[_BOUNDS[name] for name in names]
    )
    return dict(zip(COEFFICIENTS, (strangers, *map(float, found.x)), strict=True))


def log_ratios(fitted: dict[str, float], seen: Seen) -> FloatArray:
    """Return what `FaceLikelihood` says of all pairs, but for its doubt, of shape (n_pairs,)."""
    first, second, _ = seen.pairs()
    information = (seen.quality / fitted["half"]) ** fitted["power"]
    worth = information / (1 + information)
    both = np.sqrt(worth[first] * worth[second])
    likeness = (_cosines(seen, first, second) - fitted["strangers"]) / (1 - fitted["strangers"])
    ratios: FloatArray = fitted["slope"] * both * (likeness - fitted["middle"] * both)
    return ratios


def _cosines(seen: Seen, first: NDArray[np.int64], second: NDArray[np.int64]) -> FloatArray:
    likeness: FloatArray = (seen.embeddings @ seen.embeddings.T)[first, second]
    return likeness


def error_table(seen: Seen) -> Iterator[str]:
    """Lay out equal error rates by the height of both faces."""
    first, second, same = seen.pairs()
    scores = _cosines(seen, first, second)
    for rough in (False, True):
        alike = (seen.rough[first] == rough) & (seen.rough[second] == rough)
        for one, other in ((200, 200), (80, 80), (50, 50), (35, 35), (200, 80), (200, 50), (200, 35)):
            heights = np.sort([seen.height[first], seen.height[second]], axis=0)
            at = alike & (heights == [[min(one, other)], [max(one, other)]]).all(axis=0)
            rate = 100 * equal_error_rate(scores[at], same[at])
            yield f"{'rough' if rough else 'plain'}, {one} and {other} px: {rate:.1f} % ({int(same[at].sum())})"


def reliability_table(ratios: FloatArray, same: NDArray[np.bool_]) -> Iterator[str]:
    """Lay out, by what the ratio says, how often it is so: the logarithm of the ratio that is counted."""
    for low, high in _BINS:
        at = (ratios >= low) & (ratios < high)
        ours, strangers = int((at & same).sum()), int((at & ~same).sum())
        counted = np.log((ours + 0.5) / same.sum() * (~same).sum() / (strangers + 0.5))
        yield f"{low:g} to {high:g}: {counted:+.1f} ({ours} of one person, {strangers} of two)"


def main(arguments: Sequence[str]) -> None:
    """Fit, write, and judge."""
    folder = Path(arguments[0]) if arguments else own_weights()
    encoder = FaceEncoder(folder)
    seen = see("train", encoder)
    fitted = fit(seen)
    record = {"encoder": encoder.name, "fit": {name: round(value, 5) for name, value in fitted.items()}}
    (folder / CALIBRATION).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"{folder / CALIBRATION}: {record['fit']}")
    unseen = see("dev", encoder)
    for name, faces in (("training", seen), ("development", unseen)):
        ratios, same = log_ratios(fitted, faces), faces.pairs()[2]
        print(f"{name}: {len(set(faces.identity))} people, {calibration_cost(ratios, same):.3f} bits", flush=True)
        print(*error_table(faces), *reliability_table(ratios, same), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
