"""Words that must be heard at once, without waiting for a draft of the text.

Most calls are short and come after a pause. So whenever the letters tell that a word may have ended, and not much was
said since the last pause, this stretch is heard anew as a whole, and two judges are asked about every word that is
listened for: the decoder, how likely it is to write the word at the place where that is likeliest, and the letters, by
the best path that writes it. Neither depends on loudness. A logistic regression that was fitted to other words makes
one probability of them (`hearing_models.recognizer.spotting`): no word is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hearing.fitted import named_weights, read_fitted
from hearing.recognition.biasing import spoken, written_forms
from hearing.recognition.ctc import BLANK, FRAME_RATE, SPACE, to_letters
from hearing.recognition.decoder import Decoded, Decoder
from hearing.recognition.encoder import Encoder
from hearing.recognition.keyword_paths import KeywordPaths
from hearing.types import Float32Array

FILE = "spotting.json"
"""Beside the networks' files."""
FEATURES = ("decoder", "ratio", "posterior", "letters")
"""Of every word in a stretch, see `Heard`."""
_BREATH = 15
"""Frames of blank that are a pause."""
_BEFORE = 25
"""Frames before the first letter after a pause that are heard: often it is not the word's first sound."""
_CLAUSE = 70
"""Frames after a pause in which words are looked for: 1.4 s."""
_MAY_END, _HAS_ENDED = 8, 11
"""Frames of blank after which a word may have ended, and after which it has."""
_GAP = 3
"""Frames after the last letter before a pause that are left out."""
_SETTLED = 8
"""Frames that must follow on a word when the stretch is heard as a whole: it may go on."""
_AGAIN, _EVERY, _SOON = 4, 16, 60
"""Frames after which words are looked for again where one ends; and where none seems to end, soon after a pause."""
_APART = 0.4
"""Seconds between the starts of a word that is said twice."""
_TOKENS = 6
"""That are written at most."""
_WORTH = -2.0
"""Ratio by letter of the best path of any word from which on the decoder is asked, which takes most of the time."""
_LEAST = -12.0
"""Of features in nats."""
_MOST_LETTERS = 12

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Spotted:
    """A word that was found.

    Attributes
    ----------
    phrase
        The word or phrase, as it was asked for.
    start, end
        Seconds from the first sample of the utterance.
    probability
        How likely it was said.
    before
        What was said before it since the last pause.
    """

    phrase: str
    start: float
    end: float
    probability: float
    before: str


@dataclass(frozen=True, slots=True)
class SpottingModel:
    """A fitted logistic regression, and how sure to be.

    Attributes
    ----------
    bias
        Log-odds of a word all of whose features are 0.
    weights
        Of the features, in the order of `FEATURES`.
    thresholds
        Least log-odds of words of 1, 2, ... letters; the last one holds for all longer ones.
    """

    bias: float
    weights: tuple[float, ...]
    thresholds: tuple[float, ...]

    @classmethod
    def beside(cls, networks: Path) -> SpottingModel | None:
        """Read what `hearing_models.recognizer.spotting` has written into the folder of the networks, if it has.

        Raises
        ------
        InputError
            If the file is damaged or of another version.
        """
        path = networks / FILE
        if not path.is_file():
            return None
        return read_fitted(path, cls._of, "thresholds of words", "fit them anew, or remove it")

    @classmethod
    def _of(cls, record: Any) -> SpottingModel:
        thresholds = tuple(map(float, record["thresholds"]))
        if not thresholds:
            raise ValueError("no thresholds")
        return cls(float(record["bias"]), named_weights(record, FEATURES), thresholds)

    def log_odds(self, features: FloatArray) -> FloatArray:
        """Return log-odds of words, of shape (n_words,), from their features (n_words, n_features)."""
        odds: FloatArray = self.bias + features @ np.array(self.weights)
        return odds

    def least(self, n_letters: IntArray) -> FloatArray:
        """Return the least log-odds of words of so many letters."""
        least: FloatArray = np.array(self.thresholds)[np.minimum(n_letters, len(self.thresholds)) - 1]
        return least


