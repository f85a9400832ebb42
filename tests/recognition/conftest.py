from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import soundfile

from hearing.recognition.catalogue import MODELS
from hearing.recognition.moonshine import Moonshine
from hearing.recognition.store import locate
from hearing.recognition.whisper import Whisper
from hearing.types import SAMPLE_RATE, Float32Array

SPOKEN = "ever tried ever failed no matter try again fail again fail better"


@pytest.fixture(scope="session")
def moonshine() -> Moonshine:
    return Moonshine(locate(MODELS["moonshine-tiny-en"]), threads=1)


@pytest.fixture(scope="session")
def whisper() -> Whisper:
    return Whisper(locate(MODELS["whisper-base"]), threads=1)


@pytest.fixture(scope="session")
def beckett() -> Float32Array:
    """Ten seconds of real speech, `SPOKEN`, that an installed package carries."""
    spec = importlib.util.find_spec("moonshine_voice")
    assert spec
    assert spec.submodule_search_locations
    path = Path(spec.submodule_search_locations[0]) / "assets" / "beckett.wav"
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == SAMPLE_RATE
    return samples
