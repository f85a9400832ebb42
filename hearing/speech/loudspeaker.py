"""A live loudspeaker through PortAudio."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import numpy as np

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, Float32Array

AGAIN = 1.0
"""Seconds between two attempts to open a device that is gone."""


class Loudspeaker:
    """Plays samples as they come; a context manager. A device that goes away is opened again once it is back.

    Parameters
    ----------
    device
        Part of the device's name, its number, or "" for the system's default.
    notice
        Is told when the device is gone, and when it is back.
    patient
        Whether to wait for a device that is not there yet.

    Raises
    ------
    InputError
        If there is no PortAudio, or no such device although it is not to be waited for.
    """

    def __init__(self, device: str, notice: Callable[[str], None], patient: bool = False) -> None:
        try:
            import sounddevice
        except (ImportError, OSError) as error:
            raise InputError("the loudspeaker needs PortAudio: install it with `apt install libportaudio2`") from error
        self._sounddevice, self._device, self._notice = sounddevice, device, notice
        self._tried = 0.0
        self._stream: Any = None
        try:
            self._stream = self._open()
        except (sounddevice.PortAudioError, ValueError) as error:
            message = f"loudspeaker {device or 'default'}: {error}; see `hearing doctor` for the devices"
            if not patient:
                raise InputError(message) from error
            notice(message)

    def __enter__(self) -> Loudspeaker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the device back."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    @property
    def latency(self) -> float:
        """Seconds after `play` has returned until the last sample sounds; 0 while the device is gone."""
        return float(self._stream.latency) if self._stream is not None else 0.0

    def play(self, samples: Float32Array) -> bool:
        """Play samples of shape (n_samples,) at 16 kHz after those before; return whether they can be heard."""
        if self._stream is None and not self._back():
            return False
        try:
            self._stream.write(np.ascontiguousarray(samples, np.float32)[:, None])
        except self._sounddevice.PortAudioError:
            self._notice(f"loudspeaker {self._device or 'default'} is gone; it is opened again once it is there")
            self._stream = None
            return False
        return True

    def _back(self) -> bool:
        """Try to open the device again, not too often."""
        if time.monotonic() - self._tried < AGAIN:
            return False
        self._tried = time.monotonic()
        try:
            self._stream = self._open()
        except (self._sounddevice.PortAudioError, ValueError):
            return False
        self._notice(f"loudspeaker {self._device or 'default'} is back")
        return True

    def _open(self) -> Any:
        stream = self._sounddevice.OutputStream(
            device=int(self._device) if self._device.isdecimal() else self._device or None,
            channels=1,
            samplerate=SAMPLE_RATE,
            dtype="float32",
        )
        stream.start()
        return stream
