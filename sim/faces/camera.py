"""The camera: a pinhole on the robot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from hearing_sim.motion import Pose
from hearing_sim.scene import Camera
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

FloatArray = NDArray[np.float64]


def focal_length(camera: Camera) -> float:
    """Focal length in pixels, the same in both directions."""
    return camera.width / 2 / math.tan(math.radians(camera.hfov_deg) / 2)


def camera_yaml(camera: Camera) -> dict[str, Any]:
    """Return what camera.yaml says: pixels, and the pose in the array frame in metres and degrees."""
    focal = round(focal_length(camera), 4)
    return {
        "width": camera.width,
        "height": camera.height,
        "fx": focal,
        "fy": focal,
        "cx": camera.width / 2,
        "cy": camera.height / 2,
        "position": list(camera.position),
        "yaw": camera.yaw_deg,
        "pitch": camera.pitch_deg,
        "roll": camera.roll_deg,
    }


@dataclass(frozen=True, slots=True)
class View:
    """What a point of the room is in the picture.

    Attributes
    ----------
    x, y
        Pixels from the left upper corner.
    depth
        Metres in front of the camera; negative behind it.
    scale
        Pixels per metre at that depth.
    """

    x: float
    y: float
    depth: float
    scale: float


class Lens:
    """A camera that a robot carries.

    Parameters
    ----------
    camera
        Its picture, and its pose in the array frame.
    pose
        Where the array frame is.
    """

    def __init__(self, camera: Camera, pose: Pose) -> None:
        self._camera, self._pose = camera, pose
        # Intrinsic rotations about z, then y, then x; looking up is a negative pitch about y.
        angles = (camera.yaw_deg, camera.pitch_deg, camera.roll_deg)
        self._rotation = Rotation.from_euler("ZYX", angles, degrees=True)
        self._focal = focal_length(camera)

    def see(self, point: FloatArray, time: float) -> View:
        """Project a point of the room, of shape (3,), at a time."""
        local = self._pose.to_frame(point, np.array(time)) - np.array(self._camera.position)
        forward, left, up = self._rotation.inv().apply(local)
        depth = float(forward)
        scale = self._focal / max(abs(depth), 1e-6)
        x, y = self._camera.width / 2 - scale * float(left), self._camera.height / 2 - scale * float(up)
        return View(x, y, depth, scale)

    def position(self, time: float) -> FloatArray:
        """Return where the camera is in the room, of shape (3,)."""
        place: FloatArray = self._pose.to_room(np.array(self._camera.position), np.array(time))
        return place

    def directions(self, time: float) -> tuple[FloatArray, FloatArray]:
        """Return azimuth and elevation in radians in the room of every pixel, both of shape (height, width)."""
        u = (np.arange(self._camera.width) + 0.5 - self._camera.width / 2) / self._focal
        v = (np.arange(self._camera.height) + 0.5 - self._camera.height / 2) / self._focal
        rays = np.stack(np.broadcast_arrays(1.0, -u[None, :], -v[:, None]), axis=-1).reshape(-1, 3)
        x, y, z = self._rotation.apply(rays).T.reshape(3, self._camera.height, self._camera.width)
        azimuth = np.arctan2(y, x) + float(self._pose.yaw(np.array(time)))
        return azimuth, np.arctan2(z, np.hypot(x, y))
