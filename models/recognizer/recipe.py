"""The whole recipe: speech, voices and places to examples, examples to a network, the network to ONNX, curves, a card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hearing_datasets import Split
from hearing_models.recognizer.batches import Batches
from hearing_models.recognizer.evaluation import development_trials, evaluate
from hearing_models.recognizer.examples import Difficulty
from hearing_models.recognizer.export import export_decoder, export_encoder
from hearing_models.recognizer.network import Decoder, Encoder, load_decoder, load_encoder
from hearing_models.recognizer.places import generate_places
from hearing_models.recognizer.speech import Speech, recorded_speech, synthetic_speech
from hearing_models.recognizer.training import Recipe, frozen_copy, join, start, train
from hearing_models.recognizer.vocabulary import english_tokenizer, load_tokenizer
from hearing_models.recognizer.whisper_weights import read_weights
from tokenizers import Tokenizer

from hearing.recognition.catalogue import MODELS
from hearing.recognition.store import locate

WEIGHTS = Path(__file__).parent / "weights"
DEVELOPMENT_PLACES = 40
DEVELOPMENT_TRIALS = 24
Progress = Callable[[str, int, int], None]


def load_network() -> tuple[Encoder, Decoder, Tokenizer]:
    """Return Whisper base as this project starts from it: encoder, decoder and the tokenizer of its English tokens.

    Raises
    ------
    InputError
        If the model is not on this machine.
    """
    folder = locate(MODELS["whisper-base"])
    weights = read_weights(folder / "model.bin")
    tokenizer, kept = load_tokenizer(folder / "tokenizer.json")
    encoder, decoder = Encoder(), Decoder(len(kept))
    load_encoder(encoder, weights)
    load_decoder(decoder, weights, kept)
    return encoder, decoder, tokenizer


def run_recipe(folder: Path, n_places: int, steps: int | None, seed: int, workers: int, progress: Progress) -> Path:
    """Train the recognizer from Whisper base, or go on where that stopped.

    Started by `torchrun`, the first process prepares the data in a folder that all share, and all train.

    Parameters
    ----------
    folder
        For places, synthetic speech, checkpoints and figures.
    n_places
        How many rooms to simulate.
    steps
        Of the optimizer; None for the recipe's own number.
    seed
        Of everything random.
    workers
        Processes that simulate.
    progress
        Is told what is done, how much of it, and of how much.

    Returns
    -------
    The folder of the ONNX files. Copy its files to `hearing_models/recognizer/weights` to use them.

    Raises
    ------
    InputError
        If a model or the data kit is missing.
    """
    rank, device = join()
    recipe = replace(Recipe(), steps=steps) if steps else Recipe()
    places = {
        "train": _counted(
            progress,
            "simulating rooms",
            n_places,
            partial(generate_places, folder / "places/train", n_places, seed, "train", workers),
        ),
        "dev": _counted(
            progress,
            "simulating rooms (dev)",
            DEVELOPMENT_PLACES,
            partial(generate_places, folder / "places/dev", DEVELOPMENT_PLACES, seed + 1, "dev", workers),
        ),
    }
    pools = {split: _voices(folder, split, seed, progress) for split in ("train", "dev")}
    torch.manual_seed(seed)
    encoder, decoder, tokenizer = load_network()
    teacher = frozen_copy(encoder)
    run = start(encoder, recipe)
    if (folder / "latest.pt").is_file():
        run.load(folder / "latest.pt")
    trials = development_trials(pools["dev"], places["dev"], seed, DEVELOPMENT_TRIALS)
    train(
        run,
        decoder,
        teacher,
        lambda step: Batches(
            pools["train"], places["train"], tokenizer, recipe.frames, (seed, rank, step), Difficulty()
        ),
        recipe,
        folder,
        lambda encoder: evaluate(encoder, decoder, tokenizer, trials),
        lambda step, losses: progress(f"training (loss {losses['words']:.2f})", step, recipe.steps),
    )
    return export(folder)


def export(folder: Path) -> Path:
    """Export the best checkpoint in a folder of `run_recipe`; return the folder of the ONNX files."""
    encoder, decoder, _ = load_network()
    encoder.load_state_dict(torch.load(folder / "best.pt", weights_only=True, map_location="cpu")["encoder"])
    weights = folder / "weights"
    export_encoder(encoder, decoder, weights / "encoder.onnx")
    export_decoder(decoder, weights / "decoder.onnx")
    text, _ = english_tokenizer(locate(MODELS["whisper-base"]) / "tokenizer.json")
    (weights / "tokenizer.json").write_text(text, encoding="utf-8")
    return weights


def _voices(folder: Path, split: Split, seed: int, progress: Progress) -> list[Speech]:
    """Return recorded speech, and synthetic speech if there is some in the folder."""
    recorded = _counted(progress, f"reading voices ({split})", 0, recorded_speech, split, folder / "labels.json")
    synthetic = folder / "synthesis" / split
    return recorded + (synthetic_speech(synthetic) if (synthetic / "manifest.jsonl").is_file() else [])


def _counted(progress: Progress, what: str, total: int, make: Callable[..., Any], *arguments: Any) -> Any:
    done = 0

    def count(number: int) -> None:
        nonlocal done
        done += number
        progress(what, done, max(total, done))

    return make(*arguments, count)
