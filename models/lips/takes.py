"""Takes: some seconds of a mouth and of the sound it makes, or makes none; made once and kept in files.

A take depends on seed, split and its number only. People on photographs and voices are split as everywhere
(`hearing_datasets.split_of`); of the one talker who is really filmed, some clips are for development.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache, partial
from pathlib import Path

import numpy as np
from hearing_datasets import Clip, Split, clip_words, kit_clips, kit_root, read_clip, split_of
from hearing_models.lips.articulation import (
    GESTURES,
    RATE,
    Imitation,
    Motion,
    say,
    viseme_classes,
)
from hearing_models.lips.filming import Film, Shot, film, film_of, motion_of, sketch
from hearing_models.workers import call_all
from hearing_sim.faces.photo import photo
from hearing_sim.talkers import speech_stretch
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, Float32Array

Rng = np.random.Generator

SECONDS = 8.0
"""Of a take."""
TALKING = 0.68
"""Share of the takes in which somebody talks."""
HOW = {"phones": 0.45, "imitation": 0.4, "recorded": 0.15}
"""How mouths that talk are moved, with shares: by phones, by the sound, or as a filmed mouth did."""
SCALES = (1.0, 0.55, 0.32)
"""Sizes in which real videos are seen."""
UNKNOWN = -1
"""Where nobody knows what is said."""
_PAUSE = 0.35
"""Seconds between words up to which somebody is still speaking."""


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A mouth and its sound.

    Attributes
    ----------
    film
        What is seen.
    sound
        At 16 kHz, in 16 bits, of shape (n_samples,); root mean square 0.05 of full scale while it is speech.
    speaking, viseme
        Whether the mouth speaks (0, 1), and which viseme is said or `UNKNOWN`, `RATE` times a second.
    kind
        `phones`, `imitation`, `recorded`, `real`, or a gesture.
    way
        How it was seen: `real`, `film` or `sketch`.
    """

    film: Film
    sound: NDArray[np.int16]
    speaking: NDArray[np.int8]
    viseme: NDArray[np.int8]
    kind: str
    way: str

    def save(self, path: Path) -> None:
        """Write a file, whole or not at all."""
        part = path.with_suffix(".part.npz")
        film_parts = {field.name: getattr(self.film, field.name) for field in fields(Film)}
        rest = {
            "sound": self.sound,
            "speaking": self.speaking,
            "viseme": self.viseme,
            "kind": np.array(self.kind),
            "way": np.array(self.way),
        }
        np.savez(part, **film_parts, **rest)  # type: ignore[arg-type]
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Take:
        """Read a file."""
        with np.load(path) as kept:
            seen = Film(*(kept[field.name] for field in fields(Film)))
            return cls(seen, kept["sound"], kept["speaking"], kept["viseme"], str(kept["kind"]), str(kept["way"]))


@dataclass(frozen=True, slots=True, eq=False)
class _Said:
    """What is said in a take: sound of shape (n_samples,) in floats, and at `RATE`, see `Take`."""

    sound: Float32Array
    motion: Motion
    speaking: NDArray[np.int8]
    viseme: NDArray[np.int8]


def generate_takes(
    folder: Path, numbers: tuple[int, int], seed: int, split: Split, workers: int, done: Callable[[int], None]
) -> list[Path]:
    """Make takes, or those that are missing in a folder.

    Parameters
    ----------
    folder
        Where they go.
    numbers
        Of takes that are rendered, and of those whose landmarks are only sketched; those of the kit's real videos are
        added.
    seed, split
        Which.
    workers
        Processes that render.
    done
        Is told the number of files that are made.

    Returns
    -------
    The files in order.

    Raises
    ------
    InputError
        If the data kit is missing.
    """
    if kit_root() is None:
        raise InputError("faces and voices for training come from the data kit; set HEARING_DATA to it")
    folder.mkdir(parents=True, exist_ok=True)
    real = [folder / f"real_{index:04d}.npz" for index in range(len(real_takes(split)))]
    calls = [partial(_make_real, path, split, index) for index, path in enumerate(real)]
    names = [f"{how}_{index:05d}" for how, n in zip(("film", "sketch"), numbers, strict=True) for index in range(n)]
    drawn = [folder / f"{name}.npz" for name in names]
    calls += [partial(_make_drawn, path, split, seed) for path in drawn]
    paths = [*real, *drawn]
    missing = [call for call, path in zip(calls, paths, strict=True) if not path.is_file()]
    done(len(paths) - len(missing))
    if missing:
        call_all(workers, missing, done)
    return paths


