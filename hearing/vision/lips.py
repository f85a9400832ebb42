"""What mouths do now: a causal network on the motion of the lips, for every face.

Faces come at any rate and may be missing in frames: the network is told how much time has passed. What it remembers is
kept by the face's id, and forgotten when the face is gone, or was not seen for a second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.recognition.session import open_session
from hearing.types import Float32Array
from hearing.vision.face import Face, LipState
from hearing.vision.head import CORNERS, Head, head_of

FloatArray = NDArray[np.float64]

POINTS = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185),  # outer lips
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191),  # inner lips
    *(152, 199, 172, 397),  # chin and jaw
)
"""Landmarks whose motion the network sees."""
N_SHAPE = 2 * len(POINTS) + 5
"""Numbers that describe a mouth in one frame: the points, then opening, width, yaw, pitch and size."""
N_FEATURES = 2 * len(POINTS) + N_SHAPE + 6
"""Numbers that the network is given of a frame."""
_PER_SECOND = np.concatenate([np.full(2 * len(POINTS), 2.5), [2.5, 2.5, 0.5, 0.5, 1.0]]).astype(np.float32)
HABIT = 3.0
"""Time constant in seconds of the mean to which a mouth is compared: people's lips differ more than they move."""
SHORTEST, LONGEST = 0.01, 0.5
"""Time between two frames in seconds that the network is told; nothing else was part of its training."""
FORGET = 1.0
"""Seconds without a mouth after which nothing is remembered of what it did."""
PRIOR = 0.3
"""Probability that a mouth speaks of which nothing is known."""


def own_weights() -> Path:
    """Give the folder of the project's lip networks."""
    return Path(str(resources.files("hearing_models"))) / "lips" / "weights"


def lip_shape(points: FloatArray, head: Head) -> Float32Array:
    """Describe a mouth by landmarks of shape (468, 3), wherever the head is, however large and tilted.

    Returns
    -------
    Shape (N_SHAPE,): to the right and down from the middle of the head in heights of the face for each of `POINTS`,
    then the gap of the lips and the distance of their corners in the same unit, yaw and pitch in radians, and the
    height of the face in units of 80 pixels, 1.5 at most.
    """
    cos, sin = math.cos(head.roll), math.sin(head.roll)
    level = (points[list(POINTS), :2] - (head.x, head.y)) @ np.array([[cos, -sin], [sin, cos]]) / head.size
    right, left = points[CORNERS, :2]
    width = float(np.hypot(*(right - left))) / head.size
    rest = (head.opening, width, head.yaw, head.pitch, min(head.size / 80.0, 1.5))
    shape: Float32Array = np.concatenate([level.ravel(), rest]).astype(np.float32)
    return shape


def lip_features(shape: Float32Array, before: Float32Array, habit: Float32Array, elapsed: Float32Array) -> Float32Array:
    """Return what the network sees of lips, for n mouths at once.

    Parameters
    ----------
    shape, before, habit
        Now, in the frame before, and on average, each of shape (n, N_SHAPE).
    elapsed
        Seconds since the frame before, of shape (n,).

    Returns
    -------
    Shape (n, N_FEATURES): the points relative to their average, how fast everything changes, opening, width, yaw, pitch
    and size, and the time since the frame before; all of order 1.
    """
    n_points = 2 * len(POINTS)
    place = 25.0 * (shape - habit)[:, :n_points]
    # A head that nods or turns moves its lips, too.
    velocity = (shape - before) / elapsed[:, None] * _PER_SECOND
    rest = shape[:, n_points:] * np.array([10.0, 3.0, 1.0, 1.0, 1.0], np.float32)
    pace = np.log(elapsed / 0.04)[:, None]
    features: Float32Array = np.concatenate([np.clip(place, -4, 4), np.clip(velocity, -4, 4), rest, pace], axis=1)
    return features.astype(np.float32)


def updated_habit(habit: Float32Array, shape: Float32Array, elapsed: Float32Array) -> Float32Array:
    """Return the running mean of mouths of shape (n, N_SHAPE) after so many seconds, of shape (n,)."""
    share = -np.expm1(-elapsed / HABIT)[:, None]
    mean: Float32Array = (habit + share * (shape - habit)).astype(np.float32)
    return mean


