"""Training in several processes, as `torchrun` starts it: each hears examples of its own, all learn the same."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import torch
from hearing_models.recognizer.batches import Batch, collate
from hearing_models.recognizer.evaluation import Evaluation
from hearing_models.recognizer.examples import Example
from hearing_models.recognizer.network import Decoder, Encoder, Shape
from hearing_models.recognizer.training import Recipe, frozen_copy, start, train
from hearing_models.recognizer.vocabulary import load_tokenizer
from torch.utils.data import IterableDataset

from hearing.recognition.catalogue import MODELS
from hearing.recognition.store import locate

SMALL = Shape(width=16, heads=2, layers=1)
PROCESSES = 2


class OwnNoise(IterableDataset[Batch]):
    """Batches of noise that differ between processes."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def __iter__(self):
        tokenizer = load_tokenizer(locate(MODELS["whisper-base"]) / "tokenizer.json")[0]
        generator = torch.Generator().manual_seed(self._seed)
        while True:
            mel = torch.randn(40, 80, generator=generator).numpy()
            yield collate([Example(mel, mel, "Stop!", "stop")], tokenizer)


def _train(rank: int, port: int, folder: Path) -> None:
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(PROCESSES),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    torch.manual_seed(0)
    recipe = Recipe(steps=2, warm_up=1, teach_every=2, evaluate_every=2)
    encoder = Encoder(SMALL)
    train(
        start(encoder, recipe),
        Decoder(39_000, SMALL),
        frozen_copy(encoder),
        lambda step: OwnNoise(rank),
        recipe,
        folder,
        lambda _: Evaluation(*[0.5] * 6),
        lambda *_: None,
    )
    torch.save(encoder.state_dict(), folder / f"{rank}.pt")
    torch.distributed.destroy_process_group()


def test_processes_end_with_the_same_network(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    torch.multiprocessing.spawn(_train, (port, tmp_path), nprocs=PROCESSES)
    one, other = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(PROCESSES))
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], rtol=0, atol=0)
    torch.manual_seed(0)
    assert any(not torch.equal(one[name], value) for name, value in Encoder(SMALL).state_dict().items())
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 1
