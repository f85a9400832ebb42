"""Training: the encoder learns to hear in noise, in chunks and without padding, through a decoder that stays as it is.

Whisper's decoder knows English from far more text than there is to train on here, so it is frozen but for its attention
to the encoder: what it does not understand has to be made clearer by the encoder. Both learn from the decoder's
cross-entropy, from a CTC head on the spoken letters, and, on a share of the steps, from what Whisper's own encoder and
decoder make of the clean speech.
"""

from __future__ import annotations

import copy
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from hearing_models.recognizer.batches import IGNORED, Batch
from hearing_models.recognizer.network import Decoder, Encoder, chunk_mask, heard
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from hearing.recognition.encoder import LEFT

if TYPE_CHECKING:
    from hearing_models.recognizer.evaluation import Evaluation

CHUNKS: tuple[int | None, ...] = (8, 16, 32, 64, None)
"""Frames of the chunks that are trained, 160 ms to the whole utterance."""
CHUNK_SHARES = (0.1, 0.45, 0.1, 0.05, 0.3)
NOTHING_WEIGHT = 4.0
"""Of the end of a text that holds nothing, where a word's token counts 1."""
_LEAST_LETTERS = 0.1
"""Per frame; people who speak say 0.3."""
_CROSS = ".cross_"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the network is trained.

    Attributes
    ----------
    steps
        Of the optimizer.
    frames
        Encoder frames in a batch.
    rate, head_rate, cross_rate
        Highest learning rates of the encoder, of the CTC head, and of the decoder's attention to the encoder; they rise
        for `warm_up` steps and fall to a hundredth along a cosine.
    ctc, teacher
        Weights of the CTC loss, and of the two terms of distillation.
    teach_every
        Every so many steps are distillation.
    silence_every
        Every so many steps the encoder's silence is computed anew.
    evaluate_every, report_every
        Steps from one evaluation and checkpoint to the next, and from one report to the next.
    """

    steps: int = 1000
    frames: int = 2400
    rate: float = 4e-5
    head_rate: float = 1e-3
    cross_rate: float = 1e-5
    warm_up: int = 100
    ctc: float = 1.0
    teacher: float = 0.5
    teach_every: int = 3
    silence_every: int = 20
    evaluate_every: int = 200
    report_every: int = 5


RECIPES = {
    "cpu": Recipe(),
    "cuda": Recipe(
        steps=700,
        frames=24_000,
        rate=1.2e-4,
        head_rate=5e-4,
        cross_rate=5e-5,
        warm_up=60,
        teach_every=2,
        report_every=20,
    ),
}
"""By the kind of device."""


@dataclass(slots=True)
class Run:
    """A training run as its checkpoint holds it."""

    encoder: Encoder
    decoder: Decoder
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    step: int = 0
    seconds: float = 0.0
    best: float = float("inf")
    losses: dict[str, list[Tensor]] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write a checkpoint in one step."""
        state = {
            "encoder": self.encoder.state_dict(),
            "cross": cross_attention(self.decoder),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "progress": (self.step, self.seconds, self.best),
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        device = next(self.encoder.parameters()).device
        state = torch.load(path, weights_only=True, map_location=device)
        self.encoder.load_state_dict(state["encoder"])
        self.decoder.load_state_dict(state["cross"], strict=False)
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.step, self.seconds, self.best = state["progress"]


def cross_attention(decoder: Decoder) -> dict[str, Tensor]:
    """Return what is trained of the decoder."""
    return {name: tensor for name, tensor in decoder.state_dict().items() if _CROSS in name}


def start(encoder: Encoder, decoder: Decoder, recipe: Recipe) -> Run:
    """Prepare a run from its first step, on the device where encoder and decoder are."""
    for name, parameter in decoder.named_parameters():
        parameter.requires_grad_(_CROSS in name)
    cross = [parameter for parameter in decoder.parameters() if parameter.requires_grad]
    head = list(encoder.letters.parameters())
    body = [parameter for name, parameter in encoder.named_parameters() if not name.startswith("letters.")]
    optimizer = torch.optim.AdamW(
        [
            {"params": body, "lr": recipe.rate},
            {"params": head, "lr": recipe.head_rate},
            {"params": cross, "lr": recipe.cross_rate},
        ],
        betas=(0.9, 0.98),
        weight_decay=0.01,
        fused=True,
    )

    def factor(step: int) -> float:
        if step < recipe.warm_up:
            return (step + 1) / recipe.warm_up
        done = min(1.0, (step - recipe.warm_up) / max(1, recipe.steps - recipe.warm_up))
        return 0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2

    return Run(encoder, decoder, optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, factor))


