"""The liveness network: convolutions over log-mel frames, averaged over the moments that count.

Tensors are named by their axes: B utterances, T log-mel frames (100 a second), F bands, C channels.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = (24, 48, 64, 96)
"""Of the layers, each of which halves time and bands."""
_STRIDE = 2 ** len(CHANNELS)
_N_MELS = 80
_WIDTH = 128


class Liveness(nn.Module):
    """From log-mel frames to the log-odds that somebody speaks who is there.

    What tells a loudspeaker, the edges of its band and its distortion, is heard while it speaks: attentive statistics
    (Okabe et al. 2018, equations 5 and 6) weigh the moments.
    """

    def __init__(self) -> None:
        super().__init__()
        before = (1, *CHANNELS[:-1])
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in zip(before, CHANNELS, strict=True))
        # One group: no statistics of other utterances, so that training and use are the same.
        self.norms = nn.ModuleList(nn.GroupNorm(1, channels) for channels in CHANNELS)
        self.joined = nn.Linear(CHANNELS[-1] * (_N_MELS // _STRIDE), _WIDTH)
        self.attention = nn.Sequential(nn.Linear(_WIDTH, 32), nn.Tanh(), nn.Linear(32, 1))
        self.out = nn.Linear(2 * _WIDTH, 1)

    def forward(self, mel: Tensor) -> Tensor:
        """Return log-odds (B,) for frames (B, T, F)."""
        x = mel[:, None]
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = functional.relu(norm(layer(x)))
        x = functional.relu(self.joined(x.transpose(1, 2).flatten(2)))
        weights = self.attention(x).softmax(dim=1)
        mean = (weights * x).sum(dim=1)
        deviation = ((weights * x.square()).sum(dim=1) - mean.square()).clamp(min=1e-6).sqrt()
        log_odds: Tensor = self.out(torch.cat([mean, deviation], dim=1))[:, 0]
        return log_odds


def export(network: Liveness, path: Path) -> None:
    """Write the network as ONNX: `mel` of shape (1, T, 80) in, `log_odds` of shape (1,) out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mel = torch.zeros(1, 8 * _STRIDE, _N_MELS)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the older exporter, which the other networks use as well
        torch.onnx.export(
            network.eval(),
            (mel,),
            str(path),
            input_names=["mel"],
            output_names=["log_odds"],
            dynamic_axes={"mel": {1: "frames"}},
            opset_version=17,
            dynamo=False,
        )
