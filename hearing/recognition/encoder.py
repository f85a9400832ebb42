"""The recognizer's encoder, in chunks: log-mel frames in; letters, and what the decoder attends to, out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearing.recognition.mel import N_MELS, SILENT
from hearing.recognition.session import Memory, empty_inputs, open_session, run_once
from hearing.types import Float32Array

FRAME_RATE = 50
"""Frames per second that the encoder gives out; it takes twice as many."""
CHUNK = 16
"""Frames that are encoded at once while somebody speaks: 320 ms."""
PEEK = 8
"""Frames at the start of a chunk that may be encoded before it is complete: the network was trained on chunks of 160 ms
and more."""
LEFT = 512
"""Frames before its chunk that the encoder remembers: about 10 s."""
LOOK_AHEAD = 1
"""Log-mel frames after a chunk that its convolutions see."""
LONGEST = 1500
"""Frames that an utterance may have: the network has learned so many positions."""
SILENCE = 400
"""Frames of encoded silence that follow on an utterance for the decoder: without, it goes on after the last word. 8 s
do as well as filling up to the 30 s that Whisper was trained on."""
_PAST = 2


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """What the encoder made of a stretch of one utterance, n_frames of them at 50 a second.

    Attributes
    ----------
    letters
        Natural log-probabilities of blank and letters, see `ctc.LETTERS`, of shape (n_frames, 29).
    keys, values
        For the decoder's attention, in stretches of shape (n_layers, 1, n_heads, n_frames, n_features).
    """

    letters: Float32Array
    keys: tuple[Float32Array, ...]
    values: tuple[Float32Array, ...]

    @classmethod
    def join(cls, parts: list[Encoded]) -> Encoded:
        """Put stretches after each other; keys and values stay where they are."""
        return cls(
            np.concatenate([part.letters for part in parts]),
            tuple(keys for part in parts for keys in part.keys),
            tuple(values for part in parts for values in part.values),
        )


class Encoder:
    """The network.

    Parameters
    ----------
    path
        Its ONNX file, see `hearing_models.recognizer.export`.
    threads
        That it may use.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self._session = open_session(path, threads)
        self._shapes = {entry.name: entry.shape for entry in self._session.get_outputs()}
        self.nothing = empty_inputs(self._session, "past_")
        silence = self.whole(np.full((2 * LONGEST, N_MELS), SILENT, np.float32))
        self._silence = tuple(part.astype(np.float16) for part in (*silence.keys, *silence.values))
        self._room = [np.empty(part.size, np.float32) for part in self._silence]

    def run(self, mel: Float32Array, first: int, past: Memory) -> tuple[Encoded, Memory]:
        """Encode a chunk.

        Parameters
        ----------
        mel
            The chunk's log-mel frames, two before and one after them, of shape (2 + 2 n_frames + 1, 80).
        first
            Number of the chunk's first frame in the utterance.
        past
            What is remembered of the frames before.

        Returns
        -------
        What is heard, and what to remember.
        """
        feed = {"mel": mel[None], "first": np.array(first)} | past
        letters, keys, values, *known = self._session.run(None, feed)
        memory = {name: array[..., -LEFT:, :] for name, array in zip(past, known, strict=True)}
        return Encoded(letters[0], (keys,), (values,)), memory

    def whole(self, mel: Float32Array) -> Encoded:
        """Encode an utterance of at most 30 s at once, of shape (n_mel_frames, 80), every frame seeing all others."""
        framed = np.pad(mel[: 2 * LONGEST], ((_PAST, LOOK_AHEAD + len(mel) % 2), (0, 0)))
        feed = {"mel": framed[None], "first": np.array(0)} | self.nothing
        n_frames = (len(framed) - _PAST - LOOK_AHEAD) // 2
        shapes = {
            name: [n_frames if isinstance(length, str) else length for length in self._shapes[name]]
            for name in ("letters", "cross_keys", "cross_values")
        }
        letters, keys, values = run_once(self._session, feed, shapes)
        return Encoded(letters[0], (keys,), (values,))

    def with_silence(self, heard: Encoded) -> tuple[Float32Array, Float32Array]:
        """Return keys and values for the decoder, with those of silence after them; the next call overwrites them."""
        n_frames = len(heard.letters)
        keys, values = (
            self._put_together([*parts, silence[..., n_frames : n_frames + SILENCE, :]], room)
            for parts, silence, room in zip((heard.keys, heard.values), self._silence, self._room, strict=True)
        )
        return keys, values

    @staticmethod
    def _put_together(parts: list[NDArray[Any]], room: Float32Array) -> Float32Array:
        """Put stretches after each other in memory that is there: new memory, longer every time, would pile up."""
        *layers, _, width = parts[0].shape
        shape = *layers, sum(part.shape[3] for part in parts), width
        together: Float32Array = np.concatenate(parts, axis=3, out=room[: math.prod(shape)].reshape(shape))
        return together


class EncoderStream:
    """The encoder's way through one utterance, chunk by chunk.

    What it gives does not depend on how the utterance is cut up on its way in.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._mel: Float32Array = np.zeros((_PAST, N_MELS), np.float32)
        self._past = encoder.nothing
        self._position = 0
        self._peeked = -1

    def process(self, mel: Float32Array) -> list[Encoded]:
        """Take the next log-mel frames, of shape (n_mel_frames, 80), and encode the chunks that they complete."""
        self._mel = np.concatenate([self._mel, mel])
        encoded = []
        while len(self._mel) >= _PAST + 2 * CHUNK + LOOK_AHEAD:
            encoded.append(self._next(self._mel[: _PAST + 2 * CHUNK + LOOK_AHEAD]))
        return encoded

    def peek(self) -> Float32Array | None:
        """Encode the first `PEEK` frames of the next chunk, once; they are heard better when it is complete.

        Returns
        -------
        Their letters, of shape (PEEK, 29); None if they are not there yet.
        """
        if self._peeked == self._position or len(self._mel) < _PAST + 2 * PEEK + LOOK_AHEAD:
            return None
        self._peeked = self._position
        return self._encoder.run(self._mel[: _PAST + 2 * PEEK + LOOK_AHEAD], self._position, self._past)[0].letters

    def flush(self) -> list[Encoded]:
        """Encode what is left at the end of the utterance."""
        left = len(self._mel) - _PAST
        return [self._next(np.pad(self._mel, ((0, LOOK_AHEAD + left % 2), (0, 0))))] if left > 0 else []

    def _next(self, mel: Float32Array) -> Encoded:
        heard, self._past = self._encoder.run(mel, self._position, self._past)
        self._position += len(heard.letters)
        self._mel = self._mel[2 * len(heard.letters) :]
        return heard
