import numpy as np
import pytest
from plane_waves import microphone_noise, plane_wave, speech_like

from hearing.arrays import load_array
from hearing.features import Spectra
from hearing.localization import SteeredResponse
from hearing.noise_map import NoiseMap
from hearing.pipeline import STEP
from hearing.stft import N_BINS, Stft
from hearing.types import Direction, Float32Array, Track

ARRAY = load_array("respeaker_6mic")
RESPONSE = SteeredResponse(ARRAY)


def hear(
    noise_map: NoiseMap,
    samples: Float32Array,
    start: float = 0.0,
    turn: float = 0.0,
    talkers: tuple[Track, ...] = (),
    share: float = 1.0,
) -> list[tuple[Track, ...]]:
    stft, steps = Stft(ARRAY.n_microphones), []
    for i in range(0, len(samples) - STEP + 1, STEP):
        spectra = Spectra.of(stft.process(samples[i : i + STEP]))
        noise = np.full((4, N_BINS), share, np.float32)
        steps.append(noise_map.process(spectra, noise, talkers, start + (i + STEP) / 16000, turn))
    return steps


def machine(azimuth: float, seconds: float, seed: int = 0) -> Float32Array:
    hum = 0.05 * np.random.default_rng(seed).standard_normal(round(seconds * 16000))
    return plane_wave(ARRAY, Direction(azimuth), hum) + microphone_noise((len(hum), 6), 1e-3, seed)


def test_a_machine_appears_on_the_map_and_stays_while_it_is_silent():
    noise_map = NoiseMap(RESPONSE)
    (found,) = hear(noise_map, machine(1.0, 6.0))[-1]
    assert found.kind == "noise"
    assert found.activity == 1.0
    assert found.direction.azimuth == pytest.approx(1.0, abs=np.deg2rad(2))
    (kept,) = hear(noise_map, microphone_noise((8 * 16000, 6), 1e-3, 1), start=6.0)[-1]
    assert kept.id == found.id
    assert kept.activity == 0.0


def test_two_machines_have_names_of_their_own():
    noise_map = NoiseMap(RESPONSE)
    found = hear(noise_map, machine(1.0, 8.0) + machine(-1.5, 8.0, 2))[-1]
    assert len({track.id for track in found}) == 2


def test_when_the_array_turns_the_machine_turns_back():
    noise_map = NoiseMap(RESPONSE)
    hear(noise_map, machine(1.0, 6.0))
    silence = microphone_noise((16000, 6), 1e-3, 1)
    steps = len(silence) // STEP
    (kept,) = hear(noise_map, silence, start=6.0, turn=0.5 / steps)[-1]
    assert kept.direction.azimuth == pytest.approx(0.5, abs=np.deg2rad(3))


def test_nothing_is_put_where_somebody_talks():
    talker = Track(1, 0.0, Direction(1.0), 1.0)
    assert not hear(NoiseMap(RESPONSE), machine(1.0, 6.0), talkers=(talker,))[-1]


def test_diffuse_noise_is_no_machine():
    assert not hear(NoiseMap(RESPONSE), microphone_noise((6 * 16000, 6), 1e-2, 3))[-1]


def test_speech_leaves_no_machine_behind():
    voice = plane_wave(ARRAY, Direction(0.3), speech_like(6.0, 1)) + microphone_noise((96000, 6), 1e-3, 4)
    assert not hear(NoiseMap(RESPONSE), voice, share=0.0)[-1]
