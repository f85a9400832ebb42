"""A simulated scene instead of microphones, with live captions in the terminal.

hearing simulate factory_demo --out recording
ros2 launch robot_hearing sim.launch.py source:=recording out:=session
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, EmitEvent, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterFile, ParameterValue

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Start the nodes on a recording folder; end when its session is written."""
    params = Path(get_package_share_directory("robot_hearing"), "params", "sim.yaml")
    arguments = [
        DeclareLaunchArgument("source", description="Recording folder that `hearing simulate` has written"),
        DeclareLaunchArgument("out", default_value="session", description="Folder for what was heard"),
        DeclareLaunchArgument("namespace", default_value="", description="Namespace of all nodes"),
        DeclareLaunchArgument("params_file", default_value=str(params), description="YAML file with all parameters"),
        DeclareLaunchArgument("use_sim_time", default_value="false", description="Take the time from /clock"),
        DeclareLaunchArgument("autostart", default_value="true", description="Configure and activate the nodes"),
        DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
    ]
    source = LaunchConfiguration("source")
    captions = _node("captions", {"out": LaunchConfiguration("out"), "exit_at_end": True}, emulate_tty=True)
    nodes = [
        _node("audio_source", {"source": source}),
        _node("hearing", {"array": PathJoinSubstitution([source, "array.yaml"])}),
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
