"""The recognizer's network: in chunks it gives what whole batches give, and it sees no further than it may."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hearing_models.recognizer.export import DecoderStep, EncoderStep
from hearing_models.recognizer.network import Decoder, Encoder, Shape, attend, chunk_mask, heard
from torch import Tensor

from hearing.recognition.encoder import SILENCE

SMALL = Shape(width=32, heads=4, layers=2)
CHUNK, LEFT = 8, 16


@pytest.fixture
def encoder() -> Encoder:
    torch.manual_seed(1)
    encoder = Encoder(SMALL).eval()
    encoder.positions.normal_(std=0.1)
    return encoder


@pytest.fixture
def decoder() -> Decoder:
    torch.manual_seed(2)
    return Decoder(50, SMALL).eval()


def mel(n_frames: int, seed: int = 0) -> Tensor:
    return torch.randn(1, 2 * n_frames, 80, generator=torch.Generator().manual_seed(seed))


@torch.inference_mode()
@pytest.mark.parametrize("n_frames", [8, 40, 43])
def test_streaming_is_the_chunked_batch(encoder: Encoder, decoder: Decoder, n_frames: int) -> None:
    whole = mel(n_frames)
    encoded = encoder(whole, chunk_mask(n_frames, CHUNK, LEFT)[None, None])
    expected = torch.stack([keys for keys, _ in decoder.cross(encoded)])
    step = EncoderStep(encoder, decoder)
    padded = torch.nn.functional.pad(whole, (0, 0, 2, 1))
    keys = values = list(torch.zeros(SMALL.layers, 1, 0, SMALL.width))
    parts = []
    for first in range(0, n_frames, CHUNK):
        last = min(first + CHUNK, n_frames)
        _, cross, _, keys, values = step(padded[:, 2 * first : 2 * last + 3], torch.tensor(first), keys, values)
        keys, values = ([part[:, -LEFT:] for part in known] for known in (keys, values))
        parts.append(cross)
    torch.testing.assert_close(torch.cat(parts, dim=3), expected, atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_nothing_after_a_chunk_and_its_look_ahead_is_seen(encoder: Encoder) -> None:
    mask = chunk_mask(40, CHUNK, LEFT)[None, None]
    one, other = mel(40), mel(40, seed=1)
    # Chunk 2 ends with encoder frame 24 and its convolutions see one log-mel frame more.
    other[:, : 2 * 24 + 1] = one[:, : 2 * 24 + 1]
    torch.testing.assert_close(encoder(one, mask)[:, :24], encoder(other, mask)[:, :24])
    assert not torch.allclose(encoder(one, mask)[:, 24:32], encoder(other, mask)[:, 24:32])


@torch.inference_mode()
def test_padding_changes_nothing(encoder: Encoder) -> None:
    short = mel(20)
    padded = torch.nn.functional.pad(short, (0, 0, 0, 30))
    there = (torch.arange(35) < 20)[None, None, None] | torch.eye(35, dtype=torch.bool)
    torch.testing.assert_close(encoder(padded, there)[:, :20], encoder(short, None), atol=1e-5, rtol=1e-4)


def test_chunk_mask_by_hand() -> None:
    seen = chunk_mask(5, 2, 1).int().tolist()
    assert seen == [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [0, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 0, 0, 1, 1]]
    assert chunk_mask(3, None, None).all()


@torch.inference_mode()
def test_decoding_step_by_step_is_decoding_at_once(encoder: Encoder, decoder: Decoder) -> None:
    cross = decoder.cross(encoder(mel(10), None))
    tokens = torch.tensor([[1, 7, 30, 4], [1, 7, 9, 2]])
    expected = torch.log_softmax(
        decoder(tokens, [(k.expand(2, -1, -1, -1), v.expand(2, -1, -1, -1)) for k, v in cross], None), -1
    )
    step = DecoderStep(decoder)
    crossed = [[part[index] for part in cross] for index in range(2)]
    keys = values = list(torch.zeros(SMALL.layers, 2, SMALL.heads, 0, SMALL.width // SMALL.heads))
    for begin, end in ((0, 2), (2, 3), (3, 4)):
        log_probabilities, keys, values = step(tokens[:, begin:end], torch.tensor(2), keys, values, *crossed)
        torch.testing.assert_close(log_probabilities, expected[:, max(begin, end - 2) : end], atol=1e-5, rtol=1e-4)


def test_letters_are_log_probabilities(encoder: Encoder) -> None:
    letters = encoder.letter_log_probabilities(encoder(mel(12), None))
    assert letters.shape == (1, 12, SMALL.letters)
    np.testing.assert_allclose(letters.exp().sum(-1).detach().numpy(), 1.0, atol=1e-5)


@torch.inference_mode()
def test_silence_follows_on_what_was_said(decoder: Decoder) -> None:
    generator = torch.Generator().manual_seed(0)
    encoded, silence = (torch.randn(*shape, 32, generator=generator) for shape in ((2, 50), (1500,)))
    cross, mask = heard(decoder, encoded, torch.tensor([50, 20]), silence)
    alone = torch.cat([encoded[1, :20], silence[20 : 50 + SILENCE]])[None]
    for found, expected in zip(cross, decoder.cross(alone), strict=True):
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one[1:], other)
    assert mask.sum(dim=-1).flatten().tolist() == [50 + SILENCE, 20 + SILENCE]


def test_attention_is_torchs_own() -> None:
    generator = torch.Generator().manual_seed(0)
    query, keys, values = (torch.randn(2, 3, length, 8, generator=generator) for length in (5, 7, 7))
    mask = torch.rand(2, 1, 5, 7, generator=generator) < 0.7
    mask[..., 0] = True
    for allowed in (mask, None):
        expected = torch.nn.functional.scaled_dot_product_attention(query, keys, values, attn_mask=allowed)
        torch.testing.assert_close(attend(query, keys, values, allowed), expected)
