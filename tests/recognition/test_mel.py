"""Log-mel features: the same however the sound is cut up, and whatever its level."""

from __future__ import annotations

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor
from hypothesis import given
from hypothesis import strategies as st

from hearing.recognition.mel import HOP, N_MELS, WARM_UP, LogMel, log_mel
from hearing.types import SAMPLE_RATE, Float32Array


def sound(seconds: float, seed: int = 0) -> Float32Array:
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 300 * time) * (1 + np.sin(2 * np.pi * 3 * time))
    return (0.1 * tone + 0.01 * rng.standard_normal(len(time))).astype(np.float32)


@given(st.lists(st.integers(0, 9000), max_size=8), st.integers(0, 20_000))
def test_cuts_make_no_difference(cuts: list[int], length: int) -> None:
    samples = sound(1.25)[:length]
    stream = LogMel()
    parts = [stream.process(part) for part in np.split(samples, sorted(cuts))]
    np.testing.assert_allclose(np.concatenate([*parts, stream.flush()]), log_mel(samples), atol=1e-5)


@pytest.mark.parametrize("seconds", [0.0, 0.004, 0.2, 0.5, 2.0])
def test_a_frame_for_every_hop(seconds: float) -> None:
    mel = log_mel(sound(seconds))
    assert mel.shape == (-(-round(seconds * SAMPLE_RATE) // HOP), N_MELS)
    assert np.isfinite(mel).all()


def test_level_makes_no_difference() -> None:
    np.testing.assert_allclose(log_mel(sound(1.0)), log_mel(8 * sound(1.0)), atol=1e-3)


def test_what_comes_later_changes_nothing_after_the_first_half_second() -> None:
    first = sound(1.0)
    louder = np.concatenate([first, 10 * sound(0.5, seed=1)])
    until = len(first) // HOP - 2
    assert until > WARM_UP
    np.testing.assert_array_equal(log_mel(first)[:until], log_mel(louder)[:until])


def test_frames_are_whispers_but_for_the_reference() -> None:
    samples = sound(1.0)
    theirs = FeatureExtractor(feature_size=N_MELS)(samples, padding=0).T[5:-5]
    ours = log_mel(samples)[5 : len(theirs) + 5]
    difference = theirs - ours
    # The running reference only rises, so the difference is one number per frame where nothing is at the bottom.
    audible = (ours > ours.min() + 0.1) & (theirs > theirs.min() + 0.1)
    spread = [np.ptp(row[heard]) for row, heard in zip(difference, audible, strict=True) if heard.any()]
    assert max(spread) < 1e-3
