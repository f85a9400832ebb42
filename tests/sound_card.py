"""A stand-in for PortAudio's microphones."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from types import SimpleNamespace

import numpy as np


class Hum:
    """Microphones that hear two seconds of next to nothing, faster than real time."""

    def __init__(self, channels: int, blocksize: int, callback: Callable[..., None], **_: object):
        self._thread = Thread(target=self._record, args=(channels, blocksize, callback), daemon=True)

    @staticmethod
    def _record(channels: int, blocksize: int, callback: Callable[..., None]) -> None:
        rng = np.random.default_rng(0)
        for number in range(60):
            samples = rng.normal(0, 1e-3, (blocksize, channels)).astype(np.float32)
            time = SimpleNamespace(inputBufferAdcTime=number * blocksize / 16_000)
            callback(samples, blocksize, time, SimpleNamespace(input_overflow=False))

    def __enter__(self) -> Hum:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
