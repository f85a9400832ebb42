"""Faces that come back keep their ids, and nobody gets another's."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from hearing.likeness import Profile
from hearing.memory import PeopleStore
from hearing.vision.eyes import Eyes
from hearing.vision.face_tracker import FaceTracker, FaceTrackerConfig
from hearing.vision.gallery import FaceGallery
from hearing.vision.identity import FaceEncoder, aligned
from hearing.vision.likelihood import FaceLikelihood

SMILE = (("smile", 0.8), ("turn", 0.2))


@pytest.fixture(scope="module")
def encoder():
    return FaceEncoder()


def seen(stage, picture):
    """The only face in a picture."""
    tracker = FaceTracker(stage.camera)
    tracker.process(picture, 0.0)
    (face,) = tracker.process(picture, 0.2)
    return face


@pytest.fixture(scope="module")
def portraits(stage):
    """Somebody's face at two distances and with two expressions, and somebody else's: pictures and faces."""
    near, far = (1.2, 0.1, 0.25), (2.4, -0.3, 0.25)
    people = [("003", near, ()), ("003", far, SMILE), ("022", near, ()), ("022", far, SMILE)]
    pictures = [stage.picture(0.1 * n, (who, lambda _, place=place: place, kind)) for n, (who, place, kind) in
                enumerate(people)]  # fmt: skip
    return [(picture, seen(stage, picture)) for picture in pictures]


def test_the_same_face_is_alike_wherever_it_is_and_others_are_not(encoder, portraits):
    embeddings = np.array([encoder.embed(picture, face.landmarks) for picture, face in portraits])
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1.0, rtol=1e-5)
    worth = [encoder.likelihood.quality(face.quality) for _, face in portraits]
    cosines = embeddings @ embeddings.T
    for one in range(4):
        for other in range(one):
            ratio = encoder.likelihood.log_ratio(cosines[one, other], worth[one], worth[other])
            assert (ratio > 2) if one // 2 == other // 2 else (ratio < -2), (one, other, ratio)


def test_faces_are_aligned_however_large_and_tilted_they_are(portraits):
    picture, face = portraits[0]
    upright = aligned(picture, face.landmarks).astype(float)
    for degrees, scale in ((25.0, 1.0), (0.0, 2.0), (-15.0, 3.0)):
        turn = cv2.getRotationMatrix2D((320, 240), degrees, scale)
        size = (1920, 1440)
        turned = cv2.warpAffine(picture, turn, size, flags=cv2.INTER_CUBIC)
        landmarks = face.landmarks.copy()
        landmarks[:, :2] = landmarks[:, :2] @ turn[:, :2].T + turn[:, 2]
        difference = aligned(turned, landmarks).astype(float) - upright
        inside = difference[20:130, 20:130]
        assert np.abs(inside).mean() < 6.0, (degrees, scale)


def test_a_face_that_comes_back_has_its_id_again(encoder, portraits):
    (first, face), (again, later), (other, stranger), _ = portraits
    gallery = FaceGallery(encoder)
    (shown,) = gallery.process(first, (replace(face, id="face_7"),), 0.0)
    assert shown.id == "face_1"
    assert gallery.process(first, (), 10.0) == ()
    (shown,) = gallery.process(other, (replace(stranger, id="face_8"),), 20.0)
    assert shown.id == "face_2"
    (shown,) = gallery.process(again, (replace(later, id="face_9"),), 30.0)
    assert shown.id == "face_1"
    assert gallery.looks("face_1").heard == 2
    gallery.reset()
    (shown,) = gallery.process(again, (replace(later, id="face_1"),), 0.0)
    assert shown.id == "face_1"
    assert gallery.looks("face_1").heard == 1


def test_who_is_seen_elsewhere_is_not_expected_where_he_was(encoder, portraits):
    (first, face), (again, later), *_ = portraits
    gallery = FaceGallery(encoder)
    gallery.process(first, (face,), 0.0)
    hidden = replace(face, landmarks=None, mouth=None, quality=0.0)
    walked = replace(later, id="face_2")
    assert [shown.id for shown in gallery.process(again, (hidden, walked), 3.0)] == ["face_1"]
    assert gallery.process(again, (hidden, walked), 3.1)[0].landmarks is later.landmarks


def test_who_takes_anothers_place_gets_an_id_of_his_own(encoder, portraits):
    (first, face), _, (other, stranger), _ = portraits
    gallery = FaceGallery(encoder)
    gallery.process(first, (face,), 0.0)
    taken = replace(stranger, id=face.id)
    ids = [gallery.process(other, (taken,), time)[0].id for time in np.arange(2.5, 4.5, 0.1)]
    assert ids[0] == "face_1"
    assert ids[-1] == "face_2"
    assert ids == sorted(ids)
    ids = [gallery.process(first, (face,), time)[0].id for time in np.arange(7.0, 9.0, 0.1)]
    assert ids[-1] == "face_1"


def test_people_from_before_are_known(encoder, portraits):
    (first, face), (again, later), (other, stranger), _ = portraits
    ada, bob = Profile(), Profile()
    ada.update(encoder.embed(first, face.landmarks), 0.9)
    bob.update(encoder.embed(other, stranger.landmarks), 0.9)
    gallery = FaceGallery(encoder, {"Ada": ada, "Bob": bob})
    assert gallery.who("face_1") == {}
    gallery.process(again, (later,), 0.0)
    ratios = gallery.who("face_1")
    assert ratios["Ada"] > 2
    assert ratios["Bob"] < -2


def test_eyes_say_whom_they_know(stage, encoder, portraits, tmp_path):
    picture, face = portraits[0]
    ada = Profile()
    ada.update(encoder.embed(picture, face.landmarks), 0.9)
    people = PeopleStore(tmp_path, bytes(32))
    people.enroll("Ada", face=ada, faces=encoder.likelihood)
    eyes = Eyes(stage.camera, people=people)
    sights = [eyes.process(picture, time) for time in (0.0, 0.2, 0.4)]
    assert sights[0].people == {}
    assert sights[-1].people["face_1"]["Ada"] > 2


def test_what_is_hardly_seen_says_nothing(encoder, portraits):
    (first, face), *_ = portraits
    gallery = FaceGallery(encoder)
    gallery.process(first, (replace(face, quality=0.1),), 0.0)
    assert gallery.looks("face_1").heard == 0
    ratios = [FaceLikelihood("x", 0.84, 0.3, 2.0, 30.0, 0.5).log_ratio(0.97, worth, 0.9) for worth in (0.0, 0.5, 0.9)]
    assert ratios[0] == 0.0
    assert ratios == sorted(ratios)


def test_eyes_see_one_person_who_leaves_and_comes_back(stage):
    def way(time):
        return (1.5, 0.3, 0.25) if time < 1.0 else (1.5, -0.4, 0.25) if time > 2.0 else None

    eyes = Eyes(stage.camera)
    eyes._tracker.config = FaceTrackerConfig(timeout=0.6)
    sights = [eyes.process(*shown) for shown in stage.film(np.arange(0, 3.0, 0.1), ("003", way, ()))]
    assert {face.id for sight in sights for face in sight.faces} == {"face_1"}
    assert [sight.time for sight in sights] == pytest.approx(np.arange(0, 3.0, 0.1))
    assert all(len(sight.faces) == len(sight.lips) for sight in sights)
    assert [lips.face_id for lips in sights[-1].lips] == ["face_1"]
    assert sights[-1].people == {}
    late = eyes.process(stage.picture(0.5), 0.5)
    assert late is sights[-1]
    eyes.reset()
    assert eyes.process(stage.picture(0.0), 0.0).faces == ()
