"""Talking faces for training, and networks that do as ONNX what they do in training."""

import json

import numpy as np
import pytest
import torch
from hearing_datasets import Phone, Word
from hearing_models.lips.articulation import GESTURES, N_CLASSES, RATE, SILENCE, Imitation, Motion, say, viseme_classes
from hearing_models.lips.calibration import NAMES, fit
from hearing_models.lips.examples import N_FRAMES, N_STEPS, Examples, mirror, sequence_features
from hearing_models.lips.export import export, steps_of
from hearing_models.lips.filming import Film
from hearing_models.lips.judging import WINDOWS, WRONG, Windows, auc
from hearing_models.lips.network import silence
from hearing_models.lips.sounds import VARIANTS
from hearing_models.lips.spelling import fit as fit_spelling
from hearing_models.lips.takes import SECONDS, UNKNOWN, Take
from hearing_models.lips.training import Pair, train

from hearing.recognition.session import open_session
from hearing.vision.lips import N_FEATURES, N_SHAPE
from hearing.vision.synchrony import N_POINT, N_SOUND

PHONES = [Phone("M", 0.5, 0.6), Phone("AA", 0.6, 0.8), Phone("P", 0.8, 0.9), Phone("UW", 0.9, 1.1)]


def make_take(rng, way="film"):
    n_frames, n_samples = round(25 * SECONDS), round(RATE * SECONDS)
    film = Film(
        np.arange(n_frames) / 25,
        rng.normal(0, 0.1, (n_frames, N_SHAPE)).astype(np.float32),
        rng.random(n_frames) > 0.1,
    )
    speaking = np.repeat(rng.integers(0, 2, n_samples // 100), 100).astype(np.int8)
    viseme = np.where(speaking, rng.integers(1, N_CLASSES, n_samples), UNKNOWN).astype(np.int8)
    return Take(film, np.zeros(round(16000 * SECONDS), np.int16), speaking, viseme, "phones", way)


@pytest.fixture(scope="module")
def pair():
    torch.manual_seed(1)
    return Pair().eval()


def test_closed_lips_are_closed_and_open_vowels_open():
    for seed in range(5):
        motion = say(PHONES, 160, np.random.default_rng(seed))
        assert motion.opening[:25].max() < 0.02
        assert motion.opening[60:80].max() > motion.opening[45:58].min() + 0.1
        assert motion.width[92:108].min() < -0.1
        assert motion.opening.min() >= 0
        assert motion.opening.max() <= 1.2
    classes = viseme_classes(PHONES, 160)
    assert classes[55] == classes[85] != classes[70]
    assert classes[10] == classes[150] == SILENCE


def test_people_say_the_same_differently():
    one, two = (say(PHONES, 160, np.random.default_rng(seed)) for seed in (1, 2))
    again = say(PHONES, 160, np.random.default_rng(1))
    np.testing.assert_array_equal(one.opening, again.opening)
    assert np.abs(one.opening - two.opening).max() > 0.02


@pytest.mark.parametrize("name", GESTURES)
def test_gestures_stay_within_bounds(name):
    for seed in range(4):
        motion = GESTURES[name](500, np.random.default_rng(seed))
        for curve in motion.curves():
            assert curve.shape == (500,)
            assert np.abs(curve).max() < 2.5


def test_motions_add_up_where_they_overlap():
    whole, part = Motion.rest(100), Motion(*np.ones((3, 30)))
    whole.add(part, -10)
    whole.add(part, 90)
    assert whole.opening.sum() == 30
    assert whole.opening[:20].all()
    assert whole.opening[90:].all()


def test_an_imitation_follows_the_sound():
    rng = np.random.default_rng(0)
    motions, sounds = [], []
    for _ in range(4):
        opening = np.clip(np.interp(np.arange(300), np.arange(0, 301, 15), rng.random(21)) - 0.3, 0, 1)
        motions.append(Motion(opening, np.zeros(300), np.zeros(300)))
        sounds.append((rng.standard_normal(48000) * np.repeat(opening, 160) * 0.1).astype(np.float32))
    imitation = Imitation.fit(sounds[:3], motions[:3])
    moved = [imitation.move(sounds[3], 300, np.random.default_rng(seed)).opening for seed in range(4)]
    assert np.mean([np.corrcoef(one, motions[3].opening)[0, 1] for one in moved]) > 0.6


def test_takes_are_kept(tmp_path):
    take = make_take(np.random.default_rng(0))
    take.save(tmp_path / "take.npz")
    kept = Take.load(tmp_path / "take.npz")
    assert (kept.kind, kept.way) == (take.kind, take.way)
    np.testing.assert_array_equal(kept.film.shapes, take.film.shapes)
    np.testing.assert_array_equal(kept.viseme, take.viseme)


def test_mirrors():
    shapes = np.random.default_rng(0).standard_normal((2, 3, N_SHAPE)).astype(np.float32)
    mirrored = mirror(shapes)
    np.testing.assert_array_equal(mirror(mirrored), shapes)
    assert not np.array_equal(mirrored, shapes)
    np.testing.assert_array_equal(mirrored[..., -5:-3], shapes[..., -5:-3])


def test_examples_follow_from_their_seed():
    rng = np.random.default_rng(0)
    takes = [make_take(rng, way) for way in ("film", "sketch", "real", "sketch")]
    heard = [rng.standard_normal((VARIANTS + 1, 199, N_SOUND)).astype(np.float16) for _ in takes]
    first, second = (next(iter(Examples(takes, heard, 4, 3))) for _ in range(2))
    torch.testing.assert_close(first.features, second.features)
    torch.testing.assert_close(first.sound, second.sound)
    assert first.features.shape == (4, N_FRAMES, N_FEATURES)
    assert first.sound.shape == (4, N_STEPS, N_SOUND)
    assert (first.place >= 0).all()
    assert (first.elapsed > 0).all()


def test_training_goes_on_where_it_stopped(tmp_path):
    rng = np.random.default_rng(0)
    takes = [make_take(rng, way) for way in ("film", "sketch", "real")]
    heard = [rng.standard_normal((VARIANTS + 1, 199, N_SOUND)).astype(np.float16) for _ in takes]
    held_out = [next(iter(Examples(takes, heard, 3, 9)))]
    told = []

    def run(steps):
        told.clear()
        batches = lambda seed: Examples(takes, heard, 3, seed)  # noqa: E731
        return train(tmp_path, batches, held_out, steps, 1, lambda step, figures: told.append((step, figures)), every=1)

    run(2)
    assert [step for step, _ in told] == [1, 2]
    assert np.isfinite(list(told[0][1].values())).all()
    log = json.loads((tmp_path / "log.json").read_text())
    assert [entry["step"] for entry in log] == [1, 2]
    run(2)
    assert told == []


@torch.inference_mode()
def test_exported_networks_do_the_same(pair, tmp_path):
    shares = torch.full((N_CLASSES,), 1 / N_CLASSES)
    export(pair, shares, tmp_path, {"seed": "1"})
    lip_step, sound_step = steps_of(pair, shares)
    session = open_session(tmp_path / "lip_encoder.onnx", 1)
    memory = silence(pair.lips, 3)
    for _ in range(3):
        inputs = torch.randn(3, N_FEATURES), memory
        expected = lip_step(*inputs)
        found = session.run(None, {"features": inputs[0].numpy(), "memory": memory.numpy()})
        for one, two in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, two.numpy(), atol=1e-4)
        memory = expected[2]
    session = open_session(tmp_path / "sound_encoder.onnx", 1)
    sound = torch.randn(2, 7, N_SOUND)
    embedding, _ = sound_step(sound, silence(pair.sound, 2))
    _, after = session.run(None, {"sound": sound[:, :4].numpy(), "memory": silence(pair.sound, 2).numpy()})
    rest, _ = session.run(None, {"sound": sound[:, 4:].numpy(), "memory": after})
    np.testing.assert_allclose(rest, embedding[:, 4:].numpy(), atol=1e-4)
    assert embedding.shape[2] == N_POINT
    # Likelihood ratios of visemes are 1 in the mean over how often each is said.
    np.testing.assert_allclose(found[1][:, N_POINT:].mean(axis=1), 1, atol=1e-4)


def test_networks_are_small(pair):
    assert sum(parameter.numel() for parameter in pair.lips.parameters()) < 1_000_000


def test_features_of_a_sequence_do_not_depend_on_what_follows():
    shapes = np.random.default_rng(0).standard_normal((2, 20, N_SHAPE)).astype(np.float32)
    times = np.cumsum(np.full((2, 20), 0.05), axis=1)
    whole, elapsed = sequence_features(shapes, times)
    part, _ = sequence_features(shapes[:, :8], times[:, :8])
    np.testing.assert_array_equal(whole[:, :8], part)
    np.testing.assert_allclose(elapsed[:, 1:], 0.05, atol=1e-6)


def test_a_fit_knows_evidence_from_noise():
    rng = np.random.default_rng(0)
    n = 2000
    kind = np.where(rng.random(n) < 0.5, "own", rng.choice(WRONG, n))
    points = np.where(kind == "own", 1.0, -1.0) + rng.standard_normal(n)
    length = rng.choice(WINDOWS, n)
    words = 0.2 * points + 0.4 * rng.standard_normal(n)
    values = fit(Windows(points, length, words, length, kind, length))
    assert tuple(values) == NAMES
    assert values["point"] > 0.5
    assert 0 <= values["word"] < 1


def test_spelling_is_learned_from_aligned_words():
    phones = (Phone("M", 0.1, 0.2), Phone("AA", 0.2, 0.35), Phone("M", 0.35, 0.45))
    table = fit_spelling([[Word("mom", 0.1, 0.45, phones)]] * 20)
    assert set(table) == {"m", "o"}
    assert table["m"].argmax() == 8
    assert table["o"].argmax() == 0
    for row in table.values():
        assert row.sum() == pytest.approx(1.0)


def test_area_under_the_curve():
    assert auc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1.0
    assert auc(np.array([0.0, 1.0]), np.array([0.0, 1.0])) == 0.5
