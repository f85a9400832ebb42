"""The words that the packaged recognizer hears in takes, as far as it hears them right."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from hearing_models.lips.articulation import RATE
from hearing_models.lips.sounds import Surroundings
from hearing_models.lips.takes import Take
from numpy.typing import NDArray

from hearing.recognition.engine import StreamingEngine
from hearing.recognition.engines import DEFAULT_ENGINE, load_engine
from hearing.types import SAMPLE_RATE, Float32Array, Word

_PAUSE = 0.7
"""Seconds without speech after which an utterance ends."""
_LEAD, _TAIL = 0.3, 0.4
"""Seconds of sound around its speech that are recognized, too."""
_LEAST = 0.8
"""Seconds of sound below which nothing is recognized."""


def read_takes(paths: list[Path], surroundings: Callable[[], Surroundings], seed: int) -> list[tuple[Word, ...]]:
    """Recognize what is said in takes, in halls among machines, or read what was recognized before."""
    found, around, engine = [], None, None
    for number, path in enumerate(paths):
        kept = path.with_suffix(".words.json")
        if not kept.is_file():
            around, engine = around or surroundings(), engine or load_engine(DEFAULT_ENGINE, threads=1)
            take, rng = Take.load(path), np.random.default_rng((seed, number, 1))
            sound = take.sound.astype(np.float32) / np.float32(32767)
            heard = around.track(sound, np.zeros_like(sound), rng)
            kept.write_text(json.dumps(list(_read(engine, heard, take.speaking))), encoding="utf-8")
        words = json.loads(kept.read_text(encoding="utf-8"))
        found.append(tuple(Word(text, start, end, 1.0, end) for text, start, end in words))
    return found


def _read(
    engine: StreamingEngine, sound: Float32Array, speaking: NDArray[np.int8]
) -> Iterator[tuple[str, float, float]]:
    """Recognize stretches of speech; give words, and when they begin and end."""
    spoken = np.flatnonzero(speaking)
    for stretch in np.split(spoken, np.flatnonzero(np.diff(spoken) > _PAUSE * RATE) + 1):
        if not len(stretch):
            continue
        begin, end = max(0.0, stretch[0] / RATE - _LEAD), stretch[-1] / RATE + _TAIL
        part = sound[round(begin * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
        if len(part) >= _LEAST * SAMPLE_RATE:
            stream = engine.open()
            stream.accept(part)
            yield from ((word.text, begin + word.start, begin + word.end) for word in stream.finish().words)
