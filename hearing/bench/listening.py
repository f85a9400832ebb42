"""Running the front end alone over a recording, and keeping all that it says."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from hearing.evaluation.directions import angular_distance
from hearing.front_end import FrontEnd, FrontEndConfig, FrontEndOutput
from hearing.motion import MotionLog
from hearing.pipeline import STEP, TRACK_PERIOD
from hearing.recording import Recording
from hearing.segmentation import SegmentationConfig
from hearing.stft import HOP
from hearing.types import SAMPLE_RATE, Float32Array, SourceAudio

WITHIN = 20.0
"""Degrees of azimuth up to which a track is a talker's."""
END_KNOWN = round(SegmentationConfig().endpoint * SAMPLE_RATE)
"""Samples after the end of an utterance until the pipeline knows that it has ended."""
State = dict[int, tuple[float, float]]
"""Azimuth in degrees of every confirmed track, and the probability that its talker talks, by track id."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of speech that the front end is to hear again once its end is known, as the pipeline asks for.

    Attributes
    ----------
    start, end
        Samples of the recording.
    azimuth_deg
        Where the talker is at the end; only tracks near him are heard again.
    """

    start: int
    end: int
    azimuth_deg: float


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What the front end makes of a recording.

    Attributes
    ----------
    azimuth_deg
        Of every track of a talker at every 0.1 s, of shape (n_ticks, n_tracks); not a number where there is none.
    talking
        Probability that its talker talks then, of the same shape.
    signals
        Linear signals of the tracks, of shape (n_tracks, n_samples); silence where there is none.
    again
        For every stretch that was asked for: what the front end hears of it in a second pass, by the track's number.
    audio_seconds, cpu_seconds
        Length of the audio, and computing time of one core.
    stage_seconds
        Seconds by the clock for each stage.
    """

    azimuth_deg: NDArray[np.float64]
    talking: NDArray[np.float64]
    signals: Float32Array
    again: tuple[dict[int, Float32Array], ...]
    audio_seconds: float
    cpu_seconds: float
    stage_seconds: dict[str, float]


def listen(
    recording: Recording, config: FrontEndConfig, asked: Sequence[Stretch] = (), seconds: float | None = None
) -> Heard:
    """Let a front end hear a recording, or its first seconds, in the steps of the pipeline."""
    front_end = FrontEnd(recording.array, config)
    motion = MotionLog.load(recording.motion).known_at if recording.motion is not None else None
    log = _Log(asked)
    with ThreadpoolController().limit(limits=1, user_api="blas"):
        for samples, played in _steps(recording, seconds):
            now = (log.position + STEP) / SAMPLE_RATE
            moves = motion(now) if motion is not None else None
            started = time.thread_time()  # other programs on the same cores do not count
            output = front_end.process(samples, played, moves)
            log.cpu += time.thread_time() - started
            log.add(output)
            log.hear_again(front_end, log.position - END_KNOWN)
        log.hear_again(front_end, log.position)
    return log.collected(dict(front_end.compute_seconds))


class _Log:
    """What the front end has said so far."""

    def __init__(self, asked: Sequence[Stretch]) -> None:
        self.position, self.cpu = 0, 0.0
        self._asked = asked
        self._again: dict[int, dict[int, Float32Array]] = {}
        self._states: list[State] = []
        self._audio: list[SourceAudio] = []
        self._state: State = {}

    def add(self, output: FrontEndOutput) -> None:
        """Take note of a step."""
        begin, self.position = self.position, self.position + STEP
        self._audio += output.sources
        # As in the pipeline: what is reported for a tick does not depend on what was heard after it.
        self._states += [self._state] * (-(-self.position // TRACK_PERIOD) - -(-begin // TRACK_PERIOD))
        self._state = {
            track.id: (track.direction.azimuth_deg, float(source.talking[-STEP // HOP :].mean()))
            for track, source in zip(output.tracks, output.sources, strict=True)
            if not track.tentative
        }

    def hear_again(self, front_end: FrontEnd, until: int) -> None:
        """Ask for the stretches that have ended up to a sample."""
        for number, stretch in enumerate(self._asked):
            if number in self._again or stretch.end > until:
                continue
            started = time.thread_time()
            near = [k for k, (azimuth, _) in self._state.items() if _apart(azimuth, stretch.azimuth_deg) <= WITHIN]
            heard = {k: front_end.hear_again(k, stretch.start, stretch.end - stretch.start) for k in near}
            self.cpu += time.thread_time() - started
            self._again[number] = {k: samples for k, samples in heard.items() if samples is not None}

    def collected(self, stages: dict[str, float]) -> Heard:
        """Make arrays of the states and of the audio; tracks that were never confirmed are left out."""
        ids = {name: k for k, name in enumerate(sorted({name for state in self._states for name in state}))}
        table = np.full((2, len(self._states), len(ids)), np.nan)
        for tick, state in enumerate(self._states):
            for track_id, values in state.items():
                table[:, tick, ids[track_id]] = values
        signals = np.zeros((len(ids), self.position), np.float32)
        for audio in self._audio:
            if audio.track_id in ids:
                # The first hop of a stream belongs to the time before it.
                first = max(0, -audio.start_sample)
                start = audio.start_sample + first
                signals[ids[audio.track_id], start : start + len(audio.samples) - first] = audio.samples[first:]
        again = tuple(
            {ids[k]: samples for k, samples in self._again.get(number, {}).items() if k in ids}
            for number in range(len(self._asked))
        )
        seconds = self.position / SAMPLE_RATE
        return Heard(table[0], np.nan_to_num(table[1]), signals, again, seconds, self.cpu, stages)


def _steps(recording: Recording, seconds: float | None) -> Iterator[tuple[Float32Array, Float32Array | None]]:
    """Read a recording in steps of `STEP` samples, the last one filled with silence."""
    for block, played in recording.blocks_with_playback(STEP):
        if seconds is not None and block.end_time > seconds:
            return
        missing = ((0, STEP - len(block.samples)), (0, 0))
        yield np.pad(block.samples, missing), None if played is None else np.pad(played, missing)


def _apart(first: float, second: float) -> float:
    return float(angular_distance(first, second))
