"""The voices of the utterances that are on their way, heard where nobody else talks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hearing.stft import HOP
from hearing.types import SAMPLE_RATE, Float32Array, SourceAudio, SpeechChunk
from hearing.voices import VoiceEncoder, VoicePrint

_KEPT = 8 * SAMPLE_RATE // HOP
"""Steps of 16 ms for which it is remembered who talked: chunks come later than the sound."""
MORE = 1.5
"""Times as much speech as the last time that is worth embedding anew while an utterance goes on."""
CROSSTALK = 0.8
"""Share of a frame's worth that is lost where somebody else talks as well: he leaks into the beam."""


@dataclass(frozen=True, slots=True, eq=False)
class VoiceSample:
    """How an utterance sounds: an embedding of length 1 and of shape (n_dimensions,), and what it is worth."""

    embedding: Float32Array
    quality: float


@dataclass(slots=True, eq=False)
class _Print:
    """An utterance's voice, when it began, its audio and what its steps of 16 ms are worth, and how it sounded last."""

    voice: VoicePrint
    begin: int
    samples: Float32Array = field(default_factory=lambda: np.zeros(0, np.float32))
    worth: Float32Array = field(default_factory=lambda: np.zeros(0, np.float32))
    seconds: float = 0.0
    sample: VoiceSample | None = None


class UtteranceVoices:
    """Streaming voice prints, one for every utterance.

    Parameters
    ----------
    encoder
        The network.
    """

    def __init__(self, encoder: VoiceEncoder) -> None:
        self._encoder = encoder
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._talking: dict[int, tuple[int, Float32Array]] = {}
        self._prints: dict[str, _Print] = {}

    def hear(self, sources: Iterable[SourceAudio]) -> None:
        """Note who talks: the stretches of all tracks for the same time."""
        sources = tuple(sources)
        talking = {source.track_id: source.talking for source in sources}
        for source in sources:
            others = [their for track, their in talking.items() if track != source.track_id]
            rivals = [their for their in others if their.shape == source.talking.shape]
            rival = np.max(rivals, axis=0) if rivals else np.zeros_like(source.talking)
            worth = source.talking * (1 - CROSSTALK * rival)
            start, known = self._talking.get(source.track_id, (source.start_sample, worth[:0]))
            known = np.concatenate([known, worth])
            dropped = max(0, len(known) - _KEPT)
            self._talking[source.track_id] = start + dropped * HOP, known[dropped:]
        self._talking = {track: known for track, known in self._talking.items() if track in talking}

    def extend(self, chunk: SpeechChunk) -> None:
        """Hear the next audio of an utterance."""
        begin = round(chunk.opened * SAMPLE_RATE)
        heard = self._prints.setdefault(chunk.utterance_id, _Print(VoicePrint(self._encoder), begin))
        heard.samples = np.concatenate([heard.samples, chunk.samples])
        steps = np.arange(len(heard.worth), len(heard.samples) // HOP)
        worth = self._worth(chunk.track_id, begin + steps * HOP)
        heard.worth = np.concatenate([heard.worth, worth])
        heard.voice.process(chunk.samples, worth)

    def listen(self, utterance_id: str, ended: bool) -> None:
        """Embed what an utterance sounds like, if it has ended, or if there is much more of it than the last time."""
        heard = self._prints.get(utterance_id)
        if heard is None or not (ended or heard.voice.seconds > MORE * heard.seconds):
            return
        heard.seconds = heard.voice.seconds
        if (embedding := heard.voice.embedding) is not None:
            heard.sample = VoiceSample(embedding, heard.voice.quality)

    def of(self, utterance_id: str) -> VoiceSample | None:
        """Return how an utterance sounded when it was last listened to; None if that was never, or not enough."""
        heard = self._prints.get(utterance_id)
        return heard.sample if heard else None

    def part(self, utterance_id: str, start: float, end: float) -> VoiceSample | None:
        """Embed what an utterance sounds like between two times in seconds; None if there is too little speech."""
        heard = self._prints.get(utterance_id)
        if heard is None:
            return None
        first, last = (max(0, round(time * SAMPLE_RATE) - heard.begin) // HOP for time in (start, end))
        voice = VoicePrint(self._encoder)
        voice.process(heard.samples[first * HOP : last * HOP], heard.worth[first:last])
        embedding = voice.embedding
        return None if embedding is None else VoiceSample(embedding, voice.quality)

    def forget(self, utterance_id: str) -> None:
        """Forget an utterance."""
        self._prints.pop(utterance_id, None)

    def _worth(self, track_id: int, samples: NDArray[np.int64]) -> Float32Array:
        """Return what the frames of a track that begin at these samples are worth."""
        start, known = self._talking.get(track_id, (0, np.zeros(0, np.float32)))
        if not len(known):
            return np.ones(len(samples), np.float32)
        index = np.clip((samples - start) // HOP, 0, len(known) - 1)
        worth: Float32Array = known[index]
        return worth
