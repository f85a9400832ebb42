"""One part of hearing, for a robot whose ears, eyes, recognition and dialogue run on several computers.

On each of them, in the same ROS domain:

ros2 launch robot_hearing distributed.launch.py which:=ears array:=respeaker_6mic camera:=camera.yaml
ros2 launch robot_hearing distributed.launch.py which:=vision camera:=camera.yaml
ros2 launch robot_hearing distributed.launch.py which:=recognition
ros2 launch robot_hearing distributed.launch.py which:=dialogue

The parts find each other by topics, in any order; each of them may die and come back. `which:=all` runs all of them
here, every one in a process of its own. Without ROS 2's launch: hearing up distributed which:=ears ...
"""

from pathlib import Path

from hearing_nodes.bringup import camera, common_arguments, given, is_on, override, stage, switch
from launch.actions import DeclareLaunchArgument, OpaqueFunction

from launch import LaunchContext, LaunchDescription

PARAMS = Path(__file__).parent / "params" / "robot.yaml"
PARTS = ["ears", "vision", "recognition", "dialogue"]


def generate_launch_description() -> LaunchDescription:
    """Start one part."""
    return LaunchDescription(
        [
            DeclareLaunchArgument("which", choices=[*PARTS, "all"], description="The part that runs here"),
            *common_arguments(PARAMS),
            override("array", "Built-in microphone array, or YAML file"),
            override("device", "Part of the microphones' name, or their number"),
            override("source", "Recording folder instead of microphones"),
            override("brain", "What answers: see the dialogue node's parameter"),
            camera(),
            switch("respawn", True, "Start nodes that have died again"),
            OpaqueFunction(function=_nodes),
        ]
    )


def _nodes(context: LaunchContext) -> list:
    which = context.launch_configurations["which"]
    return [node for part in (PARTS if which == "all" else [which]) for node in _part(context, part)]


def _part(context: LaunchContext, part: str) -> list:
    array, source, seeing = (given(context, name) for name in ("array", "source", "camera"))
    again = {"respawn": is_on(context, "respawn"), "respawn_delay": 2.0}
    if part == "ears":
        sound = {**array, **source, **given(context, "device"), "video": bool(source) and bool(seeing)}
        heard = {**array, "camera": bool(seeing), "recognition_node": True}
        return [stage(context, "audio_source", sound, **again), stage(context, "hearing", heard, **again)]
    if part == "vision":
        return [stage(context, "vision", seeing, **again)] if seeing else []
    return [stage(context, part, given(context, "brain") if part == "dialogue" else {}, **again)]
