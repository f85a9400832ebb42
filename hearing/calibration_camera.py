"""How the camera is turned against the array: the faces of people who talk must be where they are heard.

Faces come from MediaPipe's detector, if it is installed. How far away a face is follows from its size in the
picture, so that the distance between camera and array is accounted for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from hearing.calibration_fit import unit_vectors
from hearing.errors import InputError

FloatArray = NDArray[np.float64]

EYES_TO_MOUTH = 0.07
"""Metres from between the eyes to the mouth of an adult; turning the head hardly changes it."""
_NEAR = np.deg2rad(6.0)
_MIN_FACES = 12
_MIN_CONFIDENCE = 0.5
_FAR_FACES = 1
"""MediaPipe's detector for faces up to 5 m away; the one for near faces, which the face mesh uses, ends at 2 m."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera as camera.yaml describes it: pixels, and its pose in the array frame in metres and degrees."""

    width: float
    height: float
    fx: float
    fy: float
    cx: float
    cy: float
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0


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


def load_camera(path: Path) -> Camera:
    """Read a camera.yaml.

    Raises
    ------
    InputError
        If it cannot be read or describes no camera.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        known = {key: content[key] for key in Camera.__dataclass_fields__ if key in content}
        position = tuple(float(value) for value in known.pop("position", (0.0, 0.0, 0.0)))
        if len(position) != 3:
            raise ValueError("position needs three numbers")
        camera = Camera(**{key: float(value) for key, value in known.items()}, position=position)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, ValueError) as error:
        what = " ".join(str(error).split())
        raise InputError(f"{path}: describes no camera ({what}); give width, height, fx, fy, cx, cy") from error
    if min(camera.fx, camera.fy, camera.width, camera.height) <= 0:
        raise InputError(f"{path}: width, height, fx and fy must be greater than 0")
    return camera


def find_faces(video: Path, camera: Camera, times: FloatArray) -> Faces:
    """Find the faces in a video at given times in seconds, of shape (n_stretches,) and in order.

    Raises
    ------
    InputError
        If the packages that find faces are not installed, or if the video cannot be read.
    """
    try:
        cv2, mediapipe = import_module("cv2"), import_module("mediapipe")
    except ImportError as error:
        raise InputError(f"{error}; faces need more packages: pip install 'robot-hearing[sim]'") from error
    stretches, points = [], []
    with mediapipe.solutions.face_detection.FaceDetection(_MIN_CONFIDENCE, _FAR_FACES) as detector:
        for stretch, image in _images(cv2, video, times):
            for face in detector.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).detections or ():
                stretches.append(stretch)
                points.append(_mouth(camera, face.location_data.relative_keypoints))
    return Faces(np.array(stretches, np.intp), np.array(points).reshape(-1, 3))


def _images(cv2: Any, video: Path, times: FloatArray) -> Iterator[tuple[int, Any]]:
    """Read the pictures that are next to given times."""
    capture = cv2.VideoCapture(str(video))
    try:
        rate = capture.get(cv2.CAP_PROP_FPS)
        if not capture.isOpened() or not rate > 0:
            raise InputError(f"{video}: not a video that can be read; record or copy it again")
        wanted = dict(zip(np.round(times * rate).astype(int).tolist(), range(len(times)), strict=True))
        for number in range(max(wanted, default=-1) + 1):
            if not capture.grab():
                return
            if number in wanted:
                yield wanted[number], capture.retrieve()[1]
    finally:
        capture.release()


def _mouth(camera: Camera, keypoints: Any) -> FloatArray:
    """Place a mouth in front of the camera, of shape (3,), by its distance from the eyes, the first two key points."""
    pixels = np.array([[point.x, point.y] for point in keypoints]) * (camera.width, camera.height)
    eyes, (x, y) = pixels[:2].mean(axis=0), pixels[3]
    depth = EYES_TO_MOUTH * camera.fy / max(float(np.hypot(*(eyes - pixels[3]))), 1.0)
    return depth * np.array([1.0, (camera.cx - x) / camera.fx, (camera.cy - y) / camera.fy])


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
