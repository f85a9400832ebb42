"""What the hearing node tells of every step of its pipeline, and what the dialogue node makes of that."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from hearing_msgs import msg

from hearing.dialogue.interlocutor import Stretch, Voices
from hearing.errors import InputError
from hearing.pipeline import STEP
from hearing.speech.noise import NoiseLevel
from hearing.types import (
    SAMPLE_RATE,
    AudioBlock,
    Direction,
    FaceState,
    HearingOutput,
    SourceAudio,
    Track,
)
from hearing_nodes import conversions
from hearing_nodes.conversions import StreamClock
from hearing_nodes.speech import spotted_message, spotted_word

SAME = 1_000_000
"""Nanoseconds by which the beginnings of one and the same stream may differ: stamps are rounded."""


class StepWriter:
    """Makes a message of every step that a pipeline takes."""

    def __init__(self) -> None:
        self._noise = NoiseLevel()
        self.reset()

    def reset(self) -> None:
        """Expect another stream."""
        self._noise.reset()
        self._level: float | None = None
        self._steps: list[Voices] = []
        self._position = 0

    def listen(self, tracks: tuple[Track, ...], sources: tuple[SourceAudio, ...]) -> None:
        """Take who is heard in a step, as `Pipeline.listener` is told."""
        self._steps.append((tracks, sources))

    def process(self, block: AudioBlock, output: HearingOutput, clock: StreamClock) -> Iterator[msg.HeardStep]:
        """Take a block that the pipeline has heard, and what it had to say; give the steps that it has completed."""
        self._level = self._noise.process(block.samples)
        yield from self._written(output, clock)

    def end(self, output: HearingOutput, clock: StreamClock) -> Iterator[msg.HeardStep]:
        """Give what is left at the end of the stream, and expect another one."""
        told = bool(self._steps)
        yield from self._written(output, clock)
        yield self._message(((), ()), HearingOutput() if told else output, clock, 0)
        self.reset()

    def _written(self, output: HearingOutput, clock: StreamClock) -> Iterator[msg.HeardStep]:
        for number, voices in enumerate(self._steps):
            yield self._message(voices, output if number == 0 else HearingOutput(), clock, STEP)
            self._position += STEP
        self._steps.clear()

    def _message(self, voices: Voices, output: HearingOutput, clock: StreamClock, samples: int) -> msg.HeardStep:
        tracks, sources = voices
        return msg.HeardStep(
            header=clock.header(self._position / SAMPLE_RATE),
            start_sample=self._position,
            samples=samples,
            end_of_stream=samples == 0,
            noise_level=math.nan if self._level is None else self._level,
            tracks=[conversions.track_message(track) for track in tracks],
            sources=[conversions.source_message(source, clock) for source in sources],
            utterances=[conversions.utterance_message(utterance, clock) for utterance in output.utterances],
            spotted=[spotted_message(word) for word in output.spotted],
            faces=[_face_message(face) for face in output.faces],
        )


class StepReader:
    """Finds the streams in the steps that arrive.

    Attributes
    ----------
    lost
        Samples of steps that never came.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.reset()

    def reset(self) -> None:
        """Expect a new stream, whatever it is."""
        self._clock: StreamClock | None = None
        self._next = 0

    def begins(self, message: msg.HeardStep) -> bool:
        """Whether a step is the first of another stream than the one before."""
        origin = _clock(message).origin
        return self._clock is None or abs(origin - self._clock.origin) > SAME or message.start_sample < self._next

    def take(self, message: msg.HeardStep) -> StreamClock:
        """Take a step; return its stream's clock."""
        if not self.begins(message):
            self.lost += int(message.start_sample) - self._next
        self._clock = _clock(message)
        self._next = int(message.start_sample) + message.samples
        return self._clock


def stretch(message: msg.HeardStep, full_scale_db: float | None, played: float | None) -> Stretch:
    """Convert a step.

    Parameters
    ----------
    message
        The step.
    full_scale_db
        Level in dB SPL of a sine of full scale, or None if nobody knows.
    played
        As `Stretch.played`.

    Raises
    ------
    InputError
        If it is not consistent in itself.
    """
    time = (message.start_sample + message.samples) / SAMPLE_RATE
    known = full_scale_db is not None and not math.isnan(message.noise_level)
    return Stretch(
        int(message.start_sample),
        message.samples,
        [(tuple(conversions.track(track, time) for track in message.tracks), _sources(message))],
        [conversions.utterance(utterance) for utterance in message.utterances],
        [_face(face, time) for face in message.faces],
        message.noise_level + full_scale_db if known else None,
        played,
        [spotted_word(word) for word in message.spotted],
    )


def _clock(message: msg.HeardStep) -> StreamClock:
    origin = conversions.stream_origin(message.header.stamp, message.start_sample / SAMPLE_RATE)
    return StreamClock(origin, message.header.frame_id)


def _sources(message: msg.HeardStep) -> tuple[SourceAudio, ...]:
    sources = []
    for source in message.sources:
        samples, talking = np.array(source.data, np.float32), np.array(source.talking, np.float32)
        if len(samples) != message.samples:
            raise InputError(
                f"step of {message.samples} samples with a signal of {len(samples)}: publish signals as long as steps"
            )
        sources.append(SourceAudio(source.track_id, samples, samples, talking, int(source.start_sample)))
    return tuple(sources)


def _face_message(face: FaceState) -> msg.Face:
    return msg.Face(
        id=face.face_id,
        box=[float(edge) for edge in face.box],
        azimuth=face.direction.azimuth,
        elevation=face.direction.elevation,
        distance=face.distance,
        facing=face.facing,
        speaking=face.speaking,
    )


def _face(message: msg.Face, time: float) -> FaceState:
    left, top, width, height = map(float, message.box)
    direction = Direction(message.azimuth, message.elevation)
    return FaceState(
        time, message.id, direction, message.distance, (left, top, width, height), message.speaking, message.facing
    )
