"""One signal per track: minimum variance distortionless response, MVDR, led by masks.

Masks say which share of every bin is a track's talker (Higuchi et al., 2016, Robust MVDR beamforming using
time-frequency masks, eq. 9-14). From them every track learns where its talker's direct sound comes from, and how the
microphones hear him when he disturbs others; what belongs to no track is noise, shared by all. A track's noise
covariance is the shared noise plus all other talkers: they are blocked as soon as they talk. The steering vector is
refined from the track's direction to what the microphones really hear, as the principal generalised eigenvector of the
talker's covariance, by one power iteration a step (Warsitz and Haeb-Umbach, 2007, eq. 18; Krueger et al., 2011).

All covariances are recursive; what is inverted is loaded with some diffuse and some uncorrelated noise.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hearing.arrays import MicrophoneArray
from hearing.ego_noise import NoiseMemory
from hearing.features import Spectra
from hearing.mask_network import Masks
from hearing.steering import diffuse_coherence, steering_vectors
from hearing.stft import FRAME_RATE, HOP, N_BINS, ComplexArray, InverseStft
from hearing.talker_masks import LOOKBACK, TrackMasks
from hearing.types import Float32Array, SourceAudio, Track


@dataclass(frozen=True, slots=True)
class SeparationConfig:
    """How to separate.

    Attributes
    ----------
    noise_memory, talker_memory, rival_memory
        Time constants in seconds of the noise, of a talker's own covariance (seconds of speech), and of what others
        hear of him.
    geometry
        Share of a talker's covariance that comes from his direction, however long he has been heard.
    moved
        Radians by which a talker moves until what was learned about him has faded to 1/e.
    diffuse
        Share of spherically diffuse noise that is always assumed: the beam is at least superdirective.
    loading
        Share of uncorrelated noise that is always assumed: it bounds the harm that wrong steering does.
    rivals, late
        How much more other talkers, and the talker's own reverberation, count than they are loud.
    floor
        Least gain of the post-filter.
    """

    noise_memory: float = 2.0
    talker_memory: float = 1.5
    rival_memory: float = 0.5
    geometry: float = 0.3
    moved: float = np.deg2rad(6.0)
    diffuse: float = 0.1
    loading: float = 0.02
    rivals: float = 2.0
    late: float = 1.0
    floor: float = 0.1


@dataclass(slots=True)
class _Beam:
    """State of one track; covariances are of shape (N_BINS, n_mics, n_mics).

    Attributes
    ----------
    own
        Of the talker's direct sound, as a sum over time.
    rival
        Of everything that is heard of him, as a mean over time.
    late
        Of his reverberation, as a mean over time.
    weights
        The beam, of shape (N_BINS, n_mics).
    direction
        Unit vector for which `own` was learned.
    synthesis, enhanced
        Of the linear and of the post-filtered signal.
    """

    own: ComplexArray
    rival: ComplexArray
    late: ComplexArray
    weights: ComplexArray
    direction: NDArray[np.float64]
    synthesis: InverseStft = field(default_factory=InverseStft)
    enhanced: InverseStft = field(default_factory=InverseStft)


def mvdr_weights(noise: ComplexArray, steering: ComplexArray) -> ComplexArray:
    """Weights with gain 1 towards the steering vectors and least noise power (Souden et al., 2010, eq. 5).

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


def diffuse_floor(array: MicrophoneArray, config: SeparationConfig) -> ComplexArray:
    """Noise that is always assumed, relative to the noise that is heard: shape (N_BINS, n_mics, n_mics)."""
    floor = config.diffuse * diffuse_coherence(array) + config.loading * np.eye(array.n_microphones)
    return np.asarray(floor, np.complex64)


def loaded(noise: ComplexArray, floor: ComplexArray, usable: NDArray[np.bool_]) -> ComplexArray:
    """Load noise covariances (..., N_BINS, n_mics, n_mics); a broken microphone is one that hears only noise."""
    level = np.trace(noise, axis1=-2, axis2=-1).real[..., None, None] / noise.shape[-1]
    broken = np.diag(np.where(usable, 0.0, 1e3)).astype(np.float32)
    sum_of_both: ComplexArray = noise + (level + 1e-9) * (floor + broken)
    return sum_of_both


