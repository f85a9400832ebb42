"""Diffuse sound: what comes from everywhere, late reverberation and background noise.

Signals that are independent of each other get the coherence between microphones that an isotropic field has (Habets,
Cohen & Gannot 2008).
"""

from __future__ import annotations

import numpy as np
from hearing_sim.room import OCTAVES, RoomAcoustics
from numpy.typing import NDArray
from scipy.signal import istft, stft

from hearing.arrays import SPEED_OF_SOUND
from hearing.types import SAMPLE_RATE

FloatArray = NDArray[np.float64]

FRAME, HOP = 256, 64
"""Samples of a frame, and from one to the next, in which noise is shaped."""
FADE = 0.005
"""Seconds over which the reflections that are told apart give way to the late reverberation."""
DECAY_DB = 75.0
"""How far the late reverberation is followed."""


class DiffuseField:
    """An isotropic sound field at some microphones.

    Parameters
    ----------
    positions
        Microphones, of shape (n_microphones, 3) in metres in any frame.
    """

    def __init__(self, positions: FloatArray) -> None:
        self._n_microphones = len(positions)
        self._frequencies = np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE)
        distances = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
        # Cook et al. (1955): two points of a diffuse field have the coherence sin(kd) / kd.
        coherence = np.sinc(2 * self._frequencies[:, None, None] * distances / SPEED_OF_SOUND)
        values, vectors = np.linalg.eigh(coherence)
        # The symmetric square root changes slowly from bin to bin, so that its filters are short.
        self._mixing = (vectors * np.sqrt(np.maximum(values, 0.0))[:, None]) @ vectors.transpose(0, 2, 1)

    def mix(self, independent: FloatArray) -> FloatArray:
        """Give independent signals the field's coherence; both of shape (n_samples, n_microphones)."""
        return self._synthesize(_analyze(independent), len(independent))

    def reverberation(
        self, acoustics: RoomAcoustics, onset: float, directivity: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        """Draw the late part of a room's impulse responses to the microphones.

        Its power follows from the density of image sources, 4 pi c^3 t^2 / V (Kuttruff, Room Acoustics, equation 4.6),
        each of which has the power 1 / (c t)^2 and decays with the reverberation time.

        Parameters
        ----------
        acoustics
            The room, not one without reflections.
        onset
            Seconds after the emission at which the late part takes over.
        directivity
            Mean power that the source radiates per octave band, of shape (n_octaves,), 1 if alike to all sides.
        rng
            Source of the noise.

        Returns
        -------
        Array of shape (n_taps, n_microphones), the first tap being the emission.
        """
        rt60 = np.interp(np.log(np.maximum(self._frequencies, 1)), np.log(OCTAVES), acoustics.rt60)
        power = np.interp(np.log(np.maximum(self._frequencies, 1)), np.log(OCTAVES), directivity)
        n_taps = round((onset + DECAY_DB / 60 * float(rt60.max())) * SAMPLE_RATE)
        noise = _analyze(rng.standard_normal((n_taps, self._n_microphones)))
        times = np.arange(noise.shape[2]) * HOP / SAMPLE_RATE
        density = 4 * np.pi * SPEED_OF_SOUND / acoustics.volume / SAMPLE_RATE
        amplitude = np.sqrt(density * power[:, None]) * 10 ** (-3 * times / rt60[:, None])
        tail = self._synthesize(noise * amplitude, n_taps)
        return tail * late_weight(np.arange(n_taps) / SAMPLE_RATE - onset)[:, None]

    def _synthesize(self, spectra: NDArray[np.complex128], n_samples: int) -> FloatArray:
        mixed = np.einsum("fmn,nft->mft", self._mixing, spectra, optimize=True)
        _, signals = istft(mixed, SAMPLE_RATE, nperseg=FRAME, noverlap=FRAME - HOP)
        return np.ascontiguousarray(signals[:, :n_samples].T)


def early_weight(after_onset: FloatArray) -> FloatArray:
    """Amplitude that is left to single reflections so many seconds after the late reverberation sets in."""
    weight: FloatArray = np.cos(np.clip(after_onset / FADE + 1, 0, 1) * np.pi / 2)
    return weight


def late_weight(after_onset: FloatArray) -> FloatArray:
    """Amplitude of the late reverberation; its power and the one of `early_weight` add up to 1."""
    weight: FloatArray = np.sin(np.clip(after_onset / FADE + 1, 0, 1) * np.pi / 2)
    return weight


def _analyze(signals: FloatArray) -> NDArray[np.complex128]:
    """Return spectra of shape (n_signals, n_bins, n_frames)."""
    spectra: NDArray[np.complex128] = stft(signals.T, SAMPLE_RATE, nperseg=FRAME, noverlap=FRAME - HOP)[2]
    return spectra
