"""When the words of synthesized speech are said."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from hearing.recognition.text import normalize
from hearing.types import SAMPLE_RATE, Float32Array

FRAME = 160
"""Samples of a frame that is loud or not."""
_LOUD = 10**-3.5
"""Share of the loudest frame's power from which on a frame is speech."""
# Fitted to forced alignments of espeak-ng, in syllables.
_LETTER, _DIGIT, _DRAWN_OUT = 0.8, 4.0, 1.4
_PAUSES = frozenset(",.;:?!")


def loud_frames(samples: Float32Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Tell sound from pauses.

    Parameters
    ----------
    samples
        Synthesized speech, of shape (n_samples,) at 16 kHz.

    Returns
    -------
    Power of every 10 ms, of shape (n_frames,), and whether there is speech in them.
    """
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    power: NDArray[np.float64] = np.square(frames, dtype=np.float64).mean(axis=1)
    return power, power > _LOUD * power.max(initial=1e-12)


def shared_out(samples: Float32Array, weights: Sequence[float]) -> NDArray[np.float64]:
    """Let words share the sound of a clause, pauses left out.

    Parameters
    ----------
    samples
        The clause, of shape (n_samples,) at 16 kHz.
    weights
        How long each word takes in comparison with the others, not negative.

    Returns
    -------
    Start and end of every word in seconds, of shape (n_words, 2).
    """
    _, loud = loud_frames(samples)
    frames = np.flatnonzero(loud)
    total = sum(weights)
    if not len(frames) or total <= 0:
        return np.zeros((len(weights), 2))
    ends = np.cumsum(weights) / total * len(frames)
    starts = np.concatenate([[0.0], ends[:-1]])
    # A word starts in the frame in which its share starts, and ends with the frame in which its share ends.
    first, last = np.floor(starts + 1e-9), np.maximum(np.ceil(ends - 1e-9) - 1, np.floor(starts + 1e-9))
    at = frames[np.clip(np.stack([first, last], axis=1), 0, len(frames) - 1).astype(int)].astype(np.float64)
    within = np.stack([starts - first, ends - last], axis=1)
    bounds: NDArray[np.float64] = (at + np.clip(within, 0.0, 1.0)) * FRAME / SAMPLE_RATE
    return bounds


def trimmed(samples: Float32Array, bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """End words with their last sound, before the pause that follows.

    Parameters
    ----------
    samples
        The clause, of shape (n_samples,) at 16 kHz.
    bounds
        Start and end of every word in seconds, of shape (n_words, 2).

    Returns
    -------
    Bounds of the same shape; a word without any sound stays as it is.
    """
    _, loud = loud_frames(samples)
    frames = np.flatnonzero(loud)
    last = np.searchsorted(frames, bounds[:, 1] * SAMPLE_RATE / FRAME) - 1
    sounds = np.concatenate([frames, [-1]])[last] + 1  # -1 where nothing sounded yet
    ends = np.minimum(sounds * FRAME / SAMPLE_RATE, bounds[:, 1])
    return np.stack([bounds[:, 0], np.where(ends > bounds[:, 0], ends, bounds[:, 1])], axis=1)


def typical_lengths(words: Sequence[str]) -> list[float]:
    """Give how long English words take in comparison with each other.

    A group of vowels makes a syllable, letters make it longer, digits are words of their own, and the last word before
    a pause is drawn out (Klatt 1976).
    """
    return [_typical_length(word.lower()) * (_DRAWN_OUT if word[-1:] in _PAUSES else 1.0) for word in words]


def _typical_length(word: str) -> float:
    letters = [letter for letter in word if letter.isalnum()]
    digits = sum(map(str.isdigit, letters))
    vowels = [letter in "aeiouy" for letter in letters]
    syllables = sum(vowel and not before for vowel, before in zip(vowels, [False, *vowels], strict=False))
    if syllables > 1 and letters[-1] == "e":
        syllables -= 1
    return syllables + _LETTER * (len(letters) - digits) + _DIGIT * digits


def of_written(written: Sequence[str], spoken: Sequence[str], bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Carry times over from words as they are spoken, "five kilometers", to words as they are written, "5 km".

    Parameters
    ----------
    written, spoken
        Both in order.
    bounds
        Start and end of every spoken word in seconds, of shape (n_spoken, 2).

    Returns
    -------
    Start and end of every written word, of shape (n_written, 2).
    """
    first, second = [[normalize(word) for word in words] for words in (written, spoken)]
    times = np.zeros((len(written), 2))
    now = 0.0
    for tag, a, b, c, d in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if tag == "equal":
            times[a:b] = bounds[c:d]
        elif tag == "insert":  # a word that is not written belongs to the one before
            if a:
                times[a - 1, 1] = bounds[d - 1, 1]
        elif tag == "delete":
            times[a:b] = now
        else:
            start, end = bounds[c, 0], bounds[d - 1, 1]
            weights = np.asarray(typical_lengths(written[a:b]))
            shares = np.cumsum([0.0, *(weights / weights.sum() if weights.sum() > 0 else weights)])
            times[a:b] = start + (end - start) * np.stack([shares[:-1], shares[1:]], axis=1)
        now = float(times[b - 1, 1]) if b else now
    return times
