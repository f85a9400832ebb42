"""The floor model's network: a layer of cues, a gated recurrent unit, and a layer of odds."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from hearing.dialogue.floor import CUES, MEMORY

ODDS = ("over", "yields", "takes", "backchannel", "side")
"""What comes out: two log-odds, and three logits that share one softmax."""


class FloorNetwork(nn.Module):
    """Reads the cues of a person tick by tick (Cho et al. 2014, gated recurrent unit).

    Parameters
    ----------
    mean, spread
        Of every cue in the training material, of shape (n_cues,).
    """

    def __init__(self, mean: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.mean: Tensor
        self.spread: Tensor
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        self.input = nn.Linear(len(CUES), MEMORY)
        self.recurrent = nn.GRU(MEMORY, MEMORY, batch_first=True)
        self.output = nn.Sequential(nn.Linear(2 * MEMORY, MEMORY), nn.Tanh(), nn.Linear(MEMORY, len(ODDS)))

    def forward(self, cues: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Read stretches of several people.

        Parameters
        ----------
        cues
            Of shape (n_people, n_ticks, n_cues).
        memory
            What is remembered of them, of shape (n_people, MEMORY).

        Returns
        -------
        Odds of shape (n_people, n_ticks, len(ODDS)), and the memory after the last tick.
        """
        seen = torch.tanh(self.input((cues - self.mean) / self.spread))
        read, last = self.recurrent(seen, memory[None])
        return self.output(torch.cat([read, seen], dim=-1)), last[0]


class _Step(nn.Module):
    """One tick, written out for export."""

    def __init__(self, network: FloorNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, cues: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        network, weights = self.network, list(self.network.recurrent.parameters())
        seen = torch.tanh(network.input((cues - network.mean) / network.spread))
        given = functional.linear(seen, *weights[0::2]).chunk(3, dim=1)
        kept = functional.linear(memory, *weights[1::2]).chunk(3, dim=1)
        reset, update = torch.sigmoid(given[0] + kept[0]), torch.sigmoid(given[1] + kept[1])
        fresh = torch.tanh(given[2] + reset * kept[2])
        memory = (1 - update) * fresh + update * memory
        return network.output(torch.cat([memory, seen], dim=-1)), memory


def export(network: FloorNetwork, path: Path) -> None:
    """Write the network as ONNX: one tick of any number of people."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        _Step(network.eval()), (torch.zeros(2, len(CUES)), torch.zeros(2, MEMORY)), str(path), dynamo=False,
        input_names=["cues", "memory"], output_names=["odds", "memory_after"],
        dynamic_axes={name: {0: "people"} for name in ("cues", "memory", "odds", "memory_after")},
    )  # fmt: skip
