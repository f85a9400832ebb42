"""Microphones and their converter: what they make of the sound pressure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from hearing_sim.scene import Microphones
from numpy.typing import NDArray

from hearing.types import SAMPLE_RATE

FloatArray = NDArray[np.float64]

PASCAL_DB = 94.0
"""Sound pressure level in dB of a root mean square of 1 Pa, the unit of all signals before the converter."""
MAX_PEAK = 0.9
"""If the gain is free, a recording with a higher peak than this share of full scale is scaled down to it."""


@dataclass(frozen=True, slots=True, eq=False)
class RealMicrophones:
    """Microphones as they are, not as the data sheet has them.

    Attributes
    ----------
    positions
        Where they really are in the array frame, of shape (n_microphones, 3) in metres.
    gains
        Of shape (n_microphones,).
    delays
        Seconds, of shape (n_microphones,).
    """

    positions: FloatArray
    gains: FloatArray
    delays: FloatArray


def draw_microphones(nominal: FloatArray, spread: Microphones, rng: np.random.Generator) -> RealMicrophones:
    """Draw microphones around their nominal positions of shape (n_microphones, 3)."""
    positions = nominal + spread.position_spread * rng.standard_normal(nominal.shape)
    gains = 10 ** (spread.gain_spread_db / 20 * rng.standard_normal(len(nominal)))
    delays = spread.phase_spread_deg / 360 / 1000 * rng.standard_normal(len(nominal))
    return RealMicrophones(positions, gains, delays)


def sample(pressure: FloatArray, gains: FloatArray, clock_ppm: float) -> FloatArray:
    """Turn sound pressure into what a converter with its own clock samples.

    Parameters
    ----------
    pressure
        Of shape (n_samples, n_microphones) in Pa.
    gains
        Of the microphones.
    clock_ppm
        By how much the converter's clock is too fast.

    Returns
    -------
    As many samples; the last ones are silent where a slow clock has not got as far.
    """
    captured = pressure * gains
    if clock_ppm == 0:
        return captured
    drifted = soxr.resample(captured, SAMPLE_RATE, SAMPLE_RATE * (1 + 1e-6 * clock_ppm))[: len(captured)]
    return np.pad(drifted, ((0, len(captured) - len(drifted)), (0, 0)))


def convert(captured: FloatArray, full_scale_db: float | None) -> tuple[FloatArray, float]:
    """Turn sound pressure in Pa into samples of full scale 1.

    Parameters
    ----------
    captured
        Of shape (n_samples, n_microphones).
    full_scale_db
        The sinusoidal level in dB SPL that reaches full scale, above which samples clip; None to choose the gain
        freely.

    Returns
    -------
    The samples, and the gain from Pa to samples.
    """
    if full_scale_db is None:
        gain = min(1.0, MAX_PEAK / max(float(np.abs(captured).max()), 1e-9))
        return captured * gain, gain
    gain = 10 ** ((PASCAL_DB - full_scale_db) / 20) / np.sqrt(2)
    return np.clip(captured * gain, -1.0, 1.0), gain
