"""Acoustic echo cancellation: take out of the microphones what the robot's own loudspeaker plays.

The playback is filtered as the room filters it, and subtracted: near-end speech passes untouched, whatever the filter
knows. A partitioned Kalman filter learns the room (`echo_filter.py`), behind the bulk delay of playback and converters
(`echo_delay.py`). What a linear filter cannot take out, such as a loudspeaker's distortion, is not muted here but
reported as a share of power per bin, for the stages behind to weigh.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from scipy.ndimage import uniform_filter1d

from hearing.echo_delay import DelayEstimator
from hearing.echo_filter import RADIANS, SILENCE, PartitionedKalmanFilter, padded_spectrum, power
from hearing.errors import InputError
from hearing.stft import FRAME, FRAME_RATE, HOP, N_BINS, WINDOW, ComplexArray
from hearing.types import Float32Array

REPLAY = 8
"""Hops after which every hop is learned from once more: diagonal covariances learn less from a hop than it holds."""
PATIENCE = round(FRAME_RATE)
"""Hops of playback after which the filter learns even if no delay is found, as with pure tones."""
DOUBT = 4.0
"""The first uncertainty over the power gain that was found: a filter learns faster if it is too unsure."""
SHADOW_MEMORY = 0.9
"""Share of the last hop's error powers that is kept when the two filters are compared."""
SHADOW_MARGIN = 0.8
"""Share of the first filter's error power that the shadow filter must stay below to be believed."""
TRUST_MEMORY = 0.95
"""Share of the last hop's powers that is kept when the microphones with and without echo are compared."""
RUIN = 2.0
"""Power after over before cancellation from which on a filter is worse than an empty one."""
LAG_RATE = 0.05
"""Weight of the newest hop in the lag between echo and estimate."""
DRIFT_RATE = 5e-4
"""Share of the lag by which the drift is corrected each hop."""
MAX_DRIFT = 1e-4 * HOP
"""Largest drift between the clocks of playback and microphones, in samples per hop."""
TRAIL = 0.75
"""Share of the echo's power that is still there a hop later."""
SPREAD = 9
"""Bins over which leakage is averaged."""
LEAKAGE_RATE = 0.02
"""Weight of the newest hop in the leakage."""


@dataclass(frozen=True, slots=True)
class EchoConfig:
    """How to cancel echoes.

    Attributes
    ----------
    length
        Seconds of room response that the filter holds.
    max_delay
        Longest bulk delay between playback and microphones in seconds.
    decay
        By how many decibels per hop the room response is expected to decay.
    forgetting
        Factor per hop by which the echo path is believed to stay as it is.
    shadow_forgetting
        The same for a second, quicker filter. Where it does better than the first, the path has changed.
    """

    length: float = 0.304
    max_delay: float = 0.2
    decay: float = 1.25
    forgetting: float = 0.9999
    shadow_forgetting: float = 0.997


@dataclass(frozen=True, slots=True)
class EchoFree:
    """The microphones without the robot's own voice.

    Attributes
    ----------
    samples
        Float32 array of shape (n_samples, n_microphones).
    residual
        Estimated share of residual echo in the power of each bin, averaged over microphones: float32 array of shape
        (n_hops, N_BINS) in [0, 1], aligned with the frames of `hearing.stft.Stft`.
    """

    samples: Float32Array
    residual: Float32Array


