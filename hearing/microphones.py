"""Live microphones through PortAudio."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

from hearing.arrays import MicrophoneArray
from hearing.errors import InputError
from hearing.recording import BLOCK_SIZE
from hearing.types import SAMPLE_RATE, AudioBlock, Float32Array

LOST = 2.0
"""Seconds without a sample after which a device is taken to be unplugged."""
AGAIN = 1.0
"""Seconds between two attempts to open it again."""
Chunk = tuple[Float32Array, float, bool]


def live_blocks(
    device: str, array: MicrophoneArray, stopping: Event, notice: Callable[[str], None] = lambda _: None
) -> Iterator[AudioBlock]:
    """Record until `stopping` is set, whatever becomes of the device.

    Where samples were dropped, or the device was unplugged for a while, the numbers of the samples have a gap.

    Parameters
    ----------
    device
        Part of the device's name, its number, or "" for the system's default.
    array
        The microphones; the device's first channels are theirs.
    stopping
        Ends the recording.
    notice
        Is told when the device is gone, and when it is back.

    Raises
    ------
    InputError
        If there is no PortAudio, no such device, or it does not give that many channels at 16 kHz, at the beginning.
    """
    chunks: queue.SimpleQueue[Chunk] = queue.SimpleQueue()
    stream = _open(device, array, chunks)
    began, start = time.monotonic(), 0
    while not stopping.is_set():
        with stream:
            for block in _blocks(chunks, start, stopping):
                start = block.start_sample + len(block.samples)
                yield block
        if not stopping.is_set():
            notice(f"microphone {device or 'default'} gives no sound any more; it is opened again once it is there")
        while not stopping.wait(AGAIN):
            try:
                stream = _open(device, array, chunks)
            except InputError:
                continue
            notice(f"microphone {device or 'default'} is back")
            start = max(start, round((time.monotonic() - began) * SAMPLE_RATE))
            break


def _blocks(chunks: queue.SimpleQueue[Chunk], start: int, stopping: Event) -> Iterator[AudioBlock]:
    """Give what is recorded, from a sample on, as long as something is."""
    begin, first, heard = None, start, time.monotonic()
    while not stopping.is_set():
        try:
            samples, converted, overflowed = chunks.get(timeout=0.2)
        except queue.Empty:
            if time.monotonic() - heard > LOST:
                return
            continue
        heard = time.monotonic()
        begin = converted if begin is None else begin
        if overflowed:  # samples before these were dropped; the converter's clock says how many
            start = max(start, first + round((converted - begin) * SAMPLE_RATE))
        yield AudioBlock(samples, start)
        start += len(samples)


def _open(device: str, array: MicrophoneArray, chunks: queue.SimpleQueue[Chunk]) -> Any:
    """Open the device; what it records is put into the queue once the stream is entered."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise InputError("live microphones need PortAudio: install it with `apt install libportaudio2`") from error

    def record(samples: Float32Array, frames: int, time: Any, status: Any) -> None:
        chunks.put((samples.copy(), time.inputBufferAdcTime, status.input_overflow))

    try:
        return sounddevice.InputStream(
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
