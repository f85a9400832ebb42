import numpy as np
import pytest
from hearing_sim.motion import Pose, PoseWaypoint, Trajectory, Waypoint
from hypothesis import given
from hypothesis import strategies as st

WALK = Trajectory([Waypoint(1.0, (0.0, 0.0, 1.5)), Waypoint(3.0, (2.0, 1.0, 1.5)), Waypoint(4.0, (2.0, 3.0, 1.5))])


def test_passes_every_waypoint_and_stands_still_outside():
    np.testing.assert_allclose(WALK.at([1.0, 3.0, 4.0]), [[0, 0, 1.5], [2, 1, 1.5], [2, 3, 1.5]])
    np.testing.assert_allclose(WALK.at([-5.0, 9.0]), [[0, 0, 1.5], [2, 3, 1.5]])
    np.testing.assert_array_equal(WALK.velocity([-5.0, 9.0]), 0.0)
    assert WALK.moving


def test_two_waypoints_are_a_straight_line_at_constant_speed():
    line = Trajectory([Waypoint(0.0, (0.0, 0.0, 0.0)), Waypoint(2.0, (2.0, 0.0, 0.0))])
    np.testing.assert_allclose(line.velocity(np.linspace(0, 2, 9)), [[1.0, 0.0, 0.0]] * 9)


def test_one_place_does_not_move():
    still = Trajectory([Waypoint(0.0, (1.0, 2.0, 3.0))])
    assert not still.moving
    np.testing.assert_array_equal(still.at(np.zeros((2, 3))), np.broadcast_to([1.0, 2.0, 3.0], (2, 3, 3)))


@given(st.lists(st.tuples(*[st.floats(-5, 5)] * 3), min_size=2, max_size=6))
def test_never_leaves_the_box_of_its_waypoints(places):
    way = Trajectory([Waypoint(float(i), place) for i, place in enumerate(places)])
    positions = way.at(np.linspace(-1, len(places), 200))
    assert np.all(positions >= np.min(places, axis=0) - 1e-9)
    assert np.all(positions <= np.max(places, axis=0) + 1e-9)


def test_frame_is_turned_counter_clockwise():
    pose = Pose([PoseWaypoint(0.0, (1.0, 2.0, 3.0), 90.0)])
    np.testing.assert_allclose(pose.to_frame(np.array([1.0, 3.0, 3.0]), 0.0), [1, 0, 0], atol=1e-12)
    assert not pose.moving


def test_there_and_back_while_driving():
    pose = Pose([PoseWaypoint(0.0, (0.0, 0.0, 1.0), 170.0), PoseWaypoint(2.0, (2.0, 0.0, 1.0), -170.0)])
    rng = np.random.default_rng(0)
    points, times = rng.standard_normal((5, 3)), rng.uniform(0, 2, 5)
    np.testing.assert_allclose(pose.to_frame(pose.to_room(points, times), times), points, atol=1e-12)
    # From 170 to -170 degrees the short way is 20 degrees to the left.
    assert np.degrees(pose.turn_rate(1.0)) == pytest.approx(10.0)
    assert pose.speed(1.0) == pytest.approx(1.0)
