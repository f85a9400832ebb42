"""Lips are read face by face, causally, whatever the frame rate, and forgotten with the face."""

import math

import numpy as np
import pytest
from mouths import face_of, landmarks, talk

from hearing.errors import InputError
from hearing.vision.head import head_of
from hearing.vision.lips import FORGET, N_SHAPE, PRIOR, LipReader, lip_shape


@pytest.fixture(scope="module")
def reader():
    return LipReader()


def read(reader, frames):
    """States of every frame of (faces, time)."""
    reader.reset()
    return [reader.process(faces, time) for faces, time in frames]


def scene(openings, fps=25.0, name="face_1", start=0.0):
    """A mouth that opens so far, in shares of the face's height, frame by frame."""
    return [([face_of(name, start + k / fps, opening)], start + k / fps) for k, opening in enumerate(openings)]


def test_states_are_in_the_order_of_the_faces(reader):
    faces = [face_of("b", 0.0, 0.05), face_of("hidden", 0.0, None), face_of("a", 0.0, 0.0)]
    (states,) = read(reader, [(faces, 0.0)])
    assert [state.face_id for state in states] == ["b", "hidden", "a"]
    assert all(state.time == 0.0 and 0 <= state.speaking <= 1 for state in states)
    assert states[1].embedding is None
    assert states[1].speaking == PRIOR
    for state in (states[0], states[2]):
        assert state.embedding.shape == (reader.dimensions,)
        assert state.embedding.dtype == np.float32


def test_faces_do_not_change_each_other(reader):
    first, second = scene(talk(20), name="a"), scene(talk(20, seed=5), name="b")
    alone = read(reader, first)
    together = read(reader, [(two + one, time) for (one, time), (two, _) in zip(first, second, strict=True)])
    for single, both in zip(alone, together, strict=True):
        assert both[1].speaking == pytest.approx(single[0].speaking, abs=1e-5)
        np.testing.assert_allclose(both[1].embedding, single[0].embedding, atol=1e-4)


def test_what_is_gone_is_forgotten(reader):
    frames = scene(talk(20))
    fresh = read(reader, frames[12:])
    again = read(reader, [*frames[:11], ([], frames[11][1]), *frames[12:]])[12:]
    unseen = [([face_of("face_1", time, None)], time) for _, time in frames[11:12]]
    held = read(reader, [*frames[:11], *unseen, *frames[12:]])[12:]
    np.testing.assert_array_equal(again[0][0].embedding, fresh[0][0].embedding)
    assert not np.allclose(held[0][0].embedding, fresh[0][0].embedding)
    long = [(faces, time + 2 * FORGET) for faces, time in frames[12:]]
    late = read(reader, [*frames[:11], *unseen, *long])[12:]
    np.testing.assert_array_equal(late[0][0].embedding, fresh[0][0].embedding)


def test_a_mouth_that_is_not_seen_is_known_less_and_less(reader):
    frames = scene(talk(40))
    times = frames[-1][1] + 0.1 * np.arange(1, 40)
    states = read(reader, [*frames, *(([face_of("face_1", time, None)], time) for time in times)])
    before, after = states[39][0].speaking, [state[0].speaking for state in states[40:]]
    distances = np.abs(np.array([before, *after]) - PRIOR)
    assert (np.diff(distances) <= 1e-9).all()
    assert distances[-1] < 0.03
    assert all(state[0].embedding is None for state in states[40:])


def test_nothing_depends_on_what_comes_later(reader):
    openings = talk(24)
    first, second = (read(reader, scene(o)) for o in (openings, [*openings[:12], *([0.1] * 12)]))
    for one, two in zip(first[:12], second[:12], strict=True):
        np.testing.assert_array_equal(one[0].embedding, two[0].embedding)
    assert not np.array_equal(first[-1][0].embedding, second[-1][0].embedding)


@pytest.mark.parametrize(("angle", "scale", "shift"), [(0.0, 0.5, 40.0), (0.4, 1.0, 0.0), (-0.3, 1.7, -25.0)])
def test_a_mouth_has_one_shape_wherever_it_is(angle, scale, shift):
    points = landmarks(0.06)
    cos, sin = math.cos(angle), math.sin(angle)
    moved = scale * points @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]]) + [shift, -shift, 0]
    shape, other = lip_shape(points, head_of(points)), lip_shape(moved, head_of(moved))
    assert shape.shape == (N_SHAPE,)
    np.testing.assert_allclose(other[:-1], shape[:-1], atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_real_mouth_speaks_while_words_are_said(filmed, stride):
    during, around = [], []
    for frames, words, _ in filmed:
        reader = LipReader()
        for faces, time in frames[::stride]:
            for state in reader.process(faces, time):
                if words[0].start + 0.2 < time < words[-1].end - 0.1:
                    during.append(state.speaking)
                elif not words[0].start - 0.2 < time < words[-1].end + 0.2:
                    around.append(state.speaking)
    assert np.mean(during) > 0.7
    assert np.mean(around) < 0.4


@pytest.mark.parametrize("fps", [10, 30])
def test_a_mouth_at_rest_does_not_speak(reader, fps):
    states = read(reader, scene(np.full(6 * fps, 0.01), fps))
    assert np.mean([state[0].speaking for state in states[3 * fps :]]) < 0.25


@pytest.mark.parametrize("time", [1.0, 0.5, float("nan"), float("inf")])
def test_frames_must_follow(reader, time):
    reader.reset()
    reader.process([face_of("face_1", 1.0, 0.0)], 1.0)
    with pytest.raises(InputError, match="in order"):
        reader.process([face_of("face_1", time, 0.0)], time)


def test_missing_networks_are_named(tmp_path):
    with pytest.raises(InputError, match=r"lip_encoder\.onnx"):
        LipReader(tmp_path)
