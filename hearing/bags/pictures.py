"""Pictures in a bag: which camera took them, where it is, and what they show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hearing.bags import messages
from hearing.bags.reading import Bag
from hearing.bags.transforms import Frames
from hearing.errors import InputError

if TYPE_CHECKING:
    from hearing.vision.camera import Camera

_BODY = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
"""Forward, left and up in an optical frame, whose x is right, y down and z forward (REP-103), as columns."""
_ENCODINGS = {"bgr8": (3, [0, 1, 2]), "rgb8": (3, [2, 1, 0]), "bgra8": (4, [0, 1, 2]), "rgba8": (4, [2, 1, 0]),
              "mono8": (1, [0, 0, 0]), "8UC3": (3, [0, 1, 2])}  # fmt: skip


def find_camera(
    bag: Bag, frames: Frames, array_frame: str, calibration: Path | None
) -> tuple[str | None, Camera | None, tuple[str, ...]]:
    """Find a topic of pictures and the camera that took them.

    Compressed pictures go before raw ones.

    Returns
    -------
    The topic and the calibration, None if there are no pictures that can be used, and notices.
    """
    topics = [name for kind in (messages.COMPRESSED_IMAGE, messages.IMAGE) for name in bag.topics(kind)]
    topics = [name for name in topics if "depth" not in name.lower()]
    if not topics:
        return None, None, ()
    topic = topics[0]
    if calibration is not None:
        from hearing.vision.camera import load_camera

        return topic, load_camera(calibration), ()
    lens = _lens(bag, topic)
    if lens is None:
        return None, None, (f"{topic} is not used: no CameraInfo; add --camera FILE.yaml",)
    frame = lens.header.frame_id.lstrip("/")
    pose = frames.between(array_frame, frame)
    if pose is None:
        return None, None, (f"{topic} is not used: tf does not say where {frame} is; add --camera FILE.yaml",)
    distorted = [f"{topic}: its lens bends lines, which is not corrected; publish rectified pictures"]
    return topic, _camera(lens, pose), tuple(distorted if np.abs(lens.d).max(initial=0.0) > 0.05 else [])


def _lens(bag: Bag, topic: str) -> Any | None:
    """Return the `CameraInfo` whose name has most in common with a topic of pictures."""
    infos = bag.topics(messages.CAMERA_INFO)
    parts = topic.split("/")
    common = [sum(a == b for a, b in zip(parts, info.split("/"), strict=False)) for info in infos]
    return bag.last(infos[int(np.argmax(common))]) if infos else None


def _camera(lens: Any, pose: NDArray[np.float64]) -> Camera:
    from hearing.vision.camera import Camera

    yaw, pitch, roll = Rotation.from_matrix(pose[:3, :3] @ _BODY).as_euler("ZYX", degrees=True)
    fx, _, cx, _, fy, cy = (float(value) for value in lens.k[:6])
    x, y, z = (float(value) for value in pose[:3, 3])
    width, height = float(lens.width), float(lens.height)
    return Camera(width, height, fx, fy, cx, cy, (x, y, z), float(yaw), float(pitch), float(roll))


def optical(camera: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where a camera's optical frame is in the array frame: position, and rotation as quaternion x, y, z, w."""
    turn = Rotation.from_euler("ZYX", [camera.yaw, camera.pitch, camera.roll], degrees=True)
    return np.array(camera.position), (turn * Rotation.from_matrix(_BODY.T)).as_quat()


def decoded(message: Any, camera: Camera, where: str) -> NDArray[np.uint8]:
    """Return a picture as blue, green, red: uint8 of shape (height, width, 3).

    Raises
    ------
    InputError
        If it cannot be decoded, or has another size than the camera.
    """
    picture = _uncompressed(message, where) if hasattr(message, "format") else _raw(message, where)
    if picture.shape[:2] != (camera.height, camera.width):
        raise InputError(
            f"{where}: {picture.shape[1]} x {picture.shape[0]} pixels, but its calibration is of "
            f"{camera.width:g} x {camera.height:g}; give that of this camera with --camera"
        )
    return picture


def _uncompressed(message: Any, where: str) -> NDArray[np.uint8]:
    try:
        import cv2
    except ImportError as error:
        raise InputError(f"{error}; pictures need more packages: pip install 'robot-hearing[vision]'") from error
    picture = cv2.imdecode(np.asarray(message.data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise InputError(f"{where}: a picture of format {message.format!r} cannot be decoded; record jpeg or png")
    return np.asarray(picture, np.uint8)


def _raw(message: Any, where: str) -> NDArray[np.uint8]:
    if message.encoding not in _ENCODINGS:
        raise InputError(f"{where}: pictures of {message.encoding}; record one of {', '.join(_ENCODINGS)}")
    channels, order = _ENCODINGS[message.encoding]
    rows = np.asarray(message.data, np.uint8).reshape(message.height, message.step)
    pixels = rows[:, : message.width * channels].reshape(message.height, message.width, channels)
    return np.ascontiguousarray(pixels[:, :, order])
