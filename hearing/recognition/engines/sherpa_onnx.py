"""Streaming transducers of icefall (zipformer, conformer, LSTM) through sherpa-onnx.

Greedy search never takes a token back, so that only the last word can still change: it may get more tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from hearing.errors import InputError
from hearing.recognition.engine import Hypothesis, Recognition, RecognizedWord
from hearing.recognition.engines.support import Steps, import_optional
from hearing.recognition.text import normalize
from hearing.types import SAMPLE_RATE, Float32Array

_STEP = 0.1
# SentencePiece marks the start of a word by this; sherpa-onnx turns it into a blank.
_WORD_START = (" ", "\u2581")
# A token is a point in time; the last one of a word is taken to last this long unless the next word begins.
_LAST_TOKEN = 0.2
# Silence that pushes the last words out of the encoder's look-ahead.
_TAIL = 0.66


class SherpaOnnx:
    """A streaming transducer on sherpa-onnx.

    Parameters
    ----------
    folder
        Holds `tokens.txt`, `encoder*.onnx`, `decoder*.onnx` and `joiner*.onnx`; int8 is taken where it is there.
    threads
        Threads that ONNX Runtime may use.

    Raises
    ------
    InputError
        If sherpa-onnx is not installed, or the folder does not hold a streaming transducer.
    """

    latency: float = 0.45
    """What the encoder of a model with chunks of 320 ms hears at once; the Python interface does not tell."""
    takes_phrases: bool = False

    def __init__(self, folder: Path, threads: int = 2) -> None:
        package = import_optional("sherpa_onnx")
        encoder, decoder, joiner = (_network(folder, name) for name in ("encoder", "decoder", "joiner"))
        # sherpa-onnx ends the process when it is given another kind of model.
        if b"decode_chunk_len" not in encoder.read_bytes():
            raise InputError(f"{encoder}: not the encoder of a streaming transducer of icefall; get one that is")
        self._recognizer = package.OnlineRecognizer.from_transducer(
            tokens=str(folder / "tokens.txt"),
            encoder=str(encoder),
            decoder=str(decoder),
            joiner=str(joiner),
            num_threads=threads,
            sample_rate=SAMPLE_RATE,
            feature_dim=80,
            decoding_method="greedy_search",
            temperature_scale=1.0,  # of the probabilities alone; its default makes them look doubtful
            provider="cpu",
        )

    def open(self) -> SherpaUtterance:
        """Begin an utterance."""
        return SherpaUtterance(self._recognizer)

    def bias(self, phrases: Sequence[str]) -> None:
        """Refuse phrases: sherpa-onnx takes them in beam search only, and not for utterances that are open.

        Raises
        ------
        InputError
            Unless the list is empty.
        """
        if phrases:
            raise InputError("sherpa-onnx does not take phrases; leave them out, or use an engine that takes them")


class SherpaUtterance:
    """One utterance on its way through a transducer."""

    def __init__(self, recognizer: Any) -> None:
        self._recognizer = recognizer
        self._stream = recognizer.create_stream()
        self._steps = Steps(_STEP)
        self._heard = 0
        self._computed = 0

    @property
    def pending(self) -> float:
        """Seconds of accepted audio since the network ran last; 0 until its next chunk is complete."""
        ready = self._recognizer.is_ready(self._stream)
        return (self._heard - self._computed) / SAMPLE_RATE if ready else 0.0

    def accept(self, samples: Float32Array) -> None:
        """Take the next samples, of shape (n_samples,) at 16 kHz; only computes their spectrum, which costs little."""
        self._steps.accept(samples)
        for step in self._steps.take():
            self._feed(step)

    def advance(self) -> Hypothesis:
        """Run the network on all complete chunks and return what was said so far."""
        words = self._compute().words
        return Hypothesis(words[:-1], words[-1:])

    def finish(self, whole: Float32Array | None = None) -> Recognition:
        """Compute what is left and return the final words.

        Parameters
        ----------
        whole
            The utterance's audio once more, of shape (n_samples,), if it could be made cleaner than what was accepted.
        """
        if whole is not None:
            anew = SherpaUtterance(self._recognizer)
            anew.accept(whole)
            return anew.finish()
        self._feed(self._steps.flush())
        if not self._heard:
            return Recognition()
        self._stream.accept_waveform(SAMPLE_RATE, np.zeros(round(_TAIL * SAMPLE_RATE), np.float32))
        self._stream.input_finished()
        return self._compute()

    def _feed(self, samples: Float32Array) -> None:
        self._stream.accept_waveform(SAMPLE_RATE, samples)
        self._heard += len(samples)

    def _compute(self) -> Recognition:
        if self._recognizer.is_ready(self._stream):
            self._computed = self._heard
        while self._recognizer.is_ready(self._stream):
            self._recognizer.decode_stream(self._stream)
        result = self._recognizer.get_result_all(self._stream)
        words = _words(result.tokens, result.timestamps, result.ys_probs, self._heard / SAMPLE_RATE)
        return Recognition(words, float(np.mean(result.ys_probs)) if words else 0.0)


def _network(folder: Path, name: str) -> Path:
    """Find one of the three networks, int8 first."""
    found = sorted(folder.glob(f"{name}*.onnx"), key=lambda path: (".int8." not in path.name, path.name))
    if not found:
        raise InputError(f"{folder / name}*.onnx: no such file; give the folder of a streaming transducer")
    return found[0]


def _words(
    tokens: Sequence[str], times: Sequence[float], log_probabilities: Sequence[float], duration: float
) -> tuple[RecognizedWord, ...]:
    """Join tokens to words of letters or digits.

    Parameters
    ----------
    tokens, times, log_probabilities
        One entry per token: its text, seconds from the first sample, natural log-probability.
    duration
        Seconds of audio; the silence after it may bring tokens out.
    """
    firsts = [index for index, token in enumerate(tokens) if index == 0 or token.startswith(_WORD_START)]
    words = []
    for first, end in pairwise([*firsts, len(tokens)]):
        text = "".join(tokens[first:end]).strip(" \u2581")
        if normalize(text):
            until = min(times[end - 1] + _LAST_TOKEN, times[end] if end < len(tokens) else duration)
            probability = float(np.mean(np.exp(log_probabilities[first:end])))
            words.append(RecognizedWord(text, min(times[first], duration), min(until, duration), probability))
    return tuple(words)
