"""Blends are between the networks they are made of, and the letters are never mixed with what Whisper lacks."""

from __future__ import annotations

import pytest
import torch
from hearing_models.recognizer.blending import PACKAGE, WHISPER, Weights, blend, set_weights, trained_weights
from hearing_models.recognizer.network import Decoder, Encoder, Shape

SMALL = Shape(width=16, heads=2, layers=1)


def _network(seed: int) -> tuple[Encoder, Decoder]:
    torch.manual_seed(seed)
    return Encoder(SMALL), Decoder(20, SMALL)


def _weights(seed: int) -> Weights:
    return trained_weights(*_network(seed))


def test_what_is_copied_can_be_put_back() -> None:
    encoder, decoder = _network(1)
    set_weights(encoder, decoder, _weights(2))
    for name, tensor in _weights(2).items():
        assert torch.equal(trained_weights(encoder, decoder)[name], tensor)
    assert torch.equal(decoder.embedding.weight, _network(1)[1].embedding.weight)


@pytest.mark.parametrize("on_from_package", [False, True])
def test_a_blend_is_in_between(on_from_package: bool) -> None:
    trained, whisper, package = map(_weights, range(3))
    found = blend(trained, whisper, package if on_from_package else None)
    share = PACKAGE if on_from_package else 0.0
    for name, tensor in found.items():
        own = (1 - share) * trained[name] + share * package[name]
        other = (package if on_from_package else trained) if name.startswith("encoder.letters.") else whisper
        torch.testing.assert_close(tensor, (1 - WHISPER) * own + WHISPER * other[name])
