"""One signal per track: minimum variance distortionless response, MVDR (Capon, 1969; Souden et al., 2010, eq. 5).

Every track has a noise covariance of its own: what the microphones heard while that track was silent, other talkers
included. Learning lags behind listening, so that a talker whose track is found only after its onset does not become
noise to itself. A new track is given the past that lies within that lag, so that no first word is lost.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from hearing.arrays import SPEED_OF_SOUND, MicrophoneArray
from hearing.stft import FRAME_RATE, FREQUENCIES, HOP, N_BINS, ComplexArray, InverseStft
from hearing.types import Float32Array, SourceAudio, Track


@dataclass(frozen=True, slots=True)
class SeparationConfig:
    """How to separate.

    Attributes
    ----------
    lookback
        Seconds of past that a new track gets, and by which learning the noise lags.
    forgetting
        Time constant in seconds of the noise covariance.
    diffuse
        Share of spherically diffuse noise that is always assumed: the beam is at least superdirective.
    loading
        Share of uncorrelated noise that is always assumed: it bounds the harm that wrong steering does.
    """

    lookback: float = 1.0
    forgetting: float = 1.5
    diffuse: float = 0.3
    loading: float = 0.03


@dataclass(frozen=True, slots=True)
class _Moment:
    """A past block: its frames, their covariance per bin and which tracks sounded."""

    frames: ComplexArray
    covariance: ComplexArray
    activity: dict[int, float]


@dataclass(slots=True)
class _Beam:
    """State of one track: noise covariance of shape (n_bins, n_mics, n_mics) and the synthesis."""

    noise: ComplexArray
    synthesis: InverseStft


def steering_vectors(array: MicrophoneArray, directions: Float32Array) -> ComplexArray:
    """Far-field steering vectors relative to the phase centre.

    Parameters
    ----------
    array
        The microphones.
    directions
        Unit vectors of shape (n_directions, 3).

    Returns
    -------
    Of shape (n_directions, N_BINS, n_microphones).
    """
    delays = array.delays(np.asarray(directions, np.float64))
    phase = -2j * np.pi * FREQUENCIES[None, :, None] * delays[:, None, :]
    return np.exp(phase).astype(np.complex64)


def mvdr_weights(noise: ComplexArray, steering: ComplexArray) -> ComplexArray:
    """Weights with gain 1 towards the steering vectors and least noise power.

    Parameters
    ----------
    noise
        Noise covariances of shape (..., n_mics, n_mics), Hermitian and positive definite.
    steering
        Steering vectors of shape (..., n_mics).

    Returns
    -------
    Weights w of shape (..., n_mics); the output is w^H x.
    """
    solved = np.linalg.solve(noise, steering[..., None])[..., 0]
    weights: ComplexArray = solved / np.sum(steering.conj() * solved, axis=-1, keepdims=True)
    return weights


class MvdrSeparator:
    """Streaming separation of all tracks at once.

    Parameters
    ----------
    array
        The microphones.
    config
        How to separate.
    """

    latency = InverseStft.latency

    def __init__(self, array: MicrophoneArray, config: SeparationConfig | None = None) -> None:
        self.config = config or SeparationConfig()
        self._array = array
        n = array.n_microphones
        distance = np.linalg.norm(array.positions[:, None] - array.positions[None], axis=-1)
        coherence = np.sinc(2 * FREQUENCIES[:, None, None] * distance / SPEED_OF_SOUND)
        floor = self.config.diffuse * coherence + self.config.loading * np.eye(n)
        self._floor: ComplexArray = floor.astype(np.complex64)
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        n = self._array.n_microphones
        self._past: deque[_Moment] = deque()
        self._past_frames = 0
        self._beams: dict[int, _Beam] = {}
        self._background: ComplexArray = np.zeros((N_BINS, n, n), np.complex64)
        self._frame = 0

    def process(self, frames: ComplexArray, tracks: tuple[Track, ...]) -> tuple[SourceAudio, ...]:
        """Separate the next frames.

        Parameters
        ----------
        frames
            Short-time spectra of shape (n_frames, N_BINS, n_mics).
        tracks
            The tracks at the end of these frames.

        Returns
        -------
        One stretch of audio per track. The first stretch of a new track begins `lookback` earlier.
        """
        covariance = np.matmul(frames.transpose(1, 2, 0), frames.conj().transpose(1, 0, 2)) / len(frames)
        self._past.append(_Moment(frames, covariance, {track.id: track.activity for track in tracks}))
        self._past_frames += len(frames)
        self._frame += len(frames)
        born = {track.id for track in tracks if track.id not in self._beams}
        for track_id in born:
            self._beams[track_id] = _Beam(self._background.copy(), InverseStft())
        for track_id in self._beams.keys() - {track.id for track in tracks}:
            del self._beams[track_id]
        self._learn()
        if not tracks:
            return ()
        weights = self._weights(tracks)
        recent = np.concatenate([moment.frames for moment in self._past]) if born else frames
        return tuple(
            self._beamform(track.id, weight, recent if track.id in born else frames)
            for track, weight in zip(tracks, weights, strict=True)
        )

    def _learn(self) -> None:
        """Let the blocks that are old enough into the noise covariances."""
        while self._past_frames - len(self._past[0].frames) >= self.config.lookback * FRAME_RATE:
            # Whoever sounded at any time since that block may have begun to sound in it.
            sounded: dict[int, float] = {}
            for moment in self._past:
                for track_id, activity in moment.activity.items():
                    sounded[track_id] = max(activity, sounded.get(track_id, 0.0))
            old = self._past.popleft()
            self._past_frames -= len(old.frames)
            step = 1 - np.exp(-len(old.frames) / (self.config.forgetting * FRAME_RATE))
            for track_id, beam in self._beams.items():
                share = np.float32(step * (1 - sounded.get(track_id, 0.0)))
                beam.noise += share * (old.covariance - beam.noise)
            share = np.float32(step * (1 - max(sounded.values(), default=0.0)))
            self._background += share * (old.covariance - self._background)

    def _weights(self, tracks: tuple[Track, ...]) -> ComplexArray:
        """MVDR weights of shape (n_tracks, N_BINS, n_mics)."""
        steering = steering_vectors(self._array, np.array([track.direction.vector for track in tracks]))
        noise = np.stack([self._beams[track.id].noise for track in tracks])
        level = np.trace(noise, axis1=-2, axis2=-1).real[..., None, None] / self._array.n_microphones
        return mvdr_weights(noise + (level + 1e-10) * self._floor, steering)

    def _beamform(self, track_id: int, weight: ComplexArray, frames: ComplexArray) -> SourceAudio:
        """Apply one track's weights of shape (N_BINS, n_mics) and synthesise."""
        spectrum = np.einsum("tfm,fm->tf", frames, weight.conj())
        samples = self._beams[track_id].synthesis.process(spectrum)
        return SourceAudio(track_id, samples, (self._frame - len(frames) - 1) * HOP)
