import numpy as np

from hearing.dialogue.turn_classifier import LENGTH, log_mel


def noise(seconds, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * 16_000)).astype(np.float32)


def test_it_hears_eight_seconds_that_end_now():
    speech = noise(2.0)
    features = log_mel(speech)
    assert features.shape == (80, 800)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features, log_mel(np.pad(speech, (LENGTH - len(speech), 0))))
    assert features[:, 620:].mean() > features[:, :580].mean() + 0.5


def test_the_level_does_not_matter():
    np.testing.assert_allclose(log_mel(noise(3.0)), log_mel(0.2 * noise(3.0)), atol=1e-3)


def test_frames_are_spread_over_two_units():
    features = log_mel(noise(8.0))
    assert features.max() - features.min() <= 2.0 + 1e-6
