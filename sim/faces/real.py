"""A real talker's video clips, placed into a scene."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np
from hearing_sim.faces.photo import CHIN, TOP, Image, Patch, find_landmarks
from hearing_sim.scene import Talker
from hearing_sim.talkers import PlacedTurn

from hearing.errors import InputError

_AROUND = 1.05
"""Half the width of the picture that is cut out, in heights of the face."""


class RealFace:
    """Somebody whose recorded video is shown while he speaks, and held still while he is silent.

    Parameters
    ----------
    talker
        Who.
    turns
        What is said; the clips of this talker's turns have a video.

    Raises
    ------
    InputError
        If a clip has no video in which a face is found.
    """

    def __init__(self, talker: Talker, turns: Sequence[PlacedTurn]) -> None:
        self._turns = [
            (turn, _filmed(turn.clip.path)) for turn in turns if turn.turn.talker == talker.name and turn.clip
        ]
        if not self._turns:
            raise InputError(f"talker {talker.name}: a real face needs turns with its video clips; add one")

    def show_at(self, time: float, face_height: float) -> Patch:
        """Show the frame of a time of the scene, the face so many pixels high."""
        turn, film = min(self._turns, key=lambda entry: max(entry[0].start - time, time - entry[0].end, 0.0))
        since = int((time - turn.clip_start) * film.fps)
        frame = film.frames[min(max(since, 0), len(film.frames) - 1)]
        scale = face_height / film.face_height
        size = (max(2, round(frame.shape[1] * scale)), max(2, round(frame.shape[0] * scale)))
        image = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        left, top, width, height = (scale * value for value in film.box)
        return Patch(image, (scale * film.mouth[0], scale * film.mouth[1]), (left, top, width, height))


class _Film:
    """Frames of a clip, cut out around the head, and where the face is in them."""

    def __init__(self, path: Path) -> None:
        try:
            with av.open(str(path)) as container:
                self.fps = float(container.streams.video[0].average_rate or 25)
                frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
        except (av.error.FFmpegError, IndexError, OSError) as error:
            raise InputError(f"{path}: cannot read this video ({error}); restore the file") from error
        landmarks = find_landmarks(frames[0]) if frames else None
        if landmarks is None:
            raise InputError(f"{path}: no face is found in the video; choose another clip")
        self.face_height = float(np.linalg.norm(landmarks[CHIN, :2] - landmarks[TOP, :2]))
        centre = landmarks[:, :2].mean(axis=0)
        height, width = frames[0].shape[:2]
        half = _AROUND * self.face_height
        left, right = max(0, int(centre[0] - half)), min(width, int(centre[0] + half))
        top, bottom = max(0, int(centre[1] - 1.1 * half)), min(height, int(centre[1] + 1.4 * half))
        alpha = _oval(bottom - top, right - left)
        self.frames: list[Image] = [np.dstack([frame[top:bottom, left:right], alpha]) for frame in frames]
        mouth = landmarks[[13, 14], :2].mean(axis=0) - (left, top)
        self.mouth = (float(mouth[0]), float(mouth[1]))
        low, high = landmarks[:, :2].min(axis=0) - (left, top), landmarks[:, :2].max(axis=0) - (left, top)
        self.box = (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))


@lru_cache(maxsize=32)
def _filmed(path: Path) -> _Film:
    return _Film(path)


def _oval(height: int, width: int) -> Image:
    alpha = np.zeros((height, width), dtype=np.uint8)
    cv2.ellipse(alpha, (width // 2, height // 2), (int(0.46 * width), int(0.47 * height)), 0, 0, 360, 255, -1)
    return cv2.GaussianBlur(alpha, (0, 0), max(1.0, 0.03 * width))
