"""Streaming recognition: partial words while somebody speaks, final words when the utterance ends."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hearing.recognition import guards
from hearing.recognition.catalogue import MODELS
from hearing.recognition.engine import Engine, Recognition, RecognizedWord
from hearing.recognition.local_agreement import LocalAgreement
from hearing.recognition.moonshine import Moonshine
from hearing.recognition.store import locate
from hearing.recognition.text import matches, normalized
from hearing.recognition.whisper import Whisper
from hearing.types import SAMPLE_RATE, Float32Array, SpeechChunk, Transcript, Word

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Open:
    """An utterance that goes on.

    Attributes
    ----------
    start_time
        Stream time of its first sample in seconds.
    chunks
        Its audio so far.
    length, drafted
        Samples so far, and how many of them the last draft has heard.
    agreement
        What successive drafts agree on.
    words
        The words of the last partial transcript.
    """

    start_time: float
    chunks: list[Float32Array] = field(default_factory=list)
    length: int = 0
    drafted: int = 0
    agreement: LocalAgreement = field(default_factory=LocalAgreement)
    words: tuple[Word, ...] = ()

    @property
    def samples(self) -> Float32Array:
        """All audio so far, of shape (n_samples,)."""
        return np.concatenate(self.chunks)


class Recognizer:
    """Turns the audio of utterances into words.

    While an utterance goes on, a cheap engine hears all of it again and again; LocalAgreement-2 decides which of its
    words stay. Partial transcripts show these, and of a draft that is sure of itself also the words after them but for
    the last, which the end of the audio usually cuts in half: waiting for the next draft would show every word one
    interval later, although most of these words stay. When the utterance ends, an accurate engine hears it once as a
    whole, and text that is invented is withdrawn.

    Parameters
    ----------
    draft
        The cheap engine.
    final
        The accurate engine.
    partial_interval
        Least new audio in seconds between two drafts.
    partial_growth
        Least new audio between two drafts as a share of the utterance so far. It bounds the cost of the drafts, which
        grows with what they hear: at a real-time factor r of the draft engine they cost less than r / partial_growth.
    """

    def __init__(
        self, draft: Engine, final: Engine, *, partial_interval: float = 0.6, partial_growth: float = 0.2
    ) -> None:
        self._draft = draft
        self._final = final
        self._interval = partial_interval
        self._growth = partial_growth
        self._open: dict[str, _Open] = {}

    @classmethod
    def create(cls, threads: int = 2) -> Recognizer:
        """Load Moonshine tiny for the drafts and Whisper base for the final words.

        Raises
        ------
        InputError
            If a model is missing or is not the published one.
        """
        return cls(
            Moonshine(locate(MODELS["moonshine-tiny-en"]), threads), Whisper(locate(MODELS["whisper-base"]), threads)
        )

    @property
    def latency(self) -> float:
        """Audio in seconds that a new utterance waits for before its first words are drafted."""
        return self._interval

    def reset(self) -> None:
        """Forget all open utterances."""
        self._open.clear()

    def process(self, chunk: SpeechChunk) -> Transcript | None:
        """Take the next stretch of an utterance; the chunks of different utterances may be interleaved.

        Returns
        -------
        transcript
            A partial transcript if its words changed, always a final one with the last chunk, else None.
        """
        utterance = self._open.setdefault(chunk.utterance_id, _Open(chunk.start_time))
        utterance.chunks.append(chunk.samples)
        utterance.length += len(chunk.samples)
        if chunk.last:
            del self._open[chunk.utterance_id]
            words = self._finish(utterance, chunk)
            return _transcript(chunk, words)
        fresh = utterance.length - utterance.drafted
        if fresh < max(self._interval * SAMPLE_RATE, self._growth * utterance.length):
            return None
        words = self._partial(utterance, chunk.now)
        if [word.text for word in words] == [word.text for word in utterance.words]:
            return None
        utterance.words = words
        return _transcript(chunk, words)

    def _partial(self, utterance: _Open, now: float) -> tuple[Word, ...]:
        """Draft all of an utterance again."""
        utterance.drafted = utterance.length
        draft = self._draft.transcribe(utterance.samples)
        duration = utterance.length / SAMPLE_RATE
        if guards.is_invented(draft, duration):
            return utterance.words
        agreement = utterance.agreement
        agreement.update(draft.words)
        shown = agreement.committed
        if guards.is_sure(draft, duration):
            shown += agreement.tentative[:-1]
        return _place(shown, utterance, now)

    def _finish(self, utterance: _Open, chunk: SpeechChunk) -> tuple[Word, ...]:
        """Recognize a whole utterance for good; no words if the text is invented."""
        samples = utterance.samples if chunk.whole is None else chunk.whole
        final = self._final.transcribe(samples)
        draft = self._draft.transcribe(samples) if final.words else Recognition()
        if reason := guards.reason_to_drop(final, draft, len(samples) / SAMPLE_RATE):
            _LOG.info("utterance %s dropped: %s: %r", chunk.utterance_id, reason, final.text)
            return ()
        return _place(final.words, utterance, chunk.now, final=chunk.now)


def _place(
    words: Sequence[RecognizedWord], utterance: _Open, now: float, final: float | None = None
) -> tuple[Word, ...]:
    """Put an engine's words on the stream's clock; those that are already shown keep the time when they appeared."""
    appeared = [now] * len(words)
    for new, old in matches(normalized(words), normalized(utterance.words)):
        appeared[new] = utterance.words[old].emitted_partial
    start = utterance.start_time
    return tuple(
        Word(word.text, start + word.start, start + word.end, word.probability, time, final)
        for word, time in zip(words, appeared, strict=True)
    )


def _transcript(chunk: SpeechChunk, words: tuple[Word, ...]) -> Transcript:
    confidence = float(np.mean([word.confidence for word in words])) if words else 0.0
    return Transcript(chunk.utterance_id, chunk.track_id, words, confidence, final=chunk.last)
