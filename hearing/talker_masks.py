"""Which bins are the talker in one direction: a network that is told the direction, run for all tracks at once.

The network sees the scene as a whole, how well each bin fits the track's direction, and how well it fits any other
track; it says which share of every bin is the track's talker, and whether he talks (Gu et al., 2019, Neural spatial
filter; here with features pooled over pairs, so that one network serves every array). Where nobody talks it says so:
a machine or an echo that is tracked has no active talker.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearing.arrays import MicrophoneArray
from hearing.contention import Contention
from hearing.features import DirectionFeatures, Spectra
from hearing.mask_network import NOBODY, MaskNetwork, Masks, rivals
from hearing.stft import FRAME_RATE, N_BINS
from hearing.types import Float32Array, Track

LOOKBACK = 1.0
"""Seconds before its birth that a track's network hears, so that no first word is lost."""


@dataclass(frozen=True, slots=True, eq=False)
class TrackMasks:
    """Masks of the tracks, in their order.

    Attributes
    ----------
    current
        For the newest frames.
    claimed
        Probability that each talker talks before it is decided whose voice it is that several of them claim, of shape
        (n_tracks, n_frames).
    past
        For tracks that are new: the masks of the frames before the newest ones, by track id, of one stream each.
    """

    current: Masks
    claimed: Float32Array
    past: dict[int, Masks]


class TalkerMasks:
    """Streaming masks of all tracks.

    Parameters
    ----------
    array
        The microphones.
    network
        The direction-conditioned network.
    """

    latency = 0.0

    def __init__(self, array: MicrophoneArray, network: MaskNetwork | None = None) -> None:
        self._network = network or MaskNetwork("separator")
        self._compare = DirectionFeatures(array)
        self._contention = Contention()
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._contention.reset()
        self._memories: dict[int, Float32Array] = {}
        self._past: deque[tuple[Spectra, Float32Array]] = deque()

    def process(
        self, spectra: Spectra, scene: Float32Array, tracks: tuple[Track, ...], machines: tuple[Track, ...] = ()
    ) -> TrackMasks:
        """Listen to the next frames on every track.

        Parameters
        ----------
        spectra
            The frames.
        scene
            Their scene features, see `hearing.features.SceneFeatures`.
        tracks
            The tracks now; their order is that of the masks.
        machines
            Machines that are known: whatever is there is not the talker.
        """
        self._memories = {track.id: self._memories[track.id] for track in tracks if track.id in self._memories}
        directions = np.array([track.direction.vector for track in (*tracks, *machines)]).reshape(-1, 3)
        born = [k for k, track in enumerate(tracks) if track.id not in self._memories]
        past = self._catch_up(tracks, directions, born) if born else {}
        self._past.append((spectra, scene))
        while sum(len(s.frames) for s, _ in self._past) > LOOKBACK * FRAME_RATE:
            self._past.popleft()
        if not tracks:
            nothing = np.zeros((0, *spectra.power.shape), np.float32)
            return TrackMasks(Masks(nothing, nothing, nothing[..., 0]), nothing[..., 0], {})
        memories = np.stack([self._memories[track.id] for track in tracks])
        features = self._features(spectra, scene, directions)[: len(tracks)]
        masks, memories = self._network.process(features, memories)
        left = self._contention.process(spectra, tracks, masks, features[:, scene.shape[0]])
        self._memories = {track.id: memory for track, memory in zip(tracks, memories, strict=True)}
        return TrackMasks(left, masks.active, past)

    def _features(self, spectra: Spectra, scene: Float32Array, directions: NDArray[np.float64]) -> Float32Array:
        """Of shape (n_directions, inputs, n_frames, N_BANDS)."""
        own = self._compare.process(spectra, directions)
        others = rivals(own) if len(own) > 1 else np.broadcast_to(NOBODY, own.shape)
        everywhere = np.broadcast_to(scene, (len(own), *scene.shape))
        return np.concatenate([everywhere, own, others], axis=1)

    def _catch_up(
        self, tracks: tuple[Track, ...], directions: NDArray[np.float64], born: list[int]
    ) -> dict[int, Masks]:
        """Let the networks of new tracks hear the past, all of it at once."""
        memories = np.repeat(self._network.silence[None], len(born), axis=0)
        nothing = np.zeros((len(born), 0, N_BINS), np.float32)
        masks = Masks(nothing, nothing, np.zeros((len(born), 0), np.float32))
        if self._past:
            spectra = Spectra.joined([spectra for spectra, _ in self._past])
            scene = np.concatenate([scene for _, scene in self._past], axis=1)
            masks, memories = self._network.process(self._features(spectra, scene, directions)[born], memories)
        for k, memory in zip(born, memories, strict=True):
            self._memories[tracks[k].id] = memory
        return {
            tracks[k].id: Masks(masks.direct[[row]], masks.speech[[row]], masks.active[[row]])
            for row, k in enumerate(born)
        }
