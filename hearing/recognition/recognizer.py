"""Streaming recognition of everybody who talks: partial words while they speak, final words when an utterance ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hearing.errors import InputError
from hearing.recognition.engine import RecognizedWord, StreamingEngine, UtteranceStream
from hearing.recognition.engines import DEFAULT_ENGINE, load_engine
from hearing.recognition.phrases import check_phrases
from hearing.recognition.scheduling import Job, RecognitionQueue, Scheduler, SchedulingConfig
from hearing.recognition.spotting import SpottingEngine, SpottingStream
from hearing.recognition.text import matches, normalized
from hearing.types import SAMPLE_RATE, Float32Array, SpeechChunk, SpottedWord, Transcript, Word


@dataclass(slots=True)
class _Open:
    """An utterance that has no final words yet.

    Attributes
    ----------
    track_id
        The track that speaks.
    start_time
        Stream time of its first sample in seconds.
    stream
        Its way through the engine.
    length
        Samples so far.
    words
        The words of the last partial transcript.
    ended
        Whether it has all its audio.
    whole
        All of that once more, if it could be made cleaner at the end.
    since
        Stream time in seconds since when it waits for the engine; None while it does not.
    """

    track_id: int
    start_time: float
    stream: UtteranceStream
    length: int = 0
    words: tuple[Word, ...] = ()
    ended: bool = False
    whole: Float32Array | None = None
    since: float | None = None


class Recognizer:
    """Turns the audio of utterances into words, as many at a time as the budget allows.

    Parameters
    ----------
    engine
        Hears the words.
    config
        The budget.

    Attributes
    ----------
    queue
        What was left to do after the last call.
    """

    def __init__(self, engine: StreamingEngine, config: SchedulingConfig | None = None) -> None:
        self._engine = engine
        self._scheduler = Scheduler(config)
        self.reset()

    @classmethod
    def create(
        cls,
        config: SchedulingConfig | None = None,
        engine: str = DEFAULT_ENGINE,
        folder: Path | None = None,
        threads: int = 2,
    ) -> Recognizer:
        """Load an engine and make a recognizer of it; `load_engine` explains the parameters and what may go wrong."""
        return cls(load_engine(engine, folder, threads), config)

    @property
    def latency(self) -> float:
        """Seconds of audio after a word that it takes to hear the word, computing time and waiting aside."""
        return self._engine.latency

    def reset(self) -> None:
        """Forget all utterances and start a new stream."""
        self._scheduler.reset()
        self._open: dict[str, _Open] = {}
        self.queue = RecognitionQueue()

    def check_phrases(self, phrases: Sequence[str]) -> None:
        """Make sure that `bias` will take phrases; unlike that it takes no time and disturbs nothing.

        Raises
        ------
        InputError
            If the engine takes none, one has neither letters nor digits, or there are too many.
        """
        if phrases and not self._engine.takes_phrases:
            raise InputError(f"this engine takes no phrases; leave them out, or choose the engine {DEFAULT_ENGINE}")
        check_phrases(phrases)

    def bias(self, phrases: Sequence[str]) -> None:
        """Expect these words and phrases from now on; replaces earlier ones. Refuses what `check_phrases` refuses."""
        self.check_phrases(phrases)
        self._engine.bias(phrases)

    def listen_for(self, words: Sequence[str]) -> None:
        """Spot these words and phrases from now on; replaces earlier ones. Not all engines can: others spot none.

        Raises
        ------
        InputError
            If one has neither letters nor digits, or there are too many.
        """
        check_phrases(words)
        if isinstance(self._engine, SpottingEngine):
            self._engine.listen_for(words)

    def spot(self, now: float) -> list[SpottedWord]:
        """Return the words that are listened for and new in what was accepted, at a stream time in seconds.

        They are worth more than the budget, of which it takes nothing: only the letters are heard.
        """
        found = []
        for name, utterance in self._open.items():
            if utterance.ended or not isinstance(utterance.stream, SpottingStream):
                continue
            start = utterance.start_time
            for word in utterance.stream.spot():
                times = start + word.start, start + word.end
                new = SpottedWord(word.phrase, name, utterance.track_id, *times, now, word.probability, word.before)
                found.append(new)
        return found

    def accept(self, chunk: SpeechChunk) -> None:
        """Take the next stretch of an utterance; the chunks of different utterances may be interleaved.

        Nothing is computed before `advance`.
        """
        if chunk.utterance_id not in self._open:
            self._open[chunk.utterance_id] = _Open(chunk.track_id, chunk.start_time, self._engine.open())
        utterance = self._open[chunk.utterance_id]
        utterance.stream.accept(chunk.samples)
        utterance.length += len(chunk.samples)
        if chunk.last:
            # What waited to be heard for partial words is heard for the final ones.
            utterance.ended, utterance.whole, utterance.since = True, chunk.whole, chunk.now

    def advance(self, now: float, addressing: Callable[[str], float]) -> list[Transcript]:
        """Compute what the budget allows now.

        Parameters
        ----------
        now
            Stream time in seconds.
        addressing
            Probability that an utterance, by its id, is said to the robot, as far as that is known.

        Returns
        -------
        Partial transcripts of utterances whose words changed, and final ones of those that ended. The final words of an
        utterance may come later than its last chunk, but always come.
        """
        jobs = self._jobs(now, addressing)
        chosen = self._scheduler.choose(jobs, now)
        self.queue = RecognitionQueue.of((job for job in jobs if job not in chosen), now)
        transcripts = [self._finish(job.utterance_id, now) if job.final else self._hear(job, now) for job in chosen]
        return [transcript for transcript in transcripts if transcript]

    def flush(self, now: float) -> list[Transcript]:
        """Finish all utterances at the end of the stream, whatever the budget; `now` is its length in seconds."""
        self.queue = RecognitionQueue()
        return [self._finish(utterance_id, now) for utterance_id in list(self._open)]

    def _jobs(self, now: float, addressing: Callable[[str], float]) -> list[Job]:
        """List all that engines could compute on now."""
        jobs = []
        for name, utterance in self._open.items():
            seconds = _duration(utterance) if utterance.ended else utterance.stream.pending
            if utterance.ended or seconds > 0:
                utterance.since = now if utterance.since is None else utterance.since
                jobs.append(Job(name, utterance.ended, utterance.since, seconds, addressing(name)))
        return jobs

    def _hear(self, job: Job, now: float) -> Transcript | None:
        """Hear an utterance as far as it goes; None if its words are those that are already shown."""
        utterance = self._open[job.utterance_id]
        utterance.since = None
        hypothesis = utterance.stream.advance()
        words = _place(hypothesis.committed + hypothesis.tentative, utterance, now)
        if [word.text for word in words] == [word.text for word in utterance.words]:
            return None
        utterance.words = words
        stable = len(hypothesis.committed)
        return Transcript(job.utterance_id, utterance.track_id, words, _confidence(words), final=False, stable=stable)

    def _finish(self, utterance_id: str, now: float) -> Transcript:
        utterance = self._open.pop(utterance_id)
        words = _place(utterance.stream.finish(utterance.whole).words, utterance, now, final=now)
        return Transcript(utterance_id, utterance.track_id, words, _confidence(words), final=True, stable=len(words))


def _duration(utterance: _Open) -> float:
    """Seconds of audio that the final words are made of."""
    return (utterance.length if utterance.whole is None else len(utterance.whole)) / SAMPLE_RATE


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


def _confidence(words: Sequence[Word]) -> float:
    return float(np.mean([word.confidence for word in words])) if words else 0.0
