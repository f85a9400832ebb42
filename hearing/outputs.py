"""What a session leaves behind: segments.json, words.jsonl, tracks.jsonl, timing.json, with a camera faces.jsonl."""

from __future__ import annotations

import json
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hearing.errors import InputError
from hearing.types import FaceState, HearingOutput, Track, Utterance

_FACES = "faces.jsonl"


def peak_memory_bytes() -> int:
    """Return the largest resident memory that this process has had so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@dataclass(frozen=True, slots=True)
class Timing:
    """What a session cost.

    Attributes
    ----------
    audio_seconds
        Length of the audio that was heard.
    total_seconds
        Time that hearing it took, without loading the models.
    compute_seconds
        The same for each stage; the stages that are waited for may add up to less than the total.
    latency
        Delay of the front end that its algorithms cause, in seconds.
    peak_memory_bytes
        Largest resident memory of the process.
    """

    audio_seconds: float
    total_seconds: float
    compute_seconds: dict[str, float] = field(default_factory=dict)
    latency: float = 0.0
    peak_memory_bytes: int = field(default_factory=peak_memory_bytes)

    @property
    def real_time_factor(self) -> float | None:
        """Seconds of work per second of audio, or None if there was no audio."""
        return self.total_seconds / self.audio_seconds if self.audio_seconds else None

    def to_dict(self) -> dict[str, Any]:
        """Return what timing.json holds."""
        return {
            "audio_seconds": _rounded(self.audio_seconds),
            "total_seconds": _rounded(self.total_seconds),
            "compute_seconds": {stage: _rounded(seconds) for stage, seconds in self.compute_seconds.items()},
            "real_time_factor": None if self.real_time_factor is None else round(self.real_time_factor, 4),
            "latency_seconds": _rounded(self.latency),
            "peak_memory_bytes": self.peak_memory_bytes,
        }


class Stopwatch:
    """Adds up how long what is done `with` it takes.

    Attributes
    ----------
    seconds
        So far.
    """

    def __init__(self) -> None:
        self.seconds = self._begin = 0.0

    def __enter__(self) -> None:
        self._begin = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._begin


class SessionLog:
    """Collects what the pipeline says and writes it down at the end.

    Parameters
    ----------
    video
        Whether there is a camera: what it sees is written down as well then, even if that is nobody.
    """

    def __init__(self, video: bool = False) -> None:
        self._video = video
        self._final: dict[str, Utterance] = {}
        self._tracks: list[Track] = []
        self._faces: list[FaceState] = []

    def add(self, output: HearingOutput) -> None:
        """Take in what the pipeline said after a block.

        Partial utterances are not kept, and a final one without words withdraws the utterance.
        """
        self._tracks.extend(output.tracks)
        self._faces.extend(output.faces)
        for utterance in output.utterances:
            if utterance.final:
                self._final[utterance.id] = utterance

    @property
    def utterances(self) -> list[Utterance]:
        """Final utterances with words, ordered by start."""
        return sorted((u for u in self._final.values() if u.words), key=lambda u: (u.start_time, u.end_time, u.id))

    def write(self, out_dir: Path, session_id: str, timing: Timing) -> None:
        """Write the files into `out_dir`: all of them or none.

        The folder is made if it is missing; other files in it stay, but for the faces of a session before. The files
        are written into a temporary folder in it, or beside it if it is missing, and moved when they are complete.

        Raises
        ------
        InputError
            If `out_dir` cannot be written.
        """
        check_out_dir(out_dir)
        files = {
            "segments.json": [json.dumps([_segment(u, session_id) for u in self.utterances], indent=2) + "\n"],
            "words.jsonl": _json_lines(_words(self.utterances)),
            "tracks.jsonl": _json_lines(_track(track) for track in self._tracks),
            **({_FACES: _json_lines(map(_face, self._faces))} if self._video else {}),
            "timing.json": [json.dumps(timing.to_dict(), indent=2) + "\n"],
        }
        try:
            _write_together(out_dir, files)
            if not self._video:
                (out_dir / _FACES).unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"{out_dir}: cannot be written ({error.strerror}); give another --out folder") from error


def check_out_dir(out_dir: Path) -> None:
    """Raise InputError if `out_dir` cannot become a folder with outputs; call it before long work."""
    if out_dir.exists() and not out_dir.is_dir():
        raise InputError(f"{out_dir}: is a file; give a folder with --out")
    existing = next(parent for parent in (out_dir.absolute(), *out_dir.absolute().parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(f"{out_dir}: {existing} cannot be written to; give another --out folder")


def _write_together(out_dir: Path, files: dict[str, Iterable[str]]) -> None:
    # What lies beside a folder that exists may be on another disk, or not ours to write to.
    place = out_dir if out_dir.exists() else out_dir.parent
    place.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{out_dir.name}.", dir=place))
    try:
        for name, lines in files.items():
            with (temporary / name).open("w", encoding="utf-8") as file:
                file.writelines(lines)
        out_dir.mkdir(exist_ok=True)
        for name in files:
            os.replace(temporary / name, out_dir / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _segment(utterance: Utterance, session_id: str) -> dict[str, Any]:
    return {
        "session_id": session_id,
        "speaker": utterance.speaker,
        "words": utterance.text,
        "start_time": _rounded(utterance.start_time),
        "end_time": _rounded(utterance.end_time),
        "azimuth_deg": round(utterance.direction.azimuth_deg, 2),
        "elevation_deg": round(utterance.direction.elevation_deg, 2),
        "confidence": round(utterance.confidence.recognition, 4),
        "face_id": utterance.face_id,
        "addressed_to_robot": round(utterance.addressed_to_robot, 4),
        "utterance_id": utterance.id,
    }


def _words(utterances: Iterable[Utterance]) -> Iterator[dict[str, Any]]:
    for utterance in utterances:
        for word in utterance.words:
            yield {
                "word": word.text,
                "start_time": _rounded(word.start_time),
                "end_time": _rounded(word.end_time),
                "speaker": utterance.speaker,
                "confidence": round(word.confidence, 4),
                "emitted_partial": _rounded(word.emitted_partial),
                "emitted_final": None if word.emitted_final is None else _rounded(word.emitted_final),
                "utterance_id": utterance.id,
            }


def _track(track: Track) -> dict[str, Any]:
    return {
        "time": _rounded(track.time),
        "track_id": track.id,
        "azimuth_deg": round(track.direction.azimuth_deg, 2),
        "elevation_deg": round(track.direction.elevation_deg, 2),
        "activity": round(track.activity, 4),
        "kind": track.kind,
    }


def _face(face: FaceState) -> dict[str, Any]:
    return {
        "time": _rounded(face.time),
        "face_id": face.face_id,
        "azimuth_deg": round(face.direction.azimuth_deg, 2),
        "elevation_deg": round(face.direction.elevation_deg, 2),
        "distance_m": round(face.distance, 2),
        "box": [round(pixels, 1) for pixels in face.box],
        "speaking": round(face.speaking, 4),
        "facing": round(face.facing, 4),
    }


def _json_lines(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (json.dumps(record) + "\n" for record in records)


def _rounded(seconds: float) -> float:
    """Milliseconds are as fine as people and scores need."""
    return round(seconds, 3)