@dataclass(slots=True, eq=False)
class _Mouth:
    """What is remembered of a face; see `lip_features`.

    Attributes
    ----------
    time
        When the mouth was last seen.
    memory
        Of the network, of shape (n_memory,).
    speaking
        Its last probability.
    """

    time: float
    shape: Float32Array
    habit: Float32Array
    memory: Float32Array
    speaking: float = PRIOR


class LipReader:
    """Reads the lips of all faces that a camera follows.

    Parameters
    ----------
    weights
        Folder of `lip_encoder.onnx`; by default that of the package `hearing_models`.

    Raises
    ------
    InputError
        If the network is missing.
    """

    def __init__(self, weights: Path | None = None) -> None:
        path = (weights or own_weights()) / "lip_encoder.onnx"
        if not path.is_file():
            raise InputError(f"{path}: the lip encoder is missing; install the package again")
        self._session = open_session(path, threads=1)
        self._n_memory: int = {entry.name: entry.shape for entry in self._session.get_inputs()}["memory"][1]
        self.dimensions: int = self._session.get_outputs()[1].shape[1]
        self.reset()

    @property
    def latency(self) -> float:
        """Seconds by which the result for a frame is late: none, though lips say what they speak a moment later."""
        return 0.0

    def reset(self) -> None:
        """Forget all faces."""
        self._mouths: dict[str, _Mouth] = {}
        self._time = -math.inf

    def process(self, faces: Sequence[Face], time: float) -> tuple[LipState, ...]:
        """Read the lips in a frame.

        Parameters
        ----------
        faces
            All that are followed in it; of those that are missing everything is forgotten.
        time
            Stream time of the frame in seconds, later than the last one.

        Returns
        -------
        The state of every face, in the same order. Where a mouth is not seen, or covered, there is no embedding, and
        the probability goes from its last value to `PRIOR`.

        Raises
        ------
        InputError
            If the time is no number or not later than the last one.
        """
        if not time > self._time or math.isinf(time):
            raise InputError(f"lips at {time} s after {self._time} s; give frames in order, each once")
        self._time = time
        mouths = {face.id: self._mouths.get(face.id) for face in faces}
        seen = [face for face in faces if face.landmarks is not None and face.mouth is not None]
        embeddings = self._read(seen, mouths, time) if seen else {}
        self._mouths = {name: mouth for name, mouth in mouths.items() if mouth is not None}
        return tuple(LipState(face.id, time, self._speaking(face.id), embeddings.get(face.id)) for face in faces)

    def _speaking(self, name: str) -> float:
        mouth = self._mouths.get(name)
        if mouth is None:
            return PRIOR
        known = math.exp(-(self._time - mouth.time) / FORGET)
        return known * mouth.speaking + (1 - known) * PRIOR

    def _read(self, faces: Sequence[Face], mouths: dict[str, _Mouth | None], time: float) -> dict[str, Float32Array]:
        """Run the network on mouths that are seen, and remember what it and they did."""
        shape = np.stack([lip_shape(f.landmarks, head_of(f.landmarks)) for f in faces if f.landmarks is not None])
        known = [self._known(mouths[face.id], time) for face in faces]
        before = np.stack([shape[i] if mouth is None else mouth.shape for i, mouth in enumerate(known)])
        habit = np.stack([shape[i] if mouth is None else mouth.habit for i, mouth in enumerate(known)])
        silent = np.zeros(self._n_memory, np.float32)
        memory = np.stack([silent if mouth is None else mouth.memory for mouth in known])
        elapsed = np.array([0.04 if mouth is None else time - mouth.time for mouth in known], np.float32)
        elapsed = np.clip(elapsed, SHORTEST, LONGEST)
        habit = updated_habit(habit, shape, elapsed)
        features = lip_features(shape, before, habit, elapsed)
        speaking, embeddings, memory = self._session.run(None, {"features": features, "memory": memory})
        for i, face in enumerate(faces):
            mouths[face.id] = _Mouth(time, shape[i], habit[i], memory[i], float(speaking[i]))
        return {face.id: embeddings[i] for i, face in enumerate(faces)}

    def _known(self, mouth: _Mouth | None, time: float) -> _Mouth | None:
        return mouth if mouth is not None and time - mouth.time <= FORGET else None
