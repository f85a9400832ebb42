"""Which visemes are said while words are, as far as their spelling tells: fitted to speech that is aligned with phones.

`python -m hearing_models.lips.spelling` writes the table beside the networks' weights.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from hearing_datasets import Word, clip_words, kit_clips, split_of
from hearing_models.lips.articulation import RATE, viseme_classes
from hearing_models.lips.export import WEIGHTS
from numpy.typing import NDArray

from hearing.vision.visemes import FILE, N_VISEMES, Spelled

FloatArray = NDArray[np.float64]

_ROUNDS = 8
_PRIOR = 5.0
"""Hundredths of a second for which every viseme counts as seen with every symbol."""
_JITTER = 0.04
"""Standard deviation in seconds of the borders of words, as recognizers tell them."""


def fit(utterances: Sequence[Sequence[Word]], seed: int = 0) -> dict[str, FloatArray]:
    """Fit probabilities of visemes by expectation maximisation (Dempster et al. 1977).

    Which of the phonemes that a moment may belong to it does is not known; how likely each is, `Spelled.shares` tells.

    Returns
    -------
    Probabilities of shape (N_VISEMES,), by symbol.
    """
    rng = np.random.default_rng(seed)
    moments = [moment for words in utterances for moment in _moments(words, rng)]
    symbols = "".join(sorted({symbol for said, _, _ in moments for symbol in said}))
    numbered = [
        (np.array([symbols.index(symbol) for symbol in said]), shares, visemes) for said, shares, visemes in moments
    ]
    table = np.full((len(symbols), N_VISEMES), 1 / N_VISEMES)
    for _ in range(_ROUNDS):
        counts = np.full(table.shape, _PRIOR)
        for said, shares, visemes in numbered:
            belief = shares * table[said][:, visemes].T
            belief /= belief.sum(axis=1, keepdims=True)
            np.add.at(counts, (said[None, :], visemes[:, None]), belief)
        table = counts / counts.sum(axis=1, keepdims=True)
    return dict(zip(symbols, table, strict=True))


def _moments(words: Sequence[Word], rng: np.random.Generator) -> Iterator[tuple[str, FloatArray, NDArray[np.int64]]]:
    """Give symbols, how likely each is at moments of speech, (n_moments, n_symbols), and the visemes said, from 0."""
    phones = [phone for word in words for phone in word.phones]
    if not phones:
        return
    borders = [(word.start + rng.normal(0, _JITTER), word.end + rng.normal(0, _JITTER)) for word in words]
    said = Spelled.of([(word.word, a, max(b, a + 0.05)) for word, (a, b) in zip(words, borders, strict=True)])
    classes = viseme_classes(phones, round(phones[-1].end * RATE) + 1)
    spoken = np.flatnonzero(classes)
    shares = said.shares(spoken / RATE)
    there = shares.sum(axis=1) > 0.5
    if there.any():
        yield said.symbols, shares[there], classes[spoken[there]] - 1


def write_spelling(folder: Path) -> None:
    """Fit to the training speakers of the data kit, and write the table beside the networks in a folder."""
    clips = [clip for clip in kit_clips("speech") if clip.text and split_of(clip.speaker) == "train"]
    table = fit([words for clip in clips if (words := clip_words(clip))])
    rows = {symbol: [round(float(value), 4) for value in row] for symbol, row in table.items()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps({"visemes": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_spelling(WEIGHTS)
