"""What the page shows: the last minutes of captions, and how things stand now.

One thread writes, any number of viewers read. A viewer that is slow misses states in between, never memory: it is told
what has changed since it last asked, not everything that happened.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from threading import Lock
from typing import Any

from hearing.captions import ARROWS, COLOURS
from hearing.types import FaceState, HearingOutput, Track, Utterance

KEPT = 600.0
"""Seconds of stream time that a caption is kept after its end."""
MOST_CAPTIONS = 2000
"""More than that many people can say in that time; older ones go first."""
GONE = 0.5
"""Seconds of stream time after which a source or a face that is not reported any more is not shown any more."""

_NUMBERS = ("seconds", "latency", "real_time_factor", "queue", "behind")
_MOST_LEVELS, _MOST_FAULTS, _LONGEST_FAULT = 64, 20, 300
_QUIETEST = -99.0

Record = dict[str, Any]


class Board:
    """Takes what the pipeline says, and tells viewers what is new."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._version = 0
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        with self._lock:
            self._version += 1
            self._began = self._version
            self._now = 0.0
            self._captions: dict[str, Record] = {}
            self._versions: dict[str, int] = {}
            self._tracks: list[Track] = []
            self._faces: list[FaceState] = []
            self._health: Record = {}
            self._picture: bytes | None = None
            self._pictures = 0

    def show(self, output: HearingOutput, health: Mapping[str, Any], picture: bytes | None = None) -> None:
        """Take in what the pipeline said after a block; see `hearing.web.WebView.show`."""
        known = _health(health)
        with self._lock:
            self._version += 1
            self._health = known
            times = [track.time for track in output.tracks] + [face.time for face in output.faces]
            self._now = max([self._now, known.get("seconds", 0.0), *times, *(u.end_time for u in output.utterances)])
            if output.tracks:
                self._tracks = [track for track in output.tracks if track.time == output.tracks[-1].time]
            if output.faces:
                self._faces = [face for face in output.faces if face.time == output.faces[-1].time]
            for utterance in output.utterances:
                self._write(utterance)
            self._forget()
            if picture is not None:
                self._picture, self._pictures = picture, self._pictures + 1

    def since(self, version: int) -> tuple[int, Record | None]:
        """Return what is new.

        Parameters
        ----------
        version
            What the viewer knows already: the number that this method returned last, 0 at first.

        Returns
        -------
        The number of what it knows now, and how things stand, or None if nothing has changed. If `fresh` is set in it,
        what the viewer knew before belongs to another stream.
        """
        with self._lock:
            if version == self._version:
                return version, None
            fresh, speakers = version < self._began, self._speakers()
            tracks = [t for t in self._tracks if t.time > self._now - GONE and not t.tentative]
            faces = [f for f in self._faces if f.time > self._now - GONE]
            return self._version, {
                "fresh": fresh,
                "time": round(self._now, 2),
                "captions": [c for key, c in self._captions.items() if fresh or self._versions[key] > version],
                "tracks": [_track(track, speakers.get(track.id)) for track in tracks],
                "faces": [_face(face, speakers.get(face.face_id)) for face in faces],
                "health": self._health,
                "picture": self._pictures,
            }

    @property
    def picture(self) -> bytes | None:
        """The camera's last picture as JPEG, if any was given."""
        return self._picture

    def _write(self, utterance: Utterance) -> None:
        key = utterance.id
        if utterance.words:
            # Revised captions move to the end of the dictionary: what was not touched for long is at its beginning.
            self._captions.pop(key, None)
            self._captions[key] = _caption(utterance)
        elif utterance.final and key in self._captions:
            self._captions[key] = {"id": key, "gone": True, "end": self._captions[key]["end"]}
        else:
            return
        self._versions[key] = self._version

    def _forget(self) -> None:
        while self._captions:
            key, caption = next(iter(self._captions.items()))
            if len(self._captions) <= MOST_CAPTIONS and caption["end"] >= self._now - KEPT:
                break
            del self._captions[key], self._versions[key]

    def _speakers(self) -> dict[int | str, str]:
        """Tell who was heard last on each track, and with each face."""
        spoken = [caption for caption in self._captions.values() if "gone" not in caption]
        return {caption[source]: caption["speaker"] for source in ("track", "face") for caption in spoken}


def _colour(speaker: str) -> str:
    """Give people the colours that they have in the terminal."""
    return COLOURS[sum(speaker.encode()) % len(COLOURS)]


def _caption(utterance: Utterance) -> Record:
    azimuth = utterance.direction.azimuth_deg
    return {
        "id": utterance.id,
        "final": utterance.final,
        "speaker": utterance.speaker,
        "colour": _colour(utterance.speaker),
        "text": utterance.text,
        "start": round(utterance.start_time, 2),
        "end": round(utterance.end_time, 2),
        "azimuth": round(azimuth),
        "arrow": ARROWS[round(azimuth / 45) % len(ARROWS)],
        "to_robot": utterance.final and utterance.addressed_to_robot >= 0.5,
        "track": utterance.track_id,
        "face": utterance.face_id,
    }


def _track(track: Track, speaker: str | None) -> Record:
    return {
        "id": track.id,
        "kind": track.kind,
        "azimuth": round(track.direction.azimuth_deg, 1),
        "activity": round(track.activity, 2),
        "speaker": speaker,
        "colour": _colour(speaker) if speaker else None,
    }


def _face(face: FaceState, speaker: str | None) -> Record:
    return {
        "id": face.face_id,
        "azimuth": round(face.direction.azimuth_deg, 1),
        "distance": round(face.distance, 1),
        "box": [round(pixels) for pixels in face.box],
        "speaking": round(face.speaking, 2),
        "facing": round(face.facing, 2),
        "speaker": speaker,
        "colour": _colour(speaker) if speaker else None,
    }


def _health(health: Mapping[str, Any]) -> Record:
    """Keep what the page knows, as JSON can say it: without infinities, and not more than fits on a screen."""
    known: Record = {key: round(float(health[key]), 3) for key in _NUMBERS if math.isfinite(health.get(key, math.nan))}
    levels = [float(level) for level in health.get("levels_db", ())][:_MOST_LEVELS]
    known["levels_db"] = [round(max(level, _QUIETEST), 1) if level < math.inf else _QUIETEST for level in levels]
    known["faults"] = [str(fault)[:_LONGEST_FAULT] for fault in health.get("faults", ())][:_MOST_FAULTS]
    return known
