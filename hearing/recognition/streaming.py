"""The project's own engine: one streaming encoder, read twice.

While somebody speaks, a CTC prefix beam reads the encoder's letters: cheap, and every word within a chunk or two. When
the utterance ends, the attention decoder reads what the encoder heard as a whole and writes the final text with casing
and punctuation; the letters judge its proposals (hybrid CTC/attention, Watanabe et al. 2017, equation 12) and time its
words. In a long turn the decoder reads what there is every few seconds.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from hearing.errors import InputError
from hearing.recognition.biasing import PhraseBoost, spoken
from hearing.recognition.confidence import reason_to_drop
from hearing.recognition.ctc import FRAME_RATE, PrefixBeamSearch, align, log_likelihoods, to_letters
from hearing.recognition.decoder import WORD_START, Decoded, Decoder
from hearing.recognition.encoder import CHUNK, LONGEST, LOOK_AHEAD, Encoded, Encoder, EncoderStream
from hearing.recognition.engine import Hypothesis, Recognition, RecognizedWord, spread
from hearing.recognition.mel import HOP, WARM_UP, WINDOW, LogMel, log_mel
from hearing.recognition.text import normalize
from hearing.types import SAMPLE_RATE, Float32Array

_LOG = logging.getLogger(__name__)
_FILES = ("encoder.onnx", "decoder.onnx", "tokenizer.json")
_SHORTEST = 0.15
_LETTERS_WEIGHT = 0.3
_UNHEARD = -1e4
_LETTER_BONUS = 1.0
_TOKEN_BONUS = 1.5
_READ_EVERY = 6.0
_SETTLED = 1.0
_LETTER_SECONDS = 0.06


class StreamingRecognizer:
    """The engine.

    Parameters
    ----------
    folder
        Holds `encoder.onnx`, `decoder.onnx` and `tokenizer.json`, see `hearing_models.recognizer`.
    threads
        That the networks may use.

    Raises
    ------
    InputError
        If a file is missing.
    """

    latency = CHUNK / FRAME_RATE
    takes_phrases = True

    def __init__(self, folder: Path, threads: int = 1) -> None:
        if missing := [name for name in _FILES if not (folder / name).is_file()]:
            raise InputError(f"{folder}: no {missing[0]}; reinstall robot-hearing, or export it with `hearing train`")
        self.encoder = Encoder(folder / "encoder.onnx", threads)
        self.decoder = Decoder(folder, threads)
        self.letter_boost: PhraseBoost | None = None
        vocabulary = self.decoder.tokenizer.get_vocab()
        self._word_starts = [number for token, number in vocabulary.items() if token.startswith(WORD_START)]
        self._marks = [number for token, number in vocabulary.items() if not re.search("[A-Za-z0-9']", token)]

    def open(self) -> RecognizerStream:
        """Begin an utterance."""
        return RecognizerStream(self)

    def bias(self, phrases: Sequence[str]) -> None:
        """Expect these words and phrases from now on; replaces earlier ones.

        Raises
        ------
        InputError
            If a phrase has neither letters nor digits.
        """
        if not phrases:
            self.letter_boost = None
            self.decoder.expect(None)
            return
        self.letter_boost = PhraseBoost(phrases, _LETTER_BONUS)
        written = {form for phrase in phrases for form in (phrase, phrase.lower(), phrase[:1].upper() + phrase[1:])}
        tokens = [self.decoder.tokenizer.encode(f" {form}", add_special_tokens=False).ids for form in sorted(written)]
        self.decoder.expect(PhraseBoost.compile(tokens, _TOKEN_BONUS, self._word_starts, self._marks))

    def read(self, heard: Encoded) -> Recognition:
        """Read an utterance that was heard as a whole; no words if it holds none."""
        duration = len(heard.letters) / FRAME_RATE
        texts = self.decoder.search(*self.encoder.with_silence(heard), duration)
        if not texts:
            return Recognition()
        spellings = [to_letters(_said(self.decoder.tokenizer.decode(list(text.tokens)))) for text in texts]
        letters = np.maximum(log_likelihoods(heard.letters, spellings), _UNHEARD)
        best = int(np.argmax([_total(text) for text in texts] + _LETTERS_WEIGHT * letters))
        logs = texts[best].log_probabilities
        nobody = next((text.log_probabilities[0] for text in texts if not text.tokens), -math.inf)
        return Recognition(
            self._words(texts[best], heard, duration),
            sum(logs) / len(logs),
            math.exp(nobody),
            float(letters[best]) / max(1, len(spellings[best])),
        )

    def _words(self, text: Decoded, heard: Encoded, duration: float) -> tuple[RecognizedWord, ...]:
        """Join tokens to words, and time these by where their letters are heard."""
        names = [self.decoder.tokenizer.id_to_token(token) or "" for token in text.tokens]
        bounds = [i for i, name in enumerate(names) if i == 0 or name.startswith(WORD_START)] + [len(names)]
        found: list[tuple[str, float]] = []
        for begin, end in pairwise(bounds):
            name = self.decoder.tokenizer.decode(list(text.tokens[begin:end])).strip()
            if normalize(name):
                found.append((name, math.exp(sum(text.log_probabilities[begin:end]) / (end - begin))))
            elif found:
                found[-1] = (found[-1][0] + name, found[-1][1])
        return timed(found, heard.letters, duration)


class RecognizerStream:
    """One utterance on its way through the engine."""

    def __init__(self, engine: StreamingRecognizer) -> None:
        self._engine = engine
        self._mel = LogMel()
        self._encoder = EncoderStream(engine.encoder)
        self._beam = PrefixBeamSearch(boost=engine.letter_boost)
        self._boost = engine.letter_boost
        self._accepted: list[Float32Array] = []
        self._n_samples = 0
        self._heard: list[Encoded] = []
        self._read: tuple[RecognizedWord, ...] = ()
        self._read_until = 0.0

    @property
    def pending(self) -> float:
        """Seconds of accepted audio that `advance` would compute on now; 0 if it would change nothing."""
        frames = max(0, (self._n_samples - WINDOW // 2) // HOP + 1)
        chunks = (frames - LOOK_AHEAD) // (2 * CHUNK) if frames >= WARM_UP else 0
        return max(0, chunks * CHUNK - self._n_frames) / FRAME_RATE

    def accept(self, samples: Float32Array) -> None:
        """Take the next samples, of shape (n_samples,) at 16 kHz; only keeps them."""
        self._accepted.append(samples)
        self._n_samples += len(samples)

    def advance(self) -> Hypothesis:
        """Compute on all that is pending and return what was said so far."""
        self._hear(self._encoder.process(self._mel.process(self._take())))
        now = self._n_frames / FRAME_RATE
        if now - self._read_until >= _READ_EVERY:
            # The end may be cut in the middle of a word: what is settled is what was said a while ago.
            words = self._engine.read(Encoded.join(self._heard)).words
            self._read = tuple(word for word in words if word.end < now - _SETTLED)
            self._read_until = now
        settled = self._read[-1].end if self._read else 0.0
        stable = self._beam.words[: self._beam.stable]
        fresh = [word for word in self._beam.words if (word.start + word.end) / 2 > settled]
        n_stable = sum((word.start + word.end) / 2 > settled for word in stable)
        return Hypothesis((*self._read, *fresh[:n_stable]), tuple(fresh[n_stable:]))

    def finish(self, whole: Float32Array | None = None) -> Recognition:
        """Compute what is left and return the final words; no call may follow.

        Parameters
        ----------
        whole
            The utterance's audio once more, of shape (n_samples,), if it could be made cleaner than what was accepted;
            it is then heard as a whole.
        """
        if whole is not None and len(whole) >= _SHORTEST * SAMPLE_RATE:
            heard = self._engine.encoder.whole(log_mel(whole))
        else:
            mel = np.concatenate([self._mel.process(self._take()), self._mel.flush()])
            self._hear([*self._encoder.process(mel), *self._encoder.flush()])
            if self._n_samples < _SHORTEST * SAMPLE_RATE:
                return Recognition()
            heard = Encoded.join(self._heard)
        recognition = self._engine.read(heard)
        if reason := reason_to_drop(recognition, len(heard.letters) / FRAME_RATE):
            _LOG.info("nothing was said: %s; heard: %s", reason, recognition.text)
            return replace(recognition, words=())
        return recognition

    @property
    def _n_frames(self) -> int:
        return sum(len(part.letters) for part in self._heard)

    def _take(self) -> Float32Array:
        samples: Float32Array = np.concatenate([np.zeros(0, np.float32), *self._accepted])
        self._accepted.clear()
        return samples

    def _hear(self, parts: list[Encoded]) -> None:
        if self._boost is not self._engine.letter_boost:
            self._boost = self._engine.letter_boost
            self._beam.expect(self._boost)
        for part in parts:
            if self._n_frames + len(part.letters) <= LONGEST:
                self._heard.append(part)
                self._beam.process(part.letters)


def timed(words: Sequence[tuple[str, float]], letters: Float32Array, duration: float) -> tuple[RecognizedWord, ...]:
    """Time words by where their letters are heard.

    Parameters
    ----------
    words
        Pairs of a word as it is written and its probability.
    letters
        Natural log-probabilities of shape (n_frames, 29).
    duration
        Of the utterance in seconds, over which words are spread evenly if their letters do not fit into it.
    """
    said = [_said(word) for word, _ in words]
    spelling = to_letters(" ".join(said))
    try:
        frames = align(letters, spelling)
    except ValueError:
        return spread([word for word, _ in words], [probability for _, probability in words], duration)
    found, at = [], 0
    for (word, probability), name in zip(words, said, strict=True):
        count = len(to_letters(name))
        first, last = frames[at] / FRAME_RATE, frames[at + count - 1] / FRAME_RATE
        at += count + 1
        found.append(RecognizedWord(word, float(first), min(duration, float(last) + _LETTER_SECONDS), probability))
    return tuple(found)


def _said(text: str) -> str:
    """Spell a text as it is most likely said, each word on its own; a word without a letter is dropped."""
    return " ".join(spoken(word)[0] for word in text.split() if normalize(word))


def _total(text: Decoded) -> float:
    return text.score * len(text.log_probabilities)
