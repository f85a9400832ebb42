"""The launch files: what they start, that it runs and ends well, and that their parameter files fit the nodes."""

from __future__ import annotations

from pathlib import Path

import pytest
import rclpy
import yaml
from hearing_nodes.launch_actions import Process
from hearing_nodes.launch_files import declared, evaluate
from hearing_nodes.parameter_table import stages

from hearing.cli_up import given, launch_file
from hearing.errors import InputError

LAUNCH = Path(__file__).parents[2] / "launch"
NAMES = ["distributed", "gazebo", "replay", "robot", "sim"]
COMMON = {"namespace", "params_file", "use_sim_time", "autostart", "log_level"}


def processes(tmp_path: Path, name: str, **arguments: str) -> dict[str, Process]:
    return {process.name: process for process in evaluate(launch_file(name), arguments, tmp_path)}


def parameters(process: Process) -> dict[str, object]:
    """What a node is given beyond the file of parameters, the later ones counting more."""
    files = [process.command[i + 1] for i, word in enumerate(process.command) if word == "--params-file"]
    content: dict[str, object] = {}
    for file in files:
        content |= yaml.safe_load(Path(file).read_text()).get("/**", {}).get("ros__parameters", {})
    return content


@pytest.mark.parametrize("name", NAMES)
def test_all_launch_files_take_the_usual_arguments(name: str) -> None:
    arguments = declared(launch_file(name))
    assert {argument.name for argument in arguments} >= COMMON
    assert all(argument.description for argument in arguments)


def test_with_the_launch_of_ros_they_describe_the_same_arguments() -> None:
    pytest.importorskip("launch_ros", reason="needs the launch and launch_ros packages, which are not on PyPI")
    from importlib.util import module_from_spec, spec_from_file_location

    from launch.actions import DeclareLaunchArgument

    for name in NAMES:
        specification = spec_from_file_location(name, launch_file(name))
        module = module_from_spec(specification)
        specification.loader.exec_module(module)
        actions = module.generate_launch_description().entities
        real = {action.name for action in actions if isinstance(action, DeclareLaunchArgument)}
        assert real == {argument.name for argument in declared(launch_file(name))}


def test_a_robot_without_and_with_a_camera(tmp_path: Path) -> None:
    blind = processes(tmp_path, "robot", namespace="robot1", array="uma8")
    assert set(blind) == {f"/robot1/{name}" for name in ("audio_source", "hearing", "recognition", "dialogue")}
    assert parameters(blind["/robot1/hearing"])["camera"] is False
    assert {parameters(blind[f"/robot1/{name}"])["array"] for name in ("audio_source", "hearing")} == {"uma8"}
    described = processes(tmp_path, "robot", camera="camera_info")
    assert parameters(described["/vision"])["camera"] == "camera_info"
    assert parameters(described["/hearing"])["camera"] is True
    seeing = processes(tmp_path, "robot", camera="camera.yaml", device="8", respawn="False", recognition_node="False")
    assert set(seeing) == {"/audio_source", "/hearing", "/dialogue", "/vision"}
    assert parameters(seeing["/hearing"])["recognition_node"] is False
    assert parameters(seeing["/hearing"])["camera"] is True
    assert parameters(seeing["/vision"])["camera"] == "camera.yaml"
    assert parameters(seeing["/audio_source"])["device"] == "8"  # and not a number
    assert "array" not in parameters(seeing["/hearing"])  # the file of parameters says it
    assert not any(process.respawn for process in seeing.values())
    assert all(process.respawn and process.respawn_delay == 2.0 for process in blind.values())


def test_a_robot_that_speaks_hears_itself_and_may_be_looked_at(tmp_path: Path) -> None:
    started = processes(tmp_path, "robot", loudspeaker="true", markers="true", humans="true")
    assert set(started) >= {"/audio_source", "/hearing", "/dialogue", "/loudspeaker", "/markers", "/hri"}
    assert parameters(started["/hearing"])["playback_channels"] == 1
    assert parameters(started["/dialogue"])["awaits_playback"] is True


