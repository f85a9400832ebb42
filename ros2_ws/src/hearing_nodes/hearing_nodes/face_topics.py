"""Faces as REP-155 wants them: `/humans/faces`, and the frames `face_<id>` and `gaze_<id>`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from geometry_msgs.msg import TransformStamped
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from std_msgs.msg import Header

from hearing.vision.camera import Camera
from hearing.vision.face import Face
from hearing_nodes import frames, optional, pictures
from hearing_nodes.frames import Matrix
from hearing_nodes.human_topics import HumanTopics

CROP = 128
"""Pixels of a picture of a face, along both sides: the default of REP-155."""
MOUTH_TO_EYES = 0.075
"""Metres from the mouth, whose place is known, up to between the eyes, where the frame of a face is."""
GAZE = frames.pose((0.0, 0.0, 0.0), Rotation.from_quat([-0.5, 0.5, -0.5, 0.5]))
"""Optical frame, whose z looks ahead, in one whose x does."""


class FaceTopics:
    """The topics of faces.

    Parameters
    ----------
    topics
        `/humans/faces`.
    crops
        Whether pictures of the faces are published.
    """

    def __init__(self, topics: HumanTopics, crops: bool) -> None:
        self._topics, self._crops = topics, crops

    def show(self, faces: Sequence[tuple[str, Face]], image: NDArray[np.uint8], header: Header) -> None:
        """Publish what is seen in a picture.

        Parameters
        ----------
        faces
            With their identifiers.
        image
            Blue, green, red: uint8 of shape (height, width, 3).
        header
            Of the picture.
        """
        self._topics.track(header, [key for key, _ in faces])
        for key, face in faces:
            if face.quality > 0:
                self._topics.tell(key, "roi", region(face, image.shape, header))
                if self._crops:
                    self._topics.tell(key, "cropped", pictures.image_message(cropped(face, image), header))

    def close(self) -> None:
        """Drop the topics."""
        self._topics.close()


def region(face: Face, shape: tuple[int, ...], header: Header) -> Any:
    """Return where a face is in a picture of shape (height, width, ...), as shares of that."""
    left, top, width, height = face.box
    x, y = np.clip([left, left + width], 0, shape[1]) / shape[1], np.clip([top, top + height], 0, shape[0]) / shape[0]
    return optional.needed("hri_msgs", "regions of faces").NormalizedRegionOfInterest2D(
        header=header, xmin=float(x[0]), xmax=float(x[1]), ymin=float(y[0]), ymax=float(y[1]), c=float(face.quality)
    )


def cropped(face: Face, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut a face out: uint8 of shape (CROP, CROP, 3), scaled, centred, and black where nothing is."""
    left, top, width, height = face.box
    scale = CROP / max(width, height, 1.0)
    x, y = left + width / 2, top + height / 2
    onto = np.array([[scale, 0, CROP / 2 - scale * x], [0, scale, CROP / 2 - scale * y]])
    cut = cv2.warpAffine(image, onto, (CROP, CROP), flags=cv2.INTER_AREA)
    beside = np.abs(np.arange(CROP) + 0.5 - CROP / 2)
    cut[beside > scale * height / 2] = 0
    cut[:, beside > scale * width / 2] = 0
    return np.asarray(cut, np.uint8)


def head_pose(face: Face, camera: Camera) -> Matrix:
    """Return where a head is in the array frame, as a matrix of shape (4, 4): between the eyes, x out of the face."""
    mouth = face.distance * face.direction.vector
    x, y, z = camera.position - mouth
    facing = math.atan2(y, x) + face.yaw, -math.atan2(z, math.hypot(x, y)) + face.pitch
    turn = Rotation.from_euler("ZY", facing)
    return frames.pose(mouth + turn.apply([0.0, 0.0, MOUTH_TO_EYES]), turn)


def face_frames(faces: Sequence[tuple[str, Face]], camera: Camera, header: Header) -> list[TransformStamped]:
    """Return the frames of faces, given with their identifiers, and of their gaze, by where the heads face.

    Parameters
    ----------
    faces
        Those that are not seen have none.
    camera
        That sees them.
    header
        Time of the picture, and name of the array frame.
    """
    transforms = []
    for key, face in faces:
        if face.quality > 0:
            transforms.append(frames.transform(header.frame_id, f"face_{key}", header.stamp, head_pose(face, camera)))
            transforms.append(frames.transform(f"face_{key}", f"gaze_{key}", header.stamp, GAZE))
    return transforms
