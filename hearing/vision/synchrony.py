"""Whether a mouth says what is heard: lips compared over time with every track's sound, and with the words in it.

A network that hears turns 40 ms of a track's sound into a point to be compared with that which `LipReader` makes of a
frame of a mouth. Once words are recognized, the visemes that their sounds need are compared with those that are seen.
Evidence adds up while both are there; how much it is worth was fitted to development voices and faces
(`hearing_models.lips.calibration`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.fitted import read_fitted
from hearing.recognition.session import open_session
from hearing.types import SAMPLE_RATE, Float32Array, SourceAudio, Word
from hearing.vision.face import LipState
from hearing.vision.lips import own_weights
from hearing.vision.visemes import STEP, Spelling
from hearing.voices.fbank import N_MELS, FilterBank

FloatArray = NDArray[np.float64]

N_POINT = 32
"""Dimensions of an embedding that are a point; those of lips go on with `N_VISEMES` likelihood ratios of visemes."""
READ_LATE = 0.04
"""Seconds after the recognizer's words, which are late themselves, that lips tell what they say."""
_FRAMES = 4
_BANDS = N_MELS // 2
N_SOUND = _FRAMES * _BANDS
"""Numbers that describe a step of sound."""
_FALL = 0.012
"""By how much the level to which sound is compared falls per frame of 10 ms, in natural logarithms of power."""
_RANGE = 9.0
"""Sound so far below that level, in natural logarithms of power, is as good as none."""
HISTORY = 12.0
"""Seconds of lips and sound that are kept."""
FILE = "calibration.json"
"""Beside the networks' weights."""
DOUBT = 0.0025
"""Share of mouths that match a sound by chance, and the other way round, whatever is seen: ratios stay below 6."""
LAGS = np.arange(-8, 9) * STEP
"""Offsets in seconds that pictures may have against sound."""
_USUAL = 0.1
"""Standard deviation in seconds of offsets before anything is known."""
_PERIOD, _MEMORY = 1.0, 60.0
"""Seconds that are compared at once for the offset, and after which they are forgotten."""
_GAP = 0.2
"""A frame of a mouth counts for the time since the one before, but for no more than so many seconds."""


_LEAST = 0.3
"""Likelihood ratio below which that of a viseme does not fall: words and their times may be wrong."""
_LOOKS = 1.0
"""Seconds after which a mouth's usual looks count as much as everybody's."""


def word_agreement(seen: Float32Array, said: Float32Array, weight: FloatArray) -> tuple[float, float]:
    """Compare the visemes that are seen with those that words need.

    Parameters
    ----------
    seen
        Likelihood ratios of each viseme, by what the lips do, to any other one: shape (n_times, N_VISEMES).
    said
        How likely the words need each, of shape (n_times, N_VISEMES); 0 where nothing is said.
    weight
        Seconds for which each moment counts, of shape (n_times,).

    Returns
    -------
    Natural log-likelihood ratio added up over the moments in which something is said, and these in seconds. What a
    mouth seems to say all the time is how it looks: ratios are relative to their mean.
    """
    share = said.sum(axis=1)
    weight = weight * (share > 0.5)
    seconds = float(weight.sum())
    usual = (_LOOKS + weight @ seen) / (_LOOKS + seconds)
    ratio = (seen / usual * said).sum(axis=1) / np.maximum(share, 0.5)
    return float(weight @ np.log(np.maximum(ratio, _LEAST))), seconds


class SoundSteps:
    """Streaming features of a track: log-mel bands relative to the loudest of late, four frames in a step."""

    def __init__(self) -> None:
        self._filters = FilterBank()
        self._mel: Float32Array = np.zeros((0, N_MELS), np.float32)
        self._loudest = np.float32(-np.inf)

    def process(self, samples: Float32Array) -> Float32Array:
        """Take samples of shape (n_samples,) and return the steps that they complete, of shape (n_steps, N_SOUND)."""
        self._mel = np.concatenate([self._mel, self._filters.process(samples)])
        n_steps = len(self._mel) // _FRAMES
        mel, self._mel = self._mel[: n_steps * _FRAMES], self._mel[n_steps * _FRAMES :]
        if not n_steps:
            return np.zeros((0, N_SOUND), np.float32)
        bands = mel.reshape(-1, _BANDS, 2).mean(axis=2)
        # The level falls along a line between peaks: a running maximum of what is raised against the fall.
        rise = _FALL * np.arange(1, len(bands) + 1, dtype=np.float32)
        peaks = np.maximum.accumulate(np.maximum(bands.max(axis=1) + rise, self._loudest)) - rise
        self._loudest = peaks[-1]
        relative = np.maximum(bands - peaks[:, None], -_RANGE) / 3.0 + 1.5
        steps: Float32Array = relative.reshape(n_steps, -1)
        return steps.astype(np.float32)


