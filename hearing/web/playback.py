"""Plays what a finished session has left behind, as if it were heard now."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import radians
from pathlib import Path
from threading import Event
from typing import Any, TypeVar, cast

from hearing.errors import InputError
from hearing.types import CueConfidence, Direction, FaceState, HearingOutput, Track, TrackKind, Utterance, Word
from hearing.web.server import WebView

STEP = 0.1
"""Seconds between two states of a track."""

Record = dict[str, Any]
State = TypeVar("State", Track, FaceState)
Step = tuple[float, HearingOutput]


@dataclass(frozen=True, slots=True)
class Session:
    """What was heard.

    Attributes
    ----------
    steps
        Times in seconds of the stream, and what the pipeline said then.
    health
        What does not change meanwhile.
    """

    steps: tuple[Step, ...]
    health: Mapping[str, Any]


def read_session(folder: Path) -> Session:
    """Read a folder that `hearing transcribe`, `listen` or `replay` has written.

    Only segments.json must be there. Without words.jsonl, captions come whole when their utterance ends.

    Raises
    ------
    InputError
        If it is missing, or a file cannot be read.
    """
    file = folder / "segments.json"
    if not file.is_file():
        raise InputError(f"{folder}: no segments.json here; give a folder that `hearing transcribe --out` has written")
    segments, timing = _json(file), folder / "timing.json"
    try:
        tracks = [_track(record) for record in _lines(folder / "tracks.jsonl")]
        faces = [_face(record) for record in _lines(folder / "faces.jsonl")]
        words = defaultdict(list)
        for record in _lines(folder / "words.jsonl"):
            words[str(record["utterance_id"])].append(_word(record))
        spoken = [step for segment in segments for step in _revisions(segment, words, tracks)]
        cost = _json(timing) if timing.is_file() else {}
        known = (("latency", "latency_seconds"), ("real_time_factor", "real_time_factor"))
        health = {key: float(cost[name]) for key, name in known if cost.get(name) is not None}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{folder}: its files do not go together ({error!r}); transcribe it again") from error
    return Session(tuple(_together(tracks, faces, spoken)), health)


def play(session: Session, view: WebView, stopping: Event, at_once: bool = False) -> None:
    """Show a session in the time that it took, or at once; returns early if `stopping` is set."""
    began = time.monotonic()
    for now, output in session.steps:
        if not at_once:
            stopping.wait(max(began + now - time.monotonic(), 0.0))
        if stopping.is_set():
            return
        view.show(output, {**session.health, "seconds": now})


def _together(tracks: list[Track], faces: list[FaceState], spoken: list[tuple[float, Utterance]]) -> Iterator[Step]:
    """Sort into steps what belongs to the same time; steps without anything are steps as well."""
    heard, seen, said = _by_step(tracks), _by_step(faces), defaultdict(list)
    for when, utterance in sorted(spoken, key=lambda step: step[0]):
        said[round(when / STEP)].append(utterance)
    for step in range(max([*heard, *seen, *said], default=0) + 1):
        yield step * STEP, HearingOutput(tuple(heard[step]), tuple(said[step]), tuple(seen[step]))


def _by_step(states: Iterable[State]) -> dict[int, list[State]]:
    steps: dict[int, list[State]] = defaultdict(list)
    for state in states:
        steps[round(state.time / STEP)].append(state)
    return steps


def _revisions(
    segment: Record, words: Mapping[str, list[Word]], tracks: Iterable[Track]
) -> Iterator[tuple[float, Utterance]]:
    """Say when an utterance was published, and how: as its words appeared, and when they were final."""
    key, start, end = str(segment["utterance_id"]), float(segment["start_time"]), float(segment["end_time"])
    direction = _direction(segment)
    said = words.get(key) or [Word(text, start, end, 1.0, end, end) for text in str(segment["words"]).split()]
    done = max((word.emitted_final or end for word in said), default=end)
    appeared = sorted({word.emitted_partial for word in said if word.emitted_partial < done})
    track = _nearest(direction, start, end, tracks)
    for revision, when in enumerate([*appeared, done]):
        final = when == done
        yield (
            when,
            Utterance(
                id=key,
                revision=revision,
                final=final,
                speaker=str(segment["speaker"]),
                track_id=track,
                words=tuple(word for word in said if final or word.emitted_partial <= when),
                start_time=start,
                end_time=end if final else when,
                direction=direction,
                confidence=CueConfidence(float(segment["confidence"])),
                addressed_to_robot=float(segment["addressed_to_robot"]),
                face_id=segment["face_id"],
            ),
        )


def _nearest(direction: Direction, start: float, end: float, tracks: Iterable[Track]) -> int:
    """Find the track that an utterance was heard on, which is not written down: the one in its direction."""
    there = [track for track in tracks if track.kind == "talker" and start <= track.time <= end]
    return min(there, key=lambda track: direction.angle_to(track.direction)).id if there else -1


def _direction(record: Record) -> Direction:
    return Direction(radians(float(record["azimuth_deg"])), radians(float(record["elevation_deg"])))


def _track(record: Record) -> Track:
    return Track(
        int(record["track_id"]),
        float(record["time"]),
        _direction(record),
        float(record["activity"]),
        cast(TrackKind, record["kind"]),
    )


def _face(record: Record) -> FaceState:
    left, top, width, height = map(float, record["box"])
    return FaceState(
        float(record["time"]),
        str(record["face_id"]),
        _direction(record),
        float(record["distance_m"]),
        (left, top, width, height),
        float(record["speaking"]),
        float(record["facing"]),
    )


def _word(record: Record) -> Word:
    start, end, partial = (float(record[key]) for key in ("start_time", "end_time", "emitted_partial"))
    final = record["emitted_final"]
    return Word(str(record["word"]), start, end, float(record["confidence"]), partial, final and float(final))


def _json(file: Path) -> Any:
    return _parsed(file, _text(file))


def _lines(file: Path) -> list[Any]:
    return [_parsed(file, line) for line in _text(file).splitlines()] if file.is_file() else []


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read ({error}); check the file") from error


def _parsed(file: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{file}: not JSON ({error}); transcribe the recording again") from error
