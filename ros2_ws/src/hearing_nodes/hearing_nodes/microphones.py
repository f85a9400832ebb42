"""Live microphones through PortAudio."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from threading import Event

import numpy as np

from hearing.arrays import MicrophoneArray
from hearing.errors import InputError
from hearing.recording import BLOCK_SIZE
from hearing.types import SAMPLE_RATE, AudioBlock


def live_blocks(device: str, array: MicrophoneArray, stopping: Event) -> Iterator[AudioBlock]:
    """Record until `stopping` is set.

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
    chunks: queue.SimpleQueue[np.ndarray] = queue.SimpleQueue()
    try:
        stream = sounddevice.InputStream(
            device=int(device) if device.isdecimal() else device or None,
            channels=array.n_microphones,
            samplerate=SAMPLE_RATE,
            blocksize=BLOCK_SIZE,
            dtype="float32",
            callback=lambda samples, frames, time, status: chunks.put(samples.copy()),
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        raise InputError(
            f"microphone {device or 'default'}: {error}; {array.name} needs {array.n_microphones} channels at "
            f"{SAMPLE_RATE} Hz, see `hearing doctor` for the devices"
        ) from error
    start = 0
    with stream:
        while not stopping.is_set():
            try:
                samples = chunks.get(timeout=0.2)
            except queue.Empty:
                continue
            yield AudioBlock(samples, start)
            start += len(samples)