def refined_steering(own: ComplexArray, weights: ComplexArray, geometry: ComplexArray, share: float) -> ComplexArray:
    """Refine steering vectors by one power iteration (Warsitz and Haeb-Umbach, 2007, eq. 18).

    Parameters
    ----------
    own
        Covariances of the talkers' direct sound, of shape (..., N_BINS, n_mics, n_mics).
    weights
        The beams until now, of shape (..., N_BINS, n_mics).
    geometry
        Steering vectors of the talkers' directions, of the same shape.
    share
        Of the covariances that comes from the directions.

    Returns
    -------
    Steering vectors of the same shape. Their phase reference is what a delay-and-sum beam would hear, so that nothing
    jumps as they are refined.
    """
    n = geometry.shape[-1]
    energy = np.trace(own, axis1=-2, axis2=-1).real[..., None, None] / n
    own = own + (share * energy + 1e-9) * geometry[..., :, None] * geometry[..., None, :].conj()
    steering = np.matmul(own, weights[..., None])[..., 0]
    reference = np.sum(geometry.conj() * steering, axis=-1, keepdims=True) / n
    steering = steering / np.where(np.abs(reference) > 1e-20, reference, 1)
    refined: ComplexArray = np.where(np.isfinite(steering), steering, geometry).astype(np.complex64)
    return refined


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
        self._floor = diffuse_floor(array, self.config)
        self._noise = NoiseMemory(array.n_microphones, self.config.noise_memory)
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._past: deque[Spectra] = deque()
        self._beams: dict[int, _Beam] = {}
        self._noise.reset()
        self._frame = 0

    def process(
        self, spectra: Spectra, tracks: tuple[Track, ...], masks: TrackMasks, state: str = "idle"
    ) -> tuple[SourceAudio, ...]:
        """Separate the next frames.

        Parameters
        ----------
        spectra
            The frames.
        tracks
            The tracks at the end of these frames.
        masks
            Of the tracks.
        state
            Of the robot's motion, whose noise is remembered.

        Returns
        -------
        One stretch of audio per track. The first stretch of a new track begins up to `LOOKBACK` earlier.
        """
        self._frame += len(spectra.frames)
        self._beams = {track.id: self._beams[track.id] for track in tracks if track.id in self._beams}
        self._noise.switch(state)
        self._learn_noise(spectra, masks.current)
        directions = np.array([track.direction.vector for track in tracks]).reshape(-1, 3)
        geometry = steering_vectors(self._array, directions)
        for k, track in enumerate(tracks):
            if track.id not in self._beams:
                self._begin(track, directions[k], geometry[k], masks.past[track.id])
        self._past.append(spectra)
        while sum(len(past.frames) for past in self._past) > LOOKBACK * FRAME_RATE:
            self._past.popleft()
        if not tracks:
            return ()
        beams = [self._beams[track.id] for track in tracks]
        for beam, direction, direct, speech in zip(
            beams, directions, masks.current.direct, masks.current.speech, strict=True
        ):
            self._learn(beam, direction, spectra.frames, direct, speech)
        self._steer(beams, geometry, spectra.usable)
        return tuple(
            self._listen(track, beam, spectra, masks, k)
            for k, (track, beam) in enumerate(zip(tracks, beams, strict=True))
        )

    def _learn_noise(self, spectra: Spectra, masks: Masks) -> None:
        """Learn as noise what belongs to no track."""
        share = np.clip(1 - masks.speech.sum(axis=0), 0, 1) if len(masks.speech) else np.ones_like(spectra.power)
        self._noise.learn(masked_covariance(spectra.frames, share), share.sum(axis=0), len(spectra.frames))

    def _begin(self, track: Track, direction: NDArray[np.float64], geometry: ComplexArray, past: Masks) -> None:
        n = geometry.shape[1]
        nothing = np.zeros((N_BINS, n, n), np.complex64)
        beam = _Beam(nothing, nothing, nothing, geometry / n, direction)
        for spectra, direct, speech in zip(self._past, *self._split(past), strict=True):
            self._learn(beam, direction, spectra.frames, direct, speech)
        self._beams[track.id] = beam

    def _split(self, past: Masks) -> tuple[list[Float32Array], list[Float32Array]]:
        """Cut a new track's past masks into the pieces in which the past is kept."""
        ends = np.cumsum([len(spectra.frames) for spectra in self._past])[:-1]
        if not self._past:
            return [], []
        return np.split(past.direct[0], ends), np.split(past.speech[0], ends)

    def _learn(
        self,
        beam: _Beam,
        direction: NDArray[np.float64],
        frames: ComplexArray,
        direct: Float32Array,
        speech: Float32Array,
    ) -> None:
        """Learn a talker from frames of shape (n_frames, N_BINS, n_mics) and masks (n_frames, N_BINS)."""
        moved = float(np.arccos(np.clip(beam.direction @ direction, -1, 1))) / self.config.moved
        beam.direction = direction
        spoken = direct.sum(axis=0)[:, None, None] / (self.config.talker_memory * FRAME_RATE)
        beam.own = np.exp(-spoken - np.float32(moved)) * beam.own + masked_covariance(frames, direct)
        heard = masked_covariance(frames, speech) / len(frames)
        keep = np.float32(np.exp(-len(frames) / (self.config.rival_memory * FRAME_RATE)))
        beam.rival = keep * beam.rival + (1 - keep) * heard
        late = masked_covariance(frames, np.maximum(speech - direct, 0)) / len(frames)
        keep = np.float32(np.exp(-len(frames) / (self.config.talker_memory * FRAME_RATE)))
        beam.late = keep * beam.late + (1 - keep) * late

    def _steer(self, beams: list[_Beam], geometry: ComplexArray, usable: NDArray[np.bool_]) -> None:
        """Point all beams: blocked are the noise and all other talkers."""
        rival = np.stack([beam.rival for beam in beams])
        late = np.stack([beam.late for beam in beams])
        noise = self._noise.covariance + self.config.rivals * (rival.sum(axis=0) - rival) + self.config.late * late
        own = np.stack([beam.own for beam in beams])
        weights = np.stack([beam.weights for beam in beams])
        steering = refined_steering(own, weights, geometry, self.config.geometry)
        for beam, weight in zip(beams, mvdr_weights(loaded(noise, self._floor, usable), steering), strict=True):
            beam.weights = weight

    def _listen(self, track: Track, beam: _Beam, spectra: Spectra, masks: TrackMasks, k: int) -> SourceAudio:
        """Apply one track's beam and synthesise."""
        frames, speech = spectra.frames, masks.current.speech[k]
        active, claimed = masks.current.active[k], masks.claimed[k]
        if track.id in masks.past and len(self._past) > 1:
            past = masks.past[track.id]
            frames = np.concatenate([moment.frames for moment in self._past])
            known = len(frames) - len(speech)
            speech = np.concatenate([past.speech[0][-known:], speech])
            active, claimed = (np.concatenate([past.active[0][-known:], new]) for new in (active, claimed))
        heard = np.einsum("tfm,fm->tf", frames, beam.weights.conj())
        samples = beam.synthesis.process(heard)
        enhanced = beam.enhanced.process(heard * np.maximum(speech, self.config.floor))
        return SourceAudio(track.id, samples, enhanced, active, (self._frame - len(frames) - 1) * HOP, claimed)


def masked_covariance(frames: ComplexArray, share: Float32Array) -> ComplexArray:
    """Sum of the outer products of frames (n_frames, N_BINS, n_mics), weighted by shares (n_frames, N_BINS)."""
    weighted = frames * share[..., None]
    covariance: ComplexArray = np.matmul(weighted.transpose(1, 2, 0), frames.conj().transpose(1, 0, 2))
    return covariance
