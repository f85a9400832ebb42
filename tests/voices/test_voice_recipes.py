from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hearing_models.voices.adaptation import NAME, folds
from hearing_models.voices.adaptation import fit as fit_adaptation
from hearing_models.voices.adaptation import write as write_adapted
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
from hearing_models.voices.recipe import FILE, choose, compare

from hearing.errors import InputError
from hearing.voices import VoiceEncoder, VoiceLikelihood
from hearing.voices.likelihood import own_weights


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


DIMENSIONS = 24


def made_up(n_speakers: int, seed: int) -> Heard:
    """Utterances of speakers whose embeddings halls push along a few directions, the same for everybody."""
    rng, pushes = np.random.default_rng(seed), np.random.default_rng(9).standard_normal((4, DIMENSIONS))
    speakers = np.repeat(np.arange(n_speakers), 6)
    voices = rng.standard_normal((n_speakers, DIMENSIONS))[speakers]
    embeddings = voices + 1.5 * rng.standard_normal((len(voices), 4)) @ pushes
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    side, far = np.tile([0, 0, 0, 1, 1, 1], n_speakers), np.tile([False, True, True], 2 * n_speakers)
    names = np.char.add("speaker", speakers.astype(str))
    duration = np.full(len(side), 2)
    session = np.char.add(side.astype(str), far.astype(str))
    return Heard(embeddings, 2.0 * np.ones(len(side)), np.full(len(side), 2.0), names, side, session, duration, far)


def test_an_adaptation_undoes_what_halls_do_to_everybody_alike() -> None:
    trained, others = made_up(40, 1), made_up(30, 2)
    comparison = compare(others, fit_adaptation(trained, 0.9), np.random.default_rng(0))
    assert comparison.pays
    assert comparison.cost[1] <= comparison.cost[0] <= comparison.cost[2]
    without, with_it = comparison.errors["far 2 s"]
    assert with_it.rate < without.rate
    assert without.pairs == with_it.pairs == 4 * 30
    assert without.low <= without.rate <= without.high
    assert choose(trained, np.random.default_rng(0)) >= 0.5


def test_what_does_not_help_does_not_pay() -> None:
    trained, others = made_up(6, 1), made_up(30, 2)
    shuffled = replace(trained, embeddings=np.random.default_rng(0).standard_normal(trained.embeddings.shape))
    assert not compare(others, fit_adaptation(shuffled, 0.9), np.random.default_rng(0)).pays


def test_the_file_of_an_adapted_encoder_adapts(tmp_path: Path) -> None:
    packaged = VoiceEncoder()
    rng = np.random.default_rng(0)
    around = rng.standard_normal((60, packaged.dimensions))
    heard = replace(made_up(10, 1), embeddings=around / np.linalg.norm(around, axis=1, keepdims=True))
    fitted = fit_adaptation(heard, 0.5)
    write_adapted(own_weights() / FILE, fitted, tmp_path / FILE)
    adapted = VoiceEncoder(tmp_path)
    assert adapted.name == f"{packaged.name}-{NAME}"
    mel = rng.normal(0, 1, (120, 80)).astype(np.float32)
    expected = packaged.embed(mel) @ fitted
    assert adapted.embed(mel) == pytest.approx(expected / np.linalg.norm(expected), abs=1e-4)


def test_speakers_who_are_left_out_are_each_left_out_once() -> None:
    heard = made_up(10, 1)
    parts = list(folds(heard, 4, np.random.default_rng(0)))
    left_out = np.concatenate([np.unique(out.speaker) for _, out in parts])
    assert sorted(left_out) == sorted(set(heard.speaker))
    assert all(not set(kept.speaker) & set(out.speaker) for kept, out in parts)


def test_pairs_count_as_often_as_their_speakers_are_drawn() -> None:
    same, scores = np.array([True, True, False, False]), np.array([4.0, 1.0, 3.0, 2.0])
    assert equal_error_rate(scores, same) == 0.5
    assert equal_error_rate(scores, same, np.array([1.0, 0.0, 1.0, 1.0])) == 0.0
    assert calibration_cost(scores, same, np.array([1.0, 0.0, 0.0, 2.0])) > 0
