"""The shape that both networks of the front end share: a causal U-net over frequency with memory at its bottom.

Convolutions see one frame at a time; all memory is in gated recurrent units that run along time, one for every band,
with weights that the bands share. Between them the bands exchange what they know. The memory is an explicit input and
output, so that a stream can be fed in pieces of any length.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

N_BANDS = 17
"""Bands at the bottom: the 129 bands of `hearing.features` halved three times."""


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """How large a network is.

    Attributes
    ----------
    inputs, masks, activities
        Features per bin; masks per bin; probabilities per frame.
    channels
        Of the three levels of the U-net.
    blocks
        Pairs of memory and exchange at the bottom.
    """

    inputs: int
    masks: int
    activities: int
    channels: tuple[int, int, int]
    blocks: int


class MaskNetwork(nn.Module):
    """Estimate masks per bin and activities per frame.

    Parameters
    ----------
    shape
        How large it is.
    """

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        widths = (shape.inputs, *shape.channels)
        self.encoder = nn.ModuleList([_down(a, b) for a, b in pairwise(widths)])
        self.blocks = nn.ModuleList([_Block(widths[-1]) for _ in range(shape.blocks)])
        outs = (shape.masks, *shape.channels[:2])
        self.decoder = nn.ModuleList([_up(2 * b, a) for a, b in zip(outs, shape.channels, strict=True)])
        self.activity = nn.Sequential(nn.Linear(widths[-1] * N_BANDS, 32), nn.SiLU(), nn.Linear(32, shape.activities))

    def forward(self, features: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Advance by some frames.

        Parameters
        ----------
        features
            Of shape (n_streams, inputs, n_frames, 129).
        memory
            Of shape (blocks, n_streams * N_BANDS, channels[2]); zeros when a stream starts.

        Returns
        -------
        Logits of the masks (n_streams, masks, n_frames, 129), logits of the activities (n_streams, n_frames,
        activities), and the new memory.
        """
        levels = []
        for down in self.encoder:
            features = down(features)
            levels.append(features)
        n_streams, channels, n_frames, n_bands = features.shape
        hidden = features.permute(0, 3, 2, 1).reshape(n_streams * n_bands, n_frames, channels)
        memories = []
        for block, before in zip(self.blocks, memory, strict=True):
            hidden, after = block(hidden, before[None])
            memories.append(after[0])
        bottom = hidden.reshape(n_streams, n_bands, n_frames, channels).permute(0, 3, 2, 1)
        activity = self.activity(bottom.permute(0, 2, 1, 3).reshape(n_streams, n_frames, channels * n_bands))
        for up, level in zip(reversed(self.decoder), reversed(levels), strict=True):
            bottom = up(torch.cat([bottom, level], dim=1))
        return bottom, activity, torch.stack(memories)

    def silence(self, n_streams: int) -> Tensor:
        """Memory of streams that start, of shape (blocks, n_streams * N_BANDS, channels[2])."""
        return torch.zeros(self.shape.blocks, n_streams * N_BANDS, self.shape.channels[-1])


class _Block(nn.Module):
    """Memory along time in every band, then exchange between the bands at every time."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm_time = nn.LayerNorm(channels)
        self.recurrent = nn.GRU(channels, channels, batch_first=True)
        self.norm_bands = nn.LayerNorm(channels)
        self.bands = nn.Sequential(nn.Linear(N_BANDS, N_BANDS), nn.SiLU(), nn.Linear(N_BANDS, N_BANDS))
        self.mix = nn.Linear(channels, channels)

    def forward(self, hidden: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Advance (n_streams * N_BANDS, n_frames, channels) with memory (1, n_streams * N_BANDS, channels)."""
        heard, memory = self.recurrent(self.norm_time(hidden), memory)
        hidden = hidden + heard
        rows, n_frames, channels = hidden.shape
        grid = self.norm_bands(hidden).reshape(-1, N_BANDS, n_frames, channels)
        exchanged = self.bands(grid.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return hidden + self.mix(exchanged).reshape(rows, n_frames, channels), memory


def _down(inputs: int, outputs: int) -> nn.Module:
    """Halve the bins."""
    convolution = nn.Conv2d(inputs, outputs, (1, 5), stride=(1, 2), padding=(0, 2))
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.SiLU())


def _up(inputs: int, outputs: int) -> nn.Module:
    """Double the bins."""
    convolution = nn.ConvTranspose2d(inputs, outputs, (1, 5), stride=(1, 2), padding=(0, 2))
    return nn.Sequential(nn.SiLU(), convolution)
