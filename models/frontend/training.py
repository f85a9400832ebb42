"""Training the front end's networks: from mixtures to ONNX, resumable, seeded, with figures on unseen voices."""

from __future__ import annotations

import itertools
import json
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from hearing_models.frontend.examples import Example, mask_examples, separator_examples
from hearing_models.frontend.mixtures import Mixture, read_mixture
from hearing_models.frontend.network import N_BANDS, MaskNetwork, NetworkShape
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from hearing.errors import InputError

EVALUATE_EVERY = 100
"""Steps from one evaluation and checkpoint to the next."""
DEVELOPMENT_MIXTURES = 48


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained.

    Attributes
    ----------
    name
        Of the weights.
    shape
        Of the network.
    draw
        Draws examples from a mixture.
    mixtures
        In a batch.
    steps
        Of the optimizer.
    rate
        Highest learning rate; it rises for 5 % of the steps and falls to zero along a cosine.
    """

    name: str
    shape: NetworkShape
    draw: Callable[[Mixture, np.random.Generator], list[Example]]
    mixtures: int
    steps: int
    rate: float = 2e-3


RECIPES = {
    "mask": Recipe("speech_mask", NetworkShape(2, 2, 1, (16, 24, 32), 2), mask_examples, 6, steps=1200),
    "separator": Recipe(
        "separator", NetworkShape(6, 2, 1, (16, 24, 40), 2), separator_examples, mixtures=3, steps=2600
    ),
}


@dataclass(slots=True)
class _Run:
    """A training run as its checkpoint holds it."""

    network: MaskNetwork
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    step: int = 0
    seconds: float = 0.0

    def save(self, path: Path) -> None:
        state = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def load(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.step, self.seconds = state["step"], state["seconds"]


def train(
    recipe: Recipe,
    folder: Path,
    training: Sequence[Path],
    development: Sequence[Path],
    seed: int,
    report: Callable[[int, dict[str, float]], None],
) -> MaskNetwork:
    """Train a network, or go on where a run in the same folder stopped.

    Parameters
    ----------
    recipe
        How.
    folder
        For the checkpoint `latest.pt` and the figures `log.jsonl`.
    training, development
        Files of mixtures.
    seed
        Of weights, order and mixing.
    report
        Is told the number of steps and the newest figures after every evaluation.

    Raises
    ------
    InputError
        If there are no mixtures.
    """
    if not training or not development:
        raise InputError("no mixtures to train on; make them first, see `hearing train --help`")
    torch.manual_seed(seed)
    network = MaskNetwork(recipe.shape)
    optimizer = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, recipe.steps, pct_start=0.05)
    run = _Run(network, optimizer, schedule)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "latest.pt"
    if checkpoint.is_file():
        run.load(checkpoint)
    held_out = _fixed_batches(recipe, development[:DEVELOPMENT_MIXTURES])
    begin, losses = time.perf_counter() - run.seconds, []
    # Drawing examples takes as long as learning from them: a second process does it meanwhile.
    for batch in DataLoader(
        _Batches(recipe, training, seed, run.step), batch_size=None, num_workers=1, prefetch_factor=4
    ):
        if run.step >= recipe.steps:
            break
        losses.append(_advance(run, batch))
        if run.step % EVALUATE_EVERY == 0 or run.step == recipe.steps:
            run.seconds = time.perf_counter() - begin
            figures = {"loss": float(np.mean(losses)), "seconds": run.seconds, **evaluate(network, held_out)}
            losses = []
            with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps({"step": run.step, **figures}) + "\n")
            run.save(checkpoint)
            report(run.step, figures)
    return network.eval()


def evaluate(network: MaskNetwork, batches: Sequence[tuple[Tensor, Tensor, Tensor]]) -> dict[str, float]:
    """Measure on held-out batches: loss, error of the masks, and how well activity is told (area under the curve)."""
    network.eval()
    losses, errors, scores, truths = [], [], [], []
    with torch.no_grad():
        for features, masks, active in batches:
            logits, activity, _ = network(features, network.silence(len(features)))
            losses.append(float(_loss(features, logits, activity, masks, active)))
            errors.append(float((logits.sigmoid() - masks).abs().mean()))
            scores.append(activity[..., 0].flatten())
            truths.append(active.flatten())
    network.train()
    return {
        "development_loss": float(np.mean(losses)),
        "mask_error": float(np.mean(errors)),
        "activity_auc": _area_under_curve(torch.cat(scores).numpy(), torch.cat(truths).numpy()),
    }


def export(network: MaskNetwork, path: Path, metadata: dict[str, Any]) -> None:
    """Write a network as ONNX with explicit memory; masks and activities come out as probabilities."""
    path.parent.mkdir(parents=True, exist_ok=True)
    features = torch.zeros(2, network.shape.inputs, 4, 129)
    with warnings.catch_warnings():
        # The exporter warns of loops over lists and of sizes that are fixed; a test compares what it exports.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Probabilities(network).eval(),
            (features, network.silence(2)),
            str(path),
            input_names=["features", "memory"],
            output_names=["masks", "active", "memory_after"],
            dynamic_axes={
                "features": {0: "streams", 2: "frames"},
                "memory": {1: "rows"},
                "masks": {0: "streams", 2: "frames"},
                "active": {0: "streams", 1: "frames"},
                "memory_after": {1: "rows"},
            },
            dynamo=False,
            opset_version=17,
        )
    model = onnx.load(str(path))
    described = {"bands": N_BANDS, **metadata, **{k: json.dumps(v) for k, v in asdict(network.shape).items()}}
    onnx.helper.set_model_props(model, {key: str(value) for key, value in described.items()})
    onnx.save(model, str(path))


class _Probabilities(nn.Module):
    def __init__(self, network: MaskNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        masks, activity, memory = self.network(features, memory)
        return masks.sigmoid(), activity.sigmoid(), memory


def _advance(run: _Run, batch: tuple[Tensor, Tensor, Tensor]) -> float:
    features, masks, active = batch
    logits, activity, _ = run.network(features, run.network.silence(len(features)))
    loss = _loss(features, logits, activity, masks, active)
    run.optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(run.network.parameters(), 1.0)
    run.optimizer.step()
    run.schedule.step()
    run.step += 1
    return float(loss.detach())


def _loss(features: Tensor, logits: Tensor, activity: Tensor, masks: Tensor, active: Tensor) -> Tensor:
    """Cross-entropy of masks, where louder bands count more, and of activities."""
    weight = ((features[:, :1] + 1.5) / 2).clamp(0.1, 1.0)
    per_band = nn.functional.binary_cross_entropy_with_logits(logits, masks, reduction="none")
    per_frame = nn.functional.binary_cross_entropy_with_logits(activity[..., 0], active)
    return (weight * per_band).mean() / weight.mean() + 0.3 * per_frame


class _Batches(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    """Batches without end; a step's batch depends on the seed and its number only."""

    def __init__(self, recipe: Recipe, paths: Sequence[Path], seed: int, first: int) -> None:
        self._recipe, self._paths, self._seed, self._first = recipe, paths, seed, first

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        per_pass = max(1, len(self._paths) // self._recipe.mixtures)
        for step in itertools.count(self._first):
            order = np.random.default_rng((self._seed, step // per_pass)).permutation(len(self._paths))
            rng = np.random.default_rng((self._seed, 1, step))
            chosen = order[(step % per_pass) * self._recipe.mixtures :][: self._recipe.mixtures]
            drawn = [self._recipe.draw(read_mixture(self._paths[index]), rng) for index in chosen]
            yield _stack([example for examples in drawn for example in examples])


def _fixed_batches(recipe: Recipe, paths: Sequence[Path]) -> list[tuple[Tensor, Tensor, Tensor]]:
    batches = []
    for start in range(0, len(paths), recipe.mixtures):
        rng = np.random.default_rng((7, start))
        drawn = [recipe.draw(read_mixture(path), rng) for path in paths[start : start + recipe.mixtures]]
        batches.append(_stack([example for examples in drawn for example in examples]))
    return batches


def _stack(examples: Sequence[Example]) -> tuple[Tensor, Tensor, Tensor]:
    return (
        torch.from_numpy(np.stack([example.features for example in examples])),
        torch.from_numpy(np.stack([example.masks for example in examples])),
        torch.from_numpy(np.stack([example.active for example in examples])),
    )


def _area_under_curve(scores: np.ndarray, truths: np.ndarray) -> float:
    """Probability that a frame with speech scores above one without (Mann-Whitney)."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(scores, kind="stable")] = np.arange(1, len(scores) + 1)
    positive = truths > 0.5
    n, m = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m)) if n and m else float("nan")
