"""Pictures in a bag: which camera took them, where it is, and what they show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hearing.bags import messages
from hearing.bags.reading import Bag
from hearing.bags.transforms import Frames
from hearing.errors import InputError

if TYPE_CHECKING:
    from hearing.vision.camera import Camera


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
    from hearing.vision import optical

    lens = _lens(bag, topic)
    if lens is None:
        return None, None, (f"{topic} is not used: no CameraInfo; add --camera FILE.yaml",)
    frame = lens.header.frame_id.lstrip("/")
    pose = frames.between(array_frame, frame)
    if pose is None:
        return None, None, (f"{topic} is not used: tf does not say where {frame} is; add --camera FILE.yaml",)
    distorted = f"{topic}: its lens bends lines, which is not corrected; publish rectified pictures"
    return topic, optical.described(lens, pose), (distorted,) if optical.bends(lens) else ()


def _lens(bag: Bag, topic: str) -> Any | None:
    """Return the `CameraInfo` whose name has most in common with a topic of pictures."""
    infos = bag.topics(messages.CAMERA_INFO)
    parts = topic.split("/")
    common = [sum(a == b for a, b in zip(parts, info.split("/"), strict=False)) for info in infos]
    return bag.last(infos[int(np.argmax(common))]) if infos else None


def decoded(message: Any, camera: Camera, where: str) -> NDArray[np.uint8]:
    """Return a picture as blue, green, red: uint8 of shape (height, width, 3).

    Raises
    ------
    InputError
        If it cannot be decoded, or has another size than the camera.
    """
    from hearing.vision.pictures import picture as picture_of

    try:
        picture = picture_of(message)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    if picture.shape[:2] != (camera.height, camera.width):
        raise InputError(
            f"{where}: {picture.shape[1]} x {picture.shape[0]} pixels, but its calibration is of "
            f"{camera.width:g} x {camera.height:g}; give that of this camera with --camera"
        )
    return picture
