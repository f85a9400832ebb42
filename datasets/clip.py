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
    try:
        with soundfile.SoundFile(clip.path) as file:
            file.seek(round(clip.start * file.samplerate))
            samples = file.read(round(clip.duration * file.samplerate), dtype="float32", always_2d=True)
            rate = file.samplerate
    except (OSError, soundfile.SoundFileError) as error:
        raise InputError(f"{clip.path}: cannot read this clip ({error}); restore the file") from error
    resampled: NDArray[np.float32] = soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE)
    return resampled
