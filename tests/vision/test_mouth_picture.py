"""Mouths are cut out alike, however a face is held, lit, and far away."""

import cv2
import numpy as np
import pytest
from hearing_models.faces.facing import cross_entropy, fit

from hearing.errors import InputError
from hearing.vision.detector import FaceDetector
from hearing.vision.face_tracker import FaceTracker
from hearing.vision.head import FACING, Facing, facing_probability, head_of
from hearing.vision.landmarks import FaceLandmarks, Region
from hearing.vision.mouth import mouth_picture
from hearing.vision.quality import sharpness


@pytest.fixture(scope="module")
def close(stage):
    """One face from nearby, its mouth a little open."""
    return stage.picture(0.0, ("003", lambda _: (0.8, 0.05, 0.12), (("opening", 0.3),)))


def mouth(image):
    """The mouth in a picture, and its head."""
    (found,) = FaceDetector().detect(image)
    left, top, right, bottom = found.box
    region = Region((left + right) / 2, (top + bottom) / 2, 1.5 * (bottom - top), found.roll)
    landmarks = FaceLandmarks().find(image, region)
    head = head_of(landmarks.points)
    return mouth_picture(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), landmarks.points, head), head


def test_a_mouth_is_normalised(close):
    picture, _ = mouth(close)
    assert picture.shape == (48, 64)
    assert picture.dtype == np.float32
    assert abs(picture.mean()) < 1e-4
    assert picture.std() == pytest.approx(1.0, abs=1e-4)
    assert picture[24:30, 24:40].mean() < -0.3  # the gap between the lips is dark, and in the middle


@pytest.mark.parametrize(("angle", "scale", "light"), [(0, 1.0, 0.5), (20, 1.0, 1.0), (-25, 0.7, 0.8), (0, 0.5, 1.0)])
def test_posture_distance_and_light_change_little(close, angle, scale, light):
    turn = cv2.getRotationMatrix2D((320, 240), angle, scale)
    changed = cv2.convertScaleAbs(cv2.warpAffine(close, turn, (640, 480), borderMode=cv2.BORDER_REPLICATE), alpha=light)
    (picture, head), (other, tilted) = mouth(close), mouth(changed)
    assert np.corrcoef(picture.ravel(), other.ravel())[0, 1] > 0.9
    assert tilted.opening == pytest.approx(head.opening, abs=0.02)
    assert tilted.size == pytest.approx(scale * head.size, rel=0.06)
    assert np.rad2deg(tilted.roll - head.roll) == pytest.approx(-angle, abs=4)


def test_a_mouth_at_the_edge_of_the_picture_is_cut_out_all_the_same(close):
    grey = cv2.cvtColor(close, cv2.COLOR_BGR2GRAY)
    points = np.tile([[638.0, 478.0, 0.0]], (468, 1)) + np.random.default_rng(0).normal(0, 30, (468, 3))
    assert np.isfinite(mouth_picture(grey, points, head_of(points))).all()
    assert not mouth_picture(np.zeros_like(grey), points, head_of(points)).any()


def test_blurred_faces_are_less_sharp(stage, close):
    grey = cv2.cvtColor(close, cv2.COLOR_BGR2GRAY)[180:280, 260:380]
    assert sharpness(cv2.blur(grey, (9, 9))) < 0.5 * sharpness(grey)

    def quality(image):
        tracker = FaceTracker(stage.camera)
        tracker.process(image, 0.0)
        (face,) = tracker.process(image, 0.2)
        return face.quality

    assert quality(cv2.blur(close, (15, 15))) < 0.7 * quality(close)


def test_who_faces_the_camera_looks_at_it():
    angles = np.deg2rad([0, 8, 16, 30, 60])
    for probabilities in ([facing_probability(a, 0.0) for a in angles], [facing_probability(0.0, -a) for a in angles]):
        assert probabilities[0] > 0.9
        assert probabilities[-1] < 0.01
        assert all(np.diff(probabilities) < 0)
    assert facing_probability(0.2, 0.0) < facing_probability(
        0.0, 0.2
    )  # who turns away looks away, sooner than who nods


def test_a_missing_calibration_of_looks_is_named(tmp_path):
    with pytest.raises(InputError, match="no calibration of looks"):
        Facing.beside(tmp_path)
    (tmp_path / FACING).write_text('{"fit": {"angle": 0.2}}')
    with pytest.raises(InputError, match="no calibration of looks"):
        Facing.beside(tmp_path)


def test_looks_are_fitted_to_heads():
    rng = np.random.default_rng(0)
    looks = rng.random(800) < 0.4
    yaw = np.where(looks, 0.07 * rng.standard_normal(800), rng.uniform(0.15, 1.0, 800) * rng.choice([-1, 1], 800))
    pitch = 0.05 + 0.07 * rng.standard_normal(800)
    facing = fit(yaw, pitch, looks)
    assert 0.1 < facing.angle < 0.3
    assert facing.level == pytest.approx(0.05, abs=0.02)
    assert cross_entropy(facing, yaw, pitch, looks) < 0.3
