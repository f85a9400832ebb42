"""From the trained network to the two ONNX files that a robot runs: a step of the encoder and a step of the decoder."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from hearing_models.recognizer.network import Decoder, Encoder
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

_PAST = 4


class EncoderStep(nn.Module):
    """Encode one chunk, given what the layers remember of the frames before it.

    The outputs are the letters' log-probabilities (1, T, letters), keys and values of the decoder's attention to the
    chunk (layers, 1, heads, T, 64), and keys and values of the encoder to remember (layers, 1, heads, P + T, 64).
    """

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, mel: Tensor, first: Tensor, past_keys: Tensor, past_values: Tensor) -> tuple[Tensor, ...]:
        """Take frames as `Encoder.stem` does, the number of the first output frame, and what is remembered."""
        x = self.encoder.stem(mel, first)
        x = x + self.encoder.positions[torch.arange(x.shape[1], device=x.device) + first]
        keys, values = [], []
        for number, layer in enumerate(self.encoder.layers):
            x, (key, value) = layer(x, None, (past_keys[number], past_values[number]))
            keys.append(key)
            values.append(value)
        x = self.encoder.norm(x)
        cross = self.decoder.cross(x)
        letters = self.encoder.letter_log_probabilities(x)
        crossed = (torch.stack([part[index] for part in cross]) for index in range(2))
        return letters, *crossed, torch.stack(keys), torch.stack(values)


class DecoderStep(nn.Module):
    """Say what may follow on the tokens so far.

    The outputs are log-probabilities of the next token (B, V), and keys and values to remember
    (layers, B, heads, P + L, 64).
    """

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self, tokens: Tensor, past_keys: Tensor, past_values: Tensor, cross_keys: Tensor, cross_values: Tensor
    ) -> tuple[Tensor, ...]:
        """Take new tokens (B, L), what is remembered, and the encoder's keys and values, shared by all B."""
        decoder = self.decoder
        n_past, n_new = past_keys.shape[3], tokens.shape[1]
        position = torch.arange(n_new, device=tokens.device) + n_past
        x = decoder.embedding(tokens) + decoder.positions[position]
        mask = torch.arange(n_past + n_new, device=tokens.device)[None] <= position[:, None]
        keys, values = [], []
        for number, layer in enumerate(decoder.layers):
            cross = (
                cross_keys[number].expand(tokens.shape[0], -1, -1, -1),
                cross_values[number].expand(tokens.shape[0], -1, -1, -1),
            )
            x, (key, value) = layer(x, cross, (past_keys[number], past_values[number]), mask, None)
            keys.append(key)
            values.append(value)
        logits = nn.functional.linear(decoder.norm(x[:, -1]), decoder.embedding.weight)
        return nn.functional.log_softmax(logits, dim=-1), torch.stack(keys), torch.stack(values)


def export_encoder(encoder: Encoder, decoder: Decoder, path: Path) -> None:
    """Write `EncoderStep` as int8 ONNX."""
    shape = encoder.shape
    past = torch.zeros(shape.layers, 1, shape.heads, _PAST, shape.width // shape.heads)
    _export(
        EncoderStep(encoder, decoder),
        (torch.zeros(1, 2 + 2 * 8 + 1, 80), torch.tensor(4), past, past),
        path,
        inputs={"mel": {1: "frames"}, "first": {}, "past_keys": {3: "past"}, "past_values": {3: "past"}},
        outputs={
            "letters": {1: "new"},
            "cross_keys": {3: "new"},
            "cross_values": {3: "new"},
            "keys": {3: "known"},
            "values": {3: "known"},
        },
    )


def export_decoder(decoder: Decoder, path: Path) -> None:
    """Write `DecoderStep` as int8 ONNX."""
    layers, heads, width = len(decoder.layers), decoder.layers[0].self_attention.heads, decoder.embedding.embedding_dim
    past = torch.zeros(layers, 2, heads, _PAST, width // heads)
    cross = torch.zeros(layers, 1, heads, 50, width // heads)
    _export(
        DecoderStep(decoder),
        (torch.zeros(2, 3, dtype=torch.int64), past, past, cross, cross),
        path,
        inputs={
            "tokens": {0: "beam", 1: "new"},
            "past_keys": {1: "beam", 3: "past"},
            "past_values": {1: "beam", 3: "past"},
            "cross_keys": {3: "frames"},
            "cross_values": {3: "frames"},
        },
        outputs={
            "log_probabilities": {0: "beam"},
            "keys": {1: "beam", 3: "known"},
            "values": {1: "beam", 3: "known"},
        },
    )


def _export(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    inputs: dict[str, dict[int, str]],
    outputs: dict[str, dict[int, str]],
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exact = path.with_suffix(".float.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            example,
            str(exact),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: axes for name, axes in (inputs | outputs).items() if axes},
            opset_version=17,
            dynamo=False,
        )
    quantize_dynamic(
        exact, path, op_types_to_quantize=["MatMul", "Gather", "Gemm"], per_channel=True, weight_type=QuantType.QInt8
    )
    exact.unlink()
