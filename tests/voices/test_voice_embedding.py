from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hearing_datasets import kit_clips, kit_root, read_clip

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE
from hearing.voices import VoiceEncoder, VoicePrint, VoiceProfile


def babble(seconds: float, seed: int = 0) -> np.ndarray:
    """Make sound that changes as fast as speech."""
    rng = np.random.default_rng(seed)
    n_samples = round(seconds * SAMPLE_RATE)
    knots = np.arange(0, n_samples + 1600, 1600)
    envelope = np.interp(np.arange(n_samples), knots, rng.uniform(0, 0.2, len(knots)))
    return (envelope * rng.standard_normal(n_samples)).astype(np.float32)


def heard(encoder: VoiceEncoder, samples: np.ndarray, weights: np.ndarray | None = None) -> VoicePrint:
    voice = VoicePrint(encoder)
    voice.process(samples, weights)
    return voice


@pytest.mark.parametrize("size", [256, 1024, 5000])
def test_an_embedding_is_the_same_however_the_utterance_is_cut_up(encoder: VoiceEncoder, size: int) -> None:
    samples = babble(4.0)
    weights = np.random.default_rng(1).uniform(0.3, 1.0, len(samples) // 256).astype(np.float32)
    whole = heard(encoder, samples, weights)
    pieces, given = VoicePrint(encoder), 0
    for start in range(0, len(samples), size):
        part = samples[start : start + size]
        until = (start + len(part)) // 256
        pieces.process(part, weights[given:until])
        given = until
        if start % 16_000 < size:
            _ = pieces.embedding  # asking changes nothing
    assert whole.embedding is not None
    assert np.array_equal(pieces.embedding, whole.embedding)
    assert pieces.quality == pytest.approx(whole.quality)
    assert np.linalg.norm(whole.embedding) == pytest.approx(1.0, abs=1e-5)


def test_the_level_changes_nothing(encoder: VoiceEncoder) -> None:
    samples = babble(1.0)
    loud, quiet = heard(encoder, samples), heard(encoder, 0.2 * samples)
    assert loud.embedding is not None
    assert quiet.embedding is not None
    assert loud.embedding @ quiet.embedding > 0.98
    assert loud.quality == pytest.approx(quiet.quality, rel=0.05)


def test_what_is_not_speech_is_left_out(encoder: VoiceEncoder) -> None:
    speech, noise = babble(1.024), np.random.default_rng(2).normal(0, 0.1, 16_384).astype(np.float32)
    talking = np.repeat(np.float32([1, 0]), 64)
    both = heard(encoder, np.concatenate([speech, noise]), talking)
    alone = heard(encoder, speech)
    assert both.embedding is not None
    assert alone.embedding is not None
    assert both.embedding @ alone.embedding > 0.98
    assert both.seconds == pytest.approx(alone.seconds, abs=0.05)


def test_next_to_no_speech_has_no_embedding(encoder: VoiceEncoder) -> None:
    assert heard(encoder, babble(0.2)).embedding is None
    assert heard(encoder, babble(0.2)).quality == 0.0
    assert heard(encoder, babble(2.0), np.zeros(125, np.float32)).embedding is None


def test_quality_grows_with_speech(encoder: VoiceEncoder) -> None:
    qualities = [heard(encoder, babble(seconds)).quality for seconds in (0.5, 1.0, 2.0, 4.0)]
    assert qualities == sorted(qualities)
    assert 0 < qualities[0] < qualities[-1] < 1


def test_a_missing_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"voice_encoder\.onnx"):
        VoiceEncoder(tmp_path)


@pytest.mark.skipif(kit_root() is None, reason="needs the voices of the data kit")
def test_a_voice_is_most_like_itself(encoder: VoiceEncoder) -> None:
    by_speaker: dict[str, list[np.ndarray]] = {}
    for clip in kit_clips("speech/read_5_speakers"):
        said = by_speaker.setdefault(str(clip.speaker), [])
        if len(said) < 2:
            embedding = heard(encoder, read_clip(clip)[: 4 * SAMPLE_RATE]).embedding
            assert embedding is not None
            said.append(embedding)
    first, second = (np.stack([said[side] for said in by_speaker.values()]) for side in (0, 1))
    cosines = first @ second.T
    own = np.diag(cosines)
    others = cosines[~np.eye(len(own), dtype=bool)]
    assert own.min() > others.max() + 0.1
    ratios = np.array([[encoder.likelihood.log_ratio(float(c), 0.95, 0.95) for c in row] for row in cosines])
    assert np.diag(ratios).min() > 2
    assert np.mean(ratios[~np.eye(len(own), dtype=bool)] > 0) < 0.25


def test_a_profile_is_the_mean_by_quality() -> None:
    profile = VoiceProfile()
    profile.update(np.float32([1, 0]), 0.75)
    profile.update(np.float32([0, 1]), 0.25)
    np.testing.assert_allclose(profile.embedding, np.array([3, 1]) / np.sqrt(10), rtol=1e-6)
    assert profile.quality == pytest.approx((3 + 1 / 3) / (4 + 1 / 3))
    assert profile.heard == 2


def test_profiles_join_and_survive_json() -> None:
    one, two, both = VoiceProfile(), VoiceProfile(), VoiceProfile()
    for profile, embedding, quality in ((one, [0.6, 0.8], 0.4), (two, [0.8, 0.6], 0.9)):
        profile.update(np.float32(embedding), quality)
        both.update(np.float32(embedding), quality)
    joined = VoiceProfile().joined(one).joined(two)
    np.testing.assert_allclose(joined.embedding, both.embedding, rtol=1e-6)
    restored = VoiceProfile.from_dict(joined.to_dict())
    assert np.array_equal(restored.total, joined.total)
    assert restored.quality == joined.quality == pytest.approx(both.quality)


def test_nobody_has_no_profile() -> None:
    assert len(VoiceProfile().embedding) == 0
    assert VoiceProfile().quality == 0.0
