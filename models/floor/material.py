"""What the floor model is trained and judged on: turns of recorded and synthetic voices, reduced to what it hears.

Pauses are those that speakers made, and pauses to think that are put in between two words, where the voice does not
fall as at an end. Everything is computed once and kept in a file.
"""

from __future__ import annotations

import io
import itertools
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from hearing_datasets import align, clip_words, kit_clips, read_clip, split_of
from hearing_sim import conversation
from numpy.typing import NDArray

from hearing.dialogue.prosody import TICK, ProsodyTracker
from hearing.dialogue.turn_classifier import TurnClassifier
from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, Float32Array

Rng = np.random.Generator
Progress = Callable[[str, int, int], None]
PAUSE = 0.2
"""Seconds of silence after which the classifier is asked."""
_FRAME, _HOLE = 256, 6
_VOICES = {
    "train": (
        "m1", "m2", "m3", "m5", "m6", "m8", "f1", "f2", "f4", "croak", "klatt2", "klatt4", "Alex", "Andy", "Annie",
        "Denis", "Gene", "Henrique", "Jacky", "Lee", "Mario", "max", "Michael", "steph", "Tweaky", "belinda", "david",
        "ed", "iven", "john", "linda", "norbert", "pablo", "paul", "quincy", "rob",
    ),
    "dev": (
        "m4", "m7", "f3", "f5", "Andrea", "Marco", "Hugo", "Diogo", "michel", "shelby", "robert", "zac", "victor",
        "benjamin",
    ),
}  # fmt: skip
"""Variants of espeak-ng's voice."""
_ACCENTS = {"train": ("en-us", "en-gb", "en-gb-scotland", "en-us-nyc", "en-029"), "dev": ("en-us", "en-gb-x-rp")}
_RECORDED = {"read_accented_speakers": 260, "numbers_names_70_speakers": 120, "read_5_speakers": 40, "wake_words": 40}
_UNWRITTEN = {"commands_barista": 220}
_SPOKEN = {"train": 1000, "dev": 260}
_THINKS = 0.45
_FILLERS = ("uh", "um")
_THANKS = ("Thanks, that's all.", "Good.", "And then come back.", "Yes, please.", "No, thanks.")
_LINES = {
    "command": (*conversation.COMMANDS, *_THANKS),
    "correction": conversation.CORRECTIONS,
    "barge_in": (
        *conversation.BARGE_INS,
        "Sorry, I meant {place}.",
        "That is the wrong one.",
        "Hang on.",
        "No, no, the other {part}.",
        "Hold on, where is the {part}?",
        "Robot, wait a second.",
        "Actually, take it to {place}.",
        "Can you take the {part} instead?",
        "Never mind, I found it.",
        "But I said {place}.",
    ),
    "backchannel": (
        *conversation.BACKCHANNELS,
        "Ah.",
        "Hm.",
        "Mm.",
        "I see.",
        "Sure.",
        "Yes.",
        "Yep.",
        "Oh, okay.",
        "Okay, good.",
        "Yeah, yeah.",
        "All right.",
        "Mm-hm, okay.",
    ),
    "side_talk": conversation.SIDE_TALK,
}
_SHARES = {"command": 0.26, "correction": 0.06, "barge_in": 0.26, "backchannel": 0.3, "side_talk": 0.12}


@dataclass(frozen=True, slots=True)
class Sound:
    """A turn.

    Attributes
    ----------
    kind
        `command`, `correction`, `barge_in`, `backchannel`, `side_talk` or `any`: it may be said in any place.
    source, speaker
        Where it comes from, and who speaks.
    prosody
        One row of `Prosody.values` per 0.1 s, from the first voice to the last.
    words
        What is said and when each word ends, in seconds; empty if nobody wrote it down.
    sounds_over
        When the classifier was asked, in seconds from the start, and what it said; the last is at the end.
    """

    kind: str
    source: str
    speaker: str
    prosody: list[list[float]]
    words: list[tuple[str, float]]
    sounds_over: list[tuple[float, float]]

    @property
    def length(self) -> int:
        """Number of ticks."""
        return len(self.prosody)

    @property
    def longest_pause(self) -> float:
        """Seconds of the longest silence within."""
        voice = np.flatnonzero([row[0] > 0.5 for row in self.prosody])
        return float(np.diff(voice).max(initial=1) - 1) * TICK / SAMPLE_RATE


