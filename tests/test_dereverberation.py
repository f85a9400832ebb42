from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from plane_waves import microphone_noise, plane_wave, speech_like
from scipy.signal import fftconvolve

from hearing.arrays import load_array
from hearing.dereverberation import (
    DereverberationConfig,
    Dereverberator,
    WpeStatistics,
    solve_filters,
    update_statistics,
)
from hearing.reverberation_time import ReverberationTime
from hearing.stft import FREQUENCIES, N_BINS, ComplexArray, Stft
from hearing.types import SAMPLE_RATE, Direction, Float32Array

ARRAY = load_array("respeaker_6mic")
AHEAD = Direction(0.5)
CUT = 129
"""Bins up to the default's highest frequency."""


def room(rt60: float, n_microphones: int, seed: int, level: float = 0.04) -> NDArray[np.float64]:
    """Draw the late part of impulse responses, of shape (n_taps, n_microphones): exponentially decaying noise."""
    time = np.arange(round(rt60 * SAMPLE_RATE)) / SAMPLE_RATE
    tail = level * np.random.default_rng(seed).standard_normal((len(time), n_microphones))
    return tail * (10 ** (-3 * time / rt60) * (time > 0.01))[:, None]


def syllables(seconds: float, seed: int) -> NDArray[np.float64]:
    """Noise in bursts with pauses: sounds that stop, with all bands at work."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return 0.03 * rng.standard_normal(len(time)) * (np.sin(2 * np.pi * 1.3 * time) > 0.2)


def heard(direct: Float32Array, rt60: float, source: NDArray[np.float64], seed: int = 0) -> Float32Array:
    """Add a room's late reverberation of a source to its direct sound of shape (n_samples, n_microphones)."""
    late = fftconvolve(source[:, None], room(rt60, direct.shape[1], seed), axes=0)[: len(source)]
    return (direct + late).astype(np.float32)


