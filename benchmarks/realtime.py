"""Measure the ROS graph in real time: sound that is lost, and how long captions take, on two cores with a camera.

Usage: python benchmarks/realtime.py [--minutes N] [--scene NAME] [--apart] [--out FOLDER]

A scene with people before a camera is rendered, repeated, and streamed as microphones and a camera would, to the nodes
of `hearing up sim`; with --apart recognition is a process of its own. Captions are timed where they arrive: in another
process that subscribes to `hearing/utterances`.
Prints a table, with what else the computer did. Needs the data kit, `requirements/sim.txt` and ROS 2.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import hearing_sim
import numpy as np
import psutil
import rclpy
import soundfile as sf
from diagnostic_msgs.msg import DiagnosticArray
from hearing_msgs.msg import Utterance, Word
from hearing_nodes.conversions import stream_origin
from hearing_nodes.node import STATE_QOS
from hearing_sim.factorybench import benchmark_scene

from hearing.recognition.text import normalize
from hearing.types import SAMPLE_RATE

CORES = 2
SAME = 0.5
"""Seconds by which the times of a word may differ from revision to revision."""
NODES = ("audio_source", "vision", "hearing", "recognition", "dialogue", "captions")


@dataclass(slots=True)
class Measured:
    """What was seen of the graph while it ran.

    Attributes
    ----------
    revisions
        By utterance: when each of its revisions arrived in seconds of ROS time, its stream's beginning, and its words.
    values
        The latest diagnosis of each node.
    waiting
        Longest time in seconds that audio waited to be heard.
    busy
        Seconds of processor time by node.
    memory
        Largest resident memory in bytes by node.
    others
        Cores that other processes took, at every look.
    """

    revisions: dict[str, list[tuple[float, float, list[Word]]]] = field(default_factory=lambda: defaultdict(list))
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    waiting: float = 0.0
    busy: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    others: list[float] = field(default_factory=list)


def render(minutes: float, scene: str, folder: Path) -> Path:
    """Render a scene, unless it is there, and repeat it for so many minutes."""
    once, recording = folder / "scene", folder / "recording"
    if not once.is_dir():
        hearing_sim.render(benchmark_scene(scene), once)
    shutil.rmtree(recording, ignore_errors=True)
    recording.mkdir()
    for name in ("array.yaml", "camera.yaml"):
        shutil.copy(once / name, recording)
    sound, rate = sf.read(once / "audio.wav", dtype="int16")
    times = max(round(60 * minutes * rate / len(sound)), 1)
    sf.write(recording / "audio.wav", np.tile(sound, (times, 1)), rate)
    repeat(once / "camera.mp4", recording / "camera.mp4", times, Fraction(len(sound), rate))
    return recording


def repeat(source: Path, target: Path, times: int, duration: Fraction) -> None:
    """Write a video several times after itself; `duration` is its length in seconds."""
    with av.open(str(target), "w") as out:
        stream = None
        for number in range(times):
            with av.open(str(source)) as video:
                stream = stream or out.add_stream_from_template(video.streams.video[0])
                for packet in video.demux(video=0):
                    if packet.dts is not None:  # the last one is empty
                        shift = round(number * duration / packet.time_base)
                        packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                        out.mux(packet)


def measure(recording: Path, session: Path, apart: bool) -> Measured:
    """Have the nodes hear and see a recording in real time, and watch them."""
    measured = Measured()
    rclpy.init(args=[])
    node = rclpy.create_node("benchmark")

    def hear(message: Utterance) -> None:
        now = node.get_clock().now().nanoseconds / 1e9
        origin = stream_origin(message.header.stamp, message.start_time) / 1e9
        measured.revisions[message.id].append((now, origin, list(message.words)))

    def diagnose(message: DiagnosticArray) -> None:
        for status in message.status:
            measured.values[status.name] = {value.key: value.value for value in status.values}
        waiting = measured.values.get("/hearing: audio", {}).get("waiting_seconds", "0")
        measured.waiting = max(measured.waiting, float(waiting))

    node.create_subscription(Utterance, "hearing/utterances", hear, STATE_QOS)
    node.create_subscription(DiagnosticArray, "/diagnostics", diagnose, 100)
    shutil.rmtree(session, ignore_errors=True)
    words = [
        f"source:={recording}",
        f"camera:={recording / 'camera.yaml'}",
        f"out:={session}",
        "log_level:=warn",
        f"recognition_node:={apart}",
    ]
    with (session.parent / "log").open("wb") as log:
        graph = subprocess.Popen(
            [sys.executable, "-m", "hearing", "up", "--patience", "60", "sim", *words], stdout=log, stderr=log
        )
        looked = 0.0
        while graph.poll() is None:
            rclpy.spin_once(node, timeout_sec=0.05)
            if time.monotonic() - looked > 1.0:
                looked = time.monotonic()
                look(graph.pid, measured)
    rclpy.shutdown()
    if graph.returncode:
        raise SystemExit(f"the graph ended with status {graph.returncode}; see {session.parent / 'log'}")
    return measured


def look(pid: int, measured: Measured) -> None:
    """Note what the nodes' processes cost, and what is left of the processors for others."""
    before = sum(measured.busy.values())
    for process in psutil.Process(pid).children(recursive=True):
        try:
            module = next((word for word in process.cmdline() if word.startswith("hearing_nodes.")), "")
            times, memory = process.cpu_times(), process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
        name = module.removeprefix("hearing_nodes.")
        if name in NODES:
            measured.busy[name] = times.user + times.system
            measured.memory[name] = max(measured.memory[name], memory)
    own = sum(measured.busy.values()) - before
    everything = psutil.cpu_percent() / 100 * psutil.cpu_count()
    measured.others.append(max(everything - own, 0.0))