def make_material(split: str, path: Path, seed: int, progress: Progress = lambda *_: None) -> list[Sound]:
    """Make the turns of one split, or read them if they are there.

    Parameters
    ----------
    split
        `train` or `dev`: which recorded speakers, and which synthetic ones.
    path
        File that keeps them.
    seed
        Of noise and pauses.
    progress
        Is told what is done, how much of it, and of how much.

    Raises
    ------
    InputError
        If espeak-ng or the classifier is not installed.
    """
    if path.is_file():
        return [Sound(**record) for record in json.loads(path.read_text(encoding="utf-8"))]
    rng = np.random.default_rng([seed, len(split)])
    classifier = TurnClassifier()
    noises = [read_clip(clip) for clip in kit_clips("noise/ambient")[:20]] or [np.zeros(SAMPLE_RATE, np.float32)]
    raw = list(_recorded(split, rng)) + list(_spoken(split, rng))
    sounds = []
    for at, (kind, source, speaker, samples, words) in enumerate(raw):
        progress(f"listening to {split}", at, len(raw))
        if kind in ("any", "command") and words and len(words) > 3 and rng.uniform() < _THINKS:
            samples, words = _with_thought(samples, words, rng)
        if (sound := _reduce(kind, source, speaker, samples, words, noises, classifier, rng)) is not None:
            sounds.append(sound)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(sound) for sound in sounds]), encoding="utf-8")
    return sounds


Raw = tuple[str, str, str, Float32Array, list[tuple[str, float, float]]]


def _recorded(split: str, rng: Rng) -> Iterator[Raw]:
    for name, most in {**_RECORDED, **_UNWRITTEN}.items():
        clips = [clip for clip in kit_clips(f"speech/{name}") if split_of(clip.speaker) == split and clip.duration < 9]
        for at in rng.permutation(len(clips))[:most]:
            clip = clips[at]
            words = () if name in _UNWRITTEN else clip_words(clip) or ()
            kind = "command" if name in _UNWRITTEN else "barge_in" if name.startswith("wake") else "any"
            text = [(_as_written(word.word, i, len(words)), word.start, word.end) for i, word in enumerate(words)]
            yield kind, name, clip.speaker or "?", read_clip(clip), text


def _as_written(word: str, at: int, number: int) -> str:
    word = word.lower() if word.isupper() else word
    return word if at < number - 1 or word.endswith((".", "?", "!")) else f"{word}."


def _spoken(split: str, rng: Rng) -> Iterator[Raw]:
    kinds = list(_SHARES)
    for _ in range(_SPOKEN[split]):
        kind = str(rng.choice(kinds, p=list(_SHARES.values())))
        text = conversation._filled(_LINES[kind], rng)
        voice = str(rng.choice(_VOICES[split]))
        samples = _espeak(text, f"{rng.choice(_ACCENTS[split])}+{voice}", rng)
        words = [(word.word, word.start, word.end) for word in align(samples, text)]
        yield kind, "synthetic", voice, samples, words


