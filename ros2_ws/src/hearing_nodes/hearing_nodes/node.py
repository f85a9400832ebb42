"""What all nodes share: parameters with descriptions and ranges, a lifecycle that may start by itself, a clean end."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Any

import rclpy
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from hearing.errors import InputError

AUDIO_QOS = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=30, reliability=ReliabilityPolicy.RELIABLE)
"""About a second of audio messages of 512 samples."""

PICTURES_QOS = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=5, reliability=ReliabilityPolicy.RELIABLE)
"""Reaches whoever wants pictures, whatever of them he wants to have."""

STATE_QOS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=100,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""What has been said stays available to nodes that join later."""

LATEST_QOS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""Of what replaces the one before only the last is of use, to nodes that join later as well."""


class StageNode(LifecycleNode):
    """A lifecycle node around a part of the library.

    A subclass implements `configure` (read parameters, load what takes long), `activate` (make topics, start),
    `deactivate` (stop, drop the topics) and `cleanup` (drop what `configure` loaded). What they raise is logged and
    fails the transition.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.exit_status = 0
        self._active = False
        self.declare("autostart", True, "Configure and activate the node as soon as its process starts")

    def configure(self) -> None:
        """Read the parameters and load what takes long."""

    def activate(self) -> None:
        """Make the topics and start to work."""

    def deactivate(self) -> None:
        """Stop to work and drop the topics."""

    def cleanup(self) -> None:
        """Drop what `configure` loaded."""

    def declare(
        self,
        name: str,
        default: bool | int | float | str | list[str],
        description: str,
        valid: tuple[float, float] | None = None,
    ) -> None:
        """Declare a parameter.

        Parameters
        ----------
        name, default, description
            Its name, its value if none is given, and what it means, units included.
        valid
            Smallest and largest value of a number.
        """
        descriptor = ParameterDescriptor(description=description, read_only=name == "autostart")
        if valid and isinstance(default, float):
            descriptor.floating_point_range = [FloatingPointRange(from_value=valid[0], to_value=valid[1])]
        elif valid:
            descriptor.integer_range = [IntegerRange(from_value=int(valid[0]), to_value=int(valid[1]))]
        self.declare_parameter(name, default, descriptor)

    def value(self, name: str) -> Any:
        """Return the value of a parameter."""
        return self.get_parameter(name).value

    def end(self, exit_status: int = 0) -> None:
        """End the process once the callback that runs now has returned; may be called from any thread."""
        self.exit_status = exit_status
        self.context.try_shutdown()

    def fail(self, error: Exception) -> None:
        """Log an error that the node cannot go on after, and end the process with status 1."""
        self.get_logger().fatal("".join(traceback.format_exception(error)))
        self.end(1)

    def start(self) -> bool:
        """Configure and activate the node; return whether both succeeded and nobody has interrupted them."""
        success = TransitionCallbackReturn.SUCCESS
        return self.trigger_configure() == success and self.context.ok() and self.trigger_activate() == success

    def stop(self) -> None:
        """Stop to work, whatever state the node is in."""
        if self._active:
            self._active = False
            self.deactivate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `configure` on the lifecycle's behalf."""
        return self._transition(self.configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `activate` on the lifecycle's behalf."""
        result = self._transition(self.activate)
        self._active = result == TransitionCallbackReturn.SUCCESS
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `deactivate` on the lifecycle's behalf."""
        return self._transition(self.stop)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `cleanup` on the lifecycle's behalf."""
        return self._transition(self.cleanup)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop before the node is finalized."""
        return self._transition(self.stop)

    def _transition(self, action: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            action()
        except InputError as error:
            self.exit_status = 2
            self.get_logger().error(str(error))
            return TransitionCallbackReturn.FAILURE
        except Exception as error:  # rclpy would swallow it
            self.exit_status = 1
            self.get_logger().fatal("".join(traceback.format_exception(error)))
            return TransitionCallbackReturn.ERROR
        self.exit_status = 0
        return TransitionCallbackReturn.SUCCESS


def run(make_node: Callable[[], StageNode]) -> int:
    """Run one node as a process until it ends, is interrupted or its context is shut down.

    Returns
    -------
    Exit status: 0 ok, 1 the node failed, 2 its parameters cannot be used.
    """
    rclpy.init()
    try:
        node = make_node()
    except ParameterException as error:
        print(f"hearing_nodes: error: {error}", file=sys.stderr)
        return 2
    try:
        if not node.value("autostart") or node.start():
            rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass  # how a node is meant to end
    finally:
        node.stop()
        node.destroy_node()
        rclpy.try_shutdown()
    return node.exit_status
