"""The whole recipe: dialogues to cues, cues to weights and their calibration, and how far to believe them.

A logistic regression is fitted to lines of the training split. Said with other lines and words it is surer than it is
right, so that its log-odds are scaled and shifted to fit lines of the calibration split (Platt 1999); it is judged on
those of development.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hearing_models.addressee.conversations import LOOKED_AT, UNSEEN, written_examples
from hearing_models.addressee.dialogues import Example, Split, draw_examples, people
from hearing_models.recognizer.dictionary import FOLDER, read_examples
from numpy.typing import NDArray

from hearing.attribution.addressee import CUES, FILE, NUMBER, cue_values
from hearing.attribution.names import NameFinder
from hearing.evaluation.reliability import Reliability

EXAMPLES: dict[Split, int] = {"train": 30000, "calibration": 8000, "dev": 10000}
_RIDGE = 3.0
_NEWTON_STEPS = 30

FloatArray = NDArray[np.float64]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Utterances in numbers: cues of shape (n, n_cues), whether they are said to the robot, of shape (n,)."""

    cues: FloatArray
    to_robot: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A calibrated logistic regression: log-odds are `bias` + cues @ `weights`, which has the shape (n_cues,)."""

    bias: float
    weights: FloatArray

    def probabilities(self, cues: FloatArray) -> FloatArray:
        """Return how likely utterances are said to the robot, of shape (n,), from cues of shape (n, n_cues)."""
        likely: FloatArray = 1 / (1 + np.exp(-self.bias - cues @ self.weights))
        return likely


@dataclass(frozen=True, slots=True)
class Judgement:
    """How good probabilities are: area under the ROC curve, share of wrong decisions at 0.5, and reliability."""

    auc: float
    wrong: float
    reliability: Reliability

    @classmethod
    def of(cls, likely: FloatArray, true: NDArray[np.bool_]) -> Judgement:
        """Compare probabilities with the truth, both of shape (n,), one of either at least."""
        reliability = Reliability.of(likely, true)
        if reliability is None:
            raise ValueError("nothing to judge")
        return cls(area_under_curve(likely, true), float(np.mean((likely >= 0.5) != true)), reliability)


def run_recipe(folder: Path, seed: int, progress: Progress, examples: dict[Split, int] | None = None) -> Path:
    """Make up dialogues, fit, judge, and write weights, figures and the reliability diagram.

    Parameters
    ----------
    folder
        For what is written: `addressee.json`, `figures.json`, `curves.png`.
    seed
        Of the dialogues.
    progress
        Is told what is done, how much of it, and of how much.
    examples
        How many utterances of each split at least.

    Returns
    -------
    The file of the weights. Copy it to `hearing_models/addressee/weights` to use it.
    """
    wanted = examples or EXAMPLES
    remarks = read_examples(FOLDER)
    drawn = {split: draw_examples(split, number, seed, remarks) for split, number in wanted.items()}
    heard = {split: notice(found, progress) for split, found in drawn.items()}
    first = calibrated_fit(heard["train"], heard["calibration"])
    drawn = {split: judged_by(first, found) for split, found in drawn.items()}
    heard = {split: notice(found, progress) for split, found in drawn.items()}
    fitted = calibrated_fit(heard["train"], heard["calibration"])
    drawn["dev"] = judged_by(fitted, drawn["dev"])
    heard["dev"] = notice(drawn["dev"], progress)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    path.write_text(json.dumps(_record(fitted, seed, wanted), indent=1) + "\n", encoding="utf-8")
    figures = judge(fitted, heard, drawn["dev"], progress)
    (folder / "figures.json").write_text(
        json.dumps({name: asdict(found) for name, found in figures.items()}, indent=1) + "\n", encoding="utf-8"
    )
    draw_reliability(figures, folder / "curves.png")
    return path


@cache
def finder_of(robot_name: str) -> NameFinder:
    """Make a finder that does not know one given name of five, like a robot among strangers."""
    return NameFinder((robot_name,), people(known=True))


def notice(examples: Sequence[Example], progress: Progress = lambda *_: None) -> Heard:
    """Turn utterances into numbers."""
    cues = np.zeros((len(examples), NUMBER))
    for at, example in enumerate(examples):
        if at % 1000 == 0:
            progress("reading utterances", at, len(examples))
        cues[at] = cue_values(example.cues, finder_of(example.robot_name))
    return Heard(cues, np.array([example.to_robot for example in examples]))


def judged_by(fit: Fit, examples: Sequence[Example]) -> list[Example]:
    """Tell since when everybody has talked to the robot as a fit judges it, as a robot must, not as it was."""
    addressed: dict[int, float] = {}
    judged = []
    for example in examples:
        last = addressed.get(example.speaker)
        since = None if last is None else max(example.start - last, 0.0)
        example = replace(example, cues=replace(example.cues, since_addressed=since))
        if fit.probabilities(cue_values(example.cues, finder_of(example.robot_name))) >= 0.5:
            addressed[example.speaker] = example.end
        judged.append(example)
    return judged


def calibrated_fit(train: Heard, calibration: Heard, without: Collection[str] = ()) -> Fit:
    """Fit weights to some utterances and their calibration to others, without some kinds of cues."""
    kept = np.array([kind not in without for kind, names in CUES.items() for _ in names])
    bias, weights = logistic_regression(train.cues[:, kept], train.to_robot)
    odds = bias + calibration.cues[:, kept] @ weights
    shift, (scale,) = logistic_regression(odds[:, None], calibration.to_robot)
    spread = np.zeros(NUMBER)
    spread[kept] = scale * weights
    return Fit(shift + scale * bias, spread)


def logistic_regression(inputs: FloatArray, true: NDArray[np.bool_]) -> tuple[float, FloatArray]:
    """Fit by Newton's method, weights kept small in units of the inputs' spread.

    Parameters
    ----------
    inputs
        Of shape (n, n_inputs).
    true
        Of shape (n,).

    Returns
    -------
    Bias, and weights of shape (n_inputs,).
    """
    mean, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
    design = np.column_stack([np.ones(len(inputs)), (inputs - mean) / spread])
    ridge = np.diag([0.0, *[_RIDGE] * inputs.shape[1]])
    weights = np.zeros(design.shape[1])
    for _ in range(_NEWTON_STEPS):
        likely = 1 / (1 + np.exp(-design @ weights))
        curvature = (design * (likely * (1 - likely))[:, None]).T @ design + ridge
        weights = weights + np.linalg.solve(curvature, design.T @ (true - likely) - ridge @ weights)
    scaled = weights[1:] / spread
    return float(weights[0] - scaled @ mean), scaled


def judge(fit: Fit, heard: dict[Split, Heard], dev: Sequence[Example], progress: Progress) -> dict[str, Judgement]:
    """Judge a fit on development lines: all, with and without camera, each kind of cue off, and the rule before it.

    Conversations written by hand are judged besides, in which the fit is asked since when it is talked to.
    """
    truth = heard["dev"].to_robot
    seen = np.array([example.cues.facing is not None for example in dev])
    likely = fit.probabilities(heard["dev"].cues)
    blind = fit.probabilities(notice(judged_by(fit, without_camera(dev))).cues)
    figures = {
        "all": Judgement.of(likely, truth),
        "face seen": Judgement.of(likely[seen], truth[seen]),
        "the same, camera off": Judgement.of(blind[seen], truth[seen]),
        "no camera": Judgement.of(blind, truth),
        "by name alone": Judgement.of(by_name(dev), truth),
    }
    for kind in CUES:
        progress(f"fitting without {kind}", len(figures), len(figures) + len(CUES))
        reduced = calibrated_fit(heard["train"], heard["calibration"], (kind,))
        figures[f"without {kind}"] = Judgement.of(reduced.probabilities(heard["dev"].cues), truth)
    for name, conversations in (("written, looked at", LOOKED_AT), ("written, unseen", UNSEEN)):
        written = written_examples(conversations)
        for camera, examples in (("", written), (", no camera", without_camera(written))):
            found = notice(judged_by(fit, examples))
            figures[name + camera] = Judgement.of(fit.probabilities(found.cues), found.to_robot)
        figures[f"{name}, by name alone"] = Judgement.of(by_name(written), found.to_robot)
    return figures


def without_camera(examples: Sequence[Example]) -> list[Example]:
    """Take away what a camera tells."""
    return [replace(each, cues=replace(each.cues, facing=None, distance=None)) for each in examples]


def by_name(examples: Sequence[Example]) -> FloatArray:
    """Return what the rule before this model said, of shape (n,): 0.95 for a name first or last, 0.3 elsewhere, 0.2."""
    likely = np.full(len(examples), 0.2)
    for at, example in enumerate(examples):
        words = [word.strip(",.?!").lower() for word in example.cues.text.split()]
        name = example.robot_name.lower().split()[-1]
        if name in words:
            likely[at] = 0.95 if name in words[:2] or name == words[-1] else 0.3
    return likely


def area_under_curve(scores: FloatArray, true: NDArray[np.bool_]) -> float:
    """Return the probability that a true one scores more than a false one, ties counted by half (Mann-Whitney)."""
    _, rank, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[rank]
    positives = int(true.sum())
    return float((ranks[true].sum() - positives * (positives + 1) / 2) / (positives * (len(true) - positives)))


def draw_reliability(figures: dict[str, Judgement], path: Path) -> None:
    """Draw how often utterances of about the same probability are said to the robot."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(10, 3.6), sharey=True)
    for panel, name in zip(axes, ("all", "no camera", "by name alone"), strict=True):
        found = figures[name]
        bins = found.reliability.bins
        panel.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
        panel.plot([part.confidence for part in bins], [part.right for part in bins], "o-")
        panel.bar([part.confidence for part in bins], [part.number / found.reliability.number for part in bins],
                  width=0.06, color="lightgrey")  # fmt: skip
        panel.set_title(f"{name}: AUC {found.auc:.3f}, Brier {found.reliability.brier:.3f}", fontsize=9)
        panel.set_xlabel("probability")
    axes[0].set_ylabel("share said to the robot; grey: of all")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _record(fit: Fit, seed: int, examples: dict[Split, int]) -> dict[str, Any]:
    values = iter(fit.weights.tolist())
    weights = {kind: {name: round(next(values), 4) for name in names} for kind, names in CUES.items()}
    return {
        "bias": round(fit.bias, 4), "weights": weights, "seed": seed, "examples": examples,
        "people": sorted(people(known=False)),
    }  # fmt: skip
