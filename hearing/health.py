"""Which microphones can be trusted: a streaming self-check.

Every quarter of a second each channel is judged on its own samples, on its level against the other channels, and on its
phases against the geometry (`wiring.py`). A fault is believed after it has shown for some time, and so is its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hearing.arrays import MicrophoneArray
from hearing.stft import FRAME, FREQUENCIES, HOP, N_BINS, ComplexArray
from hearing.types import SAMPLE_RATE, Float32Array
from hearing.wiring import CrossSpectra, ExchangeTest, PolarityTest, WiringConfig

BoolArray = NDArray[np.bool_]
Verdict = NDArray[np.int8]
"""1 where something speaks for a fault, -1 where it speaks against it, 0 where nothing can be told."""
FaultKind = Literal["dead", "silent", "clipped", "noisy", "inverted", "swapped"]

MIN_USABLE = 2
"""So many channels are never excluded, since fewer have no directions."""
TICK = 16
"""Hops that are judged at once: 0.256 s."""


@dataclass(frozen=True, slots=True)
class HealthConfig:
    """When a channel is at fault.

    Attributes
    ----------
    confirm, confirm_exchange, recover
        Seconds of evidence until a fault is believed, until exchanged channels are, which takes evidence of several
        directions before, and until a fault is taken to be over.
    silent_db
        Decibels below the other channels.
    noisy_db, noisy_coherence
        Decibels above the others, and the mean squared coherence with them below which these are no near machine's.
    clipped_share
        Share of a channel's samples that clip.
    wiring
        How polarity and exchanged channels are judged.
    """

    confirm: float = 1.25
    confirm_exchange: float = 0.5
    recover: float = 3.0
    silent_db: float = 20.0
    noisy_db: float = 12.0
    noisy_coherence: float = 0.2
    clipped_share: float = 2e-3
    wiring: WiringConfig = field(default_factory=WiringConfig)


@dataclass(frozen=True, slots=True)
class ChannelFault:
    """What is wrong with a microphone.

    Attributes
    ----------
    channel
        Index of the channel, or None if it concerns the array as a whole.
    kind
        What it is.
    since
        Stream time in seconds at which it first showed.
    message
        One line: what, where, and how to mend it. Channels are counted from 1 in it.
    """

    channel: int | None
    kind: FaultKind
    since: float
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class HealthReport:
    """The state of the microphones.

    Attributes
    ----------
    usable
        Which channels are fit for use, of shape (n_microphones,); at least `MIN_USABLE` are.
    faults
        What is wrong, worst first. A faulty channel is usable if it is needed, or if leaving it out would not help.
    """

    usable: BoolArray
    faults: tuple[ChannelFault, ...] = ()


class Hysteresis:
    """Faults that are believed, and no longer believed, after some time of evidence.

    Parameters
    ----------
    size
        Number of things that may be at fault.
    confirm, recover
        Seconds of evidence that it takes.

    Attributes
    ----------
    active
        Which faults are believed, of shape (size,).
    suspected
        Share of the evidence needed, in [0, 1], of shape (size,).
    since
        Stream time in seconds at which each came under suspicion, of shape (size,).
    """

    def __init__(self, size: int, confirm: float, recover: float) -> None:
        self._confirm, self._recover = confirm, recover
        self.active: BoolArray = np.zeros(size, np.bool_)
        self.suspected: NDArray[np.float64] = np.zeros(size)
        self.since: NDArray[np.float64] = np.zeros(size)

    def update(self, verdict: Verdict, now: float) -> None:
        """Take in the verdict of shape (size,) on the tick that ends at stream time `now`."""
        duration = TICK * HOP / SAMPLE_RATE
        self.since = np.where(self.suspected > 0, self.since, now - duration)
        step = np.where(verdict > 0, duration / self._confirm, np.where(verdict < 0, -duration / self._recover, 0.0))
        self.suspected = np.clip(self.suspected + step, 0.0, 1.0)
        self.active = (self.suspected >= 1.0 - 1e-9) | (self.active & (self.suspected > 1e-9))


class ChannelHealth:
    """Streaming self-check of the microphones.

    Parameters
    ----------
    array
        The microphones as they should be.
    config
        When a channel is at fault.
    """

    latency = 0.0

    LEVEL_BAND = slice(*np.searchsorted(FREQUENCIES, [300.0, 6000.0]))
    FULL_SCALE = 0.99
    FLAT_FROM = 0.1
    """Equal samples at a peak below this are a weak signal's few steps, not clipping."""
    ALIVE = 1.2e-4
    """Peak to peak, four steps of 16 bits: with less in the room nobody can tell a dead channel."""
    FLOOR = 1e-12
    HYSTERESIS_DB = 6.0

    def __init__(self, array: MicrophoneArray, config: HealthConfig | None = None) -> None:
        self.array = array
        self.config = config or HealthConfig()
        self._spectra = CrossSpectra(self.config.wiring)
        self._polarity = PolarityTest(array, self._spectra.frequencies, self.config.wiring)
        self._exchange = ExchangeTest(array, self._spectra.frequencies, self.config.wiring)
        self.reset()

    def reset(self) -> None:
        """Start a new stream: all microphones are trusted again."""
        size, confirm, recover = self.array.n_microphones, self.config.confirm, self.config.recover
        self._spectra.reset()
        self._exchange.reset()
        self._dead, self._silent = Hysteresis(size, confirm, recover), Hysteresis(size, confirm, recover)
        self._clipped, self._noisy = Hysteresis(size, confirm, recover), Hysteresis(size, confirm, recover)
        self._inverted = Hysteresis(size, confirm, recover)
        self._overdriven = Hysteresis(1, confirm, recover)
        self._swapped = Hysteresis(len(self._exchange.candidates), self.config.confirm_exchange, recover)
        self._samples: Float32Array = np.zeros((0, size), np.float32)
        self._frames: ComplexArray = np.zeros((0, N_BINS, size), np.complex64)
        self._proof: NDArray[np.float64] = np.full(size, np.inf)
        self._below: NDArray[np.float64] = np.zeros(size)
        self._ticks = 0
        self._report = HealthReport(np.ones(size, np.bool_))

    def process(self, samples: Float32Array, frames: ComplexArray) -> HealthReport:
        """Judge the next stretch of the stream.

        Parameters
        ----------
        samples
            Of shape (n_hops * HOP, n_microphones).
        frames
            Their short-time spectra from `Stft`, of shape (n_hops, N_BINS, n_microphones).

        Returns
        -------
        What is known now.
        """
        self._samples = np.concatenate([self._samples, samples])
        self._frames = np.concatenate([self._frames, frames])
        while len(self._frames) >= TICK:
            self._judge(self._samples[: TICK * HOP], self._frames[:TICK])
            self._samples, self._frames = self._samples[TICK * HOP :], self._frames[TICK:]
        return self._report

    def _judge(self, samples: Float32Array, frames: ComplexArray) -> None:
        self._ticks += 1
        now = self._ticks * TICK * HOP / SAMPLE_RATE
        everything, direct, share = self._spectra.process(frames)
        self._judge_samples(samples, now)
        self._judge_levels(frames, everything, now)
        self._judge_wiring(everything, direct, share, now)
        self._report = HealthReport(self._usable(), tuple(self._faults()))

    def _judge_samples(self, samples: Float32Array, now: float) -> None:
        """Look for channels that are constant, and for flat tops."""
        signals = np.ascontiguousarray(samples.T)
        high, low = signals.max(axis=1), signals.min(axis=1)
        span, peak = high - low, np.maximum(high, -low)
        heard = np.sort(span)[len(span) // 2] > self.ALIVE
        self._dead.update(np.where(span > 0, -1, int(heard)).astype(np.int8), now)
        clips = np.zeros(len(peak), np.bool_)
        if peak.max() >= self.FLAT_FROM:
            size = np.abs(signals)
            still = signals[:, 1:] == signals[:, :-1]
            flat = still[:, 1:] & still[:, :-1] & (size[:, 1:-1] >= 0.9 * np.maximum(peak, self.FLAT_FROM)[:, None])
            count = np.maximum(flat.sum(axis=1), (size >= self.FULL_SCALE).sum(axis=1))
            clips = (count > self.config.clipped_share * len(samples)) & (span > 0)
        # What most channels have in common is no fault of a microphone. With two, nobody knows.
        common = clips.mean() > 0.5
        self._overdriven.update(np.array([1 if common else -1], np.int8), now)
        self._clipped.update(np.where(clips, int(not common), -1).astype(np.int8), now)

    def _judge_levels(self, frames: ComplexArray, everything: ComplexArray, now: float) -> None:
        """Compare with the upper median of all levels, which a near machine and a few broken channels leave alone."""
        band = frames[:, self.LEVEL_BAND]
        power = (band.real**2 + band.imag**2).mean(axis=(0, 1)) / (FRAME / 2)
        level = 10 * np.log10(power.astype(np.float64) + self.FLOOR)
        usual = np.sort(level)[len(level) // 2]
        above = level - usual
        quiet = above < -self.config.silent_db
        # In the noise of the microphones all are alike: the end shows only in sound in which the fault has shown.
        self._proof = np.where(quiet, np.minimum(self._proof, usual), self._proof)
        back = (above > self.HYSTERESIS_DB - self.config.silent_db) & (usual >= self._proof)
        self._silent.update(np.where(quiet, 1, np.where(back, -1, 0)).astype(np.int8), now)
        self._proof[self._silent.suspected == 0] = np.inf
        self._below = np.where(quiet, -above, self._below)

        others = max(len(level) - 1, 1)
        coherence = ((np.abs(everything) ** 2).mean(axis=0).sum(axis=1) - 1) / others
        alone = (above > self.config.noisy_db) & (coherence < self.config.noisy_coherence)
        fine = above < self.config.noisy_db - self.HYSTERESIS_DB
        self._noisy.update(np.where(alone, 1, np.where(fine, -1, 0)).astype(np.int8), now)

    def _judge_wiring(
        self, everything: ComplexArray, direct: ComplexArray, share: NDArray[np.float64], now: float
    ) -> None:
        """Compare the phases of the channels that carry sound with the geometry."""
        sound = ~(self._dead.active | self._silent.active | self._clipped.active | self._noisy.active)
        inverted = self._polarity.judge(everything * (sound[:, None] & sound))
        self._inverted.update(inverted, now)
        if share.mean() < self.config.wiring.min_share:
            return
        sign = np.where((inverted > 0) | ((inverted == 0) & self._inverted.active), -1, 1) * sound
        believed = self._swapped.active
        verdict = self._exchange.judge(direct * (sign[:, None] * sign).astype(np.float32), share)
        # Against an array with two channels exchanged, other exchanges are no longer judged fairly.
        self._swapped.update(np.where(believed | ~believed.any(), verdict, -1).astype(np.int8), now)
        for candidate in np.flatnonzero(believed & ~self._swapped.active):
            self._exchange.forget(int(candidate))

    def _usable(self) -> BoolArray:
        """Leave out what is at fault, the worst first, as long as enough channels remain."""
        usable = np.ones(self.array.n_microphones, np.bool_)
        groups = [
            [channel]
            for faults in (self._dead, self._silent, self._clipped, self._noisy, self._inverted)
            for channel in np.flatnonzero(faults.active)
        ]
        # Where mirror images leave open which two are exchanged, none is excluded.
        exchanged = [self._exchange.candidates[index] for index in np.flatnonzero(self._swapped.active)]
        groups += [list(pairs[0]) for pairs in exchanged if len(pairs) == 1]
        for group in groups:
            rest = usable.copy()
            rest[group] = False
            if rest.sum() >= MIN_USABLE:
                usable = rest
        return usable

    def _faults(self) -> Iterator[ChannelFault]:
        """Say what is wrong. Of a channel's own faults only the worst is named, since it causes the others."""
        named: set[int] = set()
        mend: dict[FaultKind, tuple[Hysteresis, str]] = {
            "dead": (self._dead, "is dead, its samples never change: check its connection, or replace the microphone"),
            "silent": (self._silent, "is {below:.0f} dB quieter than the others: uncover it, check its gain and cable"),
            "clipped": (self._clipped, "clips while others do not: lower its gain, or replace the microphone"),
            "noisy": (self._noisy, "makes a noise that no other hears: check its cable, shield and wind screen"),
            "inverted": (self._inverted, "has inverted polarity: swap its two wires"),
        }
        for kind, (faults, text) in mend.items():
            for channel in map(int, np.flatnonzero(faults.active)):
                if channel not in named:
                    named.add(channel)
                    message = f"channel {channel + 1} {text.format(below=self._below[channel])}"
                    yield ChannelFault(channel, kind, float(faults.since[channel]), message)
        if self._overdriven.active[0]:
            message = "most channels clip at the same time: lower the gain of the array"
            yield ChannelFault(None, "clipped", float(self._overdriven.since[0]), message)
        for index in np.flatnonzero(self._swapped.active):
            pairs = self._exchange.candidates[index]
            text = ", or ".join(f"{first + 1} and {second + 1}" for first, second in pairs)
            message = (
                f"channels {text} are exchanged against array {self.array.name}: exchange their plugs, or their rows "
                "in the array file"
            )
            for channel in sorted({channel for pair in pairs for channel in pair}):
                yield ChannelFault(channel, "swapped", float(self._swapped.since[index]), message)
