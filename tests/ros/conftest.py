"""Keeps the tests' nodes apart from whatever else speaks ROS 2 on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hearing_sim
import pytest
import rclpy
from hearing_datasets import kit_root

SCENE = """
name: short
duration: 6.5
seed: 3
room: {size: [6.0, 5.0, 3.0], rt60: 0.3}
array: {geometry: respeaker_6mic, position: [3.0, 2.5, 1.1]}
snr_db: 25.0
talkers:
  - {name: anna, voice: synthesis, position: [4.8, 3.3, 1.55]}
  - {name: carla, voice: synthesis, position: [1.6, 1.2, 1.5]}
turns:
  - {talker: anna, gap: 0.5, text: "Robot, where is the spare gripper?", to: robot}
  - {talker: carla, gap: 0.8, text: "It was on the table."}
machines:
  - {name: fan, kind: fan, position: [1.0, 4.2, 2.4], level_db: 60.0}
"""

SEEN = """
name: seen
duration: 7.0
seed: 3
room: {size: [7.0, 5.5, 3.0], rt60: 0.3}
array: {geometry: azure_kinect, position: [1.5, 2.7, 1.3]}
camera: {position: [0.0, 0.0, 0.06], width: 640, height: 480, hfov_deg: 70, fps: 15}
snr_db: 25.0
talkers:
  - {name: anna, voice: synthesis, position: [3.0, 3.4, 1.5]}
  - {name: carla, voice: synthesis, pitch: 1.1, position: [3.3, 2.2, 1.6]}
turns:
  - {talker: anna, gap: 0.5, text: "Robot, where is the spare gripper?", to: robot}
  - {talker: carla, gap: 0.8, text: "It was on the table."}
machines:
  - {name: fan, kind: fan, position: [6.2, 0.9, 2.3], level_db: 55}
"""


@pytest.fixture(scope="session", autouse=True)
def ros_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the session a domain and a log folder of its own.

    Over UDP alone: nodes that a test kills can leave Fast DDS's shared memory locked, and the next one waits for ever.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_DOMAIN_ID", str(1 + os.getpid() % 101))
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        patch.setenv("FASTDDS_BUILTIN_TRANSPORTS", "UDPv4")
        patch.setenv("ROS_LOG_DIR", str(tmp_path_factory.mktemp("ros_log")))
        yield


@pytest.fixture
def ros() -> Iterator[None]:
    """Let the test make nodes."""
    rclpy.init()
    yield
    rclpy.shutdown()


@pytest.fixture(scope="session")
def scene_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people who say one sentence each."""
    path = tmp_path_factory.mktemp("scene") / "short.yaml"
    path.write_text(SCENE)
    return path


@pytest.fixture(scope="session")
def recording(scene_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rendered scene."""
    folder = tmp_path_factory.mktemp("recording") / "short"
    hearing_sim.render(hearing_sim.load_scene(scene_file), folder)
    return folder


@pytest.fixture(scope="session")
def seen_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people who stand before a camera and say one sentence each, rendered."""
    if kit_root() is None or not (kit_root() / "faces").is_dir():
        pytest.skip("needs the photographs of the data kit")
    scene = tmp_path_factory.mktemp("seen_scene") / "seen.yaml"
    scene.write_text(SEEN)
    folder = tmp_path_factory.mktemp("seen_recording") / "seen"
    hearing_sim.render(hearing_sim.load_scene(scene), folder)
    return folder
