"""How the liveness network is trained: with what the recognizer is trained on, half of it without anybody there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import torch
from hearing_models.liveness.examples import Sounds, draw_example
from hearing_models.liveness.network import Liveness, export
from hearing_models.recognizer.noises import read_noises
from hearing_models.recognizer.places import generate_places
from hearing_models.recognizer.recipe import Plan, Progress, collect_voices, counter, prepare
from torch.nn import functional

from hearing.recognition.mel import log_mel

STEPS = 1500
PLACES = 80
_BATCH, _PART = 48, 8
_RATE, _WARM_UP = 1.5e-3, 50
_REPORT_EVERY = 20


def run_recipe(plan: Plan, progress: Progress) -> Path:
    """Train the network on the material of the recognizer's recipe, which is made if it is missing.

    Parameters
    ----------
    plan
        Of the recognizer; its steps are this network's.
    progress
        Is told what is done, how much of it, and of how much.

    Returns
    -------
    The network's file. Copy it to `hearing_models/liveness/weights` to use it.

    Raises
    ------
    InputError
        If a model, the data kit, or what the synthetic voices need is missing.
    """
    prepare(plan, progress)
    folder, steps = plan.folder, plan.steps or STEPS
    done = counter(progress, "simulating rooms (train)", PLACES)
    places = generate_places(folder / "places" / "train", PLACES, plan.seed, "train", plan.workers, done)
    noises = [soundfile.read(folder / "noises" / n.audio, dtype="float32")[0] for n in read_noises(folder / "noises")]
    sounds = Sounds(collect_voices(plan, progress), noises, places)
    torch.manual_seed(plan.seed)
    network = Liveness()
    for step, loss in enumerate(fit(network, sounds, steps, plan.seed)):
        if step % _REPORT_EVERY == 0:
            progress(f"training (loss {loss:.2f})", step, steps)
    path = folder / "liveness.onnx"
    export(network, path)
    return path


def fit(network: Liveness, sounds: Sounds, steps: int, seed: int) -> Iterator[float]:
    """Train for so many steps, at a rate that falls along a cosine; yields the loss of each, binary cross-entropy."""
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=0.01)

    def factor(step: int) -> float:
        return min(1.0, (step + 1) / _WARM_UP) * (0.01 + 0.99 * (1 + float(np.cos(np.pi * step / steps))) / 2)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    for _ in range(steps):
        drawn = [draw_example(rng, sounds) for _ in range(_BATCH)]
        heard = sorted(((log_mel(samples), somebody) for samples, somebody in drawn), key=lambda pair: len(pair[0]))
        optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for begin in range(0, _BATCH, _PART):
            # Of similar length, and cut to the shortest: statistics are not to be those of padding.
            part = heard[begin : begin + _PART]
            mel = torch.from_numpy(np.stack([frames[: len(part[0][0])] for frames, _ in part]))
            somebody = torch.tensor([float(there) for _, there in part])
            loss = functional.binary_cross_entropy_with_logits(network(mel), somebody) * _PART / _BATCH
            torch.autograd.backward(loss)
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        yield total
