"""Pictures of the library as those of ROS."""

from __future__ import annotations

import array

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image
from std_msgs.msg import Header


def image_message(image: NDArray[np.uint8], header: Header) -> Image:
    """Convert a picture, blue, green, red: uint8 of shape (height, width, 3)."""
    height, width, _ = image.shape
    data = array.array("B", image.tobytes())
    return Image(header=header, height=height, width=width, encoding="bgr8", step=3 * width, data=data)
