"""The whole recipe: speech and places to examples, examples to a network, the network to ONNX, curves, a model card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
from hearing_models.recognizer.speech import Speech, packaged_speech, recorded_speech, synthetic_speech
from hearing_models.recognizer.training import Recipe, frozen_copy, join, log_lines, start, train
from hearing_models.recognizer.vocabulary import english_tokenizer, load_tokenizer
from hearing_models.recognizer.whisper_weights import read_weights
from tokenizers import Tokenizer

from hearing.recognition.catalogue import MODELS
from hearing.recognition.store import locate

DEVELOPMENT_PLACES = 40
DEVELOPMENT_TRIALS = 24
PACKAGED_SENTENCES = 1200
"""Said by the voice that comes with `hibari-tts`."""
DEVELOPMENT_SENTENCES = 80
"""By synthetic voices of their own."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train, and on what.

    Attributes
    ----------
    folder
        For rooms, synthetic speech, checkpoints, figures, and what is exported.
    rooms
        How many are simulated.
    sentences
        How many synthetic voices say; 0 for recorded speech alone.
    steps
        Of the optimizer; None for the recipe's own number.
    seed
        Of everything random.
    workers
        Processes that simulate.
    """

    folder: Path
    rooms: int
    sentences: int
    steps: int | None
    seed: int
    workers: int


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


def run_recipe(plan: Plan, progress: Progress) -> Path:
    """Train the recognizer from Whisper base, or go on where that stopped.

    Started by `torchrun` on one machine or several with a shared folder, the first process prepares the data, and all
    train.

    Parameters
    ----------
    plan
        What to train.
    progress
        Is told what is done, how much of it, and of how much.

    Returns
    -------
    The folder of the ONNX files. Copy its files to `hearing_models/recognizer/weights` to use them.

    Raises
    ------
    InputError
        If a model, the data kit, or what the synthetic voices need is missing.
    """
    rank = join()[0]
    folder = plan.folder
    if rank == 0:
        _prepare(plan, progress)
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
    recipe = replace(Recipe(), steps=plan.steps) if plan.steps else Recipe()
    pools = {split: _voices(plan, split, progress) for split in ("train", "dev")}
    places = {split: sorted((folder / "places" / split).glob("*[0-9].npz")) for split in ("train", "dev")}
    torch.manual_seed(plan.seed)
    encoder, decoder, tokenizer = load_network()
    teacher = frozen_copy(encoder)
    run = start(encoder, recipe)
    if (folder / "latest.pt").is_file():
        run.load(folder / "latest.pt")
    trials = development_trials(pools["dev"], places["dev"], plan.seed, DEVELOPMENT_TRIALS)
    train(
        run,
        decoder,
        teacher,
        lambda step: Batches(
            pools["train"], places["train"], tokenizer, recipe.frames, (plan.seed, rank, step), Difficulty()
        ),
        recipe,
        folder,
        lambda encoder: evaluate(encoder, decoder, tokenizer, trials),
        lambda step, losses: progress(f"training (loss {losses['words']:.2f})", step, recipe.steps),
    )
    draw_curves(list(log_lines(folder)), folder / "curves.png")
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


def draw_curves(log: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw losses on training examples and errors on development scenes over the steps."""
    from matplotlib import pyplot

    steps = [line["step"] for line in log]
    figure, (losses, errors) = pyplot.subplots(1, 2, figsize=(10, 3.5), constrained_layout=True)
    for name in ("words", "letters", "features", "posteriors"):
        losses.plot(steps, [line["losses"].get(name, float("nan")) for line in log], label=name)
    losses.set(xlabel="step", ylabel="loss on training examples")
    for name in ("clean", "microphone", "beam", "streaming", "letters"):
        errors.plot(steps, [100 * line[name] for line in log], label=name)
    errors.set(xlabel="step", ylabel="word errors on development scenes (%)", ylim=(0, 100))
    for axes in (losses, errors):
        axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def _prepare(plan: Plan, progress: Progress) -> None:
    """Simulate rooms, synthesize voices and transcribe recordings, or what of that is missing."""
    folder = plan.folder
    folder.mkdir(parents=True, exist_ok=True)
    numbers: tuple[tuple[Split, int, int], ...] = (
        ("train", plan.rooms, plan.sentences),
        ("dev", DEVELOPMENT_PLACES, DEVELOPMENT_SENTENCES if plan.sentences else 0),
    )
    for seed, (split, rooms, sentences) in enumerate(numbers, plan.seed):
        done = _counter(progress, f"simulating rooms ({split})", rooms)
        generate_places(folder / "places" / split, rooms, seed, split, plan.workers, done)
        if sentences:
            # What the voices need is large, so it is imported only if they are asked for.
            from hearing_models.recognizer.synthesis import generate_speech

            done = _counter(progress, f"synthesizing voices ({split})", sentences)
            speech = folder / "synthesis"
            generate_speech(speech / split, sentences, plan.seed, split, speech / "voices", done)
        recorded_speech(split, folder / "labels.json", _counter(progress, f"reading recordings ({split})", 0))


def _voices(plan: Plan, split: Split, progress: Progress) -> list[Speech]:
    pool = recorded_speech(split, plan.folder / "labels.json", _counter(progress, "reading recordings", 0))
    if plan.sentences:
        pool += synthetic_speech(plan.folder / "synthesis" / split)
    if split == "train":
        done = _counter(progress, "synthesizing the packaged voice", PACKAGED_SENTENCES)
        pool += packaged_speech(PACKAGED_SENTENCES, plan.seed, done)
    return pool


def _counter(progress: Progress, what: str, total: int) -> Callable[[int], None]:
    done = 0

    def count(number: int) -> None:
        nonlocal done
        done += number
        progress(what, done, max(total, done))

    return count
