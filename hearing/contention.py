"""Two tracks, one voice: which of them is the talker, and which his echo.

A wall that answers a talker may be tracked as if it were another one, and a track beside a talker may claim his voice
while its own talker is silent. The masks of two talkers share few bins, since speech is sparse; those of a talker and
his echo are nearly the same. Where two tracks claim the same bins for some moments, the one from whose direction sound
is localized, and whose direction fits the phases in these bins better, keeps them, and the other falls silent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hearing.features import Spectra, to_bands
from hearing.mask_network import Masks
from hearing.stft import FRAME_RATE
from hearing.types import Float32Array, Track

FloatArray = NDArray[np.float64]


class Contention:
    """Streaming decision between tracks that claim the same bins."""

    MEMORY = 0.3
    """Time constant in seconds over which claims and fits are averaged."""
    SAME = (0.45, 0.7)
    """Share of a track's claims that another one makes as well from which it may be an echo, and surely is."""
    TENTATIVE = 0.02
    """By how much better a tentative track must fit than one that has talked before."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._ids: list[int] = []
        self._common: FloatArray = np.zeros((0, 0))
        self._claimed: FloatArray = np.zeros(0)
        self._fit: FloatArray = np.zeros(0)
        self._heard: FloatArray = np.zeros(0)

    def process(self, spectra: Spectra, tracks: tuple[Track, ...], masks: Masks, angle: Float32Array) -> Masks:
        """Decide for the next frames.

        Parameters
        ----------
        spectra
            The frames.
        tracks
            The tracks.
        masks
            What their networks claim.
        angle
            How well each bin fits each track's direction, of shape (n_tracks, n_frames, N_BANDS).

        Returns
        -------
        The masks, with those of echoes turned down.
        """
        self._follow([track.id for track in tracks])
        if len(tracks) < 2:
            return masks
        loudness = np.sqrt(to_bands(spectra.power))
        claims = to_bands(masks.speech) * loudness
        direct = to_bands(masks.direct) * loudness
        keep = np.exp(-len(spectra.power) / (self.MEMORY * FRAME_RATE))
        common = np.minimum(claims[:, None], claims[None]).sum(axis=(2, 3))
        self._common = keep * self._common + common
        self._claimed = keep * self._claimed + direct.sum(axis=(1, 2))
        self._fit = keep * self._fit + (direct * angle).sum(axis=(1, 2))
        heard = np.array([track.activity for track in tracks])
        self._heard = keep * self._heard + (1 - keep) * heard
        left = self._left([track.tentative for track in tracks]).astype(np.float32)
        return Masks(
            masks.direct * left[:, None, None], masks.speech * left[:, None, None], masks.active * left[:, None]
        )

    def _left(self, tentative: list[bool]) -> FloatArray:
        """Share of its claims that each track keeps, of shape (n_tracks,)."""
        # Only who has nearly nothing of his own can be the other's echo.
        share = self._common / np.maximum(np.diag(self._common)[:, None], 1e-12)
        possible, sure = self.SAME
        same = np.clip((share - possible) / (sure - possible), 0.0, 1.0)
        fit = self._heard + self._fit / np.maximum(self._claimed, 1e-12) - self.TENTATIVE * np.array(tentative)
        loses = fit[:, None] < fit[None]
        left: FloatArray = 1 - np.max(same * loses, axis=1)
        return left

    def _follow(self, ids: list[int]) -> None:
        """Keep what is known of tracks that go on."""
        known = [self._ids.index(track_id) if track_id in self._ids else -1 for track_id in ids]
        fresh = np.array(known) < 0
        padded = np.pad(self._common, (0, 1))
        self._common = padded[np.ix_(known, known)]
        self._claimed = np.where(fresh, 0.0, np.append(self._claimed, 0.0)[known])
        self._fit = np.where(fresh, 0.0, np.append(self._fit, 0.0)[known])
        self._heard = np.where(fresh, 0.0, np.append(self._heard, 0.0)[known])
        self._ids = ids
