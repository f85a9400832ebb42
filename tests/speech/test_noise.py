"""How loud it is around the robot, whoever speaks."""

from __future__ import annotations

import numpy as np
import pytest

from hearing.errors import InputError
from hearing.speech.noise import NoiseLevel
from hearing.types import SAMPLE_RATE


def tone(seconds: float, hertz: float = 1000.0, amplitude: float = 0.1, microphones: int = 3) -> np.ndarray:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.repeat(amplitude * np.sin(2 * np.pi * hertz * time)[:, None], microphones, axis=1).astype(np.float32)


@pytest.mark.parametrize(("hertz", "weight"), [(100.0, -19.1), (250.0, -8.6), (1000.0, 0.0), (4000.0, 1.0)])
def test_levels_are_weighted_as_the_ear_does(hertz: float, weight: float) -> None:
    assert NoiseLevel().process(tone(2.0, hertz)) == pytest.approx(-20.0 + weight, abs=0.6)


def test_speech_does_not_count_and_louder_machines_do() -> None:
    level = NoiseLevel()
    quiet = level.process(tone(4.0, amplitude=0.01))
    talking = tone(1.0, amplitude=0.3)
    assert level.process(talking) == pytest.approx(quiet, abs=0.5)
    assert level.process(tone(6.0, amplitude=0.1)) == pytest.approx(quiet + 20.0, abs=0.5)


def test_one_broken_microphone_changes_nothing() -> None:
    samples = tone(2.0)
    samples[:, 0] = 0.0
    assert NoiseLevel().process(samples) == pytest.approx(-20.0, abs=0.5)


def test_the_size_of_blocks_changes_nothing_and_a_new_stream_begins_anew() -> None:
    samples, level = tone(1.5), NoiseLevel()
    whole = level.process(samples)
    level.reset()
    parts = [level.process(part) for part in np.array_split(samples, 37)]
    assert parts[0] is None
    assert parts[-1] == pytest.approx(whole, abs=1e-9)


def test_nonsense_is_refused() -> None:
    with pytest.raises(InputError, match="quantile 2"):
        NoiseLevel(quantile=2.0)
