"""Noise as it leaves its source, before any room: machines, recordings, what is meant to be heard, and crowds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
from hearing_datasets import Clip, Split, kit_clips, read_clip
from hearing_datasets.splits import split_of_clip
from hearing_models.recognizer.manifest import add, listed, resume
from hearing_models.recognizer.tones import TONES
from hearing_sim.distribution import WORKING_KINDS
from hearing_sim.machines import background_signals, machine_signal
from hearing_sim.machines.recorded import CROSSFADE, looped
from hearing_sim.machines.tools import Rng, Signal, unit
from hearing_sim.scene import Background, Machine
from scipy.signal import lfilter

from hearing.types import SAMPLE_RATE, Float32Array

SECONDS = 20.0
"""Of a file."""
LEVEL = 0.1
"""Root mean square of a file."""
SHARES = {"machine": 0.55, "recorded": 0.25, "alarm": 0.12, "crowd": 0.08}
"""Of the minutes; a group that the split has no recordings for leaves its share to the first one."""
STRETCHES = {"machine": 1, "recorded": 2, "alarm": 1, "crowd": 1}
"""How many noises a file of a group holds one after the other: many recordings are short."""
CROWDS = ("cafe", "crowded-bar", "restaurant", "crowd")
"""Labels of recordings in which people talk all at once."""
SPEEDS = {
    "motor": (600, 1800),
    "fan": (600, 1800),
    "compressor": (600, 1800),
    "press": (15, 60),
    "grinder": (4500, 9500),
    "cnc": (3500, 12000),
    "conveyor": (60, 160),
    "forklift": (1200, 2600),
}
"""Range of the revolutions or strokes per minute of what has any."""
OWN = "Apache-2.0 (synthetic, of this project)"
_SPLITS: tuple[Split, ...] = get_args(Split)
_GOLDEN = 0.6180339887498949
# ESC-10 cuts several clips out of one recording: 1-172649-A, 1-172649-B, ...
_PIECE = re.compile(r"-[A-Z]$")


@dataclass(frozen=True, slots=True)
class Noise:
    """A file of noise, a line of `manifest.jsonl`.

    Attributes
    ----------
    audio
        The file, relative to the manifest.
    kind
        Of machine, or which recordings, in order and joined by `+`.
    group
        One of `SHARES`.
    duration
        Seconds.
    licence
        The terms under which it may be used.
    """

    audio: str
    kind: str
    group: str
    duration: float
    licence: str


@dataclass(frozen=True, slots=True)
class Source:
    """What makes noise: so many samples of it, with what is random about it."""

    kind: str
    licence: str
    make: Callable[[int, Rng], Signal]


def generate_noises(folder: Path, minutes: float, seed: int, split: Split, done: Callable[[int], None]) -> list[Noise]:
    """Make files of noise, or those that are missing in a folder; a file depends on seed, split and its number only.

    A file is listed in `manifest.jsonl` once it is complete, so the folder can be read meanwhile.

    Parameters
    ----------
    folder
        Where FLAC files (16 kHz, mono, `SECONDS` long, root mean square `LEVEL`) and the manifest go.
    minutes
        In all.
    seed, split
        Which noises; no recording is heard in two splits.
    done
        Is told the number of files that are made.

    Returns
    -------
    The files in order.
    """
    made = resume(folder, Noise)
    sources = _sources(seed, split)
    groups = _groups(round(60 * minutes / SECONDS), {group for group, found in sources.items() if found})
    names = [f"{index:05d}.flac" for index in range(len(groups))]
    done(sum(name in made for name in names))
    for index, (name, group) in enumerate(zip(names, groups, strict=True)):
        if name in made:
            continue
        first, number = groups[:index].count(group), STRETCHES[group]
        turns = range(first * number, (first + 1) * number)
        chosen = [sources[group][turn % len(sources[group])] for turn in turns]
        samples = make_noise(chosen, np.random.default_rng((seed, index, _SPLITS.index(split))))
        kind = "+".join(source.kind for source in chosen)
        licence = "; ".join(dict.fromkeys(source.licence for source in chosen))
        made[name] = Noise(name, kind, group, round(len(samples) / SAMPLE_RATE, 3), licence)
        add(folder, made[name], samples)
        done(1)
    return [made[name] for name in names]


def read_noises(folder: Path) -> list[Noise]:
    """List the files that `generate_noises` has completed so far."""
    return listed(folder, Noise)


def make_noise(sources: list[Source], rng: Rng) -> Float32Array:
    """Let noises of equal length and level fade into each other; shape (n_samples,)."""
    total = round(SECONDS * SAMPLE_RATE)
    length = -(-total // len(sources))
    ramp = np.sin(np.linspace(0, np.pi / 2, CROSSFADE))
    joined = np.zeros(length * len(sources) + CROSSFADE)
    for start, source in zip(range(0, total, length), sources, strict=True):
        signal = unit(source.make(length + CROSSFADE, rng))
        if start:
            signal[:CROSSFADE] *= ramp
        signal[length:] *= ramp[::-1]
        joined[start : start + len(signal)] += signal
    return np.clip(LEVEL * unit(joined[:total]), -1.0, 1.0).astype(np.float32)


def noise_clips(split: Split) -> list[Clip]:
    """List the data kit's noises of a split.

    The kit splits them by clip, and one recording can have clips in several splits: those in its last split (of train,
    dev, test) count, the others are left out.
    """
    splits = defaultdict(list)
    for clip in kit_clips("noise"):
        splits[_recording(clip)].append(split_of_clip(clip))
    latest = {recording: max(found, key=_SPLITS.index) for recording, found in splits.items()}
    return [clip for clip in kit_clips("noise") if split_of_clip(clip) == latest[_recording(clip)] == split]


def _recording(clip: Clip) -> str:
    return _PIECE.sub("", f"{clip.collection}/{clip.name}")


def _sources(seed: int, split: Split) -> dict[str, list[Source]]:
    """List what makes the noise of each group, in random order."""
    sources: dict[str, list[Source]] = {group: [] for group in SHARES}
    sources["machine"] += [Source(kind, OWN, partial(_machine, kind)) for kind in WORKING_KINDS]
    sources["machine"] += [Source(kind, OWN, partial(_background, kind)) for kind in ("hall", "ventilation")]
    sources["alarm"] += [Source(kind, OWN, make) for kind, make in {"alarm": _alarm, **TONES}.items()]
    for clip in noise_clips(split):
        group = "crowd" if clip.label in CROWDS else "recorded"
        sources[group].append(Source(clip.name, clip.licence, partial(_stretch, clip)))
    rng = np.random.default_rng((seed, 0, _SPLITS.index(split), 1))
    return {group: [found[i] for i in rng.permutation(len(found))] for group, found in sources.items()}


def _groups(number: int, heard: set[str]) -> list[str]:
    """Assign files to the groups that are heard: after any number of files, each has its share of them."""
    main, *others = [group for group in SHARES if group in heard]
    edges = np.cumsum([SHARES[group] for group in others])
    return [[*others, main][int(np.searchsorted(edges, index * _GOLDEN % 1, "right"))] for index in range(number)]


def _machine(kind: str, n_samples: int, rng: Rng) -> Signal:
    """Run a machine at a speed that may change, and of a make that sounds dull or bright."""
    speed = round(float(rng.uniform(*SPEEDS[kind]))) if kind in SPEEDS else None
    steady = rng.random() < 0.7
    times, factors = np.sort(rng.uniform(0, n_samples / SAMPLE_RATE, 4)), rng.uniform(0.6, 1.2, 4)
    profile = () if steady else tuple(zip(times.tolist(), factors.tolist(), strict=True))
    signal = machine_signal(Machine(kind, kind, speed_rpm=speed, speed_profile=profile), 0.0, n_samples, rng)
    zero, pole = rng.uniform(-0.6, 0.6, 2)
    return lfilter([1, zero], [1, pole], signal)


def _background(kind: str, n_samples: int, rng: Rng) -> Signal:
    return background_signals(Background(kind), 1, n_samples, rng)[:, 0]


def _alarm(n_samples: int, rng: Rng) -> Signal:
    return machine_signal(Machine("alarm", "alarm"), 0.0, n_samples, rng)


def _stretch(clip: Clip, n_samples: int, rng: Rng) -> Signal:
    return looped(read_clip(clip).astype(np.float64), n_samples, rng)
