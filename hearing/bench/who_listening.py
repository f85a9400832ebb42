"""Running the whole line over a recording with cues switched off; what is seen is looked at only once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from hearing.attribution import AttributionConfig
from hearing.motion import MotionLog
from hearing.outputs import SessionLog, Timing
from hearing.pipeline import Pipeline, PipelineConfig
from hearing.recording import Recording
from hearing.vision.eyes import Eyes
from hearing.vision.face import Sight


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


def hear(recording: Recording, seen: Seen | None, config: AttributionConfig, out: Path) -> None:
    """Hear a recording and write the outputs of `hearing transcribe` into a folder.

    Parameters
    ----------
    recording
        The recording.
    seen
        What is seen in it; None to hear alone.
    config
        How words are attributed.
    out
        The folder.

    Raises
    ------
    InputError
        If a model is missing, or the folder cannot be written.
    """
    pipeline = Pipeline.create(recording.array, PipelineConfig(attribution=config))
    motion = MotionLog.load(recording.motion).known_at if recording.motion is not None else None
    log = SessionLog(video=seen is not None)
    begin = time.process_time()
    for number, (block, played) in enumerate(recording.blocks_with_playback()):
        log.add(pipeline.process(block, played, motion, () if seen is None else seen.sights[number]))
    log.add(pipeline.flush())
    spent = time.process_time() - begin
    timing = Timing(recording.duration, spent, dict(pipeline.compute_seconds), pipeline.latency)
    log.write(out, recording.session_id, timing)
