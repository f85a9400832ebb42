"""Where the microphones really are, from a recording of people who walk around the array and talk.

Stretches of direct speech give differences of arrival times between all pairs, by the maximum of the generalized
cross-correlation with phase transform (Knapp & Carter, 1976, table 1) near where the geometry expects it. Positions and
directions are then solved for together (`calibration_fit.py`). Polarity comes from the sign of the coherence at low
frequencies (`wiring.py`), and gains from the level of speech, averaged over all directions and the room.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hearing.arrays import SPEED_OF_SOUND, MicrophoneArray
from hearing.calibration_fit import ArrayFit, Fit, Priors
from hearing.direction_grid import DirectionGrid
from hearing.errors import InputError
from hearing.health import TICK, ChannelFault, ChannelHealth
from hearing.stft import FRAME_RATE, FREQUENCIES, HOP, ComplexArray, Stft
from hearing.types import AudioBlock
from hearing.wiring import CrossSpectra, PolarityTest, WiringConfig

FloatArray = NDArray[np.float64]

MIN_MICROPHONES = 4


@dataclass(frozen=True, slots=True)
class CalibrationConfig:
    """How to calibrate.

    Attributes
    ----------
    max_frequency
        Of the band in Hz that times are measured in.
    min_share
        Share of the band that must be direct sound for a stretch to count.
    min_power
        Steered response power that a stretch must reach with the nominal geometry, 1 being a plane wave.
    min_seconds
        Speech that is needed.
    min_span
        Radians of azimuth that the talkers must have covered.
    priors
        What is known before about positions and talkers.
    """

    max_frequency: float = 7000.0
    min_share: float = 0.05
    min_power: float = 0.25
    min_seconds: float = 10.0
    min_span: float = np.deg2rad(120.0)
    priors: Priors = field(default_factory=Priors)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What was found out about an array.

    Attributes
    ----------
    array
        The array as it was described.
    positions, standard_error
        Where the microphones are, in metres in the array frame, and how sure that is; of shape (n_microphones, 3).
    gains_db
        How much louder each microphone is than all on average, of shape (n_microphones,).
    polarity
        1, or -1 for a microphone with inverted polarity, of shape (n_microphones,).
    error_before, error_after
        Robust standard deviation of the differences of arrival times against the geometry, in seconds.
    times, angles
        Stream time in seconds of every stretch of speech, of shape (n_stretches,), and its azimuth and elevation in
        radians, of shape (n_stretches, 2).
    span
        Azimuth that the talkers covered, in radians.
    """

    array: MicrophoneArray
    positions: FloatArray
    standard_error: FloatArray
    gains_db: FloatArray
    polarity: NDArray[np.int8]
    error_before: float
    error_after: float
    times: FloatArray
    angles: FloatArray
    span: float


@dataclass(frozen=True, slots=True, eq=False)
class _Speech:
    """Stretches of speech.

    Attributes
    ----------
    times
        Seconds, of shape (n_stretches,).
    cross
        Cross-spectra weighted with the share of direct sound, of shape (n_stretches, n_pairs, n_bins).
    share
        That share, of shape (n_stretches, n_bins).
    power
        Above the noise, of shape (n_stretches, n_microphones).
    polarity
        1 or -1, of shape (n_microphones,).
    """

    times: FloatArray
    cross: ComplexArray
    share: FloatArray
    power: FloatArray
    polarity: NDArray[np.int8]


def calibrate(
    blocks: Iterable[AudioBlock], array: MicrophoneArray, config: CalibrationConfig | None = None
) -> Calibration:
    """Calibrate an array.

    Parameters
    ----------
    blocks
        The recording.
    array
        The microphones, approximately.
    config
        How to do it.

    Raises
    ------
    InputError
        If there is too little speech, from too few directions, if microphones are broken or exchanged, or if the array
        has too few or lies on a line.
    """
    config = config or CalibrationConfig()
    if array.n_microphones < MIN_MICROPHONES or len(array.axes) < 2:
        raise InputError(
            f"array {array.name}: sound calibrates at least {MIN_MICROPHONES} microphones that are not in one line; "
            "measure their places with a ruler"
        )
    return _Calibrator(array, config).run(blocks)


