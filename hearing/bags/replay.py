"""A stream of a bag through the pipeline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from hearing.bags.streams import BagRecording, Heading
from hearing.console import say
from hearing.outputs import SessionLog, Stopwatch, Timing
from hearing.pipeline import Pipeline
from hearing.recording import Moment

if TYPE_CHECKING:
    from hearing.memory import PeopleStore


def hear(
    recording: BagRecording,
    heading: Heading,
    moments: Iterable[Moment],
    pipeline: Pipeline,
    people: PeopleStore | None,
    advance: Callable[[float], None],
) -> tuple[SessionLog, Timing]:
    """Hear a stream from its beginning to its end.

    Parameters
    ----------
    recording
        The bag.
    heading, moments
        The stream.
    pipeline
        Is reset before.
    people
        Who is known from before, to the eyes.
    advance
        Is told by how many seconds hearing has advanced.

    Returns
    -------
    What was heard and seen, and what it cost.
    """
    eyes = None
    if recording.camera is not None:
        from hearing.vision.eyes import Eyes

        eyes = Eyes(recording.camera, people=people)
    motion = recording.motion(heading)
    known_at = motion.known_at if motion is not None else None
    log, looking, seconds, faults = SessionLog(video=eyes is not None), Stopwatch(), 0.0, set[str]()
    pipeline.reset()
    begin = time.perf_counter()
    for moment in moments:
        with looking:
            sights = [eyes.process(frame.image, frame.time) for frame in moment.frames] if eyes is not None else []
        log.add(pipeline.process(moment.block, moment.playback, known_at, sights))
        for fault in pipeline.faults:
            if fault.message not in faults:
                faults.add(fault.message)
                say(f"notice: {fault.message}")
        advance(moment.block.end_time - seconds)
        seconds = moment.block.end_time
    log.add(pipeline.flush())
    total = time.perf_counter() - begin
    stages = dict(pipeline.compute_seconds) | ({"vision": looking.seconds} if eyes is not None else {})
    return log, Timing(seconds, total, stages, pipeline.latency)
