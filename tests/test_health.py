from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from plane_waves import microphone_noise, plane_wave, speech_like, spherical_wave

from hearing.arrays import MicrophoneArray, array_names
from hearing.arrays import load_array as load
from hearing.health import ChannelHealth, HealthReport
from hearing.stft import HOP, Stft
from hearing.types import SAMPLE_RATE, Direction, Float32Array

SELF_NOISE = 2e-4

load_array = cache(load)


def talkers(array: MicrophoneArray, turns: int = 4, seed: int = 0, echoes: int = 0) -> Float32Array:
    """People who talk in turn for 1.2 s each, a third of the way around the array from each other."""
    return heard(array, turns, seed, echoes).copy()


@cache
def heard(array: MicrophoneArray, turns: int, seed: int, echoes: int) -> Float32Array:
    rng = np.random.default_rng(seed)
    parts = []
    for turn in range(turns):
        voice = speech_like(1.2, 10 * seed + turn)
        parts.append(plane_wave(array, Direction(0.3 + 2.2 * turn, 0.2), voice))
        if echoes:
            parts[-1] += late_sound(array, voice, echoes, rng)
    samples = np.concatenate(parts)
    gains = 10 ** (rng.standard_normal(array.n_microphones) / 20)
    return (gains * samples + microphone_noise(samples.shape, SELF_NOISE, seed)).astype(np.float32)


def late_sound(
    array: MicrophoneArray, signal: NDArray[np.float64], echoes: int, rng: np.random.Generator
) -> Float32Array:
    """Hear a signal again from many directions within half a second, in which it falls by 30 dB."""
    delays = rng.uniform(0.003, 0.5, echoes)
    ways = rng.standard_normal((echoes, 3))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    arrivals = np.round((delays[:, None] + array.delays(ways)) * 16 * SAMPLE_RATE).astype(int)
    response = np.zeros((16 * SAMPLE_RATE, array.n_microphones))
    np.add.at(response, (arrivals, np.arange(array.n_microphones)), 0.6 * 10 ** (-3 * delays)[:, None])
    # The response is sampled 16 times as densely; its lower frequencies are those of the signal.
    n_bins = len(signal) // 2 + 1
    spectrum = np.fft.rfft(response, 16 * len(signal), axis=0)[:n_bins] * np.fft.rfft(signal)[:, None]
    return np.fft.irfft(spectrum, len(signal), axis=0).astype(np.float32)


@cache
def checker(array: MicrophoneArray) -> ChannelHealth:
    return ChannelHealth(array)


def reports(array: MicrophoneArray, samples: Float32Array, step: int = 4) -> list[HealthReport]:
    stft, health = Stft(array.n_microphones), checker(array)
    health.reset()
    blocks = [samples[i : i + step * HOP] for i in range(0, len(samples) - step * HOP + 1, step * HOP)]
    return [health.process(block, stft.process(block)) for block in blocks]


def found(report: HealthReport) -> set[tuple[int | None, str]]:
    return {(fault.channel, fault.kind) for fault in report.faults}


def ever_found(array: MicrophoneArray, samples: Float32Array) -> set[tuple[int | None, str]]:
    return set().union(*map(found, reports(array, samples)))


def dead(x: Float32Array) -> None:
    x[:, 1] = 0


def stuck(x: Float32Array) -> None:
    x[:, 1] = 0.25


def silent(x: Float32Array) -> None:
    x[:, 1] = 0.03 * x[:, 1] + microphone_noise((len(x),), SELF_NOISE, 9)


def clipped(x: Float32Array) -> None:
    x[:, 1] = np.clip(20 * x[:, 1], -1, 1)


def noisy(x: Float32Array) -> None:
    x[:, 1] += microphone_noise((len(x),), 0.3, 9)


def inverted(x: Float32Array) -> None:
    x[:, 1] *= -1


FAULTS: dict[str, Callable[[Float32Array], None]] = {
    "dead": dead,
    "silent": silent,
    "clipped": clipped,
    "noisy": noisy,
    "inverted": inverted,
}


