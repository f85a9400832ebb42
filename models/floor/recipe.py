"""How the floor model is trained, and how well it judges conversations that it was not trained on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from hearing_models.addressee.recipe import area_under_curve
from hearing_models.floor.addresses import addresses_of
from hearing_models.floor.material import Sound, make_material
from hearing_models.floor.network import ODDS, FloorNetwork, export
from hearing_models.floor.world import Address, Turn, World
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hearing.dialogue.floor import CUES, MEMORY, PERIOD, PersonNow, RobotNow, as_matrix

Rng = np.random.Generator
Progress = Callable[[str, int, int], None]
SECONDS = 60.0
"""Of a conversation."""
_AHEAD = 2.0
_AFTER = 6.0
_UNKNOWN = -1
_BLUR, _BLURRED = 0.5, {"level", "pitch", "voiced", "tilt", "change", "addressed", "sounds_over"}
"""Noise on cues, in units of their spread: there are few turns, and they come again and again."""
_BEGINNINGS = 5.0
"""How much more the first second counts of what is said while the robot speaks, where it is told what it is."""
_ANSWERED, _SOON, _LATE = 0.85, (0.2, 1.3), (1.3, 3.8)
"""Share of requests that the ideal robot answers, and seconds after which it does: half of them soon."""
_KINDS = {"request": 0, "barge_in": 0, "backchannel": 1, "side": 2}


@dataclass(frozen=True, slots=True)
class Lines:
    """People in conversations: cues of shape (n, n_ticks, n_cues), and what is true, of shape (n, n_ticks, 3).

    True is whether the turn is over, whether it ends within 2 s (0 or 1), and what is said (0 to 2, as the last three
    of `ODDS`); -1 where the question makes no sense. Weights, of shape (n, n_ticks), are for whether the turn is over:
    who has not been answered yet stands for those who have (inverse probability weighting, Horvitz & Thompson 1952).
    """

    cues: NDArray[np.float32]
    truth: NDArray[np.int8]
    weights: NDArray[np.float32]


def train(folder: Path, seed: int, progress: Progress = lambda *_: None, scenes: int = 2560, epochs: int = 12) -> Path:
    """Make up conversations, train, judge, and write network and figures.

    Parameters
    ----------
    folder
        For what is written: `floor.onnx`, `figures.json`, and the material, `train.json` and `dev.json`.
    seed
        Of everything random.
    progress
        Is told what is done, how much of it, and of how much.
    scenes
        Conversations to train on; an eighth as many are judged.
    epochs
        Times that each is seen.

    Returns
    -------
    The network's file. Copy it to `hearing_models/floor/weights` to use it.
    """
    lines = {}
    for split, number in (("train", scenes), ("dev", scenes // 8)):
        sounds = make_material(split, folder / f"{split}.json", seed, progress)
        lines[split] = draw_lines(sounds, addresses_of(split, seed), number, seed, partial(progress, f"{split} scenes"))
    network = fit(lines["train"], seed, epochs, progress)
    path = folder / "floor.onnx"
    export(network, path)
    figures = judge(network, lines["dev"])
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return path


def draw_lines(
    sounds: Sequence[Sound], addresses: Sequence[Address], scenes: int, seed: int,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Lines:  # fmt: skip
    """Let an ideal robot take part in conversations, and note what it notices of everybody."""
    cues, truth, weights = [], [], []
    for number in range(scenes):
        progress(number, scenes)
        rng = np.random.default_rng([seed, number])
        world = World(sounds, addresses, rng, int(rng.integers(1, 4)))
        robot = _IdealRobot(rng)
        ticks: dict[int, list[tuple[float, PersonNow, RobotNow]]] = {p: [] for p in range(1, world.people + 1)}
        speaks = asked = False
        for _ in range(round(SECONDS / PERIOD)):
            noticed = world.step(speaks)
            for person, now in noticed.people.items():
                ticks[person].append((noticed.now, now, RobotNow(speaks, asked)))
            speaks, asked = robot.decide(world)
        for person, line in ticks.items():
            cues.append(as_matrix(line))
            own = [turn for turn in world.turns if turn.person == person]
            truth.append(_truth(own, len(line)))
            weights.append(_weights(own, np.array([robot.speaks for _, _, robot in line])))
    return Lines(np.stack(cues), np.stack(truth), np.stack(weights))


class _IdealRobot:
    """Knows when turns end: it answers some time later, stops when it is interrupted, and sometimes errs on purpose.

    Of a robot that always answered soon, the network would learn that whoever is not answered thinks and goes on.
    """

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._known = 0
        self._plans: list[tuple[float, float]] = []
        self._until = 0.0
        self._asks = False

    def decide(self, world: World) -> tuple[bool, bool]:
        rng, now = self._rng, world.now
        for turn in world.turns[self._known :]:
            if turn.kind == "request" and rng.uniform() < _ANSWERED:
                early = rng.uniform() < 0.06 and turn.end - turn.begin > 1.5
                late = rng.uniform(*(_SOON if rng.uniform() < 0.5 else _LATE))
                start = turn.begin + rng.uniform(0.5, 1.0) * 1.2 if early else turn.end + late
                self._plans.append((start, rng.uniform(1.2, 5.0)))
            elif turn.kind == "barge_in" and self._until > turn.begin:
                self._until = min(self._until, turn.begin + rng.uniform(0.3, 0.8))
                if rng.uniform() < 0.6:
                    self._plans.append((turn.end + rng.uniform(0.3, 1.3), rng.uniform(1.0, 3.0)))
        self._known = len(world.turns)
        for plan in [plan for plan in self._plans if plan[0] <= now]:
            self._plans.remove(plan)
            self._until, self._asks = max(self._until, now + plan[1]), bool(rng.uniform() < 0.25)
        return now < self._until, self._asks and now >= self._until and now < self._until + 8


def _truth(turns: Sequence[Turn], ticks: int) -> NDArray[np.int8]:
    """Tell what is true of one person at every tick."""
    truth = np.full((ticks, 3), _UNKNOWN, np.int8)

    def tick(seconds: float) -> int:
        at: int = round(seconds / PERIOD)
        return min(max(at, 0), ticks)

    for turn, following in zip(turns, [*turns, None][1:], strict=True):
        begin, end = tick(turn.begin), tick(turn.end)
        after = min(tick(turn.end + _AFTER), tick(following.begin) if following else ticks)
        truth[begin:after, 2] = _KINDS[turn.kind]
        if turn.kind != "backchannel":
            truth[begin:end, 0] = 0
            truth[end:after, 0] = 1
            truth[begin:after, 1] = 0
            truth[max(tick(turn.end - _AHEAD), begin) : after, 1] = 1
    return truth


def _weights(turns: Sequence[Turn], robot_speaks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Weigh the ticks of one person in which a request is over that the robot has not answered yet.

    Without it whoever is not answered would seem to think, the more so the longer he is silent.
    """
    weights = np.ones(len(robot_speaks), np.float32)
    for turn in turns:
        if turn.kind != "request":
            continue
        end = min(round(turn.end / PERIOD), len(weights))
        answered = np.flatnonzero(robot_speaks[end:])
        last = end + int(answered[0]) if len(answered) else len(weights)
        since = (np.arange(end, last) + 1) * PERIOD - turn.end
        share = sum(np.interp(since, delays, (0.0, 0.5)) for delays in (_SOON, _LATE))
        weights[end:last] = 1 / (1 - _ANSWERED * share)
    return weights


