"""What the agreement of lips and sound means: logistic regression on windows of development voices and faces."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import scipy.optimize
from hearing_models.lips.judging import WINDOWS, WRONG, Seen, Windows, auc, match_windows, speaking_scores
from numpy.typing import NDArray

from hearing.vision.synchrony import FILE, SyncLikelihood

FloatArray = NDArray[np.float64]

NAMES = tuple(entry.name for entry in fields(SyncLikelihood))
SHARES = {"other": 0.4, "gesture": 0.25, "shifted": 0.2, "reread": 0.15}
"""How often a wrong sound is of a kind, as far as the fit is concerned."""
SOUND, WORDS = ("point", "rate", "start", "fade"), ("word", "pace")
"""What is fitted at once."""
START = (1.0, 0.0, 0.0, 0.0, 0.0, 2.0)
BOUNDS = {
    "point": (0.0, 5.0),
    "rate": (-5.0, 5.0),
    "word": (0.0, 20.0),
    "pace": (-5.0, 5.0),
    "start": (-5.0, 5.0),
    "fade": (0.2, 50.0),
}


def fit(windows: Windows) -> dict[str, float]:
    """Fit `SyncLikelihood` by cross-entropy, right and wrong sounds being equally likely before.

    What words add is fitted afterwards, where there are some: whether any are recognized says nothing of the mouth.
    """
    nothing = np.zeros_like(windows.words)
    values = _fitted(START, SOUND, replace(windows, words=nothing, spoken=nothing))
    values = _fitted(values, WORDS, windows.where(windows.spoken > 0))
    return dict(zip(NAMES, values, strict=True))


def _fitted(values: Sequence[float], free: Sequence[str], windows: Windows) -> list[float]:
    """Fit the values that are free, and leave the others."""
    places = [NAMES.index(name) for name in free]

    def with_free(chosen: Sequence[float]) -> list[float]:
        changed = list(values)
        for place, value in zip(places, chosen, strict=True):
            changed[place] = float(value)
        return changed

    found = scipy.optimize.minimize(
        lambda chosen: cost(log_ratios(with_free(chosen), windows), windows),
        [values[place] for place in places],
        method="L-BFGS-B",
        bounds=[BOUNDS[name] for name in free],
    )
    return with_free(found.x)


def log_ratios(values: Sequence[float], windows: Windows) -> FloatArray:
    """Return what `SyncLikelihood` says, but for its doubt."""
    point, rate, word, pace, start, fade = values
    heard = point * windows.points + rate * windows.seconds
    total = heard + word * windows.words + pace * windows.spoken + start
    ratios: FloatArray = total / (1 + windows.seconds / fade)
    return ratios


def cost(ratios: FloatArray, windows: Windows) -> float:
    """Return the cost of log-likelihood ratios in bits, 1 without any knowledge; every length counts as much."""
    total = 0.0
    lengths = [length for length in WINDOWS if (windows.own & (windows.length == length)).any()]
    for length in lengths:
        here = windows.length == length
        total += float(np.logaddexp(0, -ratios[here & windows.own]).mean())
        for kind, share in SHARES.items():
            wrong = here & (windows.kind == kind)
            total += share * float(np.logaddexp(0, ratios[wrong]).mean()) if wrong.any() else 0.0
    return total / len(lengths) / 2 / float(np.log(2))


def table(seen: Sequence[Seen], values: Sequence[float], windows: Windows | None = None) -> Iterator[str]:
    """Lay out areas under the curve of windows."""
    windows = windows or match_windows(seen)
    ratios = log_ratios(values, windows)
    lengths = WINDOWS
    scores = [speaking_scores(seen, length) for length in lengths]
    for name in sorted({name for found in scores for name in found} - {"speak"}):
        cells = [auc(found.get("speak", np.zeros(0)), found.get(name, np.zeros(0))) for found in scores]
        yield _row(f"speaking / {name}", cells, min(len(found.get(name, ())) for found in scores[:2]))
    for kind in WRONG:
        cells = [
            auc(ratios[windows.own & (windows.length == n)], ratios[(windows.kind == kind) & (windows.length == n)])
            for n in lengths
        ]
        yield _row(f"own sound / {kind}", cells, int(((windows.kind == kind) & (windows.length == 1.0)).sum()))
    yield f"cost {cost(ratios, windows):.3f} bits"


def write(folder: Path, values: dict[str, float], bits: float) -> None:
    """Write the fit beside the networks."""
    record = {"fit": {name: round(value, 4) for name, value in values.items()}, "cost_bits": round(bits, 4)}
    (folder / FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _row(name: str, cells: Sequence[float], number: int) -> str:
    return f"{name:26s} " + " ".join(f"{cell:6.3f}" for cell in cells) + f"   ({number})"
