"""Weights between networks of one training, which hear better than either end (Wortsman et al. 2022, equation 1).

A network that was trained on in noise has forgotten some of what Whisper knows. Part of the way back it has that again
and still hears in noise.
"""

from __future__ import annotations

from collections.abc import Mapping

from hearing_models.recognizer.network import Decoder, Encoder
from hearing_models.recognizer.training import cross_attention
from torch import Tensor

Weights = dict[str, Tensor]
WHISPER = 0.1
"""Share of Whisper."""
PACKAGE = 1 / 6
"""Share, of what is not Whisper's, of the network that training went on from."""
_OWN = "encoder.letters."


def trained_weights(encoder: Encoder, decoder: Decoder) -> Weights:
    """Copy what training changes."""
    parts = {"encoder": encoder.state_dict(), "decoder": cross_attention(decoder)}
    return {f"{part}.{name}": tensor.clone() for part, state in parts.items() for name, tensor in state.items()}


def set_weights(encoder: Encoder, decoder: Decoder, weights: Mapping[str, Tensor]) -> None:
    """Put such a copy, or a blend of several, into a network."""
    encoder.load_state_dict(_under("encoder.", weights))
    decoder.load_state_dict(_under("decoder.", weights), strict=False)


def blend(trained: Weights, whisper: Weights, package: Weights | None) -> Weights:
    """Average a network with Whisper, and with what training went on from if that was not Whisper.

    The CTC head is none of Whisper's.
    """
    if package is None:
        return _average(trained, whisper | _own(trained), WHISPER)
    return _average(_average(trained, package, PACKAGE), whisper | _own(package), WHISPER)


def _average(one: Weights, other: Weights, share: float) -> Weights:
    return {name: tensor + share * (other[name] - tensor) for name, tensor in one.items()}


def _own(weights: Weights) -> Weights:
    return {name: tensor for name, tensor in weights.items() if name.startswith(_OWN)}


def _under(prefix: str, weights: Mapping[str, Tensor]) -> Weights:
    return {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
