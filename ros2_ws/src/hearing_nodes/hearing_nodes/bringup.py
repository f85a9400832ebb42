"""What the launch files share: their common arguments, and the nodes as launch actions.

It needs the `launch` and `launch_ros` packages of ROS 2, or what `hearing up` reads launch files with in their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from launch.actions import DeclareLaunchArgument, EmitEvent, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterFile, ParameterValue

from launch import LaunchContext

SWITCH = ["true", "false", "True", "False"]


def common_arguments(params: Path, use_sim_time: bool = False) -> list[DeclareLaunchArgument]:
    """Return the arguments that all launch files take.

    Parameters
    ----------
    params
        The file of parameters that is taken if none is given.
    use_sim_time
        Whether the time comes from `/clock` unless something else is said.
    """
    return [
        DeclareLaunchArgument("namespace", default_value="", description="Namespace of all nodes, e.g. robot1"),
        DeclareLaunchArgument("params_file", default_value=str(params), description="YAML file of parameters"),
        switch("use_sim_time", use_sim_time, "Take the time from /clock"),
        switch("autostart", True, "Configure and activate the nodes as soon as they run"),
        DeclareLaunchArgument(
            "log_level",
            default_value="info",
            choices=["debug", "info", "warn", "error", "fatal"],
            description="Of nodes",
        ),
    ]


def switch(name: str, default: bool, description: str) -> DeclareLaunchArgument:
    """Return an argument that is true or false."""
    return DeclareLaunchArgument(name, default_value=str(default).lower(), choices=SWITCH, description=description)


def override(name: str, description: str) -> DeclareLaunchArgument:
    """Return an argument that, if it is not empty, counts more than what the file of parameters says."""
    return DeclareLaunchArgument(name, default_value="", description=f"{description}; empty: as in params_file")


def camera() -> DeclareLaunchArgument:
    """Return the argument for the camera; the vision node's parameter of this name takes the same."""
    meaning = "YAML file of the camera that is seen with, or camera_info to take it from that topic and tf; empty: none"
    return DeclareLaunchArgument("camera", default_value="", description=meaning)


def views() -> list[DeclareLaunchArgument]:
    """Return the arguments for what else results may be published as, see `view_nodes`."""
    return [
        switch("markers", False, "Publish markers for RViz and Foxglove"),
        switch("humans", False, "Publish /humans as REP-155 has it, if hri_msgs is installed, and frames of people"),
    ]


def view_nodes(context: LaunchContext, **options: Any) -> list[LifecycleNode]:
    """Return the nodes that `views` ask for; `options` are for their actions."""
    chosen = [name for argument, name in (("markers", "markers"), ("humans", "hri")) if is_on(context, argument)]
    return [stage(context, name, **options) for name in chosen]


def is_on(context: LaunchContext, name: str) -> bool:
    """Tell whether an argument is true."""
    return context.launch_configurations[name].lower() == "true"


def given(context: LaunchContext, *names: str) -> dict[str, str]:
    """Return those of some arguments that are not empty."""
    return {name: value for name in names if (value := context.launch_configurations[name])}


def stage(
    context: LaunchContext,
    name: str,
    parameters: Mapping[str, str | float] | None = None,
    package: str = "hearing_nodes",
    **options: Any,
) -> LifecycleNode:
    """Return a node.

    Parameters
    ----------
    context
        With the common arguments.
    name
        Of the node, and with `_node` behind it of its executable.
    parameters
        That count more than what the file of parameters and the common arguments say.
    package
        That the node is of.
    options
        For the action.
    """
    values = {
        key: ParameterValue(value, value_type=str) if isinstance(value, str) else value  # or "8" would become a number
        for key, value in (parameters or {}).items()
    }
    switches = {key: is_on(context, key) for key in ("use_sim_time", "autostart")}
    return LifecycleNode(
        package=package,
        executable=f"{name}_node",
        name=name,
        namespace=context.launch_configurations["namespace"],
        parameters=[ParameterFile(context.launch_configurations["params_file"], allow_substs=True), switches | values],
        ros_arguments=["--log-level", context.launch_configurations["log_level"]],
        output="screen",
        **options,
    )


def ends_with(node: LifecycleNode) -> RegisterEventHandler:
    """Return what ends everything once a node has ended."""
    return RegisterEventHandler(OnProcessExit(target_action=node, on_exit=[EmitEvent(event=Shutdown())]))
