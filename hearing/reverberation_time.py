"""How long a room rings, heard blindly in whatever sounds in it.

Whenever a sound stops, what is still heard is the room, and its level falls by 60 dB in the reverberation time (Ratnam
et al., 2003). As in Löllmann et al. (2010), stretches in which the level falls all the time are picked first, each
gives a decay rate, and the reverberation time is read from the histogram of what many of them gave. Here the levels are
those of bands of the short-time spectra, in which sounds stop far more often than altogether, and a decay rate is the
slope of a straight line through them. Voices that fade out only ever make decays look longer than the room's, so a low
quantile of the histogram is read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearing.stft import FRAME_RATE, HOP, ComplexArray
from hearing.types import SAMPLE_RATE

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReverberationTimeConfig:
    """How to estimate the reverberation time.

    Attributes
    ----------
    edges
        Limits of the bands in Hz, ascending.
    margin_db
        What is not so far above the noise floor is no decay of the room. A constant noise this far below shortens the
        visible decay, but hardly bends it.
    max_rise_db
        By how much a level may rise from one frame to the next while it falls: levels fluctuate.
    skipped_frames
        At the start of each decay, in which the direct sound goes.
    min_frames
        Length of the shortest decay that counts.
    max_deviation_db
        Root mean square deviation from a straight line, beyond which it is no exponential decay.
    min_fall_db
        Fall of the level over the shallowest decay that counts: steady noise falls a little at times.
    floor_memory
        Seconds, doubled at most, over which the lowest level is taken for the noise floor.
    quantile
        Where in the histogram of decays the reverberation time is read, from 0 to 1.
    min_evidence, memory
        Number of frames in decays, all bands together, from which on an estimate is given, and over how many the
        histogram averages. In a quiet room a talker gives some 60 a second.
    """

    edges: tuple[float, ...] = (250.0, 500.0, 750.0, 1000.0, 1400.0, 1900.0, 2600.0, 3500.0)
    margin_db: float = 10.0
    max_rise_db: float = 1.0
    skipped_frames: int = 2
    min_frames: int = 5
    max_deviation_db: float = 2.0
    min_fall_db: float = 4.0
    floor_memory: float = 3.0
    quantile: float = 0.2
    min_evidence: int = 120
    memory: int = 3000


class ReverberationTime:
    """Streaming blind estimate of the reverberation time.

    Parameters
    ----------
    config
        How to estimate.
    """

    latency = 0.0
    TIMES: FloatArray = np.geomspace(0.1, 4.0, 75)
    """Reverberation times in seconds that the histogram tells apart, 5 % from one to the next."""

    def __init__(self, config: ReverberationTimeConfig | None = None) -> None:
        self.config = config or ReverberationTimeConfig()
        self._edges = np.round(np.array(self.config.edges) / (SAMPLE_RATE / (2 * HOP))).astype(int)
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        n_bands = len(self._edges) - 1
        self._histogram: FloatArray = np.zeros(len(self.TIMES))
        self._level: FloatArray = np.full(n_bands, -np.inf)
        # Lowest levels in the current and in the previous stretch of the floor's memory, of shape (2, n_bands).
        self._lowest: FloatArray = np.full((2, n_bands), np.inf)
        self._frame = 0
        self._length: NDArray[np.int64] = np.zeros(n_bands, np.int64)
        # Sums over each decay of its levels, levels times frame numbers, and squared levels, all relative to its start.
        self._start: FloatArray = np.zeros(n_bands)
        self._sums: FloatArray = np.zeros((3, n_bands))

    @property
    def value(self) -> float | None:
        """Reverberation time in seconds, or None while too few decays have been heard."""
        total = self._histogram.sum()
        if total < self.config.min_evidence:
            return None
        cumulative = np.cumsum(self._histogram) / total
        return float(np.interp(self.config.quantile, cumulative, self.TIMES))

    def process(self, frames: ComplexArray) -> float | None:
        """Listen to the next frames.

        Parameters
        ----------
        frames
            Finite short-time spectra of shape (n_frames, n_bins, n_microphones); bins above the last band may be
            missing.

        Returns
        -------
        Reverberation time in seconds, or None while too few decays have been heard.
        """
        power = np.mean(frames.real**2 + frames.imag**2, axis=2)
        bands = np.add.reduceat(power, self._edges, axis=1)[:, :-1] / np.diff(self._edges)
        levels = 10 * np.log10(bands.astype(np.float64) + 1e-12)
        for level in levels:
            self._step(level)
        return self.value

    def _step(self, level: FloatArray) -> None:
        """Take in the levels of the next frame, of shape (n_bands,) in dB."""
        config = self.config
        if self._frame % round(config.floor_memory * FRAME_RATE) == 0:
            self._lowest = np.stack([level, self._lowest[0]])
        self._frame += 1
        self._lowest[0] = np.minimum(self._lowest[0], level)
        falls = (level < self._level + config.max_rise_db) & (level > self._lowest.min(axis=0) + config.margin_db)
        self._level = level
        self._vote(~falls & (self._length >= config.skipped_frames + config.min_frames))
        self._length = np.where(falls, self._length + 1, 0)
        position = self._length - config.skipped_frames - 1
        self._start = np.where(position > 0, self._start, level)
        fallen = level - self._start
        terms = np.stack([fallen, fallen * position, fallen**2])
        self._sums = np.where(position > 0, self._sums + terms, 0.0)

    def _vote(self, ended: NDArray[np.bool_]) -> None:
        """Let the decays in some bands, of shape (n_bands,), count; each as much as it is long."""
        if not ended.any():
            return
        total, moment, square = self._sums[:, ended]
        n = self._length[ended] - self.config.skipped_frames
        # Least squares on frame numbers 0 .. n - 1, whose variance is (n^2 - 1) / 12.
        spread = n * (n**2 - 1) / 12
        covariance = moment - (n - 1) / 2 * total
        slope = covariance / spread * FRAME_RATE
        residual = np.maximum(square - total**2 / n - covariance**2 / spread, 0.0)
        counts = np.sqrt(residual / n) < self.config.max_deviation_db
        counts &= -slope * n / FRAME_RATE > self.config.min_fall_db
        for time, weight in zip(-60 / slope[counts], n[counts], strict=True):
            self._histogram *= 1 - weight / self.config.memory
            self._histogram[np.searchsorted(self.TIMES[:-1], time)] += weight