def _espeak(text: str, voice: str, rng: Rng) -> Float32Array:
    options = ["-v", voice, "-s", str(rng.integers(130, 190)), "-p", str(rng.integers(25, 75)), "--stdout"]
    try:
        done = subprocess.run(["espeak-ng", *options, text], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise InputError(f"espeak-ng: {error}; install it, as with apt-get install espeak-ng") from error
    samples, rate = soundfile.read(io.BytesIO(done.stdout), dtype="float32")
    resampled: Float32Array = soxr.resample(samples, rate, SAMPLE_RATE)
    return resampled


def _with_thought(
    samples: Float32Array, words: Sequence[tuple[str, float, float]], rng: Rng
) -> tuple[Float32Array, list[tuple[str, float, float]]]:
    """Put a pause to think in between two words, one in three after a filler."""
    at = int(rng.integers(1, len(words) - 1))
    cut = round(words[at - 1][2] * SAMPLE_RATE)
    fade = np.linspace(1, 0, 320, dtype=np.float32)
    before, after = samples[:cut].copy(), samples[cut:]
    if len(before) > 320:
        before[-320:] *= fade
    length = float(np.exp(rng.uniform(np.log(0.4), np.log(5.0))))
    filler: list[tuple[str, float, float]] = []
    middle = np.zeros(round(length * SAMPLE_RATE), np.float32)
    if rng.uniform() < 1 / 3:
        text = str(rng.choice(_FILLERS))
        uh = _espeak(text, "en-us+m3", rng) * np.float32(0.7)
        start = cut / SAMPLE_RATE + 0.1
        filler = [(text, start, start + len(uh) / SAMPLE_RATE)]
        middle = np.concatenate([np.zeros(1600, np.float32), uh, middle])
    shift = len(middle) / SAMPLE_RATE
    later = [(word, start + shift, end + shift) for word, start, end in words[at:]]
    return np.concatenate([before, middle, after]), [*words[:at], *filler, *later]


def _reduce(
    kind: str, source: str, speaker: str, samples: Float32Array, words: Sequence[tuple[str, float, float]],
    noises: Sequence[Float32Array], classifier: TurnClassifier, rng: Rng,
) -> Sound | None:  # fmt: skip
    """Cut a turn to its voice, add noise, and note what the robot would notice; None if there is no voice."""
    voice = voice_of(samples)
    if voice.sum() < 4:
        return None
    first, last = int(voice.argmax()), len(voice) - int(voice[::-1].argmax())
    begin, end = first * _FRAME, last * _FRAME
    tail = round(0.4 * SAMPLE_RATE)
    cut = np.pad(samples[begin:end], (0, tail + (-(end - begin)) % TICK))
    talking = np.pad(voice[first:last], (0, len(cut) // _FRAME + 1 - (last - first))).astype(np.float32)
    cut = np.pad(cut, (0, len(talking) * _FRAME - len(cut)))
    power = np.mean(cut[: end - begin] ** 2)
    noise = noises[int(rng.integers(len(noises)))]
    noise = np.resize(noise[int(rng.integers(max(len(noise) - len(cut), 1))) :], len(cut))
    gain = np.sqrt(power / (np.mean(noise**2) + 1e-12)) * 10 ** (-rng.uniform(6, 30) / 20)
    heard = (cut + gain * noise).astype(np.float32)
    ticks = ProsodyTracker().process(heard, talking)
    number = -(-(end - begin) // TICK)
    asked = [at for at in _pauses(talking) if at * _FRAME <= end - begin] + [(end - begin) // _FRAME]
    gap = round(PAUSE * SAMPLE_RATE)
    over = [(at * _FRAME / SAMPLE_RATE, classifier.probability(heard[: at * _FRAME + gap])) for at in asked]
    offset = begin / SAMPLE_RATE
    return Sound(
        kind, source, speaker,
        [[round(value, 3) for value in tick.values] for tick in ticks[:number]],
        [(word, round(max(stop - offset, 0.05), 2)) for word, _, stop in words],
        [(round(when, 2), round(value, 4)) for when, value in over],
    )  # fmt: skip


def voice_of(samples: Float32Array) -> NDArray[np.bool_]:
    """Tell for every 16 ms of clean speech whether there is voice, holes of less than 0.1 s filled."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    loud = 10 * np.log10((frames**2).mean(axis=1) + 1e-10)
    voice: NDArray[np.bool_] = loud > np.quantile(loud, 0.95) - 28
    edges = np.flatnonzero(voice)
    for before, after in itertools.pairwise(edges):
        voice[before:after] |= after - before <= _HOLE
    return voice


def _pauses(talking: Float32Array) -> list[int]:
    """List where silences of at least `PAUSE` begin, but for the last one."""
    need = round(PAUSE * SAMPLE_RATE / _FRAME)
    edges = np.flatnonzero(np.diff(talking) < 0) + 1
    return [int(at) for at in edges if not talking[at : at + need].any() and talking[at:].any()]
