from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hearing_models.voices.calibration import (
    Heard,
    all_pairs,
    calibration_cost,
    equal_error_rate,
    fit,
    log_ratios,
)
from hearing_models.voices.export import agreement, export, load_network
from hearing_models.voices.network import VoiceNetwork

from hearing.errors import InputError
from hearing.voices import VoiceLikelihood


def test_the_exported_network_is_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = VoiceNetwork().eval()
    path = tmp_path / "voice.onnx"
    export(network, path)
    rng = np.random.default_rng(0)
    noises = [rng.normal(0, 0.1, int(seconds * 16_000)).astype(np.float32) for seconds in (0.5, 2.5, 5.0)]
    assert agreement(network, path, noises) > 0.999
    assert path.stat().st_size < 10e6


def test_only_the_published_checkpoint_is_taken(tmp_path: Path) -> None:
    (tmp_path / "other.pt").write_bytes(b"something else")
    with pytest.raises(InputError, match=r"other\.pt: sha256"):
        load_network(tmp_path / "other.pt")


def test_errors_are_counted_where_both_kinds_are_equal() -> None:
    same = np.array([True, True, True, True, False, False, False, False])
    assert equal_error_rate(np.array([8.0, 7, 6, 3, 5, 4, 2, 1]), same) == 0.25
    assert equal_error_rate(np.arange(8, 0, -1.0), same) == 0.0


def test_knowing_nothing_costs_a_bit() -> None:
    same = np.array([True, False, False])
    assert calibration_cost(np.zeros(3), same) == pytest.approx(1.0)
    assert calibration_cost(np.array([9.0, -9, -9]), same) < 0.01


def test_a_fit_learns_that_longer_utterances_say_more() -> None:
    rng = np.random.default_rng(0)
    n_speakers, dimensions = 30, 24
    speakers = np.repeat(np.arange(n_speakers), 6)
    seconds = np.tile([0.5, 2.0, 8.0], 2 * n_speakers)
    voices = rng.standard_normal((n_speakers, dimensions))[speakers]
    embeddings = voices + rng.standard_normal(voices.shape) / np.sqrt(seconds)[:, None]
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    side = np.tile(np.repeat([0, 1], 3), n_speakers)
    names = speakers.astype(str)
    heard = Heard(embeddings, seconds, np.full(len(side), 2.0), names, side, names, side, side > 0)
    pairs = all_pairs(heard)
    assert pairs.same.sum() == 9 * n_speakers
    fitted = fit(heard, pairs)
    assert calibration_cost(log_ratios(fitted, heard, pairs), pairs.same) < 0.6
    likelihood = VoiceLikelihood("made-up", **fitted)
    short, long = likelihood.quality(0.5, 2.0), likelihood.quality(8.0, 2.0)
    assert likelihood.log_ratio(0.8, long, long) > likelihood.log_ratio(0.8, short, short)
    assert likelihood.log_ratio(0.0, long, long) < likelihood.log_ratio(0.0, short, short)
