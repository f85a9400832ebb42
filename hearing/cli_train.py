"""`hearing train`: the recipes of the networks that the project trains itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from hearing.console import say, step_progress
from hearing.errors import InputError

NETWORKS = ("mask", "separator", "lips", "voices", "addressee", "floor", "liveness", "recognizer")


def train(
    network: Annotated[
        str,
        typer.Argument(help="What to train: mask, separator, lips, voices, addressee, floor, liveness or recognizer."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for data, checkpoints, curves and the network; by default one in checkpoints."),
    ] = None,
    mixtures: Annotated[int, typer.Option(help="Simulated scenes of 6 s, for mask and separator.")] = 2000,
    films: Annotated[int, typer.Option(help="Rendered faces of 8 s, for lips.")] = 300,
    sentences: Annotated[int, typer.Option(help="Said by synthetic voices, for the recognizer; 0 for none.")] = 6000,
    steps: Annotated[
        int | None,
        typer.Option(
            help="Steps of the optimizer; by default 1200 for mask, 2600 for separator, 1500 for lips, "
            "1500 for liveness, and for recognizer 1000 on a CPU and 700 on a GPU."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 1,
    workers: Annotated[int, typer.Option(help="Processes that simulate; 0 for one per core.")] = 0,
    from_package: Annotated[
        bool, typer.Option("--from-package", help="Begin the recognizer with the package's weights, not Whisper's.")
    ] = False,
) -> None:
    """Train a network, or go on where that stopped: data, training, ONNX, curves.

    `torchrun --nproc-per-node N -m hearing train recognizer` trains the recognizer in N processes.
    """
    if min(mixtures, films) < 1 or min(workers, seed, sentences) < 0 or (steps is not None and steps < 1):
        raise InputError("--mixtures, --films and --steps need 1 or more, --sentences, --seed and --workers 0 or more")
    if network not in NETWORKS:
        raise InputError(f"network {network!r} is unknown; known are: {', '.join(NETWORKS)}")
    processes = workers or os.cpu_count() or 1
    folder = out or Path("checkpoints") / (
        {"mask": "frontend", "separator": "frontend", "liveness": "recognizer"}.get(network, network)
    )
    try:
        from hearing_models.addressee import recipe as addressee
        from hearing_models.floor import recipe as floor
        from hearing_models.frontend import recipe as frontend
        from hearing_models.lips import recipe as lips
        from hearing_models.liveness import recipe as liveness
        from hearing_models.recognizer import recipe as recognizer
        from hearing_models.voices import recipe as voices
    except ImportError as error:
        raise InputError(f"{error}; install what training needs: pip install 'robot-hearing[sim,train]'") from error
    with step_progress() as note:
        if network in ("recognizer", "liveness"):
            plan = recognizer.Plan(folder, sentences, steps, seed, processes, from_package)
            weights = (recognizer if network == "recognizer" else liveness).run_recipe(plan, note)
        elif network == "lips":
            weights = lips.run_recipe(lips.Plan(folder, films, steps or lips.STEPS, seed, processes), note)
        elif network == "voices":
            weights = voices.run_recipe(folder, seed, note)
        elif network == "addressee":
            weights = addressee.run_recipe(folder, seed, note)
        elif network == "floor":
            weights = floor.train(folder, seed, note)
        else:
            weights = frontend.run_recipe(network, folder, mixtures, steps, seed, processes, note)
    say(f"{weights}, with what it learned beside it")