def train(
    run: Run,
    teacher: Teacher,
    batches: Iterator[Batch],
    recipe: Recipe,
    folder: Path,
    evaluate: Callable[[], Evaluation],
    report: Callable[[int, dict[str, float]], None],
) -> None:
    """Train on, from where the run is, to the recipe's last step.

    Started by `torchrun`, every process trains on examples of its own and the gradients are averaged
    (DistributedDataParallel over gloo, or NCCL where there are GPUs).

    Parameters
    ----------
    run
        From `start`, perhaps with a checkpoint loaded into it.
    teacher
        Whisper as it was.
    batches
        From the step that the run is at, on its device.
    recipe
        How.
    folder
        For `latest.pt`, `best.pt` and `log.jsonl`.
    evaluate
        Scores the run's encoder and decoder on development scenes; less is better.
    report
        Is told step and losses after every `report_every` steps.
    """
    rank, device = join()
    losses_of = Student(run.encoder, run.decoder, teacher)
    student: nn.Module = losses_of
    if torch.distributed.is_initialized():
        student = DistributedDataParallel(student)
    losses_of.renew_silence()
    began = time.monotonic() - run.seconds
    while run.step < recipe.steps:
        if run.step % recipe.silence_every == 0:
            losses_of.renew_silence()
        losses = _step(run, student, next(batches), recipe, device)
        for name, value in losses.items():
            run.losses.setdefault(name, []).append(value)
        run.step += 1
        run.seconds = time.monotonic() - began
        if run.step % recipe.report_every == 0:
            report(run.step, {name: float(value) for name, value in losses.items()})
        if rank == 0 and (run.step % recipe.evaluate_every == 0 or run.step == recipe.steps):
            _conclude(run, folder, evaluate())


