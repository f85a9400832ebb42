"""Training in several processes, as `torchrun` starts it: each hears examples of its own, all learn the same."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import torch
from hearing_models.recognizer.batches import IGNORED, Batch
from hearing_models.recognizer.evaluation import Evaluation
from hearing_models.recognizer.network import Decoder, Encoder, Shape
from hearing_models.recognizer.training import Recipe, Teacher, start, train

SMALL = Shape(width=16, heads=2, layers=1)
PROCESSES = 2


def _noise(seed: int) -> Iterator[Batch]:
    """Yield batches that differ between processes."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        mel = torch.randn(1, 40, 80, generator=generator)
        frames, letters = torch.tensor([20]), torch.tensor([[3, 4, 5]])
        yield Batch(
            mel, mel, frames, torch.tensor([[1, 2, 3]]), torch.tensor([[IGNORED, 3, 4]]), letters, torch.tensor([3])
        )


def _network() -> tuple[Encoder, Decoder]:
    torch.manual_seed(0)
    return Encoder(SMALL), Decoder(50, SMALL)


def _train(rank: int, port: int, folder: Path) -> None:
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(PROCESSES),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    recipe = Recipe(steps=2, warm_up=1, teach_every=2, evaluate_every=2)
    encoder, decoder = _network()
    train(
        start(encoder, decoder, recipe),
        Teacher(encoder, decoder),
        _noise(rank),
        recipe,
        folder,
        lambda: Evaluation(*[0.5] * 6),
        lambda *_: None,
    )
    torch.save([encoder.state_dict(), decoder.state_dict()], folder / f"{rank}.pt")
    torch.distributed.destroy_process_group()


def test_processes_end_with_the_same_network(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    torch.multiprocessing.spawn(_train, (port, tmp_path), nprocs=PROCESSES)
    one, other = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(PROCESSES))
    for ours, theirs, before in zip(one, other, _network(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
        assert any(not torch.equal(ours[name], value) for name, value in before.state_dict().items())
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 1
