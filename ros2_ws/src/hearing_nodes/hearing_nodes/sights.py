"""Between what cameras see and the project's messages."""

from __future__ import annotations

import array
from collections.abc import Mapping

import numpy as np
from hearing_msgs import msg
from std_msgs.msg import Header

from hearing.errors import InputError
from hearing.types import Direction
from hearing.vision.face import Face, LipState, Sight


def faces_message(sight: Sight, header: Header, camera: str, prefix: str = "") -> msg.Faces:
    """Convert what a camera sees; landmarks and pictures of mouths are left out.

    Parameters
    ----------
    sight
        What it sees.
    header
        With the ROS time of the picture.
    camera
        Its name.
    prefix
        Put before the faces' ids.
    """
    faces = [
        _face_message(face, lips, sight.people.get(face.id, {}), prefix)
        for face, lips in zip(sight.faces, sight.lips, strict=True)
    ]
    return msg.Faces(header=header, camera=camera, faces=faces)


def sight(message: msg.Faces, time: float) -> Sight:
    """Convert a message of faces.

    Parameters
    ----------
    message
        What a camera sees.
    time
        Stream time of its picture in seconds.

    Returns
    -------
    The sight, without landmarks; the picture of a mouth that is seen is empty.

    Raises
    ------
    InputError
        If the message is not consistent, or has numbers that are not finite.
    """
    for face in message.faces:
        _check(face)
    return Sight(
        time,
        tuple(_face(face, time) for face in message.faces),
        tuple(_lips(face, time) for face in message.faces),
        {face.id: dict(zip(face.names, face.log_ratios, strict=True)) for face in message.faces if face.names},
    )


def _face_message(face: Face, lips: LipState, people: Mapping[str, float], prefix: str) -> msg.Face:
    return msg.Face(
        id=prefix + face.id,
        box=np.array(face.box, np.float64),
        azimuth=face.direction.azimuth,
        elevation=face.direction.elevation,
        distance=face.distance,
        yaw=face.yaw,
        pitch=face.pitch,
        facing=face.facing,
        opening=face.opening,
        quality=face.quality,
        mouth_seen=face.mouth is not None,
        speaking=lips.speaking,
        embedding=array.array("f", lips.embedding.tolist() if lips.embedding is not None else ()),
        names=list(people),
        log_ratios=array.array("d", people.values()),
    )


def _check(face: msg.Face) -> None:
    numbers = (face.azimuth, face.elevation, face.distance, face.facing, face.speaking, face.quality)
    if not np.isfinite(np.concatenate([numbers, face.box, face.embedding, face.log_ratios])).all():
        raise InputError(f"face {face.id}: a number is not finite")
    if len(face.names) != len(face.log_ratios):
        raise InputError(f"face {face.id}: {len(face.names)} names with {len(face.log_ratios)} ratios: give as many")


def _face(message: msg.Face, time: float) -> Face:
    left, top, width, height = (float(value) for value in message.box)
    return Face(
        id=message.id,
        time=time,
        box=(left, top, width, height),
        direction=Direction(message.azimuth, message.elevation),
        distance=message.distance,
        yaw=message.yaw,
        pitch=message.pitch,
        facing=message.facing,
        opening=message.opening,
        landmarks=None,
        mouth=np.zeros((0, 0), np.float32) if message.mouth_seen else None,
        quality=message.quality,
    )


def _lips(message: msg.Face, time: float) -> LipState:
    embedding = np.array(message.embedding, np.float32) if message.embedding else None
    return LipState(message.id, time, message.speaking, embedding)
