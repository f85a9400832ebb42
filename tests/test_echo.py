import numpy as np
import pytest
from plane_waves import speech_like
from scipy.signal import lfilter, oaconvolve, resample

from hearing.echo import EchoCanceller, EchoConfig
from hearing.errors import InputError
from hearing.stft import FRAME_RATE, HOP, N_BINS, Stft
from hearing.types import SAMPLE_RATE, Float32Array

N_MICS = 2


def speech(seconds: float, seed: int) -> Float32Array:
    """Give a buzz and breath in syllables, at -20 dB of full scale."""
    buzz = speech_like(seconds, seed)
    rng = np.random.default_rng(seed)
    breath = lfilter([1.0], [1.0, -0.8], rng.standard_normal(len(buzz)))
    syllables = np.sin(2 * np.pi * rng.uniform(1.6, 2.4) * np.arange(len(buzz)) / SAMPLE_RATE + seed).clip(0) ** 0.5
    sound = buzz / np.std(buzz) + 0.5 * syllables * breath / np.std(breath)
    return (0.1 * sound / np.std(sound)).astype(np.float32)


def room(seed: int, rt60: float = 0.5, delay: float = 0.01) -> Float32Array:
    """Give responses of a room with a loudspeaker close by: direct sound, then noise that dies away, 10 dB below."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(rt60 * SAMPLE_RATE)) / SAMPLE_RATE
    late = rng.standard_normal((len(time), N_MICS)) * 10 ** (-3 * time / rt60)[:, None]
    late *= np.sqrt(0.1 / np.sum(late**2, axis=0))
    late[0] += 1.0
    return np.concatenate([np.zeros((round(delay * SAMPLE_RATE), N_MICS)), late]).astype(np.float32)


def hear(playback: Float32Array, response: Float32Array) -> Float32Array:
    """Give what the microphones hear of the playback, and a little noise of their own."""
    echo = oaconvolve(playback[:, None], response, axes=0)[: len(playback)]
    return (echo + 1e-4 * np.random.default_rng(99).standard_normal(echo.shape)).astype(np.float32)


def cancel(
    canceller: EchoCanceller, samples: Float32Array, playback: Float32Array, hops: int = 4
) -> tuple[Float32Array, Float32Array]:
    """Run whole blocks of so many hops; gives samples and residual."""
    playback = playback.reshape(len(playback), -1)
    step = hops * HOP
    outputs = [
        canceller.process(samples[i : i + step], playback[i : i + step])
        for i in range(0, len(samples) - step + 1, step)
    ]
    return np.concatenate([o.samples for o in outputs]), np.concatenate([o.residual for o in outputs])


def level_db(samples: Float32Array, start: float, stop: float) -> float:
    stretch = samples[round(start * SAMPLE_RATE) : round(stop * SAMPLE_RATE)]
    return float(10 * np.log10(np.mean(stretch.astype(np.float64) ** 2) + 1e-20))


def echo_share(samples: Float32Array, residual: Float32Array, start: float, stop: float) -> float:
    """Give the share of power that is said to be echo."""
    power = np.mean(np.abs(Stft(N_MICS).process(samples)) ** 2, axis=-1)
    frames = slice(round(start * FRAME_RATE), round(stop * FRAME_RATE))
    return float(np.sum((power * residual)[frames]) / np.sum(power[frames]))


@pytest.fixture(scope="module")
def playback() -> Float32Array:
    return speech(6.0, seed=1)


def test_echo_is_gone_within_two_seconds(playback: Float32Array) -> None:
    playback = playback[: 3 * SAMPLE_RATE]
    echo = hear(playback, room(2))
    cleaned, _ = cancel(EchoCanceller(N_MICS), echo, playback)
    assert level_db(echo, 1.5, 2.9) - level_db(cleaned, 1.5, 2.9) > 25


def test_near_end_is_kept_and_the_filter_survives_double_talk(playback: Float32Array) -> None:
    echo = hear(playback, room(2))
    near = np.zeros_like(echo)
    near[2 * SAMPLE_RATE : 5 * SAMPLE_RATE] = speech(3.0, seed=3)[:, None]
    cleaned, _ = cancel(EchoCanceller(N_MICS), echo + near, playback)
    left = cleaned - near[: len(cleaned)]
    assert level_db(echo, 2.0, 5.0) - level_db(left, 2.0, 5.0) > 15
    assert level_db(echo, 5.0, 5.9) - level_db(left, 5.0, 5.9) > 22


def test_a_changed_path_is_learned_anew(playback: Float32Array) -> None:
    echo, moved = hear(playback, room(2)), hear(playback, room(4))
    echo[3 * SAMPLE_RATE :] = moved[3 * SAMPLE_RATE :]
    cleaned, _ = cancel(EchoCanceller(N_MICS), echo, playback)
    assert level_db(echo, 5.0, 5.9) - level_db(cleaned, 5.0, 5.9) > 20


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.2])
def test_delay_is_found(playback: Float32Array, delay: float) -> None:
    echo = hear(playback[: 3 * SAMPLE_RATE], room(2, delay=delay))
    canceller = EchoCanceller(N_MICS)
    cleaned, _ = cancel(canceller, echo, playback[: 3 * SAMPLE_RATE])
    assert delay - 1.4 * HOP / SAMPLE_RATE < canceller.delay <= delay
    assert level_db(echo, 2.0, 2.9) - level_db(cleaned, 2.0, 2.9) > 20


def test_delay_is_followed(playback: Float32Array) -> None:
    """The audio driver drops a buffer."""
    echo, later = hear(playback, room(2, delay=0.03)), hear(playback, room(2, delay=0.12))
    echo[2 * SAMPLE_RATE :] = later[2 * SAMPLE_RATE :]
    canceller = EchoCanceller(N_MICS)
    cleaned, _ = cancel(canceller, echo, playback)
    assert canceller.delay == pytest.approx(0.11, abs=0.012)
    assert level_db(echo, 5.0, 5.9) - level_db(cleaned, 5.0, 5.9) > 20


def test_clocks_may_differ(playback: Float32Array) -> None:
    echo = hear(playback, room(2))
    faster = resample(echo, len(echo) - 5).astype(np.float32)  # by 52 parts per million
    cleaned, _ = cancel(EchoCanceller(N_MICS), faster, playback[: len(faster)])
    assert level_db(faster, 4.0, 5.9) - level_db(cleaned, 4.0, 5.9) > 18


@pytest.mark.parametrize("gain_db", [-30, 20])
def test_level_of_the_echo_does_not_matter(playback: Float32Array, gain_db: float) -> None:
    gain = np.float32(10 ** (gain_db / 20))
    echo = gain * hear(playback[: 3 * SAMPLE_RATE], room(2))
    cleaned, _ = cancel(EchoCanceller(N_MICS), echo, playback[: 3 * SAMPLE_RATE])
    assert level_db(echo, 2.0, 2.9) - level_db(cleaned, 2.0, 2.9) > 22


def test_faint_noise_before_speech_teaches_nothing(playback: Float32Array) -> None:
    rng = np.random.default_rng(11)
    playback = np.concatenate([np.zeros(SAMPLE_RATE, np.float32), playback[: 3 * SAMPLE_RATE]])
    playback[HOP:] += 1e-5 * rng.standard_normal(len(playback) - HOP).astype(np.float32)
    near = 1e-2 * rng.standard_normal((len(playback), N_MICS)).astype(np.float32)
    echo = hear(playback, room(2))
    cleaned, _ = cancel(EchoCanceller(N_MICS), echo + near, playback)
    left = cleaned - near[: len(cleaned)]
    assert level_db(echo, 2.5, 3.9) - level_db(left, 2.5, 3.9) > 15


def test_two_playback_channels() -> None:
    left, right = speech(4.0, seed=1), speech(4.0, seed=5)
    echo = hear(left, room(2)) + hear(right, room(6))
    cleaned, _ = cancel(EchoCanceller(N_MICS, n_playback=2), echo, np.stack([left, right], axis=1))
    assert level_db(echo, 3.0, 3.9) - level_db(cleaned, 3.0, 3.9) > 15


def test_unrelated_playback_does_no_harm(playback: Float32Array) -> None:
    """The loudspeaker is switched off: what is played is not heard."""
    near = np.repeat(speech(4.0, seed=3)[:, None], N_MICS, axis=1)
    cleaned, residual = cancel(EchoCanceller(N_MICS), near, playback[: 4 * SAMPLE_RATE])
    assert level_db(cleaned - near[: len(cleaned)], 0.0, 4.0) < level_db(near, 0.0, 4.0) - 10
    assert echo_share(cleaned, residual, 2.0, 4.0) < 0.3


def test_silent_playback_passes_bit_by_bit(playback: Float32Array) -> None:
    echo = hear(playback[:SAMPLE_RATE], room(2))
    late = np.zeros((2 * SAMPLE_RATE, N_MICS), np.float32)
    late[:] = 0.1 * np.random.default_rng(7).standard_normal(late.shape)
    canceller = EchoCanceller(N_MICS)
    before, residual = cancel(canceller, late, np.zeros(len(late), np.float32))
    np.testing.assert_array_equal(before, late[: len(before)])
    assert not residual.any()
    cancel(canceller, echo, playback[:SAMPLE_RATE])
    after, residual = cancel(canceller, late, np.zeros(len(late), np.float32))
    np.testing.assert_array_equal(after[-SAMPLE_RATE:], late[: len(after)][-SAMPLE_RATE:])
    assert not residual[-60:].any()


def test_blocks_and_reset_change_nothing(playback: Float32Array) -> None:
    playback = playback[: SAMPLE_RATE // HOP // 8 * 8 * HOP]
    echo = hear(playback, room(2))
    canceller = EchoCanceller(N_MICS)
    whole = cancel(canceller, echo, playback, hops=8)
    canceller.reset()
    for again in (cancel(canceller, echo, playback, hops=1), cancel(EchoCanceller(N_MICS), echo, playback, hops=8)):
        np.testing.assert_array_equal(whole[0], again[0])
        np.testing.assert_array_equal(whole[1], again[1])


def test_causal(playback: Float32Array) -> None:
    playback = playback[: 2 * SAMPLE_RATE].copy()
    echo = hear(playback, room(2))
    cleaned, residual = cancel(EchoCanceller(N_MICS), echo, playback)
    half = 64 * HOP
    playback[half:] = 0.3
    echo[half:] = -0.7
    other, other_residual = cancel(EchoCanceller(N_MICS), echo, playback)
    np.testing.assert_array_equal(cleaned[:half], other[:half])
    np.testing.assert_array_equal(residual[: half // HOP], other_residual[: half // HOP])


def test_inputs_are_left_alone(playback: Float32Array) -> None:
    echo = hear(playback[:SAMPLE_RATE], room(2))
    copy, played = echo.copy(), playback[:SAMPLE_RATE].copy()
    cancel(EchoCanceller(N_MICS), echo, played)
    np.testing.assert_array_equal(echo, copy)
    np.testing.assert_array_equal(played, playback[:SAMPLE_RATE])


@pytest.mark.filterwarnings("error")
def test_extreme_signals_stay_finite() -> None:
    """Silence, full-scale square waves, clipping, faint noise, and playback without an echo, one after the other."""
    rng = np.random.default_rng(8)
    n = 24 * HOP
    square = np.sign(np.sin(2 * np.pi * 100 * (np.arange(n) + 0.5) / SAMPLE_RATE))
    faint = 1e-7 * rng.standard_normal(n)
    heard = [np.zeros(n), square, -square, square, np.zeros(n), rng.choice([-1.0, 1.0], n), faint, square, faint]
    played = [square, square, np.zeros(n), faint, square, square, faint, 1e-38 * square, np.zeros(n)]
    samples = np.repeat(np.concatenate(heard).astype(np.float32)[:, None], N_MICS, axis=1)
    cleaned, residual = cancel(EchoCanceller(N_MICS), samples, np.concatenate(played).astype(np.float32))
    assert np.isfinite(cleaned).all()
    assert np.abs(cleaned).max() < 10
    assert residual.min() >= 0
    assert residual.max() <= 1
    assert residual.shape == (len(samples) // HOP, N_BINS)
    assert cleaned.dtype == residual.dtype == np.float32


def test_residual_tells_distortion_from_near_end(playback: Float32Array) -> None:
    driven = playback + (np.tanh(3 * playback) / 3 - playback)
    echo = hear(driven, room(2))
    near = np.zeros_like(echo)
    near[4 * SAMPLE_RATE :] = speech(2.0, seed=3)[:, None]
    cleaned, residual = cancel(EchoCanceller(N_MICS), echo + near, playback)
    alone, with_talker = echo_share(cleaned, residual, 2.0, 3.9), echo_share(cleaned, residual, 4.1, 5.9)
    assert alone > 0.4
    assert with_talker < 0.5 * alone


def test_wrong_shapes_are_refused() -> None:
    canceller = EchoCanceller(N_MICS, config=EchoConfig(length=0.1))
    with pytest.raises(InputError, match="samples"):
        canceller.process(np.zeros((HOP + 1, N_MICS), np.float32), np.zeros((HOP + 1, 1), np.float32))
    with pytest.raises(InputError, match="playback"):
        canceller.process(np.zeros((HOP, N_MICS), np.float32), np.zeros((HOP, 2), np.float32))
