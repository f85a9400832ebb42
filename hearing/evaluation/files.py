"""Reads what is compared: the truth of a recording, and the outputs of `hearing transcribe`."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hearing.errors import InputError

FRAME = 0.1
"""Seconds between the states of a track in tracks.jsonl and of a source in sources.jsonl."""

LONGEST_SEGMENT = 3600.0
"""Seconds; nobody talks longer without a pause, but times in samples or milliseconds look like it."""

Record = dict[str, Any]
Frames = dict[int, list[float]]
"""Azimuths in degrees of all that sounds, by frame index (time / FRAME)."""
Box = tuple[float, float, float, float]
"""A face in a picture: left, top, width and height in pixels."""


@dataclass(frozen=True, slots=True)
class FaceFrames:
    """Where the camera really sees people's faces.

    Attributes
    ----------
    boxes
        By frame index and by name.
    speaking
        Who speaks in each frame, seen or not; a frame without anybody may be missing.
    """

    boxes: dict[int, dict[str, Box]]
    speaking: dict[int, set[str]]


@dataclass(frozen=True, slots=True)
class HeardFace:
    """A face in a frame, as a line of faces.jsonl says: which, where in the picture, and whether it speaks."""

    frame: int
    face_id: str
    box: Box
    speaking: float


@dataclass(frozen=True, slots=True)
class Truth:
    """What was really said.

    Attributes
    ----------
    segments
        SegLST records with plain floats as times.
    talkers
        True azimuths of the people who talk, in each frame in which somebody does.
    faces
        Their faces, or None if there is no camera.
    """

    segments: list[Record]
    talkers: Frames
    faces: FaceFrames | None = None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What was heard.

    Attributes
    ----------
    segments
        SegLST records.
    words
        Records of words.jsonl, or the segments in their place.
    tracks
        Azimuths of active talker tracks in each frame.
    audio_seconds, compute_seconds
        Length of the audio and time it took; 0 if timing.json is missing.
    faces
        All faces in all frames; none if faces.jsonl is missing.
    """

    segments: list[Record]
    words: list[Record]
    tracks: Frames
    audio_seconds: float
    compute_seconds: float
    faces: tuple[HeardFace, ...] = ()


def read_reference(path: Path) -> Truth:
    """Read the truth from a recording folder, its `reference/` folder, or a segments.json.

    Raises
    ------
    InputError
        If there is none, or it cannot be read.
    """
    candidates = [path / "reference" / "segments.json", path / "segments.json"] if path.is_dir() else [path]
    file = next((candidate for candidate in candidates if candidate.is_file()), None)
    if file is None:
        where = "no reference/segments.json in this folder" if path.is_dir() else "no such file or folder"
        raise InputError(f"{path}: {where}; give a recording folder with a reference, or a segments.json")
    segments = _read_segments(file)
    sources = _read_lines(file.with_name("sources.jsonl"), "time", "azimuth_deg")
    if sources is None:
        return Truth(segments, _segment_frames(segments))
    people = [record for record in sources if record.get("kind") == "talker"]
    return Truth(segments, _source_frames(people), _face_frames(people, str(file.with_name("sources.jsonl"))))


def read_hypothesis(folder: Path) -> Hypothesis:
    """Read a folder that `hearing transcribe` wrote.

    Raises
    ------
    InputError
        If its segments.json is missing, or a file cannot be read.
    """
    if not (folder / "segments.json").is_file():
        raise InputError(f"{folder}: no segments.json here; give a folder that `hearing transcribe --out` has written")
    segments = _read_segments(folder / "segments.json")
    words = _read_lines(folder / "words.jsonl", "start_time", "end_time")
    timing = _read_json(folder / "timing.json") if (folder / "timing.json").is_file() else {}
    if not isinstance(timing, dict):
        raise InputError(f"{folder / 'timing.json'}: not an object; transcribe the recording again")
    return Hypothesis(
        segments=segments,
        words=segments if words is None else words,
        tracks=_track_frames(folder / "tracks.jsonl"),
        audio_seconds=float(timing.get("audio_seconds", 0.0)),
        compute_seconds=float(timing.get("total_seconds", 0.0)),
        faces=_heard_faces(folder / "faces.jsonl"),
    )


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); write it again") from error


