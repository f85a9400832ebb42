"""Hearing on a robot: live microphones, a camera if there is one, hearing and dialogue as lifecycle nodes.

ros2 launch robot_hearing robot.launch.py namespace:=robot1 params_file:=my_robot.yaml camera:=camera.yaml
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, NotEqualsSubstitution
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterFile, ParameterValue

from launch import LaunchDescription

NODES = ("audio_source", "vision", "hearing", "dialogue")


def generate_launch_description() -> LaunchDescription:
    """Start the nodes of a robot."""
    params = Path(get_package_share_directory("robot_hearing"), "params", "robot.yaml")
    arguments = [
        DeclareLaunchArgument("namespace", default_value="", description="Namespace of all nodes"),
        DeclareLaunchArgument("params_file", default_value=str(params), description="YAML file with all parameters"),
        DeclareLaunchArgument("camera", default_value="", description="YAML file of the camera whose `image` is seen"),
        DeclareLaunchArgument("use_sim_time", default_value="false", description="Take the time from /clock"),
        DeclareLaunchArgument("autostart", default_value="true", description="Configure and activate the nodes"),
        DeclareLaunchArgument("use_respawn", default_value="true", description="Start nodes that have died again"),
        DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
    ]
    switches = {
        name: ParameterValue(LaunchConfiguration(name), value_type=bool) for name in ("use_sim_time", "autostart")
    }
    sees = NotEqualsSubstitution(LaunchConfiguration("camera"), "")
    of_camera = {
        "vision": [{"camera": ParameterValue(LaunchConfiguration("camera"), value_type=str)}],
        "hearing": [{"camera": ParameterValue(sees, value_type=bool)}],
    }
    nodes = [
        LifecycleNode(
            package="hearing_nodes",
            executable=f"{name}_node",
            name=name,
            namespace=LaunchConfiguration("namespace"),
            parameters=[
                ParameterFile(LaunchConfiguration("params_file"), allow_substs=True),
                switches,
                *of_camera.get(name, ()),
            ],
            arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
            output="screen",
            respawn=LaunchConfiguration("use_respawn"),
            respawn_delay=2.0,
            condition=IfCondition(sees) if name == "vision" else None,
        )
        for name in NODES
    ]
    return LaunchDescription([*arguments, *nodes])