@dataclass(frozen=True, slots=True)
class SyncLikelihood:
    """What matching embeddings mean: a fitted logistic regression.

    With points that agree by p, added up over n seconds in which the mouth is seen, and words that agree by w with its
    visemes over m seconds, the ratio is (point p + rate n + word w + pace m + start) / (1 + n / fade), as what follows
    on each other is not independent.
    """

    point: float
    rate: float
    word: float
    pace: float
    start: float
    fade: float

    @classmethod
    def beside(cls, weights: Path) -> SyncLikelihood:
        """Read what the fit has written into the folder of the weights.

        Raises
        ------
        InputError
            If the file is missing or damaged.
        """
        return read_fitted(
            weights / FILE,
            lambda record: cls(*(float(record["fit"][name]) for name in cls.__dataclass_fields__)),
            "calibration of lips",
        )

    def log_ratio(self, points: float, seconds: float, words: float = 0.0, spoken: float = 0.0) -> float:
        """Return the natural log-likelihood ratio; 0 where nothing was seen."""
        if seconds <= 0:
            return 0.0
        evidence = self.point * points + self.rate * seconds + self.word * words + self.pace * spoken + self.start
        odds = math.exp(min(max(evidence / (1 + seconds / self.fade), -50.0), 50.0))
        return math.log((odds + DOUBT) / (1 + DOUBT * odds))


@dataclass(slots=True, eq=False)
class _Course:
    """Embeddings of a face or a track over time: times of shape (n,), embeddings of shape (n, n_dimensions)."""

    times: FloatArray = field(default_factory=lambda: np.zeros(0))
    embeddings: Float32Array = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def add(self, times: FloatArray, embeddings: Float32Array) -> None:
        kept = self.embeddings if len(self.times) else embeddings[:0]
        self.times, self.embeddings = np.concatenate([self.times, times]), np.concatenate([kept, embeddings])

    def forget(self, before: float) -> None:
        first = int(np.searchsorted(self.times, before))
        self.times, self.embeddings = self.times[first:], self.embeddings[first:]

    def during(self, start: float, end: float) -> tuple[FloatArray, Float32Array, FloatArray]:
        """Return times, embeddings, and for how many seconds each counts."""
        first, last = np.searchsorted(self.times, [start, end])
        times = self.times[first:last]
        before = self.times[first - 1] if first else times[:1] - STEP
        return times, self.embeddings[first:last], np.minimum(np.diff(times, prepend=before), _GAP)

    def at(self, times: FloatArray) -> tuple[Float32Array, NDArray[np.bool_]]:
        """Return embeddings between those that are known, (..., n_dimensions), and where both neighbours are near."""
        after = np.clip(np.searchsorted(self.times, times), 1, len(self.times) - 1)
        before = after - 1
        gap = self.times[after] - self.times[before]
        share = (times - self.times[before]) / gap
        there = (share >= 0) & (share <= 1) & (gap < 1.5 * STEP)
        share = np.clip(share, 0, 1).astype(np.float32)[..., None]
        return (1 - share) * self.embeddings[before] + share * self.embeddings[after], there


@dataclass(slots=True, eq=False)
class _Track:
    """A track that is heard: its features, where the next sample is, how many steps were made, the network's memory."""

    start: int
    memory: Float32Array
    steps: SoundSteps = field(default_factory=SoundSteps)
    next: int = 0
    n_steps: int = 0
    course: _Course = field(default_factory=_Course)


