"""Mouths that are seen, and those that something covers."""

import numpy as np
import pytest
from hearing_datasets import kit_root
from hearing_models.lips.covers import fit

from hearing.errors import InputError
from hearing.vision.covers import FILE, MouthLooks, reduced
from hearing.vision.face_tracker import FaceTracker
from hearing.vision.lips import own_weights


@pytest.fixture(scope="module")
def looks():
    return MouthLooks.beside(own_weights())


def test_half_the_size_and_level():
    pictures = np.random.default_rng(0).normal(3, 5, (2, 48, 64)).astype(np.float32)
    shades = reduced(pictures)
    assert shades.shape == (2, 24 * 32)
    np.testing.assert_allclose(shades.mean(axis=1), 0, atol=1e-4)
    np.testing.assert_allclose(shades.std(axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(reduced(2 * pictures + 1), shades, atol=1e-3)
    assert np.isfinite(reduced(np.zeros((48, 64), np.float32))).all()


def test_the_mouth_of_a_mask_is_not_seen(stage, standing):
    from hearing_sim.faces.photo import FACE_HEIGHT, Expression, photo
    from hearing_sim.faces.stage import cover, paste

    who, way, _ = standing[0]
    view = stage.lens.see(np.array(way(0.0)), 0.0)
    for occlusion, seen in (("none", True), ("mask", False), ("cup", False)):
        tracker = FaceTracker(stage.camera)
        for number, opening in enumerate((0.0, 0.4, 0.1, 0.6, 0.0, 0.3)):
            face = photo(kit_root() / "faces" / "london_neutral" / f"{who}.jpg")
            patch = face.show(Expression(opening=opening), view.scale * FACE_HEIGHT)
            cover(patch, occlusion)
            frame = stage.background()
            paste(frame, patch, (view.x, view.y))
            faces = tracker.process(frame, 0.2 * number)
        (face,) = faces
        assert face.landmarks is not None
        assert (face.mouth is not None) == seen, occlusion


def test_real_mouths_are_seen(filmed):
    faces = [face for frames, *_ in filmed for found, _ in frames for face in found if face.landmarks is not None]
    assert np.mean([face.mouth is not None for face in faces]) > 0.98


def test_what_is_unlike_all_mouths_is_strange():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1:1:48j, -1:1:64j]
    gaps = rng.uniform(0.05, 0.6, 60)[:, None, None]
    mouths = -np.exp(-((x / 0.6) ** 2) - (y / gaps) ** 2) + 0.01 * rng.standard_normal((60, 48, 64))
    looks = fit(mouths.astype(np.float32))
    assert np.mean(looks.strangeness(mouths.astype(np.float32)) <= looks.limit) > 0.9
    assert looks.strangeness(np.sign(x + 0 * y).astype(np.float32)) > 3 * looks.limit


def test_missing_looks_are_named(tmp_path):
    with pytest.raises(InputError, match="no looks of mouths"):
        MouthLooks.beside(tmp_path)
    (tmp_path / FILE).write_bytes(b"nothing")
    with pytest.raises(InputError, match="no looks of mouths"):
        MouthLooks.beside(tmp_path)
