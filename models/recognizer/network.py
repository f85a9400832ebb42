"""The recognizer's network: Whisper base (Radford et al. 2022) whose encoder hears in chunks, and a CTC head on it.

Tensors are named by their axes: B utterances, T encoder frames (50 a second), D features, L tokens, V entries of a
vocabulary. The layers take what they attend to besides their input as an explicit `past`, so that training on masked
batches and streaming with a cache run the same code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hearing.recognition.encoder import SILENCE
from hearing.recognition.mel import SILENT

N_MELS = 80
Weights = Mapping[str, NDArray[np.float32]]
KeysValues = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Shape:
    """Size of the network: Whisper base, and the letters that the CTC head tells apart."""

    width: int = 512
    heads: int = 8
    layers: int = 6
    letters: int = 29


class Attention(nn.Module):
    """Multi-head attention whose keys and values may come from elsewhere."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.query = nn.Linear(shape.width, shape.width)
        self.key_value = nn.Linear(shape.width, 2 * shape.width)
        self.out = nn.Linear(shape.width, shape.width)

    def keys_values(self, x: Tensor) -> KeysValues:
        """Return keys and values of shape (B, heads, T, D / heads) for input of shape (B, T, D)."""
        key, value = self.key_value(x).chunk(2, dim=-1)
        return self._split(key), self._split(value)

    def forward(self, x: Tensor, keys_values: KeysValues, mask: Tensor | None = None) -> Tensor:
        """Attend from (B, T, D); a boolean mask is true where attention is allowed."""
        attended = attend(self._split(self.query(x)), *keys_values, mask)
        return self.out(attended.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def attend(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """Attend from (B, heads, L, D / heads) to (B, heads, T, D / heads) where a boolean mask is true.

    On CPUs plain products take a third of the time of torch's own operator, which does not multiply in bfloat16 there.
    """
    if query.is_cuda:
        return functional.scaled_dot_product_attention(query, keys, values, attn_mask=mask)
    scores = (query * query.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
    if mask is not None:
        scores += torch.zeros_like(mask, dtype=scores.dtype).masked_fill(~mask, float("-inf"))
    return scores.softmax(dim=-1) @ values


class FeedForward(nn.Sequential):
    """Two linear layers."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(nn.Linear(shape.width, 4 * shape.width), nn.GELU(), nn.Linear(4 * shape.width, shape.width))


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, normalized before."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(shape.width)
        self.attention = Attention(shape)
        self.feed_forward_norm = nn.LayerNorm(shape.width)
        self.feed_forward = FeedForward(shape)

    def forward(self, x: Tensor, mask: Tensor | None, past: KeysValues | None = None) -> tuple[Tensor, KeysValues]:
        """Return the output and all keys and values that were attended to."""
        normal = self.attention_norm(x)
        keys, values = self.attention.keys_values(normal)
        if past is not None:
            keys, values = torch.cat([past[0], keys], dim=2), torch.cat([past[1], values], dim=2)
        x = x + self.attention(normal, (keys, values), mask)
        return x + self.feed_forward(self.feed_forward_norm(x)), (keys, values)


class Encoder(nn.Module):
    """From log-mel frames (100 a second) to 50 feature vectors a second, and to the letters that a CTC head hears."""

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or Shape()
        self.conv1 = nn.Conv1d(N_MELS, shape.width, 3)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=2)
        self.register_buffer("positions", torch.zeros(1500, shape.width))
        self.layers = nn.ModuleList(EncoderLayer(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)
        self.letters = nn.Sequential(
            nn.Linear(shape.width, shape.width), nn.GELU(), nn.Linear(shape.width, shape.letters)
        )

    def stem(self, mel: Tensor, first: Tensor | int = 0) -> Tensor:
        """Convolve frames of shape (B, 2 + 2 T + 1, 80), which begin 2 frames before those of the output (B, T, D).

        `first` is the number of the first output. What conv1 makes of the frames before the utterance's first is zero,
        as Whisper pads it.
        """
        x = functional.gelu(self.conv1(mel.transpose(1, 2)))
        begins = torch.arange(x.shape[-1], device=x.device) + 2 * first > 0
        x = functional.gelu(self.conv2(x * begins))
        return x.transpose(1, 2)

    def forward(self, mel: Tensor, mask: Tensor | None) -> Tensor:
        """Encode whole utterances: (B, 2 T, 80) to (B, T, D), attending where the mask (B or 1, 1, T, T) allows it."""
        x = self.stem(functional.pad(mel, (0, 0, 2, 1)))
        x = x + self.positions[: x.shape[1]]
        for layer in self.layers:
            x, _ = layer(x, mask)
        return self.norm(x)

    @torch.no_grad()
    def silence(self) -> Tensor:
        """Encode 30 s of silence, of shape (1500, D)."""
        mel = torch.full((1, 2 * len(self.positions), N_MELS), SILENT, device=self.positions.device)
        return self(mel, None)[0]

    def letter_log_probabilities(self, encoded: Tensor) -> Tensor:
        """Return natural log-probabilities of the letters, of shape (B, T, letters); blank is number 0."""
        return functional.log_softmax(self.letters(encoded).float(), dim=-1)


class DecoderLayer(nn.Module):
    """Self-attention, attention to the encoder's output, feed-forward."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_norm = nn.LayerNorm(shape.width)
        self.self_attention = Attention(shape)
        self.cross_norm = nn.LayerNorm(shape.width)
        self.cross_attention = Attention(shape)
        self.feed_forward_norm = nn.LayerNorm(shape.width)
        self.feed_forward = FeedForward(shape)

    def forward(
        self, x: Tensor, cross: KeysValues, past: KeysValues | None, self_mask: Tensor | None, cross_mask: Tensor | None
    ) -> tuple[Tensor, KeysValues]:
        """Return the output, and all keys and values of the self-attention."""
        normal = self.self_norm(x)
        keys, values = self.self_attention.keys_values(normal)
        if past is not None:
            keys, values = torch.cat([past[0], keys], dim=2), torch.cat([past[1], values], dim=2)
        x = x + self.self_attention(normal, (keys, values), self_mask)
        x = x + self.cross_attention(self.cross_norm(x), cross, cross_mask)
        return x + self.feed_forward(self.feed_forward_norm(x)), (keys, values)


class Decoder(nn.Module):
    """From the tokens so far, and what the encoder heard, to the next token."""

    def __init__(self, vocabulary: int, shape: Shape | None = None) -> None:
        super().__init__()
        shape = shape or Shape()
        self.embedding = nn.Embedding(vocabulary, shape.width)
        self.positions = nn.Parameter(torch.zeros(448, shape.width))
        self.layers = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)

    def cross(self, encoded: Tensor) -> list[KeysValues]:
        """Return the keys and values of every layer's attention to the encoder's output (B, T, D)."""
        return [layer.cross_attention.keys_values(encoded) for layer in self.layers]

    def forward(self, tokens: Tensor, cross: list[KeysValues], cross_mask: Tensor | None) -> Tensor:
        """Return logits of shape (B, L, V) for tokens (B, L), what `cross` gave, and a mask of it (B, 1, 1, T)."""
        x = self.embedding(tokens) + self.positions[: tokens.shape[1]]
        causal = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).tril()
        for layer, keys_values in zip(self.layers, cross, strict=True):
            x, _ = layer(x, keys_values, None, causal, cross_mask)
        return functional.linear(self.norm(x), self.embedding.weight)


def heard(decoder: Decoder, encoded: Tensor, frames: Tensor, silence: Tensor) -> tuple[list[KeysValues], Tensor]:
    """Let silence follow on utterances, as Whisper's decoder expects it: without, it goes on after the last word.

    Parameters
    ----------
    decoder
        Which attends to them.
    encoded, frames
        Utterances of shape (B, T, D) and how many frames each has.
    silence
        Encoded silence, of shape (1500, D).

    Returns
    -------
    Keys and values of utterances and silence for every layer, of shape (B, heads, T + SILENCE, D / heads), and which of
    these frames count, (B, 1, 1, T + SILENCE).
    """
    n_frames = min(encoded.shape[1] + SILENCE, len(silence))
    number = torch.arange(n_frames, device=encoded.device)
    said = (number < frames[:, None])[:, None, :, None]

    def followed(part: Tensor, quiet: Tensor) -> Tensor:
        return torch.where(said, functional.pad(part, (0, 0, 0, n_frames - part.shape[2])), quiet.to(part.dtype))

    # Silence is the same for all, so that its keys and values are computed once.
    pairs = zip(decoder.cross(encoded), decoder.cross(silence[None, :n_frames]), strict=True)
    cross = [(followed(keys, quiet[0]), followed(values, quiet[1])) for (keys, values), quiet in pairs]
    return cross, (number < frames[:, None] + SILENCE)[:, None, None]


def chunk_mask(n_frames: int, chunk: int | None, left: int | None) -> Tensor:
    """Say which frames each frame may attend to, of shape (T, T).

    Parameters
    ----------
    n_frames
        T.
    chunk
        Frames in a chunk; a frame sees all of its own chunk. None for one chunk.
    left
        Frames before its chunk that a frame may see; None for all.
    """
    frame = torch.arange(n_frames)
    begin = frame // (chunk or n_frames) * (chunk or n_frames)
    oldest = begin - (n_frames if left is None else left)
    return (frame[None] < (begin + (chunk or n_frames))[:, None]) & (frame[None] >= oldest[:, None])


def load_encoder(encoder: Encoder, weights: Weights) -> None:
    """Take over Whisper's encoder, see `whisper_weights.read_weights`; the CTC head stays as it is."""
    state = {f"{name}.{kind}": weights[f"encoder/{name}/{kind}"] for name in ("conv1", "conv2") for kind in _KINDS}
    state |= {"positions": weights["encoder/position_encodings/encodings"]} | _norm(weights, "encoder", "norm")
    for number in range(encoder.shape.layers):
        theirs, ours = f"encoder/layer_{number}", f"layers.{number}"
        state |= _self_attention(weights, f"{theirs}/self_attention", f"{ours}.attention")
        state |= _norm(weights, f"{theirs}/self_attention", f"{ours}.attention_norm")
        state |= _feed_forward(weights, theirs, ours)
    _load(encoder, state)


def load_decoder(decoder: Decoder, weights: Weights, kept: NDArray[np.int64]) -> None:
    """Take over Whisper's decoder with the tokens `kept` of its vocabulary."""
    state = {
        "embedding.weight": weights["decoder/embeddings/weight"][kept],
        "positions": weights["decoder/position_encodings/encodings"],
    } | _norm(weights, "decoder", "norm")
    for number in range(len(decoder.layers)):
        theirs, ours = f"decoder/layer_{number}", f"layers.{number}"
        state |= _self_attention(weights, f"{theirs}/self_attention", f"{ours}.self_attention")
        state |= _norm(weights, f"{theirs}/self_attention", f"{ours}.self_norm")
        for name, linear in (("query", 0), ("key_value", 1), ("out", 2)):
            state |= _linear(weights, f"{theirs}/attention/linear_{linear}", f"{ours}.cross_attention.{name}")
        state |= _norm(weights, f"{theirs}/attention", f"{ours}.cross_norm")
        state |= _feed_forward(weights, theirs, ours)
    _load(decoder, state)


_KINDS = ("weight", "bias")


def _linear(weights: Weights, theirs: str, ours: str) -> dict[str, NDArray[np.float32]]:
    return {f"{ours}.{kind}": weights[f"{theirs}/{kind}"] for kind in _KINDS}


def _norm(weights: Weights, theirs: str, ours: str) -> dict[str, NDArray[np.float32]]:
    return {
        f"{ours}.weight": weights[f"{theirs}/layer_norm/gamma"],
        f"{ours}.bias": weights[f"{theirs}/layer_norm/beta"],
    }


def _self_attention(weights: Weights, theirs: str, ours: str) -> dict[str, NDArray[np.float32]]:
    state = _linear(weights, f"{theirs}/linear_1", f"{ours}.out")
    for kind in _KINDS:
        fused = weights[f"{theirs}/linear_0/{kind}"]
        third = len(fused) // 3
        state |= {f"{ours}.query.{kind}": fused[:third], f"{ours}.key_value.{kind}": fused[third:]}
    return state


def _feed_forward(weights: Weights, theirs: str, ours: str) -> dict[str, NDArray[np.float32]]:
    return (
        _linear(weights, f"{theirs}/ffn/linear_0", f"{ours}.feed_forward.0")
        | _linear(weights, f"{theirs}/ffn/linear_1", f"{ours}.feed_forward.2")
        | _norm(weights, f"{theirs}/ffn", f"{ours}.feed_forward_norm")
    )


def _load(module: nn.Module, state: dict[str, NDArray[np.float32]]) -> None:
    missing, unexpected = module.load_state_dict(
        {name: torch.from_numpy(np.array(array)) for name, array in state.items()}, strict=False
    )
    wrong = [name for name in missing if not name.startswith("letters.")] + unexpected
    if wrong:
        raise ValueError(f"these weights do not fit: {', '.join(wrong)}")
