"""The part of the page about recognizers that tells how far their confidences are to be believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hearing.bench.page import table
from hearing.bench.recognizer import OWN, Results
from hearing.evaluation.reliability import Reliability, judge
from hearing.fitted import read_fitted
from hearing.recognition.calibration import FILE
from hearing.recognition.engines.support import own_weights

BEFORE, AFTER = f"`{OWN}`, its decoder alone", f"`{OWN}`, calibrated"
_LEAST_DRAWN = 10
"""Words of which the share that is right is worth drawing."""
_COLUMNS = ("words", "right (%)", "mean confidence (%)", "calibration error (%)", "Brier score")
_LEGEND = """\
Of final words in utterances in which somebody speaks, all conditions together. Calibration error: how far confidence
and share of right words are apart, in the mean over ten bins of confidence. Brier score: mean square of what confidence
lacks of 1 in right words and has above 0 in wrong ones: small if confidences are calibrated and tell these apart."""
_FITTED = """\
The last two rows are the development words on which the confidences of the package's weights were fitted (`python -m
hearing_models.recognizer.calibration`), those of each speaker by a fit without him."""


def confidence_lines(found: Mapping[str, Reliability]) -> Iterator[str]:
    """Write the section as Markdown; nothing if nothing is known."""
    if found:
        yield from ("", "## How far confidences are to be believed", "", _LEGEND)
        yield from (_FITTED, "") if BEFORE in found else ("",)
        yield from table("engine", _COLUMNS, {name: _row(reliability) for name, reliability in found.items()})


def reliabilities(results: Results, weights: Path | None = None) -> dict[str, Reliability]:
    """Find how well confidences foretold which words are right.

    Parameters
    ----------
    results
        What the engines answered.
    weights
        Folder of the own engine's weights; None for that of the package.

    Returns
    -------
    By engine; and of the own one what the fit of its confidences found, under `BEFORE` and `AFTER`.
    """
    found = {engine: measured for engine in results.answers if (measured := _measured(results, engine))}
    path = (weights or own_weights()) / FILE
    return found | _fitted(path) if OWN in found and path.is_file() else found


def draw_reliability(axes: Any, found: Mapping[str, Reliability]) -> None:
    """Draw the share of words that are right over their confidence."""
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for engine, reliability in found.items():
        style = ":" if engine == BEFORE else "--" if engine == AFTER else "-"
        bins = [part for part in reliability.bins if part.number >= _LEAST_DRAWN]
        at, shares = [part.confidence for part in bins], [part.right for part in bins]
        axes.plot(at, shares, style, marker="o", markersize=3, linewidth=1, label=engine.replace("`", ""))
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence")
    axes.set_title("share of words that are right", fontsize="medium")
    axes.legend(fontsize="small")
    axes.spines[["top", "right"]].set_visible(False)


def _measured(results: Results, engine: str) -> Reliability | None:
    confidences: list[float] = []
    right: list[bool] = []
    for answer in results.of(engine, lambda one: bool(one.said and one.confidences)):
        for confidence, judged in zip(answer.confidences, judge(answer.said, answer.heard.split()), strict=True):
            if judged is not None:
                confidences.append(confidence)
                right.append(judged)
    return Reliability.of(confidences, right)


def _fitted(path: Path) -> dict[str, Reliability]:
    kinds = {BEFORE: "before", AFTER: "after"}
    return read_fitted(
        path,
        lambda record: {name: Reliability.from_dict(record[key]) for name, key in kinds.items()},
        "calibration of words",
        "fit it anew, or remove it",
    )


def _row(found: Reliability) -> list[str]:
    return [
        str(found.number),
        f"{100 * found.share_right:.1f}",
        f"{100 * found.mean_confidence:.1f}",
        f"{100 * found.calibration_error:.1f}",
        f"{found.brier:.3f}",
    ]