def real_clips(split: Split) -> list[Clip]:
    """List the real videos of a split."""
    return [clip for clip in kit_clips("av") if (split_of(clip.name) == "train") == (split == "train")]


def real_takes(split: Split) -> list[tuple[list[Clip], float]]:
    """List what real takes are made of: clips after each other, and the size in which they are seen."""
    clips = real_clips(split) if split != "test" else []
    takes = []
    for turn, scale in enumerate(SCALES):
        order = np.random.default_rng(turn).permutation(len(clips))
        takes += [([clips[i] for i in order[start : start + 3]], scale) for start in range(0, len(clips) - 2, 3)]
    return takes


def _make_real(path: Path, split: Split, index: int) -> None:
    clips, scale = real_takes(split)[index]
    films, sounds, speaking, visemes, start = [], [], [], [], 0.0
    for clip in clips:
        seen, said = _filmed(clip, scale), _spoken(clip)
        films.append((seen, start))
        sounds.append(said.sound)
        speaking.append(said.speaking)
        visemes.append(said.viseme)
        start += len(said.speaking) / RATE
    joined = Film(
        np.concatenate([seen.times + begin for seen, begin in films]),
        *(np.concatenate([getattr(seen, name) for seen, _ in films]) for name in ("shapes", "seen")),
    )
    sound = np.concatenate(sounds)
    Take(joined, _in_16_bits(sound), np.concatenate(speaking), np.concatenate(visemes), "real", "real").save(path)


def _make_drawn(path: Path, split: Split, seed: int) -> None:
    """Make the take that a file's name says: the way of drawing, and the number."""
    how, index = path.stem.split("_")
    rng = np.random.default_rng((seed, int(index), ("train", "dev", "test").index(split), how == "sketch"))
    n_samples = round(SECONDS * RATE)
    faces = photographs(split)
    look = photo(faces[int(rng.integers(len(faces)))])
    kind = str(rng.choice(list(HOW), p=list(HOW.values()))) if rng.random() < TALKING else "nothing"
    said = _Said(
        np.zeros(round(SECONDS * SAMPLE_RATE), np.float32), Motion.rest(n_samples), *np.zeros((2, n_samples), np.int8)
    )
    if kind == "nothing":
        kind = str(rng.choice(list(GESTURES), p=[0.45, 0.15, 0.1, 0.2, 0.1]))
        said.motion.add(GESTURES[kind](n_samples, rng), 0)
    else:
        _talk(said, kind, split, rng)
    seen = (sketch if how == "sketch" else film)(look, said.motion, Shot.draw(rng), rng)
    Take(seen, _in_16_bits(said.sound), said.speaking, said.viseme, kind, how).save(path)


def _talk(into: _Said, kind: str, split: Split, rng: Rng) -> None:
    """Let a voice say one clip or several, with something else in the pauses."""
    voices = _voices(split, kind)
    clips = voices[list(voices)[int(rng.integers(len(voices)))]]
    order = [clips[i] for i in rng.permutation(len(clips))]
    at, total = rng.uniform(-0.5, 1.5), len(into.speaking)
    pauses = np.ones(total, bool)
    while at < SECONDS - 0.8 and order:
        said = _spoken(order.pop(), kind, split, rng)
        start, length = round(at * RATE), len(said.speaking)
        first, last = max(0, start), min(total, start + length)
        kept = slice(first - start, last - start)
        into.speaking[first:last], into.viseme[first:last] = said.speaking[kept], said.viseme[kept]
        step = SAMPLE_RATE // RATE
        into.sound[first * step : last * step] = said.sound[kept.start * step : kept.stop * step]
        into.motion.add(said.motion, start)
        pauses[first:last] = False
        at += length / RATE + rng.exponential(0.8)
    if rng.random() < 0.7:
        other = GESTURES[str(rng.choice(list(GESTURES)))](total, rng)
        fade = np.convolve(pauses, np.hanning(32)[1:-1] / np.hanning(32).sum(), mode="same") * pauses
        into.motion.add(Motion(*(fade * curve for curve in other.curves())), 0)


