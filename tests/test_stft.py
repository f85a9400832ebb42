import numpy as np
import pytest

from hearing.stft import HOP, N_BINS, InverseStft, Stft


def test_synthesis_gives_the_signal_back_one_hop_later():
    signal = np.random.default_rng(0).standard_normal((40 * HOP, 3)).astype(np.float32)
    frames = Stft(3).process(signal)
    assert frames.shape == (40, N_BINS, 3)
    for channel in range(3):
        restored = InverseStft().process(frames[:, :, channel])
        np.testing.assert_allclose(restored[HOP:], signal[:-HOP, channel], atol=1e-5)


@pytest.mark.parametrize("hops", [1, 2, 5])
def test_the_block_size_does_not_matter(hops: int):
    signal = np.random.default_rng(1).standard_normal((20 * HOP, 2)).astype(np.float32)
    whole = Stft(2).process(signal)
    streaming, synthesis = Stft(2), InverseStft()
    pieces = [streaming.process(signal[i : i + hops * HOP]) for i in range(0, len(signal), hops * HOP)]
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-5)
    restored = np.concatenate([synthesis.process(piece[:, :, 0]) for piece in pieces])
    np.testing.assert_allclose(restored[HOP:], signal[:-HOP, 0], atol=1e-5)


def test_reset_forgets_the_past():
    stft = Stft(1)
    signal = np.random.default_rng(2).standard_normal((4 * HOP, 1)).astype(np.float32)
    first = stft.process(signal)
    stft.reset()
    np.testing.assert_array_equal(stft.process(signal), first)
