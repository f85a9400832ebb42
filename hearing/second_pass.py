"""Hearing an utterance again at its end, with all that is known of it by then.

A beam that learns while it listens is poor when an utterance begins. At its end the masks of the whole utterance say
where its direct sound came from, and how everything else was heard meanwhile, the talker's own reverberation included:
one beam for the whole utterance (mask-based MVDR; Higuchi et al., 2016, eq. 9-14), or one for every few seconds of a
talker who moves, hears it anew for the final words. Nothing is used that comes after the utterance's end was known.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearing.arrays import MicrophoneArray
from hearing.features import Spectra
from hearing.separation import (
    SeparationConfig,
    diffuse_floor,
    loaded,
    masked_covariance,
    mvdr_weights,
    refined_steering,
)
from hearing.steering import steering_vectors
from hearing.stft import FRAME_RATE, HOP, ComplexArray, InverseStft
from hearing.talker_masks import TrackMasks
from hearing.types import Float32Array, Track

MEMORY = 32.0
"""Seconds that are remembered: more than the longest utterance."""
MARGIN = round(0.5 * FRAME_RATE)
"""Frames before and after an utterance from which its noise is learned as well."""
MOVED = np.deg2rad(10.0)
"""Radians by which a talker may move within one beam."""
POWER_STEPS = 3


@dataclass(slots=True)
class _Moment:
    """A step of the past: the number of its first frame, its frames, and masks and direction of every track."""

    first: int
    spectra: Spectra
    direct: dict[int, Float32Array]
    directions: dict[int, NDArray[np.float64]]


class SecondPass:
    """Memory of the last half minute, from which utterances are heard again.

    Parameters
    ----------
    array
        The microphones.
    config
        The beams' settings, as for the first pass.
    """

    def __init__(self, array: MicrophoneArray, config: SeparationConfig | None = None) -> None:
        self._array = array
        self._config = config or SeparationConfig()
        self._floor = diffuse_floor(array, self._config)
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._past: deque[_Moment] = deque()
        self._frame = 0

    def remember(self, spectra: Spectra, tracks: tuple[Track, ...], masks: TrackMasks) -> None:
        """Take in the next frames, and what the masks of new tracks say of those before."""
        for track in tracks:
            if track.id in masks.past:
                self._fill_in(track, masks.past[track.id].direct[0])
        direct = {track.id: mask for track, mask in zip(tracks, masks.current.direct, strict=True)}
        directions = {track.id: track.direction.vector for track in tracks}
        self._past.append(_Moment(self._frame, spectra, direct, directions))
        self._frame += len(spectra.frames)
        while self._frame - self._past[0].first > MEMORY * FRAME_RATE:
            self._past.popleft()

    def _fill_in(self, track: Track, direct: Float32Array) -> None:
        """Attach masks of the last frames, (n_frames, N_BINS), to the past."""
        end = len(direct)
        for moment in reversed(self._past):
            begin = end - len(moment.spectra.frames)
            if begin < 0:
                return
            moment.direct[track.id], moment.directions[track.id] = direct[begin:end], track.direction.vector
            end = begin

    def hear(self, track_id: int, start_sample: int, n_samples: int) -> Float32Array | None:
        """Hear what a track said once more.

        Parameters
        ----------
        track_id
            The track.
        start_sample, n_samples
            The utterance on the stream's sample clock.

        Returns
        -------
        Samples of shape (n_samples,), or None if the track or the time is not remembered.
        """
        # Frame t completes the samples from (t - 1) * HOP to t * HOP; the frame before is where synthesis starts.
        first = start_sample // HOP
        last = -(-(start_sample + n_samples) // HOP) + 1
        moments = [moment for moment in self._past if track_id in moment.direct]
        within = [m for m in moments if m.first + len(m.spectra.frames) > first and m.first < last]
        if not within or within[0].first > first or within[-1].first + len(within[-1].spectra.frames) < last:
            return None
        heard = [self._beam(moments, track_id, part) for part in self._parts(moments, track_id, first, last)]
        samples = InverseStft().process(np.concatenate(heard))[HOP:]
        offset = start_sample - first * HOP
        return samples[offset : offset + n_samples]

    @staticmethod
    def _parts(moments: list[_Moment], track_id: int, first: int, last: int) -> list[tuple[int, int]]:
        """Cut frames first to last where the track has moved by more than one beam serves."""
        cuts = [first]
        place: NDArray[np.float64] | None = None
        for moment in moments:
            if not first <= moment.first < last:
                continue
            here = moment.directions[track_id]
            place = here if place is None else place
            if np.arccos(np.clip(here @ place, -1, 1)) > MOVED:
                cuts.append(moment.first)
                place = here
        return list(zip(cuts, [*cuts[1:], last], strict=True))

    def _beam(self, moments: list[_Moment], track_id: int, part: tuple[int, int]) -> ComplexArray:
        """Learn and apply a beam for some frames; returns spectra of shape (n_frames, N_BINS)."""
        begin, end = part[0] - MARGIN, part[1] + MARGIN
        near = [m for m in moments if m.first + len(m.spectra.frames) > begin and m.first < end]
        frames = np.concatenate([m.spectra.frames for m in near])
        direct = np.concatenate([m.direct[track_id] for m in near])
        looks = [m.directions[track_id] for m in near if part[0] <= m.first < part[1]] or [
            near[-1].directions[track_id]
        ]
        look = np.mean(looks, axis=0)
        geometry = steering_vectors(self._array, (look / np.linalg.norm(look))[None])[0]
        weights = self._weights(frames, direct, geometry, near[-1].spectra.usable)
        offset = part[0] - near[0].first
        chosen = frames[offset : offset + part[1] - part[0]]
        heard: ComplexArray = np.einsum("tfm,fm->tf", chosen, weights.conj()).astype(np.complex64)
        return heard

    def _weights(
        self, frames: ComplexArray, direct: Float32Array, geometry: ComplexArray, usable: NDArray[np.bool_]
    ) -> ComplexArray:
        """MVDR weights of shape (N_BINS, n_mics) from frames (n_frames, N_BINS, n_mics) and a mask of direct sound."""
        noise = loaded(masked_covariance(frames, 1 - direct) / len(frames), self._floor, usable)
        own = masked_covariance(frames, direct)
        weights = geometry / geometry.shape[1]
        for _ in range(POWER_STEPS):
            weights = mvdr_weights(noise, refined_steering(own, weights, geometry, self._config.geometry))
        return weights
