"""The packages can be built by colcon and agree with each other."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from colcon_python_setup_py.package_identification.python_setup_py import get_setup_information

import hearing

ROOT = Path(__file__).parents[2]
PACKAGES = [ROOT, ROOT / "ros2_ws/src/hearing_msgs", ROOT / "ros2_ws/src/hearing_nodes"]


def test_colcon_can_read_the_setup_of_the_library() -> None:
    setup = get_setup_information(ROOT / "setup.py")
    installed = dict(setup["data_files"])
    assert setup["metadata"]["name"] == "robot-hearing"
    assert sorted(installed["share/robot_hearing/launch"]) == [
        "launch/replay.launch.py",
        "launch/robot.launch.py",
        "launch/sim.launch.py",
    ]


def test_no_executable_of_the_nodes_hides_the_command() -> None:
    setup = get_setup_information(ROOT / "ros2_ws/src/hearing_nodes/setup.py")
    names = [script.split(" = ")[0] for script in setup["entry_points"]["console_scripts"]]
    assert names == ["audio_source_node", "vision_node", "hearing_node", "dialogue_node", "captions_node"]


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.name)
def test_all_packages_have_the_same_version(folder: Path) -> None:
    assert ElementTree.parse(folder / "package.xml").findtext("version") == hearing.__version__