def _step(run: Run, student: nn.Module, batch: Batch, recipe: Recipe, device: torch.device) -> dict[str, Tensor]:
    # Chosen by the number of the step, so that all processes and a resumed run choose alike.
    rng = np.random.default_rng((run.step, 17))
    chunk = CHUNKS[int(rng.choice(len(CHUNKS), p=CHUNK_SHARES))]
    teach = run.step % recipe.teach_every == 0
    run.encoder.train()
    run.optimizer.zero_grad(set_to_none=True)
    with torch.autocast(device.type, torch.bfloat16):
        losses = student(batch, chunk, teach)
    # The CTC head begins with noise: what it asks of the encoder counts once it has learned something.
    letters = recipe.ctc * min(1.0, run.step / (2 * recipe.warm_up)) * losses["letters"]
    total = losses["words"] + letters
    if teach:
        total = losses["words"] / 2 + letters + recipe.teacher * (losses["features"] + losses["posteriors"])
    total.backward()
    trained = [parameter for group in run.optimizer.param_groups for parameter in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(trained, 1.0)
    # A gradient that is no number would spoil all weights for good.
    if bool(torch.isfinite(norm)):
        run.optimizer.step()
    run.schedule.step()
    return {name: loss.detach() for name, loss in losses.items()}


class Teacher:
    """Whisper, kept as it was.

    Parameters
    ----------
    encoder, decoder
        Before they are trained; they are copied.
    """

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        self.encoder, self.decoder = (copy.deepcopy(part).requires_grad_(False).eval() for part in (encoder, decoder))
        self.silence = self.encoder.silence()


class Student(nn.Module):
    """All losses in one module, as DistributedDataParallel wants it."""

    def __init__(self, encoder: Encoder, decoder: Decoder, teacher: Teacher) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.teacher = teacher
        self.silence = encoder.silence()

    def renew_silence(self) -> None:
        """Hear silence as the encoder does now."""
        self.silence = self.encoder.silence()

    def forward(self, batch: Batch, chunk: int | None, teach: bool) -> dict[str, Tensor]:
        """Return the losses on a batch heard in chunks of so many frames, and those of distillation if asked."""
        decoder, teacher = self.decoder, self.teacher
        n_frames = batch.mel.shape[1] // 2
        there = torch.arange(n_frames, device=batch.mel.device) < batch.frames[:, None]
        chunked = chunk_mask(n_frames, chunk, LEFT if chunk else None).to(batch.mel.device)
        seen = chunked[None, None] & there[:, None, None]
        # Frames of the padding see themselves: a softmax over nothing is not a number.
        seen = seen | torch.eye(n_frames, dtype=torch.bool, device=seen.device)
        encoded = self.encoder(batch.mel, seen)
        logits = decoder(batch.tokens, *heard(decoder, encoded, batch.frames, self.silence))
        losses = {
            "words": self._words(batch, logits),
            "letters": self._letters(batch, encoded),
        }
        if teach:
            with torch.no_grad():
                whole = there[:, None, None] | torch.eye(n_frames, dtype=torch.bool, device=seen.device)
                goal = teacher.encoder(batch.clean, whole)
                cross = heard(teacher.decoder, goal, batch.frames, teacher.silence)
                judged = teacher.decoder(batch.tokens, *cross)
                judged = functional.log_softmax(judged.float(), dim=-1)
            losses["features"] = _difference(encoded, goal, there)
            counted = batch.targets != IGNORED
            said = functional.log_softmax(logits.float()[counted], dim=-1)
            losses["posteriors"] = functional.kl_div(said, judged[counted], reduction="batchmean", log_target=True)
        return losses

    @staticmethod
    def _words(batch: Batch, logits: Tensor) -> Tensor:
        """Cross-entropy per token; to say nothing takes one token only, which counts as several."""
        losses = functional.cross_entropy(
            logits.float().flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORED, reduction="none"
        ).view_as(batch.targets)
        weights = torch.where(batch.n_letters == 0, NOTHING_WEIGHT, 1.0)[:, None] * (batch.targets != IGNORED)
        return (losses * weights).sum() / weights.sum()

    def _letters(self, batch: Batch, encoded: Tensor) -> Tensor:
        """CTC (Graves et al. 2006) per letter; what is too fast for 50 frames a second does not count."""
        log_probabilities = self.encoder.letter_log_probabilities(encoded).transpose(0, 1)
        loss = functional.ctc_loss(
            log_probabilities, batch.letters, batch.frames, batch.n_letters, reduction="none", zero_infinity=True
        )
        # Where hardly anybody speaks, the blanks of a batch are not to outweigh everything else.
        return loss.sum() / torch.maximum(batch.n_letters.sum(), _LEAST_LETTERS * batch.frames.sum())


def _difference(encoded: Tensor, goal: Tensor, there: Tensor) -> Tensor:
    """Relative squared error plus one minus the cosine, over the frames that are there."""
    ours, theirs = encoded.float()[there], goal.float()[there]
    relative = (ours - theirs).square().sum(dim=1) / theirs.square().sum(dim=1)
    return relative.mean() + 1 - functional.cosine_similarity(ours, theirs, dim=1).mean()


def _conclude(run: Run, folder: Path, evaluation: Evaluation) -> None:
    means = {name: round(float(torch.stack(values).mean()), 4) for name, values in run.losses.items()}
    run.losses = {}
    line: dict[str, Any] = {"step": run.step, "seconds": round(run.seconds), "losses": means, **asdict(evaluation)}
    with (folder / "log.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    if evaluation.score < run.best:
        run.best = evaluation.score
        run.save(folder / "best.pt")
    run.save(folder / "latest.pt")


def join() -> tuple[int, torch.device]:
    """Join the other processes, if `torchrun` has started this one; return the rank and the device to work on."""
    gpu = torch.cuda.is_available()
    local = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device(f"cuda:{local}" if gpu else "cpu")
    if "RANK" in os.environ and not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if gpu else "gloo")
    return (torch.distributed.get_rank() if torch.distributed.is_initialized() else 0), device


def log_lines(folder: Path) -> Iterator[dict[str, Any]]:
    """Read the figures that training has written so far."""
    yield from map(json.loads, (folder / "log.jsonl").read_text().splitlines())
