"""`hearing calibrate`: measure an array with a recording of somebody who walks around it and talks."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
import yaml

from hearing.console import say
from hearing.errors import InputError

if TYPE_CHECKING:
    from hearing.calibration import Calibration
    from hearing.calibration_camera import CameraRotation


def calibrate(
    recording: Annotated[Path, typer.Argument(help="Multichannel audio file, or recording folder.")],
    out: Annotated[Path, typer.Option(help="Array file to write (YAML); must not exist.")],
    array: Annotated[
        str | None, typer.Option(help="Approximate array, by name or YAML file; by default the folder's array.yaml.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Also write what was found as JSON to this file.")] = None,
) -> None:
    """Measure where the microphones are, their gains and polarity, from somebody who walks around and talks."""
    from hearing.calibration import calibrate as calibrate_array
    from hearing.recording import open_recording

    for path, option in ((out, "--out"), (report, "--report")):
        if path is not None:
            _check_file(path, option)
    if report is not None and report.resolve() == out.resolve():
        raise InputError(f"{out}: --out and --report are the same file; give two names")
    source = open_recording(recording, array)
    for notice in source.notices:
        say(f"notice: {notice}")
    result = calibrate_array(source.blocks(), source.array)
    camera, camera_line = _camera(recording, result)
    _write(out, yaml.safe_dump(_array_file(out.stem, result, camera), sort_keys=False), "--out")
    if report is not None:
        _write(report, json.dumps(_report(result, camera), indent=2) + "\n", "--report")
    print("\n".join([*_table(result), *_advice(result), camera_line]))
    say(f"array in {out}; use it with --array {out}")


def _camera(recording: Path, result: Calibration) -> tuple[CameraRotation | None, str]:
    """Find out how the camera is turned, if there is one; and say in one line what came of it."""
    from hearing.calibration_camera import find_faces, rotation_of
    from hearing.vision.camera import load_camera

    video, description = recording / "camera.mp4", recording / "camera.yaml"
    if not (video.is_file() and description.is_file()):
        return None, "camera: the rotation is not measured without camera.mp4 and camera.yaml in a recording folder"
    planar = len(result.array.axes) < 3
    try:
        camera = load_camera(description)
        rotation = rotation_of(camera, find_faces(video, camera, result.times), result.angles, planar)
    except InputError as error:
        return None, f"camera: the rotation cannot be measured: {error}"
    line = f"camera: yaw {rotation.yaw:+.1f}° ± {rotation.yaw_error:.1f}° (camera.yaml says {camera.yaw:+.1f}°)"
    if rotation.pitch is None:
        line += "; the pitch cannot be measured, microphones in one plane hear no elevation"
    else:
        line += f", pitch {rotation.pitch:+.1f}° (camera.yaml says {camera.pitch:+.1f}°)"
    return rotation, f"{line}; from {rotation.n_faces} faces"


def _array_file(name: str, result: Calibration, camera: CameraRotation | None) -> dict[str, Any]:
    """Return what the array file holds; `load_array` reads the name and the microphones."""
    content: dict[str, Any] = {
        "name": name,
        "microphones": np.round(result.positions, 5).tolist(),
        "gains_db": np.round(result.gains_db, 2).tolist(),
        "polarity": result.polarity.tolist(),
    }
    if camera is not None:
        content["camera"] = {"yaw": round(camera.yaw, 2)}
        if camera.pitch is not None:
            content["camera"]["pitch"] = round(camera.pitch, 2)
    return content


def _report(result: Calibration, camera: CameraRotation | None) -> dict[str, Any]:
    return {
        "array": result.array.name,
        "nominal": result.array.positions.tolist(),
        "microphones": result.positions.tolist(),
        "standard_error": result.standard_error.tolist(),
        "gains_db": result.gains_db.tolist(),
        "polarity": result.polarity.tolist(),
        "error_before_us": 1e6 * result.error_before,
        "error_after_us": 1e6 * result.error_after,
        "stretches": len(result.times),
        "span_deg": float(np.rad2deg(result.span)),
        "camera_yaw_deg": camera.yaw if camera is not None else None,
        "camera_pitch_deg": camera.pitch if camera is not None else None,
    }


def _table(result: Calibration) -> list[str]:
    """Lay nominal and estimated positions side by side."""
    lines = ["channel   nominal x, y, z (mm)      estimated x, y, z (mm)    ± (mm)         gain    polarity"]
    rows = zip(
        1000 * result.array.positions,
        1000 * result.positions,
        1000 * result.standard_error,
        result.gains_db,
        result.polarity,
        strict=True,
    )
    for channel, (nominal, found, error, gain, sign) in enumerate(rows, 1):
        places = "  ".join(" ".join(f"{value:+7.1f}" for value in place) for place in (nominal, found))
        errors = " ".join(f"{value:4.1f}" for value in error)
        lines.append(f"{channel:7}  {places}  {errors}  {gain:+5.1f} dB  {'inverted' if sign < 0 else 'right'}")
    return [
        *lines,
        f"error of the times of arrival: {1e6 * result.error_before:.1f} µs before, {1e6 * result.error_after:.1f} µs "
        f"after; {len(result.times)} stretches of speech from {np.rad2deg(result.span):.0f}° around the array",
    ]


def _advice(result: Calibration) -> list[str]:
    """Say what to do about what was found."""
    lines = [
        f"channel {channel} has inverted polarity: swap its two wires"
        for channel in 1 + np.flatnonzero(result.polarity < 0)
    ]
    lines += [
        f"channel {channel} is {abs(result.gains_db[channel - 1]):.1f} dB too "
        f"{'loud' if result.gains_db[channel - 1] > 0 else 'quiet'}: check its gain, or what covers it"
        for channel in 1 + np.flatnonzero(np.abs(result.gains_db) > 3.0)
    ]
    moved = np.linalg.norm(result.positions - result.array.positions, axis=1)
    doubt = np.linalg.norm(result.standard_error, axis=1)
    lines += [
        f"channel {channel} is {1000 * moved[channel - 1]:.0f} mm away from its nominal place: check it with a ruler"
        for channel in 1 + np.flatnonzero(moved > np.maximum(0.01, 3 * doubt))
    ]
    return lines or ["nothing has to be mended"]


def _check_file(path: Path, option: str) -> None:
    """Raise InputError if a new file cannot be made; called before long work."""
    if path.exists():
        raise InputError(f"{path} exists; give another {option} file, or remove it")
    if not path.parent.is_dir():
        raise InputError(f"{path}: no such folder {path.parent}; make it, or give another {option} file")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(f"{path}: {path.parent} cannot be written to; give another {option} file")


def _write(path: Path, text: str, option: str) -> None:
    """Write a file that appears complete or not at all."""
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as temporary:
            complete = Path(temporary) / path.name
            complete.write_text(text, encoding="utf-8")
            os.replace(complete, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); give another {option} file") from error
