"""How somebody's voice goes: loudness, pitch, timbre and how fast it changes, every 0.1 s.

Turns end with a fall or rise of pitch, less level and a lengthened last syllable, and hesitations are held at one
pitch; hummed backchannels have hardly any high frequencies (Gravano & Hirschberg 2011, Turn-taking cues in
task-oriented dialogue). Lengthening is seen as a spectrum that changes little while there is voice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, Float32Array

TICK = SAMPLE_RATE // 10
"""Samples of a tick: everything about the floor is told every 0.1 s."""
_TALKING_HOP = 256
_WINDOW, _HOP, _FFT = 640, 320, 2048
_HANN = np.hanning(_WINDOW)
_HANN_CORRELATION = np.fft.irfft(np.abs(np.fft.rfft(_HANN, _FFT)) ** 2)
_LOWEST, _HIGHEST = 70.0, 400.0
_VOICED = 0.45
_OCTAVE_COST = 0.02
_SETTLE = 30.0
_BANDS = np.array([100, 300, 600, 1000, 1600, 2400, 3400, 5000, 7600]) * _FFT // SAMPLE_RATE
_EPSILON = 1e-10


@dataclass(frozen=True, slots=True)
class Prosody:
    """A tenth of a second of a voice. All but `voice` are 0 where there is none.

    Attributes
    ----------
    voice
        Share of the tick in which the person talks.
    level
        In units of 10 dB over the person's mean.
    pitch
        In units of half an octave over the person's mean; 0 without pitch.
    voiced
        Share of the talking that has a pitch.
    tilt
        Energy above 2 kHz over that below 1 kHz, in units of 20 dB.
    change
        How much the spectrum changes, in units of 10 dB per 20 ms.
    """

    voice: float = 0.0
    level: float = 0.0
    pitch: float = 0.0
    voiced: float = 0.0
    tilt: float = 0.0
    change: float = 0.0

    @property
    def values(self) -> tuple[float, ...]:
        """All of them in order."""
        return self.voice, self.level, self.pitch, self.voiced, self.tilt, self.change


SILENCE = Prosody()


class ProsodyTracker:
    """Streaming prosody of one voice."""

    latency = 0.0

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start with another voice."""
        self._samples: Float32Array = np.zeros(_HOP, np.float32)
        self._talking: Float32Array = np.zeros(0, np.float32)
        self._mean_level = self._mean_pitch = 0.0
        self._ticks = self._pitched_ticks = 0

    def process(self, samples: Float32Array, talking: Float32Array) -> list[Prosody]:
        """Take the next stretch of a voice.

        Parameters
        ----------
        samples
            Of shape (n_samples,) at 16 kHz.
        talking
            Probability that the person talks, for every 16 ms of the samples, of shape (n_samples / 256,).

        Returns
        -------
        The ticks of 0.1 s that are complete.

        Raises
        ------
        InputError
            If there are not as many probabilities as the samples need.
        """
        if len(talking) * _TALKING_HOP != len(samples):
            raise InputError(
                f"{len(talking)} talking probabilities for {len(samples)} samples: give one for every {_TALKING_HOP}"
            )
        self._samples = np.concatenate([self._samples, samples])
        self._talking = np.concatenate([self._talking, np.repeat(talking, _TALKING_HOP)])
        ticks = []
        while len(self._talking) >= TICK:
            ticks.append(self._tick(self._samples[: TICK + _HOP], self._talking[:TICK]))
            self._samples, self._talking = self._samples[TICK:], self._talking[TICK:]
        return ticks

    def _tick(self, samples: Float32Array, talking: Float32Array) -> Prosody:
        active = talking.reshape(-1, _HOP).mean(axis=1) > 0.5
        if not active.any():
            return Prosody(voice=float(talking.mean()))
        frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP][active]
        power: NDArray[np.float64] = np.square(np.abs(np.fft.rfft(frames * _HANN, _FFT)))
        pitch = _pitches(power)
        level = 10 * np.log10(np.mean(frames.astype(np.float64) ** 2) + _EPSILON)
        self._ticks += 1
        self._mean_level += (level - self._mean_level) / min(self._ticks, _SETTLE)
        semitones = 0.0
        if pitch.size:
            height = float(np.median(12 * np.log2(pitch / 100)))
            self._pitched_ticks += 1
            self._mean_pitch += (height - self._mean_pitch) / min(self._pitched_ticks, _SETTLE)
            semitones = height - self._mean_pitch
        total = power.sum(axis=0)
        low, high = total[_BANDS[0] : _BANDS[3]].sum(), total[_BANDS[4] : _BANDS[-1]].sum()
        bands = 10 * np.log10(np.add.reduceat(power, _BANDS[:-1], axis=1) + _EPSILON)
        change = np.abs(np.diff(bands, axis=0)).mean() if len(bands) > 1 else 0.0
        return Prosody(
            float(talking.mean()),
            float(level - self._mean_level) / 10,
            float(np.clip(semitones / 6, -3, 3)),
            pitch.size / len(frames),
            float(np.log10((high + _EPSILON) / (low + _EPSILON))) / 2,
            float(change) / 10,
        )


def _pitches(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pitch of the frames that have one, in Hz, by the autocorrelation over that of the window.

    Boersma (1993, Accurate short-term analysis of the fundamental frequency, eq. 9 and 24).
    """
    shortest, longest = int(SAMPLE_RATE / _HIGHEST), int(SAMPLE_RATE / _LOWEST)
    lags = np.arange(shortest, longest)
    found = np.fft.irfft(power, axis=1)
    own = _HANN_CORRELATION[lags] / _HANN_CORRELATION[0]
    strength = (found[:, lags] / np.maximum(found[:, :1], _EPSILON)) / own
    best = (strength - _OCTAVE_COST * np.log2(lags / shortest)).argmax(axis=1)
    voiced = strength[np.arange(len(best)), best] > _VOICED
    pitches: NDArray[np.float64] = SAMPLE_RATE / lags[best[voiced]].astype(np.float64)
    return pitches
