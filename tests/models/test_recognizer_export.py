"""What is exported does what the network does, as far as eight bits go, and holds the vocabulary once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hearing_models.recognizer.export import (
    DecoderStep,
    EncoderStep,
    QuantizedVectors,
    Vectors,
    export_decoder,
    export_encoder,
)
from hearing_models.recognizer.network import Decoder, Encoder, Shape
from torch import Tensor

from hearing.recognition.session import Memory, empty_inputs, open_session

SMALL = Shape(width=64, heads=4, layers=2)
VOCABULARY = 500
CLOSE = 0.05


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(1)
    encoder = Encoder(SMALL).eval()
    encoder.positions.normal_(std=0.1)
    return encoder


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    torch.manual_seed(2)
    return Decoder(VOCABULARY, SMALL).eval()


@torch.inference_mode()
def test_the_encoders_file_is_its_step(encoder: Encoder, decoder: Decoder, tmp_path: Path) -> None:
    export_encoder(encoder, decoder, tmp_path / "encoder.onnx")
    session = open_session(tmp_path / "encoder.onnx", 1)
    assert session.get_outputs()[1].shape == [SMALL.layers, 1, SMALL.heads, "new", SMALL.width // SMALL.heads]
    step = EncoderStep(encoder, decoder)
    past: Memory = empty_inputs(session, "past_")
    keys = values = list(torch.zeros(SMALL.layers, 1, 0, SMALL.width))
    for number in range(3):
        mel = torch.randn(1, 2 + 2 * 8 + 1, 80)
        expected, _, _, keys, values = step(mel, torch.tensor(8 * number), keys, values)
        letters, *_ = heard = session.run(None, {"mel": mel.numpy(), "first": np.array(8 * number)} | past)
        past = dict(zip(past, heard[3:], strict=True))
        assert np.abs(np.exp(letters) - expected.exp().numpy()).max() < CLOSE
        _close(heard[3:], [*keys, *values])


@torch.inference_mode()
def test_the_decoders_file_is_its_step(encoder: Encoder, decoder: Decoder, tmp_path: Path) -> None:
    export_decoder(decoder, tmp_path / "decoder.onnx")
    session = open_session(tmp_path / "decoder.onnx", 1)
    step = DecoderStep(decoder)
    cross = decoder.cross(encoder(torch.randn(1, 40, 80), None))
    cross_keys, cross_values = ([part[index] for part in cross] for index in range(2))
    heard = {f"cross_keys_{number}": part.numpy() for number, part in enumerate(cross_keys)}
    heard |= {f"cross_values_{number}": part.numpy() for number, part in enumerate(cross_values)}
    past: Memory = {name: np.repeat(array, 2, 0) for name, array in empty_inputs(session, "past_").items()}
    keys = values = list(torch.zeros(SMALL.layers, 2, SMALL.heads, 0, SMALL.width // SMALL.heads))
    for tokens in ([[1, 7, 30], [1, 7, 9]], [[4], [2]], [[5, 6], [6, 5]]):
        read = min(2, len(tokens[0]))
        expected, keys, values = step(torch.tensor(tokens), torch.tensor(read), keys, values, cross_keys, cross_values)
        found, *known = session.run(None, {"tokens": np.array(tokens), "read": np.array(read)} | past | heard)
        past = dict(zip(past, known, strict=True))
        assert found.shape == (2, read, VOCABULARY)
        np.testing.assert_allclose(np.exp(found).sum(-1), 1.0, atol=1e-4)
        _close([found], [expected])
        _close(known, [*keys, *values])


def test_the_vocabulary_is_held_once(decoder: Decoder, tmp_path: Path) -> None:
    export_decoder(decoder, tmp_path / "decoder.onnx")
    weights = onnx.load(tmp_path / "decoder.onnx").graph.initializer
    assert [weight.data_type for weight in weights if np.prod(weight.dims) == VOCABULARY * SMALL.width] == [
        onnx.TensorProto.UINT8
    ]


@pytest.mark.parametrize("width", [64, 256])
def test_vectors_in_eight_bits_are_nearly_the_same(width: int) -> None:
    vectors = torch.randn(20, width, generator=torch.Generator().manual_seed(0))
    vectors[3] = 0
    exact, quantized = Vectors(vectors), QuantizedVectors(vectors)
    numbers = torch.tensor([[3, 19, 0]])
    torch.testing.assert_close(quantized.look_up(numbers), exact.look_up(numbers), atol=0.02, rtol=0)
    x = torch.randn(1, 2, width)
    _close([quantized.multiply(x).numpy()], [exact.multiply(x)])


def _close(found: list[np.ndarray], expected: list[Tensor]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert one.shape == tuple(other.shape)
        assert np.sqrt(np.mean((one - other.numpy()) ** 2)) < CLOSE * other.numpy().std()