def _spoken(clip: Clip, kind: str = "real", split: Split = "train", rng: Rng | None = None) -> _Said:
    """Say a clip, in whole hundredths of a second."""
    sound = read_clip(clip)
    n_samples = len(sound) * RATE // SAMPLE_RATE
    sound = sound[: n_samples * SAMPLE_RATE // RATE]
    first, last = speech_stretch(sound.astype(np.float64))
    sound = sound * np.float32(0.05 / np.sqrt(np.mean(sound[first:last] ** 2) + 1e-12))
    words = [word for word in clip_words(clip) or () if word.phones] if clip.text else []
    phones = [phone for word in words for phone in word.phones]
    speaking, viseme = np.zeros(n_samples, np.int8), np.full(n_samples, UNKNOWN, np.int8)
    if phones:
        viseme[:] = viseme_classes(phones, n_samples)
        end = phones[0].start
        for phone in phones:
            begin = end if phone.start - end < _PAUSE else phone.start
            speaking[round(begin * RATE) : round(phone.end * RATE)] = 1
            end = phone.end
    else:
        speaking[first * RATE // SAMPLE_RATE : last * RATE // SAMPLE_RATE] = 1
    if rng is None:
        return _Said(sound, Motion.rest(n_samples), speaking, viseme)
    if kind == "phones":
        motion = say(phones, n_samples, rng)
    elif kind == "imitation":
        motion = _imitation().move(sound, n_samples, rng)
        quiet = np.convolve(speaking, np.ones(31) / 31, mode="same") > 0
        motion = Motion(motion.opening * quiet, motion.width * quiet, motion.smile)
    else:
        motion = motion_of(_filmed(clip, 1.0), n_samples)
        effort = float(np.exp(rng.normal(0.0, 0.25)))
        motion = Motion(effort * motion.opening, effort * motion.width, motion.smile)
    return _Said(sound, motion, speaking, viseme)


@cache
def _imitation() -> Imitation:
    """Learn from the real videos for training how mouths move to a sound."""
    said = [(_spoken(clip), _filmed(clip, 1.0)) for clip in real_clips("train")]
    sounds = [spoken.sound for spoken, _ in said]
    return Imitation.fit(sounds, [motion_of(seen, len(spoken.speaking)) for spoken, seen in said])


@cache
def _filmed(clip: Clip, scale: float) -> Film:
    """Follow a real face; frames before it is found are taken for as the first one in which it is."""
    seen = film_of(clip, scale)
    if not seen.seen.any():
        raise InputError(f"{clip.path}: no face is found in the video; leave it out of the data kit")
    return seen


@cache
def photographs(split: Split) -> list[Path]:
    """List the kit's photographs of neutral faces of a split.

    Raises
    ------
    InputError
        If the data kit is missing.
    """
    root = kit_root()
    if root is None or not (root / "faces").is_dir():
        raise InputError("faces for training come from the data kit; set HEARING_DATA to it")
    manifest = root / "faces" / "manifest.jsonl"
    entries = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    return [
        manifest.parent / entry["image"]
        for entry in entries
        if entry["kind"] == "neutral" and split_of(entry["identity"]) == split
    ]


@cache
def _voices(split: Split, kind: str) -> dict[str, list[Clip]]:
    """List the clips that can move a mouth in a way, by speaker; who is unknown is somebody else in every clip."""
    if kind == "recorded":
        return {"filmed": real_clips(split)}
    voices: dict[str, list[Clip]] = defaultdict(list)
    for clip in kit_clips("speech"):
        if split_of(clip.speaker) != split or clip.duration < 0.8:
            continue
        if kind == "imitation" or (clip.text and any(word.phones for word in clip_words(clip) or ())):
            voices[clip.speaker or clip.name].append(clip)
    return dict(voices)


def _in_16_bits(sound: Float32Array) -> NDArray[np.int16]:
    kept: NDArray[np.int16] = np.clip(np.round(sound * 32767), -32768, 32767).astype(np.int16)
    return kept