def latencies(revisions: Sequence[tuple[float, float, list[Word]]]) -> tuple[list[float], list[float]]:
    """Return for every word of an utterance's last revision how long after its end it was shown, and was final.

    A word is shown from the revision on since which it has been in all of them, within `SAME` of its time.
    """
    _, origin, words = revisions[-1]
    final = next((now for now, _, said in revisions if said and not np.isnan(said[0].emitted_final)), np.nan)
    shown = []
    for word in words:
        since = revisions[-1][0]
        for now, _, said in reversed(revisions):
            if not any(is_same(word, other) for other in said):
                break
            since = now
        shown.append(since - origin - word.end_time)
    return shown, [final - origin - word.end_time for word in words]


def is_same(word: Word, other: Word) -> bool:
    """Tell whether two revisions' words are one."""
    return normalize(word.text) == normalize(other.text) and abs(word.end_time - other.end_time) < SAME


def table(measured: Measured, minutes: float, seconds: float, pictures: int, description: str) -> str:
    """Write down what was measured."""
    shown, final = [], []
    for revisions in measured.revisions.values():
        if revisions[-1][2]:
            partly, finally_ = latencies(revisions)
            shown, final = shown + partly, final + finally_
    hearing, vision = measured.values["/hearing: audio"], measured.values["/vision: pictures"]
    lost = int(hearing["lost_samples"]) / SAMPLE_RATE
    lines = [
        "| | |",
        "|---|---|",
        f"| streamed in real time | {minutes:g} minutes, {description} |",
        f"| sound lost | {lost:.2f} s in {hearing['gaps']} gaps; {hearing['late']} late, {hearing['bad']} bad blocks |",
        f"| sound waited to be heard, at most | {measured.waiting:.2f} s |",
        f"| from a word's end to its caption that stays, p50 / p95 | {quantiles(shown)} ({len(shown)} words) |",
        f"| from a word's end to its final form, p50 / p95 | {quantiles(final)} |",
        f"| pictures looked at | {vision['seen']} of {pictures} |",
        f"| cores by node | {shares(measured.busy, seconds)} |",
        f"| memory by node | {', '.join(f'{name} {size / 1e6:.0f} MB' for name, size in measured.memory.items())} |",
        f"| other processes meanwhile | {np.mean(measured.others):.2f} of {psutil.cpu_count()} cores |",
    ]
    return "\n".join(lines) + "\n"


def quantiles(values: Sequence[float]) -> str:
    """Return the median and the 95th percentile in seconds."""
    return " / ".join(f"{np.nanpercentile(values, percent):.2f} s" for percent in (50, 95)) if values else "no words"


def shares(busy: dict[str, float], seconds: float) -> str:
    """Return the cores that each node took, and all of them."""
    return ", ".join(f"{name} {used / seconds:.2f}" for name, used in (busy | {"all": sum(busy.values())}).items())


def main() -> None:
    """Render, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--scene", default="factorybench/audio_visual/dev/0")
    parser.add_argument("--out", type=Path, default=Path("out/benchmark/realtime"))
    parser.add_argument("--apart", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    recording = render(options.minutes, options.scene, options.out)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    begin = time.monotonic()
    measured = measure(recording, options.out / "session", options.apart)
    description = f"{options.scene}, recognition {'in a process of its own' if options.apart else 'in that of hearing'}"
    seconds = time.monotonic() - begin
    with av.open(str(recording / "camera.mp4")) as video:
        pictures = sum(packet.dts is not None for packet in video.demux(video=0))
    text = table(measured, options.minutes, seconds, pictures, description)
    print(text)


if __name__ == "__main__":
    main()
