"""Whisper on CTranslate2 (Radford et al. 2022): accurate, for the final words of a whole utterance.

CTranslate2 is driven directly: one pass of the encoder, one beam search and one alignment per utterance, at temperature
zero, so that the same audio gives the same words.

Whisper was trained on 30 s windows, and encoding the silence after a short utterance costs more than all the rest. Here
the encoder hears the utterance alone, and what it makes of silence, computed once, fills the rest of the window. The
decoder then sees the 30 s that it knows: with nothing instead of the silence it makes three times as many errors.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import ctranslate2  # type: ignore[import-untyped]
import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray
from tokenizers import Tokenizer

from hearing.recognition.engine import Recognition, RecognizedWord, at_speech_level
from hearing.recognition.text import normalize
from hearing.types import SAMPLE_RATE, Float32Array

_WINDOW = 30
_FRAMES_PER_SECOND = 100
_ENCODED_PER_SECOND = 50
_WORD_START = "\u0120"
# Silence after the utterance that the encoder hears with it.
_PADDING = 0.5
_SHORTEST = 0.1
# Nobody says more tokens per second; a decoder that loops is cut off.
_TOKENS_PER_SECOND = 10
_SPARE_TOKENS = 10


class Whisper:
    """Whisper in English.

    Parameters
    ----------
    folder
        Holds a CTranslate2 model: `model.bin`, `config.json`, `tokenizer.json` and `vocabulary.txt`.
    threads
        Threads that CTranslate2 may use.
    beam_size
        Hypotheses that the beam search follows.
    """

    def __init__(self, folder: Path, threads: int = 2, beam_size: int = 5) -> None:
        self._model = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="int8", intra_threads=threads, inter_threads=1
        )
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._features = FeatureExtractor(feature_size=self._model.n_mels)
        self._beam_size = beam_size
        start = ("<|startoftranscript|>", "<|en|>", "<|transcribe|>")
        self._start = [self._tokenizer.token_to_id(token) for token in start]
        self._end = self._tokenizer.token_to_id("<|endoftext|>")
        self._prompt = [*self._start, self._tokenizer.token_to_id("<|notimestamps|>")]
        self._silence = self._encode(np.zeros(_WINDOW * SAMPLE_RATE, np.float32))

    def transcribe(self, samples: Float32Array) -> Recognition:
        """Recognize an utterance.

        Parameters
        ----------
        samples
            Float32 array of shape (n_samples,) at 16 kHz. Anything shorter than 0.1 s holds no word.

        Raises
        ------
        ValueError
            If the audio is longer than the 30 s that the network was trained on.
        """
        duration = len(samples) / SAMPLE_RATE
        if duration > _WINDOW:
            raise ValueError(f"Whisper hears at most {_WINDOW} s at once, got {duration:.1f} s")
        if duration < _SHORTEST:
            return Recognition()
        encoded = self._window(at_speech_level(samples))
        (result,) = self._model.generate(
            encoded,
            [self._prompt],
            beam_size=self._beam_size,
            max_length=len(self._prompt) + int(duration * _TOKENS_PER_SECOND) + _SPARE_TOKENS,
            return_scores=True,
            return_no_speech_prob=True,
        )
        tokens = [token for token in result.sequences_ids[0] if token < self._end]
        # The score is the mean over the tokens without the end token.
        avg_logprob = result.scores[0] * len(tokens) / (len(tokens) + 1)
        words = self._align(encoded, tokens, duration) if tokens else ()
        return Recognition(words, avg_logprob, result.no_speech_prob)

    def _window(self, samples: Float32Array) -> ctranslate2.StorageView:
        """Encode the samples and fill the window with silence, shape (1, 1500, n_features)."""
        padded = np.pad(samples, (0, int(_PADDING * SAMPLE_RATE)))[: _WINDOW * SAMPLE_RATE]
        encoded = self._encode(padded)
        return ctranslate2.StorageView.from_array(
            np.concatenate([encoded, self._silence[:, encoded.shape[1] :]], axis=1)
        )

    def _encode(self, samples: Float32Array) -> Float32Array:
        """Run the encoder on up to 30 s of audio: an array of shape (1, n_frames, n_features), 50 frames a second."""
        spectrogram = np.ascontiguousarray(self._features(samples, padding=0)[None], np.float32)
        return np.array(self._model.encode(ctranslate2.StorageView.from_array(spectrogram)))

    def _align(
        self, encoded: ctranslate2.StorageView, tokens: list[int], duration: float
    ) -> tuple[RecognizedWord, ...]:
        """Join tokens to words of letters or digits and time them by the cross-attention of the decoder."""
        frames = int(duration * _FRAMES_PER_SECOND)
        (alignment,) = self._model.align(encoded, self._start, [tokens], frames)
        text, time = np.array(alignment.alignments, dtype=np.int64).T
        first = np.flatnonzero(np.diff(text, prepend=-1))
        starts: NDArray[np.float64] = np.minimum(time[first] / _ENCODED_PER_SECOND, duration)
        probabilities = np.array(alignment.text_token_probs)
        names = [self._tokenizer.id_to_token(token) or "" for token in tokens]
        bounds = [i for i, name in enumerate(names) if i == 0 or name.startswith(_WORD_START)] + [len(tokens)]
        words = []
        for begin, end in pairwise(bounds):
            # Punctuation after a word is a token of its own, and the pause belongs to it, not to the word.
            spoken = next((i for i in range(end, begin + 1, -1) if any(map(str.isalnum, names[i - 1]))), begin + 1)
            name = self._tokenizer.decode(tokens[begin:end]).strip()
            if normalize(name):
                probability = float(probabilities[begin:end].mean())
                words.append(RecognizedWord(name, float(starts[begin]), float(starts[spoken]), probability))
        return tuple(words)
