"""Hear a rosbag2 again: its sound, pictures and motion are played, everything behind them runs as on the robot.

ros2 launch robot_hearing replay.launch.py bag:=my_bag array:=respeaker_6mic out:=session

Without ROS 2's launch: hearing up replay bag:=my_bag ... Results that the bag holds are not played.
"""

from pathlib import Path

from hearing_nodes.bringup import common_arguments, ends_with, given, override, stage, view_nodes, views
from launch.actions import DeclareLaunchArgument, OpaqueFunction

from launch import LaunchContext, LaunchDescription

PARAMS = Path(__file__).parent / "params" / "replay.yaml"


def generate_launch_description() -> LaunchDescription:
    """Play a bag into the nodes; end when the session is written."""
    return LaunchDescription(
        [
            DeclareLaunchArgument("bag", description="The rosbag2 to play"),
            DeclareLaunchArgument("array", description="Built-in array or YAML file that the audio was recorded with"),
            DeclareLaunchArgument("out", default_value="session", description="Folder for what was heard"),
            *common_arguments(PARAMS, use_sim_time=True),
            override("brain", "What answers: see the dialogue node's parameter"),
            DeclareLaunchArgument(
                "camera", default_value="", description="YAML file of the camera, to use its pictures"
            ),
            DeclareLaunchArgument(
                "image", default_value="/camera/image_raw/compressed", description="The pictures' topic in the bag"
            ),
            *views(),
            OpaqueFunction(function=_nodes),
        ]
    )


def _nodes(context: LaunchContext) -> list:
    camera = given(context, "camera")
    captions = stage(
        context, "captions", {"out": context.launch_configurations["out"], "exit_at_end": True}, emulate_tty=True
    )
    nodes = [
        stage(context, "player", {**given(context, "bag"), "pictures": bool(camera)}),
        stage(context, "hearing", {**given(context, "array"), "camera": bool(camera)}),
        stage(context, "dialogue", given(context, "brain")),
        captions,
        ends_with(captions),
        *view_nodes(context),
    ]
    pictures = [("image/compressed", context.launch_configurations["image"])]
    seeing = stage(context, "vision", {**camera, "compressed": True}, remappings=pictures)
    return [*nodes, seeing] if camera else nodes
