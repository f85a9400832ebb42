"""A small world, and the real one played without Gazebo."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hearing_gazebo.stage import Stage
from hearing_gazebo.world import FACTORY

SOUNDS = """
seed: 1
hall: {model: hall, rt60: 0.3}
ears: {model: robot, link: microphones, geometry: respeaker_4mic}
voices:
  - {actor: ben, level_db: 66, lines: [{at: 0.5, file: voice.wav, text: "hello robot", to: robot}]}
machines:
  - {name: extractor, kind: fan, level_db: 45}
  - {name: cart, kind: motor, level_db: 40, position: [0.0, 0.0, 0.4], on: [[1, 2]]}
"""


@pytest.fixture(scope="session", autouse=True)
def ros_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the session a domain and a log folder of its own, as the tests of the nodes do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_DOMAIN_ID", str(1 + os.getpid() % 101))
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        patch.setenv("FASTDDS_BUILTIN_TRANSPORTS", "UDPv4")
        patch.setenv("ROS_LOG_DIR", str(tmp_path_factory.mktemp("ros_log")))
        yield


@pytest.fixture(scope="session")
def sounds_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sounds in the factory that are made at once: one person, a recorded word of noise, and two quiet machines."""
    import soundfile

    folder = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(5)
    envelope = np.sin(np.linspace(0, 25 * np.pi, 16_000)) ** 2
    soundfile.write(folder / "voice.wav", 0.2 * envelope * rng.standard_normal(16_000), 16_000)
    (folder / "sounds.yaml").write_text(SOUNDS)
    return folder / "sounds.yaml"


@pytest.fixture(scope="session")
def stage(sounds_file: Path) -> Stage:
    """The factory with those sounds; reset it before use."""
    return Stage(FACTORY, sounds_file)
