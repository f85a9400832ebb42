"""Vosk: Kaldi's hybrid recognizer, small and streaming.

Vosk ends a sentence wherever it hears a pause; only then it knows the times of the words and how sure it is of them.
Until then its best guess is text alone, which LocalAgreement-2 makes stable.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hearing.errors import InputError
from hearing.recognition.drafting import in_order
from hearing.recognition.engine import Hypothesis, Recognition, RecognizedWord, spread
from hearing.recognition.engines.support import Steps, import_optional, recognition_of, to_pcm
from hearing.recognition.local_agreement import LocalAgreement
from hearing.types import SAMPLE_RATE, Float32Array

# Vosk itself computes in steps of this length.
_STEP = 0.2
# The best guess comes without probabilities; `SetPartialWords` would give them, but late and several words at once.
_GUESSED = 0.5
# A word that the dictionary lacks.
_NO_WORD = ("<", "[")


class Vosk:
    """Vosk on Kaldi; it takes one thread.

    Parameters
    ----------
    folder
        Holds a model as Vosk publishes them, with `am`, `conf` and `graph`.

    Raises
    ------
    InputError
        If Vosk is not installed.
    """

    latency: float = 0.4
    """A step, and what the network of the published English models hears after a sound."""
    takes_phrases: bool = False

    def __init__(self, folder: Path) -> None:
        self._package = import_optional("vosk")
        self._package.SetLogLevel(-1)
        self._model = self._package.Model(str(folder))

    def open(self) -> VoskUtterance:
        """Begin an utterance."""
        return VoskUtterance(self._package, self._model)

    def bias(self, phrases: Sequence[str]) -> None:
        """Refuse phrases: Vosk would hear nothing but them.

        Raises
        ------
        InputError
            Unless the list is empty.
        """
        if phrases:
            raise InputError("vosk does not take phrases; leave them out, or use an engine that takes them")


class VoskUtterance:
    """One utterance on its way through Vosk."""

    def __init__(self, package: Any, model: Any) -> None:
        self._package = package
        self._model = model
        self._recognizer = package.KaldiRecognizer(model, SAMPLE_RATE)
        self._recognizer.SetWords(True)
        self._steps = Steps(_STEP)
        self._heard = 0
        self._settled: tuple[RecognizedWord, ...] = ()
        self._settled_until = 0.0
        self._agreement = LocalAgreement()

    @property
    def pending(self) -> float:
        """Seconds of accepted audio that make complete steps."""
        return self._steps.ready

    def accept(self, samples: Float32Array) -> None:
        """Take the next samples, of shape (n_samples,) at 16 kHz; only keeps them."""
        self._steps.accept(samples)

    def advance(self) -> Hypothesis:
        """Compute on all complete steps and return what was said so far."""
        for step in self._steps.take():
            ended = self._feed(step)
            self._agreement.update(self._settled if ended else (*self._settled, *self._guess()))
        return in_order(self._agreement.committed, self._agreement.tentative)

    def finish(self, whole: Float32Array | None = None) -> Recognition:
        """Compute what is left and return the final words.

        Parameters
        ----------
        whole
            The utterance's audio once more, of shape (n_samples,), if it could be made cleaner than what was accepted.
        """
        if whole is not None:
            anew = VoskUtterance(self._package, self._model)
            anew.accept(whole)
            return anew.finish()
        for step in (*self._steps.take(), self._steps.flush()):
            if len(step):
                self._feed(step)
        self._settle(self._recognizer.FinalResult())
        return recognition_of(in_order(self._settled).committed)

    def _feed(self, step: Float32Array) -> bool:
        """Compute on a step; whether a sentence ended with it."""
        self._heard += len(step)
        ended = bool(self._recognizer.AcceptWaveform(to_pcm(step)))
        if ended:
            self._settle(self._recognizer.Result())
        return ended

    def _settle(self, result: str) -> None:
        """Take the words of a sentence that ended; the times count from the first sample of the utterance."""
        self._settled_until = duration = self._heard / SAMPLE_RATE
        self._settled += tuple(
            RecognizedWord(word["word"], min(word["start"], duration), min(word["end"], duration), min(word["conf"], 1))
            for word in json.loads(result).get("result", ())
            if not word["word"].startswith(_NO_WORD)
        )

    def _guess(self) -> tuple[RecognizedWord, ...]:
        """Give the words of the sentence that goes on, spread over its audio."""
        text = json.loads(self._recognizer.PartialResult()).get("partial", "")
        texts = [word for word in text.split() if not word.startswith(_NO_WORD)]
        since = self._settled_until
        words = spread(texts, [_GUESSED] * len(texts), self._heard / SAMPLE_RATE - since)
        return tuple(RecognizedWord(word.text, since + word.start, since + word.end, _GUESSED) for word in words)