def spectra(samples: Float32Array) -> ComplexArray:
    return Stft(samples.shape[1]).process(samples[: len(samples) // 1024 * 1024])


def noise_frames(n_frames: int, n_microphones: int, seed: int, level: float = 1.0) -> ComplexArray:
    rng = np.random.default_rng(seed)
    shape = (2, n_frames, N_BINS, n_microphones)
    real, imaginary = level * rng.standard_normal(shape).astype(np.float32)
    return (real + 1j * imaginary).astype(np.complex64)


@pytest.fixture(scope="module")
def reverberant() -> tuple[ComplexArray, ComplexArray]:
    """Frames of speech ahead of the array, without and with a room of 0.8 s around it."""
    source = speech_like(6.0, 1)
    direct = plane_wave(ARRAY, AHEAD, source)
    noise = microphone_noise(direct.shape, 1e-4, 2)
    return spectra(direct + noise), spectra(heard(direct + noise, 0.8, source))


@pytest.fixture(scope="module")
def dereverberated(reverberant: tuple[ComplexArray, ComplexArray]) -> ComplexArray:
    return Dereverberator(6).process(reverberant[1])


def late_db(frames: ComplexArray, direct: ComplexArray) -> float:
    """Power of what differs from the direct sound, relative to it, over the second half of the stream."""
    half = slice(len(direct) // 2, None), slice(CUT)
    return float(10 * np.log10(np.sum(np.abs(frames - direct)[half] ** 2) / np.sum(np.abs(direct[half]) ** 2)))


def test_reverberation_goes_down_at_all_microphones(
    reverberant: tuple[ComplexArray, ComplexArray], dereverberated: ComplexArray
):
    direct, frames = reverberant
    for i in range(6):
        before, after = (late_db(stream[:, :, [i]], direct[:, :, [i]]) for stream in (frames, dereverberated))
        assert after < before - 2.5


def test_speech_without_a_room_is_left_alone(reverberant: tuple[ComplexArray, ComplexArray]):
    direct, _ = reverberant
    assert late_db(Dereverberator(6).process(direct), direct) < -10


def test_what_lies_above_the_band_is_left_alone(
    reverberant: tuple[ComplexArray, ComplexArray], dereverberated: ComplexArray
):
    _, frames = reverberant
    np.testing.assert_array_equal(dereverberated[:, CUT:], frames[:, CUT:])
    assert not np.array_equal(dereverberated[-1, :CUT], frames[-1, :CUT])


def steered_power(frames: ComplexArray, azimuths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Steered response power with phase transform over the dereverberated band, from 0 to 1."""
    chosen = slice(10, CUT)
    phases = frames[60:, chosen] / (np.abs(frames[60:, chosen]) + 1e-9)
    delays = ARRAY.delays(np.array([Direction(azimuth).vector for azimuth in azimuths]))
    steering = np.exp(2j * np.pi * FREQUENCIES[chosen, None] * delays[:, None]) / ARRAY.n_microphones
    return np.array([np.mean(np.abs(np.einsum("tfm,fm->tf", phases, aligning)) ** 2) for aligning in steering])


def test_directions_survive_and_get_clearer(
    reverberant: tuple[ComplexArray, ComplexArray], dereverberated: ComplexArray
):
    azimuths = AHEAD.azimuth + np.deg2rad(np.arange(-10, 11, 2))
    before, after = (steered_power(frames, azimuths) for frames in (reverberant[1], dereverberated))
    assert np.argmax(after) == len(azimuths) // 2
    assert after.max() > before.max() + 0.02


@pytest.mark.parametrize("block", [1, 3, 64])
def test_the_size_of_the_blocks_changes_nothing(block: int, reverberant: tuple[ComplexArray, ComplexArray]):
    frames = reverberant[1][:120]
    whole = Dereverberator(6).process(frames)
    stage = Dereverberator(6)
    parts = [stage.process(frames[i : i + block]) for i in range(0, len(frames), block)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_output_depends_on_nothing_later_and_reset_starts_anew(reverberant: tuple[ComplexArray, ComplexArray]):
    frames = reverberant[1][:120]
    changed = frames.copy()
    changed[70:] = noise_frames(50, 6, 0)
    stage = Dereverberator(6)
    first = stage.process(frames)
    stage.reset()
    np.testing.assert_array_equal(stage.process(changed)[:70], first[:70])
    stage.reset()
    np.testing.assert_array_equal(stage.process(frames), first)
    np.testing.assert_array_equal(frames, reverberant[1][:120])


def test_silence_stays_silence():
    silence = np.zeros((200, N_BINS, 4), np.complex64)
    np.testing.assert_array_equal(Dereverberator(4).process(silence), silence)


@pytest.mark.parametrize(("n_microphones", "improvement"), [(1, 0.1), (2, 0.5), (4, 2.0)])
def test_fewer_microphones_help_less(
    n_microphones: int, improvement: float, reverberant: tuple[ComplexArray, ComplexArray]
):
    direct, frames = (stream[:, :, :n_microphones] for stream in reverberant)
    assert late_db(Dereverberator(n_microphones).process(frames), direct) < late_db(frames, direct) - improvement


def test_a_dead_microphone_stays_silent_and_does_not_hurt(reverberant: tuple[ComplexArray, ComplexArray]):
    direct, frames = (stream.copy() for stream in reverberant)
    direct[:, :, 0] = frames[:, :, 0] = 0
    clean = Dereverberator(6).process(frames)
    assert late_db(clean, direct) < late_db(frames, direct) - 1.5
    assert not clean[:, :, 0].any()


def test_many_lifetimes_of_silence_clipping_and_leaps_of_60_db_stay_bounded():
    # What forgets within 0.1 s lives through many lifetimes of its statistics in a short stream.
    stage = Dereverberator(2, DereverberationConfig(forgetting=0.1))
    before = 0.0
    for episode in range(20):
        frames = noise_frames(60, 2, episode, level=10.0 ** (episode % 4 * 1.5 - 3))
        if episode % 5 == 1:
            frames[:] = 0
        if episode % 5 == 2:
            frames.real, frames.imag = np.clip(frames.real, -0.01, 0.01), 0
        if episode % 5 == 3:
            frames[:] = frames[:1]
        clean = stage.process(frames)
        loudest = float(np.abs(frames).max())
        assert np.isfinite(clean).all()
        assert np.abs(clean).max() <= 4 * max(loudest, before)
        before = loudest


def test_what_a_broken_converter_delivers_does_not_last(reverberant: tuple[ComplexArray, ComplexArray]):
    direct, frames = reverberant
    broken = frames.copy()
    broken[20, 40] = np.nan
    broken[30, 50] = np.inf
    broken[40, 60] = 1e30
    clean = Dereverberator(6).process(broken)
    others = np.isfinite(broken).all(axis=(1, 2))
    assert np.isfinite(clean[others]).all()
    assert late_db(clean, direct) < late_db(frames, direct) - 2


def test_filters_are_those_of_weighted_least_squares():
    past, weights = noise_frames(50, 3, 0)[:, :2], np.random.default_rng(1).uniform(0.5, 2, (50, 2)).astype(np.float32)
    truth = noise_frames(3, 2, 2)[:, :2].transpose(1, 0, 2)
    heard_now = np.einsum("tfk,fkm->tfm", past, truth)
    statistics = update_statistics(WpeStatistics.zero(2, 3, 2), past, heard_now, weights, 0.9)
    np.testing.assert_allclose(solve_filters(statistics, 1e-6, 0.0), truth, atol=1e-4)
    assert np.abs(solve_filters(statistics, 1e4, 0.0)).max() < 0.1


@pytest.mark.parametrize("rt60", [0.3, 0.55, 0.8, 1.2])
@pytest.mark.parametrize("noise", [1e-5, 1e-3])
def test_the_reverberation_time_is_known_within_30_percent(rt60: float, noise: float):
    source = syllables(12.0, 3)
    samples = heard(np.repeat(source[:, None], 2, axis=1).astype(np.float32), rt60, source)
    samples += microphone_noise(samples.shape, noise, 4)
    estimate = ReverberationTime().process(spectra(samples))
    assert estimate == pytest.approx(rt60, rel=0.3)


def test_nobody_knows_the_room_from_silence_or_steady_noise():
    estimator = ReverberationTime()
    assert estimator.process(np.zeros((300, N_BINS, 2), np.complex64)) is None
    assert estimator.process(noise_frames(600, 2, 0)) is None


def test_a_dry_room_fades_dereverberation_out_and_a_live_one_in():
    source = syllables(8.0, 5)
    copies = np.repeat(source[:, None], 2, axis=1).astype(np.float32)
    dry, live = (spectra(heard(copies, rt60, source)) for rt60 in (0.15, 0.8))
    stage = Dereverberator(2)
    assert stage.reverberation_time is None
    before = stage.process(dry)
    assert stage.reverberation_time == pytest.approx(0.15, rel=0.4)
    np.testing.assert_array_equal(before[-60:], dry[-60:])
    after = np.concatenate([stage.process(live) for _ in range(2)])
    assert stage.reverberation_time > 0.35
    share = np.linalg.norm((after[-60:] - live[-60:])[:, :CUT]) / np.linalg.norm(live[-60:, :CUT])
    assert share > 0.05


def test_fading_takes_half_a_second():
    stage = Dereverberator(2)
    gains = []
    for frame in spectra(heard(np.zeros((8 * SAMPLE_RATE, 2), np.float32), 0.15, syllables(8.0, 5))):
        stage.process(frame[None])
        gains.append(stage._gain)
    assert gains[0] == 1.0
    assert gains[-1] == 0.0
    assert max(before - after for before, after in pairwise(gains)) == pytest.approx(0.032, abs=1e-3)


def test_bands_beyond_the_spectrum_are_refused():
    with pytest.raises(ValueError, match="max_frequency"):
        Dereverberator(2, DereverberationConfig(max_frequency=3000.0))
