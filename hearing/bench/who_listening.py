"""Running the whole line over a recording with cues switched off; what is the same is computed only once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hearing.attribution import AttributionConfig, PersonAttribution
from hearing.motion import MotionLog
from hearing.outputs import SessionLog, Timing
from hearing.pipeline import TRACK_PERIOD, Pipeline, PipelineConfig
from hearing.recording import Recording
from hearing.types import (
    SAMPLE_RATE,
    ArrayMotion,
    FaceState,
    Float32Array,
    HearingOutput,
    SpeechChunk,
    Track,
    Transcript,
    Utterance,
)
from hearing.utterances import UtteranceAssembler
from hearing.vision.eyes import Eyes
from hearing.vision.face import Sight
from hearing.voices import VoiceEncoder


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is seen in a recording.

    Attributes
    ----------
    sights
        For every block of the recording, those of its frames.
    video_seconds
        Length of the video.
    cpu_seconds
        Computing time of one core that looking took.
    """

    sights: tuple[tuple[Sight, ...], ...]
    video_seconds: float
    cpu_seconds: float


def look(recording: Recording) -> Seen | None:
    """Look at a recording's video, if it has one.

    Raises
    ------
    InputError
        If a network's file is not on this machine, or the video is damaged.
    """
    if recording.camera is None:
        return None
    eyes = Eyes(recording.camera)
    sights, spent = [], 0.0
    for moment in recording.moments():
        begin = time.process_time()  # other programs on the same cores do not count
        sights.append(tuple(eyes.process(frame.image, frame.time) for frame in moment.frames))
        spent += time.process_time() - begin
    return Seen(tuple(sights), recording.duration, spent)


def hear(recording: Recording, seen: Seen | None, ways: Mapping[Path, AttributionConfig]) -> None:
    """Hear a recording, attribute what is heard in several ways, and write the outputs of `hearing transcribe`.

    All that comes before attribution is computed once, and led by the first way.

    Parameters
    ----------
    recording
        The recording.
    seen
        What is seen in it; None to hear alone.
    ways
        How words are attributed, by the folder for what comes out. Computing time is that of the first way.

    Raises
    ------
    InputError
        If a model is missing, or a folder cannot be written.
    """
    first, *others = ways.values()
    pipeline = _ComparingPipeline.create(recording.array, PipelineConfig(attribution=first))
    motion = MotionLog.load(recording.motion).known_at if recording.motion is not None else None
    logs = [SessionLog(video=seen is not None) for _ in ways]
    compared = pipeline.compare(others, logs[1:])
    begin = time.process_time()
    for number, (block, played) in enumerate(recording.blocks_with_playback()):
        output = pipeline.process(block, played, motion, () if seen is None else seen.sights[number])
        logs[0].add(output)
        for log in logs[1:]:
            log.add(HearingOutput(output.tracks))
    logs[0].add(pipeline.flush())
    spent = time.process_time() - begin - compared.seconds
    timing = Timing(recording.duration, spent, dict(pipeline.compute_seconds), pipeline.latency)
    for folder, log in zip(ways, logs, strict=True):
        log.write(folder, recording.session_id, timing)


class _ComparingPipeline(Pipeline):
    """A pipeline that attributes in several ways."""

    def compare(self, configs: Sequence[AttributionConfig], logs: Sequence[SessionLog]) -> _ComparingAssembler:
        """Attribute in other ways as well from now on, and log what comes out; call it before anything is heard."""
        encoder = _RememberingEncoder()
        bounds = self.config.segmentation.lead, self.config.segmentation.tail
        first, *others = [
            PersonAttribution(config, encoder if config.voice else None)
            for config in (self.config.attribution, *configs)
        ]
        ways = [_Way(UtteranceAssembler(other, *bounds), log) for other, log in zip(others, logs, strict=True)]
        comparing = _ComparingAssembler(first, *bounds, ways)
        self._assembler = comparing
        return comparing


class _RememberingEncoder(VoiceEncoder):
    """Embeds only what it has not embedded before."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[bytes, Float32Array] = {}

    def embed(self, mel: Float32Array) -> Float32Array:
        key = mel.tobytes()
        if key not in self._known:
            self._known[key] = super().embed(mel)
        return self._known[key]


@dataclass(slots=True, eq=False)
class _Way:
    """Another way to attribute: who does it, where it is logged, and how faces were when last asked for."""

    assembler: UtteranceAssembler
    log: SessionLog
    faces: tuple[FaceState, ...] = ()


class _ComparingAssembler(UtteranceAssembler):
    """Assembles utterances, and in other ways besides.

    Attributes
    ----------
    seconds
        Computing time of one core that the other ways took.
    """

    def __init__(self, attribution: PersonAttribution, lead: float, tail: float, ways: Sequence[_Way]) -> None:
        super().__init__(attribution, lead, tail)
        self._ways = ways
        self._position = 0
        self.seconds = 0.0

    def follow(self, chunks: tuple[SpeechChunk, ...], tracks: tuple[Track, ...], now: float, *others: Any) -> None:
        super().follow(chunks, tracks, now, *others)
        self._others(lambda way: way.assembler.follow(chunks, tracks, now, *others))

    def see(self, sights: Sequence[Sight], motion: ArrayMotion | None = None) -> None:
        super().see(sights, motion)
        self._others(lambda way: way.assembler.see(sights, motion))

    def process(self, transcript: Transcript) -> Utterance:
        utterance = super().process(transcript)
        self._others(lambda way: way.log.add(HearingOutput(utterances=(way.assembler.process(transcript),))))
        return utterance

    def corrections(self, now: float) -> tuple[Utterance, ...]:
        corrected = super().corrections(now)
        self._others(lambda way: way.log.add(HearingOutput(utterances=way.assembler.corrections(now))))
        return corrected

    def faces(self, now: float, tracks: Sequence[Track]) -> tuple[FaceState, ...]:
        faces = super().faces(now, tracks)
        begin, self._position = self._position, round(now * SAMPLE_RATE)
        ticks = [tick / 10 for tick in range(-(-begin // TRACK_PERIOD), -(-self._position // TRACK_PERIOD))]

        def look(way: _Way) -> None:
            # As in the pipeline, what is said of a tick does not depend on what is seen after it.
            before, way.faces = way.faces, way.assembler.faces(now, tracks)
            way.log.add(HearingOutput(faces=tuple(replace(face, time=tick) for tick in ticks for face in before)))

        self._others(look)
        return faces

    def _others(self, act: Callable[[_Way], None]) -> None:
        begin = time.process_time()
        for way in self._ways:
            act(way)
        self.seconds += time.process_time() - begin
