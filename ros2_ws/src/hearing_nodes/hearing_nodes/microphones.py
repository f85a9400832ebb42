"""Live microphones through PortAudio."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from threading import Event
from typing import Any

import numpy as np

from hearing.arrays import MicrophoneArray
from hearing.errors import InputError
from hearing.recording import BLOCK_SIZE
from hearing.types import SAMPLE_RATE, AudioBlock


def live_blocks(device: str, array: MicrophoneArray, stopping: Event) -> Iterator[AudioBlock]:
    """Record until `stopping` is set. Where PortAudio has dropped samples, the numbers of the samples have a gap.

    Parameters
    ----------
    device
        Part of the device's name, its number, or "" for the system's default.
    array
        The microphones; the device's first channels are theirs.
    stopping
        Ends the recording.

    Raises
    ------
    InputError
        If there is no PortAudio, no such device, or it does not give that many channels at 16 kHz.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise InputError("live microphones need PortAudio: install it with `apt install libportaudio2`") from error
    chunks: queue.SimpleQueue[tuple[np.ndarray, float, bool]] = queue.SimpleQueue()

    def record(samples: np.ndarray, frames: int, time: Any, status: Any) -> None:
        chunks.put((samples.copy(), time.inputBufferAdcTime, status.input_overflow))

    try:
        stream = sounddevice.InputStream(
            device=int(device) if device.isdecimal() else device or None,
            channels=array.n_microphones,
            samplerate=SAMPLE_RATE,
            blocksize=BLOCK_SIZE,
            dtype="float32",
            callback=record,
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        raise InputError(
            f"microphone {device or 'default'}: {error}; {array.name} needs {array.n_microphones} channels at "
            f"{SAMPLE_RATE} Hz, see `hearing doctor` for the devices"
        ) from error
    begin, start = None, 0
    with stream:
        while not stopping.is_set():
            try:
                samples, converted, overflowed = chunks.get(timeout=0.2)
            except queue.Empty:
                continue
            begin = converted if begin is None else begin
            if overflowed:  # samples before these were dropped; the converter's clock says how many
                start = max(start, round((converted - begin) * SAMPLE_RATE))
            yield AudioBlock(samples, start)
            start += len(samples)
