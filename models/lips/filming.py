"""Mouths as the robot's camera would see them: photographs that talk, near and far, measured like real faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from hearing_datasets import Clip
from hearing_models.lips.articulation import RATE, Motion, drift
from hearing_sim.faces.photo import WIDEST_MOUTH, Expression, FacePhoto
from numpy.typing import NDArray
from scipy.signal import lfilter

from hearing.types import Float32Array
from hearing.vision.camera import Camera, open_video
from hearing.vision.face_tracker import AROUND, FaceTracker
from hearing.vision.head import Head, head_of
from hearing.vision.landmarks import FaceLandmarks, Region
from hearing.vision.lips import N_SHAPE, POINTS, lip_shape

Image = NDArray[np.uint8]
Rng = np.random.Generator

LEAST_SCORE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """A mouth, frame by frame.

    Attributes
    ----------
    times
        Seconds from the start of the sound, of shape (n_frames,).
    shapes
        See `lip_shape`, of shape (n_frames, N_SHAPE).
    seen
        Whether the mouth is seen, of shape (n_frames,).
    """

    times: NDArray[np.float64]
    shapes: Float32Array
    seen: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Shot:
    """How a face is filmed: frames per second, height of the face in pixels, and what spoils the picture.

    `blur` is a standard deviation in pixels, `noise` one in levels, `quality` that of JPEG; `turn` and `nod` are the
    head's angles on average, in radians.
    """

    fps: float
    height: float
    turn: float
    nod: float
    light: float
    blur: float
    noise: float
    quality: int

    @classmethod
    def draw(cls, rng: Rng) -> Shot:
        """Choose one at random."""
        return cls(
            fps=float(rng.choice([15.0, 20.0, 25.0, 30.0], p=[0.3, 0.3, 0.25, 0.15])),
            height=float(np.exp(rng.uniform(np.log(35), np.log(130)))),
            turn=float(np.radians(rng.uniform(-28, 28)) * (rng.random() < 0.6)),
            nod=float(np.radians(rng.normal(0, 5))),
            light=float(rng.uniform(0.45, 1.15)),
            blur=float(max(0.0, rng.uniform(-0.4, 1.2))),
            noise=float(rng.uniform(1, 7)),
            quality=int(rng.integers(45, 96)),
        )


def film(look: FacePhoto, motion: Motion, shot: Shot, rng: Rng) -> Film:
    """Film a photograph that moves."""
    times, expressions = _acted(motion, shot, rng)
    sway = 0.05 * np.stack([drift(len(motion.opening), 0.6, rng) for _ in range(2)], axis=1)
    at = np.minimum((times * RATE).astype(int), len(sway) - 1)
    cv2.setRNGSeed(int(rng.integers(1 << 31)))
    frames = [_picture(look, expression, shot, sway[i]) for expression, i in zip(expressions, at, strict=True)]
    side = frames[0].shape[0]
    start = Region(side / 2, 0.47 * side, AROUND * shot.height)
    return Film(times, *_measured(frames, start, rng))


def sketch(look: FacePhoto, motion: Motion, shot: Shot, rng: Rng) -> Film:
    """Follow the landmarks of a photograph that moves, with errors as of `FaceLandmarks`, without any picture.

    This costs a hundredth of filming: more voices and sentences can be said.
    """
    times, expressions = _acted(motion, shot, rng)
    scale = shot.height / look.face_height
    errors = _errors(len(times), shot, rng)
    shapes = []
    for expression, error in zip(expressions, errors, strict=True):
        points = scale * look.landmarks(expression)
        points[list(POINTS), :2] += shot.height * error
        shapes.append(lip_shape(points, head_of(points)))
    return Film(times, np.array(shapes), np.ones(len(times), bool))


def _acted(motion: Motion, shot: Shot, rng: Rng) -> tuple[NDArray[np.float64], list[Expression]]:
    """Return times of frames, and what a face whose mouth moves, and whose head does too, looks like then."""
    n_samples = len(motion.opening)
    steps = np.arange(0, n_samples, RATE / shot.fps)
    at = np.minimum(steps.astype(int), n_samples - 1)
    turn, nod = shot.turn + _glances(n_samples, rng), shot.nod + _nods(n_samples, rng)
    tilt = np.radians(2.5) * drift(n_samples, 0.4, rng)
    blink = np.clip(drift(n_samples, 3.0, rng) - 1.6, 0, 0.5) * 2
    curves = np.stack([np.interp(steps, np.arange(n_samples), curve) for curve in motion.curves()], axis=1)
    expressions = [
        Expression(float(o), float(w), float(s), float(blink[i]), float(turn[i]), float(nod[i]), float(tilt[i]))
        for (o, w, s), i in zip(curves, at, strict=True)
    ]
    return steps / RATE, expressions


def _glances(n_samples: int, rng: Rng) -> NDArray[np.float64]:
    """Turn the head a little all the time, and now and then to somebody else; radians, of shape (n_samples,)."""
    turn: NDArray[np.float64] = np.radians(3) * drift(n_samples, 0.5, rng)
    if rng.random() < 0.4:
        for start in np.cumsum(rng.uniform(0.5, 5.0, 8)) * RATE:
            rise = np.clip((np.arange(n_samples) - start) / (rng.uniform(0.2, 0.7) * RATE), 0, 1)
            turn += np.radians(rng.uniform(-35, 35)) * (3 - 2 * rise) * rise**2
    return turn


def _nods(n_samples: int, rng: Rng) -> NDArray[np.float64]:
    """Hold the head, and sometimes nod; radians, of shape (n_samples,)."""
    nod: NDArray[np.float64] = np.radians(2) * drift(n_samples, rng.uniform(0.4, 1.5), rng)
    if rng.random() < 0.4:
        strength = np.radians(rng.uniform(3, 9)) * np.clip(drift(n_samples, 0.5, rng) + 0.3, 0, 1.5)
        nod += strength * np.sin(2 * np.pi * rng.uniform(1.0, 2.6) * np.arange(n_samples) / RATE)
    return nod


def _errors(n_frames: int, shot: Shot, rng: Rng) -> NDArray[np.float64]:
    """Draw errors of landmarks in heights of the face, of shape (n_frames, n_points, 2).

    Lips are displaced, opened and widened as a whole rather than point by point, and for longer than a frame.
    """
    size = np.exp(rng.normal(0, 0.3)) * (0.0007 + 0.05 / shot.height)
    noise = lfilter([np.sqrt(1 - 0.5**2)], [1, -0.5], rng.standard_normal((n_frames, 4 + 2 * len(POINTS))), axis=0)
    common, own = noise[:, :4], noise[:, 4:].reshape(n_frames, -1, 2)
    angle = 2 * np.pi * np.arange(len(POINTS)) / 20
    around = np.stack([-np.cos(angle), np.sin(angle)], axis=1)
    drawn: NDArray[np.float64] = size * (common[:, None, :2] + 0.7 * common[:, None, 2:] * around + 0.4 * own)
    return drawn


def _picture(look: FacePhoto, expression: Expression, shot: Shot, sway: NDArray[np.float64]) -> Image:
    """Render one frame, twice as high and wide as the face."""
    side = int(2 * shot.height)
    patch = look.show(expression, shot.height)
    left, top = (np.array(patch.mouth) - (0.5 * side, 0.62 * side) - sway * shot.height).astype(int)
    cut = patch.image[max(0, top) : top + side, max(0, left) : left + side]
    edges = (max(0, -top), side - max(0, -top) - cut.shape[0], max(0, -left), side - max(0, -left) - cut.shape[1])
    cut = cv2.copyMakeBorder(cut, *edges, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    alpha = cv2.merge([cut[..., 3]] * 3)
    frame = cv2.add(cv2.multiply(cut[..., :3], alpha, scale=1 / 255), cv2.multiply(255 - alpha, 100, scale=1 / 255))
    if shot.blur > 0.2:
        frame = cv2.GaussianBlur(frame, (0, 0), shot.blur)
    noise = np.empty(frame.shape[:2], np.int16)
    cv2.randn(noise, 0, shot.noise)
    lit = cv2.add(cv2.convertScaleAbs(frame, alpha=shot.light), cv2.merge([noise] * 3), dtype=cv2.CV_8U)
    _, packed = cv2.imencode(".jpg", lit, [cv2.IMWRITE_JPEG_QUALITY, shot.quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def _measured(frames: Sequence[Image], region: Region, rng: Rng) -> tuple[Float32Array, NDArray[np.bool_]]:
    """Measure the mouth in every frame, each looked for where the last one was."""
    mesh = _mesh()
    shapes, seen = np.zeros((len(frames), N_SHAPE), np.float32), np.zeros(len(frames), bool)
    for number, frame in enumerate(frames):
        landmarks = mesh.find(frame, region)
        if landmarks.score < LEAST_SCORE:
            continue
        head = head_of(landmarks.points)
        shapes[number], seen[number] = lip_shape(landmarks.points, head), True
        region = _next_region(head, rng)
    return shapes, seen


def _next_region(head: Head, rng: Rng) -> Region:
    """Expect a face where it was, not quite exactly, as a tracker does."""
    x, y = np.array([head.x, head.y]) + 0.02 * head.size * rng.standard_normal(2)
    return Region(float(x), float(y), AROUND * head.size * float(np.exp(0.02 * rng.standard_normal())), head.roll)


_MESHES: list[FaceLandmarks] = []


def _mesh() -> FaceLandmarks:
    if not _MESHES:
        _MESHES.append(FaceLandmarks())
    return _MESHES[0]


def film_of(clip: Clip, scale: float = 1.0) -> Film:
    """Follow the first face in a real video, made smaller by a scale, as the robot does."""
    times, shapes, seen = [], [], []
    with open_video(clip.path) as video:
        width, height = round(video.width * scale), round(video.height * scale)
        tracker = FaceTracker(Camera(width, height, width, width, width / 2, height / 2))
        for frame in video.frames():
            image = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA)
            faces = tracker.process(np.asarray(image, np.uint8), frame.time)
            points = faces[0].landmarks if faces else None
            times.append(frame.time)
            seen.append(points is not None)
            shapes.append(np.zeros(N_SHAPE, np.float32) if points is None else lip_shape(points, head_of(points)))
    return Film(np.array(times), np.array(shapes), np.array(seen))


def motion_of(real: Film, n_samples: int) -> Motion:
    """Return what a filmed mouth does, so that a photograph can do it too."""
    opening, width = real.shapes[real.seen, 2 * len(POINTS)], real.shapes[real.seen, 2 * len(POINTS) + 1]
    opening = np.clip(opening - np.quantile(opening, 0.05), 0, None) / WIDEST_MOUTH
    width = (width / np.median(width[opening <= np.quantile(opening, 0.3)]) - 1 + 0.1 * opening) / 0.16
    times = np.arange(n_samples) / RATE
    seen = real.times[real.seen]
    return Motion(np.interp(times, seen, opening), np.interp(times, seen, width), np.zeros(n_samples))
