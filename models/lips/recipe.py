"""The whole recipe: takes, training, ONNX, calibration, and figures on people who were not trained on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from hearing_datasets import Split
from hearing_models.frontend.recipe import draw_curves
from hearing_models.lips import calibration
from hearing_models.lips.articulation import N_CLASSES
from hearing_models.lips.examples import N_FRAMES, Examples
from hearing_models.lips.export import export, steps_of
from hearing_models.lips.judging import Seen, match_windows, see
from hearing_models.lips.reading import read_takes
from hearing_models.lips.sounds import Surroundings, heard_takes
from hearing_models.lips.spelling import write_spelling
from hearing_models.lips.takes import UNKNOWN, Take, generate_takes, real_takes
from hearing_models.lips.training import Pair, train
from numpy.typing import NDArray
from torch import Tensor

from hearing.types import Word
from hearing.vision.visemes import Spelling

Progress = Callable[[str, int, int], None]

BATCH = 24
STEPS = 1500
SKETCHES = 4
DEVELOPMENT = (48, 100)
"""Filmed and sketched takes of people for development."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train.

    Attributes
    ----------
    folder
        For takes, checkpoints, figures and the networks.
    films
        Takes that are rendered; there are `SKETCHES` times as many that are sketched.
    steps
        Of the optimizer.
    seed
        Of everything random.
    workers
        Processes that render.
    """

    folder: Path
    films: int = 300
    steps: int = STEPS
    seed: int = 1
    workers: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Takes, how they sound, see `heard_takes`, and the words that are recognized in them, none if nobody listened."""

    takes: list[Take]
    heard: list[NDArray[np.float16]]
    words: list[tuple[Word, ...]]


def run_recipe(plan: Plan, progress: Progress) -> Path:
    """Train both networks from nothing, or go on where that stopped.

    Returns
    -------
    The folder of the networks and their calibration, to be copied to `hearing_models/lips/weights`. Beside it lie
    `curves.png` and `results.txt`.

    Raises
    ------
    InputError
        If the data kit is missing.
    """
    torch.set_num_threads(1)
    training = gather(plan, "train", (plan.films, SKETCHES * plan.films), progress)
    development = gather(plan, "dev", DEVELOPMENT, progress)
    batches = iter(Examples(development.takes, development.heard, 16, plan.seed))
    held_out = [next(batches) for _ in range(6)]

    def report(step: int, figures: dict[str, float]) -> None:
        progress(f"training lips (loss {figures['development_loss']:.3f} on unseen people)", step, plan.steps)

    def examples(seed: int) -> Examples:
        return Examples(training.takes, training.heard, BATCH, seed)

    pair = train(plan.folder, examples, held_out, plan.steps, plan.seed, report)
    return finish(pair, plan, training, development)


def gather(plan: Plan, split: Split, numbers: tuple[int, int], progress: Progress) -> Material:
    """Make takes and hear them, as far as that was not done before."""
    made = [0, 0]

    def count(which: int, what: str, total: int) -> Callable[[int], None]:
        def done(number: int) -> None:
            made[which] += number
            progress(f"{what} ({split})", made[which], total)

        return done

    total = sum(numbers) + len(real_takes(split))
    seed = plan.seed + (split != "train")
    paths = generate_takes(
        plan.folder / "takes" / split, numbers, seed, split, plan.workers, count(0, "filming lips", total)
    )
    around = partial(Surroundings.make, plan.folder / "noises" / split, split, plan.seed)
    heard = heard_takes(paths, around, plan.seed, count(1, "hearing lips", len(paths)))
    takes = [Take.load(path) for path in paths]
    useful = [index for index, take in enumerate(takes) if take.film.seen.sum() >= N_FRAMES]
    words = read_takes(paths, around, plan.seed) if split == "dev" else [()] * len(paths)
    return Material([takes[i] for i in useful], [heard[i] for i in useful], [words[i] for i in useful])


def finish(pair: Pair, plan: Plan, training: Material, development: Material) -> Path:
    """Export, calibrate and judge."""
    shares = viseme_shares(training.takes)
    draw_curves(json.loads((plan.folder / "log.json").read_text(encoding="utf-8")), plan.folder / "curves.png")
    weights = plan.folder / "weights"
    write_spelling(weights)
    about = {"steps": str(plan.steps), "films": str(plan.films), "seed": str(plan.seed)}
    export(pair, shares, weights, about)
    seen = seen_by(pair, shares, Spelling.beside(weights), development)
    sorts = groups(development.takes, seen)
    # The real talker is no stranger to the networks, and sketches are not what cameras give.
    windows = match_windows(sorts["film"])
    values = calibration.fit(windows)
    ratios = calibration.log_ratios(list(values.values()), windows)
    calibration.write(weights, values, calibration.cost(ratios, windows))
    lines = []
    for name, chosen in sorts.items():
        lines += [f"{name}, windows of 0.25, 0.5, 1, 2 s", *calibration.table(chosen, list(values.values())), ""]
    (plan.folder / "results.txt").write_text("\n".join(lines), encoding="utf-8")
    return weights


def seen_by(pair: Pair, shares: Tensor, spelling: Spelling, material: Material, fps: float = 30.0) -> list[Seen]:
    """Run the networks on all takes, at no more than so many frames per second."""
    lips, sound = steps_of(pair, shares)
    said = [spelling.expect(words) for words in material.words]
    return [see(*parts, lips, sound, fps) for parts in zip(material.takes, material.heard, said, strict=True)]


def groups(takes: Sequence[Take], seen: Sequence[Seen]) -> dict[str, list[Seen]]:
    """Sort takes by how they were seen."""
    found: dict[str, list[Seen]] = {"film": [], "real": [], "sketch": []}
    for take, one in zip(takes, seen, strict=True):
        found[take.way].append(one)
    return {name: ones for name, ones in found.items() if ones}


def viseme_shares(takes: Sequence[Take]) -> Tensor:
    """Return how often each viseme is said, of shape (N_CLASSES,)."""
    counts = np.ones(N_CLASSES)
    for take in takes:
        counts += np.bincount(take.viseme[take.viseme != UNKNOWN], minlength=N_CLASSES)
    return torch.from_numpy(counts / counts.sum()).float()
