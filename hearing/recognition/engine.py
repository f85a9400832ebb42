"""What every speech recognition engine offers: audio of one talker in, words out."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hearing.types import Float32Array

_SPEECH_LEVEL = 0.05
_QUIETEST = 1e-5


@dataclass(frozen=True, slots=True)
class RecognizedWord:
    """A word as an engine heard it.

    Attributes
    ----------
    text
        The word as the engine writes it, with casing and punctuation, without blanks.
    start, end
        Seconds from the first sample that the engine was given.
    probability
        How likely it is right; from most engines the mean probability of its tokens, which is too high where they hear
        badly.
    """

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True)
class Recognition:
    """What an engine makes of a stretch of audio.

    Attributes
    ----------
    words
        The words in order.
    avg_logprob
        Mean natural log-probability of the tokens, the end token included; 0 if there is nothing to judge.
    no_speech_prob
        The engine's probability that nobody speaks; None from an engine that does not say.
    letter_logprob
        Mean natural log-probability per letter of the words' spelling, from an engine that also hears letters.
    """

    words: tuple[RecognizedWord, ...] = ()
    avg_logprob: float = 0.0
    no_speech_prob: float | None = None
    letter_logprob: float | None = None

    @property
    def text(self) -> str:
        """The words as one string."""
        return " ".join(word.text for word in self.words)

    @property
    def compression_ratio(self) -> float:
        """How much shorter deflate makes the text; repetition makes it high (Radford et al. 2022, section 4.5).

        Without zlib's header, so that it tells for short texts as well.
        """
        raw = self.text.encode()
        return len(raw) / len(zlib.compress(raw, wbits=-zlib.MAX_WBITS)) if raw else 0.0


class Engine(Protocol):
    """Turns audio of one talker into words, the same words for the same samples."""

    def transcribe(self, samples: Float32Array) -> Recognition:
        """Recognize a stretch of speech.

        Parameters
        ----------
        samples
            Float32 array of shape (n_samples,) at 16 kHz, full scale is 1; may be empty.
        """
        ...


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What an engine makes of an utterance that still goes on.

    Attributes
    ----------
    committed
        Words that stay; they only ever grow.
    tentative
        Words after them, which may still change.
    """

    committed: tuple[RecognizedWord, ...] = ()
    tentative: tuple[RecognizedWord, ...] = ()


class UtteranceStream(Protocol):
    """One utterance on its way through a streaming engine. Nothing is computed before `advance` or `finish`."""

    @property
    def pending(self) -> float:
        """Seconds of accepted audio that `advance` would compute on now; 0 if it would change nothing."""
        ...

    def accept(self, samples: Float32Array) -> None:
        """Take the next samples, of shape (n_samples,) at 16 kHz; only keeps them."""
        ...

    def advance(self) -> Hypothesis:
        """Compute on all that is pending and return what was said so far."""
        ...

    def finish(self, whole: Float32Array | None = None) -> Recognition:
        """Compute what is left and return the final words; no call may follow.

        Parameters
        ----------
        whole
            The utterance's audio once more, of shape (n_samples,), if it could be made cleaner than what was accepted.
        """
        ...


class StreamingEngine(Protocol):
    """Turns the audio of several talkers into words while they speak."""

    latency: float
    """Seconds of audio after a word that it takes to hear the word, computing time aside."""
    takes_phrases: bool
    """Whether `bias` takes phrases or refuses them."""

    def open(self) -> UtteranceStream:
        """Begin an utterance."""
        ...

    def bias(self, phrases: Sequence[str]) -> None:
        """Expect these words and phrases from now on, in utterances that are open as well; replaces earlier ones.

        Raises
        ------
        InputError
            If a phrase has neither letters nor digits, or if there are phrases and the engine takes none.
        """
        ...


def at_speech_level(samples: Float32Array) -> Float32Array:
    """Scale audio of shape (n_samples,), not empty, to the level of near speech.

    Far talkers arrive at a hundredth of the level that networks were trained on, which costs them words. Audio below
    -100 dB of full scale is no recording and stays quiet.
    """
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    return samples * np.float32(_SPEECH_LEVEL / max(rms, _QUIETEST))


def spread(texts: Sequence[str], probabilities: Sequence[float], duration: float) -> tuple[RecognizedWord, ...]:
    """Give words without times the share of the duration that their number of letters suggests.

    Parameters
    ----------
    texts, probabilities
        One entry per word.
    duration
        Seconds that all words together last.
    """
    letters = [len(text) + 1 for text in texts]
    scale = duration / max(sum(letters), 1)
    words, position = [], 0
    for text, probability, length in zip(texts, probabilities, letters, strict=True):
        words.append(RecognizedWord(text, position * scale, (position + length) * scale, probability))
        position += length
    return tuple(words)
