"""Hear recorded audio messages again: `ros2 bag play` publishes `audio`, everything behind it runs as on the robot.

ros2 launch robot_hearing replay.launch.py bag:=my_bag array:=respeaker_6mic out:=session
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, EmitEvent, ExecuteProcess, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterFile, ParameterValue

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Play a bag into the nodes; end when the session is written."""
    params = Path(get_package_share_directory("robot_hearing"), "params", "replay.yaml")
    arguments = [
        DeclareLaunchArgument("bag", description="The rosbag2 to play; it holds the topic `audio`"),
        DeclareLaunchArgument("array", description="Built-in array or YAML file that the audio was recorded with"),
        DeclareLaunchArgument("out", default_value="session", description="Folder for what was heard"),
        DeclareLaunchArgument("namespace", default_value="", description="Namespace of the nodes and of the bag"),
        DeclareLaunchArgument("params_file", default_value=str(params), description="YAML file with all parameters"),
        DeclareLaunchArgument("use_sim_time", default_value="true", description="Take the time from the bag's clock"),
        DeclareLaunchArgument("autostart", default_value="true", description="Configure and activate the nodes"),
        DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
        DeclareLaunchArgument("delay", default_value="10", description="Seconds for the models to load before playing"),
    ]
    captions = _node("captions", {"out": LaunchConfiguration("out"), "exit_at_end": True}, emulate_tty=True)
    nodes = [_node("hearing", {"array": LaunchConfiguration("array")}), _node("dialogue", {}), captions]
    play = ExecuteProcess(
        cmd=["ros2", "bag", "play", LaunchConfiguration("bag"), "--clock", "--delay", LaunchConfiguration("delay")],
        output="screen",
    )
    end = RegisterEventHandler(OnProcessExit(target_action=captions, on_exit=[EmitEvent(event=Shutdown())]))
    return LaunchDescription([*arguments, *nodes, play, end])


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