class EchoCanceller:
    """Streaming echo cancellation for all microphones at once.

    Parameters
    ----------
    n_microphones
        Number of microphones.
    n_playback
        Number of playback channels.
    config
        How to cancel.
    """

    latency = 0.0

    def __init__(self, n_microphones: int, n_playback: int = 1, config: EchoConfig | None = None) -> None:
        self.config = config or EchoConfig()
        self.n_microphones = n_microphones
        self.n_playback = n_playback
        self._n_partitions = max(1, round(self.config.length * FRAME_RATE))
        self._max_delay = int(np.ceil(self.config.max_delay * FRAME_RATE))
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        config = self.config
        profile = np.repeat(10 ** (-config.decay / 10 * np.arange(self._n_partitions)), self.n_playback)
        profile = (profile / profile.sum()).astype(np.float32)
        self._filter = PartitionedKalmanFilter(profile, self.n_microphones, config.forgetting)
        self._shadow = PartitionedKalmanFilter(profile, 1, config.shadow_forgetting, wandering=True)
        self._waited = 0
        self._gain = 0.0
        self._errors = np.zeros(2)
        self._lag = np.zeros(2)
        self._totals = np.zeros(2)
        self._trusted = 1.0
        self._delay = DelayEstimator(self._max_delay)
        reach = self._max_delay + self._n_partitions + REPLAY
        self._spectra: ComplexArray = np.zeros((reach, self.n_playback, N_BINS), np.complex64)
        self._powers: Float32Array = np.zeros(self._spectra.shape, np.float32)
        self._playback: Float32Array = np.zeros((self.n_playback, FRAME), np.float32)
        self._heard: Float32Array = np.zeros((REPLAY + 1, self.n_microphones, HOP), np.float32)
        self._silent_hops = reach + 1
        self._residual = _ResidualEcho(self.n_microphones)

    @property
    def delay(self) -> float:
        """Seconds between playback and the first echo that the filter models."""
        return self._delay.delay / FRAME_RATE

    def process(self, samples: Float32Array, playback: Float32Array) -> EchoFree:
        """Cancel the echo in the next stretch of the stream.

        Parameters
        ----------
        samples
            Of shape (n_hops * HOP, n_microphones).
        playback
            What was played meanwhile, full scale is 1, of shape (n_hops * HOP, n_playback).

        Raises
        ------
        InputError
            If the shapes do not fit.
        """
        if samples.shape[1:] != (self.n_microphones,) or len(samples) % HOP:
            raise InputError(f"samples of shape {samples.shape}: give (n_hops * {HOP}, {self.n_microphones})")
        if playback.shape != (len(samples), self.n_playback):
            raise InputError(f"playback of shape {playback.shape}: give {(len(samples), self.n_playback)}")
        cleaned = samples.astype(np.float32)
        residual = np.zeros((len(samples) // HOP, N_BINS), np.float32)
        for hop, share in enumerate(residual):
            stretch = slice(hop * HOP, (hop + 1) * HOP)
            self._silent_hops = 0 if playback[stretch].any() else self._silent_hops + 1
            heard = np.ascontiguousarray(cleaned[stretch].T)
            if self._silent_hops > len(self._spectra):
                self._residual.skip(heard)
                continue
            self._advance(heard, playback[stretch].T)
            output, share[:] = self._cancel(heard)
            cleaned[stretch] = output.T
        return EchoFree(cleaned, residual)

    def _advance(self, heard: Float32Array, playback: Float32Array) -> None:
        """Take in a hop of shapes (n_microphones, HOP) and (n_playback, HOP), and follow the delay."""
        self._playback = np.concatenate([self._playback[:, HOP:], playback.astype(np.float32)], axis=1)
        self._spectra[1:] = self._spectra[:-1]
        self._spectra[0] = scipy.fft.rfft(self._playback, axis=-1)
        self._powers[1:] = self._powers[:-1]
        self._powers[0] = power(self._spectra[0])
        self._heard[1:] = self._heard[:-1]
        self._heard[0] = heard
        lags = self._spectra[: self._max_delay + 1].sum(axis=1)
        grown = self._delay.process(lags, heard.sum(axis=0) / self.n_microphones)
        if grown:
            for adaptive in (self._filter, self._shadow):
                adaptive.shift(grown * self.n_playback)
        self._doubt(moved=grown != 0)

    def _doubt(self, moved: bool) -> None:
        """Set the uncertainty by the gain as long as that is being found out, and after a move."""
        self._waited += 1
        early = self._waited < PATIENCE and self._delay.known
        late = self._waited >= PATIENCE and self._gain == 0
        if moved or late or (early and self._delay.gain > 1.5 * self._gain):
            self._gain = self._delay.gain
            for adaptive in (self._filter, self._shadow):
                adaptive.doubt(DOUBT * self._gain)

    def _cancel(self, heard: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Clean the newest hop, and learn from it and from an older one.

        Parameters
        ----------
        heard
            Of shape (n_microphones, HOP).

        Returns
        -------
        The clean hop of the same shape, and the share of residual echo, of shape (N_BINS,).
        """
        now, before = self._view(0), self._view(REPLAY)
        echo = self._filter.echo(now[0])
        error = heard - echo
        missed = self._filter.learn(*now, error)
        middle = heard.sum(axis=0, keepdims=True) / len(heard)
        shadow_error = middle - self._shadow.echo(now[0])
        self._shadow.learn(*now, shadow_error)
        self._compare(error, shadow_error)
        self._follow_clock(echo, error)
        self._filter.learn(*before, self._heard[REPLAY] - self._filter.echo(before[0]))
        output = heard - echo * self._trust(heard, error)
        share = self._residual.process(output, echo, missed)
        # As long as no delay is known, all of it may be echo.
        searching = self._waited < PATIENCE and not self._delay.known
        return output, np.ones_like(share) if searching else share

    def _compare(self, error: Float32Array, shadow_error: Float32Array) -> None:
        """Believe that the path has changed if the shadow filter does better.

        Raising the uncertainty is how Yang, Enzner & Yang (2017), "Frequency-domain adaptive Kalman filter with fast
        recovery of abrupt echo-path changes", recover, too.
        """
        self._errors *= SHADOW_MEMORY
        self._errors += np.sum((error.sum(axis=0) / len(error)) ** 2), np.sum(shadow_error**2)
        if self._errors[1] < SHADOW_MARGIN * self._errors[0]:
            self._filter.uncertainty = np.maximum(self._filter.uncertainty, self._shadow.uncertainty)

    def _follow_clock(self, echo: Float32Array, error: Float32Array) -> None:
        """Estimate by how much playback and microphones drift apart each hop, from shapes (n_microphones, HOP).

        An echo that comes late by a lag leaves an error of -j omega lag times itself. Least squares over bins give the
        lag; its integral is the drift, as in a phase-locked loop whose other branch is the adaptive filter.
        """
        echo_spectrum, error_spectrum = padded_spectrum(np.stack([echo, error]))
        cross = np.sum((echo_spectrum.conj() * error_spectrum).imag, axis=0)
        self._lag *= 1 - LAG_RATE
        self._lag += -RADIANS @ cross, RADIANS**2 @ power(echo_spectrum).sum(axis=0)
        drift = self._shadow.drift + DRIFT_RATE * self._lag[0] / (self._lag[1] + SILENCE)
        self._shadow.drift = float(np.clip(drift, -MAX_DRIFT, MAX_DRIFT))
        self._filter.drift = self._shadow.drift / 2  # It learns twice each hop.

    def _trust(self, heard: Float32Array, error: Float32Array) -> Float32Array:
        """Return the gain of the echo estimate, of shape (HOP,): it fades out while subtracting it makes things worse.

        That happens when the playback is not heard at all and the filter has learned from the near end only. If it
        makes things much worse, as when the playback was too faint to learn from and now is loud, the filter starts
        anew.
        """
        self._totals *= TRUST_MEMORY
        self._totals += np.sum(heard**2), np.sum(error**2)
        before, self._trusted = self._trusted, float(self._totals[1] <= self._totals[0])
        if self._totals[1] > RUIN * self._totals[0]:
            self._filter.restart()
            self._shadow.restart()
            self._waited, self._gain = 0, 0.0
            self._totals[:] = 0
        return np.linspace(before, self._trusted, HOP, dtype=np.float32)

    def _view(self, age: int) -> tuple[ComplexArray, Float32Array]:
        """Return what the filter sees of the playback, of shape (n_partitions * n_playback, N_BINS), and its power."""
        first = self._delay.delay + age
        rows = slice(first, first + self._n_partitions)
        return self._spectra[rows].reshape(-1, N_BINS), self._powers[rows].reshape(-1, N_BINS)


class _ResidualEcho:
    """Estimate the echo that is left: what the filter is unsure of, and what no linear filter can know.

    The Kalman filter's own uncertainty covers the first. For the second, regression of the output's magnitude on that
    of the estimated echo, both without their means, gives the leakage whatever the near end does (Valin, 2007, "On
    adjusting the learning rate in frequency domain echo cancellation with double-talk", does so with powers). The
    estimated echo is spread to later hops and neighbouring bins: there are the end of the reverberation, which the
    filter does not hold, and the products of a distorting loudspeaker.
    """

    def __init__(self, n_microphones: int) -> None:
        self._last: Float32Array = np.zeros((2, n_microphones, HOP), np.float32)
        self._trail: Float32Array = np.zeros(N_BINS, np.float32)
        self._means: Float32Array = np.zeros((2, N_BINS), np.float32)
        self._moments: Float32Array = np.zeros((2, N_BINS), np.float32)

    def skip(self, heard: Float32Array) -> None:
        """Take in a hop without echo, of shape (n_microphones, HOP)."""
        self._last[0], self._last[1] = heard, 0
        self._trail[:] = 0

    def process(self, output: Float32Array, echo: Float32Array, missed: Float32Array) -> Float32Array:
        """Return the share of residual echo in the power of each bin, of shape (N_BINS,).

        Parameters
        ----------
        output, echo
            Newest hop, of shape (n_microphones, HOP).
        missed
            Power of the echo that the filter expects to miss in the newest frame, of shape (N_BINS,).
        """
        newest = np.stack([output, echo])
        spectra = scipy.fft.rfft(np.concatenate([self._last, newest], axis=-1) * WINDOW, axis=-1)
        self._last = newest
        heard, played = power(spectra).sum(axis=1) / np.float32(len(output))
        self._trail = TRAIL * self._trail + (1 - TRAIL) * _spread(played)
        played = np.maximum(played, self._trail)
        pair = np.sqrt(np.stack([heard, played]))
        self._means += LEAKAGE_RATE * (pair - self._means)
        deviations = pair - self._means
        self._moments += LEAKAGE_RATE * (deviations * deviations[1] - self._moments)
        covariance, variance = _spread(self._moments)
        leakage = (covariance / (variance + SILENCE)).clip(0, 1) ** 2
        share: Float32Array = np.minimum((leakage * played + missed) / (heard + SILENCE), 1)
        return share


def _spread(powers: Float32Array) -> Float32Array:
    """Average over neighbouring bins."""
    spread: Float32Array = uniform_filter1d(powers, SPREAD, axis=-1, mode="nearest")
    return spread
