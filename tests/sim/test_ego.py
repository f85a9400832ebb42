import dataclasses

import numpy as np
import pytest
from hearing_sim import ArrayPose, EgoNoise, Robot, Room, Scene, simulate
from hearing_sim.ego import motion_states
from hearing_sim.motion import PoseWaypoint
from hearing_sim.scene import StateChange

from hearing.types import SAMPLE_RATE

STILL = (2.0, 2.0, 1.0)
DRIVES = ArrayPose(
    "respeaker_4mic",
    path=(
        PoseWaypoint(0.0, STILL),
        PoseWaypoint(2.0, STILL),
        PoseWaypoint(4.0, STILL, 60.0),
        PoseWaypoint(6.0, (3.5, 2.0, 1.0), 60.0),
    ),
)
SCENE = Scene(
    "ego", 8.0, Room(size=(6.0, 5.0, 3.0), rt60=0.3), DRIVES, robot=Robot(ego_noise=EgoNoise(40.0, 55.0, 62.0))
)


def test_states_follow_from_the_motion():
    assert motion_states(SCENE, [1.0, 3.0, 5.0, 7.0]).tolist() == ["idle", "head_turning", "driving", "idle"]


def test_given_states_come_first():
    robot = Robot(states=(StateChange(1.0, "driving"), StateChange(2.0, "idle")))
    assert motion_states(dataclasses.replace(SCENE, robot=robot), [0.5, 1.5, 3.0]).tolist() == [
        "idle",
        "driving",
        "idle",
    ]


def test_noise_at_the_microphones_has_the_level_of_the_state():
    ego = simulate(SCENE).ego
    for second, level in ((1.0, 40.0), (3.0, 55.0), (5.0, 62.0), (7.0, 40.0)):
        part = ego[round((second - 0.5) * SAMPLE_RATE) : round((second + 0.5) * SAMPLE_RATE)]
        assert 10 * np.log10(np.mean(part**2)) + 94 == pytest.approx(level, abs=1.5)


def test_robot_without_noise_is_silent():
    assert not simulate(dataclasses.replace(SCENE, robot=Robot())).ego.any()