@pytest.mark.parametrize("name", array_names())
@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_found_within_5_seconds_and_the_channel_left_out(name: str, kind: str):
    array = load_array(name)
    samples = talkers(array)
    FAULTS[kind](samples)
    final = reports(array, samples)[-1]
    assert found(final) == {(1, kind)}
    assert np.flatnonzero(~final.usable).tolist() == [1]
    assert final.faults[0].message.startswith("channel 2 ")
    assert final.faults[0].since < 1.0


def test_a_constant_is_as_dead_as_zero():
    array = load_array("uma8")
    samples = talkers(array)
    stuck(samples)
    assert found(reports(array, samples)[-1]) == {(1, "dead")}


@pytest.mark.parametrize("name", ["head_8mic", "azure_kinect", "uma8", "respeaker_6mic"])
def test_exchanged_channels_are_found_and_both_left_out(name: str):
    array = load_array(name)
    samples = talkers(array)
    samples[:, [1, 2]] = samples[:, [2, 1]]
    final = reports(array, samples)[-1]
    assert found(final) == {(1, "swapped"), (2, "swapped")}
    assert np.flatnonzero(~final.usable).tolist() == [1, 2]
    assert "channels 2 and 3" in final.faults[0].message


@pytest.mark.parametrize("name", ["respeaker_4mic", "xvf3800_4mic"])
def test_where_mirror_images_leave_open_which_pair_is_exchanged_all_are_named_and_none_left_out(name: str):
    array = load_array(name)
    samples = talkers(array)
    samples[:, [0, 1]] = samples[:, [1, 0]]
    final = reports(array, samples)[-1]
    assert found(final) == {(channel, "swapped") for channel in range(4)}
    assert "1 and 2, or 3 and 4" in final.faults[0].message
    assert final.usable.all()


def test_one_direction_is_not_enough_to_accuse_two_channels():
    array = load_array("respeaker_6mic")
    samples = plane_wave(array, Direction(0.3), speech_like(5.0, 1)) + microphone_noise((80000, 6), SELF_NOISE, 1)
    samples[:, [1, 2]] = samples[:, [2, 1]]
    assert ever_found(array, samples) == set()


@pytest.mark.parametrize("name", array_names())
def test_people_in_a_reverberant_hall_are_no_fault(name: str):
    array = load_array(name)
    assert ever_found(array, talkers(array, turns=6, seed=3, echoes=200)) == set()


@pytest.mark.parametrize("name", array_names())
def test_people_close_by_are_no_fault(name: str):
    array = load_array(name)
    spots = array.positions.mean(axis=0) + 0.25 * np.array([[1, 0, 0.3], [-0.5, 0.8, 0], [-0.5, -0.8, 0.2]])
    samples = np.concatenate(
        [spherical_wave(array.positions, spot, speech_like(1.6, i)) for i, spot in enumerate(spots)]
    )
    samples += microphone_noise(samples.shape, SELF_NOISE, 0)
    assert ever_found(array, samples) == set()


@pytest.mark.parametrize("name", array_names())
def test_a_loud_machine_beside_one_microphone_is_no_fault(name: str):
    array = load_array(name)
    outward = array.centred[1] / np.linalg.norm(array.centred[1])
    hum = np.random.default_rng(1).standard_normal(5 * SAMPLE_RATE)
    hum *= 1 + 0.9 * np.sign(np.sin(2 * np.pi * 1.5 * np.arange(len(hum)) / SAMPLE_RATE))
    samples = spherical_wave(array.positions, array.positions[1] + 0.03 * outward, 2e-3 * hum)
    samples += 0.1 * talkers(array, turns=5)[: len(samples)]
    assert ever_found(array, samples) == set()


@pytest.mark.parametrize("name", array_names())
def test_the_noise_of_the_microphones_alone_is_no_fault(name: str):
    array = load_array(name)
    quiet = microphone_noise((5 * SAMPLE_RATE, array.n_microphones), SELF_NOISE, 4)
    assert ever_found(array, quiet) == set()
    assert ever_found(array, np.round(quiet * 0.01 * 32768) / np.float32(32768)) == set()


