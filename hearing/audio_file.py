"""Audio files: checked once from end to end, then read in blocks.

Memory stays constant however long they are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, Float32Array

FULL_SCALE = 32_768
"""Sample value of a 16-bit sample that is 1 in the library."""
_READ_SIZE = 65_536
_LOUDEST = 100.0  # 40 dB above full scale: a float file beyond that holds integers or garbage
_STREAMED_SIZE = 0xFFFFFFFF  # written by tools that pipe a wav file and cannot know its length


@dataclass(frozen=True, slots=True, eq=False)
class AudioFile:
    """An audio file whose header has passed all checks.

    Attributes
    ----------
    path
        The file.
    channels
        Number of channels.
    sample_rate
        Of the file in Hz; `blocks` resamples to `hearing.types.SAMPLE_RATE`.
    frames
        Length in frames of its own sample rate.
    """

    path: Path
    channels: int
    sample_rate: int
    frames: int

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate

    def check(self) -> NDArray[np.float64]:
        """Read the file once, so that a broken one is refused before anything is made of it.

        Returns
        -------
        Level of the changes from sample to sample in dB, of shape (channels,); an offset does not count.

        Raises
        ------
        InputError
            If it is cut off, or holds samples that are no sound.
        """
        frames, power = 0, np.zeros(self.channels)
        for chunk in self._chunks():
            bad = np.argwhere(~(np.abs(chunk) <= _LOUDEST))
            if len(bad):
                frame, channel = bad[0]
                time = (frames + frame) / self.sample_rate
                raise InputError(
                    f"{self.path}: the sample at {time:.3f} s in channel {channel + 1} is "
                    f"{chunk[frame, channel]:g}; samples must be numbers between about -1 and 1, export the file again"
                )
            frames += len(chunk)
            power += np.square(np.diff(chunk, axis=0), dtype=np.float64).sum(axis=0)
        if frames < self.frames:
            raise InputError(
                f"{self.path}: the file is cut off: its header promises {self.frames} samples, {frames} are there; "
                "record or copy it again"
            )
        level: NDArray[np.float64] = 10 * np.log10(power / self.frames + 1e-12)
        return level

    def notices(self) -> Iterator[str]:
        """Make a notice if the file is resampled."""
        if self.sample_rate != SAMPLE_RATE:
            lost = f"; it lacks all sound above {self.sample_rate / 2000:g} kHz"
            loss = lost if self.sample_rate < SAMPLE_RATE else ""
            yield f"{self.path} is resampled from {self.sample_rate} Hz to {SAMPLE_RATE} Hz{loss}"

    def blocks(self, size: int) -> Iterator[Float32Array]:
        """Read the file at `SAMPLE_RATE` in arrays of shape (size, channels); the last one may be shorter."""
        chunks = self._chunks()
        if self.sample_rate != SAMPLE_RATE:
            chunks = _resample(chunks, self.sample_rate, self.channels)
        return _regroup(chunks, size)

    def _chunks(self) -> Iterator[Float32Array]:
        try:
            with sf.SoundFile(self.path) as file:
                while len(chunk := file.read(_READ_SIZE, dtype="float32", always_2d=True)):
                    yield chunk
        except sf.LibsndfileError as error:
            raise InputError(f"{self.path}: damaged audio ({_one_line(error)}); record or copy it again") from error


def open_audio(path: Path) -> AudioFile:
    """Look at the header of an audio file that libsndfile reads (wav, flac, ...).

    Raises
    ------
    InputError
        If the file is missing, empty, no audio, or shorter than its header says.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; check the path")
    if not path.is_file():
        raise InputError(f"{path}: not a regular file; give an audio file or a recording folder")
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path}: the file is empty (0 bytes); record or copy it again")
        _check_wav_length(path)
        info = sf.info(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    except sf.LibsndfileError as error:
        raise InputError(f"{path}: not an audio file ({_one_line(error)}); give a wav or flac file") from error
    if info.frames == 0:
        raise InputError(f"{path}: the file holds no sound (0 samples); record or copy it again")
    return AudioFile(path, info.channels, info.samplerate, info.frames)


def sixteen_bits(samples: NDArray[np.floating[Any]]) -> NDArray[np.int16]:
    """Convert samples to 16 bits; those beyond full scale are clipped."""
    clipped: NDArray[np.int16] = np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype("<i2")
    return clipped


def _check_wav_length(path: Path) -> None:
    """Raise InputError if a wav file's data chunk promises more bytes than follow; libsndfile reads those silently."""
    size = path.stat().st_size
    with path.open("rb") as file:
        riff = file.read(12)
        if riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
            return
        while len(header := file.read(8)) == 8:
            name, promised = struct.unpack("<4sI", header)
            present = size - file.tell()
            if name == b"data":
                if present < promised != _STREAMED_SIZE:
                    raise InputError(
                        f"{path}: the file is cut off: its header promises {promised} bytes of sound, "
                        f"{present} are there; record or copy it again"
                    )
                return
            file.seek(promised + promised % 2, 1)


def _resample(chunks: Iterable[Float32Array], rate: int, channels: int) -> Iterator[Float32Array]:
    resampler = soxr.ResampleStream(rate, SAMPLE_RATE, channels, dtype="float32")
    for chunk in chunks:
        yield resampler.resample_chunk(chunk)
    yield resampler.resample_chunk(np.zeros((0, channels), dtype=np.float32), last=True)


def _regroup(chunks: Iterable[Float32Array], size: int) -> Iterator[Float32Array]:
    """Cut chunks of any length into blocks of `size` samples and a rest."""
    rest: Float32Array | None = None
    for chunk in chunks:
        samples = chunk if rest is None else np.concatenate([rest, chunk])
        whole = len(samples) - len(samples) % size
        for start in range(0, whole, size):
            yield samples[start : start + size]
        rest = samples[whole:]
    if rest is not None and len(rest):
        yield rest


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
