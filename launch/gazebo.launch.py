"""A factory in Gazebo: its poses become microphone audio, and the robot hears it, with live captions in the terminal.

ros2 launch robot_hearing gazebo.launch.py                        # with Gazebo
ros2 launch robot_hearing gazebo.launch.py poses:=player          # the same world and graph without Gazebo

Without ROS 2's launch: hearing up gazebo poses:=player ...
"""

from pathlib import Path

import hearing_gazebo
import yaml
from hearing_nodes.bringup import common_arguments, ends_with, given, is_on, override, stage, switch
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription

PARAMS = Path(__file__).parent / "params" / "gazebo.yaml"
SHARE = Path(hearing_gazebo.__file__).parent


def generate_launch_description() -> LaunchDescription:
    """Start the simulator or the pose player, the acoustics and the nodes that hear."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "poses", default_value="gazebo", choices=["gazebo", "player"], description="Where poses come from"
            ),
            _file("world", SHARE / "worlds" / "factory.sdf", "SDF file of the world"),
            _file("sounds", SHARE / "config" / "sounds.yaml", "YAML file of what sounds in it"),
            _file("bridge", SHARE / "config" / "bridge.yaml", "Topics between Gazebo and ROS, for ros_gz_bridge"),
            _file("motions", SHARE / "config" / "motions.yaml", "Motions of models, for the pose player"),
            DeclareLaunchArgument("duration", default_value="0", description="Seconds after which all ends; 0: never"),
            DeclareLaunchArgument("out", default_value="", description="Folder for what was heard; empty: not written"),
            DeclareLaunchArgument(
                "recording", default_value="", description="Folder for audio and truth; empty: not written"
            ),
            *common_arguments(PARAMS, use_sim_time=True),
            DeclareLaunchArgument("array", default_value="", description="Array; empty: as in the file of sounds"),
            override("brain", "What answers: see the dialogue node's parameter"),
            switch("camera", False, "See with the simulated camera, too; not with poses:=player"),
            switch("headless", False, "Run Gazebo without its window"),
            OpaqueFunction(function=_nodes),
        ]
    )


def _file(name: str, default: Path, description: str) -> DeclareLaunchArgument:
    return DeclareLaunchArgument(name, default_value=str(default), description=description)


def _nodes(context: LaunchContext) -> list:
    values = context.launch_configurations
    sounds = yaml.safe_load(Path(values["sounds"]).read_text(encoding="utf-8"))
    array = values["array"] or sounds["ears"]["geometry"]
    sees = is_on(context, "camera") and values["poses"] == "gazebo"
    duration = float(values["duration"])
    captions = stage(context, "captions", {**given(context, "out"), "exit_at_end": duration > 0}, emulate_tty=True)
    acoustics = {**given(context, "world", "sounds"), "duration": duration, "out": values["recording"]}
    nodes = [
        *(_gazebo(context) if values["poses"] == "gazebo" else _player(context)),
        stage(context, "acoustics", acoustics, package="hearing_gazebo"),
        stage(context, "hearing", {"array": array, "camera": sees}),
        stage(context, "dialogue", given(context, "brain")),
        captions,
        ends_with(captions),
    ]
    return [*nodes, stage(context, "vision")] if sees else nodes


def _gazebo(context: LaunchContext) -> list:
    """Return the simulator and its bridge."""
    values = context.launch_configurations
    hidden = ["-s", "--headless-rendering"] if is_on(context, "headless") else []
    return [
        ExecuteProcess(cmd=["gz", "sim", "-r", *hidden, values["world"]], name="gazebo", output="screen"),
        Node(
            package="ros_gz_bridge",
            executable="parameter_bridge",
            name="bridge",
            namespace=values["namespace"],
            parameters=[{"config_file": ParameterValue(values["bridge"], value_type=str)}],
            output="screen",
        ),
    ]


def _player(context: LaunchContext) -> list:
    """Return what stands in for the simulator. Its time is the computer's: it makes the others'."""
    parameters = {**given(context, "world", "motions"), "use_sim_time": False}
    return [stage(context, "pose_player", parameters, package="hearing_gazebo")]
