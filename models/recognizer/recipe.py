"""The whole recipe: speech, noise and halls to batches, batches to a network, the network to ONNX and curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from hearing_datasets import Split
from hearing_models.recognizer.blending import blend, set_weights, trained_weights
from hearing_models.recognizer.calibration import fit_calibration
from hearing_models.recognizer.corpus import Corpus, announcements
from hearing_models.recognizer.dictionary import example_of_use
from hearing_models.recognizer.evaluation import development_trials, evaluate
from hearing_models.recognizer.export import export_decoder, export_encoder
from hearing_models.recognizer.mixtures import Mixtures, ahead
from hearing_models.recognizer.network import Decoder, Encoder, load_decoder, load_encoder
from hearing_models.recognizer.noises import generate_noises, read_noises
from hearing_models.recognizer.packaged import load_packaged
from hearing_models.recognizer.places import generate_places
from hearing_models.recognizer.speech import Speech, packaged_speech, recorded_speech, synthetic_speech
from hearing_models.recognizer.texts import Line, sentence
from hearing_models.recognizer.training import RECIPES, Teacher, join, log_lines, start, train
from hearing_models.recognizer.vocabulary import english_tokenizer, load_tokenizer
from hearing_models.recognizer.whisper_weights import read_weights
from tokenizers import Tokenizer

from hearing.recognition.catalogue import MODELS
from hearing.recognition.engines.support import own_weights
from hearing.recognition.store import locate

DEVELOPMENT_PLACES = 40
DEVELOPMENT_TRIALS = 24
PACKAGED_SENTENCES = 2600
"""Said by the voices that packages ship."""
NOISE_MINUTES = 45.0
ANNOUNCEMENT_MINUTES = 45.0
ROBOTS = 0.4
"""Share of the synthetic sentences that are said to robots or around them; the others are general English."""
DEVELOPMENT_SENTENCES = 80
"""By synthetic voices of their own."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train, and on what.

    Attributes
    ----------
    folder
        For rooms, noise, synthetic speech, checkpoints, figures, and what is exported.
    sentences
        How many synthetic voices say; 0 for recorded speech alone.
    steps
        Of the optimizer; None for the recipe's own number.
    seed
        Of everything random.
    workers
        Processes that simulate.
    from_package
        To begin with the weights of the package instead of Whisper's; the teacher is Whisper either way.
    """

    folder: Path
    sentences: int
    steps: int | None
    seed: int
    workers: int
    from_package: bool = False


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
    """Train the recognizer from Whisper base or from the package, or go on where that stopped.

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
    rank, device = join()
    folder = plan.folder
    if rank == 0:
        prepare(plan, progress)
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
    recipe = RECIPES[device.type]
    recipe = replace(recipe, steps=plan.steps) if plan.steps else recipe
    torch.manual_seed(plan.seed)
    encoder, decoder, tokenizer = load_network()
    encoder, decoder = encoder.to(device), decoder.to(device)
    teacher = Teacher(encoder, decoder)
    if plan.from_package:
        load_packaged(encoder, decoder, own_weights())
    run = start(encoder, decoder, recipe)
    if (folder / "latest.pt").is_file():
        run.load(folder / "latest.pt")
    corpus = _corpus(plan, tokenizer, progress).to(device)
    voices = _voices(plan, "dev", progress)
    places = sorted((folder / "places" / "dev").glob("*[0-9].npz"))
    trials = development_trials(voices, places, plan.seed, DEVELOPMENT_TRIALS)
    train(
        run,
        teacher,
        ahead(Mixtures(corpus, recipe.frames, (plan.seed, rank, run.step))),
        recipe,
        folder,
        lambda: evaluate(encoder, decoder, tokenizer, trials),
        lambda step, losses: progress(f"training (loss {losses['words']:.2f})", step, recipe.steps),
    )
    draw_curves(list(log_lines(folder)), folder / "curves.png")
    weights = export(folder, plan.from_package)
    fit_calibration(weights, folder, progress)
    return weights


def export(folder: Path, from_package: bool) -> Path:
    """Blend the best checkpoint in a folder of `run_recipe` with what it began with; return the folder of the files."""
    encoder, decoder, _ = load_network()
    whisper, package = trained_weights(encoder, decoder), None
    if from_package:
        load_packaged(encoder, decoder, own_weights())
        package = trained_weights(encoder, decoder)
    state = torch.load(folder / "best.pt", weights_only=True, map_location="cpu")
    encoder.load_state_dict(state["encoder"])
    decoder.load_state_dict(state["cross"], strict=False)
    set_weights(encoder, decoder, blend(trained_weights(encoder, decoder), whisper, package))
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


def prepare(plan: Plan, progress: Progress) -> None:
    """Simulate rooms, synthesize voices and noise and transcribe recordings, or what of that is missing."""
    folder = plan.folder
    folder.mkdir(parents=True, exist_ok=True)
    done = counter(progress, "simulating rooms", DEVELOPMENT_PLACES)
    generate_places(folder / "places" / "dev", DEVELOPMENT_PLACES, plan.seed + 1, "dev", plan.workers, done)
    generate_noises(folder / "noises", NOISE_MINUTES, plan.seed, "train", counter(progress, "synthesizing noise", 0))
    for split, number in (("train", plan.sentences), ("dev", DEVELOPMENT_SENTENCES if plan.sentences else 0)):
        if number:
            # What the voices need is large, so it is imported only if they are asked for.
            from hearing_models.recognizer.synthesis import generate_speech

            done = counter(progress, f"synthesizing voices ({split})", number)
            speech = folder / "synthesis"
            generate_speech(speech / split, number, plan.seed, split, _something, speech / "voices", done)
        recorded_speech(split, folder / "labels.json", counter(progress, f"reading recordings ({split})", 0))


def _something(rng: np.random.Generator) -> Line:
    """Draw what people say to robots, or general English."""
    return sentence(rng) if rng.random() < ROBOTS else example_of_use(rng)


def _voices(plan: Plan, split: Split, progress: Progress) -> list[Speech]:
    pool = recorded_speech(split, plan.folder / "labels.json", counter(progress, "reading recordings", 0))
    return pool + synthetic_speech(plan.folder / "synthesis" / split) if plan.sentences else pool


def collect_voices(plan: Plan, progress: Progress) -> list[Speech]:
    """Collect whose speech to train on; better voices are in it more often."""
    voices = _voices(plan, "train", progress)
    recorded = [speech for speech in voices if speech.kind != "synthesis"]
    done = counter(progress, "synthesizing packaged voices", PACKAGED_SENTENCES)
    return [*voices, *packaged_speech(PACKAGED_SENTENCES, plan.seed, done), *voices, *recorded]


def _corpus(plan: Plan, tokenizer: Tokenizer, progress: Progress) -> Corpus:
    voices = collect_voices(plan, progress)
    folder = plan.folder / "noises"
    machines = [soundfile.read(folder / noise.audio, dtype="int16")[0] for noise in read_noises(folder)]
    announced = announcements(np.random.default_rng(plan.seed), voices, ANNOUNCEMENT_MINUTES)
    return Corpus.collect(voices, machines, announced, tokenizer)


def counter(progress: Progress, what: str, total: int) -> Callable[[int], None]:
    """Make of a progress what is told how much more is done."""
    done = 0

    def count(number: int) -> None:
        nonlocal done
        done += number
        progress(what, done, max(total, done))

    return count
