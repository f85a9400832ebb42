"""Between pictures of ROS and those of the library."""

from __future__ import annotations

import array

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from hearing.errors import InputError

_ORDERS = {"bgr8": [0, 1, 2], "rgb8": [2, 1, 0]}
"""Channels of blue, green and red, by the name of the encoding."""


def picture(message: Image | CompressedImage) -> NDArray[np.uint8]:
    """Return a picture as blue, green, red: uint8 of shape (height, width, 3).

    Raises
    ------
    InputError
        If it cannot be decoded.
    """
    return _uncompressed(message) if isinstance(message, CompressedImage) else _raw(message)


def image_message(image: NDArray[np.uint8], header: Header) -> Image:
    """Convert a picture, blue, green, red: uint8 of shape (height, width, 3)."""
    height, width, _ = image.shape
    data = array.array("B", image.tobytes())
    return Image(header=header, height=height, width=width, encoding="bgr8", step=3 * width, data=data)


def _uncompressed(message: CompressedImage) -> NDArray[np.uint8]:
    import cv2

    try:
        decoded = cv2.imdecode(np.asarray(message.data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # for some data, such as none, OpenCV raises instead of returning nothing
        decoded = None
    if decoded is None:
        raise InputError(f"a picture of format {message.format!r} cannot be decoded; publish jpeg or png")
    return np.asarray(decoded, np.uint8)


def _raw(message: Image) -> NDArray[np.uint8]:
    if message.encoding not in _ORDERS:
        raise InputError(f"pictures of encoding {message.encoding!r} on the topic: publish {' or '.join(_ORDERS)}")
    if message.step < 3 * message.width or len(message.data) != message.height * message.step:
        raise InputError(
            f"a picture of {len(message.data)} bytes on the topic: {message.width} x {message.height} pixels "
            f"in rows of {message.step} bytes are more, or less"
        )
    rows = np.asarray(message.data, np.uint8).reshape(message.height, message.step)
    pixels = rows[:, : 3 * message.width].reshape(message.height, message.width, 3)
    return np.ascontiguousarray(pixels[:, :, _ORDERS[message.encoding]])
