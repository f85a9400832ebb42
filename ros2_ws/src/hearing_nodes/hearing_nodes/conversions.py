"""Between the library's types and the project's messages, and between stream time and ROS time."""

from __future__ import annotations

import array
import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from builtin_interfaces.msg import Time
from hearing_msgs import msg
from std_msgs.msg import Header

from hearing.audio_file import FULL_SCALE, sixteen_bits
from hearing.errors import InputError
from hearing.outputs import Timing
from hearing.types import (
    SAMPLE_RATE,
    AudioBlock,
    CueConfidence,
    Direction,
    SourceAudio,
    Track,
    TrackKind,
    Utterance,
    Word,
)

_KIND_CODES: dict[TrackKind, int] = {
    "talker": msg.Track.TALKER,
    "noise": msg.Track.NOISE,
    "robot": msg.Track.ROBOT,
}
_KINDS = {code: kind for kind, code in _KIND_CODES.items()}


@dataclass(frozen=True, slots=True)
class StreamClock:
    """Maps a stream's sample clock onto ROS time.

    Attributes
    ----------
    origin
        ROS time of the stream's first sample in nanoseconds.
    frame_id
        Frame of the microphone array.
    """

    origin: int
    frame_id: str

    def header(self, time: float) -> Header:
        """Return the header of something that happened at `time`, in seconds of stream time."""
        return Header(stamp=time_message(self.origin + round(time * 1e9)), frame_id=self.frame_id)


def time_message(nanoseconds: int) -> Time:
    """Return ROS time as a message."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return Time(sec=seconds, nanosec=rest)


def nanoseconds(stamp: Time) -> int:
    """Return a stamp in nanoseconds."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def audio_message(block: AudioBlock, clock: StreamClock, end_of_stream: bool = False) -> msg.AudioBlock:
    """Convert audio to 16 bits; samples beyond full scale are clipped."""
    return msg.AudioBlock(
        header=clock.header(block.start_time),
        start_sample=block.start_sample,
        sample_rate=SAMPLE_RATE,
        channels=block.samples.shape[1],
        end_of_stream=end_of_stream,
        # A list would be checked and copied sample by sample.
        data=array.array("h", sixteen_bits(block.samples).tobytes()),
    )


def audio_block(message: msg.AudioBlock, channels: int) -> AudioBlock:
    """Convert an audio message for an array of `channels` microphones.

    Raises
    ------
    InputError
        If the message does not fit the array or is not consistent in itself.
    """
    if message.sample_rate != SAMPLE_RATE:
        raise InputError(f"audio of {message.sample_rate} Hz on the topic: publish it at {SAMPLE_RATE} Hz")
    if message.channels != channels:
        raise InputError(
            f"audio of {message.channels} channels on the topic, the array has {channels}: set the parameter `array`"
        )
    if len(message.data) % channels:
        raise InputError(
            f"audio message of {len(message.data)} samples on the topic: publish whole frames of {channels} channels"
        )
    samples = np.frombuffer(message.data, dtype=np.int16).reshape(-1, channels)
    return AudioBlock(samples.astype(np.float32) / FULL_SCALE, int(message.start_sample))


def source_message(source: SourceAudio, clock: StreamClock) -> msg.SourceAudio:
    """Convert what is heard of a track, as recognition hears it."""
    return msg.SourceAudio(
        header=clock.header(source.start_sample / SAMPLE_RATE),
        track_id=source.track_id,
        start_sample=source.start_sample,
        sample_rate=SAMPLE_RATE,
        data=array.array("f", source.samples.astype(np.float32).tobytes()),
        talking=array.array("f", source.talking.astype(np.float32).tobytes()),
    )


def stream_origin(stamp: Time, time: float) -> int:
    """Return the ROS time in nanoseconds of a stream's first sample, by the stamp of a stream time in seconds."""
    return nanoseconds(stamp) - round(time * 1e9)


def track_messages(tracks: Iterable[Track], clock: StreamClock) -> list[msg.TrackArray]:
    """Convert tracks in order of time, one message for each instant."""
    return [
        msg.TrackArray(header=clock.header(time), time=time, tracks=[track_message(track) for track in instant])
        for time, instant in groupby(tracks, key=lambda track: track.time)
    ]


