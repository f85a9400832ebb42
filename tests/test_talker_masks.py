import numpy as np
import pytest
from hearing_datasets import packaged_clips, read_clip
from plane_waves import microphone_noise, plane_wave

from hearing.arrays import load_array
from hearing.features import SceneFeatures, Spectra
from hearing.stft import HOP, Stft
from hearing.talker_masks import TalkerMasks, TrackMasks
from hearing.types import Direction, Float32Array, Track

ARRAY = load_array("respeaker_6mic")
TALKER, MACHINE = Direction(np.deg2rad(70.0), 0.1), Direction(np.deg2rad(-60.0), 0.1)


@pytest.fixture(scope="module")
def scene() -> Float32Array:
    """A sentence from one side, a hum from another, 5 dB below."""
    clip = next(read_clip(clip) for clip in packaged_clips() if clip.start == 23.60).astype(np.float64)
    hum = np.std(clip) * 10 ** (-5 / 20) * np.random.default_rng(0).standard_normal(len(clip))
    heard = plane_wave(ARRAY, TALKER, clip) + plane_wave(ARRAY, MACHINE, hum)
    return (heard + microphone_noise(heard.shape, 1e-3, 0))[: len(heard) // (8 * HOP) * 8 * HOP]


def listen(samples: Float32Array, looks: dict[int, Direction], block: int = 4, born: int = 0) -> list[TrackMasks]:
    stft, scene, masks, heard = Stft(ARRAY.n_microphones), SceneFeatures(), TalkerMasks(ARRAY), []
    for i in range(0, len(samples), block * HOP):
        spectra = Spectra.of(stft.process(samples[i : i + block * HOP]))
        tracks = tuple(Track(k, 0.0, look, 1.0) for k, look in looks.items()) if i >= born * HOP else ()
        heard.append(masks.process(spectra, scene.process(spectra), tracks))
    return heard


def active(heard: list[TrackMasks]) -> Float32Array:
    return np.concatenate([masks.current.active for masks in heard], axis=1)


def test_the_talker_talks_and_the_machine_does_not(scene: Float32Array):
    # Half a second is what it takes to know the level of the scene.
    talker, machine = active(listen(scene, {1: TALKER, 2: MACHINE}))[:, 32:]
    assert np.mean(talker > 0.5) > 0.6
    assert np.mean(machine > 0.5) < 0.1


def test_nobody_talks_in_noise_alone():
    hum = 0.05 * np.random.default_rng(3).standard_normal(4 * 16000)
    heard = (plane_wave(ARRAY, MACHINE, hum) + microphone_noise((len(hum), 6), 1e-3, 1))[: 248 * HOP]
    assert active(listen(heard, {1: TALKER, 2: MACHINE}))[:, 60:].max() < 0.5


def test_whoever_loses_a_voice_still_claims_it(scene: Float32Array):
    beside = Direction(TALKER.azimuth + np.deg2rad(8.0), TALKER.elevation)
    heard = listen(scene, {1: TALKER, 2: beside})
    claimed = np.concatenate([masks.claimed for masks in heard], axis=1)[:, 32:]
    left = active(heard)[:, 32:]
    assert np.all(left <= claimed)
    loser = int(np.argmin(left.mean(axis=1)))
    assert left[loser].mean() < 0.2 < 0.5 < claimed[loser].mean()


def test_the_block_size_does_not_matter(scene: Float32Array):
    np.testing.assert_allclose(
        active(listen(scene, {1: TALKER}, block=8)), active(listen(scene, {1: TALKER}, block=4)), atol=1e-3
    )


def test_a_new_track_has_heard_the_past(scene: Float32Array):
    always = active(listen(scene, {1: TALKER}))[0]
    late = listen(scene, {1: TALKER}, born=40)
    (past,) = [masks.past[1] for masks in late if masks.past]
    assert past.active.shape[1] == 40
    np.testing.assert_allclose(past.active[0], always[:40], atol=1e-3)
    np.testing.assert_allclose(active(late[10:])[0], always[40:], atol=1e-3)
