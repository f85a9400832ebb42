"""What the recognizer is tested on, and its training on networks so small that they learn nothing of use."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
import torch
from hearing_models.frontend.training import RECIPES as FRONTEND
from hearing_models.recognizer.batches import IGNORED, Batch, padded
from hearing_models.recognizer.evaluation import Evaluation, Trial, development_trials, error_rate, transcribe
from hearing_models.recognizer.examples import Difficulty, arrive
from hearing_models.recognizer.network import Decoder, Encoder, Shape
from hearing_models.recognizer.places import Place, generate_places, read_place
from hearing_models.recognizer.recipe import draw_curves
from hearing_models.recognizer.speech import Speech
from hearing_models.recognizer.training import (
    NOTHING_WEIGHT,
    RECIPES,
    Recipe,
    Run,
    Student,
    Teacher,
    cross_attention,
    log_lines,
    start,
    train,
)
from hearing_models.recognizer.vocabulary import load_tokenizer
from tokenizers import Tokenizer

from hearing.cli_train import train as command
from hearing.recognition.catalogue import MODELS
from hearing.recognition.store import locate
from hearing.types import SAMPLE_RATE

SMALL = Shape(width=16, heads=2, layers=1)
VOCABULARY = 39_000
TINY = Recipe(
    steps=4, rate=3e-3, cross_rate=3e-3, warm_up=1, teach_every=2, silence_every=2, evaluate_every=2, report_every=1
)


@pytest.fixture(scope="module")
def pool() -> list[Speech]:
    rng = np.random.default_rng(0)
    return [
        Speech((3000 * rng.standard_normal(SAMPLE_RATE)).astype(np.int16), text, said, f"speaker {text}", "test")
        for text, said in (("Go to bay 4.", "go to bay four"), ("Stop!", "stop"))
    ]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Write a place with four microphones, one person in front of them, and noise."""
    rng = np.random.default_rng(1)
    responses = np.zeros((2, 4, 800))
    for person, microphone in itertools.product(range(2), range(4)):
        responses[person, microphone, 2 + (microphone if person else 3 - microphone)] = 1.0
    noise = rng.standard_normal((4, 4 * SAMPLE_RATE))
    path = tmp_path_factory.mktemp("places") / "00000.npz"
    np.savez(path, responses=responses.astype(np.float16), noise=noise.astype(np.float16), rt60=np.float32(0))
    return [path]


def test_a_place_is_what_examples_need(tmp_path: Path) -> None:
    counted: list[int] = []
    environment = dict(os.environ)
    paths = generate_places(tmp_path, 1, 3, "train", 1, counted.append)
    assert dict(os.environ) == environment
    place = read_place(paths[0])
    people, microphones, taps = place.responses.shape
    assert people == 3
    assert microphones == len(place.noise) >= 4
    assert 0.02 * SAMPLE_RATE < taps < 2 * SAMPLE_RATE
    assert np.mean(place.noise[0] ** 2) == pytest.approx(1.0, abs=0.01)
    # The direct sound comes first, and over its first 50 ms a response carries unit energy.
    np.testing.assert_allclose(np.sum(place.responses[:, 0, :800] ** 2, axis=1), 1.0, atol=0.01)
    assert generate_places(tmp_path, 1, 3, "train", 1, counted.append) == paths
    assert counted == [0, 1, 1]


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_speech_arrives_at_the_ratio_that_was_asked_for(pool: list[Speech], places: list[Path], snr_db: float) -> None:
    how = Difficulty(snr_db=(snr_db, snr_db), rival=0.0)
    dry = np.random.default_rng(3).standard_normal(SAMPLE_RATE).astype(np.float32)
    heard = arrive(np.random.default_rng(4), dry, pool, read_place(places[0]), how, "microphone")
    expected = np.mean(dry**2) + 10 ** (-snr_db / 10)
    assert np.mean(heard**2) == pytest.approx(expected, rel=0.1)


def test_a_beam_is_steered_at_the_talker_and_not_at_a_rival(pool: list[Speech], places: list[Path]) -> None:
    place: Place = read_place(places[0])
    dry = np.random.default_rng(6).standard_normal(SAMPLE_RATE).astype(np.float32)

    def share(condition: str) -> float:
        """Correlate what arrives with the talker's speech."""
        how = Difficulty(snr_db=(40.0, 40.0), rival=1.0, rival_db=(0.0, 0.0), rival_beam_db=(0.0, 0.0))
        heard = arrive(np.random.default_rng(0), dry, pool, place, how, condition)
        return max(float(np.corrcoef(heard[lag:], dry[: len(dry) - lag])[0, 1]) for lag in range(8))

    assert share("beam") > 0.9
    assert share("beam") > share("microphone") + 0.1


def test_trials_follow_from_the_seed(pool: list[Speech], places: list[Path]) -> None:
    one, other = (development_trials(pool, places, 1, 5) for _ in range(2))
    assert [trial.condition for trial in one].count("clean") == 5
    assert [trial.written for trial in one if trial.condition == "nobody"] == ["", ""]
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first.samples, second.samples)
        assert first.samples.dtype == np.float32


