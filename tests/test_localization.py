import numpy as np
import pytest
from plane_waves import microphone_noise, plane_wave, speech_like

from hearing.arrays import MicrophoneArray, array_names, load_array
from hearing.bin_weighting import BinWeighting
from hearing.features import Spectra
from hearing.localization import SrpPhat, SteeredResponse
from hearing.pipeline import STEP
from hearing.stft import N_BINS, Stft
from hearing.types import Direction, Float32Array, Peak


def localize(array: MicrophoneArray, samples: Float32Array) -> list[tuple[Peak, ...]]:
    stft, srp, weighting = Stft(array.n_microphones), SrpPhat(SteeredResponse(array)), BinWeighting(N_BINS)
    peaks = []
    for i in range(0, len(samples) - STEP + 1, STEP):
        spectra = Spectra.of(stft.process(samples[i : i + STEP]))
        share = weighting.process(spectra.power.astype(np.float64)).astype(np.float32)
        peaks.append(srp.process(spectra, np.tile(np.cbrt(share), (len(spectra.power), 1))))
    return peaks


def strongest(array: MicrophoneArray, direction: Direction, seed: int = 0) -> Direction:
    samples = plane_wave(array, direction, speech_like(1.2, seed))
    samples += microphone_noise(samples.shape, 3e-4, seed)
    peaks = [peaks[0] for peaks in localize(array, samples)[3:] if peaks]
    return max(peaks, key=lambda peak: peak.power).direction


@pytest.mark.parametrize("name", array_names())
@pytest.mark.parametrize("azimuth_deg", [-170, -100, -35, 0, 20, 90, 179])
def test_a_plane_wave_is_localized_within_2_degrees(name: str, azimuth_deg: float):
    truth = Direction(np.deg2rad(azimuth_deg), np.deg2rad(20.0))
    assert np.rad2deg(strongest(load_array(name), truth).angle_to(truth)) < 2.0


def test_a_linear_array_knows_the_angle_to_its_axis():
    line = MicrophoneArray("line", np.array([[0.0, y, 0.0] for y in (-0.09, -0.03, 0.03, 0.09)]))
    for azimuth_deg in (-60, 0, 40):
        found = strongest(line, Direction(np.deg2rad(azimuth_deg)))
        assert found.azimuth_deg == pytest.approx(azimuth_deg, abs=2.0)


def test_turning_array_and_source_together_turns_the_answer():
    array, turn = load_array("respeaker_6mic"), np.deg2rad(77.0)
    cos, sin = np.cos(turn), np.sin(turn)
    rotation = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    turned = MicrophoneArray("turned", array.positions @ rotation.T)
    plain = strongest(array, Direction(0.3, 0.4))
    rotated = strongest(turned, Direction(0.3 + turn, 0.4))
    expected = Direction(plain.azimuth + turn, plain.elevation)
    assert np.rad2deg(rotated.angle_to(expected)) < 0.5


def test_two_talkers_at_once_are_both_found():
    array = load_array("respeaker_6mic")
    first, second = Direction(0.5), Direction(-1.5)
    a, b = speech_like(2.0, 1), speech_like(2.0, 2)
    samples = plane_wave(array, first, a) + plane_wave(array, second, b)
    samples += microphone_noise(samples.shape, 3e-4, 3)
    blocks = localize(array, samples)[5:]
    assert all(peaks == tuple(sorted(peaks, key=lambda peak: -peak.power)) for peaks in blocks)
    found = [peak.direction for peaks in blocks for peak in peaks]
    for truth in (first, second):
        near = [direction for direction in found if direction.angle_to(truth) < np.deg2rad(5.0)]
        assert len(near) > 10


def test_a_steady_machine_falls_silent_for_the_localizer():
    array = load_array("respeaker_6mic")
    hum = 0.1 * np.random.default_rng(5).standard_normal(6 * 16000)
    samples = plane_wave(array, Direction(1.0), hum) + microphone_noise((len(hum), 6), 3e-4, 6)
    blocks = localize(array, samples)
    late = [peaks for peaks in blocks[len(blocks) // 2 :] if peaks]
    assert len(late) < 0.1 * len(blocks) / 2


def test_silence_has_no_direction():
    array = load_array("uma8")
    assert not any(localize(array, np.zeros((16000, 7), np.float32)))


def test_steady_noise_has_no_weight_and_onsets_have_all():
    weighting = BinWeighting(n_bins=20)
    steady = np.ones((4, 20))
    for _ in range(50):
        share = weighting.process(steady)
    assert share.max() == 0.0
    assert weighting.process(100 * steady).min() > 0.9


def test_a_reverberant_tail_has_no_weight():
    weighting = BinWeighting(n_bins=20)
    for _ in range(50):
        weighting.process(np.ones((4, 20)))
    assert weighting.process(np.full((4, 20), 1e6)).min() > 0.9
    for block in range(1, 5):
        tail = 1e6 * 10 ** (-6 * 0.064 * block / 0.6)
        assert weighting.process(np.full((4, 20), tail)).max() == 0.0
