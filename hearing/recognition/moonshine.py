"""Moonshine, a small recognizer that takes audio of any length without padding (Jeffries et al. 2024).

The encoder and the decoder run on ONNX Runtime. Decoding is greedy, so that the same audio gives the same words.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.recognition.engine import Recognition, at_speech_level, spread
from hearing.recognition.text import normalize
from hearing.types import SAMPLE_RATE, Float32Array

_START, _END = 1, 2
_WORD_START = "\u2581".encode()
# Longer text than a person can say is a decoder that runs in a loop (Moonshine's own limit is 6.5 tokens per second).
_TOKENS_PER_SECOND = 6.5
_SPARE_TOKENS = 6
# The convolutions of the encoder need 127 samples for the first and about 900 for two frames; shorter audio is no word.
_SHORTEST = 1600


def read_tokenizer(path: Path) -> list[bytes]:
    """Read the tokens of a `tokenizer.bin`.

    The file is a sequence of tokens, each as its length and its bytes. A length of 128 or more takes two bytes: the
    low seven bits with the top bit set, then the rest.

    Raises
    ------
    InputError
        If the file ends within a token.
    """
    data = path.read_bytes()
    tokens: list[bytes] = []
    position = 0
    while position < len(data):
        length = data[position]
        position += 1
        if length >= 128:
            length += (data[position] - 1) * 128 if position < len(data) else len(data)
            position += 1
        if position + length > len(data):
            raise InputError(f"{path}: the file ends within token {len(tokens)}; copy it again")
        tokens.append(data[position : position + length])
        position += length
    return tokens


class Moonshine:
    """Moonshine on ONNX Runtime.

    Parameters
    ----------
    folder
        Holds `encoder_model.ort`, `decoder_model_merged.ort` and `tokenizer.bin`.
    threads
        Threads that ONNX Runtime may use.
    """

    def __init__(self, folder: Path, threads: int = 2) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")

        def load(name: str) -> onnxruntime.InferenceSession:
            return onnxruntime.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])

        self._encoder = load("encoder_model.ort")
        self._decoder = load("decoder_model_merged.ort")
        self._tokens = read_tokenizer(folder / "tokenizer.bin")
        self._outputs = [output.name for output in self._decoder.get_outputs()]
        self._past_shapes = {
            value.name: (1, value.shape[1], 0, value.shape[3])
            for value in self._decoder.get_inputs()
            if value.name.startswith("past_key_values")
        }

    def transcribe(self, samples: Float32Array) -> Recognition:
        """Recognize a stretch of speech; the word times are spread over it by the number of letters.

        Parameters
        ----------
        samples
            Float32 array of shape (n_samples,) at 16 kHz. Anything shorter than 0.1 s holds no word.
        """
        if len(samples) < _SHORTEST:
            return Recognition()
        tokens, log_probabilities = self._decode(at_speech_level(samples)[None])
        texts, probabilities = self._words(tokens, np.exp(log_probabilities))
        words = spread(texts, probabilities, len(samples) / SAMPLE_RATE)
        return Recognition(words, float(np.mean(log_probabilities)))

    def _decode(self, audio: Float32Array) -> tuple[list[int], NDArray[np.float64]]:
        """Decode audio of shape (1, n_samples) greedily: tokens without the end token, log-probabilities with it."""
        mask = np.ones(audio.shape, np.int64)
        (encoded,) = self._encoder.run(None, {"input_values": audio, "attention_mask": mask})
        feed: dict[str, NDArray[Any]] = {name: np.zeros(shape, np.float32) for name, shape in self._past_shapes.items()}
        feed |= {"encoder_attention_mask": mask, "encoder_hidden_states": encoded}
        limit = int(audio.shape[1] / SAMPLE_RATE * _TOKENS_PER_SECOND) + _SPARE_TOKENS
        tokens: list[int] = []
        log_probabilities: list[float] = []
        token = _START
        for step in range(limit):
            feed["input_ids"] = np.array([[token]])
            feed["use_cache_branch"] = np.array([step > 0])
            logits, *present = self._decoder.run(self._outputs, feed)
            last = logits[0, -1].astype(np.float64)
            token = int(last.argmax())
            log_probabilities.append(float(last[token] - np.logaddexp.reduce(last)))
            if token == _END:
                break
            tokens.append(token)
            for name, value in zip(self._outputs[1:], present, strict=True):
                # The cached branch does not compute the encoder's keys again: those of the first step stay valid.
                if step == 0 or ".decoder." in name:
                    feed[name.replace("present", "past_key_values")] = value
        return tokens, np.array(log_probabilities)

    def _words(self, tokens: list[int], probabilities: NDArray[np.float64]) -> tuple[list[str], list[float]]:
        """Join tokens to words of letters or digits, with the mean probability of their tokens."""
        groups: list[list[int]] = []
        for index, token in enumerate(tokens):
            if not groups or self._tokens[token].startswith(_WORD_START):
                groups.append([])
            groups[-1].append(index)
        texts: list[str] = []
        means: list[float] = []
        for group in groups:
            raw = b"".join(self._tokens[tokens[index]] for index in group)
            text = raw.decode(errors="ignore").replace("\u2581", " ").strip()
            if normalize(text):
                texts.append(text)
                means.append(float(probabilities[group].mean()))
        return texts, means
