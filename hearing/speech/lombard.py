"""How loud and how clear to speak in noise: what people do without thinking (Lombard 1911), within what sounds natural.

In noise people speak louder, slower, higher and with a flatter spectrum, which makes them easier to understand even at
the same level (Lu and Cooke 2008); louder comes first and most of the rest goes with it (Garnier and Henrich 2014).
Level here follows the noise by 0.6 dB per dB (ISO 9921:2003; Lazarus 1986) and the distance by the law of the free
field. The spectrum flattens as between the standard spectra of normal and shouted speech (ANSI S3.5-1997).
Words lengthen by up to 18 % and pitch rises by up to 2 semitones, less than in people (Gramming et al. 1988), because
the formants rise with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, Float32Array

NORMAL_LEVEL_DB = 60.0
"""Level of normal vocal effort in dB(A) at 1 m (ISO 9921:2003)."""
_QUIETEST_DB, _LOUDEST_DB = 50.0, 84.0
_NOISE_UNHEEDED_DB = 45.0
_DB_PER_DB = 0.6
_NEAREST, _FARTHEST = 0.3, 4.0
_TILT_PER_DB, _MOST_TILT_DB = 0.6, 12.0
_SEMITONES_PER_DB, _MOST_SEMITONES = 0.1, 2.0
_SLOWER_PER_DB, _SLOWEST = 0.008, 0.85

_CORNER_HZ = 700.0
# Octave bands and spectrum levels of normal vocal effort in dB, ANSI S3.5-1997.
_BANDS_HZ = np.array([250.0, 500.0, 1000.0, 2000.0, 4000.0])
_BAND_POWERS = 10 ** (np.array([34.75, 34.27, 25.01, 17.32, 9.33]) / 10) * _BANDS_HZ


@dataclass(frozen=True, slots=True)
class LombardStyle:
    """How to speak.

    Attributes
    ----------
    level_db
        Level of the voice in dB(A) at 1 m.
    tilt_db
        By how much high frequencies are raised over low ones.
    rate
        Speed of speech, 1 is the voice's own.
    pitch
        Semitones by which the voice is raised.
    """

    level_db: float = NORMAL_LEVEL_DB
    tilt_db: float = 0.0
    rate: float = 1.0
    pitch: float = 0.0

    @classmethod
    def from_noise(cls, noise_db: float, distance_m: float) -> LombardStyle:
        """Choose a style for whoever listens.

        Parameters
        ----------
        noise_db
            Noise at the robot in dB(A).
        distance_m
            How far away the listener is in metres; from 4 m on the room carries the voice, nothing is added.

        Raises
        ------
        InputError
            If the noise isn't a number, or the distance isn't positive.

        Examples
        --------
        >>> LombardStyle.from_noise(40, 1), LombardStyle.from_noise(40, 0.5).level_db < 60
        (LombardStyle(level_db=60.0, tilt_db=0.0, rate=1.0, pitch=0.0), True)
        >>> LombardStyle.from_noise(75, 1)
        LombardStyle(level_db=78.0, tilt_db=10.8, rate=0.856, pitch=1.8)
        """
        if not np.isfinite(noise_db):
            raise InputError(f"noise is {noise_db} dB; give the measured level")
        if not distance_m > 0:
            raise InputError(f"distance is {distance_m:g} m; give a positive one")
        away = float(np.log2(np.clip(distance_m, _NEAREST, _FARTHEST)))
        over = max(noise_db - _NOISE_UNHEEDED_DB, 0.0)
        wanted = NORMAL_LEVEL_DB + _DB_PER_DB * over + 20 * np.log10(2) * away
        level = float(np.clip(wanted, _QUIETEST_DB, _LOUDEST_DB))
        effort = max(level - NORMAL_LEVEL_DB, 0.0)
        return cls(
            round(level, 1),
            round(min(_TILT_PER_DB * effort, _MOST_TILT_DB), 1),
            round(max(1 - _SLOWER_PER_DB * effort, _SLOWEST), 3),
            round(min(_SEMITONES_PER_DB * effort, _MOST_SEMITONES), 2),
        )


class LombardFilter:
    """Streaming filter that gives speech the level and tilt of a style, and never clips.

    A shelf, `low + gain * high`, whose two gains glide to a new style; behind it a limiter that lets go slowly. To
    compress the peaks of speech that is too loud costs no words (Zorila et al. 2012), but decibels: what is wanted is
    reached up to about 10 dB above what the loudspeaker plays at -26 dB of full scale.

    Parameters
    ----------
    loudspeaker_db
        Level in dB(A) at 1 m at which the robot's loudspeaker plays speech of -26 dB of full scale.
    """

    latency = 0.0
    CEILING = 0.95
    """No sample is larger."""
    GLIDE = 60.0
    """Decibels a second by which the gains change."""
    RELEASE = 40.0
    """Decibels a second by which the limiter lets go."""

    def __init__(self, loudspeaker_db: float = 70.0) -> None:
        self._loudspeaker_db = loudspeaker_db
        self._low_pass = signal.butter(1, _CORNER_HZ, fs=SAMPLE_RATE)
        self._style = LombardStyle()
        self.reset()

    def reset(self) -> None:
        """Start a new stream in the style that holds."""
        self._memory = np.zeros(1)
        self._gains = self._wanted()
        self._reduction = 0.0

    def set_style(self, style: LombardStyle) -> None:
        """Glide to another style from the next sample on."""
        self._style = style

    def process(self, samples: Float32Array) -> Float32Array:
        """Shape the next stretch of speech.

        Parameters
        ----------
        samples
            Of shape (n_samples,) at 16 kHz, as synthesizers give them; may be empty.

        Returns
        -------
        As many samples, none larger than `CEILING`.
        """
        if not len(samples):
            return samples
        low, self._memory = signal.lfilter(*self._low_pass, samples, zi=self._memory)
        elapsed = np.arange(1, len(samples) + 1) / SAMPLE_RATE
        most = self.GLIDE * elapsed[:, None]
        gains = self._gains + np.clip(self._wanted() - self._gains, -most, most)
        self._gains = gains[-1]
        level, tilt = 10 ** (gains.T / 20)
        shaped = level * (low + tilt * (samples - low))
        return self._limited(shaped, elapsed)

    def _wanted(self) -> NDArray[np.float64]:
        """Return the gain of all and that of high frequencies, in dB."""
        tilt = self._style.tilt_db
        return np.array([self._style.level_db - self._loudspeaker_db - _raised_by(tilt), tilt])

    def _limited(self, shaped: NDArray[np.float64], elapsed: NDArray[np.float64]) -> Float32Array:
        excess = 20 * np.log10(np.maximum(np.abs(shaped) / self.CEILING, 1.0))
        # reduction[n] = max(excess[n], reduction[n - 1] - step) as a running maximum
        fall = self.RELEASE * elapsed
        reduction = np.maximum(np.maximum.accumulate(excess + fall), self._reduction) - fall
        reduction = np.maximum(reduction, 0.0)
        self._reduction = float(reduction[-1])
        limited: Float32Array = (shaped * 10 ** (-reduction / 20)).astype(np.float32)
        return limited


def _raised_by(tilt_db: float) -> float:
    """Return by how many dB the shelf raises the level of normal speech."""
    low_pass = 1 / (1 + 1j * _BANDS_HZ / _CORNER_HZ)
    response = low_pass + 10 ** (tilt_db / 20) * (1 - low_pass)
    return float(10 * np.log10((_BAND_POWERS * np.abs(response) ** 2).sum() / _BAND_POWERS.sum()))
