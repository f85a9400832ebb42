"""CAM++, the network that tells voices apart.

Wang et al. 2023, "CAM++: A Fast and Efficient Network for Speaker Verification Using Context-Aware Masking". A
convolution over bands and frames, then three dense blocks of delay layers over time, each of which masks its output
by what it hears in the whole window. Attributes are named as in the published checkpoint, so that it fits. Tensors are
named by their axes: B windows, T frames, C channels.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

N_MELS = 80
EMBEDDING = 192
_WIDTH = 32
_GROWTH = 32
_BOTTLENECK = 128
_SEGMENT = 100
"""Frames of 20 ms that are pooled at once: 2 s."""
_BLOCKS = ((12, 1), (24, 2), (16, 2))
"""Layers and dilation of each block."""


class VoiceNetwork(nn.Module):
    """Log-mel frames (B, T, 80) to embeddings of unit length (B, 192)."""

    def __init__(self) -> None:
        super().__init__()
        self.head = _Head()
        channels = _BOTTLENECK
        layers: OrderedDict[str, nn.Module] = OrderedDict(tdnn=_Delay(_WIDTH * N_MELS // 8, channels))
        for number, (depth, dilation) in enumerate(_BLOCKS, 1):
            layers[f"block{number}"] = _Dense(channels, depth, dilation)
            channels += depth * _GROWTH
            layers[f"transit{number}"] = _Transit(channels)
            channels //= 2
        layers["out_nonlinear"] = _normed(channels)
        layers["stats"] = _Statistics()
        layers["dense"] = _Embedding(2 * channels)
        self.xvector = nn.Sequential(layers)

    def forward(self, mel: Tensor) -> Tensor:
        """Embed windows; every band is heard relative to its mean over the window."""
        heard = (mel - mel.mean(dim=1, keepdim=True)).transpose(1, 2)
        return functional.normalize(self.xvector(self.head(heard)), dim=1)


class _Head(nn.Module):
    """Convolve over bands, of which an eighth remain, and frames: (B, 80, T) to (B, C, T)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv2d(1, 3), nn.BatchNorm2d(_WIDTH)
        self.layer1 = nn.Sequential(_Residual(stride=2), _Residual(stride=1))
        self.layer2 = nn.Sequential(_Residual(stride=2), _Residual(stride=1))
        self.conv2, self.bn2 = _conv2d(_WIDTH, 3, stride=2), nn.BatchNorm2d(_WIDTH)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.bn1(self.conv1(mel[:, None])).relu()
        x = self.layer2(self.layer1(x))
        return self.bn2(self.conv2(x)).relu().flatten(1, 2)


class _Residual(nn.Module):
    def __init__(self, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv2d(_WIDTH, 3, stride), nn.BatchNorm2d(_WIDTH)
        self.conv2, self.bn2 = _conv2d(_WIDTH, 3), nn.BatchNorm2d(_WIDTH)
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut = nn.Sequential(_conv2d(_WIDTH, 1, stride), nn.BatchNorm2d(_WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + self.shortcut(x)).relu()


class _Delay(nn.Module):
    """Halve the frame rate."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, out, 5, stride=2, padding=2, bias=False)
        self.nonlinear = _normed(out)

    def forward(self, x: Tensor) -> Tensor:
        return self.nonlinear(self.linear(x))


class _Dense(nn.Module):
    """Layers each of which hears all before it and adds `_GROWTH` channels."""

    def __init__(self, channels: int, depth: int, dilation: int) -> None:
        super().__init__()
        for number in range(depth):
            self.add_module(f"tdnnd{number + 1}", _DenseLayer(channels + number * _GROWTH, dilation))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = torch.cat([x, layer(x)], dim=1)
        return x


class _DenseLayer(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.nonlinear1, self.linear1 = _normed(channels), nn.Conv1d(channels, _BOTTLENECK, 1, bias=False)
        self.nonlinear2, self.cam_layer = _normed(_BOTTLENECK), _Masked(dilation)

    def forward(self, x: Tensor) -> Tensor:
        return self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x))))


class _Masked(nn.Module):
    """Context-aware masking: weigh channels by means over the window and over its segments (section 2.2)."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(_BOTTLENECK, _GROWTH, 3, padding=dilation, dilation=dilation, bias=False)
        self.linear1 = nn.Conv1d(_BOTTLENECK, _BOTTLENECK // 2, 1)
        self.linear2 = nn.Conv1d(_BOTTLENECK // 2, _GROWTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        segments = functional.avg_pool1d(x, _SEGMENT, _SEGMENT, ceil_mode=True)
        segments = segments[..., None].expand(-1, -1, -1, _SEGMENT).flatten(2)[..., : x.shape[2]]
        context = x.mean(dim=2, keepdim=True) + segments
        return self.linear_local(x) * self.linear2(self.linear1(context).relu()).sigmoid()


class _Transit(nn.Module):
    """Halve the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.nonlinear, self.linear = _normed(channels), nn.Conv1d(channels, channels // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.nonlinear(x))


class _Statistics(nn.Module):
    """Mean and standard deviation over time: (B, C, T) to (B, 2 C)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x.mean(dim=2), x.std(dim=2)], dim=1)


class _Embedding(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, EMBEDDING, 1, bias=False)
        self.nonlinear = nn.Sequential(OrderedDict(batchnorm=nn.BatchNorm1d(EMBEDDING, affine=False)))

    def forward(self, x: Tensor) -> Tensor:
        return self.nonlinear(self.linear(x[..., None])[..., 0])


def _normed(channels: int) -> nn.Sequential:
    return nn.Sequential(OrderedDict(batchnorm=nn.BatchNorm1d(channels), relu=nn.ReLU()))


def _conv2d(channels: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, _WIDTH, kernel, stride=(stride, 1), padding=kernel // 2, bias=False)
