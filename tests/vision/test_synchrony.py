"""Which mouth makes which sound: evidence adds up, is forgotten, and does not depend on how it arrives."""

import json

import numpy as np
import pytest
from mouths import face_of, talk

from hearing.errors import InputError
from hearing.types import SourceAudio
from hearing.vision.lips import LipReader, own_weights
from hearing.vision.synchrony import FILE, HISTORY, LAGS, N_SOUND, SoundSteps, Synchrony, SyncLikelihood

RATE = 16000


def source(track, samples, start=0):
    samples = np.asarray(samples, np.float32)
    return SourceAudio(track, samples, samples, np.ones(len(samples) // 256, np.float32), start)


def syllables(seconds, seed=0):
    """Noise that is loud about five times a second."""
    rng = np.random.default_rng(seed)
    level = np.interp(np.arange(seconds * RATE) / RATE, np.arange(0, seconds + 1, 0.1), rng.random(10 * seconds + 10))
    return (0.1 * level**2 * rng.standard_normal(seconds * RATE)).astype(np.float32)


@pytest.fixture(scope="module")
def lips():
    """A mouth that talks for six seconds."""
    reader = LipReader()
    return [reader.process([face_of("face_1", k / 25, o)], k / 25) for k, o in enumerate(talk(150))]


def feed(synchrony, lips, sounds, block=1024):
    """Give lips and the sounds of tracks as they come."""
    length = max(map(len, sounds.values()))
    pending = list(lips)
    for start in range(0, length, block):
        synchrony.hear([source(t, x[start : start + block], start) for t, x in sounds.items() if start < len(x)])
        while pending and pending[0][0].time <= (start + block) / RATE:
            synchrony.see(pending.pop(0))


def test_nothing_known_says_nothing(lips):
    synchrony = Synchrony()
    assert synchrony.log_ratio("face_1", 1, 0.0, 5.0) == 0.0
    feed(synchrony, lips, {1: syllables(6)})
    assert synchrony.log_ratio("face_2", 1, 0.0, 5.0) == 0.0
    assert synchrony.log_ratio("face_1", 2, 0.0, 5.0) == 0.0
    assert synchrony.log_ratio("face_1", 1, 7.0, 9.0) == 0.0
    assert synchrony.log_ratio("face_1", 1, 1.0, 1.0) == 0.0
    assert abs(synchrony.log_ratio("face_1", 1, 1.0, 5.0)) < 6.0
    assert synchrony.log_ratio("face_1", 1, 1.0, 5.0) != 0.0
    synchrony.reset()
    assert synchrony.log_ratio("face_1", 1, 1.0, 5.0) == 0.0


def test_how_sound_is_cut_up_changes_nothing(lips):
    ratios = []
    for block in (160, 1024, 4096, 6 * RATE):
        synchrony = Synchrony()
        feed(synchrony, lips, {1: syllables(6), 2: syllables(6, 1)}, block)
        ratios.append([synchrony.log_ratio("face_1", track, 0.5, 5.0) for track in (1, 2)])
    assert ratios[0][0] != ratios[0][1]
    np.testing.assert_allclose(ratios, ratios[:1] * 4, atol=1e-3)


def test_loudness_changes_nothing(lips):
    ratios = []
    for gain in (1.0, 0.01):
        synchrony = Synchrony()
        feed(synchrony, lips, {1: gain * syllables(6)})
        ratios.append(synchrony.log_ratio("face_1", 1, 0.5, 5.0))
    assert ratios[0] == pytest.approx(ratios[1], abs=0.02)


def test_steps_are_what_they_are_however_the_sound_comes():
    samples = syllables(2)
    whole = SoundSteps().process(samples)
    steps = SoundSteps()
    parts = [steps.process(samples[start : start + 777]) for start in range(0, len(samples), 777)]
    assert whole.shape == (49, N_SOUND)
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)
    assert np.abs(whole).max() <= 1.6


def test_memory_is_bounded(lips):
    synchrony = Synchrony()
    feed(synchrony, lips, {1: syllables(6), 2: syllables(6)})
    for second in range(6, 25):
        synchrony.hear([source(1, syllables(1, second), second * RATE)])
    assert synchrony.log_ratio("face_1", 1, 1.0, 5.0) == 0.0
    assert set(synchrony._tracks) == {1}
    assert not synchrony._faces
    assert len(synchrony._tracks[1].course.times) <= HISTORY / 0.04 + 1


def test_a_track_that_starts_again_is_one_track(lips):
    synchrony = Synchrony()
    feed(synchrony, lips, {1: syllables(2)})
    synchrony.hear([source(1, syllables(2, 3), 4 * RATE)])
    times = synchrony._tracks[1].course.times
    assert times[0] == pytest.approx(0.04)
    assert times[-1] == pytest.approx(5.96)
    assert synchrony.log_ratio("face_1", 1, 2.1, 3.9) == 0.0


def read(filmed):
    """States of the lips in every frame in which a face is seen, and the sound, of each clip."""
    found = []
    for frames, _, sound in filmed:
        reader = LipReader()
        found.append(([state for faces, time in frames if (state := reader.process(faces, time))], sound))
    return found


def test_real_lips_make_their_own_sound(filmed):
    own, other, clips = [], [], read(filmed)
    for number, (lips, sound) in enumerate(clips):
        synchrony = Synchrony()
        feed(synchrony, lips, {1: sound, 2: clips[number - 1][1]})
        own.append(synchrony.log_ratio("face_1", 1, 0.5, 2.7))
        other.append(synchrony.log_ratio("face_1", 2, 0.5, 2.7))
    assert np.mean(own) > 0.5
    assert np.mean(other) < -0.5


@pytest.mark.parametrize("late", [-0.2, 0.0, 0.2])
def test_the_offset_of_pictures_is_found(filmed, late):
    synchrony = Synchrony()
    start = 0
    for _ in range(2):
        for lips, sound in read(filmed):
            sound = sound[: len(sound) // 256 * 256]
            events = [(state[0].time + late + start / RATE, state) for state in lips]
            for begin in range(0, len(sound), 1024):
                stretch = sound[begin : begin + 1024]
                synchrony.hear([source(1, stretch, start + begin)])
                until = (start + begin + len(stretch)) / RATE
                while events and events[0][0] <= until:
                    time, (state, *_) = events.pop(0)
                    synchrony.see([type(state)(state.face_id, time, state.speaking, state.embedding)])
            start += len(sound)
    assert synchrony.offset == pytest.approx(late, abs=0.061)
    assert np.abs(synchrony.offset) <= LAGS[-1]


def test_a_missing_calibration_is_named(tmp_path):
    with pytest.raises(InputError, match=r"sound_encoder\.onnx"):
        Synchrony(tmp_path)
    (tmp_path / FILE).write_text(json.dumps({"fit": {"point": "x"}}))
    with pytest.raises(InputError, match="no calibration"):
        SyncLikelihood.beside(tmp_path)
    (tmp_path / "sound_encoder.onnx").write_bytes((own_weights() / "sound_encoder.onnx").read_bytes())
    with pytest.raises(InputError, match="no calibration"):
        Synchrony(tmp_path)


def test_ratios_are_bounded_and_silent_without_evidence():
    likelihood = SyncLikelihood(point=1.0, rate=0.1, word=2.0, pace=0.3, start=-0.2, fade=2.0)
    assert likelihood.log_ratio(1.0, 0.0, 1.0, 0.0) == 0.0
    assert likelihood.log_ratio(1.0, 1.0, 1.0, 0.5) > likelihood.log_ratio(1.0, 1.0)
    ratios = [likelihood.log_ratio(points, 1.0) for points in np.linspace(-1e4, 1e4, 9)]
    assert (np.diff(ratios) >= 0).all()
    assert -6.0 < ratios[0] < ratios[-1] < 6.0