class Synchrony:
    """Compares every face with every track.

    Parameters
    ----------
    weights
        Folder of `sound_encoder.onnx` and the calibration; by default that of the package `hearing_models`.

    Raises
    ------
    InputError
        If the network or its calibration is missing.
    """

    def __init__(self, weights: Path | None = None) -> None:
        folder = weights or own_weights()
        path = folder / "sound_encoder.onnx"
        if not path.is_file():
            raise InputError(f"{path}: the network that hears lips is missing; install the package again")
        self._session = open_session(path, threads=1)
        self._n_memory: int = {entry.name: entry.shape for entry in self._session.get_inputs()}["memory"][1]
        self._likelihood, self._spelling = SyncLikelihood.beside(folder), Spelling.beside(folder)
        self.reset()

    @property
    def latency(self) -> float:
        """Seconds of sound that are waited for before any of it is known: a step and what its last window needs."""
        return STEP + 0.015

    @property
    def offset(self) -> float:
        """Seconds by which pictures are late against the sound, so far as is known; it is allowed for already."""
        return self._offset

    def reset(self) -> None:
        """Forget everything, the offset too."""
        self._tracks: dict[int, _Track] = {}
        self._faces: dict[str, _Course] = {}
        self._said: dict[str, tuple[int, _Course]] = {}
        self._now = -math.inf
        self._offset = 0.0
        self._profile: FloatArray = np.zeros(len(LAGS))
        self._compared: float | None = None

    def hear(self, sources: Sequence[SourceAudio]) -> None:
        """Take the next stretches of all tracks' sound; one that does not follow on the last begins anew."""
        for source in sources:
            track = self._tracks.get(source.track_id)
            if track is None or track.next != source.start_sample:
                course = track.course if track else _Course()
                track = _Track(source.start_sample, np.zeros((1, self._n_memory), np.float32), course=course)
                self._tracks[source.track_id] = track
            track.next = source.start_sample + len(source.samples)
            steps = track.steps.process(source.samples)
            if len(steps):
                embeddings, track.memory = self._session.run(None, {"sound": steps[None], "memory": track.memory})
                numbers = track.n_steps + 1 + np.arange(len(steps))
                track.course.add(track.start / SAMPLE_RATE + numbers * STEP, embeddings[0])
                track.n_steps += len(steps)
            self._now = max(self._now, track.next / SAMPLE_RATE)
        self._forget()

    def see(self, lips: Sequence[LipState]) -> None:
        """Take what all mouths do in a frame; those that are not seen are left out."""
        for state in lips:
            self._now = max(self._now, state.time)
            if state.embedding is not None:
                self._faces.setdefault(state.face_id, _Course()).add(np.array([state.time]), state.embedding[None])
        self._forget()
        self._compare()

    def read(self, utterance_id: str, track_id: int, words: Sequence[Word]) -> None:
        """Take the words of an utterance on a track so far, in place of those that were taken for it before."""
        times, visemes = self._spelling.expect(words)
        self._said.pop(utterance_id, None)
        if len(times) > 1:
            self._said[utterance_id] = track_id, _Course(times, visemes)

    def log_ratio(self, face_id: str, track_id: int, start: float, end: float) -> float:
        """Judge whether a mouth says what a track sounds like, and the words that are recognized there.

        Parameters
        ----------
        face_id, track_id
            Whose.
        start, end
            Seconds of stream time; what is older than 12 s is forgotten.

        Returns
        -------
        Natural logarithm of the likelihood ratio of that it does to that it does not; 0 if nothing is known.
        """
        face, track = self._faces.get(face_id), self._tracks.get(track_id)
        if face is None or track is None:
            return 0.0
        points, seconds = self._agreement(face, track.course, start, end, np.array([self._offset]))
        words, spoken = self._reading(face, track_id, start, end)
        return self._likelihood.log_ratio(float(points[0]), float(seconds[0]), words, spoken)

    def _agreement(
        self, face: _Course, track: _Course, start: float, end: float, offsets: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Add up how points agree, and the seconds in which they can be compared, each of shape (n_offsets,)."""
        times, lips, weight = face.during(start, end)
        if not len(times) or len(track.times) < 2:
            return np.zeros(len(offsets)), np.zeros(len(offsets))
        sounds, there = track.at(times - offsets[:, None])
        weight = weight * there
        points = np.einsum("td,ltd->lt", lips[:, :N_POINT], sounds)
        return (weight * points).sum(axis=1), weight.sum(axis=1)

    def _reading(self, face: _Course, track_id: int, start: float, end: float) -> tuple[float, float]:
        """Add up how a mouth's visemes agree with a track's words, and the seconds in which they can be compared."""
        times, lips, weight = face.during(start, end)
        total = seconds = 0.0
        for course in [course for on, course in self._said.values() if on == track_id and len(times)]:
            visemes, there = course.at(times - self._offset - READ_LATE)
            words, spoken = word_agreement(lips[:, N_POINT:], visemes, weight * there)
            total, seconds = total + words, seconds + spoken
        return total, seconds

    def _compare(self) -> None:
        """Learn the offset from the next second of all faces and tracks, once all of its sound is there.

        What pairs say about each offset adds up like the logarithm of a likelihood, a mouth and a sound that match at
        none of them say nothing; usual offsets are likelier before.
        """
        if self._compared is None:
            self._compared = self._now
        end = self._compared + _PERIOD
        if self._now < end + LAGS[-1] + self.latency:
            return
        self._profile *= math.exp(-_PERIOD / _MEMORY)
        for face in self._faces.values():
            for track in self._tracks.values():
                found = zip(*self._agreement(face, track.course, self._compared, end, LAGS), strict=True)
                ratios = np.array([self._likelihood.log_ratio(float(p), float(n)) for p, n in found])
                # Averaged over whether the pair belongs together at all.
                self._profile += np.logaddexp(0.0, ratios) - math.log(2.0)
        self._compared = end
        belief = self._profile - 0.5 * (LAGS / _USUAL) ** 2
        weight = np.exp(belief - belief.max())
        near = np.abs(np.arange(len(LAGS)) - int(weight.argmax())) <= 1
        self._offset = float((weight * near * LAGS).sum() / (weight * near).sum())

    def _forget(self) -> None:
        """Forget what is too old, and faces and tracks of which nothing is left."""
        before = self._now - HISTORY
        for face in self._faces.values():
            face.forget(before)
        for track in self._tracks.values():
            track.course.forget(before)
        self._faces = {name: face for name, face in self._faces.items() if len(face.times)}
        self._tracks = {key: track for key, track in self._tracks.items() if track.next / SAMPLE_RATE > before}
        self._said = {name: (on, course) for name, (on, course) in self._said.items() if course.times[-1] > before}
