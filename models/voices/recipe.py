"""The whole recipe: utterances near and far, adaptation to halls, calibration, and figures on other speakers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hearing_datasets import Split
from hearing_models.voices import adaptation, calibration
from hearing_models.voices.calibration import Heard, Pairs
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.likeness import CALIBRATION
from hearing.voices import VoiceEncoder
from hearing.voices.likelihood import own_weights

FloatArray = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

SPEAKERS: dict[Split, int] = {"dev": 60, "train": 60, "test": 60}
"""Most speakers of each split."""
TRUSTS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Shares of the covariance of embeddings that are tried, see `adaptation.fit`."""
FOLDS = 4
RESAMPLES = 300
FILE = "voice_encoder.onnx"


@dataclass(frozen=True, slots=True)
class Error:
    """An equal error rate, where 95 % of it lie if speakers are drawn anew, and the pairs of one person it is of."""

    rate: float
    low: float
    high: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What an adaptation is worth to speakers that it was not fitted to.

    Attributes
    ----------
    cost
        Of calibrated ratios in bits, with the adaptation less without it: the mean, and where 95 % of it lie.
    errors
        Equal error rates without and with it, by `near` or `far` and the seconds of speech.
    """

    cost: tuple[float, float, float]
    errors: dict[str, tuple[Error, Error]]

    @property
    def pays(self) -> bool:
        """Whether it is better for sure."""
        return self.cost[2] < 0


def run_recipe(folder: Path, seed: int, progress: Progress, speakers: dict[Split, int] | None = None) -> Path:
    """Hear utterances, adapt, calibrate, and judge, or go on where that stopped.

    The adaptation is fitted to training speakers, its strength chosen by leaving some of these out. It is kept if
    development speakers are told apart better with it; to these the calibration is fitted.

    Parameters
    ----------
    folder
        For noises, embeddings, weights and figures.
    seed
        Of the order in which training speakers are left out, and of the intervals.
    progress
        Is told what is done, how much of it, and of how much.
    speakers
        Most speakers of each split.

    Returns
    -------
    The folder of the network and its calibration, to be copied to `hearing_models/voices/weights`. Beside it lie
    `figures.json` and `results.txt`.

    Raises
    ------
    InputError
        If the data kit or the network is missing, or the network is adapted already.
    """
    torch.set_num_threads(1)
    most = speakers or SPEAKERS
    encoder = VoiceEncoder()
    if encoder.name.endswith(adaptation.NAME):
        raise InputError(f"{own_weights() / FILE}: is adapted; first run python -m hearing_models.voices.export")
    heard = {}
    for done, (split, number) in enumerate(most.items()):
        progress(f"hearing speakers ({split})", done, len(most))
        heard[split] = gather(split, encoder, folder, number)
    rng = np.random.default_rng(seed)
    trust = choose(heard["train"], rng)
    fitted = adaptation.fit(heard["train"], trust)
    compared = compare(heard["dev"], fitted, rng)
    weights = write(folder / "weights", fitted if compared.pays else None)
    kept = {split: adaptation.adapted(found, fitted) if compared.pays else found for split, found in heard.items()}
    record = {"encoder": VoiceEncoder(weights).name, **calibration.judged_fit(kept["dev"], kept["test"])}
    (weights / CALIBRATION).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    figures: dict[str, Any] = {
        "trust": trust,
        "kept": compared.pays,
        "dev": asdict(compared),
        "test": asdict(compare(heard["test"], fitted, rng)),
    }
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    lines = [f"{split}: {line}" for split in ("dev", "test") for line in calibration.error_table(kept[split])]
    (folder / "results.txt").write_text("\n".join([json.dumps(record), *lines]) + "\n", encoding="utf-8")
    return weights


def gather(split: Split, encoder: VoiceEncoder, folder: Path, most: int) -> Heard:
    """Hear a split's speakers, or remember how they sounded."""
    path = folder / f"{split}-{most}.npz"
    if not path.is_file():
        heard = calibration.hear(split, encoder, folder, most)
        partial = path.with_suffix(".part.npz")
        np.savez(partial, **{entry.name: getattr(heard, entry.name) for entry in fields(heard)})
        partial.rename(path)
    with np.load(path) as found:
        return Heard(**{entry.name: found[entry.name] for entry in fields(Heard)})


