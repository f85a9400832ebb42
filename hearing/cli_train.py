"""`hearing train`: the recipes of the networks that the project trains itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from hearing.console import say, step_progress
from hearing.errors import InputError


def train(
    network: Annotated[str, typer.Argument(help="What to train: mask or separator.")],
    out: Annotated[Path, typer.Option(help="Folder for mixtures, checkpoints, curves and the network.")] = Path(
        "checkpoints/frontend"
    ),
    mixtures: Annotated[int, typer.Option(help="Simulated scenes of 6 s to train on.")] = 2000,
    steps: Annotated[int | None, typer.Option(help="Steps of the optimizer; by default the recipe's.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 1,
    workers: Annotated[int, typer.Option(help="Processes that simulate; 0 for one per core.")] = 0,
) -> None:
    """Train a network of the front end, or go on where that stopped: scenes, training, ONNX, curves, model card."""
    if mixtures < 1 or workers < 0 or seed < 0 or (steps is not None and steps < 1):
        raise InputError("--mixtures and --steps need 1 or more, --seed and --workers 0 or more")
    try:
        from hearing_models.frontend.recipe import run_recipe
    except ImportError as error:
        raise InputError(f"{error}; install what training needs: pip install 'robot-hearing[sim,train]'") from error
    with step_progress() as note:
        weights = run_recipe(network, out, mixtures, steps, seed, workers or os.cpu_count() or 1, note)
    say(f"{weights}, with curves.png and card.md beside it")
