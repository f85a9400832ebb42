"""Beams to train on: what an MVDR beamformer makes of a mixture, with statistics as imperfect as online ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import istft, stft

from hearing.types import SAMPLE_RATE, Float32Array

_FRAME, _HOP = 512, 256
_DIRECT = 400
"""Taps of the response that count as the direct sound a beam is steered at."""


def steer(rng: np.random.Generator, speech: Float32Array, noise: Float32Array, response: Float32Array) -> Float32Array:
    """Steer a beam at a talker (Souden et al. 2010, equation 17, with the talker's transfer function known roughly).

    Parameters
    ----------
    rng
        Draws how much of the speech leaks into the noise statistics, how much these are regularized, and whether a mask
        is put on the output.
    speech, noise
        What the microphones hear of the talker and of everything else, of shape (n_mics, n_samples).
    response
        From the talker to the microphones, of shape (n_mics, n_taps).

    Returns
    -------
    Array of shape (n_samples,).
    """
    target, rest = _analyze(speech), _analyze(noise)
    leaking = rest + rng.uniform(0.0, 0.25) * target
    covariance = np.einsum("mft,nft->fmn", leaking, leaking.conj(), optimize=True) / leaking.shape[2]
    power = np.trace(covariance, axis1=1, axis2=2).real / len(speech)
    loading = 10 ** rng.uniform(-3, -1) * power + 1e-9
    covariance += loading[:, None, None] * np.eye(len(speech))
    steering = np.fft.rfft(response[:, :_DIRECT], _FRAME, axis=1).T
    steering = steering / np.where(np.abs(steering[:, :1]) > 1e-6, steering[:, :1], 1e-6)
    filtered = np.linalg.solve(covariance, steering[..., None])[..., 0]
    weights = filtered / np.maximum(np.einsum("fm,fm->f", steering.conj(), filtered).real, 1e-9)[:, None]
    # Where the reference microphone is in a notch, the steering vector is nonsense: nothing may be amplified by it.
    weights /= np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), 1.0)
    wanted, unwanted = (np.einsum("fm,mft->ft", weights.conj(), part, optimize=True) for part in (target, rest))
    if rng.uniform() < 0.3:
        mask = np.abs(wanted) ** 2 / (np.abs(wanted) ** 2 + np.abs(unwanted) ** 2 + 1e-12)
        gain = np.maximum(mask, rng.uniform(0.1, 0.5))
        wanted, unwanted = gain * wanted, gain * unwanted
    _, samples = istft(wanted + unwanted, SAMPLE_RATE, nperseg=_FRAME, noverlap=_FRAME - _HOP)
    return np.pad(samples, (0, _HOP))[: speech.shape[1]].astype(np.float32)


def _analyze(signals: Float32Array) -> NDArray[np.complex64]:
    """Return spectra of shape (n_mics, n_bins, n_frames)."""
    spectra: NDArray[np.complex64] = stft(signals, SAMPLE_RATE, nperseg=_FRAME, noverlap=_FRAME - _HOP)[2]
    return spectra.astype(np.complex64)
