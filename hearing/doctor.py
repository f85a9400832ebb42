"""What this machine has for hearing, what is missing, and how to mend it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hearing.arrays import array_names, load_array
from hearing.console import hushed
from hearing.errors import InputError
from hearing.memory import FILE, KEY_FILE, PeopleStore, default_folder, load_key
from hearing.recognition.catalogue import MODELS
from hearing.recognition.engines import DEFAULT_ENGINE, load_engine
from hearing.recognition.store import cache_folder, locate

Level = Literal["ok", "warning", "missing"]
MARKS: dict[Level, str] = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "missing": "[red]missing[/]"}

LIBRARIES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "onnxruntime": "onnxruntime",
    "ctranslate2": "ctranslate2",
    "tokenizers": "tokenizers",
    "soundfile": "soundfile",
    "soxr": "soxr",
    "yaml": "PyYAML",
    "meeteval": "meeteval",
    "threadpoolctl": "threadpoolctl",
}
"""Import name and package name of what `hearing transcribe` and `hearing evaluate` need."""
VISION_LIBRARIES = {"cv2": "opencv-contrib-python", "ai_edge_litert": "ai-edge-litert", "av": "av"}
"""The same for what `--video` needs besides."""
NEEDED_MODELS = ("silero-vad-v6",)
"""The others belong to engines that somebody may choose."""
ROS_MODULES = ("rclpy", "hearing_msgs", "hearing_nodes")
GIGABYTE = 1e9
NEEDED_MEMORY_GB = 1.5
NEEDED_DISK_GB = 0.5


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table.

    Attributes
    ----------
    subject
        What was looked at.
    level
        `missing` means that `hearing transcribe` does not work; `warning`, that something else does not.
    finding
        What was found.
    remedy
        How to mend it, empty if all is well.
    """

    subject: str
    level: Level
    finding: str
    remedy: str = ""


