from itertools import combinations

import numpy as np
import pytest
from hearing_sim import Room
from hearing_sim.reverberation import DiffuseField, early_weight, late_weight
from hearing_sim.room import OCTAVES, RoomAcoustics
from scipy.signal import csd, welch

from hearing.arrays import SPEED_OF_SOUND, load_array
from hearing.types import SAMPLE_RATE

POSITIONS = load_array("head_8mic").positions


def test_diffuse_noise_has_the_coherence_of_an_isotropic_field():
    noise = np.random.default_rng(0).standard_normal((60 * SAMPLE_RATE, len(POSITIONS)))
    field = DiffuseField(POSITIONS).mix(noise)
    power = [welch(channel, SAMPLE_RATE, nperseg=512)[1] for channel in field.T]
    for i, j in combinations(range(len(POSITIONS)), 2):
        frequencies, cross = csd(field[:, i], field[:, j], SAMPLE_RATE, nperseg=512)
        coherence = cross / np.sqrt(power[i] * power[j])
        distance = np.linalg.norm(POSITIONS[i] - POSITIONS[j])
        expected = np.sinc(2 * frequencies * distance / SPEED_OF_SOUND)
        assert np.abs(coherence - expected).max() < 0.08
    assert [np.std(channel) for channel in field.T] == pytest.approx([1.0] * len(POSITIONS), rel=0.03)


def test_late_reverberation_has_the_power_of_statistical_acoustics():
    """Of a steady source, all of the reverberation has the power 4 pi c T / (V 6 ln 10)."""
    acoustics = RoomAcoustics(Room(size=(7.0, 6.0, 3.0), rt60=0.5))
    rng = np.random.default_rng(0)
    tail = DiffuseField(POSITIONS).reverberation(acoustics, 0.0, np.ones(len(OCTAVES)), rng)
    assert np.mean(np.sum(tail**2, axis=0)) == pytest.approx(acoustics.reverberant_gain, rel=0.1)


def test_single_reflections_hand_over_to_the_late_part():
    times = np.linspace(-0.02, 0.02, 101)
    np.testing.assert_allclose(early_weight(times) ** 2 + late_weight(times) ** 2, 1.0)
    assert early_weight(times)[0] == 1.0
    assert early_weight(times)[-1] == pytest.approx(0.0, abs=1e-12)
