"""How the camera is turned against the array: the faces of people who talk must be where they are heard.

How far away a face is follows from its size in the picture, so that the distance between camera and array is accounted
for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from hearing.calibration_fit import unit_vectors
from hearing.errors import InputError
from hearing.vision.camera import Camera, Image, Video, open_video

if TYPE_CHECKING:
    from hearing.vision.detector import Detection

FloatArray = NDArray[np.float64]

EYES_TO_MOUTH = 0.07
"""Metres from between the eyes to the mouth of an adult; turning the head hardly changes it."""
_NEAR = np.deg2rad(6.0)
_MIN_FACES = 12


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Mouths that the camera sees.

    Attributes
    ----------
    stretches
        Which stretch of speech each was seen in, of shape (n_faces,).
    points
        Where, in metres from the camera along its own axes (forward, left, up), of shape (n_faces, 3).
    """

    stretches: NDArray[np.intp]
    points: FloatArray


@dataclass(frozen=True, slots=True)
class CameraRotation:
    """The rotation of the camera in the array frame, in degrees as in camera.yaml.

    Attributes
    ----------
    yaw, pitch
        The rotation; the pitch is None where microphones in one plane hear no elevation.
    yaw_error
        Standard error of the yaw.
    n_faces
        Number of faces that it rests on.
    """

    yaw: float
    pitch: float | None
    yaw_error: float
    n_faces: int


def find_faces(video: Path, camera: Camera, times: FloatArray) -> Faces:
    """Find the faces in a video at given times in seconds, of shape (n_stretches,) and in order.

    Raises
    ------
    InputError
        If the packages that find faces are not installed, or if the video cannot be read.
    """
    try:
        from hearing.vision.detector import FaceDetector
    except ImportError as error:
        raise InputError(f"{error}; faces need more packages: pip install 'robot-hearing[vision]'") from error
    detector = FaceDetector()
    stretches, points = [], []
    with open_video(video) as opened:
        for stretch, image in _pictures(opened, times):
            for face in detector.detect(image):
                stretches.append(stretch)
                points.append(_mouth(camera, face))
    return Faces(np.array(stretches, np.intp), np.array(points).reshape(-1, 3))


def _pictures(video: Video, times: FloatArray) -> Iterator[tuple[int, Image]]:
    """Read the first pictures from given times on, with the numbers of these times."""
    stretch = 0
    for frame in video.frames():
        if stretch < len(times) and frame.time >= times[stretch]:
            yield stretch, frame.image
            while stretch < len(times) and frame.time >= times[stretch]:
                stretch += 1


def _mouth(camera: Camera, face: Detection) -> FloatArray:
    """Place a mouth in front of the camera along its own axes, of shape (3,), by its distance from the eyes."""
    height = float(np.hypot(*(face.mouth - face.eyes)))
    mouth: FloatArray = camera.depth(max(height, 1.0), EYES_TO_MOUTH) * camera.local(face.mouth)
    return mouth


def rotation_of(camera: Camera, faces: Faces, angles: FloatArray, planar: bool) -> CameraRotation:
    """Find the rotation that puts faces where speech is heard.

    Parameters
    ----------
    camera
        Its position and roll are taken to be right, its pitch too if the array is planar.
    faces
        What it sees.
    angles
        Azimuth and elevation of every stretch of speech in radians, of shape (n_stretches, 2).
    planar
        Whether the microphones lie in one plane.

    Raises
    ------
    InputError
        If too few faces are seen where somebody is heard.
    """
    heard = unit_vectors(angles)[faces.stretches]

    def turned(yaw: float, pitch: float) -> FloatArray:
        rotation = Rotation.from_euler("ZYX", [yaw, pitch, np.deg2rad(camera.roll)])
        seen: FloatArray = rotation.apply(faces.points) + np.array(camera.position)
        return seen

    def misfit(pose: FloatArray) -> FloatArray:
        seen = turned(pose[0], np.deg2rad(camera.pitch) if planar else pose[1])
        azimuth = np.arctan2(seen[:, 1], seen[:, 0]) - np.arctan2(heard[:, 1], heard[:, 0])
        azimuth = (azimuth + np.pi) % (2 * np.pi) - np.pi
        if planar:
            return np.asarray(azimuth)
        elevation = np.arctan2(seen[:, 2], np.hypot(seen[:, 0], seen[:, 1])) - np.arcsin(heard[:, 2])
        return np.concatenate([azimuth, elevation])

    # Other faces than the talker's, and echoes, are everywhere; the talker's face is in one place: the mode counts.
    n_faces, pitch = len(faces.stretches), np.deg2rad(camera.pitch)
    yaws = np.deg2rad(np.arange(-180.0, 180.0, 2.0))
    scores = [np.exp(-0.5 * (misfit(np.array([yaw, pitch]))[:n_faces] / _NEAR) ** 2).sum() for yaw in yaws]
    start = np.array([yaws[int(np.argmax(scores))], pitch])
    fit = (
        least_squares(misfit, start[: 1 if planar else 2], loss="cauchy", f_scale=np.deg2rad(2.0)) if n_faces else None
    )
    near = np.abs(misfit(fit.x)[:n_faces]) < _NEAR if fit is not None else np.zeros(0, np.bool_)
    if fit is None or near.sum() < _MIN_FACES:
        raise InputError(
            f"{int(near.sum())} faces are seen where somebody is heard, {_MIN_FACES} are needed; walk through the "
            "picture while talking, with the face to the camera"
        )
    error = float(np.std(misfit(fit.x)[:n_faces][near]) / np.sqrt(near.sum()))
    degrees = np.rad2deg(fit.x)
    return CameraRotation(
        float(degrees[0]), None if planar else float(degrees[1]), float(np.rad2deg(error)), int(near.sum())
    )
