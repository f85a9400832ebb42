"""The recognizer's encoder, in chunks: log-mel frames in; letters, and what the decoder attends to, out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hearing.recognition.mel import N_MELS, SILENT
from hearing.recognition.session import open_session
from hearing.types import Float32Array

FRAME_RATE = 50
"""Frames per second that the encoder gives out; it takes twice as many."""
CHUNK = 16
"""Frames that are encoded at once while somebody speaks: 320 ms."""
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
        For the decoder's attention, of shape (n_layers, 1, n_heads, n_frames, n_features).
    """

    letters: Float32Array
    keys: Float32Array
    values: Float32Array

    @classmethod
    def join(cls, parts: list[Encoded]) -> Encoded:
        """Put stretches after each other."""
        return cls(
            np.concatenate([part.letters for part in parts]),
            np.concatenate([part.keys for part in parts], axis=3),
            np.concatenate([part.values for part in parts], axis=3),
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
        layers, _, heads, _, width = self._session.get_inputs()[2].shape
        self.nothing: Float32Array = np.zeros((layers, 1, heads, 0, width), np.float32)
        silence = self.whole(np.full((2 * LONGEST, N_MELS), SILENT, np.float32))
        self._silence = silence.keys.astype(np.float16), silence.values.astype(np.float16)

    def run(
        self, mel: Float32Array, first: int, keys: Float32Array, values: Float32Array
    ) -> tuple[Encoded, Float32Array, Float32Array]:
        """Encode a chunk.

        Parameters
        ----------
        mel
            The chunk's log-mel frames, two before and one after them, of shape (2 + 2 n_frames + 1, 80).
        first
            Number of the chunk's first frame in the utterance.
        keys, values
            What is remembered of the frames before.

        Returns
        -------
        What is heard, and keys and values to remember.
        """
        feed = {"mel": mel[None], "first": np.array(first), "past_keys": keys, "past_values": values}
        letters, cross_keys, cross_values, keys, values = self._session.run(None, feed)
        return Encoded(letters[0], cross_keys, cross_values), keys[..., -LEFT:, :], values[..., -LEFT:, :]

    def whole(self, mel: Float32Array) -> Encoded:
        """Encode an utterance of at most 30 s at once, of shape (n_mel_frames, 80), every frame seeing all others."""
        framed = np.pad(mel[: 2 * LONGEST], ((_PAST, LOOK_AHEAD + len(mel) % 2), (0, 0)))
        return self.run(framed, 0, self.nothing, self.nothing)[0]

    def with_silence(self, heard: Encoded) -> tuple[Float32Array, Float32Array]:
        """Return keys and values for the decoder, with those of silence after them."""
        after = slice(len(heard.letters), len(heard.letters) + SILENCE)
        keys, values = (part[..., after, :].astype(np.float32) for part in self._silence)
        return np.concatenate([heard.keys, keys], axis=3), np.concatenate([heard.values, values], axis=3)


class EncoderStream:
    """The encoder's way through one utterance, chunk by chunk.

    What it gives does not depend on how the utterance is cut up on its way in.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._mel: Float32Array = np.zeros((_PAST, N_MELS), np.float32)
        self._keys = self._values = encoder.nothing
        self._position = 0

    def process(self, mel: Float32Array) -> list[Encoded]:
        """Take the next log-mel frames, of shape (n_mel_frames, 80), and encode the chunks that they complete."""
        self._mel = np.concatenate([self._mel, mel])
        encoded = []
        while len(self._mel) >= _PAST + 2 * CHUNK + LOOK_AHEAD:
            encoded.append(self._next(self._mel[: _PAST + 2 * CHUNK + LOOK_AHEAD]))
        return encoded

    def flush(self) -> list[Encoded]:
        """Encode what is left at the end of the utterance."""
        left = len(self._mel) - _PAST
        return [self._next(np.pad(self._mel, ((0, LOOK_AHEAD + left % 2), (0, 0))))] if left > 0 else []

    def _next(self, mel: Float32Array) -> Encoded:
        heard, self._keys, self._values = self._encoder.run(mel, self._position, self._keys, self._values)
        self._position += len(heard.letters)
        self._mel = self._mel[2 * len(heard.letters) :]
        return heard