def _read_segments(path: Path) -> list[Record]:
    content = _read_json(path)
    if not isinstance(content, list):
        raise InputError(f"{path}: not a list of segments; SegLST is a list of objects")
    for number, segment in enumerate(content, 1):
        _check_record(segment, ("start_time", "end_time"), f"{path}: segment {number}")
        if not isinstance(segment.get("words"), str) or not isinstance(segment.get("speaker"), str | int):
            raise InputError(f"{path}: segment {number} needs `speaker` (a name) and `words` (one string)")
        if segment["end_time"] < segment["start_time"]:
            raise InputError(f"{path}: segment {number} ends before it starts; mend its times")
        if segment["end_time"] - segment["start_time"] > LONGEST_SEGMENT:
            raise InputError(f"{path}: segment {number} lasts more than an hour; times are seconds")
        if segment.get("azimuth_deg") is not None:
            _check_record(segment, ("azimuth_deg",), f"{path}: segment {number}")
    sessions = {segment.get("session_id") for segment in content}
    if len(sessions) > 1:
        raise InputError(f"{path}: {len(sessions)} sessions in one file; evaluate each session by itself")
    return content


def _read_lines(path: Path, *numbers: str) -> list[Record] | None:
    """Read a .jsonl file whose records all have these numbers; return None if there is no such file."""
    if not path.is_file():
        return None
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except ValueError as error:
        raise InputError(f"{path}: not one JSON object per line ({error}); write it again") from error
    for number, record in enumerate(records, 1):
        _check_record(record, numbers, f"{path}: line {number}")
    return records


def _check_record(record: Any, numbers: tuple[str, ...], where: str) -> None:
    if not isinstance(record, dict):
        raise InputError(f"{where} is not an object; write the file again")
    for key in numbers:
        value = record.get(key)
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"{where}: `{key}` is {value!r}, not a finite number")


def _frame(time: float) -> int:
    return round(time / FRAME)


def _track_frames(path: Path) -> Frames:
    frames: Frames = {}
    for record in _read_lines(path, "time", "azimuth_deg", "activity") or []:
        if record.get("kind") == "talker" and record["activity"] >= 0.5:
            frames.setdefault(_frame(record["time"]), []).append(record["azimuth_deg"])
    return frames


def _source_frames(people: list[Record]) -> Frames:
    frames: Frames = {}
    for record in people:
        if record.get("active", True):
            frames.setdefault(_frame(record["time"]), []).append(record["azimuth_deg"])
    return frames


def _face_frames(people: list[Record], where: str) -> FaceFrames | None:
    if not any("face_box" in record for record in people):
        return None
    boxes: dict[int, dict[str, Box]] = {}
    speaking: dict[int, set[str]] = {}
    for record in people:
        frame, name = _frame(record["time"]), str(record.get("source"))
        if record.get("face_box") is not None:
            boxes.setdefault(frame, {})[name] = _box(record["face_box"], where)
        if record.get("active", True):
            speaking.setdefault(frame, set()).add(name)
    return FaceFrames(boxes, speaking)


def _heard_faces(path: Path) -> tuple[HeardFace, ...]:
    return tuple(
        HeardFace(
            _frame(record["time"]), str(record.get("face_id")), _box(record.get("box"), str(path)), record["speaking"]
        )
        for record in _read_lines(path, "time", "speaking") or []
    )


def _box(value: Any, where: str) -> Box:
    if not isinstance(value, list) or len(value) != 4 or not all(isinstance(side, int | float) for side in value):
        raise InputError(f"{where}: a face's box is {value!r}, not [left, top, width, height]; write the file again")
    left, top, width, height = (float(side) for side in value)
    return left, top, width, height


def _segment_frames(segments: list[Record]) -> Frames:
    frames: Frames = {}
    for segment in segments:
        if segment.get("azimuth_deg") is not None:
            for frame in range(math.ceil(segment["start_time"] / FRAME), math.ceil(segment["end_time"] / FRAME)):
                frames.setdefault(frame, []).append(segment["azimuth_deg"])
    return frames
