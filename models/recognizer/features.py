"""Log-mel features of batches on the device that trains, as `hearing.recognition.mel` gives them to a robot."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from hearing.recognition.mel import HOP, PEAK, RANGE, WARM_UP, WINDOW, mel_filters

_FLOOR = 1e-10


def log_mel(samples: Tensor) -> Tensor:
    """Return frames of shape (B, 2 T, 80) of signals (B, 320 T), relative to the loudest frame so far."""
    window = torch.hann_window(WINDOW, device=samples.device)
    spectra = torch.stft(samples, WINDOW, HOP, window=window, pad_mode="constant", return_complex=True)[..., :-1]
    power = spectra.real.square() + spectra.imag.square()
    bands = (power.transpose(1, 2) @ _filters(str(samples.device))).clamp(min=_FLOOR).log10()
    loudest = bands.amax(dim=2)
    loudest[:, :WARM_UP] = loudest[:, :WARM_UP].amax(dim=1, keepdim=True)
    reference = loudest.cummax(dim=1).values[..., None]
    return (bands - reference).clamp(min=-RANGE) / 4 + PEAK


@cache
def _filters(device: str) -> Tensor:
    return torch.from_numpy(mel_filters()).to(device)
