"""How well a front end hears: counts and single errors that can be added up over scenes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from meeteval.wer import cp_word_error_rate
from numpy.typing import NDArray

from hearing.bench.listening import WITHIN, Heard, Stretch
from hearing.bench.scenes import TICK, Truth
from hearing.bench.signals import aligned, si_sdr
from hearing.evaluation.directions import angular_distance
from hearing.evaluation.words import normalized
from hearing.types import SAMPLE_RATE, Float32Array

TALKING = 0.5
"""Probability from which a track's talker is said to talk."""

Transcriber = Callable[[Float32Array], str]


@dataclass(frozen=True, slots=True)
class FrontEndScore:
    """How well a front end heard some scenes. Frames are of 0.1 s.

    Attributes
    ----------
    talker_frames
        Frames of talkers who talk, each talker for himself.
    direction_errors
        Degrees of azimuth for those of them that are found: a confirmed track is within `WITHIN`.
    track_frames
        Frames of confirmed tracks that say that somebody talks there.
    false_frames
        Those of them where no talker is within `WITHIN`, silent or not.
    majority_frames
        Those of them that belong to whom most of their track belongs to. A frame belongs to the nearest talker within
        `WITHIN`; those who talk come first.
    tracks, talkers
        Tracks that belong to somebody, and people who have one: one track each is best.
    segments
        Stretches of speech.
    si_sdr, si_sdr_gain
        SI-SDR in dB of those that are found, in the signal of the track that is nearest to the talker most of the time,
        against what the first microphone hears of him; and by how much it is more than that of the microphone itself.
    words, word_errors, microphone_errors
        Words of all stretches, and errors of the recognizer in the tracks' signals, where a stretch that is not found
        is missed altogether, and in the first microphone cut alike.
    audio_seconds, cpu_seconds, stage_seconds
        As in `Heard`.
    """

    talker_frames: int = 0
    direction_errors: tuple[float, ...] = ()
    track_frames: int = 0
    false_frames: int = 0
    majority_frames: int = 0
    tracks: int = 0
    talkers: int = 0
    segments: int = 0
    si_sdr: tuple[float, ...] = ()
    si_sdr_gain: tuple[float, ...] = ()
    words: int = 0
    word_errors: int = 0
    microphone_errors: int = 0
    audio_seconds: float = 0.0
    cpu_seconds: float = 0.0
    stage_seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def zero(cls) -> FrontEndScore:
        """Return the neutral element of the sum."""
        return cls()

    def __add__(self, other: FrontEndScore) -> FrontEndScore:
        """Combine two scenes: counts add up, and percentiles are taken over all of them."""
        names = [entry.name for entry in fields(self) if entry.name != "stage_seconds"]
        sums: dict[str, Any] = {name: getattr(self, name) + getattr(other, name) for name in names}
        sums["stage_seconds"] = dict(Counter(self.stage_seconds) + Counter(other.stage_seconds))
        return FrontEndScore(**sums)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> FrontEndScore:
        """Make a score of what `dataclasses.asdict` and JSON made of one."""
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in record.items()}
        return cls(**values)

    def direction_error(self, percentile: float) -> float | None:
        """Percentile of the direction errors in degrees."""
        return float(np.percentile(self.direction_errors, percentile)) if self.direction_errors else None

    @property
    def found(self) -> float | None:
        """Share of the talkers' frames that are found."""
        return _ratio(len(self.direction_errors), self.talker_frames)

    @property
    def false_share(self) -> float | None:
        """Share of the tracks' frames where nobody is."""
        return _ratio(self.false_frames, self.track_frames)

    @property
    def false_per_minute(self) -> float | None:
        """Seconds of false tracks in a minute."""
        return _ratio(60 * TICK * self.false_frames, self.audio_seconds)

    @property
    def purity(self) -> float | None:
        """Share of the tracks' frames that belong to whom most of the track belongs to."""
        return _ratio(self.majority_frames, self.track_frames)

    @property
    def tracks_per_talker(self) -> float | None:
        """How many tracks a talker gets one after the other."""
        return _ratio(self.tracks, self.talkers)

    @property
    def word_error_rate(self) -> float | None:
        """Errors per word in the tracks' signals."""
        return _ratio(self.word_errors, self.words)

    @property
    def microphone_error_rate(self) -> float | None:
        """Errors per word in the first microphone."""
        return _ratio(self.microphone_errors, self.words)

    @property
    def error_gain(self) -> float | None:
        """Share of the microphone's errors that the front end avoids."""
        spared = _ratio(self.word_errors, self.microphone_errors)
        return None if spared is None else 1 - spared

    @property
    def real_time_factor(self) -> float | None:
        """Seconds of computing per second of audio."""
        return _ratio(self.cpu_seconds, self.audio_seconds)


def score(truth: Truth, heard: Heard, transcribe: Transcriber | None, microphone_errors: int) -> FrontEndScore:
    """Compare what was heard with the truth.

    Parameters
    ----------
    truth, heard
        The same stretch of a scene.
    transcribe
        Recognizes words, if they are to be counted.
    microphone_errors
        What `word_errors` says of the first microphone.
    """
    near = _distances(truth, heard)
    voices = [_best_signal(truth, heard, near, number) for number in range(len(truth.segments))]
    cost = FrontEndScore(
        audio_seconds=heard.audio_seconds, cpu_seconds=heard.cpu_seconds, stage_seconds=heard.stage_seconds
    )
    total = _tracking(truth, heard, near) + _separation(truth, voices) + cost
    if transcribe is None:
        return total
    words = sum(_errors(segment, "")[1] for segment in truth.segments)
    errors = word_errors(truth, voices, transcribe)
    return total + FrontEndScore(words=words, word_errors=errors, microphone_errors=microphone_errors)


