"""How an engine hears one utterance: its words, when each was first shown, and what that cost."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hearing.errors import InputError
from hearing.recognition.engine import Hypothesis, StreamingEngine
from hearing.recognition.engines import load_engine
from hearing.recognition.text import matches, normalize, normalized
from hearing.types import SAMPLE_RATE, Float32Array

if TYPE_CHECKING:
    from hearing_datasets import Word

BLOCK = 1024
"""Samples of a step of the pipeline, in which audio arrives: 64 ms."""
_LONG = 20.0
"""Seconds of the utterance whose memory is measured."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What an engine makes of an utterance.

    Attributes
    ----------
    text
        The final words.
    confidences
        How likely each of them is right according to the engine.
    latencies
        For every true word that was shown while the utterance went on: seconds from its end until it was shown first,
        computing included; less than nothing if it was guessed before it was over.
    partial_seconds, final_seconds
        Computing time of one core before and after the end of the utterance.
    """

    text: str
    confidences: tuple[float, ...]
    latencies: tuple[float, ...]
    partial_seconds: float
    final_seconds: float


def hear(
    engine: StreamingEngine, samples: Float32Array, words: Sequence[Word] = (), *, partial: bool, whole: bool
) -> Heard:
    """Let an engine hear an utterance that arrives in blocks.

    Parameters
    ----------
    engine
        Hears it.
    samples
        Array of shape (n_samples,) at 16 kHz.
    words
        When each word is said, in seconds from the first sample, as far as that is known.
    partial
        Ask for partial words whenever there are new ones.
    whole
        Hear all of it once more when it ends.
    """
    stream = engine.open()
    shown = _Shown(words)
    spent = 0.0
    for begin in range(0, len(samples), BLOCK):
        stream.accept(samples[begin : begin + BLOCK])
        if not partial or not stream.pending:
            continue
        started = time.process_time()  # of all threads, but not of other programs
        hypothesis = stream.advance()
        cost = time.process_time() - started
        shown.note(hypothesis, min(begin + BLOCK, len(samples)) / SAMPLE_RATE, cost)
        spent += cost
    started = time.process_time()
    final = stream.finish(samples if whole else None)
    final_seconds = time.process_time() - started
    confidences = tuple(round(word.probability, 4) for word in final.words for _ in word.text.split())
    return Heard(final.text, confidences, shown.latencies, spent, final_seconds)


class _Shown:
    """Which words have been shown, and how late."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._words = words
        self._latencies: dict[int, float] = {}

    def note(self, hypothesis: Hypothesis, now: float, cost: float) -> None:
        # Only what has begun can be shown: the same word may be said again later.
        begun = [normalize(word.word) for word in self._words if word.start < now]
        for true, _ in matches(begun, normalized([*hypothesis.committed, *hypothesis.tentative])):
            self._latencies.setdefault(true, round(now + cost - self._words[true].end, 3))

    @property
    def latencies(self) -> tuple[float, ...]:
        return tuple(self._latencies[number] for number in sorted(self._latencies))


def peak_memory(name: str, folder: Path | None, samples: Float32Array) -> int:
    """Measure by how many bytes a process grows that loads an engine and hears 20 s with it, and then once more whole.

    Parameters
    ----------
    name, folder
        As for `load_engine`.
    samples
        Speech of shape (n_samples,) at 16 kHz, which is repeated.

    Raises
    ------
    InputError
        If the process fails.
    """
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, np.resize(samples, round(_LONG * SAMPLE_RATE)))
        file.flush()
        command = [sys.executable, "-m", __name__, name, str(folder or ""), file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(f"engine {name}: its memory cannot be measured ({reason}); leave it out of --engines")
    return int(done.stdout)


def _grown(name: str, folder: str, file: str) -> int:
    samples = np.load(file)
    before = _status("VmRSS")
    hear(load_engine(name, Path(folder) if folder else None, threads=1), samples, partial=True, whole=True)
    return _status("VmHWM") - before


def _status(field: str) -> int:
    """Read bytes of this process. `getrusage` would also count the process that started it."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


if __name__ == "__main__":
    print(_grown(*sys.argv[1:]))
