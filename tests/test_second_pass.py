import numpy as np
import pytest
from plane_waves import microphone_noise, plane_wave, speech_like

from hearing.arrays import load_array
from hearing.features import Spectra
from hearing.mask_network import Masks
from hearing.pipeline import STEP
from hearing.second_pass import SecondPass
from hearing.stft import N_BINS, Stft
from hearing.talker_masks import TrackMasks
from hearing.types import Direction, Float32Array, Track

ARRAY = load_array("respeaker_6mic")
TALKER, MACHINE = Direction(0.6), Direction(-1.8)


def remember(samples: Float32Array, shares: list[float], born: int = 0) -> SecondPass:
    """Remember a stream with one track, whose mask is the same in every bin and changes from step to step."""
    stft, second = Stft(ARRAY.n_microphones), SecondPass(ARRAY)
    for i, share in enumerate(shares):
        spectra = Spectra.of(stft.process(samples[i * STEP : (i + 1) * STEP]))
        tracks = (Track(1, 0.0, TALKER, 1.0),) if i >= born else ()
        masks = Masks(*(np.full((len(tracks), 4, N_BINS), share, np.float32) for _ in range(2)), np.ones((1, 4)))
        past = np.repeat(np.array(shares[:i], np.float32), 4)[None, :, None] * np.ones(N_BINS, np.float32)
        before = {1: Masks(past, past, past[..., 0])} if i == born else {}
        second.remember(spectra, tracks, TrackMasks(masks, masks.active, before))
    return second


def test_a_machine_that_sounded_before_is_gone_and_the_talker_is_not_changed():
    voice = speech_like(3.0, 1)
    voice[:24000] = 0
    hum = 0.05 * np.random.default_rng(2).standard_normal(len(voice))
    noise = plane_wave(ARRAY, MACHINE, hum) + microphone_noise((len(hum), 6), 1e-4, 3)
    samples = plane_wave(ARRAY, TALKER, voice) + noise
    steps = len(samples) // STEP
    second = remember(samples, [0.0 if i * STEP < 24000 else 0.9 for i in range(steps)])
    heard = second.hear(1, 26000, 16000)
    said = voice[26000:42000]
    assert 10 * np.log10(np.sum(said**2) / np.sum((heard - said) ** 2)) > 10.0
    assert 10 * np.log10(np.sum(said**2) / np.sum((samples[26000:42000, 0] - said) ** 2)) < 0.0


@pytest.mark.parametrize("start", [3000, 3072, 3100])
def test_it_starts_at_the_sample_that_is_asked_for(start: int):
    voice = speech_like(2.0, 4)
    samples = plane_wave(ARRAY, TALKER, voice) + microphone_noise((len(voice), 6), 1e-4, 3)
    heard = remember(samples, [0.9] * (len(samples) // STEP)).hear(1, start, 20000)
    assert len(heard) == 20000
    assert np.std(heard - voice[start : start + 20000]) < 0.05 * np.std(voice)


def test_a_new_tracks_past_is_remembered():
    voice = speech_like(2.0, 4)
    samples = plane_wave(ARRAY, TALKER, voice) + microphone_noise((len(voice), 6), 1e-4, 3)
    second = remember(samples, [0.9] * (len(samples) // STEP), born=10)
    heard = second.hear(1, 3000, 16000)
    assert np.std(heard - voice[3000:19000]) < 0.05 * np.std(voice)


def test_what_is_not_remembered_is_not_heard():
    second = remember(np.zeros((20 * STEP, 6), np.float32), [0.5] * 20)
    assert second.hear(2, 0, 1000) is None
    assert second.hear(1, 19 * STEP, 4 * STEP) is None
