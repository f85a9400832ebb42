"""How long simulation takes: a static scene, one with a moving talker, and training mixtures."""

from __future__ import annotations

import dataclasses
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hearing_sim import ArrayPose, Machine, Room, Scene, Talker, Turn, render
from hearing_sim.generate import DatasetPlan, generate, local_engine
from hearing_sim.motion import PoseWaypoint, Waypoint

MIXTURES = 100
TALKERS = (
    Talker("anna", ("vctk-p225",), (6.0, 3.9, 1.55)),
    Talker("ben", ("vctk-p226",), (3.6, 5.1, 1.7)),
    Talker("carl", ("vctk-p287",), (2.9, 2.3, 1.6)),
)
STATIC = Scene(
    name="static",
    duration=60.0,
    room=Room(size=(9.0, 7.0, 3.4), rt60=0.5),
    array=ArrayPose("respeaker_6mic", (4.2, 3.2, 1.1), yaw_deg=20.0),
    talkers=TALKERS,
    turns=tuple(Turn(talker.name, 0.4) for _ in range(3) for talker in TALKERS),
    machines=(
        Machine("lathe", "motor", (7.8, 1.2, 1.0)),
        Machine("extractor", "fan", (1.0, 6.2, 2.4)),
        Machine("press", "press", (1.0, 1.2, 0.8)),
    ),
    snr_db=10.0,
)


def report_lines() -> Iterator[str]:
    """Measure, and write a section of the report as Markdown."""
    walk = (Waypoint(0.0, (6.0, 3.9, 1.55)), Waypoint(60.0, (2.0, 5.5, 1.55)))
    walker = dataclasses.replace(TALKERS[0], position=None, path=walk)
    moving = dataclasses.replace(STATIC, name="moving", talkers=(walker, *TALKERS[1:]))
    drive = ArrayPose("respeaker_6mic", path=tuple(map(_pose, ((0.0, 3.0), (60.0, 5.0)))))
    driving = dataclasses.replace(moving, name="driving", array=drive)
    yield from ("## Simulation", "", "| what | seconds |", "|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for scene, what in (
            (STATIC, "60 s, 6 microphones, 3 talkers, 3 machines, nothing moves"),
            (moving, "the same with one talker who walks"),
            (driving, "the same with a robot that drives besides"),
        ):
            begin = time.perf_counter()
            render(scene, Path(folder) / scene.name)
            yield f"| {what} | {time.perf_counter() - begin:.1f} |"
        begin = time.perf_counter()
        plan = DatasetPlan("training", MIXTURES, shard_size=MIXTURES // 4)
        generate(plan, Path(folder) / "mixtures", local_engine(os.cpu_count() or 1), lambda _: None)
        seconds = time.perf_counter() - begin
        what = f"{MIXTURES} training mixtures of 6 s (`hearing simulate --random`), {os.cpu_count()} workers"
        yield f"| {what} | {seconds:.0f} |"


def _pose(station: tuple[float, float]) -> PoseWaypoint:
    time_of, x = station
    return PoseWaypoint(time_of, (x, 3.2, 1.1), 20.0)
