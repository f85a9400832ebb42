"""When each word and phone of a clip is said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hearing_datasets.clip import Clip, read_clip
from numpy.typing import NDArray

from hearing.types import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Phone:
    """A speech sound (ARPAbet without stress), in seconds from the start of the clip."""

    phone: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its phones, in seconds from the start of the clip."""

    word: str
    start: float
    end: float
    phones: tuple[Phone, ...] = ()


def align(samples: NDArray[np.floating], text: str) -> tuple[Word, ...]:
    """Find when the words of `text` are said in `samples` (n_samples,) at 16 kHz.

    The words share the stretch that is louder than 36 dB below the loudest by their number of letters.
    """
    words = text.split()
    frames = np.square(samples[: len(samples) // 320 * 320]).reshape(-1, 320).mean(axis=1)
    loud = np.flatnonzero(frames > frames.max() * 10**-3.6) if len(frames) else np.zeros(0, dtype=int)
    if not words or not loud.size:
        return ()
    start, stop = loud[0] * 320 / SAMPLE_RATE, (loud[-1] + 1) * 320 / SAMPLE_RATE
    bounds = start + (stop - start) * np.cumsum([0, *map(len, words)]) / sum(map(len, words))
    return tuple(Word(word, float(a), float(b)) for word, a, b in zip(words, bounds[:-1], bounds[1:], strict=True))


def clip_words(clip: Clip) -> tuple[Word, ...] | None:
    """Return the words of a clip, or None if nobody wrote down what is said."""
    return align(read_clip(clip), clip.text) if clip.text else None
