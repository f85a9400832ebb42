"""Between the library's speech and transcripts and the messages by which recognition runs elsewhere."""

from __future__ import annotations

import array
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from hearing_msgs import msg

from hearing.errors import InputError
from hearing.recognition.scheduling import RecognitionQueue
from hearing.types import Direction, Float32Array, SpeechChunk, SpottedWord, Transcript
from hearing_nodes import conversions


@dataclass(frozen=True, slots=True)
class Step:
    """What there is to recognize since the step before.

    Attributes
    ----------
    stream, number
        Which step of which stream.
    now
        Stream time in seconds.
    chunks
        New audio.
    addressed
        Probability that each utterance without final words is said to the robot, by its id.
    listen_for
        Words to spot.
    anew
        Whether all that was before is to be forgotten, and is in `chunks`.
    end
        Whether all words are to be final.
    """

    stream: int
    number: int
    now: float
    chunks: tuple[SpeechChunk, ...]
    addressed: Mapping[str, float]
    listen_for: tuple[str, ...] = ()
    anew: bool = False
    end: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What recognition answers to a step, and, before any step, that it is there.

    Attributes
    ----------
    run
        Which recognition it is: another one knows nothing of what was before.
    stream, number
        Of the step.
    lost
        Whether steps before it were lost, so that it was not used.
    transcripts
        Whose words have changed.
    spotted
        Words that were listened for.
    queue
        What is yet to do.
    latency
        Seconds of audio after a word that it takes to hear it, computing time aside.
    """

    run: int
    stream: int = 0
    number: int = 0
    lost: bool = False
    transcripts: tuple[Transcript, ...] = ()
    spotted: tuple[SpottedWord, ...] = ()
    queue: RecognitionQueue = field(default_factory=RecognitionQueue)
    latency: float = 0.0


def step_message(step: Step) -> msg.SpeechStep:
    """Convert a step; the header is left to whoever knows ROS time."""
    return msg.SpeechStep(
        stream=step.stream,
        number=step.number,
        anew=step.anew,
        end=step.end,
        now=step.now,
        chunks=[_chunk_message(chunk) for chunk in step.chunks],
        utterance_ids=list(step.addressed),
        addressed_to_robot=array.array("d", step.addressed.values()),
        listen_for=list(step.listen_for),
    )


def step(message: msg.SpeechStep) -> Step:
    """Convert a message of a step.

    Raises
    ------
    InputError
        If it is not consistent.
    """
    if len(message.utterance_ids) != len(message.addressed_to_robot):
        raise InputError(
            f"{len(message.utterance_ids)} utterances with {len(message.addressed_to_robot)} probabilities on the "
            "topic: give as many"
        )
    return Step(
        int(message.stream),
        int(message.number),
        message.now,
        tuple(_chunk(chunk) for chunk in message.chunks),
        dict(zip(message.utterance_ids, message.addressed_to_robot, strict=True)),
        tuple(message.listen_for),
        message.anew,
        message.end,
    )


def answer_message(answer: Answer) -> msg.Transcripts:
    """Convert an answer; the header is left to whoever knows ROS time."""
    return msg.Transcripts(
        run=answer.run,
        stream=answer.stream,
        number=answer.number,
        lost=answer.lost,
        transcripts=[_transcript_message(transcript) for transcript in answer.transcripts],
        spotted=[spotted_message(word) for word in answer.spotted],
        waiting=answer.queue.waiting,
        oldest=float(answer.queue.oldest),  # of nothing it is an int, at which rclpy aborts
        behind=float(answer.queue.behind),
        latency=float(answer.latency),
    )


def answer(message: msg.Transcripts) -> Answer:
    """Convert a message of an answer."""
    return Answer(
        int(message.run),
        int(message.stream),
        int(message.number),
        message.lost,
        tuple(_transcript(transcript) for transcript in message.transcripts),
        tuple(spotted_word(word) for word in message.spotted),
        RecognitionQueue(int(message.waiting), message.oldest, message.behind),
        message.latency,
    )


def spotted_message(word: SpottedWord) -> msg.SpottedWord:
    """Convert a word that was spotted."""
    return msg.SpottedWord(
        word=word.word,
        utterance_id=word.utterance_id,
        track_id=word.track_id,
        start_time=word.start_time,
        end_time=word.end_time,
        emitted=word.emitted,
        probability=float(word.probability),
        before=word.before,
        azimuth=word.direction.azimuth if word.direction is not None else math.nan,
        elevation=word.direction.elevation if word.direction is not None else math.nan,
    )


def spotted_word(message: msg.SpottedWord) -> SpottedWord:
    """Convert the message of a word that was spotted."""
    known = not math.isnan(message.azimuth)
    return SpottedWord(
        message.word,
        message.utterance_id,
        int(message.track_id),
        message.start_time,
        message.end_time,
        message.emitted,
        message.probability,
        message.before,
        Direction(message.azimuth, message.elevation) if known else None,
    )


def _transcript_message(transcript: Transcript) -> msg.Transcript:
    return msg.Transcript(
        utterance_id=transcript.utterance_id,
        track_id=transcript.track_id,
        words=[conversions.word_message(word) for word in transcript.words],
        confidence=float(transcript.confidence),
        is_final=transcript.final,
        stable=transcript.stable,
    )


def _transcript(message: msg.Transcript) -> Transcript:
    return Transcript(
        message.utterance_id,
        int(message.track_id),
        tuple(conversions.word_of(word) for word in message.words),
        message.confidence,
        message.is_final,
        int(message.stable),
    )


def _chunk_message(chunk: SpeechChunk) -> msg.SpeechChunk:
    return msg.SpeechChunk(
        utterance_id=chunk.utterance_id,
        track_id=chunk.track_id,
        start_time=chunk.start_time,
        opened=chunk.opened,
        now=chunk.now,
        last=chunk.last,
        samples=_floats(chunk.samples),
        has_whole=chunk.whole is not None,
        whole=_floats(chunk.whole if chunk.whole is not None else ()),
    )


def _chunk(message: msg.SpeechChunk) -> SpeechChunk:
    return SpeechChunk(
        message.utterance_id,
        int(message.track_id),
        np.array(message.samples, np.float32),
        message.start_time,
        message.now,
        message.last,
        message.opened,
        np.array(message.whole, np.float32) if message.has_whole else None,
    )


def _floats(samples: Float32Array | Sequence[float]) -> array.array[float]:
    return array.array("f", np.asarray(samples, np.float32).tobytes())
