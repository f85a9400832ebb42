"""A room that is heard while it happens: what the microphones record depends on what the robot plays meanwhile.

Nothing in it moves, so that the way of every sound is one impulse response, and playing it block by block is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from hearing_sim.attention import facing
from hearing_sim.microphones import draw_microphones
from hearing_sim.motion import Trajectory, Waypoint
from hearing_sim.propagation import PointSource, Receiver, SoundField
from hearing_sim.room import RoomAcoustics
from hearing_sim.scene import Loudspeaker, Scene
from hearing_sim.simulation import (
    PLAYBACK_RMS,
    TILT,
    carried,
    driven_band,
    effort_db,
    microphone_rng,
    pascals,
    saturated,
    simulate,
    tilted,
)
from numpy.typing import NDArray
from scipy.signal import oaconvolve, sosfilt

from hearing.arrays import load_array
from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, AudioBlock, Float32Array

Audio = NDArray[np.float64]
_OWN, _HALL = 4, 5
SEAM = SAMPLE_RATE // 2
"""Samples over which the noise of the room fades into its own beginning when it starts over."""


@dataclass(frozen=True, slots=True)
class HallLoudspeaker:
    """Another loudspeaker that plays what the robot plays.

    Attributes
    ----------
    position
        In the room.
    level_db
        Of the robot's speech at 1 m.
    delay
        Seconds by which it is later than the robot's own loudspeaker is fed.
    """

    position: tuple[float, float, float]
    level_db: float = 66.0
    delay: float = 0.3


class LiveRoom:
    """Streaming: from what is played to what is recorded meanwhile.

    Parameters
    ----------
    scene
        Room, array, machines, backgrounds, the robot's loudspeaker, and where talkers stand; its turns don't count. Its
        noise starts over when its duration has passed.
    hall
        Loudspeakers elsewhere.

    Raises
    ------
    InputError
        If something moves, the clock of the microphones drifts, or the scene cannot be built.
    """

    def __init__(self, scene: Scene, hall: tuple[HallLoudspeaker, ...] = ()) -> None:
        moving = scene.array.pose.moving or any(talker.trajectory.moving for talker in scene.talkers)
        if moving or scene.microphones.clock_ppm:
            raise InputError(f"scene {scene.name}: a live room has nobody who moves, and no drifting clock")
        self.scene = scene
        silent = simulate(replace(scene, turns=(), snr_db=None))
        self.array = load_array(scene.array.geometry)
        self._noise = _seamless(silent.machines + silent.ego + silent.self_noise)
        real = draw_microphones(self.array.positions, scene.microphones, microphone_rng(scene))
        self._acoustics, self._scale = RoomAcoustics(scene.room), silent.gain * real.gains
        receiver = Receiver(scene.array.pose, real.positions, real.delays, scene.array.body_radius)
        self._field = SoundField(self._acoustics, receiver)
        self._ways: dict[tuple[str, str], Audio] = {}
        own = scene.robot.loudspeaker
        self._speakers = [] if own is None else [_Speaker(own, self._way(carried(scene, own), _OWN))]
        for other in hall:
            way = self._way(Trajectory((Waypoint(0.0, other.position),)), _HALL)
            self._speakers.append(_Speaker(Loudspeaker(level_db=other.level_db, delay=other.delay), way))
        self.reset()

    def reset(self) -> None:
        """Start again from silence."""
        self._position = 0
        self._voices: list[tuple[int, Audio]] = []
        for speaker in self._speakers:
            speaker.reset()

    @property
    def now(self) -> float:
        """Seconds that have passed."""
        return self._position / SAMPLE_RATE

    def say(self, name: str, samples: Audio, to: str) -> None:
        """Let a talker begin to speak now.

        Parameters
        ----------
        name
            The talker.
        samples
            His voice, of shape (n_samples,), with root mean square 1 while it is speech.
        to
            Whom he faces: the robot, or another talker.
        """
        talker = next(each for each in self.scene.talkers if each.name == name)
        if (name, to) not in self._ways:
            faces = facing(self.scene, talker, to) if talker.directivity else None
            source = PointSource(talker.trajectory, faces, (self.scene.seed, 0, self.scene.talkers.index(talker)))
            self._ways[name, to] = self._field.response(source, 0.0)
        effort = effort_db(self.scene, self._acoustics, talker, self.now)
        voice = tilted(samples, TILT * effort) * pascals(talker.level_db + effort)
        heard = oaconvolve(voice[:, None], self._ways[name, to], axes=0) * self._scale
        self._voices.append((self._position, heard))

    def process(self, playback: Float32Array) -> AudioBlock:
        """Let time pass.

        Parameters
        ----------
        playback
            What the robot plays meanwhile, of shape (n_samples,); full scale is 1.

        Returns
        -------
        What the microphones record meanwhile.
        """
        begin, self._position = self._position, self._position + len(playback)
        at = np.arange(begin, self._position) % len(self._noise)
        heard = self._noise[at]
        for onset, voice in self._voices:
            part = voice[begin - onset : self._position - onset]
            heard[: len(part)] += part
        self._voices = [each for each in self._voices if each[0] + len(each[1]) > self._position]
        for speaker in self._speakers:
            heard += speaker.process(playback.astype(np.float64)) * self._scale
        return AudioBlock(np.clip(heard, -1.0, 1.0).astype(np.float32), begin)

    def _way(self, place: Trajectory, seed: int) -> Audio:
        return self._field.response(PointSource(place, seed=(self.scene.seed, seed)), 0.0)


class _Speaker:
    """A loudspeaker and its way to the microphones, block by block."""

    def __init__(self, loudspeaker: Loudspeaker, response: Audio) -> None:
        self._loudspeaker = loudspeaker
        self._level = pascals(loudspeaker.level_db) / PLAYBACK_RMS
        self._response = np.pad(response, ((round(loudspeaker.delay * SAMPLE_RATE), 0), (0, 0)))
        self._band = driven_band()
        self.reset()

    def reset(self) -> None:
        self._state = np.zeros((len(self._band), 2))
        self._tail: Audio = np.zeros((0, self._response.shape[1]))

    def process(self, playback: Audio) -> Audio:
        """Return what is heard while the playback lasts, of shape (n_samples, n_microphones), by overlap and add."""
        driven, self._state = sosfilt(self._band, saturated(playback, self._loudspeaker.distortion), zi=self._state)
        length = max(len(playback), len(self._tail))
        heard = np.zeros((length, self._response.shape[1]))
        heard[: len(self._tail)] = self._tail
        if np.abs(driven).max(initial=0.0) > 1e-9:
            sound = oaconvolve((self._level * driven)[:, None], self._response, axes=0)
            heard = np.pad(heard, ((0, max(len(sound) - length, 0)), (0, 0)))
            heard[: len(sound)] += sound
        self._tail = heard[len(playback) :]
        return heard[: len(playback)]


def _seamless(noise: Audio) -> Audio:
    """Fade the end of a stationary noise into its beginning, so that it can go on for ever."""
    seam = min(SEAM, len(noise) // 4)
    ramp = np.sin(np.linspace(0, np.pi / 2, seam))[:, None]
    looped = noise[:-seam].copy()
    looped[:seam] = ramp * noise[:seam] + ramp[::-1] * noise[-seam:]
    return looped