def test_the_shadow_of_a_body_is_no_fault():
    array = load_array("head_8mic")
    samples = talkers(array)
    samples[:, :4] *= 10 ** (-10 / 20)
    assert ever_found(array, samples) == set()


def test_a_gain_too_high_for_all_is_reported_and_nobody_left_out():
    array = load_array("respeaker_6mic")
    final = reports(array, np.clip(20 * talkers(array), -1, 1))[-1]
    assert found(final) == {(None, "clipped")}
    assert final.usable.all()


@pytest.mark.parametrize("kind", FAULTS)
def test_a_channel_that_recovers_is_taken_back_about_3_seconds_later(kind: str):
    array = load_array("azure_kinect")
    samples = talkers(array, turns=8)
    end = 4 * SAMPLE_RATE
    FAULTS[kind](samples[:end])
    history = reports(array, samples, step=1)
    left_out = np.array([not report.usable[1] for report in history])
    back = np.flatnonzero(left_out)[-1] * HOP / SAMPLE_RATE
    assert 6.0 < back < 9.0
    assert found(history[-1]) == set()


def test_exchanged_channels_that_are_put_right_are_taken_back():
    array = load_array("azure_kinect")
    samples = talkers(array, turns=10)
    end = 5 * SAMPLE_RATE
    samples[:end, [1, 2]] = samples[:end, [2, 1]]
    history = reports(array, samples)
    assert any(found(report) == {(1, "swapped"), (2, "swapped")} for report in history)
    assert found(history[-1]) == set()
    assert history[-1].usable.all()


def test_a_silent_microphone_is_not_taken_back_while_nobody_talks():
    array = load_array("uma8")
    samples = np.concatenate([talkers(array, turns=2), microphone_noise((6 * SAMPLE_RATE, 7), SELF_NOISE, 5)])
    samples[: round(2.4 * SAMPLE_RATE), 1] *= 0.01
    samples[:, 1] += microphone_noise((len(samples),), SELF_NOISE, 6)
    assert found(reports(array, samples)[-1]) == {(1, "silent")}


def test_two_microphones_always_remain():
    array = load_array("respeaker_4mic")
    samples = talkers(array)
    samples[:, :3] = 0
    samples[:, 0] = microphone_noise((len(samples),), 1e-6, 1)
    assert all(report.usable.sum() >= 2 for report in reports(array, samples))
    pair = MicrophoneArray("pair", np.array([[0.0, 0.03, 0.0], [0.0, -0.03, 0.0]]))
    samples = talkers(pair)
    samples[:, 1] = 0
    final = reports(pair, samples)[-1]
    assert found(final) == {(1, "dead")}
    assert final.usable.all()


def test_the_size_of_the_blocks_changes_nothing_and_reset_forgets():
    array = load_array("respeaker_6mic")
    samples = talkers(array)
    inverted(samples)
    samples = samples[: len(samples) // (16 * HOP) * 16 * HOP]
    small, large = reports(array, samples, step=1), reports(array, samples, step=16)
    assert [found(report) for report in small[15::16]] == [found(report) for report in large]
    stft, health = Stft(6), ChannelHealth(array)
    first = health.process(samples, stft.process(samples))
    health.reset()
    stft.reset()
    assert found(health.process(samples[:HOP], stft.process(samples[:HOP]))) == set()
    health.reset()
    stft.reset()
    assert health.process(samples, stft.process(samples)).faults == first.faults


def test_what_comes_later_changes_no_report():
    array = load_array("respeaker_6mic")
    samples = talkers(array)
    other = samples.copy()
    half = len(samples) // (2 * HOP) * HOP
    other[half:, 2] = 0
    n_same = half // (4 * HOP)
    before, after = reports(array, samples)[:n_same], reports(array, other)[:n_same]
    assert [found(report) for report in before] == [found(report) for report in after]