class _Calibrator:
    WINDOW = 3.0
    """Half width of the search for a peak, in standard deviations of the nominal difference."""
    LAGS = 61
    MIN_PEAK = 0.15
    ROUNDS = 3
    RIGID = 1e-6
    EMPHASIS = 2.0

    def __init__(self, array: MicrophoneArray, config: CalibrationConfig) -> None:
        self._array, self._config = array, config
        self._first, self._second = np.triu_indices(array.n_microphones, k=1)
        wiring = WiringConfig(max_frequency=config.max_frequency)
        self._spectra = CrossSpectra(wiring)
        self._omega = 2 * np.pi * self._spectra.frequencies
        # High frequencies part the direct sound from the reflections of floor and ceiling, which shorten all times.
        self._emphasis = (self._spectra.frequencies / config.max_frequency) ** self.EMPHASIS
        self._polarity = PolarityTest(array, self._spectra.frequencies, wiring)
        self._planar = len(array.axes) < 3
        self._priors = config.priors.for_plane() if self._planar else config.priors
        self._fit = ArrayFit(array.centred, self._priors)

    def run(self, blocks: Iterable[AudioBlock]) -> Calibration:
        speech = self._listen(blocks)
        angles, power = self._directions(speech)
        keep = power >= self._config.min_power
        self._check_amount(int(keep.sum()))
        speech = _Speech(
            speech.times[keep], speech.cross[keep], speech.share[keep], speech.power[keep], speech.polarity
        )
        span = _span(angles[keep, 0])
        if span < self._config.min_span:
            raise InputError(
                f"the talkers were heard from {np.rad2deg(span):.0f} degrees around the array, "
                f"{np.rad2deg(self._config.min_span):.0f} are needed; walk all the way around it while talking"
            )
        before, fit = self._solve(speech, angles[keep])
        gains = 10 * np.log10(np.mean(speech.power / speech.power.mean(axis=1, keepdims=True), axis=0) + 1e-12)
        return Calibration(
            array=self._array,
            positions=fit.positions + self._array.positions.mean(axis=0),
            standard_error=fit.standard_error,
            gains_db=gains - gains.mean(),
            polarity=speech.polarity,
            error_before=before / SPEED_OF_SOUND,
            error_after=fit.residual / SPEED_OF_SOUND,
            times=speech.times,
            angles=fit.angles,
            span=span,
        )

    def _check_amount(self, stretches: int) -> None:
        seconds = stretches * TICK / FRAME_RATE
        if seconds < self._config.min_seconds:
            raise InputError(
                f"{seconds:.1f} s of clear speech are too little, {self._config.min_seconds:g} s are needed; walk "
                "around the array for a minute while talking, 1 to 2 m away, in a quiet room"
            )

    def _listen(self, blocks: Iterable[AudioBlock]) -> _Speech:
        """Collect the stretches in which somebody speaks."""
        stft, health = Stft(self._array.n_microphones), ChannelHealth(self._array)
        band = slice(*np.searchsorted(FREQUENCIES, [300.0, 5000.0]))
        times, crosses, shares, powers, loud = [], [], [], [], []
        coherence: ComplexArray | float = 0.0
        report = None
        for number, samples in enumerate(_stretches(blocks)):
            frames = stft.process(samples)
            report = health.process(samples, frames)
            everything, direct, share = self._spectra.process(frames)
            powers.append((np.abs(frames[:, band]).astype(np.float64) ** 2).mean(axis=(0, 1)))
            loud.append(share.mean() >= self._config.min_share)
            if loud[-1]:
                times.append((number + 0.5) * TICK / FRAME_RATE)
                crosses.append(direct[:, self._first, self._second].T)
                shares.append(share)
                coherence = coherence + everything
        if report is not None:
            self._check_health(report.faults)
        self._check_amount(len(times))
        polarity = np.where(self._polarity.judge(np.asarray(coherence / np.float32(len(times)))) > 0, -1, 1)
        sign = (polarity[self._first] * polarity[self._second]).astype(np.float32)
        power = np.array(powers)
        above = np.maximum(power[loud] - np.percentile(power, 10, axis=0), 1e-3 * power[loud])
        return _Speech(
            np.array(times), np.array(crosses) * sign[:, None], np.array(shares), above, polarity.astype(np.int8)
        )

    @staticmethod
    def _check_health(faults: tuple[ChannelFault, ...]) -> None:
        """Refuse what cannot be calibrated; inverted polarity can."""
        broken = [fault.message for fault in faults if fault.kind != "inverted"]
        if broken:
            raise InputError(f"{'; '.join(dict.fromkeys(broken))}; then record again")

    def _directions(self, speech: _Speech) -> tuple[FloatArray, FloatArray]:
        """Find where speech comes from with the nominal geometry.

        Returns
        -------
        Azimuth and elevation of shape (n_stretches, 2), and the steered response power of shape (n_stretches,).
        """
        grid = DirectionGrid(self._array, 1500, np.deg2rad(60.0)).directions
        delays = self._array.delays(grid)
        difference = delays[:, self._first] - delays[:, self._second]
        steering = np.exp(1j * self._omega * difference[:, :, None]).reshape(len(grid), -1).astype(np.complex64)
        response = (speech.cross.reshape(len(speech.cross), -1) @ steering.T).real
        best = response.argmax(axis=1)
        azimuth, elevation = np.arctan2(grid[best, 1], grid[best, 0]), np.arcsin(grid[best, 2])
        if self._planar:
            elevation = np.full_like(azimuth, self._priors.elevation)
        power = response.max(axis=1) / (len(self._first) * speech.share.sum(axis=1))
        return np.stack([azimuth, elevation], axis=1), power

    def _solve(self, speech: _Speech, angles: FloatArray) -> tuple[float, Fit]:
        """Measure times and fit in turns, since a better geometry knows better where the peaks must be.

        Returns
        -------
        The misfit of the nominal geometry in metres, and the fit.
        """
        window = self.WINDOW * np.sqrt(2) * self._priors.position_spread
        rigid = ArrayFit(self._array.centred, replace(self._priors, position_spread=self.RIGID))
        fit = rigid.start(angles)
        fit = rigid.solve(*self._measure(speech, rigid.differences(fit), window), fit)
        before = fit.residual
        for _ in range(self.ROUNDS):
            fit = self._fit.solve(*self._measure(speech, self._fit.differences(fit), window), fit)
        return before, fit

    def _measure(self, speech: _Speech, expected: FloatArray, window: float) -> tuple[FloatArray, FloatArray]:
        """Measure the differences of paths by the peaks of the cross-correlations.

        Parameters
        ----------
        speech
            The stretches.
        expected
            What they should be in metres, of shape (n_stretches, n_pairs).
        window
            Metres around it in which to look.

        Returns
        -------
        Differences in metres and their weights, of shape (n_stretches, n_pairs).
        """
        lags = np.linspace(-window, window, self.LAGS)
        aligned = speech.cross * np.exp(1j * self._omega * (expected / SPEED_OF_SOUND)[..., None])
        phase = np.exp(1j * self._omega[:, None] * lags / SPEED_OF_SOUND)
        aligned *= self._emphasis / (speech.share @ self._emphasis)[:, None, None]
        correlation = aligned.real @ phase.real - aligned.imag @ phase.imag
        best = np.clip(correlation.argmax(axis=-1), 1, self.LAGS - 2)
        left, middle, right = (np.take_along_axis(correlation, (best + k)[..., None], -1)[..., 0] for k in (-1, 0, 1))
        bend = left - 2 * middle + right
        offset = np.where(bend < 0, (left - right) / np.where(bend < 0, 2 * bend, 1.0), 0.0)
        inside = (middle > self.MIN_PEAK) & (np.abs(offset) < 1) & (bend < 0)
        measured = expected + lags[best] + offset * (lags[1] - lags[0])
        return measured, np.where(inside, np.clip(middle, 0.0, 1.0), 0.0)


def _stretches(blocks: Iterable[AudioBlock]) -> Iterable[NDArray[np.float32]]:
    """Cut a recording into stretches of TICK hops; the rest is dropped."""
    size = TICK * HOP
    pending: list[NDArray[np.float32]] = []
    for block in blocks:
        pending.append(block.samples)
        if sum(map(len, pending)) >= size:
            samples = np.concatenate(pending)
            whole = len(samples) // size * size
            yield from np.split(samples[:whole], whole // size)
            pending = [samples[whole:]]


def _span(azimuths: FloatArray) -> float:
    """Angle that azimuths cover: the circle without its largest gap. A lone one is an echo and does not count."""
    counts, edges = np.histogram(azimuths % (2 * np.pi), bins=36, range=(0, 2 * np.pi))
    heard = edges[:-1][counts >= 2]
    if not len(heard):
        return 0.0
    gaps = np.diff(np.append(heard, heard[0] + 2 * np.pi))
    return float(2 * np.pi - gaps.max())
