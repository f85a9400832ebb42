"""What the agreement of lips and sound means: logistic regression on windows of development voices and faces."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import scipy.optimize
from hearing_models.lips.judging import WINDOWS, WRONG, Seen, Windows, auc, match_windows, speaking_scores
from numpy.typing import NDArray

from hearing.vision.synchrony import FILE

FloatArray = NDArray[np.float64]

NAMES = ("point", "viseme", "rate", "start", "fade")
SHARES = {"other": 0.4, "gesture": 0.25, "shifted": 0.2, "reread": 0.15}
"""How often a wrong sound is of a kind, as far as the fit is concerned."""
_START = (1.0, 0.3, 0.0, 0.0, 2.0)
_BOUNDS = ((0.0, 5.0), (0.0, 5.0), (-5.0, 5.0), (-5.0, 5.0), (0.2, 50.0))


def fit(windows: Windows) -> dict[str, float]:
    """Fit `SyncLikelihood` by cross-entropy, right and wrong sounds being equally likely before."""
    found = scipy.optimize.minimize(
        lambda values: cost(log_ratios(values, windows), windows), _START, method="L-BFGS-B", bounds=_BOUNDS
    )
    return dict(zip(NAMES, map(float, found.x), strict=True))


def log_ratios(values: Sequence[float], windows: Windows) -> FloatArray:
    """Return what `SyncLikelihood` says, but for its doubt."""
    point, viseme, rate, start, fade = values
    total = point * windows.points + viseme * windows.visemes + rate * windows.seconds + start
    ratios: FloatArray = total / (1 + windows.seconds / fade)
    return ratios


def cost(ratios: FloatArray, windows: Windows) -> float:
    """Return the cost of log-likelihood ratios in bits, 1 without any knowledge; every length counts as much."""
    total = 0.0
    for length in WINDOWS:
        here = windows.length == length
        total += float(np.logaddexp(0, -ratios[here & windows.own]).mean())
        for kind, share in SHARES.items():
            wrong = here & (windows.kind == kind)
            total += share * float(np.logaddexp(0, ratios[wrong]).mean()) if wrong.any() else 0.0
    return total / len(WINDOWS) / 2 / float(np.log(2))


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
