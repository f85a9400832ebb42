"""How well it is told who speaks: counts that can be added up over scenes, and how sure they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from hearing.evaluation import evaluate
from hearing.evaluation.diarization import DiarizationErrorRate
from hearing.evaluation.faces import ActiveSpeaker, FaceErrorRate, active_speaker, seen_share
from hearing.evaluation.files import read_hypothesis, read_reference
from hearing.evaluation.people import PersonCount
from hearing.evaluation.words import AttributionErrorRate

WINDOWS = ("0.25", "0.5", "1", "2")
"""Seconds of which faces are asked whether they speak."""
RESAMPLES = 400
"""Of scenes, for an interval."""


@dataclass(frozen=True, slots=True)
class WhoScore:
    """How well it was told who speaks.

    Attributes
    ----------
    diarization, attribution, people, switches, faces
        As in `hearing.evaluation.Score`.
    unaligned
        Recordings with too many heard speakers for their words to be compared.
    speaking
        Which faces speak, by the length of the window as in `WINDOWS`.
    faces_followed, faces_seen
        True faces in all frames of 0.1 s, those that are followed and all of them.
    audio_seconds, compute_seconds
        Length of the audio, and computing time of all but vision.
    video_seconds, vision_seconds
        Length of the video, and computing time of what looks at it.
    """

    diarization: DiarizationErrorRate = field(default_factory=DiarizationErrorRate.zero)
    attribution: AttributionErrorRate = field(default_factory=AttributionErrorRate.zero)
    people: PersonCount = field(default_factory=PersonCount.zero)
    switches: int = 0
    faces: FaceErrorRate = field(default_factory=FaceErrorRate.zero)
    unaligned: int = 0
    speaking: dict[str, ActiveSpeaker] = field(default_factory=dict)
    faces_followed: int = 0
    faces_seen: int = 0
    audio_seconds: float = 0.0
    compute_seconds: float = 0.0
    video_seconds: float = 0.0
    vision_seconds: float = 0.0

    @classmethod
    def zero(cls) -> WhoScore:
        """Return the neutral element of the sum."""
        return cls()

    def __add__(self, other: WhoScore) -> WhoScore:
        """Combine two scenes: counts add up, and all faces are ranked together."""
        names = [entry.name for entry in fields(self) if entry.name != "speaking"]
        sums: dict[str, Any] = {name: getattr(self, name) + getattr(other, name) for name in names}
        windows = {**self.speaking, **other.speaking}
        nothing = ActiveSpeaker()
        sums["speaking"] = {w: self.speaking.get(w, nothing) + other.speaking.get(w, nothing) for w in windows}
        return WhoScore(**sums)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> WhoScore:
        """Make a score of what `dataclasses.asdict` and JSON made of one."""
        speaking = {
            window: ActiveSpeaker(tuple(faces["scores"]), tuple(faces["labels"]))
            for window, faces in record["speaking"].items()
        }
        parts = {
            "diarization": DiarizationErrorRate(**record["diarization"]),
            "attribution": AttributionErrorRate(**record["attribution"]),
            "people": PersonCount(**record["people"]),
            "faces": FaceErrorRate(**record["faces"]),
            "speaking": speaking,
        }
        return cls(**record | parts)

    @property
    def vision_cost(self) -> float | None:
        """Seconds of one core per second of video."""
        return self.vision_seconds / self.video_seconds if self.video_seconds else None

    def auc(self, window: str) -> float | None:
        """Area under the curve of which faces speak in windows of a length, see `ActiveSpeaker`."""
        return self.speaking.get(window, ActiveSpeaker()).auc

    def average_precision(self, window: str) -> float | None:
        """Average precision of which faces speak in windows of a length, see `ActiveSpeaker`."""
        return self.speaking.get(window, ActiveSpeaker()).average_precision


Figure = Callable[[WhoScore], float | None]


def score(recording: Path, heard: Path, video_seconds: float, vision_seconds: float) -> WhoScore:
    """Compare what was heard and seen with the truth.

    Parameters
    ----------
    recording
        The recording folder.
    heard
        Folder with the outputs.
    video_seconds, vision_seconds
        As in `WhoScore`.
    """
    total = evaluate(recording, heard)
    truth, hypothesis = read_reference(recording), read_hypothesis(heard)
    aligned = total.attribution is not None
    speaking: dict[str, ActiveSpeaker] = {}
    followed = seen = 0
    if truth.faces is not None and video_seconds:
        faces = truth.faces
        speaking = {window: _rounded(active_speaker(faces, hypothesis.faces, float(window))) for window in WINDOWS}
        followed, seen = seen_share(faces, hypothesis.faces)
    return WhoScore(
        diarization=total.diarization,
        attribution=total.attribution or AttributionErrorRate.zero(),
        people=total.people,
        switches=total.switches or 0,
        faces=total.faces or FaceErrorRate.zero(),
        unaligned=0 if aligned else 1,
        speaking=speaking,
        faces_followed=followed,
        faces_seen=seen,
        audio_seconds=hypothesis.audio_seconds,
        compute_seconds=hypothesis.compute_seconds,
        video_seconds=video_seconds,
        vision_seconds=vision_seconds,
    )


def interval(scenes: Sequence[WhoScore], figure: Figure) -> tuple[float, float] | None:
    """Bootstrap over scenes: where 95 % of a figure lie if scenes are drawn anew (Efron & Tibshirani 1993, ch. 13).

    Returns
    -------
    The 2.5th and the 97.5th percentile, or None with fewer than three scenes or nothing to measure.
    """
    if len(scenes) < 3:
        return None
    rng = np.random.default_rng(0)
    drawn = (rng.integers(len(scenes), size=len(scenes)).tolist() for _ in range(RESAMPLES))
    values = [figure(sum((scenes[i] for i in chosen), WhoScore.zero())) for chosen in drawn]
    known = [value for value in values if value is not None]
    if not known:
        return None
    low, high = np.percentile(known, (2.5, 97.5))
    return float(low), float(high)


def _rounded(faces: ActiveSpeaker) -> ActiveSpeaker:
    return ActiveSpeaker(tuple(round(value, 4) for value in faces.scores), faces.labels)
