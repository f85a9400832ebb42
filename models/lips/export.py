"""The networks as the robot runs them: ONNX with explicit memory, probabilities instead of logits."""

from __future__ import annotations

import warnings
from pathlib import Path

import onnx
import torch
from hearing_models.lips.network import LipEncoder, SoundEncoder, silence
from hearing_models.lips.training import Pair
from torch import Tensor, nn

from hearing.vision.lips import N_FEATURES
from hearing.vision.synchrony import N_POINT, N_SOUND

WEIGHTS = Path(__file__).parent / "weights"


class LipStep(nn.Module):
    """One frame of every mouth."""

    def __init__(self, network: LipEncoder, rate: Tensor, shares: Tensor) -> None:
        super().__init__()
        self.network, self.rate, self.shares = network, rate, shares[1:] / shares[1:].sum()

    def forward(self, features: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return probabilities (B,), embeddings (B, D), memory."""
        speaking, points, visemes, after = self.network(features[:, None], memory)
        return speaking[:, 0].sigmoid(), self.embedding(points, visemes)[:, 0], after

    def embedding(self, points: Tensor, visemes: Tensor) -> Tensor:
        """Join points and the likelihood ratios of visemes, given that something is said."""
        return torch.cat([self.rate * points, visemes[..., 1:].softmax(dim=-1) / self.shares], dim=-1)


class SoundStep(nn.Module):
    """Some steps of every track."""

    def __init__(self, network: SoundEncoder) -> None:
        super().__init__()
        self.network = network

    def forward(self, sound: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Return points (B, T, N_POINT), memory."""
        points, _, after = self.network(sound, memory)
        return points, after


def steps_of(pair: Pair, shares: Tensor) -> tuple[LipStep, SoundStep]:
    """Return both networks as they are exported.

    Parameters
    ----------
    pair
        The networks.
    shares
        How often each viseme is said, and silence, of shape (N_CLASSES,): posteriors over it are likelihood ratios.
    """
    pair.eval()
    rate = pair.scale.detach().exp() / N_POINT**0.5
    return LipStep(pair.lips, rate, shares), SoundStep(pair.sound)


def export(pair: Pair, shares: Tensor, folder: Path, about: dict[str, str]) -> None:
    """Write `lip_encoder.onnx` and `sound_encoder.onnx`, described by what is about them."""
    folder.mkdir(parents=True, exist_ok=True)
    lips, sound = steps_of(pair, shares)
    mouths = torch.zeros(2, N_FEATURES), silence(pair.lips, 2)
    tracks = torch.zeros(2, 3, N_SOUND), silence(pair.sound, 2)
    _write(lips, mouths, folder / "lip_encoder.onnx", ("features", "memory"), ("speaking", "embedding"), about)
    _write(sound, tracks, folder / "sound_encoder.onnx", ("sound", "memory"), ("embedding",), about)


def _write(
    step: nn.Module,
    inputs: tuple[Tensor, ...],
    path: Path,
    names: tuple[str, ...],
    outputs: tuple[str, ...],
    about: dict[str, str],
) -> None:
    axes = {name: {0: "number"} for name in (*names, *outputs, "memory_after")}
    for name in ("sound", "embedding") if "sound" in names else ():
        axes[name][1] = "steps"
    with warnings.catch_warnings():
        # The exporter warns of sizes of memories that are fixed; a test compares what it exports.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            step.eval(),
            inputs,
            str(path),
            input_names=list(names),
            output_names=[*outputs, "memory_after"],
            dynamic_axes=axes,
            dynamo=False,
            opset_version=17,
        )
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, about)
    onnx.save(model, str(path))
