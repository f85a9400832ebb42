import numpy as np
import pytest
from plane_waves import microphone_noise, plane_wave, speech_like

from hearing.arrays import MicrophoneArray, array_names, load_array
from hearing.features import BAND_STARTS, N_BANDS, DirectionFeatures, SceneFeatures, Spectra, to_bands, to_bins
from hearing.stft import HOP, N_BINS, ComplexArray, Stft
from hearing.types import Direction


def frames(name: str, direction: Direction, seed: int = 0, noise: float = 3e-4) -> ComplexArray:
    array = load_array(name)
    wave = plane_wave(array, direction, speech_like(1.5, seed))
    wave += microphone_noise(wave.shape, noise, seed)
    return Stft(array.n_microphones).process(wave[: len(wave) // HOP * HOP])


def test_bands_keep_the_mean_and_bins_get_their_bands_value():
    values = np.random.default_rng(0).random((3, N_BINS)).astype(np.float32)
    bands = to_bands(values)
    assert bands.shape == (3, N_BANDS)
    np.testing.assert_allclose(bands[:, :96], values[:, :96])
    np.testing.assert_allclose(to_bins(bands)[:, BAND_STARTS], bands)
    np.testing.assert_allclose(to_bands(to_bins(bands)), bands, rtol=1e-5)


def test_scene_features_do_not_depend_on_gain_or_block_size():
    heard = frames("respeaker_6mic", Direction(0.4))
    whole = SceneFeatures().process(Spectra.of(heard))
    louder = SceneFeatures().process(Spectra.of(100 * heard))
    np.testing.assert_allclose(louder, whole, atol=0.02)
    pieces = SceneFeatures()
    cut = [pieces.process(Spectra.of(heard[i : i + 4])) for i in range(0, len(heard), 4)]
    np.testing.assert_allclose(np.concatenate(cut, axis=1), whole, atol=1e-4)


def test_scene_features_are_causal():
    heard = frames("respeaker_4mic", Direction(1.0))
    changed = heard.copy()
    changed[50:] *= 30
    before, after = (SceneFeatures().process(Spectra.of(x)) for x in (heard, changed))
    np.testing.assert_allclose(before[:, :50], after[:, :50], atol=1e-5)


@pytest.mark.parametrize("name", array_names())
def test_a_wave_fits_its_own_direction_best(name: str):
    heard = Spectra.of(frames(name, Direction(0.8)))
    looks = np.array([Direction(0.8 + turn).vector for turn in (0.0, 0.8, 2.0, -2.0)])
    angle, ratio = DirectionFeatures(load_array(name)).process(heard, looks).mean(axis=(2, 3)).T
    assert np.argmax(angle) == 0
    assert np.argmax(ratio) == 0
    assert angle[0] > 0.5


def test_turning_array_and_source_together_changes_nothing():
    array, turn = load_array("respeaker_6mic"), 0.7
    cos, sin = np.cos(turn), np.sin(turn)
    rotation = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    turned = MicrophoneArray("turned", array.positions @ rotation)
    heard = Spectra.of(frames("respeaker_6mic", Direction(0.3)))
    plain = DirectionFeatures(array).process(heard, np.array([Direction(0.3).vector]))
    other = DirectionFeatures(turned).process(heard, np.array([Direction(0.3 + turn).vector]))
    np.testing.assert_allclose(other, plain, atol=2e-3)


def test_moving_directions_are_compared_frame_by_frame():
    heard = Spectra.of(frames("uma8", Direction(-0.5)))
    compare = DirectionFeatures(load_array("uma8"))
    still = np.array([Direction(-0.5).vector])
    moving = np.broadcast_to(still[:, None], (1, len(heard.frames), 3))
    np.testing.assert_allclose(compare.process(heard, moving), compare.process(heard, still), atol=1e-4)


def test_a_broken_microphone_does_not_count():
    heard = frames("respeaker_6mic", Direction(0.8))
    usable = np.array([True, True, False, True, True, True])
    clean = Spectra.of(heard, usable)
    heard[..., 2] = 1e3 * np.random.default_rng(0).standard_normal(heard.shape[:2])
    broken = Spectra.of(heard, usable)
    np.testing.assert_allclose(broken.power, clean.power, rtol=1e-4)
    assert broken.n_pairs == 10
    np.testing.assert_array_equal(broken.phases, clean.phases)


def test_silence_is_finite():
    silence = Spectra.of(np.zeros((20, N_BINS, 4), np.complex64))
    compare = DirectionFeatures(load_array("respeaker_4mic"))
    assert np.isfinite(SceneFeatures().process(silence)).all()
    assert np.isfinite(compare.process(silence, np.array([Direction(0.0).vector]))).all()