def test_english_is_cut_into_the_same_tokens_as_by_the_whole_tokenizer() -> None:
    path = locate(MODELS["whisper-base"]) / "tokenizer.json"
    ours, kept = load_tokenizer(path)
    theirs = Tokenizer.from_file(str(path))
    for text in (" Bring me part A-113, please.", " It's 3.5 bar; don't stop!", " antidisestablishmentarianism?"):
        tokens = ours.encode(text, add_special_tokens=False).ids
        assert kept[tokens].tolist() == theirs.encode(text, add_special_tokens=False).ids
        assert ours.decode(tokens) == text


def _network() -> tuple[Encoder, Decoder]:
    torch.manual_seed(0)
    return Encoder(SMALL), Decoder(VOCABULARY, SMALL)


def _batch(seed: int) -> Batch:
    """Make two utterances of noise, one of which is shorter and one of which holds no speech."""
    generator = torch.Generator().manual_seed(seed)
    mel = torch.randn(2, 60, 80, generator=generator)
    device = mel.device
    return Batch(
        mel,
        mel + 0.1,
        torch.tensor([30, 20]),
        padded([[1, 2, 3, 4, 50 + seed], [1, 2, 3, 4]], 1, device),
        padded([[IGNORED] * 3 + [50 + seed, 7], [IGNORED] * 3 + [7]], IGNORED, device),
        padded([[3, 4, 5], []], 0, device),
        torch.tensor([3, 0]),
    )


def _train(
    folder: Path, recipe: Recipe, batches: Sequence[Batch], checkpoint: Path | None = None
) -> tuple[Run, list[dict[str, float]]]:
    """Train a network from its beginning or from a checkpoint; return the run and the losses of every step."""
    folder.mkdir()
    encoder, decoder = _network()
    run, losses = start(encoder, decoder, recipe), []
    teacher = Teacher(encoder, decoder)
    if checkpoint:
        run.load(checkpoint)
    train(
        run,
        teacher,
        iter(batches),
        recipe,
        folder,
        lambda: Evaluation(*[1 / (1 + run.step)] * 6),
        lambda _, found: losses.append(found),
    )
    return run, losses


def test_training_lowers_the_losses(tmp_path: Path) -> None:
    run, losses = _train(tmp_path / "run", dataclasses.replace(TINY, steps=12), [_batch(0)] * 12)
    for name in ("words", "letters"):
        assert losses[-1][name] < 0.9 * losses[0][name]
    assert [sorted(found) for found in losses[:2]] == [
        ["features", "letters", "posteriors", "words"],
        ["letters", "words"],
    ]
    assert run.losses == {}


def test_to_say_nothing_counts_as_several_words() -> None:
    batch = _batch(0)
    logits = torch.randn(*batch.tokens.shape, VOCABULARY, generator=torch.Generator().manual_seed(0))
    losses = -logits.log_softmax(dim=-1).gather(-1, batch.targets.clamp(min=0)[..., None])[..., 0]
    words, nothing = losses[0, 3:].sum(), losses[1, 3]
    expected = (words + NOTHING_WEIGHT * nothing) / (2 + NOTHING_WEIGHT)
    torch.testing.assert_close(Student(*_network(), Teacher(*_network()))._words(batch, logits), expected)


def test_of_the_decoder_only_its_attention_to_the_encoder_learns(tmp_path: Path) -> None:
    run, _ = _train(tmp_path / "run", TINY, [_batch(seed) for seed in range(4)])
    learned = cross_attention(run.decoder)
    assert 0 < len(learned) < len(run.decoder.state_dict())
    for name, before in _network()[1].state_dict().items():
        assert torch.equal(before, run.decoder.state_dict()[name]) == (name not in learned)


def test_a_resumed_run_is_a_straight_one(tmp_path: Path) -> None:
    batches = [_batch(seed) for seed in range(4)]
    straight, _ = _train(tmp_path / "straight", TINY, batches)
    with pytest.raises(StopIteration):
        _train(tmp_path / "half", TINY, batches[:2])
    resumed, _ = _train(tmp_path / "resumed", TINY, batches[2:], tmp_path / "half" / "latest.pt")
    for one, other in ((straight.encoder, resumed.encoder), (straight.decoder, resumed.decoder)):
        torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)
    assert any(
        not torch.equal(a, b) for a, b in zip(resumed.encoder.parameters(), _network()[0].parameters(), strict=True)
    )
    assert [line["step"] for line in log_lines(tmp_path / "straight")] == [2, 4]
    assert [line["step"] for line in log_lines(tmp_path / "resumed")] == [4]
    assert (tmp_path / "resumed" / "best.pt").is_file()
    draw_curves(list(log_lines(tmp_path / "straight")), tmp_path / "curves.png")


def test_help_tells_how_long_training_takes() -> None:
    option = get_type_hints(command, include_extras=True)["steps"].__metadata__[0]
    for recipe in (*FRONTEND.values(), *RECIPES.values()):
        assert f"{recipe.steps} " in option.help


def test_an_untrained_network_ends_and_is_wrong(pool: list[Speech], tokenizer: Tokenizer) -> None:
    encoder, decoder = _network()
    trials = [Trial(speech.samples / np.float32(32768), speech.written, "clean", np.inf) for speech in pool]
    words, letters = transcribe(encoder.eval(), decoder.eval(), tokenizer, trials, 16)
    assert len(words) == len(letters) == len(trials)
    assert error_rate(trials, words) > 0.5
    assert error_rate(trials, [trial.written for trial in trials]) == 0.0