def stretches(truth: Truth) -> list[Stretch]:
    """List what is to be heard again: the true segments, and where their talkers are at their ends."""
    return [
        Stretch(
            round(segment["start_time"] * SAMPLE_RATE),
            round(segment["end_time"] * SAMPLE_RATE),
            float(truth.azimuth_deg[_ticks(segment).stop - 1, truth.names.index(segment["speaker"])]),
        )
        for segment in truth.segments
    ]


def word_errors(truth: Truth, signals: Sequence[Float32Array | None], transcribe: Transcriber) -> int:
    """Count the errors of a recognizer that is told when each stretch begins and ends.

    Parameters
    ----------
    truth
        What is said.
    signals
        How each segment is heard; None where it is not.
    transcribe
        Recognizes words.
    """
    return sum(
        _errors(segment, "" if signal is None else transcribe(signal))[0]
        for segment, signal in zip(truth.segments, signals, strict=True)
    )


def _distances(truth: Truth, heard: Heard) -> NDArray[np.float64]:
    """Degrees between tracks and talkers, of shape (n_ticks, n_tracks, n_talkers); infinite where there is no track."""
    n = min(len(truth.azimuth_deg), len(heard.azimuth_deg)) if truth.names else len(heard.azimuth_deg)
    people = truth.azimuth_deg[:n] if truth.names else np.zeros((n, 0))
    distance = angular_distance(heard.azimuth_deg[:n, :, None], people[:, None, :])
    return np.nan_to_num(distance, nan=np.inf)


def _tracking(truth: Truth, heard: Heard, near: NDArray[np.float64]) -> FrontEndScore:
    n_ticks, n_tracks, n_talkers = near.shape
    talks = truth.talks[:n_ticks] if n_talkers else np.zeros((n_ticks, 0), np.bool_)
    active = heard.talking[:n_ticks] >= TALKING
    errors = near.min(axis=1, initial=np.inf)[talks]
    # Who is silent owns a frame only if nobody near talks.
    cost = np.where(near <= WITHIN, near + np.where(talks, 0.0, 360.0)[:, None, :], np.inf)
    owned = active & np.isfinite(cost.min(axis=2, initial=np.inf))
    owner = cost.argmin(axis=2) if n_talkers else np.zeros((n_ticks, n_tracks), np.intp)
    shares = [np.bincount(owner[owned[:, k], k], minlength=n_talkers) for k in range(n_tracks)]
    belonging = [share for share in shares if share.any()]
    return FrontEndScore(
        talker_frames=int(talks.sum()),
        direction_errors=tuple(errors[errors <= WITHIN].round(2).tolist()),
        track_frames=int(active.sum()),
        false_frames=int((active & ~owned).sum()),
        majority_frames=int(sum(share.max() for share in belonging)),
        tracks=len(belonging),
        talkers=len({int(share.argmax()) for share in belonging}),
    )


def _best_signal(truth: Truth, heard: Heard, near: NDArray[np.float64], number: int) -> Float32Array | None:
    """Return a segment as it is heard, in the second pass if there is one; None if no track is near."""
    segment = truth.segments[number]
    track = _best_track(truth, near, segment)
    if track is None:
        return None
    again = heard.again[number] if heard.again else {}
    return again.get(track, cut(segment, heard.signals[track]))


def _best_track(truth: Truth, near: NDArray[np.float64], segment: dict[str, Any]) -> int | None:
    """Return the track that is nearest to the talker in most of the frames of a segment; None if none is near."""
    distance = near[_ticks(segment), :, truth.names.index(segment["speaker"])]
    close = distance[distance.min(axis=1, initial=np.inf) <= WITHIN]
    return int(np.bincount(close.argmin(axis=1)).argmax()) if len(close) else None


def _separation(truth: Truth, voices: Sequence[Float32Array | None]) -> FrontEndScore:
    ratios, gains = [], []
    for segment, voice in zip(truth.segments, voices, strict=True):
        image = cut(segment, truth.images[segment["speaker"]])
        if voice is None or not voice.any() or not image.any():
            continue
        ratios.append(round(si_sdr(image, aligned(image, voice)), 2))
        gains.append(round(ratios[-1] - si_sdr(image, cut(segment, truth.microphone)), 2))
    return FrontEndScore(segments=len(truth.segments), si_sdr=tuple(ratios), si_sdr_gain=tuple(gains))


def cut(segment: dict[str, Any], signal: Float32Array) -> Float32Array:
    """Cut a segment out of a signal of the whole scene."""
    return signal[round(segment["start_time"] * SAMPLE_RATE) : round(segment["end_time"] * SAMPLE_RATE)]


def _ticks(segment: dict[str, Any]) -> slice:
    return slice(int(np.ceil(segment["start_time"] / TICK)), int(np.ceil(segment["end_time"] / TICK)))


def _errors(segment: dict[str, Any], words: str) -> tuple[int, int]:
    """Count the word errors and the true words of a segment."""
    rate = cp_word_error_rate(normalized([segment]), normalized([segment | {"words": words}]))
    return rate.errors, rate.length


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
