"""Where things are: scripts of actors, poses that arrive, frames in frames."""

from __future__ import annotations

import numpy as np
import pytest
from hearing_gazebo.poses import IDENTITY, KEPT, Carried, Fixed, Pose, Received, Script


def numbers(*rows: tuple[float, float, float]) -> np.ndarray:
    return np.array([[x, y, 1.0, 0.0, 0.0, yaw] for x, y, yaw in rows])


def test_poses_are_frames() -> None:
    outer = Pose.from_numbers(np.array([1.0, 2.0, 3.0, 0.1, -0.2, 0.7]))
    inner = Pose.from_numbers(np.array([-0.3, 0.4, 0.2, 0.3, 0.1, -2.0]))
    point = np.array([0.5, -1.0, 2.0])
    assert np.allclose((outer @ inner).to_outer(point), outer.to_outer(inner.to_outer(point)))
    assert np.allclose(outer.to_inner(outer.to_outer(point)), point)
    assert np.allclose((outer.inverse() @ outer).matrix, np.eye(4))
    assert np.allclose(Pose.from_matrix(outer.matrix).to_outer(point), outer.to_outer(point))
    assert Pose.from_numbers(np.array([0, 0, 0, 0, 0, 0.5])).yaw == pytest.approx(0.5)
    carried = Carried(Fixed(outer), inner)
    assert np.allclose(carried.at(3.0).matrix, (outer @ inner).matrix)


def test_an_actor_passes_its_waypoints_and_begins_again() -> None:
    times = np.array([0.0, 2.0, 3.0, 5.0])
    places = numbers((0, 0, 0), (2, 0, 0), (2, 1, 1.5), (0, 1, 3.0))
    script = Script(IDENTITY, times, places, loop=True, delay=1.0, tension=0.0)
    for time, place in zip(times[:-1], places, strict=False):
        assert np.allclose(script.at(1.0 + time).position, place[:3])
        assert script.at(1.0 + time).yaw == pytest.approx(place[5])
        assert np.allclose(script.at(6.0 + time).position, place[:3])
    assert np.allclose(script.at(0.0).position, places[0, :3])  # it waits
    once = Script(IDENTITY, times, places, loop=False, delay=0.0, tension=0.0)
    assert np.allclose(once.at(100.0).position, places[-1, :3])


def test_an_actor_moves_as_a_cardinal_spline() -> None:
    """gz::math::Spline with tangents of half the way between the neighbours; straight and even at full tension."""
    times, places = np.array([0.0, 1.0, 2.0, 3.0]), numbers((0, 0, 0), (1, 0, 0), (2, 1, 0), (3, 1, 0))
    smooth = Script(IDENTITY, times, places, loop=False, delay=0.0, tension=0.0)
    # Catmull-Rom in the middle of a segment: (-p0 + 9 p1 + 9 p2 - p3) / 16.
    middle = (-places[0] + 9 * places[1] + 9 * places[2] - places[3]) / 16
    assert np.allclose(smooth.at(1.5).position, middle[:3])
    tense = Script(IDENTITY, times, places, loop=False, delay=0.0, tension=1.0)
    assert np.allclose(tense.at(1.5).position, places[1:3, :3].mean(axis=0))


def test_headings_turn_the_short_way() -> None:
    script = Script(IDENTITY, np.array([0.0, 1.0]), numbers((0, 0, 3.0), (0, 0, -3.0)), False, 0.0, 0.0)
    assert abs(script.at(0.5).yaw) == pytest.approx(np.pi)


def test_poses_that_arrive_are_joined_by_straight_ways() -> None:
    received = Received()
    assert received.first is received.last is None
    for time, x, yaw in ((1.0, 0.0, 3.0), (2.0, 1.0, -3.0), (1.5, 9.0, 0.0), (2.0, 9.0, 0.0)):  # two of them too late
        received.add(time, Pose.from_numbers(np.array([x, 0, 0, 0, 0, yaw])))
    assert (received.first, received.last) == (1.0, 2.0)
    assert received.at(1.25).position[0] == pytest.approx(0.25)
    assert abs(received.at(1.5).yaw) == pytest.approx(np.pi)
    assert received.at(0.0).position[0] == 0.0
    assert received.at(9.0).position[0] == 1.0


def test_old_poses_are_forgotten() -> None:
    received = Received()
    for step in range(1000):
        received.add(0.1 * step, IDENTITY)
    assert received.last == pytest.approx(99.9)
    assert received.first == pytest.approx(99.9 - KEPT, abs=0.2)
