"""Is the track's talker speaking? What the network of its direction says, and Silero VAD, streamed for every track.

The first knows where sound comes from, the second knows speech better; both must agree.

The network misses quiet voices, so that every track is brought to the level of loud speech first: whether somebody
speaks must not depend on the gain of the microphones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from hearing.stft import HOP
from hearing.types import SAMPLE_RATE, Float32Array, SourceAudio

WINDOW = 512
"""Samples that one decision of the network covers."""
CONTEXT = 64
LOUD_SPEECH = 0.2
"""Root mean square, at full scale 1, to which the loudest window of the last seconds is brought."""
LEVEL_MEMORY = 8.0
"""Seconds in which the memory of a loud window falls to 1/e."""
LEAST_LEVEL = 1e-5
"""Root mean square below which nothing is amplified further: it is digital silence."""


@dataclass(slots=True)
class _Stream:
    """State of one track: what is not yet judged, samples before it, the network's memory, the loudest level."""

    pending: Float32Array = field(default_factory=lambda: np.zeros(0, np.float32))
    talking: Float32Array = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    context: Float32Array = field(default_factory=lambda: np.zeros(CONTEXT, np.float32))
    hidden: Float32Array = field(default_factory=lambda: np.zeros((1, 1, 128), np.float32))
    cell: Float32Array = field(default_factory=lambda: np.zeros((1, 1, 128), np.float32))
    level: float = LEAST_LEVEL


class VoiceActivity:
    """Streaming voice activity detection on separated tracks.

    Parameters
    ----------
    model
        Path of the Silero VAD network, version 6.
    """

    latency = WINDOW / SAMPLE_RATE

    def __init__(self, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._network = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._streams: dict[int, _Stream] = {}

    def process(self, audio: SourceAudio) -> NDArray[np.float32]:
        """Judge the next stretch of one track.

        Returns
        -------
        Probability that the talker speaks for each window of 512 samples that is complete now, and that he would if it
        were not decided whose voice it is that several tracks claim: shape (n_windows, 2).
        """
        stream = self._streams.setdefault(audio.track_id, _Stream())
        samples = np.concatenate([stream.pending, audio.samples])
        claimed = audio.talking if audio.claimed is None else audio.claimed
        talking = np.concatenate([stream.talking, np.column_stack([audio.talking, claimed])])
        n_windows = len(samples) // WINDOW
        n_hops = n_windows * WINDOW // HOP
        stream.pending, stream.talking = samples[n_windows * WINDOW :], talking[n_hops:]
        if n_windows == 0:
            return np.zeros((0, 2), np.float32)
        windows = samples[: n_windows * WINDOW].reshape(n_windows, WINDOW)
        context = np.concatenate([stream.context[None], windows[:-1, -CONTEXT:]])
        stream.context = windows[-1, -CONTEXT:]
        gain = LOUD_SPEECH / self._levels(stream, windows)
        heard = np.clip(gain * np.concatenate([context, windows], axis=1), -1, 1).astype(np.float32)
        probability, stream.hidden, stream.cell = self._network.run(
            None, {"input": heard, "h": stream.hidden, "c": stream.cell}
        )
        speech = np.asarray(probability, np.float32).reshape(-1)
        # Silero VAD believes whatever leaks in from others: it may only doubt what the other network believes.
        own: NDArray[np.float32] = talking[:n_hops].reshape(n_windows, -1, 2).max(axis=1) * np.sqrt(speech)[:, None]
        return own

    @staticmethod
    def _levels(stream: _Stream, windows: Float32Array) -> NDArray[np.float64]:
        """Level of the loudest window so far, slowly forgotten, at each of the windows: shape (n_windows, 1)."""
        rms = np.sqrt(np.mean(windows.astype(np.float64) ** 2, axis=1))
        fading = np.exp(-WINDOW / SAMPLE_RATE / LEVEL_MEMORY * np.arange(len(rms) + 1))
        loudest = fading * np.maximum.accumulate(np.concatenate([[stream.level], rms]) / fading)
        levels: NDArray[np.float64] = np.maximum(loudest[1:, None], LEAST_LEVEL)
        stream.level = float(levels[-1, 0])
        return levels

    def forget(self, track_ids: set[int]) -> None:
        """Drop the state of every track but these."""
        self._streams = {track_id: stream for track_id, stream in self._streams.items() if track_id in track_ids}
