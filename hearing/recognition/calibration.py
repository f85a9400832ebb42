"""Confidences of words: how likely each is right, judged by more than the decoder's own probability of it.

A network that learns to give one token all probability is surer of its words than it is right (Guo et al. 2017), and
most so where it hears badly. A logistic regression weighs what else tells: how sure it is of the next word and of the
whole utterance, whether the letters agree, and where the word stands. `hearing_models.recognizer.calibration` fits it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearing.fitted import named_weights, read_fitted
from hearing.recognition.biasing import spoken
from hearing.recognition.ctc import SPACE, align, to_letters
from hearing.recognition.engine import RecognizedWord
from hearing.types import Float32Array

FILE = "calibration.json"
"""Beside the networks' files."""
FEATURES = ("decoder", "next", "utterance", "letters", "last")
"""Of every word, see `word_features`."""
_SUREST = 0.999
_LEAST_LETTER = -10.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted logistic regression.

    Attributes
    ----------
    bias
        Log-odds of a word all of whose features are 0.
    weights
        Of the features, in the order of `FEATURES`.
    """

    bias: float
    weights: tuple[float, ...]

    @classmethod
    def beside(cls, networks: Path) -> Calibration | None:
        """Read what `hearing_models.recognizer.calibration` has written into the folder of the networks, if it has.

        Raises
        ------
        InputError
            If the file is damaged or of another version.
        """
        path = networks / FILE
        if not path.is_file():
            return None
        return read_fitted(
            path,
            lambda record: cls(float(record["bias"]), named_weights(record, FEATURES)),
            "calibration of words",
            "fit it anew, or remove it",
        )

    def probabilities(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how likely words are right, of shape (n_words,), from their features (n_words, n_features)."""
        odds = self.bias + features @ np.array(self.weights)
        likely: NDArray[np.float64] = 1 / (1 + np.exp(-odds))
        return likely

    def apply(self, words: Sequence[RecognizedWord], letters: Float32Array) -> tuple[RecognizedWord, ...]:
        """Give the words of an utterance other probabilities; the letters are as for `word_features`."""
        likely = self.probabilities(word_features(words, letters))
        return tuple(replace(word, probability=float(p)) for word, p in zip(words, likely, strict=True))


def word_features(words: Sequence[RecognizedWord], letters: Float32Array) -> NDArray[np.float64]:
    """Describe the words of an utterance.

    Parameters
    ----------
    words
        All of them, at least one, with the decoder's probabilities.
    letters
        Natural log-probabilities of letters in the utterance's frames, of shape (n_frames, 29).

    Returns
    -------
    Array of shape (n_words, n_features), in the order of `FEATURES`: log-odds of the decoder's probability, those of
    the next word, which is seldom right after a wrong one, and their mean over the utterance; mean log-probability of
    the word's letters where they are heard; and whether it is the last word.
    """
    sure = np.clip([word.probability for word in words], 1 - _SUREST, _SUREST)
    decoder = np.log(sure / (1 - sure))
    following = np.append(decoder[1:], decoder[-1])
    last = np.arange(len(words)) == len(words) - 1
    return np.stack([decoder, following, np.full(len(words), decoder.mean()), _agreement(words, letters), last], axis=1)


def _agreement(words: Sequence[RecognizedWord], letters: Float32Array) -> NDArray[np.float64]:
    """Return the mean log-probability of each word's letters on the path that writes all words."""
    spellings = [to_letters(spoken(word.text)[0]) for word in words]
    text = [letter for spelling in spellings for letter in (*spelling, SPACE)][:-1]
    try:
        heard = np.maximum(letters[align(letters, text), text], _LEAST_LETTER)
    except ValueError:  # so many letters do not fit into the utterance
        return np.full(len(words), _LEAST_LETTER)
    ends = np.cumsum([len(spelling) + 1 for spelling in spellings]) - 1
    return np.array([heard[end - len(spelling) : end].mean() for spelling, end in zip(spellings, ends, strict=True)])