def test_the_captions_end_a_simulation_and_a_replay(tmp_path: Path) -> None:
    simulation = processes(tmp_path, "sim", source="recording", out="session")
    replay = processes(tmp_path, "replay", bag="bag", array="uma8", camera="camera.yaml", image="/eye/compressed")
    for started in (simulation, replay):
        assert {process.name for process in started.values() if process.ends_all} == {"/captions"}
        assert parameters(started["/captions"])["exit_at_end"] is True
    assert parameters(simulation["/hearing"])["array"] == "recording/array.yaml"
    assert parameters(replay["/hearing"])["use_sim_time"] is True
    assert "image/compressed:=/eye/compressed" in replay["/vision"].command


@pytest.mark.parametrize(
    ("which", "names"),
    [
        ("ears", {"/audio_source", "/hearing"}),
        ("vision", {"/vision"}),
        ("recognition", {"/recognition"}),
        ("dialogue", {"/dialogue"}),
        ("all", {"/audio_source", "/hearing", "/vision", "/recognition", "/dialogue"}),
    ],
)
def test_the_parts_of_a_distributed_robot(tmp_path: Path, which: str, names: set[str]) -> None:
    started = processes(tmp_path, "distributed", which=which, camera="camera.yaml")
    assert set(started) == names
    if "/hearing" in started:
        assert parameters(started["/hearing"])["recognition_node"] is True


def test_files_of_parameters_may_name_arguments(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("/**/hearing:\n  ros__parameters:\n    people: $(var namespace)/people\n")
    hearing = processes(tmp_path, "robot", params_file=str(file), namespace="robot1")["/robot1/hearing"]
    written = Path(hearing.command[hearing.command.index("--params-file") + 1])
    assert yaml.safe_load(written.read_text())["/**/hearing"]["ros__parameters"]["people"] == "robot1/people"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"which": "nose"}, "which:=nose: give one of ears"),
        ({}, "which:= is missing"),
        ({"which": "ears", "colour": "red"}, "colour:= is unknown; .* takes which"),
        ({"which": "ears", "params_file": "missing.yaml"}, r"missing\.yaml: the parameters cannot be read"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(tmp_path: Path, arguments: dict[str, str], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        processes(tmp_path, "distributed", **arguments)


def test_what_only_the_launch_of_ros_knows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.launch.py"
    path.write_text("from launch.actions import TimerAction\n")
    with pytest.raises(InputError, match=r"TimerAction.*use `ros2 launch`"):
        evaluate(path, {}, tmp_path)
    path.write_text(
        "from launch import LaunchDescription\nfrom launch.actions import ExecuteProcess\n"
        "def generate_launch_description():\n    return LaunchDescription([ExecuteProcess(cmd=['no-such-program'])])\n"
    )
    with pytest.raises(InputError, match="no-such-program is not installed"):
        evaluate(path, {}, tmp_path)


def test_words_of_the_command_line() -> None:
    assert given(["a:=1", "b:=x:=y", "c:="]) == {"a": "1", "b": "x:=y", "c": ""}
    with pytest.raises(InputError, match="NAME:=VALUE"):
        given(["a=1"])
    with pytest.raises(InputError, match=r"give one of .*robot"):
        launch_file("submarine")


@pytest.mark.parametrize("name", ["gazebo", "robot", "sim", "replay"])
def test_parameter_files_reach_the_nodes(name: str) -> None:
    path = LAUNCH / "params" / f"{name}.yaml"
    rclpy.init(args=["--ros-args", "-r", "__ns:=/robot1", "--params-file", str(path)])
    try:
        nodes = {node.get_name(): node for node in (stage() for stage in stages())}
        for pattern, content in yaml.safe_load(path.read_text()).items():
            node = nodes[pattern.removeprefix("/**/")]
            for parameter, value in content["ros__parameters"].items():
                assert node.value(parameter) == value
        for node in nodes.values():
            node.destroy_node()
    finally:
        rclpy.shutdown()