@runtime_checkable
class SpottingEngine(Protocol):
    """An engine (`hearing.recognition.engine.StreamingEngine`) whose utterances also `spot` words."""

    def listen_for(self, phrases: Sequence[str]) -> None:
        """Spot these words and phrases from now on, in utterances that are open as well; replaces earlier ones."""


@runtime_checkable
class SpottingStream(Protocol):
    """An utterance on its way through such an engine."""

    def spot(self) -> list[Spotted]:
        """Hear what was accepted as soon as possible, and return the words that are new in it."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What the judges say about every word in a stretch; arrays of shape (n_words, ...).

    Attributes
    ----------
    features
        Of shape (n_words, n_features), in the order of `FEATURES`: log-probability that the decoder writes the word and
        ends it; by letter, the ratio of its best path and the log-likelihood of that; number of letters, at most 12.
    begin, end
        Frames of the stretch between which the word's letters are.
    settled
        Whether the word cannot be the beginning of a longer one.
    before
        What the decoder writes before each.
    """

    features: FloatArray
    begin: IntArray
    end: IntArray
    settled: NDArray[np.bool_]
    before: tuple[str, ...]


class WordSpotter:
    """Words to be found, and whom to ask about them.

    Parameters
    ----------
    phrases
        Words or phrases, spelled as they are written; numbers are found in all ways in which they are said.
    model
        Weighs what the judges say.
    encoder, decoder
        The networks.

    Raises
    ------
    InputError
        If a phrase has neither letters nor digits.
    """

    def __init__(self, phrases: Sequence[str], model: SpottingModel, encoder: Encoder, decoder: Decoder) -> None:
        self.phrases, self.model = tuple(phrases), model
        self.encoder, self._decoder = encoder, decoder
        ways = [(number, to_letters(way)) for number, phrase in enumerate(phrases) for way in spoken(phrase)]
        self._way_of = np.array([number for number, _ in ways])
        self._paths = KeywordPaths([letters for _, letters in ways])
        self.n_letters = np.array([len(to_letters(spoken(phrase)[0])) for phrase in phrases], np.int64)
        forms = [(number, form) for number, phrase in enumerate(phrases) for form in sorted(written_forms(phrase))]
        self._form_of = np.array([number for number, _ in forms])
        self._tokens = [decoder.tokenizer.encode(f" {form}", add_special_tokens=False).ids for _, form in forms]

    def hear(self, mel: Float32Array) -> Heard:
        """Hear a stretch as a whole and ask both judges.

        Parameters
        ----------
        mel
            Its log-mel frames, of shape (n_mel_frames, 80).
        """
        encoded = self.encoder.whole(mel)
        paths = self._paths.best(encoded.letters)
        written, likely, places = Decoded(), np.full(len(self._tokens), _LEAST), np.zeros(len(self._tokens), np.int64)
        if np.max(paths.ratio / self._paths.n_letters) >= _WORTH:
            written, likely, places = self._decoder.ask(self._tokens, *self.encoder.with_silence(encoded), _TOKENS)
        n_frames = len(encoded.letters)
        said = np.flatnonzero(encoded.letters.argmax(axis=1) > SPACE)
        last = int(said[-1]) if len(said) else -1
        way = [_best_of(self._way_of, number, paths.ratio) for number in range(len(self.phrases))]
        form = [_best_of(self._form_of, number, likely) for number in range(len(self.phrases))]
        n_letters = self._paths.n_letters[way]
        features = np.stack(
            [
                np.maximum(likely[form], _LEAST),
                np.maximum(paths.ratio[way] / n_letters, _LEAST),
                np.maximum(paths.heard[way] / n_letters, _LEAST),
                np.minimum(self.n_letters, _MOST_LETTERS),
            ],
            axis=1,
        )
        settled = n_frames - np.minimum(paths.end[way], last + 1) >= _SETTLED
        before = tuple(self._decoder.tokenizer.decode(list(written.tokens[: places[at]])).strip() for at in form)
        return Heard(features, paths.begin[way], paths.end[way], settled, before)


