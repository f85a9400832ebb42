import numpy as np

from hearing.contention import Contention
from hearing.features import N_BANDS, Spectra
from hearing.mask_network import Masks
from hearing.stft import N_BINS
from hearing.types import Direction, Float32Array, Track

NOISE = np.random.default_rng(0)


def decide(
    first: Float32Array, second: Float32Array, fits: tuple[float, float], tentative: tuple[bool, bool] = (False, False)
) -> Float32Array:
    """Let two tracks claim bins (N_BINS,) for a second; returns who talks in the end."""
    contention = Contention()
    for _ in range(16):
        frames = NOISE.standard_normal((4, N_BINS, 2)) + 1j * NOISE.standard_normal((4, N_BINS, 2))
        spectra = Spectra.of(frames.astype(np.complex64))
        claims = np.repeat(np.stack([first, second])[:, None], 4, axis=1).astype(np.float32)
        tracks = tuple(Track(k + 1, 0.0, Direction(float(k)), 1.0, tentative=tentative[k]) for k in range(2))
        angle = np.ones((2, 4, N_BANDS), np.float32) * np.array(fits, np.float32)[:, None, None]
        masks = contention.process(spectra, tracks, Masks(claims, claims, np.ones((2, 4), np.float32)), angle)
    return masks.active[:, -1]


def test_two_talkers_share_few_bins_and_both_talk():
    mine = (np.arange(N_BINS) % 2).astype(np.float32)
    np.testing.assert_array_equal(decide(mine, 1 - mine, (0.5, 0.6)), [1, 1])


def test_of_a_voice_and_its_echo_the_one_that_fits_better_talks():
    claims = NOISE.random(N_BINS).astype(np.float32)
    np.testing.assert_allclose(decide(claims, 0.9 * claims, (0.4, 0.6)), [0, 1], atol=1e-6)
    np.testing.assert_allclose(decide(claims, 0.9 * claims, (0.6, 0.4)), [1, 0], atol=1e-6)


def test_a_tentative_track_must_fit_much_better():
    claims = NOISE.random(N_BINS).astype(np.float32)
    np.testing.assert_allclose(decide(claims, claims, (0.5, 0.51), (False, True)), [1, 0], atol=1e-6)
    np.testing.assert_allclose(decide(claims, claims, (0.5, 0.6), (False, True)), [0, 1], atol=1e-6)


def test_a_track_that_claims_next_to_nothing_silences_nobody():
    claims = NOISE.random(N_BINS).astype(np.float32)
    np.testing.assert_array_equal(decide(claims, 0.01 * claims, (0.4, 0.6))[0], 1)


def test_tracks_may_come_and_go():
    contention = Contention()
    for ids in ((1,), (1, 2), (2, 3), (), (3,), (3, 4, 5)):
        spectra = Spectra.of(np.ones((4, N_BINS, 2), np.complex64))
        shape = (len(ids), 4, N_BINS)
        masks = Masks(np.full(shape, 0.3, np.float32), np.full(shape, 0.3, np.float32), np.ones(shape[:2], np.float32))
        tracks = tuple(Track(k, 0.0, Direction(0.0), 1.0) for k in ids)
        decided = contention.process(spectra, tracks, masks, np.ones((len(ids), 4, N_BANDS), np.float32))
        assert decided.speech.shape == shape
