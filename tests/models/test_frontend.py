"""The recipes of the front end's networks, on mixtures so small that they learn nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
import torch
from hearing_models.frontend.examples import mask_examples, separator_examples
from hearing_models.frontend.likelihood import collect_peaks, fit, reliability
from hearing_models.frontend.mixtures import random_geometry, read_mixture
from hearing_models.frontend.network import MaskNetwork, NetworkShape
from hearing_models.frontend.recipe import WEIGHTS, draw_curves, model_card
from hearing_models.frontend.training import RECIPES, export, train
from plane_waves import plane_wave, speech_like

from hearing.arrays import MicrophoneArray
from hearing.errors import InputError
from hearing.types import Direction

SMALL = NetworkShape(6, 2, 1, (4, 4, 4), 1)


@pytest.fixture(scope="module")
def mixtures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two talkers and a machine as plane waves around random arrays."""
    folder = tmp_path_factory.mktemp("mixtures")
    paths = []
    for index in range(3):
        rng = np.random.default_rng(index)
        array = MicrophoneArray("random", random_geometry(rng))
        directions = [Direction(0.5), Direction(-1.5), Direction(2.5)]
        voices = [speech_like(1.6, 2 * index + k) for k in range(2)]
        talkers = np.stack([plane_wave(array, d, v) for d, v in zip(directions[:2], voices, strict=True)])
        machine = plane_wave(array, directions[2], 0.02 * rng.standard_normal(len(voices[0])))
        audio = {"talkers": talkers, "direct": talkers[..., 0], "machines": machine, "ego": np.zeros_like(machine)}
        steps = [np.tile(d.vector, (16, 1)) for d in directions[:2]]
        np.savez(
            folder / f"{index:06d}.npz",
            **{name: np.round(signal * 32_000).astype(np.int16) for name, signal in audio.items()},
            scales=np.full(4, 1 / 32_000, np.float32),
            positions=array.positions.astype(np.float32),
            directions=np.stack(steps).astype(np.float32),
            machine_directions=directions[2].vector[None].astype(np.float32),
        )
        paths.append(folder / f"{index:06d}.npz")
    return paths


def test_random_arrays_have_four_to_eight_microphones_that_keep_apart():
    for seed in range(60):
        positions = random_geometry(np.random.default_rng(seed))
        assert 4 <= len(positions) <= 8
        apart = np.linalg.norm(positions[:, None] - positions, axis=-1)[~np.eye(len(positions), dtype=bool)]
        assert apart.min() > 0.01
        assert apart.max() < 0.5


def test_a_mask_says_which_share_of_a_band_is_speech(mixtures: list[Path]):
    (example,) = mask_examples(read_mixture(mixtures[0]), np.random.default_rng(0))
    assert example.features.shape == (2, 100, 129)
    assert example.masks.shape == (2, 100, 129)
    assert 0 <= example.masks.min() <= example.masks.max() <= 1
    # Without a room all that is heard of the talkers is direct.
    np.testing.assert_allclose(example.masks[0], example.masks[1], atol=0.05)


def test_nobody_talks_where_nobody_is(mixtures: list[Path]):
    silent = talking = 0
    for seed in range(12):
        for example in separator_examples(read_mixture(mixtures[1]), np.random.default_rng(seed)):
            assert example.features.shape == (6, 100, 129)
            if example.active.any():
                talking += 1
                assert example.masks.max() > 0.5
            else:
                silent += 1
                assert example.masks.max() == 0
    assert min(silent, talking) > 2


def test_the_same_seed_draws_the_same_example(mixtures: list[Path]):
    first, second = (separator_examples(read_mixture(mixtures[0]), np.random.default_rng(3))[0] for _ in range(2))
    np.testing.assert_array_equal(first.features, second.features)


