"""How the two networks learn: who speaks, what is said, and which sound goes with which mouth.

Over windows of several lengths the evidence that a mouth makes a sound is the sum of dot products of points. A mouth
that speaks is to be told by contrast (van den Oord et al. 2018, equation 4) from its own sound among those of other
talkers, of itself at other times, and of somebody else who reads the same words; and its sound from no sound at all,
from other mouths, from those that chew and smile, by logistic regression.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from hearing_models.lips.examples import Batch
from hearing_models.lips.network import LipEncoder, SoundEncoder, silence
from hearing_models.lips.takes import UNKNOWN
from torch import Tensor, nn
from torch.nn import functional

WINDOWS = (7, 14, 28)
"""Frames over which evidence is added up."""
LAGS = torch.cat([torch.arange(-15, -3), torch.arange(4, 16)])
"""Steps of sound by which a mouth and its own sound are wrongly put together."""
_SPEAKS, _SILENT = 0.6, 0.1


class Pair(nn.Module):
    """Both networks, and what turns dot products into evidence per second."""

    def __init__(self) -> None:
        super().__init__()
        self.lips, self.sound = LipEncoder(), SoundEncoder()
        self.scale = nn.Parameter(torch.tensor(1.5))
        self.bias = nn.Parameter(torch.tensor(0.0))


@dataclass(slots=True)
class Run:
    """A training run as its checkpoint holds it."""

    pair: Pair
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    step: int = 0
    seconds: float = 0.0
    log: list[dict[str, float]] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        state = {
            "pair": self.pair.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "log": self.log,
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def load(self, path: Path) -> None:
        """Go on where it was."""
        state = torch.load(path, weights_only=True)
        self.pair.load_state_dict(state["pair"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.step, self.seconds, self.log = state["step"], state["seconds"], state["log"]


def train(
    folder: Path,
    batches: Callable[[int], Iterable[Batch]],
    held_out: list[Batch],
    steps: int,
    seed: int,
    report: Callable[[int, dict[str, float]], None],
    every: int = 100,
) -> Pair:
    """Train both networks, or go on where a run in the same folder stopped.

    Parameters
    ----------
    folder
        For the checkpoint `latest.pt`.
    batches
        Makes batches without end from a seed.
    held_out
        Batches of unseen people.
    steps
        Of the optimizer.
    seed
        Of everything random.
    report
        Is told the number of steps and the newest figures at every checkpoint.
    every
        Steps from one checkpoint to the next.
    """
    torch.manual_seed(seed)
    pair = Pair()
    optimizer = torch.optim.AdamW(pair.parameters(), 1.5e-3, weight_decay=0.02)
    run = Run(pair, optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.5e-3, steps, pct_start=0.1))
    checkpoint = folder / "latest.pt"
    if checkpoint.is_file():
        run.load(checkpoint)
    begin, losses = time.perf_counter() - run.seconds, []
    for batch in batches(seed + run.step):
        if run.step >= steps:
            break
        losses.append(_advance(run, batch))
        if run.step % every == 0 or run.step == steps:
            run.seconds = time.perf_counter() - begin
            figures = {key: float(np.mean([loss[key] for loss in losses])) for key in losses[0]}
            figures |= {f"development_{key}": value for key, value in _held_out(pair, held_out).items()}
            run.log.append({"step": run.step, "seconds": run.seconds, **figures})
            run.save(checkpoint)
            (folder / "log.json").write_text(json.dumps(run.log, indent=1), encoding="utf-8")
            report(run.step, figures)
            losses = []
    return pair.eval()


def losses_of(pair: Pair, batch: Batch) -> dict[str, Tensor]:
    """Return the parts of the loss."""
    size = len(batch.features)
    speaking, lips, lip_visemes, _ = pair.lips(batch.features, silence(pair.lips, size))
    both = torch.cat([batch.sound, batch.rival])
    sounds, heard_visemes, _ = pair.sound(both, silence(pair.sound, 2 * size))
    own, rival = sounds[:size], sounds[size:]
    contrast, matching = _matching(pair, batch, lips, own, rival)
    return {
        "speaking": functional.binary_cross_entropy_with_logits(speaking, batch.speaking),
        "seen": functional.cross_entropy(lip_visemes.flatten(0, 1), batch.viseme.flatten(), ignore_index=UNKNOWN),
        "heard": functional.cross_entropy(
            heard_visemes[:size].flatten(0, 1), batch.spoken.flatten(), ignore_index=UNKNOWN
        ),
        "contrast": contrast,
        "matching": matching,
    }


WEIGHTS = {"speaking": 1.0, "seen": 0.5, "heard": 0.5, "contrast": 1.0, "matching": 1.0}
"""Of the parts of the loss."""


def _matching(pair: Pair, batch: Batch, lips: Tensor, own: Tensor, rival: Tensor) -> tuple[Tensor, Tensor]:
    """Return the losses of telling sounds by contrast, and of telling whether a mouth makes a sound."""
    size, n_frames = batch.place.shape
    same = torch.arange(size)
    everyone = own.new_zeros(size, size, n_frames)
    for number in range(size):  # mouths; all at once would take much memory
        everyone[number] = torch.einsum("td,btd->bt", lips[number], at_steps(own, batch.place[number]))
    reading = (lips * at_steps(rival, batch.place)).sum(dim=2)[:, None]
    moments = batch.place[:, None] + LAGS[:, None]
    late = (lips[:, None] * at_steps(own, moments.flatten(1)).unflatten(1, moments.shape[1:])).sum(dim=3)
    # The first candidate is the mouth's own sound.
    order = (same[:, None] + same) % size
    candidates = torch.cat([everyone[same[:, None], order], reading, late], dim=1)
    rate = pair.scale.exp() / lips.shape[2] ** 0.5
    evidence = (rate * candidates + pair.bias) * batch.elapsed[:, None]
    contrasts, matches = [], []
    for window in WINDOWS:
        total = evidence.unflatten(2, (-1, window)).sum(dim=3)
        speaks = batch.speaking.unflatten(1, (-1, window)).mean(dim=2)
        positive = speaks > _SPEAKS
        if positive.any():
            contrasts.append(
                functional.cross_entropy(
                    total.transpose(1, 2)[positive], total.new_zeros(int(positive.sum()), dtype=torch.long)
                )
            )
            matches.append(functional.softplus(-total[:, 0][positive]).mean())
        matches.append(functional.softplus(total[:, 1:]).mean())
        # Lips at rest do not make what their own track has in a pause, but nobody can tell from so little.
        silent = (batch.speaking.mean(dim=1) < _SILENT)[:, None].expand_as(speaks)
        if silent.any():
            matches.append(0.2 * functional.softplus(total[:, 0][silent]).mean())
    return torch.stack(contrasts).mean() if contrasts else evidence.sum() * 0, torch.stack(matches).sum() / len(WINDOWS)


def at_steps(sounds: Tensor, place: Tensor) -> Tensor:
    """Return points of sounds (B, K, D) between steps, at places (B, T) or (T,): (B, T, D)."""
    place = place.expand(len(sounds), -1).clamp(0, sounds.shape[1] - 1.001)
    whole = place.floor()
    share = (place - whole)[..., None]
    index = whole.long()[..., None].expand(-1, -1, sounds.shape[2])
    return sounds.gather(1, index) * (1 - share) + sounds.gather(1, index + 1) * share


def _advance(run: Run, batch: Batch) -> dict[str, float]:
    losses = losses_of(run.pair, batch)
    total = torch.stack([WEIGHTS[key] * loss for key, loss in losses.items()]).sum()
    run.optimizer.zero_grad()
    total.backward()
    nn.utils.clip_grad_norm_(run.pair.parameters(), 1.0)
    run.optimizer.step()
    run.schedule.step()
    run.step += 1
    return {key: float(loss.detach()) for key, loss in losses.items()} | {"loss": float(total.detach())}


@torch.no_grad()
def _held_out(pair: Pair, batches: list[Batch]) -> dict[str, float]:
    pair.eval()
    found = [losses_of(pair, batch) for batch in batches]
    pair.train()
    means = {key: float(np.mean([float(losses[key]) for losses in found])) for key in WEIGHTS}
    return means | {"loss": sum(WEIGHTS[key] * value for key, value in means.items())}
