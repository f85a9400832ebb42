"""A simulated scene instead of microphones, with live captions in the terminal.

hearing simulate factory_demo --out recording
ros2 launch robot_hearing sim.launch.py source:=recording out:=session

With `camera:=recording/camera.yaml` the robot sees the recording's video, too. Without ROS 2's launch: hearing up sim
source:=recording ...
"""

from pathlib import Path

from hearing_nodes.bringup import (
    common_arguments,
    ends_with,
    given,
    is_on,
    override,
    stage,
    switch,
    view_nodes,
    views,
)
from launch.actions import DeclareLaunchArgument, OpaqueFunction

from launch import LaunchContext, LaunchDescription

PARAMS = Path(__file__).parent / "params" / "sim.yaml"


def generate_launch_description() -> LaunchDescription:
    """Start the nodes on a recording folder; end when its session is written."""
    return LaunchDescription(
        [
            DeclareLaunchArgument("source", description="Recording folder that `hearing simulate` has written"),
            DeclareLaunchArgument("out", default_value="session", description="Folder for what was heard"),
            *common_arguments(PARAMS),
            DeclareLaunchArgument("array", default_value="", description="Array; empty: the recording's own"),
            override("brain", "What answers: see the dialogue node's parameter"),
            DeclareLaunchArgument(
                "camera", default_value="", description="The recording's camera.yaml, to use its video"
            ),
            switch("recognition_node", False, "Recognize words in a process of its own, not in that of hearing"),
            *views(),
            OpaqueFunction(function=_nodes),
        ]
    )


def _nodes(context: LaunchContext) -> list:
    source, out = context.launch_configurations["source"], context.launch_configurations["out"]
    array = context.launch_configurations["array"] or str(Path(source, "array.yaml"))
    camera, apart = given(context, "camera"), is_on(context, "recognition_node")
    captions = stage(context, "captions", {"out": out, "exit_at_end": True}, emulate_tty=True)
    nodes = [
        stage(context, "audio_source", {"source": source, "video": bool(camera)}),
        stage(context, "hearing", {"array": array, "camera": bool(camera), "recognition_node": apart}),
        stage(context, "dialogue", given(context, "brain")),
        captions,
        ends_with(captions),
        *view_nodes(context),
    ]
    if apart:
        nodes.append(stage(context, "recognition"))
    if camera:
        nodes.append(stage(context, "vision", camera))
    return nodes