def run_doctor() -> int:
    """Print a table of checks.

    Returns
    -------
    Exit status: 0 if `hearing transcribe` will work, 2 if not.
    """
    checks = list(examine())
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("check", "", "found", "how to mend it"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        table.add_row(check.subject, MARKS[check.level], escape(check.finding), escape(check.remedy))
    console = Console()
    console.print(table)
    works = all(check.level != "missing" for check in checks)
    console.print(f"\n`hearing transcribe` {'will work' if works else 'will not work yet'} on this machine.")
    return 0 if works else 2


def examine() -> Iterator[Check]:
    """Make all checks, one after the other."""
    yield _python()
    for module, package in LIBRARIES.items():
        yield _library(module, package)
    yield _recognizer()
    for name in MODELS:
        yield _model(name)
    yield _microphones()
    yield from _vision()
    yield _people()
    yield _ros()
    yield _simulator()
    yield from _machine()


def _python() -> Check:
    version = platform.python_version()
    if (3, 11) <= sys.version_info[:2] < (3, 13):
        return Check("Python", "ok", version)
    return Check("Python", "missing", version, "use Python 3.11 or 3.12")


def _library(module: str, package: str) -> Check:
    if importlib.util.find_spec(module) is None:
        return Check(package, "missing", "not installed", f"pip install {package}")
    return Check(package, "ok", importlib.metadata.version(package))


def _recognizer() -> Check:
    try:
        load_engine(DEFAULT_ENGINE)
    except InputError as error:
        return Check("recognizer", "missing", "not usable", str(error))
    return Check("recognizer", "ok", "its networks load")


def _model(name: str) -> Check:
    try:
        locate(MODELS[name], thorough=True)
    except InputError as error:
        if name in NEEDED_MODELS:
            return Check(f"model {name}", "missing", "not usable", str(error))
        return Check(f"model {name}", "warning", "not usable", f"only another engine needs it: {error}")
    return Check(f"model {name}", "ok", "sha256 verified")


def _microphones() -> Check:
    remedy = "only live microphones need it: "
    try:
        import sounddevice
    except OSError:
        return Check("microphones", "warning", "no PortAudio", remedy + "apt install libportaudio2")
    except ImportError:
        return Check("microphones", "warning", "no sounddevice", remedy + "pip install sounddevice")
    devices = [device for device in sounddevice.query_devices() if device["max_input_channels"] > 0]
    if not devices:
        return Check("microphones", "warning", "no input device", remedy + "plug one in")
    most = max(device["max_input_channels"] for device in devices)
    names = ", ".join(f"{device['name']} ({device['max_input_channels']})" for device in devices)
    fewest = min(load_array(name).n_microphones for name in array_names())
    if most < fewest:
        return Check("microphones", "warning", names, remedy + f"plug in an array of at least {fewest} microphones")
    return Check("microphones", "ok", names)


def _vision() -> Iterator[Check]:
    """Check what looks at a camera's pictures, one after the other until something is missing, and the camera."""
    subject, remedy = "vision", "only cameras need it: "
    missing = [package for module, package in VISION_LIBRARIES.items() if importlib.util.find_spec(module) is None]
    if missing:
        found = f"no {', '.join(missing)}"
        yield Check(subject, "warning", found, remedy + "pip install 'robot-hearing[vision]'")
        return
    from hearing.vision.identity import FaceEncoder
    from hearing.vision.lips import LipReader
    from hearing.vision.networks import FACE_DETECTION, FACE_LANDMARKS

    try:
        for model in (FACE_DETECTION, FACE_LANDMARKS):
            locate(model, thorough=True)
        _ = FaceEncoder().likelihood
        LipReader()
    except InputError as error:
        yield Check(subject, "warning", "not usable", f"{remedy}{error}")
    else:
        yield Check(subject, "ok", "faces, landmarks, looks and lips: the networks load")
    yield _camera()


def _camera() -> Check:
    import cv2

    remedy = "only live pictures need it: "
    devices = sorted(Path("/dev").glob("video*"))
    if not devices:
        return Check("camera", "warning", "no camera", remedy + "plug one in")
    with hushed():
        capture = cv2.VideoCapture(str(devices[0]))
        there, image = capture.read()
        capture.release()
    if not there:
        found = f"{devices[0]} gives no picture"
        return Check("camera", "warning", found, remedy + "check its permissions (group video) and who else uses it")
    return Check("camera", "ok", f"{devices[0]}, {image.shape[1]} x {image.shape[0]}")


def _people() -> Check:
    """Check that what is remembered of people can be opened, by its owner alone."""
    folder = default_folder()
    if not (folder / FILE).exists():
        return Check("people", "ok", "nobody is enrolled")
    try:
        known = len(PeopleStore(folder, load_key(folder)).people)
    except InputError as error:
        return Check("people", "warning", "cannot be opened", f"nobody is known without it: {error}")
    open_to_others = [path for path in (folder, folder / FILE, folder / KEY_FILE) if _for_others(path)]
    if open_to_others:
        names = " ".join(map(str, open_to_others))
        return Check("people", "warning", f"{known} enrolled; others can read {names}", f"chmod go-rwx {names}")
    return Check("people", "ok", f"{known} enrolled, encrypted, for this user alone")


def _for_others(path: Path) -> bool:
    return path.exists() and bool(stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO))


def _ros() -> Check:
    missing = [module for module in ROS_MODULES if importlib.util.find_spec(module) is None]
    if missing:
        remedy = "only the demo and the nodes need it: `make setup`, or source a built workspace"
        return Check("ROS 2", "warning", f"no {', '.join(missing)}", remedy)
    return Check("ROS 2", "ok", "rclpy, hearing_msgs and hearing_nodes are there")


def _simulator() -> Check:
    if importlib.util.find_spec("pyroomacoustics") is None:
        remedy = "only the demo and `hearing simulate` need it: pip install 'robot-hearing[sim]'"
        return Check("simulator", "warning", "no pyroomacoustics", remedy)
    return Check("simulator", "ok", f"pyroomacoustics {importlib.metadata.version('pyroomacoustics')}")


def _machine() -> Iterator[Check]:
    cores = len(os.sched_getaffinity(0))
    remedy = "" if cores >= 2 else "live hearing needs 2 cores; recordings take longer on one"
    yield Check("processor", "warning" if remedy else "ok", f"{cores} cores, {platform.machine()}", remedy)
    memory = psutil.virtual_memory()
    yield _enough("memory", memory.available, NEEDED_MEMORY_GB, "end other programs")
    existing = next(path for path in (cache_folder(), *cache_folder().parents) if path.exists())
    yield _enough("disk", shutil.disk_usage(existing).free, NEEDED_DISK_GB, f"free some in {existing}, for the models")


def _enough(subject: str, available: float, needed_gb: float, remedy: str) -> Check:
    found = f"{available / GIGABYTE:.1f} GB free"
    if available >= needed_gb * GIGABYTE:
        return Check(subject, "ok", found)
    return Check(subject, "warning", found, f"{needed_gb} GB are needed: {remedy}")
