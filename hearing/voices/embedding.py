"""From speech to a point that tells who speaks: embeddings of utterances, while they are said.

The network (CAM++, see the card of `hearing_models.voices`) hears windows of speech; what is between words is left out.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.recognition.session import open_session
from hearing.stft import HOP as WEIGHT_HOP
from hearing.types import SAMPLE_RATE, Float32Array
from hearing.voices.fbank import HOP, N_MELS, WINDOW, FilterBank
from hearing.voices.likelihood import VoiceLikelihood, own_weights

WINDOW_FRAMES = 300
"""Frames of speech that are embedded at once: 3 s, as in the network's training."""
HOP_FRAMES = 150
"""Frames of speech from one window to the next."""
LEAST_FRAMES = 30
"""Frames of speech without which there is no embedding: 0.3 s."""
TALKING = 0.5
"""Probability of talking below which a frame is left out."""


class VoiceEncoder:
    """The network.

    Parameters
    ----------
    weights
        Folder of `voice_encoder.onnx` and its calibration; by default that of the package `hearing_models`.

    Attributes
    ----------
    name
        Embeddings of encoders with different names cannot be compared.
    dimensions
        Of an embedding.

    Raises
    ------
    InputError
        If the network is missing.
    """

    def __init__(self, weights: Path | None = None) -> None:
        folder = weights or own_weights()
        path = folder / "voice_encoder.onnx"
        if not path.is_file():
            raise InputError(f"{path}: the speaker encoder is missing; install the package again")
        self._session = open_session(path, threads=1)
        self.dimensions: int = self._session.get_outputs()[0].shape[1]
        self.name: str = self._session.get_modelmeta().custom_metadata_map["encoder"]
        self._folder = folder

    @cached_property
    def likelihood(self) -> VoiceLikelihood:
        """What cosines of its embeddings mean.

        Raises
        ------
        InputError
            If the calibration is missing, or that of another network.
        """
        likelihood = VoiceLikelihood.beside(self._folder)
        if likelihood.encoder != self.name:
            raise InputError(f"{self._folder}: the calibration is {likelihood.encoder}'s; fit it to {self.name}")
        return likelihood

    def embed(self, mel: Float32Array) -> Float32Array:
        """Embed log-mel frames of speech, of shape (n_frames, 80): a vector of length 1, of shape (192,)."""
        (embedding,) = self._session.run(None, {"mel": mel[None]})
        unit: Float32Array = embedding[0]
        return unit


class VoicePrint:
    """The embedding of one utterance, which becomes better while it is said.

    What it holds depends on the samples alone, not on how they are cut up on their way in.

    Parameters
    ----------
    encoder
        The network.
    """

    def __init__(self, encoder: VoiceEncoder) -> None:
        self._encoder = encoder
        self._filters = FilterBank()
        self._weights: Float32Array = np.zeros(0, np.float32)
        self._waiting: Float32Array = np.zeros((0, N_MELS), np.float32)
        self._mel: Float32Array = np.zeros((0, N_MELS), np.float32)
        self._talking: Float32Array = np.zeros(0, np.float32)
        self._next_frame = 0
        self._sum: NDArray[np.float64] = np.zeros(encoder.dimensions)
        self._n_windows = 0
        self._moments: NDArray[np.float64] = np.zeros((2, N_MELS))
        self._n_frames = 0
        self._seconds = 0.0
        self._known: tuple[int, Float32Array] | None = None

    def process(self, samples: Float32Array, weights: Float32Array | None = None) -> None:
        """Hear the next stretch.

        Parameters
        ----------
        samples
            Of the separated stream, of shape (n_samples,).
        weights
            Probability that the talker talks in every 16 ms of the stream, such as `SourceAudio.talking`; without, he
            always does. A frame waits for its weight.
        """
        if weights is None:
            weights = np.ones(-(-len(samples) // WEIGHT_HOP), np.float32)
        self._weights = np.concatenate([self._weights, weights])
        self._waiting = np.concatenate([self._waiting, self._filters.process(samples)])
        middles = (self._next_frame + np.arange(len(self._waiting))) * HOP + WINDOW // 2
        known = int(np.sum(middles // WEIGHT_HOP < len(self._weights)))
        weight = self._weights[middles[:known] // WEIGHT_HOP]
        speech = weight >= TALKING
        self._take(self._waiting[:known][speech], weight[speech])
        self._waiting = self._waiting[known:]
        self._next_frame += known

    @property
    def embedding(self) -> Float32Array | None:
        """A vector of length 1, of shape (192,); None as long as there is next to no speech."""
        if self._n_frames < LEAST_FRAMES:
            return None
        if self._known is None or self._known[0] != self._n_frames:
            total = self._sum + self._tail()
            self._known = self._n_frames, (total / np.linalg.norm(total)).astype(np.float32)
        return self._known[1]

    @property
    def seconds(self) -> float:
        """Seconds of speech so far, those that may be none counting less."""
        return self._seconds

    @property
    def contrast(self) -> float:
        """Standard deviation of the frames of speech over time, averaged over the bands; 0 without speech."""
        mean, square = self._moments / max(self._n_frames, 1)
        return float(np.sqrt(np.maximum(square - mean**2, 0.0)).mean())

    @property
    def quality(self) -> float:
        """What the embedding is worth, in [0, 1), see `VoiceLikelihood.quality`."""
        if self._n_frames < LEAST_FRAMES:
            return 0.0
        return self._encoder.likelihood.quality(self.seconds, self.contrast)

    def _take(self, mel: Float32Array, talking: Float32Array) -> None:
        """Take frames of speech, and embed the windows that they complete."""
        self._moments += mel.sum(axis=0, dtype=np.float64), np.square(mel, dtype=np.float64).sum(axis=0)
        self._seconds += float(talking.sum(dtype=np.float64)) * HOP / SAMPLE_RATE
        self._n_frames += len(mel)
        self._mel = np.concatenate([self._mel, mel])
        self._talking = np.concatenate([self._talking, talking])
        while len(self._mel) >= WINDOW_FRAMES:
            self._sum += self._embed(WINDOW_FRAMES)
            self._n_windows += 1
            self._mel, self._talking = self._mel[HOP_FRAMES:], self._talking[HOP_FRAMES:]

    def _embed(self, n_frames: int) -> NDArray[np.float64]:
        """Embed frames that are held, weighted by how much the talker talks in them."""
        weight = float(self._talking[:n_frames].mean())
        return weight * self._encoder.embed(self._mel[:n_frames]).astype(np.float64)

    def _tail(self) -> NDArray[np.float64]:
        """Embed what no window holds yet, which counts by its length."""
        overlap = WINDOW_FRAMES - HOP_FRAMES if self._n_windows else 0
        fresh = len(self._mel) - overlap
        if fresh <= 0:
            return np.zeros_like(self._sum)
        return fresh / HOP_FRAMES * self._embed(len(self._mel))
