"""Beams to train on: what an MVDR beamformer makes of mixtures, with statistics as imperfect as online ones."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

_FRAME, _HOP = 512, 256
_DIRECT = 400
"""Taps of the response that count as the direct sound a beam is steered at."""
_MASKED = 0.5


def steer(speech: Tensor, noise: Tensor, response: Tensor, rng: np.random.Generator) -> Tensor:
    """Steer beams at talkers (Souden et al. 2010, equation 17, with the talkers' transfer functions known roughly).

    Parameters
    ----------
    speech, noise
        What the microphones hear of each talker and of everything else, of shape (B, n_mics, n_samples).
    response
        From the talkers to the microphones, of shape (B, n_mics, n_taps).
    rng
        Draws how much of the speech leaks into the noise statistics, how much these are regularized, and whether a mask
        is put on the output.

    Returns
    -------
    Of shape (B, n_samples).
    """
    n_beams, n_mics, n_samples = speech.shape
    window = torch.hann_window(_FRAME, device=speech.device)

    def drawn(low: float, high: float) -> Tensor:
        return torch.tensor(rng.uniform(low, high, (n_beams, 1, 1)), dtype=torch.float32, device=speech.device)

    def analyze(signals: Tensor) -> Tensor:
        spectra = torch.stft(signals.flatten(0, 1), _FRAME, _HOP, window=window, return_complex=True)
        return spectra.unflatten(0, (n_beams, n_mics))

    target, rest = analyze(speech), analyze(noise)
    leaking = (rest + drawn(0.0, 0.25)[..., None] * target).permute(0, 2, 1, 3)
    covariance = leaking @ leaking.mH / leaking.shape[-1]
    power = covariance.diagonal(dim1=-2, dim2=-1).real.mean(dim=-1)
    loading = 10 ** drawn(-3, -1)[..., 0] * power + 1e-9
    covariance = covariance + loading[..., None, None] * torch.eye(n_mics, device=speech.device)
    steering = torch.fft.rfft(response[..., :_DIRECT], _FRAME).transpose(1, 2)
    first = steering[..., :1]
    steering = steering / torch.where(first.abs() > 1e-6, first, torch.full_like(first, 1e-6))
    filtered = torch.linalg.solve(covariance, steering[..., None])[..., 0]
    weights = filtered / (steering.conj() * filtered).sum(dim=-1, keepdim=True).real.clamp(min=1e-9)
    # Where the reference microphone is in a notch, the steering vector is nonsense: nothing may be amplified by it.
    weights = weights / torch.linalg.vector_norm(weights, dim=-1, keepdim=True).clamp(min=1.0)
    wanted, unwanted = (torch.einsum("bfm,bmft->bft", weights.conj(), part) for part in (target, rest))
    clean = wanted.abs().square()
    mask = clean / (clean + unwanted.abs().square() + 1e-12)
    lowest = torch.where(drawn(0, 1) < _MASKED, drawn(0.1, 0.5), torch.ones_like(drawn(0, 1)))
    output = (wanted + unwanted) * torch.maximum(mask, lowest)
    return torch.istft(output, _FRAME, _HOP, window=window, length=n_samples)
