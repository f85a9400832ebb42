"""How likely somebody talks where the steered response has a peak: logistic regression on simulated mixtures.

Usage: python -m hearing_models.frontend.likelihood FOLDER_OF_MIXTURES [NUMBER]

Prints the weights for `hearing.localization.LocalizationConfig.likelihood` and how well they are calibrated. A peak is
right if a talker who talks is within 10 degrees of azimuth.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hearing_models.frontend.examples import draw_mixed
from hearing_models.frontend.mixtures import Mixture, read_mixture
from numpy.typing import NDArray

from hearing.features import SceneFeatures, Spectra
from hearing.localization import SrpPhat, SteeredResponse
from hearing.mask_network import MaskNetwork
from hearing.stft import HOP
from hearing.types import SAMPLE_RATE

RIGHT_DEG = 10.0
TALKS_DB = -25.0
"""Level relative to a talker's loudest frame from which he talks."""
STEP = 4
SETTLING = 16
"""Frames at the beginning that are left out."""
NEWTON_STEPS = 50

FloatArray = NDArray[np.float64]


def collect_peaks(mixture: Mixture, network: MaskNetwork, rng: np.random.Generator) -> FloatArray:
    """Localize a mixture; returns power, share of the band and whether it is right of every peak, (n_peaks, 3)."""
    mixed = draw_mixed(mixture, rng)
    spectra = mixed.spectra
    share = network.process(SceneFeatures().process(spectra)[None], network.silence[None])[0].direct[0]
    level = np.square(np.abs(mixed.direct)).sum(axis=2)
    talks = level > level.max(axis=1, keepdims=True, initial=0.0) * 10 ** (TALKS_DB / 10)
    ways = mixture.directions[mixed.present]
    azimuth = np.degrees(np.arctan2(ways[..., 1], ways[..., 0]))
    localizer, rows = SrpPhat(SteeredResponse(mixed.array)), []
    for first in range(0, len(spectra.frames) - STEP + 1, STEP):
        part = slice(first, first + STEP)
        piece = Spectra(spectra.frames[part], spectra.power[part], spectra.phases[:, part], spectra.usable)
        peaks = localizer.process(piece, share[part])
        if first < SETTLING:
            continue
        # What was said in the last 0.2 s still sounds in the averaged response.
        now = talks[:, max(0, first - 8) : first + STEP].any(axis=1)
        there = azimuth[now, min(int((first + 2) * HOP / SAMPLE_RATE * 10), azimuth.shape[1] - 1)]
        for peak in peaks:
            apart = np.abs((there - peak.direction.azimuth_deg + 180) % 360 - 180)
            rows.append((peak.power, localizer.counting, float(apart.min(initial=180.0) < RIGHT_DEG)))
    return np.array(rows).reshape(-1, 3)


def fit(peaks: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Fit bias and weights of the logarithms of power and share; returns them and every peak's likelihood."""
    inputs = np.stack([np.ones(len(peaks)), np.log(peaks[:, 0]), np.log(peaks[:, 1] + 1e-3)], axis=1)
    weights = np.zeros(3)
    for _ in range(NEWTON_STEPS):
        likelihood = 1 / (1 + np.exp(-inputs @ weights))
        curvature = (inputs * (likelihood * (1 - likelihood))[:, None]).T @ inputs
        weights = weights + np.linalg.solve(curvature + 1e-6 * np.eye(3), inputs.T @ (peaks[:, 2] - likelihood))
    return weights, 1 / (1 + np.exp(-inputs @ weights))


def reliability(likelihood: FloatArray, right: FloatArray, bins: int = 5) -> list[tuple[float, float, int]]:
    """Mean likelihood, share that is right, and number of peaks in bins of likelihood."""
    place = np.minimum((likelihood * bins).astype(int), bins - 1)
    chosen = [place == number for number in range(bins)]
    return [(float(likelihood[c].mean()), float(right[c].mean()), int(c.sum())) for c in chosen if c.any()]


def main(arguments: Sequence[str]) -> None:
    """Fit on the first mixtures of a folder and print the result."""
    paths = sorted(Path(arguments[0]).glob("0*[0-9].npz"))[: int(arguments[1]) if len(arguments) > 1 else 60]
    network = MaskNetwork("speech_mask")
    found = [
        collect_peaks(read_mixture(path), network, np.random.default_rng(index)) for index, path in enumerate(paths)
    ]
    peaks = np.concatenate(found)
    weights, likelihood = fit(peaks)
    print(f"{len(peaks)} peaks in {len(paths)} mixtures")
    print(f"likelihood = ({', '.join(f'{weight:.2f}' for weight in weights)})")
    for mean, right, number in reliability(likelihood, peaks[:, 2]):
        print(f"  said {mean:.2f}, right {right:.2f} ({number} peaks)")


if __name__ == "__main__":
    main(sys.argv[1:])
