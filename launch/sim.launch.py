"""A simulated scene instead of microphones, with live captions in the terminal.

hearing simulate factory_demo --out recording
ros2 launch robot_hearing sim.launch.py source:=recording out:=session

With `camera:=recording/camera.yaml` the robot sees the recording's video, too.
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, EmitEvent, RegisterEventHandler
from launch.conditions import IfCondition
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration, NotEqualsSubstitution, PathJoinSubstitution
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterFile, ParameterValue

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Start the nodes on a recording folder; end when its session is written."""
    params = Path(get_package_share_directory("robot_hearing"), "params", "sim.yaml")
    arguments = [
        DeclareLaunchArgument("source", description="Recording folder that `hearing simulate` has written"),
        DeclareLaunchArgument("out", default_value="session", description="Folder for what was heard"),
        DeclareLaunchArgument("camera", default_value="", description="The recording's camera.yaml, to use its video"),
        DeclareLaunchArgument("namespace", default_value="", description="Namespace of all nodes"),
        DeclareLaunchArgument("params_file", default_value=str(params), description="YAML file with all parameters"),
        DeclareLaunchArgument("use_sim_time", default_value="false", description="Take the time from /clock"),
        DeclareLaunchArgument("autostart", default_value="true", description="Configure and activate the nodes"),
        DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
    ]
    source = LaunchConfiguration("source")
    captions = _node("captions", {"out": LaunchConfiguration("out"), "exit_at_end": True}, emulate_tty=True)
    camera = LaunchConfiguration("camera")
    sees = NotEqualsSubstitution(camera, "")
    seeing = ParameterValue(sees, value_type=bool)
    nodes = [
        _node("audio_source", {"source": source, "video": seeing}),
        _node("vision", {"camera": ParameterValue(camera, value_type=str)}, condition=IfCondition(sees)),
        _node("hearing", {"array": PathJoinSubstitution([source, "array.yaml"]), "camera": seeing}),
        _node("dialogue", {}),
        captions,
    ]
    end = RegisterEventHandler(OnProcessExit(target_action=captions, on_exit=[EmitEvent(event=Shutdown())]))
    return LaunchDescription([*arguments, *nodes, end])


def _node(name: str, parameters: dict, **options) -> LifecycleNode:
    switches = {
        switch: ParameterValue(LaunchConfiguration(switch), value_type=bool) for switch in ("use_sim_time", "autostart")
    }
    return LifecycleNode(
        package="hearing_nodes",
        executable=f"{name}_node",
        name=name,
        namespace=LaunchConfiguration("namespace"),
        parameters=[ParameterFile(LaunchConfiguration("params_file"), allow_substs=True), switches, parameters],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        output="screen",
        **options,
    )
