"""Faces of people who want to be known, from photographs, videos and the camera."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from hearing.console import hushed, say
from hearing.errors import InputError
from hearing.likeness import Profile
from hearing.vision.camera import Camera, Frame, Image, open_video
from hearing.vision.face import Face
from hearing.vision.face_tracker import FaceTracker, FaceTrackerConfig
from hearing.vision.identity import FaceEncoder

PERIOD = 0.2
"""Seconds between two frames of a video that are looked at."""
LEAST_QUALITY = 0.5
"""`Face.quality` that a face must have to be learned."""
LARGEST = 1280
"""Pixels of the longer side to which larger pictures are reduced: faces in them are large enough."""
STRANGERS = -2.0
"""Log-likelihood ratio at which the faces of two files are two people's."""
_LIVE_FRAMES = 75


def enroll_face(pictures: Iterable[tuple[str, Iterable[Frame]]], encoder: FaceEncoder) -> Profile:
    """Learn a face.

    Parameters
    ----------
    pictures
        Names of sources, and their frames; only one person may be seen in all of them.
    encoder
        The network.

    Raises
    ------
    InputError
        If several people are seen, or nobody is seen well enough.
    """
    known = Profile()
    for name, frames in pictures:
        looks = _looks(name, frames, encoder)
        if known.heard:
            cosine = float(known.embedding @ looks.embedding)
            if encoder.likelihood.log_ratio(cosine, known.quality, looks.quality) < STRANGERS:
                raise InputError(f"{name}: shows somebody else than the pictures before; give pictures of one person")
        known = known.joined(looks)
    return known


def photographed(path: Path) -> Iterator[Frame]:
    """Read a photograph, as two frames since a tracker believes in a face the second time only, or a video.

    Raises
    ------
    InputError
        If the file is neither.
    """
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    image = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    if image is not None:
        yield from (Frame(time, np.asarray(image, np.uint8)) for time in (0.0, PERIOD))
        return
    begun = False
    try:
        with open_video(path) as video:
            for frame in video.frames():
                begun = True
                yield frame
    except InputError as error:
        if begun:
            raise
        raise InputError(f"{path}: neither a photograph nor a video that can be read; give another file") from error


def looked_at(device: int) -> Iterator[Frame]:
    """Look through one of the system's cameras for a few seconds.

    Raises
    ------
    InputError
        If it cannot be opened, or gives no picture.
    """
    with hushed():
        capture = cv2.VideoCapture(device)
    try:
        if not capture.isOpened():
            raise InputError(f"camera {device}: cannot be opened; connect one, or give --face FILE")
        say("please look at the camera")
        rate = capture.get(cv2.CAP_PROP_FPS) or 25.0
        for number in range(_LIVE_FRAMES):
            there, image = capture.read()
            if not there:
                raise InputError(f"camera {device}: gives no pictures; check whether another program has it")
            yield Frame(number / rate, np.asarray(image, np.uint8))
    finally:
        capture.release()


def _looks(name: str, frames: Iterable[Frame], encoder: FaceEncoder) -> Profile:
    """Learn the only face that is seen in a source."""
    looks, best = Profile(), 0.0
    tracker: FaceTracker | None = None
    for frame in frames:
        image = _reduced(frame.image)
        if tracker is None:
            tracker = _tracker(image)
        for face in _seen(name, tracker.process(image, frame.time)):
            best = max(best, face.quality)
            if face.quality >= LEAST_QUALITY and face.landmarks is not None:
                embedding = encoder.embed(image, face.landmarks)
                looks.update(embedding, encoder.likelihood.quality(face.quality))
    if not looks.heard:
        what = f"the face cannot be seen well ({100 * best:.0f} %)" if best else "no face is seen"
        raise InputError(f"{name}: {what}; give a sharp picture from the front, the face 80 pixels high or more")
    return looks


def _seen(name: str, faces: tuple[Face, ...]) -> list[Face]:
    seen = [face for face in faces if face.landmarks is not None]
    if len(seen) > 1:
        raise InputError(f"{name}: {len(seen)} faces are seen; give pictures of one person alone")
    return seen


def _tracker(image: Image) -> FaceTracker:
    """Make a tracker; where faces are in space does not matter."""
    height, width = image.shape[:2]
    camera = Camera(width, height, width, width, width / 2, height / 2)
    return FaceTracker(camera, FaceTrackerConfig(detection_period=PERIOD, landmark_period=PERIOD))


def _reduced(image: Image) -> Image:
    scale = LARGEST / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (max(1, round(scale * image.shape[1])), max(1, round(scale * image.shape[0])))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
