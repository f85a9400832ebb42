"""What every speech synthesizer offers: text in, clauses of sound out, with the time of every word."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from hearing.speech.clauses import split_clauses
from hearing.speech.lombard import LombardStyle
from hearing.speech.timing import FRAME, loud_frames
from hearing.types import SAMPLE_RATE, Float32Array

ACTIVE_LEVEL_DB = -26.0
"""Level of synthesized speech in dB of full scale, pauses aside: the nominal level of ITU-T P.56."""
_ONSET = 0.04
"""Seconds kept before what is loud, for soft beginnings."""
_PAUSES = dict.fromkeys(".!?\u2026", 0.3) | dict.fromkeys(",;:-\u2013\u2014", 0.15)
_NO_PAUSE = 0.03
"""Seconds of silence after a clause, by its last character."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of a clause.

    Attributes
    ----------
    text
        As it is written, punctuation included.
    start, end
        Seconds from the clause's first sample. A word without a sound, such as a dash, ends where it starts.
    """

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, eq=False)
class SpeechClause:
    """A stretch of synthesized speech.

    Attributes
    ----------
    text
        What is said, words separated by single blanks.
    words
        All words between the blanks, in order.
    samples
        Float32 array of shape (n_samples,) at 16 kHz, at `ACTIVE_LEVEL_DB`.
    """

    text: str
    words: tuple[SpokenWord, ...]
    samples: Float32Array

    @property
    def duration(self) -> float:
        """Seconds that it lasts."""
        return len(self.samples) / SAMPLE_RATE


class Synthesizer(ABC):
    """Turns text into speech.

    Voices raise their pitch and slow down as `LombardStyle` says if they are able to; level and tilt are
    `LombardFilter`'s, which follows the noise while the clause is played. Pitch is raised by speaking more slowly and
    playing faster, so that the formants rise with it, as the first one does in noise (Garnier and Henrich 2014).
    """

    name: str
    """As `load_synthesizer` knows it."""
    takes_rate = True
    """Whether the voice can speak slower; if not, its pitch is its own as well."""

    def synthesize(self, text: str, style: LombardStyle) -> Iterator[SpeechClause]:
        """Speak a text clause by clause; each is computed when it is asked for.

        Parameters
        ----------
        text
            Any text; where it arrives piece by piece, feed a `ClauseSplitter` and call `speak`.
        style
            How to speak.

        Yields
        ------
        Clauses in order; concatenated they are the text.

        Raises
        ------
        InputError
            If the voice fails.
        """
        for clause in split_clauses(text):
            yield self.speak(clause, style)

    def speak(self, clause: str, style: LombardStyle) -> SpeechClause:
        """Speak one clause.

        Parameters
        ----------
        clause
            As `ClauseSplitter` gives it. A text without letters and digits makes no sound.
        style
            How to speak.

        Raises
        ------
        InputError
            If the voice fails.
        """
        words = clause.split()
        if not any(map(str.isalnum, clause)):
            silent = tuple(SpokenWord(word, 0.0, 0.0) for word in words)
            return SpeechClause(" ".join(words), silent, np.zeros(0, np.float32))
        higher = 2 ** (style.pitch / 12) if self.takes_rate else 1.0
        samples, bounds = self._voiced(words, style.rate / higher)
        if higher != 1:
            samples, bounds = soxr.resample(samples, SAMPLE_RATE * higher, SAMPLE_RATE), bounds / higher
        samples, bounds = _without_silence(_at_active_level(samples), bounds, _pause_after(words[-1]))
        spoken = tuple(SpokenWord(word, float(a), float(b)) for word, (a, b) in zip(words, bounds, strict=True))
        return SpeechClause(" ".join(words), spoken, samples)

    @abstractmethod
    def _voiced(self, words: Sequence[str], rate: float) -> tuple[Float32Array, NDArray[np.float64]]:
        """Make the sound of a clause, of shape (n_samples,) at 16 kHz and any level, and find its words in it.

        Parameters
        ----------
        words
            The clause, with at least one letter or digit.
        rate
            Speed of speech, 1 is the voice's own.

        Returns
        -------
        The samples, and start and end of every word in seconds, of shape (n_words, 2).
        """


def at_pipeline_rate(samples: Float32Array, rate: int) -> Float32Array:
    """Resample speech of shape (n_samples,) to 16 kHz."""
    resampled: Float32Array = soxr.resample(np.ascontiguousarray(samples, np.float32), rate, SAMPLE_RATE)
    return resampled


def _pause_after(word: str) -> float:
    last = word.rstrip("\"')]\u2019\u201d")[-1:]
    return _PAUSES.get(last, _NO_PAUSE)


def _without_silence(
    samples: Float32Array, bounds: NDArray[np.float64], pause: float
) -> tuple[Float32Array, NDArray[np.float64]]:
    """Begin with the first sound, and end with a pause of so many seconds after the last one."""
    _, loud = loud_frames(samples)
    sounding = np.flatnonzero(loud)
    if not len(sounding):
        return np.zeros(0, np.float32), np.zeros_like(bounds)
    begin = max(sounding[0] * FRAME - round(_ONSET * SAMPLE_RATE), 0)
    end = (sounding[-1] + 1) * FRAME + round(pause * SAMPLE_RATE)
    kept = np.pad(samples[begin:end], (0, max(end - len(samples), 0)))
    return kept, np.clip(bounds - begin / SAMPLE_RATE, 0.0, len(kept) / SAMPLE_RATE)


def _at_active_level(samples: Float32Array) -> Float32Array:
    power, loud = loud_frames(samples)
    if not loud.any():
        return samples
    gain = 10 ** (ACTIVE_LEVEL_DB / 20) / float(np.sqrt(power[loud].mean()))
    return samples * np.float32(gain)