def track_message(track: Track) -> msg.Track:
    """Convert the state of one track."""
    return msg.Track(
        id=track.id,
        azimuth=track.direction.azimuth,
        elevation=track.direction.elevation,
        activity=track.activity,
        kind=_KIND_CODES[track.kind],
    )


def tracks(message: msg.TrackArray) -> tuple[Track, ...]:
    """Convert the tracks of one instant."""
    return tuple(track(each, message.time) for each in message.tracks)


def track(message: msg.Track, time: float) -> Track:
    """Convert the state of one track at a stream time in seconds."""
    direction = Direction(message.azimuth, message.elevation)
    return Track(message.id, time, direction, message.activity, _KINDS[message.kind])


def utterance_message(utterance: Utterance, clock: StreamClock) -> msg.Utterance:
    """Convert an utterance."""
    confidence = utterance.confidence
    return msg.Utterance(
        header=clock.header(utterance.start_time),
        id=utterance.id,
        revision=utterance.revision,
        is_final=utterance.final,
        speaker=utterance.speaker,
        track_id=utterance.track_id,
        face_id=utterance.face_id or "",
        words=[word_message(word) for word in utterance.words],
        start_time=utterance.start_time,
        end_time=utterance.end_time,
        azimuth=utterance.direction.azimuth,
        elevation=utterance.direction.elevation,
        addressed_to_robot=utterance.addressed_to_robot,
        confidence_recognition=confidence.recognition,
        confidence_direction=_nan_if_none(confidence.direction),
        confidence_voice=_nan_if_none(confidence.voice),
        confidence_face=_nan_if_none(confidence.face),
        confidence_speaker=_nan_if_none(confidence.speaker),
    )


def utterance(message: msg.Utterance) -> Utterance:
    """Convert an utterance message."""
    return Utterance(
        id=message.id,
        revision=message.revision,
        final=message.is_final,
        speaker=message.speaker,
        track_id=message.track_id,
        words=tuple(word_of(word) for word in message.words),
        start_time=message.start_time,
        end_time=message.end_time,
        direction=Direction(message.azimuth, message.elevation),
        confidence=CueConfidence(
            recognition=message.confidence_recognition,
            direction=_none_if_nan(message.confidence_direction),
            voice=_none_if_nan(message.confidence_voice),
            face=_none_if_nan(message.confidence_face),
            speaker=_none_if_nan(message.confidence_speaker),
        ),
        addressed_to_robot=message.addressed_to_robot,
        face_id=message.face_id or None,
    )


def word_message(word: Word) -> msg.Word:
    """Convert a word."""
    return msg.Word(
        text=word.text,
        start_time=word.start_time,
        end_time=word.end_time,
        confidence=word.confidence,
        emitted_partial=word.emitted_partial,
        emitted_final=_nan_if_none(word.emitted_final),
    )


def word_of(message: msg.Word) -> Word:
    """Convert the message of a word."""
    return Word(
        text=message.text,
        start_time=message.start_time,
        end_time=message.end_time,
        confidence=message.confidence,
        emitted_partial=message.emitted_partial,
        emitted_final=_none_if_nan(message.emitted_final),
    )


def end_message(timing: Timing, clock: StreamClock, track_arrays: int, utterances: int) -> msg.EndOfStream:
    """Say that a stream has ended, how many messages it gave, and what it cost."""
    return msg.EndOfStream(
        header=clock.header(timing.audio_seconds),
        track_arrays=track_arrays,
        utterances=utterances,
        audio_seconds=timing.audio_seconds,
        total_seconds=timing.total_seconds,
        latency=timing.latency,
        peak_memory_bytes=timing.peak_memory_bytes,
        stages=list(timing.compute_seconds),
        stage_seconds=array.array("d", timing.compute_seconds.values()),
    )


def timing(message: msg.EndOfStream) -> Timing:
    """Convert what hearing a stream has cost."""
    return Timing(
        audio_seconds=message.audio_seconds,
        total_seconds=message.total_seconds,
        compute_seconds=dict(zip(message.stages, message.stage_seconds, strict=True)),
        latency=message.latency,
        peak_memory_bytes=message.peak_memory_bytes,
    )


def _nan_if_none(value: float | None) -> float:
    return math.nan if value is None else value


def _none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else value
