"""A recorded clip: what was said, by whom, under which licence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Phone:
    """A speech sound: its ARPAbet name without stress, start and end in seconds from the start of the clip."""

    phone: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Word:
    """A word: as the text spells it, start and end in seconds from the start of the clip, and its phones if known."""

    word: str
    start: float
    end: float
    phones: tuple[Phone, ...] = ()


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of an audio file.

    Attributes
    ----------
    path
        The audio file.
    collection
        Name of the set it belongs to, such as `speech/read_5_speakers`.
    name
        Name of the clip, unique in its collection.
    text
        What is said, or None where nobody wrote it down or nothing is said.
    speaker
        Who says it, or None where unknown.
    duration
        Seconds.
    licence
        The terms under which the recording may be used.
    start
        Where the stretch begins in the file, in seconds.
    label
        Kind of sound or recording condition, where the collection says so.
    words
        When each word is said, where the collection says so.
    """

    path: Path
    collection: str
    name: str
    text: str | None
    speaker: str | None
    duration: float
    licence: str
    start: float = 0.0
    label: str | None = None
    words: tuple[Word, ...] | None = None


_VIDEO = (".mpg", ".mp4", ".mov", ".avi")


def read_clip(clip: Clip) -> NDArray[np.float32]:
    """Read a clip as one channel at 16 kHz.

    Returns
    -------
    Float32 array of shape (n_samples,); channels of the file are averaged.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    if clip.path.suffix in _VIDEO:
        return _sound_of_video(clip)
    try:
        with soundfile.SoundFile(clip.path) as file:
            file.seek(round(clip.start * file.samplerate))
            samples = file.read(round(clip.duration * file.samplerate), dtype="float32", always_2d=True)
            rate = file.samplerate
    except (OSError, soundfile.SoundFileError) as error:
        raise InputError(f"{clip.path}: cannot read this clip ({error}); restore the file") from error
    resampled: NDArray[np.float32] = soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE)
    return resampled


def _sound_of_video(clip: Clip) -> NDArray[np.float32]:
    # Only clips with a picture need it.
    import av

    try:
        with av.open(str(clip.path)) as container:
            rate = container.streams.audio[0].rate
            frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    except (av.error.FFmpegError, IndexError, OSError) as error:
        raise InputError(f"{clip.path}: cannot read the sound of this video ({error}); restore the file") from error
    sound = np.concatenate(frames, axis=-1).mean(axis=0)
    scale = 1.0 if np.issubdtype(frames[0].dtype, np.floating) else float(np.iinfo(frames[0].dtype).max)
    resampled: NDArray[np.float32] = soxr.resample((sound / scale).astype(np.float32), rate, SAMPLE_RATE)
    return resampled
