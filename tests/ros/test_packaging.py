"""The packages can be built by colcon and agree with each other."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from colcon_python_setup_py.package_identification.python_setup_py import get_setup_information

import hearing

ROOT = Path(__file__).parents[2]
PACKAGES = [ROOT, *(ROOT / "ros2_ws/src" / f"hearing_{name}" for name in ("msgs", "nodes", "gazebo"))]


def test_colcon_can_read_the_setup_of_the_library() -> None:
    setup = get_setup_information(ROOT / "setup.py")
    installed = dict(setup["data_files"])
    assert setup["metadata"]["name"] == "robot-hearing"
    names = ("distributed", "gazebo", "replay", "robot", "sim")
    assert sorted(installed["share/robot_hearing/launch"]) == [f"launch/{name}.launch.py" for name in names]
    # The launch files find them beside themselves.
    assert "launch/params/robot.yaml" in installed["share/robot_hearing/launch/params"]


def test_no_executable_of_the_nodes_hides_the_command() -> None:
    setup = get_setup_information(ROOT / "ros2_ws/src/hearing_nodes/setup.py")
    names = [script.split(" = ")[0] for script in setup["entry_points"]["console_scripts"]]
    assert "hearing" not in names
    assert set(names) >= {f"{name}_node" for name in ("audio_source", "vision", "hearing", "recognition", "dialogue")}
    nodes = {path.stem for path in (ROOT / "ros2_ws/src/hearing_nodes/hearing_nodes").glob("*.py")}
    assert {name.removesuffix("_node") for name in names} <= nodes


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.name)
def test_all_packages_have_the_same_version(folder: Path) -> None:
    assert ElementTree.parse(folder / "package.xml").findtext("version") == hearing.__version__
