"""The launch files are Python, and their parameter files fit the nodes."""

from __future__ import annotations

from pathlib import Path

import pytest
import rclpy
import yaml
from hearing_nodes.audio_source import AudioSource
from hearing_nodes.captions import Captions
from hearing_nodes.dialogue import Dialogue
from hearing_nodes.hearing import Hearing
from hearing_nodes.vision import Vision

LAUNCH = Path(__file__).parents[2] / "launch"
NODES = {
    "audio_source": AudioSource,
    "vision": Vision,
    "hearing": Hearing,
    "dialogue": Dialogue,
    "captions": Captions,
}


@pytest.mark.parametrize("name", ["robot", "sim", "replay"])
def test_launch_files_compile(name: str) -> None:
    path = LAUNCH / f"{name}.launch.py"
    code = compile(path.read_text(), str(path), "exec")
    assert "generate_launch_description" in code.co_names


@pytest.mark.parametrize("name", ["robot", "sim", "replay"])
def test_parameter_files_reach_the_nodes(name: str) -> None:
    path = LAUNCH / "params" / f"{name}.yaml"
    rclpy.init(args=["--ros-args", "-r", "__ns:=/robot1", "--params-file", str(path)])
    try:
        for pattern, content in yaml.safe_load(path.read_text()).items():
            node = NODES[pattern.removeprefix("/**/")]()
            for parameter, value in content["ros__parameters"].items():
                assert node.value(parameter) == value
            node.destroy_node()
    finally:
        rclpy.shutdown()
