import numpy as np
import pytest
from plane_waves import microphone_noise, plane_wave, speech_like

from hearing.arrays import array_names, load_array
from hearing.features import Spectra
from hearing.mask_network import Masks
from hearing.pipeline import STEP
from hearing.separation import MvdrSeparator, mvdr_weights
from hearing.steering import steering_vectors
from hearing.stft import FRAME_RATE, HOP, N_BINS, Stft
from hearing.talker_masks import LOOKBACK, TrackMasks
from hearing.types import Direction, Float32Array, Track


def separate(
    array_name: str, samples: Float32Array, looks: dict[int, tuple[Direction, float]], born: float = 0.0
) -> dict[int, tuple[int, Float32Array]]:
    """Beamform towards fixed directions, with masks that are the same in every bin.

    Gives the first sample and the audio of each track.
    """
    array = load_array(array_name)
    stft, separator = Stft(array.n_microphones), MvdrSeparator(array)
    audio: dict[int, list[Float32Array]] = {}
    first: dict[int, int] = {}
    heard = 0
    known = 0
    for i in range(0, len(samples) - STEP + 1, STEP):
        now = (i + STEP) / 16000
        spectra = Spectra.of(stft.process(samples[i : i + STEP]))
        tracks = tuple(Track(k, now, direction, 1.0) for k, (direction, _) in looks.items()) if now > born else ()
        shares = [share for _, share in looks.values()] if tracks else []
        past = {track.id: masks([share], known) for track, share in zip(tracks, shares, strict=True) if not heard}
        current = masks(shares, 4)
        for source in separator.process(spectra, tracks, TrackMasks(current, current.active, past)):
            first.setdefault(source.track_id, source.start_sample)
            audio.setdefault(source.track_id, []).append(source.samples)
        heard += len(tracks)
        known = min(known + 4, int(LOOKBACK * FRAME_RATE) // 4 * 4)
    return {k: (first[k], np.concatenate(audio[k])) for k in audio}


def masks(shares: list[float], n_frames: int) -> Masks:
    everywhere = np.array(shares, np.float32)[:, None, None] * np.ones((1, n_frames, N_BINS), np.float32)
    return Masks(everywhere, everywhere, everywhere[..., 0])


@pytest.mark.parametrize("name", array_names())
def test_the_gain_towards_the_look_direction_is_one(name: str):
    array = load_array(name)
    look = np.array([Direction(0.7, 0.2).vector])
    steering = steering_vectors(array, look)
    rng = np.random.default_rng(0)
    snapshots = rng.standard_normal((257, array.n_microphones, 40)) + 1j * rng.standard_normal(
        (257, array.n_microphones, 40)
    )
    noise = snapshots @ snapshots.conj().transpose(0, 2, 1)
    weights = mvdr_weights(noise[None].astype(np.complex64), steering)
    np.testing.assert_allclose(np.sum(weights.conj() * steering, axis=-1), 1.0, atol=1e-3)


@pytest.mark.parametrize("name", array_names())
def test_a_plane_wave_passes_unchanged_in_level_and_time(name: str):
    direction = Direction(-1.2, 0.1)
    signal = speech_like(2.0, 0)
    samples = plane_wave(load_array(name), direction, signal)
    start, output = separate(name, samples, {1: (direction, 1.0)})[1]
    assert start == -HOP
    settled = slice(16000, 28000)
    expected = signal[settled]
    error = output[settled.start - start : settled.stop - start] - expected
    assert np.std(error) < 0.05 * np.std(expected)


def test_an_interfering_machine_is_suppressed():
    name, look, machine = "respeaker_6mic", Direction(0.4), Direction(2.2)
    noise = plane_wave(load_array(name), machine, 0.1 * np.random.default_rng(1).standard_normal(4 * 16000))
    noise += microphone_noise(noise.shape, 1e-3, 2)
    _, output = separate(name, noise, {1: (look, 0.0)})[1]
    gain_db = 20 * np.log10(np.std(output[-16000:]) / np.std(noise[-16000:, 0]))
    assert gain_db < -12.0


def test_a_new_track_hears_the_moments_before_it_was_found():
    name, direction = "respeaker_4mic", Direction(1.0)
    signal = speech_like(3.0, 4)
    samples = plane_wave(load_array(name), direction, signal)
    start, output = separate(name, samples, {1: (direction, 1.0)}, born=2.0)[1]
    assert 2.0 - start / 16000 >= 0.7
    settled = slice(start + 2 * HOP, 2 * 16000)
    error = output[settled.start - start : settled.stop - start] - signal[settled]
    assert np.std(error) < 0.05 * np.std(signal)


def test_silence_stays_silent_and_finite():
    output = separate("uma8", np.zeros((16000, 7), np.float32), {1: (Direction(0.0), 0.5)})[1][1]
    assert np.all(output == 0.0)


def test_another_talker_is_blocked_although_both_talk_all_the_time():
    array = load_array("respeaker_6mic")
    first, second = Direction(0.4), Direction(-1.4)
    rival = plane_wave(array, second, speech_like(4.0, 2))
    noise = microphone_noise(rival.shape, 3e-4, 3)
    _, output = separate(array.name, rival + noise, {1: (first, 0.0), 2: (second, 1.0)})[1]
    gain_db = 20 * np.log10(np.std(output[-16000:]) / np.std(rival[-16000:, 0]))
    assert gain_db < -15.0


def test_the_beam_learns_how_the_microphones_really_hear_the_talker():
    array, direction = load_array("respeaker_6mic"), Direction(0.9)
    signal = speech_like(4.0, 5)
    gains = np.array([1.0, 0.6, 1.3, 0.8, 1.5, 0.7], np.float32)
    samples = gains * plane_wave(array, direction, signal) + microphone_noise((len(signal), 6), 1e-4, 6)
    start, output = separate(array.name, samples, {1: (direction, 1.0)})[1]
    late = slice(3 * 16000, 3 * 16000 + 12000)
    heard, said = output[late.start - start : late.stop - start], signal[late]
    scale = heard @ said / (said @ said)
    assert np.std(heard - scale * said) < 0.1 * np.std(scale * said)