def choose(heard: Heard, rng: np.random.Generator) -> float:
    """Choose the strength that tells speakers apart best who are left out of the fit."""
    parts = list(adaptation.folds(heard, FOLDS, rng))

    def cost(trust: float) -> float:
        return float(np.mean([own_cost(adaptation.adapted(out, adaptation.fit(kept, trust))) for kept, out in parts]))

    return min(TRUSTS, key=cost)


def own_cost(heard: Heard) -> float:
    """Return the cost in bits of ratios that are calibrated on the same utterances."""
    pairs = calibration.all_pairs(heard)
    return calibration.calibration_cost(calibration.log_ratios(calibration.fit(heard, pairs), heard, pairs), pairs.same)


def compare(heard: Heard, fitted: FloatArray, rng: np.random.Generator) -> Comparison:
    """Compare embeddings without and with an adaptation."""
    both = heard, adaptation.adapted(heard, fitted)
    pairs = calibration.all_pairs(heard)
    ratios = [calibration.log_ratios(calibration.fit(one, pairs), one, pairs) for one in both]
    cosines = [calibration.cosines(one, pairs) for one in both]
    draws = [weights_of(heard, pairs, rng) for _ in range(RESAMPLES)]

    def gain(weights: FloatArray | None = None) -> float:
        without, with_it = (calibration.calibration_cost(one, pairs.same, weights) for one in ratios)
        return with_it - without

    errors = {}
    for name, where in _conditions(heard, pairs):
        there = [draw[where] for draw in draws]
        without, with_it = (_error(scores[where], pairs.same[where], there) for scores in cosines)
        errors[name] = without, with_it
    low, high = np.percentile([gain(draw) for draw in draws], (2.5, 97.5))
    return Comparison((gain(), float(low), float(high)), errors)


def weights_of(heard: Heard, pairs: Pairs, rng: np.random.Generator) -> FloatArray:
    """Draw speakers anew: how often each pair is drawn, of shape (n_pairs,)."""
    speakers, number = np.unique(heard.speaker, return_inverse=True)
    drawn = np.bincount(rng.integers(len(speakers), size=len(speakers)), minlength=len(speakers))
    first, second = drawn[number[pairs.first]], drawn[number[pairs.second]]
    weights: FloatArray = np.where(pairs.same, first, first * second).astype(float)
    return weights


def _conditions(heard: Heard, pairs: Pairs) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Pick the pairs of either place and each duration, across clips and rooms."""
    apart = (heard.session[pairs.first] != heard.session[pairs.second]) | ~pairs.same
    for name, far in (("near", False), ("far", True)):
        for duration in calibration.DURATIONS[:-1]:
            both = [
                (heard.far[side] == far) & (heard.duration[side] == duration) for side in (pairs.first, pairs.second)
            ]
            where = apart & both[0] & both[1]
            if pairs.same[where].any():
                yield f"{name} {duration} s", where


def _error(scores: FloatArray, same: NDArray[np.bool_], draws: Sequence[FloatArray]) -> Error:
    rates = [calibration.equal_error_rate(scores, same, draw) for draw in draws if draw[same].any()]
    low, high = np.percentile(rates, (2.5, 97.5))
    return Error(calibration.equal_error_rate(scores, same), float(low), float(high), int(same.sum()))


def write(weights: Path, fitted: FloatArray | None) -> Path:
    """Write the network into a folder, adapted or as it is packaged."""
    weights.mkdir(parents=True, exist_ok=True)
    plain = own_weights() / FILE
    if fitted is None:
        shutil.copyfile(plain, weights / FILE)
    else:
        adaptation.write(plain, fitted, weights / FILE)
    return weights