class Gate:
    """Tells which stretches of an utterance may hold a call, by the letters that are heard while it is said.

    Parameters
    ----------
    frame
        Of the utterance from which on words are found.
    """

    def __init__(self, frame: int = 0) -> None:
        self._labels: list[int] = [BLANK] * frame
        self._from = self._asked = frame
        self._sure = -1

    def process(self, letters: Float32Array) -> None:
        """Take the next letters that are known for good: log-probabilities of shape (n_frames, 29)."""
        self._labels += letters.argmax(axis=1).tolist()

    def due(self, end: int, peeked: Float32Array | None = None) -> tuple[int, int] | None:
        """Tell which stretch is to be heard as a whole now, by its first frame and the one after its last.

        Parameters
        ----------
        end
            Frames that there are, those included whose letters are not known.
        peeked
            Letters of frames that are not known for good yet, of shape (n_frames, 29).
        """
        if end - self._asked < _AGAIN:
            return None
        labels = np.array(self._labels if peeked is None else [*self._labels, *peeked.argmax(axis=1)])
        said = np.flatnonzero(labels > SPACE)
        said = said[said >= self._from]
        if not len(said):
            return None
        pauses = np.flatnonzero(np.diff(said) > _BREATH)
        first, last = int(said[pauses[-1] + 1] if len(pauses) else said[0]), int(said[-1])
        rest = end - 1 - last
        may_end = rest >= _MAY_END and last > self._sure
        goes_on = last >= self._asked and end - self._asked >= _EVERY and end - first <= _SOON
        if end - first > _CLAUSE or not (may_end or goes_on):
            return None
        if rest >= _HAS_ENDED:
            self._sure = last
        self._asked = end
        before = int(said[pauses[-1]]) + _GAP if len(pauses) else self._from
        return max(before, first - _BEFORE), end


class SpotterStream:
    """One utterance on its way through a `WordSpotter`.

    Parameters
    ----------
    spotter
        What is listened for.
    frame
        Of the utterance from which on words are found.
    """

    def __init__(self, spotter: WordSpotter, frame: int = 0) -> None:
        self._spotter = spotter
        self._found: list[Spotted] = []
        self.gate = Gate(frame)

    def judge(self, mel: Float32Array, first: int) -> list[Spotted]:
        """Hear a stretch and return the words in it: those that are new, or that now seem to come after something else.

        Parameters
        ----------
        mel
            Log-mel frames of the stretch that is due, of shape (2 n_frames, 80).
        first
            Its first frame in the utterance.
        """
        spotter = self._spotter
        heard = spotter.hear(mel)
        odds = spotter.model.log_odds(heard.features)
        found = []
        for word in np.flatnonzero((odds >= spotter.model.least(spotter.n_letters)) & heard.settled):
            start, end = (first + int(heard.begin[word])) / FRAME_RATE, (first + int(heard.end[word])) / FRAME_RATE
            likely = float(1 / (1 + np.exp(-odds[word])))
            new = Spotted(spotter.phrases[word], start, end, likely, heard.before[word])
            if not any(_same(new, known) for known in self._found):
                self._found.append(new)
                found.append(new)
        return found


def _same(new: Spotted, known: Spotted) -> bool:
    """Whether a word is one that was found before: the same stretch is often heard more than once."""
    apart = abs(new.start - known.start) > _APART
    return new.phrase == known.phrase and new.before == known.before and not apart


def _best_of(owners: IntArray, owner: int, scores: FloatArray) -> int:
    candidates = np.flatnonzero(owners == owner)
    return int(candidates[scores[candidates].argmax()])
