import numpy as np
import pytest
from hearing_datasets import packaged_clips, read_clip

from hearing.activity import WINDOW, VoiceActivity
from hearing.recognition.catalogue import MODELS
from hearing.recognition.store import locate
from hearing.stft import HOP
from hearing.types import Float32Array, SourceAudio


@pytest.fixture(scope="module")
def voice() -> Float32Array:
    """Half a second of faint noise, then a sentence."""
    clip = next(read_clip(clip) for clip in packaged_clips() if clip.start == 23.60)
    noise = 1e-3 * np.random.default_rng(0).standard_normal(8000)
    return np.concatenate([noise, clip]).astype(np.float32)


@pytest.fixture
def activity() -> VoiceActivity:
    return VoiceActivity(locate(MODELS["silero-vad-v6"]) / "silero_vad_v6.onnx")


def audio(track_id: int, samples: Float32Array, start: int, talking: float = 1.0) -> SourceAudio:
    return SourceAudio(track_id, samples, samples, np.full(len(samples) // HOP, talking, np.float32), start)


def judge(activity: VoiceActivity, samples: Float32Array, size: int = 1024, talking: float = 1.0) -> Float32Array:
    samples = samples[: len(samples) // WINDOW * WINDOW]
    pieces = [activity.process(audio(1, samples[i : i + size], i, talking)) for i in range(0, len(samples), size)]
    return np.concatenate(pieces)[:, 0]


def test_a_sentence_is_speech_and_the_noise_before_it_is_not(activity: VoiceActivity, voice: Float32Array):
    speech = judge(activity, voice)
    assert len(speech) == len(voice) // WINDOW
    assert speech[: 8000 // WINDOW].max() < 0.3
    assert np.mean(speech[8000 // WINDOW :] > 0.5) > 0.7


@pytest.mark.parametrize("gain", [0.02, 0.1, 3.0])
def test_the_gain_of_the_microphones_does_not_matter(activity: VoiceActivity, voice: Float32Array, gain: float):
    speech = judge(activity, voice)
    activity.reset()
    np.testing.assert_allclose(judge(activity, gain * voice), speech, atol=0.02)


def test_the_block_size_does_not_matter(activity: VoiceActivity, voice: Float32Array):
    whole = judge(activity, voice, len(voice))
    activity.reset()
    np.testing.assert_allclose(judge(activity, voice, HOP), whole, atol=1e-4)


def test_tracks_do_not_disturb_each_other(activity: VoiceActivity, voice: Float32Array):
    alone = judge(activity, voice)
    activity.reset()
    noise = 0.3 * np.random.default_rng(1).standard_normal(1024).astype(np.float32)
    mixed = []
    for i in range(0, len(voice) // WINDOW * WINDOW, 1024):
        mixed.append(activity.process(audio(1, voice[i : i + 1024], i))[:, 0])
        activity.process(audio(2, noise, i))
    np.testing.assert_array_equal(np.concatenate(mixed), alone)


def test_speech_from_elsewhere_is_not_the_talkers(activity: VoiceActivity, voice: Float32Array):
    assert judge(activity, voice, talking=0.02).max() < 0.2


def test_what_a_track_claims_is_judged_beside_what_it_keeps(activity: VoiceActivity, voice: Float32Array):
    samples = voice[: len(voice) // WINDOW * WINDOW]
    alone = activity.process(audio(1, samples, 0))
    np.testing.assert_array_equal(alone[:, 0], alone[:, 1])
    activity.reset()
    claimed = np.ones(len(samples) // HOP, np.float32)
    beside = activity.process(SourceAudio(1, samples, samples, 0 * claimed, 0, claimed))
    assert not beside[:, 0].any()
    np.testing.assert_array_equal(beside[:, 1], alone[:, 0])


@pytest.mark.parametrize("kind", ["silence", "noise", "hum"])
def test_what_is_no_speech_is_not_taken_for_it(activity: VoiceActivity, kind: str):
    time = np.arange(5 * 16000) / 16000
    samples = {
        "silence": np.zeros(len(time)),
        "noise": 0.05 * np.random.default_rng(2).standard_normal(len(time)),
        "hum": 0.1 * sum(np.sin(2 * np.pi * 50 * k * time) / k for k in range(1, 20)),
    }[kind]
    assert np.mean(judge(activity, samples.astype(np.float32)) > 0.5) < 0.02