def fit(lines: Lines, seed: int, epochs: int, progress: Progress = lambda *_: None) -> FloorNetwork:
    """Train by Adam on whole conversations; pauses count more than the ticks of talking, of which there are many."""
    torch.manual_seed(seed)
    flat = lines.cues.reshape(-1, len(CUES))
    spread = np.maximum(flat.std(axis=0), 0.05)
    network = FloorNetwork(torch.from_numpy(flat.mean(axis=0)), torch.from_numpy(spread))
    blur = torch.from_numpy(spread * [_BLUR * (name in _BLURRED) for name in CUES]).float()
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3, weight_decay=1e-2)
    batch = min(32, len(lines.cues))
    steps = epochs * (len(lines.cues) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    rng = np.random.default_rng(seed)
    done = 0
    for _ in range(epochs):
        order = rng.permutation(len(lines.cues))
        for at in range(0, len(order) - batch + 1, batch):
            chosen = np.sort(order[at : at + batch])
            cues, truth = torch.from_numpy(lines.cues[chosen]), torch.from_numpy(lines.truth[chosen]).long()
            weights = torch.from_numpy(lines.weights[chosen])
            odds, _ = network(cues + blur * torch.randn_like(cues), torch.zeros(batch, MEMORY))
            loss = loss_of(odds, cues, truth, weights)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            progress(f"training, loss {float(loss.detach()):.3f}", done, steps)
            done += 1
    return network.eval()


def loss_of(odds: Tensor, cues: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """Return the mean cross entropy: of pauses, of what is to come, and of what is said."""
    silent = cues[..., CUES.index("silence")] > 0
    pause = (truth[..., 0] >= 0) & silent
    ahead, said = truth[..., 1] >= 0, truth[..., 2] >= 0
    over = functional.binary_cross_entropy_with_logits(
        odds[..., 0][pause], truth[..., 0][pause].float(), weights[pause], reduction="sum"
    )
    yields = functional.binary_cross_entropy_with_logits(odds[..., 1][ahead], truth[..., 1][ahead].float())
    kinds = functional.cross_entropy(odds[..., 2:][said], truth[..., 2][said], reduction="none")
    # Whether to stop is decided soon after somebody begins to speak while the robot does.
    begins = (cues[..., CUES.index("robot_speaks")] > 0) & ~silent & (cues[..., CUES.index("run")] < np.log1p(1.0))
    weight = 1 + _BEGINNINGS * begins[said].float()
    return 2 * over / weights[pause].sum() + 0.5 * yields + (weight * kinds).sum() / weight.sum()


def judge(network: FloorNetwork, lines: Lines) -> dict[str, float]:
    """Return areas under the curve: of ends by the length of the pause, of yielding, and of what is said."""
    with torch.no_grad():
        odds, _ = network(torch.from_numpy(lines.cues), torch.zeros(len(lines.cues), MEMORY))
        silent = lines.cues[..., CUES.index("short_silence")]
        found, truth = odds.numpy(), lines.truth
        tensors = torch.from_numpy(lines.cues), torch.from_numpy(truth).long(), torch.from_numpy(lines.weights)
        figures = {"loss": float(loss_of(odds, *tensors))}
    # Who is answered has ended.
    answered = lines.cues[..., CUES.index("robot_speaks")] > 0
    judged = lines.cues[..., CUES.index("sounds_over")]
    for pause in (0.1, 0.2, 0.3, 0.5, 0.8):
        here = (truth[..., 0] >= 0) & (np.abs(silent - pause) < 0.01) & ~answered
        figures[f"over after {pause} s"] = area_under_curve(found[..., 0][here], truth[..., 0][here] == 1)
        if pause >= 0.3:
            figures[f"classifier after {pause} s"] = area_under_curve(judged[here], truth[..., 0][here] == 1)
    ahead = (truth[..., 1] >= 0) & (silent == 0)
    figures["yields within 2 s, while talking"] = area_under_curve(found[..., 1][ahead], truth[..., 1][ahead] == 1)
    run = np.expm1(lines.cues[..., CUES.index("run")])
    for length in (0.2, 0.4, 0.6):
        here = (truth[..., 2] >= 0) & (silent == 0) & (np.abs(run - length) < 0.01)
        here &= lines.cues[..., CUES.index("robot_speaks")] > 0
        for kind, name in enumerate(ODDS[2:]):
            if (truth[..., 2][here] == kind).any():
                figures[f"{name}, {length} s into it, robot speaking"] = area_under_curve(
                    found[..., 2 + kind][here], truth[..., 2][here] == kind
                )
    return {name: round(value, 4) for name, value in figures.items()}
