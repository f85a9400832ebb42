"""Dereverberation of all microphones at once: online weighted prediction error, WPE.

What reverberates now sounded before: late reverberation is predicted from frames that lie some time back, and
subtracted (Nakatani et al., 2010). One filter per bin, from a few microphones to every microphone, serves all sources
and leaves the phases between microphones as they are (Yoshioka and Nakatani, 2012), so that localization and
beamforming work on the result. The filters minimise the prediction error weighted by the inverse of the speech's power,
over an exponentially forgotten past (Caroselli et al., 2017).

Recursive least squares would update an inverse covariance in every frame. Here the covariance itself is averaged, and
the equations are solved every few frames: the same minimum, but it costs less, since a block of frames is one matrix
product, and nothing can blow up: what is averaged is bounded because the weights are, and before every solution it is
loaded anew by far more than rounding can do to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hearing.reverberation_time import ReverberationTime, ReverberationTimeConfig
from hearing.stft import FRAME_RATE, FREQUENCIES, ComplexArray
from hearing.types import Float32Array


@dataclass(frozen=True, slots=True)
class DereverberationConfig:
    """How to dereverberate.

    Attributes
    ----------
    max_regressors
        Microphones to predict from, at most; predicted are all.
    taps
        Frames to predict from.
    delay
        Frames between the newest of these and the predicted one. The speech of frames that overlap is alike, and would
        be cancelled.
    max_frequency
        Hz; above, the room absorbs more and speech has little energy.
    update_period
        Frames from one solution for the filters to the next.
    forgetting
        Time constant in seconds of the statistics.
    smoothing
        Weight from 0 to 1 of the past in the smoothed power of the dereverberated speech.
    dynamic_range
        The power is taken to be at least that of the frames to predict from divided by this: rooms do not fall silent
        faster, and it bounds the statistics.
    loading
        Frames of white noise that are always part of the statistics: filters are small until there is evidence.
    relative_loading
        White noise in the statistics as a share of all: it keeps the equations well conditioned.
    on_above, off_below
        Reverberation times in seconds: above the one dereverberation fades in, below the other it fades out. Before
        the room is known it is on.
    fade
        Seconds that fading in or out takes.
    reverberation_time
        How to estimate the reverberation time.
    """

    max_regressors: int = 4
    taps: int = 4
    delay: int = 2
    max_frequency: float = 4000.0
    update_period: int = 4
    forgetting: float = 5.0
    smoothing: float = 0.5
    dynamic_range: float = 1e3
    loading: float = 1.0
    relative_loading: float = 1e-3
    on_above: float = 0.35
    off_below: float = 0.3
    fade: float = 0.5
    reverberation_time: ReverberationTimeConfig = field(default_factory=ReverberationTimeConfig)


@dataclass(frozen=True, slots=True)
class WpeStatistics:
    """What the filters follow from.

    Attributes
    ----------
    covariance
        Weighted covariance of the regressors, of shape (n_bins, n_regressors, n_regressors).
    correlation
        Weighted correlation of regressors and microphones, of shape (n_bins, n_regressors, n_mics).
    """

    covariance: ComplexArray
    correlation: ComplexArray

    @classmethod
    def zero(cls, n_bins: int, n_regressors: int, n_microphones: int) -> WpeStatistics:
        """Make the statistics of nothing heard yet."""
        return cls(
            np.zeros((n_bins, n_regressors, n_regressors), np.complex64),
            np.zeros((n_bins, n_regressors, n_microphones), np.complex64),
        )


def update_statistics(
    statistics: WpeStatistics,
    regressors: ComplexArray,
    microphones: ComplexArray,
    weights: Float32Array,
    forgetting: float,
) -> WpeStatistics:
    """Take a block of frames into the statistics (Yoshioka and Nakatani, 2012; Caroselli et al., 2017).

    Parameters
    ----------
    statistics
        Those before the block.
    regressors
        Past frames that predict, of shape (n_frames, n_bins, n_regressors).
    microphones
        What they are to predict, of shape (n_frames, n_bins, n_mics).
    weights
        Inverse power of the speech, of shape (n_frames, n_bins).
    forgetting
        Share of the old statistics that is kept.

    Returns
    -------
    Statistics after the block.
    """
    past = regressors.transpose(1, 2, 0)
    weighted = past.conj() * weights.T[:, None]
    keep = np.float32(forgetting)
    return WpeStatistics(
        keep * statistics.covariance + weighted @ past.transpose(0, 2, 1),
        keep * statistics.correlation + weighted @ microphones.transpose(1, 0, 2),
    )


def solve_filters(statistics: WpeStatistics, loading: float, relative_loading: float) -> ComplexArray:
    """Find the filters that minimise the weighted prediction error.

    Parameters
    ----------
    statistics
        What was heard.
    loading, relative_loading
        Added to the diagonal of the covariance: absolutely, more than 0, and as a share of the diagonal's mean.

    Returns
    -------
    Filters of shape (n_bins, n_regressors, n_mics); the prediction is `regressors @ filters`.
    """
    n = statistics.covariance.shape[-1]
    load = loading + relative_loading * np.trace(statistics.covariance, axis1=1, axis2=2).real / n
    loaded = statistics.covariance + load[:, None, None] * np.eye(n, dtype=np.float32)
    filters: ComplexArray = np.linalg.solve(loaded.astype(np.complex64), statistics.correlation)
    return filters


class Dereverberator:
    """Streaming dereverberation of all microphones, for as long as the room needs it.

    Parameters
    ----------
    n_microphones
        Number of microphones.
    config
        How to dereverberate.

    Raises
    ------
    ValueError
        If the reverberation time is to be estimated in bands that are not dereverberated.
    """

    latency = 0.0
    SILENCE = 1e-9
    """Power of a bin below which nothing can be learned: far less than 16 bits resolve."""
    LIMIT = 1e4
    """Magnitude of a bin beyond anything that microphones deliver; full scale is about 300."""

    def __init__(self, n_microphones: int, config: DereverberationConfig | None = None) -> None:
        self.config = config or DereverberationConfig()
        if self.config.reverberation_time.edges[-1] > self.config.max_frequency:
            raise ValueError("the bands of the reverberation time must end below max_frequency")
        n_chosen = min(n_microphones, self.config.max_regressors)
        # Neighbours have the least to add to each other.
        self._chosen = np.arange(n_chosen) * n_microphones // n_chosen
        self._n_microphones = n_microphones
        self._n_bins = int(np.searchsorted(FREQUENCIES, self.config.max_frequency, side="right"))
        self._forgetting = float(np.exp(-self.config.update_period / (self.config.forgetting * FRAME_RATE)))
        self._reverberation_time = ReverberationTime(self.config.reverberation_time)
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        config, n_bins, n = self.config, self._n_bins, self._n_microphones
        n_regressors = len(self._chosen) * config.taps
        self._statistics = WpeStatistics.zero(n_bins, n_regressors, n)
        self._filters: ComplexArray = np.zeros((n_bins, n_regressors, n), np.complex64)
        # Newest first, so that the regressors of a frame are one contiguous stretch.
        self._past: ComplexArray = np.zeros((config.delay + config.taps, n_bins, len(self._chosen)), np.complex64)
        self._power: Float32Array = np.zeros(n_bins, np.float32)
        # The block that is being collected: regressors, microphones and weights of each frame.
        self._block: list[tuple[ComplexArray, ComplexArray, Float32Array]] = []
        self._reverberation_time.reset()
        self._on = True
        self._gain = 1.0

    @property
    def reverberation_time(self) -> float | None:
        """Reverberation time of the room in seconds, or None before it is known."""
        return self._reverberation_time.value

    def process(self, frames: ComplexArray) -> ComplexArray:
        """Dereverberate the next frames.

        Parameters
        ----------
        frames
            Short-time spectra of shape (n_frames, N_BINS, n_microphones).

        Returns
        -------
        Frames of the same shape.
        """
        output = frames.copy()
        # Rounding depends on the order in memory; a result must not.
        band = np.ascontiguousarray(frames[:, : self._n_bins])
        # A converter that fails must not poison what was learned; not a number is not below the limit either.
        band = np.where(np.abs(band) < self.LIMIT, band, np.complex64(0))
        for number, frame in enumerate(band):
            self._gain = self._faded()
            output[number, : self._n_bins] -= np.float32(self._gain) * self._predict(frame)
            if len(self._block) == self.config.update_period:
                self._learn()
        return output

    def _predict(self, frame: ComplexArray) -> ComplexArray:
        """Predict the late reverberation in the next frame of shape (n_bins, n_microphones), and keep it to learn."""
        self._past = np.concatenate([frame[None, :, self._chosen], self._past[:-1]])
        regressors = self._past[self.config.delay :].transpose(1, 0, 2).reshape(self._n_bins, -1)
        prediction: ComplexArray = (regressors[:, None] @ self._filters)[:, 0]
        speech = frame - prediction
        self._power += np.float32(1 - self.config.smoothing) * (_mean_power(speech) - self._power)
        floor = _mean_power(regressors) / np.float32(self.config.dynamic_range) + np.float32(self.SILENCE)
        self._block.append((regressors, frame, 1 / np.maximum(self._power, floor)))
        return prediction

    def _learn(self) -> None:
        """Take the collected block into the statistics and solve for the filters."""
        regressors, microphones, weights = (np.stack(parts) for parts in zip(*self._block, strict=True))
        self._block = []
        self._statistics = update_statistics(self._statistics, regressors, microphones, weights, self._forgetting)
        self._filters = solve_filters(self._statistics, self.config.loading, self.config.relative_loading)
        reverberation_time = self._reverberation_time.process(microphones)
        if reverberation_time is not None:
            self._on = reverberation_time > (self.config.off_below if self._on else self.config.on_above)

    def _faded(self) -> float:
        """Return the next gain on the way to being on or off."""
        step = 1 / (self.config.fade * FRAME_RATE)
        return min(1.0, self._gain + step) if self._on else max(0.0, self._gain - step)


def _mean_power(values: ComplexArray) -> Float32Array:
    """Average the power over the last axis."""
    power: Float32Array = np.mean(values.real**2 + values.imag**2, axis=-1)
    return power
