"""The launch file: the same graph with Gazebo and without, and parameters that reach the nodes."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
import rclpy
import yaml
from colcon_python_setup_py.package_identification.python_setup_py import get_setup_information
from hearing_gazebo.acoustics import Acoustics
from hearing_gazebo.pose_player import PosePlayer
from hearing_nodes.launch_files import Process, declared, evaluate
from hearing_nodes.parameter_table import stages

import hearing
from hearing.cli_up import launch_file
from hearing.errors import InputError

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ros2_ws/src/hearing_gazebo"
HEARERS = {"/acoustics", "/hearing", "/dialogue", "/captions"}


def processes(folder: Path, **arguments: str) -> dict[str, Process]:
    return {process.name: process for process in evaluate(launch_file("gazebo"), arguments, folder)}


def parameters(process: Process) -> dict[str, object]:
    files = [process.command[i + 1] for i, word in enumerate(process.command) if word == "--params-file"]
    content: dict[str, object] = {}
    for file in files:
        content |= yaml.safe_load(Path(file).read_text()).get("/**", {}).get("ros__parameters", {})
    return content


def test_it_takes_the_usual_arguments() -> None:
    arguments = declared(launch_file("gazebo"))
    usual = {"namespace", "params_file", "use_sim_time", "autostart", "log_level", "array", "camera", "brain"}
    assert {argument.name for argument in arguments} >= usual
    assert all(argument.description for argument in arguments)


def test_the_player_stands_in_for_the_simulator(tmp_path: Path) -> None:
    started = processes(tmp_path, poses="player", duration="30", out="session", recording="truth", camera="true")
    assert set(started) == {*HEARERS, "/pose_player"}  # which shows no pictures
    assert {process.name for process in started.values() if process.ends_all} == {"/captions"}
    assert parameters(started["/acoustics"])["duration"] == 30.0
    assert parameters(started["/acoustics"])["out"] == "truth"
    assert parameters(started["/captions"])["exit_at_end"] is True
    assert parameters(started["/hearing"])["array"] == "respeaker_4mic"  # as in the file of sounds
    simulated = {name: parameters(process)["use_sim_time"] for name, process in started.items()}
    assert simulated == {**dict.fromkeys(HEARERS, True), "/pose_player": False}


def test_gazebo_and_its_bridge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    bridge = tools / "lib" / "ros_gz_bridge" / "parameter_bridge"
    for tool in (tools / "gz", bridge):
        tool.parent.mkdir(parents=True, exist_ok=True)
        tool.write_text("#!/bin/sh\n")
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tools))
    started = processes(tmp_path, namespace="robot1", camera="true", headless="true")
    assert set(started) == {"gazebo", "/robot1/bridge", *(f"/robot1{name}" for name in (*HEARERS, "/vision"))}
    command = started["gazebo"].command
    assert command[:3] == ["gz", "sim", "-r"]
    assert command[-1].endswith("factory.sdf")
    assert "-s" in command
    assert Path(str(parameters(started["/robot1/bridge"])["config_file"])).name == "bridge.yaml"
    assert parameters(started["/robot1/hearing"])["camera"] is True
    assert parameters(started["/robot1/captions"])["exit_at_end"] is False


def test_a_simulator_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="gz is not installed"):
        processes(tmp_path)


def test_parameter_files_reach_the_nodes() -> None:
    path = ROOT / "launch" / "params" / "gazebo.yaml"
    rclpy.init(args=["--ros-args", "-r", "__ns:=/robot1", "--params-file", str(path)])
    try:
        nodes = {node.get_name(): node for node in (stage() for stage in (*stages(), Acoustics, PosePlayer))}
        for pattern, content in yaml.safe_load(path.read_text()).items():
            node = nodes[pattern.removeprefix("/**/")]
            for parameter, value in content["ros__parameters"].items():
                assert node.value(parameter) == value
        for node in nodes.values():
            node.destroy_node()
    finally:
        rclpy.shutdown()


def test_colcon_installs_worlds_and_nodes() -> None:
    setup = get_setup_information(PACKAGE / "setup.py")
    assert setup["metadata"]["name"] == "hearing_gazebo"
    names = [script.split(" = ")[0] for script in setup["entry_points"]["console_scripts"]]
    assert names == ["acoustics_node", "pose_player_node"]
    installed = dict(setup["data_files"])
    assert installed["share/hearing_gazebo/worlds"] == ["hearing_gazebo/worlds/factory.sdf"]
    assert ElementTree.parse(PACKAGE / "package.xml").findtext("version") == hearing.__version__
