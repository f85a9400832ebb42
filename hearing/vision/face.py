"""What the robot knows about a face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hearing.types import Direction


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face that a camera follows.

    A face whose points are not found in a frame, because it is turned away, hidden, or too small, is expected where it
    moved to: `landmarks` and `mouth` are None then, `quality` is 0, and angles, `facing` and `opening` are the last
    ones known. Where only the mouth is covered, `mouth` is None.

    Attributes
    ----------
    id
        `face_1`, `face_2`, ...; unique in the stream. A tracker never uses one again; `Eyes` give it to the same person
        again. With a name of the camera before it, as in `left_face_1`, if the camera was given one.
    time
        Stream time of the frame in seconds.
    box
        Left, top, width and height in pixels: from hairline to chin, and from cheek to cheek.
    direction
        Of the mouth, as seen from the origin of the array frame.
    distance
        Metres from there to the mouth.
    yaw, pitch
        Where the head faces, in radians relative to the line of sight to the camera: to the person's own left, and
        down.
    facing
        Probability that the person looks at the robot, by the direction of the head.
    opening
        Gap between the inner lips as a share of the face's height; 0 is closed, 0.15 wide open.
    landmarks
        Pixels to the right, down, and away from the camera relative to the middle of the head, of shape (468, 3), in
        the order of MediaPipe's face mesh.
    mouth
        Grey picture of the mouth, the line of the eyes level, always the same share of a face, with mean 0 and standard
        deviation 1: float32 of shape (48, 64).
    quality
        How much can be seen, from 0 to 1: large, sharp, frontal faces are near 1.
    """

    id: str
    time: float
    box: tuple[float, float, float, float]
    direction: Direction
    distance: float
    yaw: float
    pitch: float
    facing: float
    opening: float
    landmarks: NDArray[np.float64] | None
    mouth: NDArray[np.float32] | None
    quality: float


@dataclass(frozen=True, slots=True, eq=False)
class LipState:
    """What a mouth does now.

    Attributes
    ----------
    face_id, time
        The face, and the stream time of its frame in seconds.
    speaking
        Probability that the mouth speaks, by how it looks and moves, whatever is heard.
    embedding
        What it says, as a point that is compared with what is heard (`hearing.vision.synchrony`): float32 of shape
        (n_dimensions,); None where the mouth is not seen.
    """

    face_id: str
    time: float
    speaking: float
    embedding: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What a camera sees in one frame.

    Attributes
    ----------
    time
        Stream time of the frame in seconds.
    faces
        All faces that are followed.
    lips
        Of the same faces, in the same order.
    people
        For faces that were compared with those of people whom the robot knows: log-likelihood ratios, by the face's id
        and the person's name, of being him to being somebody else.
    """

    time: float
    faces: tuple[Face, ...]
    lips: tuple[LipState, ...]
    people: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
