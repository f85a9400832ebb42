"""Running the front end alone over a recording, and keeping all that it says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from hearing.front_end import FrontEnd, FrontEndConfig, FrontEndOutput
from hearing.motion import MotionLog
from hearing.pipeline import STEP, TRACK_PERIOD
from hearing.recording import Recording
from hearing.stft import HOP
from hearing.types import SAMPLE_RATE, Float32Array, SourceAudio

State = dict[int, tuple[float, float]]
"""Azimuth in degrees of every confirmed track, and the probability that its talker talks, by track id."""


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
    audio_seconds, cpu_seconds
        Length of the audio, and computing time of one core.
    stage_seconds
        Seconds by the clock for each stage.
    """

    azimuth_deg: NDArray[np.float64]
    talking: NDArray[np.float64]
    signals: Float32Array
    audio_seconds: float
    cpu_seconds: float
    stage_seconds: dict[str, float]


def listen(recording: Recording, config: FrontEndConfig, seconds: float | None = None) -> Heard:
    """Let a front end hear a recording, or its first seconds, in the steps of the pipeline."""
    front_end = FrontEnd(recording.array, config)
    motion = MotionLog.load(recording.motion).known_at if recording.motion is not None else None
    states: list[State] = []
    stretches: list[SourceAudio] = []
    state: State = {}
    position, cpu = 0, 0.0
    with ThreadpoolController().limit(limits=1, user_api="blas"):
        for samples, played in _steps(recording, seconds):
            begin, position = position, position + STEP
            moves = motion(position / SAMPLE_RATE) if motion is not None else None
            started = time.thread_time()  # other programs on the same cores do not count
            output = front_end.process(samples, played, moves)
            cpu += time.thread_time() - started
            stretches += output.sources
            # As in the pipeline: what is reported for a tick does not depend on what was heard after it.
            states += [state] * (-(-position // TRACK_PERIOD) - -(-begin // TRACK_PERIOD))
            state = _state(output)
    return _collected(states, stretches, position, cpu, dict(front_end.compute_seconds))


def _steps(recording: Recording, seconds: float | None) -> Iterator[tuple[Float32Array, Float32Array | None]]:
    """Read a recording in steps of `STEP` samples, the last one filled with silence."""
    for block, played in recording.blocks_with_playback(STEP):
        if seconds is not None and block.end_time > seconds:
            return
        missing = ((0, STEP - len(block.samples)), (0, 0))
        yield np.pad(block.samples, missing), None if played is None else np.pad(played, missing)


def _state(output: FrontEndOutput) -> State:
    return {
        track.id: (track.direction.azimuth_deg, float(source.talking[-STEP // HOP :].mean()))
        for track, source in zip(output.tracks, output.sources, strict=True)
        if not track.tentative
    }


def _collected(
    states: list[State], stretches: list[SourceAudio], length: int, cpu: float, stages: dict[str, float]
) -> Heard:
    """Make arrays of the states and of the stretches of audio; tracks that were never confirmed are left out."""
    ids = {track_id: k for k, track_id in enumerate(sorted({track_id for state in states for track_id in state}))}
    table = np.full((2, len(states), len(ids)), np.nan)
    for tick, state in enumerate(states):
        for track_id, values in state.items():
            table[:, tick, ids[track_id]] = values
    signals = np.zeros((len(ids), length), np.float32)
    for stretch in stretches:
        if stretch.track_id in ids:
            # The first hop of a stream belongs to the time before it.
            first = max(0, -stretch.start_sample)
            start = stretch.start_sample + first
            signals[ids[stretch.track_id], start : start + len(stretch.samples) - first] = stretch.samples[first:]
    return Heard(table[0], np.nan_to_num(table[1]), signals, length / SAMPLE_RATE, cpu, stages)
