from __future__ import annotations

import numpy as np
import pytest

from hearing.voices.fbank import FilterBank

# Made once by kaldi-native-fbank 1.23.0 (80 bands, dither 0, the rest by default) of the samples below.
FRAMES, BANDS = [0, 5, 10], slice(None, None, 10)
EXPECTED = [
    [-7.1451, -4.47577, -2.0219, -0.70229, -1.17548, 1.44223, 3.33414, 2.7575],
    [-5.44447, -3.00495, -1.90447, -0.79042, 0.60517, 1.63645, 2.35402, 3.44215],
    [-6.59858, -4.61399, -3.26387, -2.05775, 0.54529, 1.07512, 2.95237, 3.90682],
]


@pytest.fixture
def samples() -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal(2000)).astype(np.float32)


def test_frames_are_kaldis(samples: np.ndarray) -> None:
    frames = FilterBank().process(samples)
    assert frames.shape == (11, 80)
    np.testing.assert_allclose(frames[FRAMES, BANDS], EXPECTED, atol=1e-4)


@pytest.mark.parametrize("size", [1, 37, 160, 400, 999])
def test_frames_are_the_same_however_samples_come(samples: np.ndarray, size: int) -> None:
    bank = FilterBank()
    frames = [bank.process(samples[start : start + size]) for start in range(0, len(samples), size)]
    assert np.array_equal(np.concatenate(frames), FilterBank().process(samples))


def test_a_gain_adds_the_same_everywhere(samples: np.ndarray) -> None:
    louder = FilterBank().process(10 * samples) - FilterBank().process(samples)
    np.testing.assert_allclose(louder, 2 * np.log(10), atol=1e-3)
