"""What is exported can be trained on: read back, it is the network that was exported, as far as eight bits go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hearing_models.recognizer.export import export_decoder, export_encoder
from hearing_models.recognizer.network import Decoder, Encoder, Shape
from hearing_models.recognizer.packaged import load_packaged
from hearing_models.recognizer.training import cross_attention

from hearing.errors import InputError
from hearing.recognition.encoder import Encoder as OnnxEncoder
from hearing.recognition.engines.support import own_weights
from hearing.recognition.mel import log_mel
from hearing.types import SAMPLE_RATE

SMALL = Shape(width=64, heads=4, layers=2)
VOCABULARY = 500
CLOSE = 0.03


def _network(seed: int) -> tuple[Encoder, Decoder]:
    torch.manual_seed(seed)
    encoder, decoder = Encoder(SMALL).eval(), Decoder(VOCABULARY, SMALL).eval()
    encoder.positions.normal_(std=0.1)
    with torch.no_grad():
        # As after training: tensors that are equal are exported as one.
        for parameter in (*encoder.parameters(), *decoder.parameters()):
            parameter += 0.02 * torch.randn_like(parameter)
    return encoder, decoder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export a network."""
    encoder, decoder = _network(1)
    folder = tmp_path_factory.mktemp("weights")
    export_encoder(encoder, decoder, folder / "encoder.onnx")
    export_decoder(decoder, folder / "decoder.onnx")
    return folder


@torch.inference_mode()
def test_what_was_trained_comes_back(folder: Path) -> None:
    (encoder, decoder), (other, frozen) = _network(1), _network(2)
    before = {name: tensor.clone() for name, tensor in frozen.state_dict().items()}
    load_packaged(other, frozen, folder)
    found = {**other.state_dict(), **cross_attention(frozen)}
    for name, tensor in {**encoder.state_dict(), **cross_attention(decoder)}.items():
        assert (found[name] - tensor).abs().max() <= 0.01 * tensor.abs().max(), name
    for name, tensor in frozen.state_dict().items():
        assert name in cross_attention(frozen) or torch.equal(tensor, before[name])
    mel = torch.randn(1, 60, 80)
    expected, heard = encoder(mel, None), other(mel, None)
    assert (heard - expected).square().mean().sqrt() < CLOSE * expected.std()


def test_what_comes_back_is_exported_as_it_was(folder: Path, tmp_path: Path) -> None:
    once, again = _network(2), _network(3)
    load_packaged(*once, folder)
    export_encoder(*once, tmp_path / "encoder.onnx")
    export_decoder(once[1], tmp_path / "decoder.onnx")
    load_packaged(*again, tmp_path)
    for name, tensor in {**once[0].state_dict(), **cross_attention(once[1])}.items():
        found = {**again[0].state_dict(), **cross_attention(again[1])}[name]
        assert (found - tensor).abs().max() <= 0.01 * tensor.abs().max(), name


@torch.inference_mode()
def test_the_packages_network_hears_what_its_files_hear() -> None:
    encoder, decoder = Encoder().eval(), Decoder(VOCABULARY).eval()
    load_packaged(encoder, decoder, own_weights())
    rng = np.random.default_rng(0)
    mel = log_mel((0.1 * rng.standard_normal(SAMPLE_RATE)).astype(np.float32))
    heard = OnnxEncoder(own_weights() / "encoder.onnx", 1).whole(mel)
    encoded = encoder(torch.from_numpy(mel)[None], None)
    cross = torch.stack([keys for keys, _ in decoder.cross(encoded)]).numpy()
    assert np.sqrt(np.mean((heard.keys[0] - cross) ** 2)) < 0.1 * cross.std()


@pytest.mark.parametrize("shape", [None, Shape(width=64, heads=4, layers=3)])
def test_what_does_not_fit_is_refused(folder: Path, tmp_path: Path, shape: Shape | None) -> None:
    with pytest.raises(InputError, match="no recognizer to go on from"):
        load_packaged(Encoder(shape or SMALL), Decoder(VOCABULARY, shape or SMALL), folder if shape else tmp_path)