def test_a_stream_in_pieces_gives_what_it_gives_as_a_whole_and_looks_at_no_future():
    torch.manual_seed(0)
    network = MaskNetwork(SMALL).eval()
    features = torch.randn(2, 6, 12, 129)
    with torch.no_grad():
        whole, active, _ = network(features, network.silence(2))
        memory, pieces = network.silence(2), []
        for start in range(0, 12, 3):
            mask, _, memory = network(features[:, :, start : start + 3], memory)
            pieces.append(mask)
        changed = features.clone()
        changed[:, :, 7:] += 5
        other, _, _ = network(changed, network.silence(2))
    torch.testing.assert_close(torch.cat(pieces, dim=2), whole, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(other[:, :, :7], whole[:, :, :7])
    assert active.shape == (2, 12, 1)


def test_training_goes_on_where_it_stopped_and_gives_the_same(
    mixtures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("hearing_models.frontend.training.EVALUATE_EVERY", 2)
    recipe = dataclasses.replace(RECIPES["separator"], shape=SMALL, mixtures=1, steps=4)
    straight = train(recipe, tmp_path / "straight", mixtures[:2], mixtures[2:], 5, lambda *_: None)

    class Stopped(Exception):  # noqa: N818
        pass

    def stop(step: int, figures: dict[str, float]) -> None:
        assert figures["development_loss"] > 0
        raise Stopped

    with pytest.raises(Stopped):
        train(recipe, tmp_path / "resumed", mixtures[:2], mixtures[2:], 5, stop)
    resumed = train(recipe, tmp_path / "resumed", mixtures[:2], mixtures[2:], 5, lambda *_: None)
    for one, other in zip(straight.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_the_exported_network_says_what_the_network_says(tmp_path: Path):
    torch.manual_seed(1)
    network = MaskNetwork(SMALL).eval()
    export(network, tmp_path / "network.onnx", {"steps": 0})
    session = onnxruntime.InferenceSession(str(tmp_path / "network.onnx"), providers=["CPUExecutionProvider"])
    features = torch.randn(3, 6, 5, 129)
    masks, active, memory = session.run(None, {"features": features.numpy(), "memory": network.silence(3).numpy()})
    with torch.no_grad():
        expected, activity, after = network(features, network.silence(3))
    np.testing.assert_allclose(masks, expected.sigmoid().numpy(), atol=1e-5)
    np.testing.assert_allclose(active, activity.sigmoid().numpy(), atol=1e-5)
    np.testing.assert_allclose(memory, after.numpy(), atol=1e-5)


def test_the_likelihood_that_is_fitted_is_calibrated():
    rng = np.random.default_rng(0)
    power, share = rng.uniform(0.05, 0.9, 4000), rng.uniform(0.01, 0.5, 4000)
    truth = 1 / (1 + np.exp(-(2.0 + 1.5 * np.log(power) - 0.5 * np.log(share + 1e-3))))
    weights, likelihood = fit(np.stack([power, share, rng.uniform(size=4000) < truth], axis=1))
    np.testing.assert_allclose(weights, [2.0, 1.5, -0.5], atol=0.3)
    for said, right, number in reliability(likelihood, rng.uniform(size=4000) < truth):
        assert abs(said - right) < 0.1 or number < 100


def test_peaks_of_a_mixture_are_collected_with_what_they_are(mixtures: list[Path]):
    # A network that finds direct speech everywhere: what is localized then are the buzzing talkers and the machine.
    network = SimpleNamespace(
        silence=np.zeros(1), process=lambda features, _: (SimpleNamespace(direct=np.ones((1, 100, 257), np.float32)), 0)
    )
    peaks = collect_peaks(read_mixture(mixtures[0]), network, np.random.default_rng(1))
    assert peaks.shape[1] == 3
    assert len(peaks) > 10
    assert set(peaks[:, 2]) == {0.0, 1.0}


def test_no_mixtures_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no mixtures"):
        train(RECIPES["mask"], tmp_path, [], [], 0, lambda *_: None)


def test_curves_and_card_are_written(tmp_path: Path):
    log = [
        {"step": s, "loss": 1.0, "development_loss": 0.9, "seconds": 60.0, "mask_error": 0.1, "activity_auc": 0.9}
        for s in (100, 200)
    ]
    draw_curves(log, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 1000
    assert "0.900" in model_card(RECIPES["mask"], log[-1], 10, 1, 50_000, 200_000)


@pytest.mark.parametrize(("name", "most"), [("speech_mask", 150_000), ("separator", 500_000)])
def test_the_shipped_networks_are_as_small_as_promised(name: str, most: int):
    session = onnxruntime.InferenceSession(str(WEIGHTS / f"{name}.onnx"), providers=["CPUExecutionProvider"])
    assert int(session.get_modelmeta().custom_metadata_map["parameters"]) <= most
