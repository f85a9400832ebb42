"""The truth about what is heard: where everything is, who says what, and the recording folder that holds it."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml
from hearing_sim.ego import MOVES, ODOMETRY_STEP, TURNS
from hearing_sim.reference import STEP
from hearing_sim.scene import ROBOT

from hearing.arrays import SPEED_OF_SOUND
from hearing.errors import InputError
from hearing.outputs import check_out_dir
from hearing.types import SAMPLE_RATE, Direction
from hearing_gazebo.field import Source
from hearing_gazebo.poses import Pose
from hearing_gazebo.signals import Running, Speech, Spoken
from hearing_gazebo.stage import Stage

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """The truth at a time.

    Attributes
    ----------
    time
        Seconds of the stream.
    sources
        As lines of `reference/sources.jsonl`.
    said
        What has come to its end since the moment before, as in `reference/segments.json`.
    """

    time: float
    sources: list[Record]
    said: list[Record]


class Truth:
    """Tells what is true while a stage is rendered.

    Parameters
    ----------
    stage
        What is heard.
    session_id
        Of the segments.
    """

    def __init__(self, stage: Stage, session_id: str) -> None:
        self._stage, self._session_id = stage, session_id
        self._steps = 0
        self._places: dict[tuple[str, float], Record] = {}
        self._kinds = {machine.name: machine.kind for machine in stage.sounds.machines}
        self._before: Pose | None = None

    def advance(self, end: float) -> list[Moment]:
        """Return the moments, every 0.1 s, up to a time in seconds of the stream that has been rendered."""
        moments = []
        while self._steps * STEP <= end:
            moments.append(self._moment(round(self._steps * STEP, 3)))
            self._steps += 1
        return moments

    def _moment(self, time: float) -> Moment:
        now = self._begin + time
        frame = self._stage.ears.at(now)
        lines, said = [], []
        for source in self._stage.sources:
            pose = source.motion.at(now)
            position = pose.to_outer(source.offset)
            place = _place(frame.to_inner(position))
            travel = place["distance_m"] / SPEED_OF_SOUND
            line = {"time": time, "source": source.name, "kind": "talker" if source.talks else "noise", **place}
            line |= {"position": position.round(3).tolist(), "active": _sounds(source, now - travel)}
            lines.append(line | ({"machine": self._kinds[source.name]} if not source.talks else {}))
            if isinstance(source.signal, Speech):
                said += self._said(source.name, source.signal, now, place)
        robot = {"time": time, "source": ROBOT, "kind": "robot", **_place(np.zeros(3))}
        robot |= {"position": frame.position.round(3).tolist(), "active": False}
        robot |= {"state": _state(self._before, frame, STEP), "yaw_deg": round(float(np.degrees(frame.yaw)), 2)}
        self._before = frame
        return Moment(time, [*lines, robot], said)

    @property
    def _begin(self) -> float:
        return (self._stage.begin or 0) / SAMPLE_RATE

    def _said(self, name: str, speech: Speech, now: float, place: Record) -> list[Record]:
        """Note where somebody is in the middle of what he says; return what he has said to the end."""
        segments = []
        for spoken, shift in speech.during(now - 2 * STEP, now):
            key = (name, spoken.start + shift)
            if now >= (spoken.start + spoken.end) / 2 + shift:
                middle = self._places.setdefault(key, place)
                ended = spoken.end + shift + middle["distance_m"] / SPEED_OF_SOUND <= now
                if ended and "said" not in middle and spoken.start + shift >= self._begin:
                    segments.append(self._segment(name, spoken, shift - self._begin, middle))
                    self._places[key] = middle | {"said": True}
        return segments

    def _segment(self, name: str, spoken: Spoken, shift: float, place: Record) -> Record:
        later = shift + place["distance_m"] / SPEED_OF_SOUND
        return {
            "session_id": self._session_id,
            "speaker": name,
            "words": spoken.text,
            "start_time": round(spoken.start + later, 3),
            "end_time": round(spoken.end + later, 3),
            **place,
            "addressed_to_robot": spoken.line.to == ROBOT,
            "addressed_to": spoken.line.to,
            "face_id": None,
            "word_times": [[w.word, round(w.start + later, 3), round(w.end + later, 3)] for w in spoken.words],
        }


class RecordingWriter:
    """Writes what is heard as a recording folder with its reference; it appears complete or not at all.

    Parameters
    ----------
    out
        The folder, which must not exist.
    stage
        What is heard.

    Raises
    ------
    InputError
        If the folder exists or cannot be made.
    """

    def __init__(self, out: Path, stage: Stage) -> None:
        if out.exists():
            raise InputError(f"{out} exists; choose another folder for the recording, or remove it")
        check_out_dir(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        self._out, self._stage = out, stage
        self._temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        self._folder = self._temporary / "recording"
        (self._folder / "reference").mkdir(parents=True)
        array = {"name": stage.array.name, "microphones": stage.array.positions.tolist()}
        (self._folder / "array.yaml").write_text(yaml.safe_dump(array, sort_keys=False), encoding="utf-8")
        channels = stage.array.n_microphones
        self._audio = soundfile.SoundFile(self._folder / "audio.wav", "w", SAMPLE_RATE, channels, "PCM_16")
        self._sources = (self._folder / "reference" / "sources.jsonl").open("w", encoding="utf-8")
        self._motion = (self._folder / "motion.jsonl").open("w", encoding="utf-8")
        self._segments: list[Record] = []
        self._start: Pose | None = None
        self._before: Pose | None = None
        self._motions = 0

    def add(self, samples: np.ndarray[Any, np.dtype[np.int16]], moments: list[Moment]) -> None:
        """Write audio of shape (n_samples, n_microphones), and the truth about it."""
        self._audio.write(samples)
        for moment in moments:
            self._sources.writelines(json.dumps(line) + "\n" for line in moment.sources)
            self._segments += moment.said
        self._write_motion(self._audio.tell() / SAMPLE_RATE)

    def close(self) -> None:
        """Move the recording to its place."""
        for file in (self._audio, self._sources, self._motion):
            file.close()
        segments = json.dumps(sorted(self._segments, key=lambda segment: segment["start_time"]), indent=1)
        (self._folder / "reference" / "segments.json").write_text(segments, encoding="utf-8")
        self._folder.rename(self._out)
        shutil.rmtree(self._temporary)

    def _write_motion(self, end: float) -> None:
        """Write where the array is in the frame that it had at first, as far as audio is written."""
        begin = (self._stage.begin or 0) / SAMPLE_RATE
        while self._motions * ODOMETRY_STEP <= end:
            time = self._motions * ODOMETRY_STEP
            frame = self._stage.ears.at(begin + time)
            self._start = self._start or frame
            moved = self._start.inverse() @ frame
            line = {"time": round(time, 3), "position": (moved.position.round(5) + 0.0).tolist()}
            line |= {"yaw_deg": round(float(np.degrees(moved.yaw)), 4) + 0.0}
            line |= {"state": _state(self._before, frame, ODOMETRY_STEP)}
            self._motion.write(json.dumps(line) + "\n")
            self._before = frame
            self._motions += 1


def _place(vector: np.ndarray[Any, np.dtype[np.float64]]) -> Record:
    """Describe where something is in the array frame."""
    distance = float(np.linalg.norm(vector))
    direction = Direction.from_vector(vector if distance > 0 else np.array([1.0, 0.0, 0.0]))
    return {
        "azimuth_deg": round(direction.azimuth_deg, 2),
        "elevation_deg": round(direction.elevation_deg, 2),
        "distance_m": round(distance, 3),
    }


def _sounds(source: Source, time: float) -> bool:
    """Tell whether a source radiates at a time in seconds of simulation."""
    if isinstance(source.signal, Running):
        return source.signal.runs(time)
    if not isinstance(source.signal, Speech):
        return True
    return any(
        spoken.start + shift <= time < spoken.end + shift for spoken, shift in source.signal.during(time, time + STEP)
    )


def _state(before: Pose | None, now: Pose, step: float) -> str:
    """Name what the robot does by how it has moved in a step of so many seconds."""
    if before is None:
        return "idle"
    if np.linalg.norm(now.position - before.position) / step > MOVES:
        return "driving"
    turned = np.angle(np.exp(1j * (now.yaw - before.yaw)))
    return "head_turning" if abs(turned) / step > TURNS else "idle"
