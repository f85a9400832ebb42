"""The liveness network: its examples, its training, and the file that robots run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hearing_models.liveness.examples import SECONDS, Sounds, draw_example
from hearing_models.liveness.network import Liveness as Network
from hearing_models.liveness.network import export
from hearing_models.liveness.recipe import fit
from hearing_models.recognizer.speech import Speech

from hearing.recognition.liveness import Liveness
from hearing.types import SAMPLE_RATE


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Sounds:
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("places") / "00000.npz"
    responses = rng.standard_normal((3, 4, 800)) * np.exp(-np.arange(800) / 100)
    np.savez(path, responses=responses, noise=rng.standard_normal((4, 4000)), rt60=0.3)
    said = [(3000 * rng.standard_normal(12_000)).astype(np.int16) for _ in range(3)]
    voices = [Speech(samples, "Hello.", "hello", f"{index}", "test") for index, samples in enumerate(said)]
    return Sounds(voices, [rng.standard_normal(20_000).astype(np.float32)], [path])


def test_examples_follow_from_the_seed_and_hold_somebody_in_half_of_all_cases(sounds: Sounds) -> None:
    drawn = [draw_example(np.random.default_rng(seed), sounds) for seed in range(40)]

    for seed in (0, 7):
        again, somebody = draw_example(np.random.default_rng(seed), sounds)
        np.testing.assert_array_equal(again, drawn[seed][0])
        assert somebody == drawn[seed][1]
    for samples, _ in drawn:
        assert samples.dtype == np.float32
        assert SECONDS[0] * SAMPLE_RATE - 1 <= len(samples) <= SECONDS[1] * SAMPLE_RATE
        assert np.all(np.isfinite(samples))
    assert 10 <= sum(somebody for _, somebody in drawn) <= 30


def test_training_changes_the_network_and_the_exported_file_says_what_it_says(sounds: Sounds, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Network()
    before = network.out.weight.detach().clone()
    losses = list(fit(network, sounds, 2, 0))

    assert np.all(np.isfinite(losses))
    assert not torch.equal(before, network.out.weight)
    export(network, tmp_path / "liveness.onnx")
    mel = np.random.default_rng(1).standard_normal((333, 80)).astype(np.float32)
    with torch.no_grad():
        wanted = float(network(torch.from_numpy(mel)[None])[0])
    assert Liveness(tmp_path / "liveness.onnx").log_odds(mel) == pytest.approx(wanted, abs=1e-4)
