"""What the recognizer learns from, and its training on networks so small that they learn nothing."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hearing_models.recognizer.batches import IGNORED, Batch, Batches, collate
from hearing_models.recognizer.beams import steer
from hearing_models.recognizer.evaluation import Evaluation, Trial, error_rate, transcribe
from hearing_models.recognizer.examples import Difficulty, Example, arrive, compose, draw_example
from hearing_models.recognizer.network import Decoder, Encoder, Shape
from hearing_models.recognizer.places import Place, generate_places, read_place
from hearing_models.recognizer.recipe import draw_curves
from hearing_models.recognizer.speech import Speech
from hearing_models.recognizer.training import Recipe, frozen_copy, log_lines, start, train
from hearing_models.recognizer.vocabulary import END, PROMPT, load_tokenizer
from tokenizers import Tokenizer

from hearing.recognition.catalogue import MODELS
from hearing.recognition.ctc import to_letters
from hearing.recognition.store import locate
from hearing.types import SAMPLE_RATE

SMALL = Shape(width=16, heads=2, layers=1)
TINY = Recipe(steps=4, frames=200, warm_up=1, teach_every=2, evaluate_every=2)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return load_tokenizer(locate(MODELS["whisper-base"]) / "tokenizer.json")[0]


@pytest.fixture(scope="module")
def pool() -> list[Speech]:
    rng = np.random.default_rng(0)
    texts = ("Go to bay 4.", "Stop!", "Bring me the wrench, please.")
    spoken = ("go to bay four", "stop", "bring me the wrench please")
    return [
        Speech((3000 * rng.standard_normal(SAMPLE_RATE)).astype(np.int16), text, said, f"speaker{index}", "test")
        for index, (text, said) in enumerate(zip(texts, spoken, strict=True))
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


def test_examples_follow_from_the_seed(pool: list[Speech], places: list[Path]) -> None:
    def draw() -> list[Example]:
        rng = np.random.default_rng(5)
        return [draw_example(rng, pool, places, Difficulty()) for _ in range(6)]

    for one, other in zip(draw(), draw(), strict=True):
        np.testing.assert_array_equal(one.mel, other.mel)
        assert one.mel.shape == one.clean.shape
        assert len(one.mel) % 2 == 0
        assert bool(one.written) == bool(one.spoken)


def test_several_utterances_are_joined_in_order(pool: list[Speech]) -> None:
    rng = np.random.default_rng(2)
    joined = [compose(rng, pool) for _ in range(20)]
    assert max(len(written) for _, written, _ in joined) > 40
    for dry, written, said in joined:
        assert len(dry) <= 20 * SAMPLE_RATE
        assert len(said.split()) >= written.count(" ") + 1


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_speech_arrives_at_the_ratio_that_was_asked_for(pool: list[Speech], places: list[Path], snr_db: float) -> None:
    how = Difficulty(snr_db=(snr_db, snr_db), rival=0.0)
    dry = np.random.default_rng(3).standard_normal(SAMPLE_RATE).astype(np.float32)
    heard = arrive(np.random.default_rng(4), dry, pool, read_place(places[0]), how, "microphone")
    expected = np.mean(dry**2) + 10 ** (-snr_db / 10)
    assert np.mean(heard**2) == pytest.approx(expected, rel=0.1)


def test_a_beam_keeps_the_talker_and_weakens_the_rest(places: list[Path]) -> None:
    place: Place = read_place(places[0])
    rng = np.random.default_rng(6)
    dry, other = rng.standard_normal((2, 2 * SAMPLE_RATE)).astype(np.float32)
    speech, noise = (
        np.stack([np.convolve(signal, response)[: len(signal)] for response in place.responses[person]]).astype(
            np.float32
        )
        for person, signal in enumerate((dry, other))
    )
    out = steer(np.random.default_rng(0), speech, noise, place.responses[0])

    def share(signal: np.ndarray) -> float:
        return float(np.corrcoef(out, signal)[0, 1])

    before = np.corrcoef(speech[0] + noise[0], noise[0])[0, 1]
    assert share(speech[0]) > 0.9
    assert share(noise[0]) < before / 2


def test_targets_follow_the_prompt_and_end(pool: list[Speech], tokenizer: Tokenizer) -> None:
    mel = np.zeros((40, 80), np.float32)
    batch = collate(
        [Example(mel, mel, pool[0].written, pool[0].spoken), Example(mel[:20], mel[:20], "", "")], tokenizer
    )
    end = tokenizer.token_to_id(END)
    first, nobody = (row[row != IGNORED].tolist() for row in batch.targets)
    assert tokenizer.decode(first[:-1]).strip() == pool[0].written
    assert (first[-1], nobody) == (end, [end])
    assert batch.tokens[0, : len(PROMPT)].tolist() == [tokenizer.token_to_id(token) for token in PROMPT]
    assert batch.frames.tolist() == [20, 10]
    assert batch.letters[0, : batch.n_letters[0]].tolist() == to_letters(pool[0].spoken)


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
    encoder = Encoder(SMALL)
    return encoder, Decoder(39_000, SMALL)


def _batches(pool: Sequence[Speech], places: Sequence[Path], tokenizer: Tokenizer, step: int) -> Batches:
    return Batches(pool, places, tokenizer, TINY.frames, (1, step), Difficulty())


def test_a_resumed_run_is_a_straight_one(
    pool: list[Speech], places: list[Path], tokenizer: Tokenizer, tmp_path: Path
) -> None:
    scores = iter([0.5, 0.4] * 2)

    def run(folder: Path, recipe: Recipe, checkpoint: Path | None = None) -> Encoder:
        folder.mkdir()
        encoder, decoder = _network()
        training = start(encoder, TINY)
        if checkpoint:
            training.load(checkpoint)
        train(
            training,
            decoder,
            frozen_copy(encoder),
            # As the stream of batches begins anew with a run, both runs begin it anew at the same step.
            lambda step: _batches(pool, places, tokenizer, 0),
            recipe,
            folder,
            lambda _: Evaluation(*[next(scores)] * 6),
            lambda *_: None,
        )
        return encoder

    half = dataclasses.replace(TINY, steps=2)
    run(tmp_path / "half", half)
    resumed = run(tmp_path / "resumed", TINY, tmp_path / "half" / "latest.pt")
    assert [line["step"] for line in log_lines(tmp_path / "resumed")] == [4]
    assert (tmp_path / "resumed" / "best.pt").is_file()
    assert all(torch.isfinite(parameter).all() for parameter in resumed.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(resumed.parameters(), _network()[0].parameters(), strict=True))
    draw_curves(list(log_lines(tmp_path / "half")), tmp_path / "curves.png")


def test_batches_are_the_same_for_the_same_seed(pool: list[Speech], places: list[Path], tokenizer: Tokenizer) -> None:
    one, other = (next(iter(_batches(pool, places, tokenizer, 3))) for _ in range(2))
    for name in Batch.__slots__:
        torch.testing.assert_close(getattr(one, name), getattr(other, name))


def test_an_untrained_network_ends_and_is_wrong(pool: list[Speech], tokenizer: Tokenizer) -> None:
    encoder, decoder = _network()
    trials = [Trial(speech.samples / np.float32(32768), speech.written, "clean", np.inf) for speech in pool]
    words, letters = transcribe(encoder.eval(), decoder.eval(), tokenizer, trials, 16)
    assert len(words) == len(letters) == len(trials)
    assert error_rate(trials, words) > 0.5
    assert error_rate(trials, [trial.written for trial in trials]) == 0.0
