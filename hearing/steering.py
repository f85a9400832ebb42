"""What an array hears of sound from one direction, and from all directions at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hearing.arrays import SPEED_OF_SOUND, MicrophoneArray
from hearing.stft import FREQUENCIES, ComplexArray


def steering_vectors(array: MicrophoneArray, directions: NDArray[np.float64]) -> ComplexArray:
    """Far-field steering vectors relative to the phase centre.

    Parameters
    ----------
    array
        The microphones.
    directions
        Unit vectors of shape (..., 3).

    Returns
    -------
    Of shape (..., N_BINS, n_microphones).
    """
    delays = array.delays(np.asarray(directions, np.float64))
    return np.exp(-2j * np.pi * FREQUENCIES[:, None] * delays[..., None, :]).astype(np.complex64)


def diffuse_coherence(array: MicrophoneArray) -> NDArray[np.float64]:
    """Coherence of a spherically isotropic sound field (Cook et al., 1955), of shape (N_BINS, n_mics, n_mics)."""
    distance = np.linalg.norm(array.positions[:, None] - array.positions[None], axis=-1)
    coherence: NDArray[np.float64] = np.sinc(2 * FREQUENCIES[:, None, None] * distance / SPEED_OF_SOUND)
    return coherence
