import dataclasses

import numpy as np
import pytest
from hearing_sim import ArrayPose, Microphones, Room, Scene, simulate
from hearing_sim.microphones import convert, draw_microphones, sample

from hearing.arrays import load_array
from hearing.types import SAMPLE_RATE

NOMINAL = load_array("respeaker_6mic").positions
SILENT_ROOM = Scene("silent", 2.0, Room(size=(5.0, 4.0, 3.0), rt60=0.3), ArrayPose("respeaker_6mic", (2.0, 2.0, 1.0)))


def test_ideal_microphones_are_what_the_data_sheet_says():
    ideal = draw_microphones(NOMINAL, Microphones(), np.random.default_rng(0))
    np.testing.assert_array_equal(ideal.positions, NOMINAL)
    np.testing.assert_array_equal(ideal.gains, 1.0)
    np.testing.assert_array_equal(ideal.delays, 0.0)


def test_spreads_are_standard_deviations():
    spread = Microphones(gain_spread_db=2.0, phase_spread_deg=5.0, position_spread=0.003)
    many = draw_microphones(np.zeros((4000, 3)), spread, np.random.default_rng(0))
    assert np.std(20 * np.log10(many.gains)) == pytest.approx(2.0, rel=0.05)
    assert np.std(many.delays) * 1000 * 360 == pytest.approx(5.0, rel=0.05)
    assert np.std(many.positions) == pytest.approx(0.003, rel=0.05)


@pytest.mark.parametrize("clock_ppm", [-300.0, 300.0])
def test_fast_clock_takes_more_samples_of_the_same_sound(clock_ppm):
    times = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 1000 * times)[:, None]
    drifted = sample(tone, np.ones(1), clock_ppm)
    assert drifted.shape == tone.shape
    expected = np.sin(2 * np.pi * 1000 * times / (1 + 1e-6 * clock_ppm))
    inner = slice(1000, -1000)
    np.testing.assert_allclose(drifted[inner, 0], expected[inner], atol=1e-3)


def test_full_scale_is_a_level():
    tone = np.sqrt(2) * np.sin(np.linspace(0, 1000, SAMPLE_RATE))[:, None]  # 94 dB SPL
    assert np.abs(convert(tone, 94.0)[0]).max() == pytest.approx(1.0, abs=0.001)
    quiet, gain = convert(tone, 114.0)
    assert np.abs(quiet).max() == pytest.approx(0.1, abs=0.001)
    np.testing.assert_allclose(quiet, gain * tone)
    clipped = convert(tone, 88.0)[0]
    assert np.mean(np.abs(clipped) == 1.0) > 0.5


def test_self_noise_has_its_level():
    loud = dataclasses.replace(SILENT_ROOM, microphones=Microphones(self_noise_db=40.0))
    noise = simulate(loud).mixture
    assert 20 * np.log10(np.sqrt(np.mean(noise**2))) + 94 == pytest.approx(40.0, abs=0.1)
