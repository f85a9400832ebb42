"""What a robot hears in a hall, to be shown on a page."""

from __future__ import annotations

from math import radians
from typing import Any

from hearing.types import CueConfidence, Direction, FaceState, HearingOutput, Track, Utterance, Word

TOKEN = "correct-horse-battery"


def utterance(key: str, speaker: str, text: str, start: float, end: float, **changes: Any) -> Utterance:
    final = changes.pop("final", True)
    spoken = tuple(Word(word, start, end, 0.9, end, end if final else None) for word in text.split())
    defaults = {"track_id": 1, "direction": Direction(radians(25)), "addressed_to_robot": 0.1, "face_id": None}
    return Utterance(
        id=key,
        revision=0,
        final=final,
        speaker=speaker,
        words=changes.pop("words", spoken),
        start_time=start,
        end_time=end,
        confidence=CueConfidence(0.9),
        **(defaults | changes),
    )


def track(number: int, time: float, azimuth_deg: float, kind: Any = "talker", tentative: bool = False) -> Track:
    return Track(number, time, Direction(radians(azimuth_deg)), 0.9, kind, tentative)


def hall() -> HearingOutput:
    """Two people whom the robot hears and sees, somebody whom it cannot name yet, a machine and the robot itself."""
    return HearingOutput(
        (
            track(1, 12.0, 25),
            track(2, 12.0, -70),
            track(3, 12.0, 150),
            track(4, 12.0, -120, "noise"),
            track(5, 12.0, -20, "robot"),
        ),
        (
            utterance("u1", "Anna", "Robot, stop the conveyor please.", 2, 5, addressed_to_robot=0.9, face_id="f1"),
            utterance("u2", "<b>Jonas</b>", "The press is running hot.", 6, 8, track_id=2, direction=Direction(-1.2)),
            utterance("u3", "Anna", "and could you", 10, 12, final=False, face_id="f1"),
        ),
        (FaceState(12.0, "f1", Direction(0.4), 1.8, (90, 120, 130, 150), 0.9, 0.9),),
    )


HEALTH = {"seconds": 12.0, "latency": 1.2, "real_time_factor": 1.3, "queue": 2, "levels_db": [-30, -2.0]}
