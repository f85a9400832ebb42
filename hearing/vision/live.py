"""A camera that is looked through while it films, in a thread of its own: seeing must not hold up hearing."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from types import TracebackType

import cv2
import numpy as np

from hearing.errors import InputError
from hearing.memory import PeopleStore
from hearing.vision.camera import load_camera
from hearing.vision.eyes import Eyes
from hearing.vision.face import Sight

_KEPT = 60
"""Sights that wait to be fetched, at most; older ones are dropped."""


class LiveCamera:
    """Sees with one of the system's cameras; a context manager, within which it films.

    Parameters
    ----------
    number
        Of the camera, as OpenCV counts them.
    lens
        File with its calibration, see `hearing.vision.camera.load_camera`.
    people
        Whose faces are known.

    Raises
    ------
    InputError
        If there is no such camera, or it does not give pictures of the size in the calibration.
    """

    def __init__(self, number: int, lens: Path, people: PeopleStore | None = None) -> None:
        camera = load_camera(lens)
        self._film = cv2.VideoCapture(number)
        self._film.set(cv2.CAP_PROP_FRAME_WIDTH, camera.width)
        self._film.set(cv2.CAP_PROP_FRAME_HEIGHT, camera.height)
        there, image = self._film.read()
        if not there:
            raise InputError(f"camera {number}: gives no picture; see `hearing doctor` for what there is")
        height, width = image.shape[:2]
        if (width, height) != (round(camera.width), round(camera.height)):
            raise InputError(f"camera {number} gives {width}x{height}, {lens} says {camera.width}x{camera.height}")
        self._eyes = Eyes(camera, people=people)
        self._seen: deque[Sight] = deque(maxlen=_KEPT)
        self._stopping = Event()
        self._thread = Thread(target=self._look, name="camera", daemon=True)

    def __enter__(self) -> LiveCamera:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopping.set()
        self._thread.join()
        self._film.release()

    def sights(self, began: float) -> list[Sight]:
        """Fetch what was seen since the last time.

        Parameters
        ----------
        began
            When the stream began, on the clock of `time.monotonic`.
        """
        fetched = [self._seen.popleft() for _ in range(len(self._seen))]
        return [replace(sight, time=sight.time - began) for sight in fetched if sight.time >= began]

    def _look(self) -> None:
        while not self._stopping.is_set():
            there, image = self._film.read()
            if there:
                self._seen.append(self._eyes.process(np.asarray(image, np.uint8), time.monotonic()))
            else:
                # It may be plugged in again.
                self._stopping.wait(0.1)
