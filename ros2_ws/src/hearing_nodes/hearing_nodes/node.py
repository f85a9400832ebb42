"""What all nodes share: parameters with descriptions and ranges, a lifecycle that may start by itself, a clean end."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy._rclpy_pybind11 import InvalidHandle, RCLError
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Header

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

SPEECH_QOS = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=200, reliability=ReliabilityPolicy.RELIABLE)
"""More than ten seconds of what recognition has to hear, of which nothing should be lost."""

DIAGNOSTICS_PERIOD = 1.0
"""Seconds between two diagnoses, on the computer's clock: a simulated one may stand still."""

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """How a node is.

    Attributes
    ----------
    level
        `OK`, `WARN` or `ERROR`.
    message
        What a person has to know.
    values
        Counts and figures by name.
    hardware_id
        The device that it is about, if any.
    """

    level: bytes
    message: str
    values: Mapping[str, object] = field(default_factory=dict)
    hardware_id: str = ""

    def status(self, name: str) -> DiagnosticStatus:
        """Return it as a message under the name of who it is about."""
        return DiagnosticStatus(
            level=self.level,
            name=name,
            message=self.message,
            hardware_id=self.hardware_id,
            values=[KeyValue(key=key, value=str(value)) for key, value in self.values.items()],
        )


class StageNode(LifecycleNode):
    """A lifecycle node around a part of the library.

    A subclass implements `configure` (read parameters, load what takes long), `activate` (make topics, start),
    `deactivate` (stop, drop the topics) and `cleanup` (drop what `configure` loaded). What they raise is logged and
    fails the transition. While it is active, what `diagnose` returns is published on `/diagnostics` at 1 Hz.

    A parameter that is `live` may change at any time. All others are read by `configure` and `activate`: a change is
    refused, with the reason, from then on until the node is cleaned up.
    """

    aspect = "node"
    """What the diagnoses are about, behind the node's name."""

    def __init__(self, name: str, namespace: str | None = None) -> None:
        super().__init__(name, namespace=namespace)
        self.exit_status = 0
        self._active = self._configured = False
        self._live = {"use_sim_time"}
        self._choices: dict[str, tuple[str, ...]] = {}
        self.add_on_set_parameters_callback(self._admit)
        self.declare("autostart", True, "Configure and activate the node as soon as its process starts", read_only=True)

    def configure(self) -> None:
        """Read the parameters and load what takes long."""

    def activate(self) -> None:
        """Make the topics and start to work."""

    def deactivate(self) -> None:
        """Stop to work and drop the topics."""

    def cleanup(self) -> None:
        """Drop what `configure` loaded."""

    def diagnose(self) -> Diagnosis | None:
        """Return how the node is, for `/diagnostics`; None if there is nothing to say."""

    def declare(
        self,
        name: str,
        default: bool | int | float | str | list[str],
        description: str,
        valid: tuple[float, float] | None = None,
        *,
        choices: Sequence[str] = (),
        live: bool = False,
        read_only: bool = False,
    ) -> None:
        """Declare a parameter.

        Parameters
        ----------
        name, default, description
            Its name, its value if none is given, and what it means, units included.
        valid
            Smallest and largest value of a number.
        choices
            The values that a text may have; of none, any.
        live
            Whether it may change while the node is configured: then it is read anew whenever it is needed.
        read_only
            Whether it is what it was when the process started, for ever.
        """
        descriptor = ParameterDescriptor(description=description, read_only=read_only)
        if valid and isinstance(default, float):
            descriptor.floating_point_range = [FloatingPointRange(from_value=valid[0], to_value=valid[1])]
        elif valid:
            descriptor.integer_range = [IntegerRange(from_value=int(valid[0]), to_value=int(valid[1]))]
        if choices:
            self._choices[name] = tuple(choices)
            descriptor.additional_constraints = f"one of: {', '.join(choice or 'empty' for choice in choices)}"
        if live:
            self._live.add(name)
        self.declare_parameter(name, default, descriptor)

    def is_live(self, name: str) -> bool:
        """Tell whether a parameter may change while the node is configured."""
        return name in self._live

    def value(self, name: str) -> Any:
        """Return the value of a parameter."""
        return self.get_parameter(name).value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the value of a parameter that is a list of texts, `without_blanks`."""
        return without_blanks(self.value(name))

    def end(self, exit_status: int = 0) -> None:
        """End the process once the callback that runs now has returned; may be called from any thread."""
        self.exit_status = exit_status
        self.context.try_shutdown()

    def fail(self, error: Exception) -> None:
        """Log an error that the node cannot go on after, and end the process with status 1."""
        self.get_logger().fatal("".join(traceback.format_exception(error)))
        self.end(1)

    def begin_work(self, work: Callable[[], None], name: str) -> threading.Thread:
        """Start a thread; the process fails with what it raises."""

        def guarded() -> None:
            try:
                work()
            except Exception as error:
                if self.context.ok():  # else it is only that nothing can be published any more
                    self.fail(error)

        worker = threading.Thread(target=guarded, name=name)
        worker.start()
        return worker

    def start(self) -> bool:
        """Configure and activate the node; return whether both succeeded and nobody has interrupted them."""
        success = TransitionCallbackReturn.SUCCESS
        return self.trigger_configure() == success and self.context.ok() and self.trigger_activate() == success

    def stop(self) -> None:
        """Stop to work, whatever state the node is in."""
        if self._active:
            self._active = False
            self.destroy_timer(self._diagnosing)
            self.destroy_publisher(self._diagnoses)
            self.deactivate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `configure` on the lifecycle's behalf."""
        result = self._transition(self.configure)
        self._configured = result == TransitionCallbackReturn.SUCCESS
        return result

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `activate` on the lifecycle's behalf."""
        result = self._transition(self.activate)
        if result == TransitionCallbackReturn.SUCCESS:
            self._active = True
            self._diagnoses = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            self._diagnosing = self.create_timer(DIAGNOSTICS_PERIOD, self._report, clock=steady)
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `deactivate` on the lifecycle's behalf."""
        return self._transition(self.stop)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `cleanup` on the lifecycle's behalf."""
        self._configured = False
        return self._transition(self.cleanup)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop before the node is finalized."""
        return self._transition(self.stop)

    def _admit(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        """Refuse values that are none, and changes that would have no effect."""
        for parameter in parameters:
            name, choices = parameter.name, self._choices.get(parameter.name)
            if choices and parameter.value not in choices:
                reason = f"{name} is {parameter.value!r}; give one of: {', '.join(choices)}"
                return SetParametersResult(successful=False, reason=reason)
            if self._configured and name not in self._live and parameter.value != self.value(name):
                reason = f"{name} is read when the node is configured: deactivate and clean up {self.get_name()} first"
                return SetParametersResult(successful=False, reason=reason)
        return SetParametersResult(successful=True)

    def _report(self) -> None:
        """Publish how the node is."""
        if (diagnosis := self.diagnose()) is not None:
            status = diagnosis.status(f"{self.get_fully_qualified_name()}: {self.aspect}")
            stamp = self.get_clock().now().to_msg()
            self._diagnoses.publish(DiagnosticArray(header=Header(stamp=stamp), status=[status]))

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


def without_blanks(texts: Sequence[str] | None) -> tuple[str, ...]:
    """Return the texts of a parameter; ROS gives an empty list as none, or as one blank."""
    return tuple(text for text in texts or () if text)


def run(make_node: Callable[[], StageNode]) -> int:
    """Run one node as a process until it ends, is interrupted or its context is shut down.

    Returns
    -------
    Exit status: 0 ok, 1 the node failed, 2 its parameters cannot be used.
    """
    interrupt = _Interrupt()
    rclpy.init()
    try:
        # Whoever starts nodes may have interrupts wait until somebody can take them (`hearing_nodes.supervisor`).
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        node = make_node()
    except ParameterException as error:
        print(f"hearing_nodes: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    except Exception:
        if rclpy.ok():
            raise
        return 0  # interrupted: a node could not be made any more
    try:
        if not node.value("autostart") or node.start():
            interrupt.strikes = False
            rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass  # how a node is meant to end
    except (RCLError, InvalidHandle):
        if node.context.ok():
            raise
        # Interrupted amid a callback: nothing could be published any more.
    finally:
        interrupt.strikes = False
        node.stop()
        node.destroy_node()
        rclpy.try_shutdown()
    return node.exit_status


class _Interrupt:
    """What Ctrl-C does besides shutting the context down, which rclpy does: nothing, or end what takes long.

    While a node spins an exception would strike in the midst of a callback, or of a conversion of rclpy.

    Attributes
    ----------
    strikes
        Whether it raises KeyboardInterrupt.
    """

    def __init__(self) -> None:
        self.strikes = True
        signal.signal(signal.SIGINT, self)

    def __call__(self, number: int, frame: object) -> None:
        if self.strikes:
            raise KeyboardInterrupt
