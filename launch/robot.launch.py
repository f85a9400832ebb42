"""Hearing on a robot: live microphones, a camera if there is one, hearing, recognition and dialogue as lifecycle nodes.

ros2 launch robot_hearing robot.launch.py namespace:=robot1 array:=respeaker_6mic device:=ReSpeaker camera:=camera.yaml

Without ROS 2's launch: hearing up robot namespace:=robot1 ...
"""

from pathlib import Path

from hearing_nodes.bringup import (
    camera,
    common_arguments,
    given,
    is_on,
    override,
    stage,
    switch,
    view_nodes,
    views,
)
from launch.actions import OpaqueFunction

from launch import LaunchContext, LaunchDescription

PARAMS = Path(__file__).parent / "params" / "robot.yaml"


def generate_launch_description() -> LaunchDescription:
    """Start the nodes of a robot."""
    return LaunchDescription(
        [
            *common_arguments(PARAMS),
            override("array", "Built-in microphone array, or YAML file"),
            override("device", "Part of the microphones' name, or their number"),
            override("brain", "What answers: see the dialogue node's parameter"),
            camera(),
            switch("loudspeaker", False, "Speak, and take the robot's own voice out of what the microphones hear"),
            switch("recognition_node", True, "Recognize words in a process of its own, not in that of hearing"),
            *views(),
            switch("respawn", True, "Start nodes that have died again"),
            OpaqueFunction(function=_nodes),
        ]
    )


def _nodes(context: LaunchContext) -> list:
    array, seeing = given(context, "array"), given(context, "camera")
    speaks, apart = is_on(context, "loudspeaker"), is_on(context, "recognition_node")
    heard = {**array, "camera": bool(seeing), "recognition_node": apart} | ({"playback_channels": 1} if speaks else {})
    spoken = given(context, "brain") | ({"awaits_playback": True} if speaks else {})
    again = {"respawn": is_on(context, "respawn"), "respawn_delay": 2.0}
    nodes = [
        stage(context, "audio_source", {**array, **given(context, "device")}, **again),
        stage(context, "hearing", heard, **again),
        stage(context, "dialogue", spoken, **again),
        *view_nodes(context, **again),
    ]
    if apart:
        nodes.append(stage(context, "recognition", **again))
    if speaks:
        nodes.append(stage(context, "loudspeaker", **again))
    if seeing:
        nodes.append(stage(context, "vision", seeing, **again))
    return nodes
