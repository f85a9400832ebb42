"""From the trained network to the two ONNX files that a robot runs: a step of the encoder and a step of the decoder.

Both attend by an operator of ONNX Runtime's own, which holds few scores of a long utterance at once. The encoder
multiplies int8 matrices with one scale for all frames that come in together, which is fast for many. The decoder's
scales hold for 128 numbers each, so that texts side by side do not matter to each other, and its vocabulary is there
only once, to look tokens up as well as to score them.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from hearing_models.recognizer.network import N_MELS, Attention, Decoder, Encoder
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from torch.nn import functional

from hearing.recognition.encoder import LEFT

_PAST = 4
_BLOCK = 128
# Of unsigned 8-bit numbers, as ONNX Runtime takes them.
ZERO, _LARGEST = 128, 127
_SMALLEST_SCALE = 1e-8
# MatMulNBits computes on inputs that are rounded to 8 bits.
_INT8 = 4
# `torch.onnx` has no public type for its graphs and their values.
Graph = Any
Axes = Mapping[str, Mapping[int, str]]


class EncoderStep(nn.Module):
    """Encode one chunk, given what the layers remember of the frames before it.

    The outputs are the letters' log-probabilities (1, T, letters), keys and values of the decoder's attention to the
    chunk (layers, 1, heads, T, D / heads), and keys and values to remember, for every layer (1, P + T, D), of the last
    `LEFT` frames.
    """

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(
        self, mel: Tensor, first: Tensor, past_keys: Sequence[Tensor], past_values: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor, list[Tensor], list[Tensor]]:
        """Take frames as `Encoder.stem` does, the number of the first output frame, and what every layer remembers."""
        x = self.encoder.stem(mel, first)
        x = x + self.encoder.positions[torch.arange(x.shape[1], device=x.device) + first]
        keys, values = [], []
        for number, layer in enumerate(self.encoder.layers):
            attention, normal = layer.attention, layer.attention_norm(x)
            new = attention.key_value(normal).chunk(2, dim=-1)
            key, value = (
                torch.cat([past[number], part], dim=1) for past, part in zip((past_keys, past_values), new, strict=True)
            )
            x = x + attention.out(_Attend.apply(attention.query(normal), key, value, attention.heads))
            x = x + layer.feed_forward(layer.feed_forward_norm(x))
            keys.append(key[:, -LEFT:])
            values.append(value[:, -LEFT:])
        x = self.encoder.norm(x)
        cross = self.decoder.cross(x)
        letters = self.encoder.letter_log_probabilities(x)
        cross_keys, cross_values = (torch.stack([part[index] for part in cross]) for index in range(2))
        return letters, cross_keys, cross_values, keys, values


class DecoderStep(nn.Module):
    """Say what may follow on the tokens so far.

    The outputs are log-probabilities of what follows on the last R tokens (B, R, V), and keys and values to remember,
    for every layer (B, heads, P + L, D / heads).

    Parameters
    ----------
    decoder
        The network.
    vocabulary
        Its tokens' vectors, if not as the network holds them.
    """

    def __init__(self, decoder: Decoder, vocabulary: Vectors | None = None) -> None:
        super().__init__()
        self.decoder = decoder
        self.vocabulary = vocabulary or Vectors(decoder.embedding.weight)

    def forward(
        self,
        tokens: Tensor,
        read: Tensor,
        past_keys: Sequence[Tensor],
        past_values: Sequence[Tensor],
        cross_keys: Sequence[Tensor],
        cross_values: Sequence[Tensor],
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Take new tokens (B, L), R, and for every layer what is remembered, and the encoder's keys and values.

        These are of shape (1, heads, T, D / heads), shared by all B.
        """
        decoder = self.decoder
        position = torch.arange(tokens.shape[1], device=tokens.device) + past_keys[0].shape[2]
        x = self.vocabulary.look_up(tokens) + decoder.positions[position]
        keys, values = [], []
        for number, layer in enumerate(decoder.layers):
            attention, normal = layer.self_attention, layer.self_norm(x)
            key, value = attention.key_value(normal).chunk(2, dim=-1)
            attended, key, value = _AttendCausally.apply(
                attention.query(normal), key, value, past_keys[number], past_values[number], attention.heads
            )
            x = x + attention.out(attended)
            x = x + self._cross(layer.cross_attention, layer.cross_norm(x), cross_keys[number], cross_values[number])
            x = x + layer.feed_forward(layer.feed_forward_norm(x))
            keys.append(key)
            values.append(value)
        logits = self.vocabulary.multiply(decoder.norm(x[:, -read:]))
        return functional.log_softmax(logits, dim=-1), keys, values

    @staticmethod
    def _cross(attention: Attention, x: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend to what all texts share, as if they were one text: nothing has to be repeated."""
        query = attention.query(x)
        attended = _Attend.apply(query.reshape(1, -1, query.shape[-1]), keys, values, attention.heads)
        return attention.out(attended.reshape(query.shape))


class Vectors(nn.Module):
    """A matrix of N vectors, of shape (N, D)."""

    def __init__(self, vectors: Tensor) -> None:
        super().__init__()
        self.vectors = vectors

    def look_up(self, numbers: Tensor) -> Tensor:
        """Give the vectors of these numbers (B, L): (B, L, D)."""
        return self.vectors[numbers]

    def multiply(self, x: Tensor) -> Tensor:
        """Multiply (B, L, D) with all vectors: (B, L, N)."""
        return x @ self.vectors.T


class QuantizedVectors(Vectors):
    """The same in int8, with a scale for every 128 numbers, held once for both."""

    def __init__(self, vectors: Tensor) -> None:
        super().__init__(vectors)
        blocks = vectors.detach().unflatten(1, (-1, min(_BLOCK, vectors.shape[1])))
        scales = (blocks.abs().amax(2) / _LARGEST).clamp(min=_SMALLEST_SCALE)
        self.register_buffer("blocks", ((blocks / scales[..., None]).round() + ZERO).to(torch.uint8))
        self.register_buffer("scales", scales)

    def look_up(self, numbers: Tensor) -> Tensor:
        """Give the vectors of these numbers (B, L): (B, L, D)."""
        found: Tensor = _LookUp.apply(numbers, self.blocks, self.scales[..., None])
        return found.flatten(2)

    def multiply(self, x: Tensor) -> Tensor:
        """Multiply (B, L, D) with all vectors: (B, L, N)."""
        product: Tensor = _Multiply.apply(x, self.blocks, self.scales)
        return product


class QuantizedLinear(nn.Module):
    """A linear layer whose matrix is held in int8."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight, self.bias = QuantizedVectors(linear.weight), linear.bias

    def forward(self, x: Tensor) -> Tensor:
        """Take (B, L, D) to (B, L, N)."""
        return self.weight.multiply(x) + self.bias


def export_encoder(encoder: Encoder, decoder: Decoder, path: Path) -> None:
    """Write `EncoderStep` as int8 ONNX."""
    layers = encoder.shape.layers
    exact = path.with_suffix(".float.onnx")
    past = [torch.zeros(1, _PAST, encoder.shape.width)] * layers
    _export(
        EncoderStep(encoder, decoder),
        (torch.zeros(1, 2 + 2 * 8 + 1, N_MELS), torch.tensor(4), past, past),
        exact,
        inputs={
            "mel": {1: "frames"},
            "first": {},
            **_each("past_keys", layers, {1: "past"}),
            **_each("past_values", layers, {1: "past"}),
        },
        outputs={
            "letters": {1: "new"},
            "cross_keys": {3: "new"},
            "cross_values": {3: "new"},
            **_each("keys", layers, {1: "known"}),
            **_each("values", layers, {1: "known"}),
        },
    )
    # Sums of two products of 8 bits overflow 16 bits on processors without VNNI, so weights have 7.
    quantize_dynamic(
        exact,
        path,
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        reduce_range=True,
    )
    exact.unlink()


def export_decoder(decoder: Decoder, path: Path) -> None:
    """Write `DecoderStep` as int8 ONNX."""
    layers, heads, width = len(decoder.layers), decoder.layers[0].self_attention.heads, decoder.embedding.embedding_dim
    past = [torch.zeros(2, heads, _PAST, width // heads)] * layers
    cross = [torch.zeros(1, heads, 50, width // heads)] * layers
    _export(
        DecoderStep(_quantized(decoder), QuantizedVectors(decoder.embedding.weight)),
        (torch.zeros(2, 3, dtype=torch.int64), torch.tensor(2), past, past, cross, cross),
        path,
        inputs={
            "tokens": {0: "beam", 1: "new"},
            "read": {},
            **_each("past_keys", layers, {0: "beam", 2: "past"}),
            **_each("past_values", layers, {0: "beam", 2: "past"}),
            **_each("cross_keys", layers, {2: "frames"}),
            **_each("cross_values", layers, {2: "frames"}),
        },
        outputs={
            "log_probabilities": {0: "beam", 1: "read"},
            **_each("keys", layers, {0: "beam", 2: "known"}),
            **_each("values", layers, {0: "beam", 2: "known"}),
        },
    )


def _quantized(module: nn.Module) -> nn.Module:
    """Copy a network with linear layers in int8."""
    if isinstance(module, nn.Linear):
        return QuantizedLinear(module)
    quantized = copy.copy(module)
    quantized._modules = {name: child and _quantized(child) for name, child in module._modules.items()}
    return quantized


def _each(name: str, layers: int, axes: Mapping[int, str]) -> Axes:
    return {f"{name}_{number}": axes for number in range(layers)}


def _export(module: nn.Module, example: tuple[Any, ...], path: Path, inputs: Axes, outputs: Axes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            example,
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: axes for name, axes in {**inputs, **outputs}.items() if axes},
            opset_version=17,
            custom_opsets={"com.microsoft": 1},
            dynamo=False,
        )


class _Attend(torch.autograd.Function):
    """Attention from (B, L, D) to all keys and values, of shape (B, T, D) or (B, heads, T, D / heads)."""

    @staticmethod
    def forward(_: Any, query: Tensor, keys: Tensor, values: Tensor, heads: int) -> Tensor:
        keys, values = (part if part.ndim == 4 else _split(part, heads) for part in (keys, values))
        return _joined(functional.scaled_dot_product_attention(_split(query, heads), keys, values))

    @staticmethod
    def symbolic(graph: Graph, query: Graph, keys: Graph, values: Graph, heads: int) -> Graph:
        attended = graph.op("com.microsoft::MultiHeadAttention", query, keys, values, num_heads_i=heads)
        return attended.setType(query.type())


class _AttendCausally(torch.autograd.Function):
    """Attention from (B, L, D) to what is remembered, (B, heads, P, D / heads), and to what is not later.

    Gives what was attended to, (B, L, D), and keys and values to remember.
    """

    @staticmethod
    def forward(
        _: Any, query: Tensor, key: Tensor, value: Tensor, past_keys: Tensor, past_values: Tensor, heads: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        keys = torch.cat([past_keys, _split(key, heads)], dim=2)
        values = torch.cat([past_values, _split(value, heads)], dim=2)
        mask = torch.ones(query.shape[1], keys.shape[2], dtype=torch.bool, device=query.device).tril(past_keys.shape[2])
        return _joined(functional.scaled_dot_product_attention(_split(query, heads), keys, values, mask)), keys, values

    @staticmethod
    def symbolic(
        graph: Graph, query: Graph, key: Graph, value: Graph, past_keys: Graph, past_values: Graph, heads: int
    ) -> tuple[Graph, ...]:
        nothing = graph.op("prim::Constant")
        nothing.setType(torch._C.NoneType.get())
        attended, keys, values = graph.op(
            "com.microsoft::MultiHeadAttention",
            *(query, key, value, nothing, nothing, nothing, past_keys, past_values),
            num_heads_i=heads,
            unidirectional_i=1,
            outputs=3,
        )
        known = past_keys.type().with_sizes([None] * 4)
        return attended.setType(query.type()), keys.setType(known), values.setType(known)


class _LookUp(torch.autograd.Function):
    """Some (B, L) of quantized vectors (N, blocks, 128), with scales (N, blocks, 1): (B, L, blocks, 128)."""

    @staticmethod
    def forward(_: Any, numbers: Tensor, blocks: Tensor, scales: Tensor) -> Tensor:
        return (blocks[numbers].float() - ZERO) * scales[numbers]

    @staticmethod
    def symbolic(graph: Graph, numbers: Graph, blocks: Graph, scales: Graph) -> Graph:
        found = graph.op(
            "com.microsoft::GatherBlockQuantized",
            *(blocks, numbers, scales),
            bits_i=8,
            block_size_i=blocks.type().sizes()[2],
            gather_axis_i=0,
            quantize_axis_i=2,
        )
        return found.setType(scales.type().with_sizes([None] * 4))


class _Multiply(torch.autograd.Function):
    """Products of (B, L, D) with quantized vectors (N, blocks, 128), with scales (N, blocks): (B, L, N)."""

    @staticmethod
    def forward(_: Any, x: Tensor, blocks: Tensor, scales: Tensor) -> Tensor:
        return x @ ((blocks.float() - ZERO) * scales[..., None]).flatten(1).T

    @staticmethod
    def symbolic(graph: Graph, x: Graph, blocks: Graph, scales: Graph) -> Graph:
        n_vectors, n_blocks, size = blocks.type().sizes()
        product = graph.op(
            "com.microsoft::MatMulNBits",
            *(x, blocks, scales),
            K_i=n_blocks * size,
            N_i=n_vectors,
            accuracy_level_i=_INT8,
            bits_i=8,
            block_size_i=size,
        )
        return product.setType(x.type().with_sizes([None] * 3))


def _split(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _joined(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)
