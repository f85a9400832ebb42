"""A camera as ROS describes it: a `CameraInfo`, and an optical frame whose z looks ahead (REP-103)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hearing.vision.camera import Camera

BENT = 0.05
"""Coefficient of distortion from which on a lens bends lines so much that directions suffer."""
_BODY = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
"""Forward, left and up in an optical frame, whose x is right, y down and z forward, as columns."""


def described(info: Any, pose: NDArray[np.float64]) -> Camera:
    """Return the camera that a `sensor_msgs/CameraInfo` describes.

    Parameters
    ----------
    info
        The message; its distortion is not used.
    pose
        Matrix of shape (4, 4) that maps coordinates in its optical frame to those in the array frame, in metres.
    """
    yaw, pitch, roll = Rotation.from_matrix(pose[:3, :3] @ _BODY).as_euler("ZYX", degrees=True)
    fx, _, cx, _, fy, cy = (float(value) for value in info.k[:6])
    x, y, z = (float(value) for value in pose[:3, 3])
    width, height = float(info.width), float(info.height)
    return Camera(width, height, fx, fy, cx, cy, (x, y, z), float(yaw), float(pitch), float(roll))


def bends(info: Any) -> bool:
    """Tell whether a `CameraInfo` is that of a lens that bends lines, so that its pictures need to be rectified."""
    return bool(np.abs(info.d).max(initial=0.0) > BENT)


def upright(camera: Camera) -> tuple[NDArray[np.float64], Rotation]:
    """Return where a camera is in the array frame: position in metres, and rotation; it looks along its x."""
    return np.array(camera.position), Rotation.from_euler("ZYX", [camera.yaw, camera.pitch, camera.roll], degrees=True)


def optical(camera: Camera) -> tuple[NDArray[np.float64], Rotation]:
    """Return where a camera's optical frame is in the array frame: position in metres, and rotation."""
    position, turn = upright(camera)
    return position, turn * Rotation.from_matrix(_BODY.T)
