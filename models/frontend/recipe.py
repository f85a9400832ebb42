"""The whole recipe: scenes to mixtures, mixtures to a network, the network to ONNX, curves and a model card."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hearing_models.frontend.mixtures import generate_mixtures
from hearing_models.frontend.training import DEVELOPMENT_MIXTURES, RECIPES, Recipe, export, train

from hearing.errors import InputError

WEIGHTS = Path(__file__).parent / "weights"
TITLES = {
    "speech_mask": "which bins are speech",
    "separator": "which bins are the talker in one direction, and whether he talks",
}


def run_recipe(
    name: str,
    folder: Path,
    mixtures: int,
    steps: int | None,
    seed: int,
    workers: int,
    progress: Callable[[str, int, int], None],
) -> Path:
    """Train a network of the front end from nothing, or go on where that stopped.

    Parameters
    ----------
    name
        Of the recipe: `mask` or `separator`.
    folder
        For mixtures (which both recipes share), checkpoints and figures.
    mixtures
        How many scenes of 6 s to train on.
    steps
        Of the optimizer; None for the recipe's own number.
    seed
        Of everything random.
    workers
        Processes that simulate scenes.
    progress
        Is told what is done, how much of it, and of how much.

    Returns
    -------
    The ONNX file, `folder/NAME/WEIGHTS.onnx`. Copy it to `hearing_models/frontend/weights` to use it.

    Raises
    ------
    InputError
        If there is no such recipe, or the data kit is missing.
    """
    if name not in RECIPES:
        raise InputError(f"recipe {name!r} is unknown; known are: {', '.join(RECIPES)}")
    recipe = RECIPES[name] if steps is None else dataclasses.replace(RECIPES[name], steps=steps)
    made = {"train": 0, "dev": 0}

    def count(split: str, total: int) -> Callable[[int], None]:
        def done(number: int) -> None:
            made[split] += number
            progress(f"simulating mixtures ({split})", made[split], total)

        return done

    training = generate_mixtures(folder / "mixtures/train", mixtures, seed, "train", workers, count("train", mixtures))
    development = generate_mixtures(
        folder / "mixtures/dev", DEVELOPMENT_MIXTURES, seed + 1, "dev", workers, count("dev", DEVELOPMENT_MIXTURES)
    )

    def report(step: int, figures: dict[str, float]) -> None:
        progress(f"training {name} (loss {figures['development_loss']:.3f} on unseen voices)", step, recipe.steps)

    network = train(recipe, folder / name, training, development, seed, report)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    weights = folder / name / f"{recipe.name}.onnx"
    export(network, weights, {"steps": recipe.steps, "mixtures": mixtures, "seed": seed, "parameters": parameters})
    log = [json.loads(line) for line in (folder / name / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    draw_curves(log, folder / name / "curves.png")
    card = model_card(recipe, log[-1], mixtures, seed, parameters, weights.stat().st_size)
    (folder / name / "card.md").write_text(card, encoding="utf-8")
    return weights


def draw_curves(log: list[dict[str, Any]], path: Path) -> None:
    """Draw losses on training and on held-out scenes over the steps."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.5), constrained_layout=True)
    for key, label in (("loss", "training"), ("development_loss", "held-out scenes")):
        axes.plot([entry["step"] for entry in log], [entry[key] for entry in log], label=label)
    axes.set(xlabel="step", ylabel="cross-entropy")
    axes.legend()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def model_card(recipe: Recipe, figures: dict[str, Any], mixtures: int, seed: int, parameters: int, size: int) -> str:
    """Describe a trained network."""
    directed = ", fit to the direction, fit to the best other direction" if recipe.shape.inputs > 2 else ""
    return f"""# {recipe.name}: {TITLES[recipe.name]}

| | |
|---|---|
| parameters | {parameters:,} |
| size | {size / 1e6:.2f} MB, float32 ONNX with explicit memory |
| input | level and coherence per band{directed}; 129 bands, 16 ms |
| output | share of direct and of reverberant speech per band, probability that somebody talks per frame |
| trained on | {mixtures} simulated scenes of 6 s (train split of the data kit), mixed anew at every pass |
| arrays | random ones of 4 to 8 microphones, and the built-in ones |
| seed, steps | {seed}, {recipe.steps} of {recipe.mixtures} mixtures |
| cost | {figures["seconds"] / 3600:.2f} h on one or two cores, without simulating |
| loss on unseen voices | {figures["development_loss"]:.3f} cross-entropy |
| mask error on unseen voices | {figures["mask_error"]:.3f} mean absolute |
| activity on unseen voices | {figures["activity_auc"]:.3f} area under the curve |
| licence | Apache-2.0; trained on recordings under CC BY 4.0, Apache-2.0, MIT and CC0, see `datasets/` |

Made by `hearing train`; rooms, machines and talkers are simulated, with recorded voices and partly recorded machines.
"""
