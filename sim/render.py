"""Rendering: a scene becomes a recording folder with its reference."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import soundfile
import yaml
from hearing_sim.ego import odometry
from hearing_sim.reference import FaceBox, reference_segments, reference_sources
from hearing_sim.scene import Scene
from hearing_sim.simulation import Simulation, simulate

from hearing.errors import InputError
from hearing.outputs import check_out_dir
from hearing.types import SAMPLE_RATE

RECORDING_FILES = {
    "audio.wav", "array.yaml", "playback.wav", "motion.jsonl", "camera.mp4", "camera.yaml", "reference",
}  # fmt: skip


def render(scene: Scene, out_dir: str | Path, progress: Callable[[float], None] | None = None) -> Simulation:
    """Simulate a scene and write it as a recording folder with reference.

    The folder holds `audio.wav` (16 bit, 16 kHz), `array.yaml`, `reference/segments.json` and
    `reference/sources.jsonl`, with a loudspeaker also `playback.wav`, with a robot that moves also `motion.jsonl`, with
    a camera also `camera.mp4` and `camera.yaml`. It appears complete or not at all; an older recording of the same name
    is replaced.

    Parameters
    ----------
    scene
        What to simulate.
    out_dir
        The folder.
    progress
        Is told the share of the video that is done, which takes longest.

    Returns
    -------
    The simulation whose mixture was written.

    Raises
    ------
    InputError
        As `simulate`, or if `out_dir` holds something else than a rendered recording or cannot be written.
    """
    out_dir = Path(out_dir)
    if out_dir.exists() and not (out_dir.is_dir() and _names(out_dir) <= RECORDING_FILES):
        raise InputError(f"{out_dir} exists and is not a rendered recording; choose another folder, or remove it")
    check_out_dir(out_dir)
    simulation = simulate(scene)
    try:
        _write(scene, simulation, out_dir, progress)
    except OSError as error:
        raise InputError(f"{out_dir}: cannot be written ({error.strerror}); give another --out folder") from error
    return simulation


def _write(scene: Scene, simulation: Simulation, out_dir: Path, progress: Callable[[float], None] | None) -> None:
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out_dir.name}-", dir=out_dir.parent) as temporary:
        folder = Path(temporary) / "recording"
        (folder / "reference").mkdir(parents=True)
        soundfile.write(folder / "audio.wav", simulation.mixture, SAMPLE_RATE, subtype="PCM_16")
        if simulation.playback is not None:
            soundfile.write(folder / "playback.wav", simulation.playback, SAMPLE_RATE, subtype="PCM_16")
        array = {"name": simulation.array.name, "microphones": simulation.array.positions.tolist()}
        (folder / "array.yaml").write_text(yaml.safe_dump(array, sort_keys=False), encoding="utf-8")
        face_box = _write_video(scene, simulation, folder, progress)
        segments = reference_segments(scene, simulation.turns, face_box)
        (folder / "reference" / "segments.json").write_text(json.dumps(segments, indent=1), encoding="utf-8")
        _write_lines(folder / "reference" / "sources.jsonl", reference_sources(scene, simulation.turns, face_box))
        if motion := odometry(scene):
            _write_lines(folder / "motion.jsonl", motion)
        if out_dir.exists():
            out_dir.rename(Path(temporary) / "older")
        folder.rename(out_dir)


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def _write_video(
    scene: Scene, simulation: Simulation, folder: Path, progress: Callable[[float], None] | None
) -> FaceBox | None:
    """Write what the camera sees, if there is one; return where it sees the faces."""
    if scene.camera is None:
        return None
    # Only scenes with a camera need the packages that draw faces.
    from hearing_sim.faces import camera_yaml, render_video

    tracks = render_video(scene, simulation.turns, folder / "camera.mp4", progress)
    (folder / "camera.yaml").write_text(yaml.safe_dump(camera_yaml(scene.camera), sort_keys=False), encoding="utf-8")
    return tracks.box


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
