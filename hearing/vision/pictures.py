"""Pictures as ROS sends them: `sensor_msgs/Image` and `CompressedImage`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearing.errors import InputError

_ENCODINGS = {"bgr8": (3, [0, 1, 2]), "rgb8": (3, [2, 1, 0]), "bgra8": (4, [0, 1, 2]), "rgba8": (4, [2, 1, 0]),
              "mono8": (1, [0, 0, 0]), "8UC3": (3, [0, 1, 2]), "8UC1": (1, [0, 0, 0])}  # fmt: skip
"""Channels, and which of them are blue, green and red, by the name of the encoding."""


def picture(message: Any) -> NDArray[np.uint8]:
    """Return a picture as blue, green, red: uint8 of shape (height, width, 3).

    Raises
    ------
    InputError
        If it cannot be decoded, or OpenCV is not installed.
    """
    return _uncompressed(message) if hasattr(message, "format") else _raw(message)


def _uncompressed(message: Any) -> NDArray[np.uint8]:
    try:
        import cv2
    except ImportError as error:
        raise InputError(f"{error}; pictures need more packages: pip install 'robot-hearing[vision]'") from error
    try:
        decoded = cv2.imdecode(np.asarray(message.data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # for some data, such as none, OpenCV raises instead of returning nothing
        decoded = None
    if decoded is None:
        raise InputError(f"a picture of format {message.format!r} cannot be decoded; give jpeg or png")
    return np.asarray(decoded, np.uint8)


def _raw(message: Any) -> NDArray[np.uint8]:
    if message.encoding not in _ENCODINGS:
        raise InputError(f"pictures of encoding {message.encoding!r}: give one of {', '.join(_ENCODINGS)}")
    channels, order = _ENCODINGS[message.encoding]
    if message.step < channels * message.width or len(message.data) != message.height * message.step:
        raise InputError(
            f"a picture of {len(message.data)} bytes: {message.width} x {message.height} pixels "
            f"in rows of {message.step} bytes are more, or less"
        )
    rows = np.asarray(message.data, np.uint8).reshape(message.height, message.step)
    pixels = rows[:, : channels * message.width].reshape(message.height, message.width, channels)
    return np.ascontiguousarray(pixels[:, :, order])
