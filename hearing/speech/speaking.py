"""What of a speech has been heard so far: the samples that go to the loudspeaker, and the words in them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from hearing.errors import InputError
from hearing.speech.synthesizer import SpeechClause
from hearing.types import SAMPLE_RATE, Float32Array


@dataclass(frozen=True, slots=True)
class SaidWord:
    """A word that the loudspeaker began to play.

    Attributes
    ----------
    text
        As it is written, punctuation included.
    start_time, end_time
        Seconds of stream time; of a word that was cut short or still sounds, when it would have ended.
    complete
        Whether it was played to its end.
    """

    text: str
    start_time: float
    end_time: float
    complete: bool


@dataclass(slots=True)
class _Word:
    text: str
    start: int
    end: int
    said: SaidWord | None = None


class Speaking:
    """One speech of the robot on its way to the loudspeaker, counted in samples.

    Clauses are appended while earlier ones play; where none is ready there is silence. Every change of gain is a ramp
    of at most `FADE` samples. A word that a pause cuts short is said again from its beginning.

    Parameters
    ----------
    start_sample
        Where the speech begins on the stream's sample clock.

    Examples
    --------
    >>> from hearing.speech.synthesizer import SpokenWord
    >>> speaking = Speaking()
    >>> words = (SpokenWord("Bay", 0.0, 0.2), SpokenWord("four.", 0.2, 0.5))
    >>> speaking.add(SpeechClause("Bay four.", words, np.zeros(8000, np.float32)))
    >>> len(speaking.advance(4000)), speaking.said(), speaking.unsaid(), speaking.said(until=0.1)
    (4000, 'Bay', 'four.', '')
    """

    latency = 0.0
    FADE = SAMPLE_RATE // 50
    """Samples of a ramp between silence and full level."""

    def __init__(self, start_sample: int = 0) -> None:
        self._now = start_sample
        self._samples: Float32Array = np.zeros(0, np.float32)
        self._position = 0
        self._words: list[_Word] = []
        self._finished = 0
        self._gain = self._level = 1.0
        self._silenced = self._stopped = self._sounding = False

    @property
    def time(self) -> float:
        """Stream time in seconds of the next sample that `advance` gives."""
        return self._now / SAMPLE_RATE

    @property
    def sounding(self) -> bool:
        """Whether the last sample that `advance` gave was speech."""
        return self._sounding

    @property
    def remaining(self) -> float:
        """Seconds of speech that are ready and will still be played unless something happens; 0 after `stop`."""
        return 0.0 if self._stopped else (len(self._samples) - self._position) / SAMPLE_RATE

    def add(self, clause: SpeechClause) -> None:
        """Append a clause. After `stop` it stays unsaid."""
        length = len(clause.samples)
        for word in clause.words:
            start, end = (min(round(time * SAMPLE_RATE), length) for time in (word.start, word.end))
            self._words.append(_Word(word.text, len(self._samples) + start, len(self._samples) + end))
        self._samples = np.concatenate([self._samples, clause.samples])

    def pause(self) -> None:
        """Fall silent until `resume`."""
        self._silenced = True

    def resume(self) -> None:
        """Speak on at full level: from the beginning of the word that a pause cut short."""
        if self._silenced and not self._sounding:
            self._rewind()
        self._level = 1.0
        self._silenced = False

    def duck(self, gain_db: float) -> None:
        """Speak on more quietly until `resume`.

        Raises
        ------
        InputError
            If the gain isn't a negative number of decibels.
        """
        if not gain_db < 0:
            raise InputError(f"gain is {gain_db:g} dB; to duck give a negative one")
        self._level = 10 ** (gain_db / 20)

    def stop(self) -> None:
        """Fall silent for good; what was not said stays unsaid."""
        self._stopped = True

    def take_back(self, until: float) -> None:
        """Go back to the first word that was not heard to its end by a stream time in seconds.

        For samples that `advance` gave, but that never left the loudspeaker.
        """
        kept = sum(self._complete(word, until) for word in self._words)
        for word in self._words[kept:]:
            word.said = None
        self._finished = kept
        self._rewind()
        self._sounding = False

    def advance(self, n_samples: int) -> Float32Array:
        """Give the next samples to play.

        Parameters
        ----------
        n_samples
            How many.

        Returns
        -------
        Float32 array of shape (n_samples,); zeros where nothing is said.

        Raises
        ------
        InputError
            If the number is negative.
        """
        if n_samples < 0:
            raise InputError(f"{n_samples} samples are asked for; give 0 or more")
        target = 0.0 if self._silenced or self._stopped else self._level
        if not self._sounding:
            self._gain = min(self._gain, target)
        step = np.arange(1, n_samples + 1) / self.FADE
        gains = self._gain + np.clip(target - self._gain, -step, step)
        ready = min(n_samples, len(self._samples) - self._position)
        # What is silent doesn't go on; a ramp to silence ends with its first zero.
        n_played = ready if target > 0 else min(ready, math.ceil(self._gain * self.FADE))
        samples = np.zeros(n_samples, np.float32)
        samples[:n_played] = self._samples[self._position : self._position + n_played] * gains[:n_played]
        self._note(n_played)
        self._position += n_played
        self._now += n_samples
        if n_samples:
            self._gain = float(gains[-1])
            self._sounding = n_played == n_samples and self._gain > 0
        return samples

    def said(self, until: float | None = None) -> str:
        """Return what was heard to its end.

        Parameters
        ----------
        until
            Stream time in seconds; None for all that `advance` gave. What a device holds back in its buffers is
            not heard yet: give the time of the sample that leaves the loudspeaker.
        """
        return " ".join(word.text for word in self._words if self._complete(word, until))

    def unsaid(self, until: float | None = None) -> str:
        """Return what was not heard to its end, of the clauses that were added; `until` as in `said`."""
        return " ".join(word.text for word in self._words if not self._complete(word, until))

    def words(self, until: float | None = None) -> tuple[SaidWord, ...]:
        """Return the words that began, in order, with the times at which they are played; `until` as in `said`."""
        return tuple(
            replace(word.said, complete=self._complete(word, until))
            for word in self._words
            if word.said is not None and (until is None or word.said.start_time < until)
        )

    def _complete(self, word: _Word, until: float | None) -> bool:
        return word.said is not None and word.said.complete and (until is None or word.said.end_time <= until)

    def _note(self, n_played: int) -> None:
        """Keep when words begin and end within the next samples."""
        reached = self._position + n_played
        for word in self._words[self._finished :]:
            if word.end > reached and word.start >= reached:
                break
            complete = word.end <= reached
            if word.start >= self._position or word.said is None:
                start, end = (self._stream_time(max(at, self._position)) for at in (word.start, word.end))
            else:
                start, end = word.said.start_time, self._stream_time(word.end)
            word.said = SaidWord(word.text, start, end, complete)
            self._finished += complete

    def _stream_time(self, at: int) -> float:
        return (self._now + at - self._position) / SAMPLE_RATE

    def _rewind(self) -> None:
        """Go back to the beginning of the word that was cut short, and a ramp before it."""
        self._gain = 0.0
        cut = next((word for word in self._words[self._finished :] if word.start < self._position), None)
        if cut is not None:
            self._position = max(cut.start - self.FADE, 0)
