"""What heads and bodies do to sound, in two bands: below and above `CROSSOVER`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

CROSSOVER = 1400.0
"""Hz; above it a human head, or a robot's, is large against the wavelength."""

_TALKER = np.array([[0.85, 0.15], [0.6, 0.4]])
"""Level and forwardness of a talker in both bands: 3 dB less behind him below the crossover, 14 dB less above."""
_SHADOW_MIN, _SHADOW_ANGLE = 0.1, np.radians(150.0)


def talker_gain(cos_angle: FloatArray) -> FloatArray:
    """Gain of a talker's voice in a direction, 1 straight ahead.

    After the measurements of Chu & Warnock (2002), averaged over each band and over speech.

    Parameters
    ----------
    cos_angle
        Cosines of the angles between where he faces and where the sound goes, of any shape.

    Returns
    -------
    Array of shape (*cos_angle.shape, 2): gains below and above the crossover.
    """
    return _TALKER[:, 0] + _TALKER[:, 1] * cos_angle[..., None]


def talker_power() -> FloatArray:
    """Mean over all directions of the squared gains of a talker, of shape (2,)."""
    power: FloatArray = _TALKER[:, 0] ** 2 + _TALKER[:, 1] ** 2 / 3
    return power


def body_gain(cos_angle: FloatArray) -> FloatArray:
    """Gain of a microphone on a round body for sound from a direction: up to 2 in front, shadow behind.

    The spherical head model of Brown & Duda (1998), equation 5, above its corner frequency; 1 below it.

    Parameters
    ----------
    cos_angle
        Cosines of the angles at the body's centre between microphone and source, of any shape.

    Returns
    -------
    Array of shape (*cos_angle.shape, 2): gains below and above the crossover.
    """
    angle = np.arccos(np.clip(cos_angle, -1, 1))
    high = (1 + _SHADOW_MIN / 2) + (1 - _SHADOW_MIN / 2) * np.cos(np.minimum(angle / _SHADOW_ANGLE, 4 / 3) * np.pi)
    return np.stack([np.ones_like(high), high], axis=-1)


def body_detour(cos_angle: FloatArray, radius: float) -> FloatArray:
    """Metres that sound travels further round a body of `radius` than through it (Brown & Duda 1998, equation 8)."""
    behind = np.maximum(np.arccos(np.clip(cos_angle, -1, 1)) - np.pi / 2, 0.0)
    detour: FloatArray = radius * (behind - np.sin(behind))
    return detour
