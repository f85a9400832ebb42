"""What all nodes promise: parameters that are described and checked, a lifecycle, diagnoses, namespaces."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from hearing_nodes.node import OK, Diagnosis, StageNode
from hearing_nodes.parameter_table import stages, table
from rclpy.exceptions import InvalidParameterValueException
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn

from hearing.errors import InputError

PAGE = Path(__file__).parents[2] / "docs" / "parameters.md"
PATIENCE = 20.0
SUCCESS = TransitionCallbackReturn.SUCCESS


class Echo(StageNode):
    """A stage that keeps its parameters."""

    aspect = "echo"

    def __init__(self, namespace: str | None = None) -> None:
        super().__init__("echo", namespace)
        self.declare("level", 0.5, "How loud", (0.0, 1.0), live=True)
        self.declare("count", 2, "How often", (1, 9))
        self.declare("kind", "dry", "Of what kind", choices=("dry", "wet"))
        self.working = False

    def configure(self) -> None:
        if self.value("count") == 9:
            raise InputError("nine is too many; give less")

    def activate(self) -> None:
        self.working = True

    def deactivate(self) -> None:
        self.working = False

    def diagnose(self) -> Diagnosis:
        return Diagnosis(OK, "echoes", {"count": self.value("count")}, "cave")


@pytest.fixture
def ros() -> Iterator[None]:
    rclpy.init(args=[])
    yield
    rclpy.shutdown()


def put(node: StageNode, name: str, value: object) -> str:
    """Set a parameter and return why it is refused, or nothing."""
    (result,) = node.set_parameters([rclpy.Parameter(name, value=value)])
    assert result.successful == (not result.reason)
    return result.reason


def test_live_parameters_change_at_any_time_and_others_say_why_not(ros: None) -> None:
    node = Echo()
    assert not put(node, "count", 3)
    assert node.start()
    assert not put(node, "level", 0.9)
    assert node.value("level") == 0.9
    reason = put(node, "count", 4)
    assert "count is read when the node is configured" in reason
    assert "echo" in reason
    assert node.value("count") == 3
    assert not put(node, "count", 3)  # no change
    assert node.trigger_deactivate() == SUCCESS
    assert put(node, "count", 4)
    assert node.trigger_cleanup() == SUCCESS
    assert not put(node, "count", 4)
    assert node.start()
    node.destroy_node()


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [("level", 1.5, "range"), ("count", 10, "range"), ("kind", "damp", "give one of: dry, wet"), ("kind", 3, "type")],
)
def test_values_that_are_none_are_refused(ros: None, name: str, value: object, why: str) -> None:
    node = Echo()
    assert why in put(node, name, value).lower()
    assert "read-only" in put(node, "autostart", False)
    node.destroy_node()


def test_a_choice_that_is_none_is_refused_when_the_node_is_made() -> None:
    rclpy.init(args=["--ros-args", "-p", "kind:=damp"])
    try:
        with pytest.raises(InvalidParameterValueException, match="give one of: dry, wet"):
            Echo()
    finally:
        rclpy.shutdown()


def test_what_configure_refuses_fails_the_transition_and_may_be_mended(ros: None) -> None:
    node = Echo()
    put(node, "count", 9)
    assert not node.start()
    assert node.exit_status == 2
    assert not put(node, "count", 8)
    assert node.start()
    assert node.working
    node.stop()
    assert not node.working
    node.destroy_node()


def test_nodes_of_two_robots_tell_how_they_are_while_they_are_active(ros: None) -> None:
    nodes = [Echo("robot1"), Echo("robot2/left")]
    peer = rclpy.create_node("peer")
    statuses: list[DiagnosticStatus] = []
    peer.create_subscription(DiagnosticArray, "/diagnostics", lambda message: statuses.extend(message.status), 10)
    executor = SingleThreadedExecutor()
    for each in (*nodes, peer):
        executor.add_node(each)
    assert all(node.start() for node in nodes)
    wanted = {"/robot1/echo: echo", "/robot2/left/echo: echo"}
    deadline = time.monotonic() + PATIENCE
    while {status.name for status in statuses} != wanted:
        assert time.monotonic() < deadline, "no diagnoses"
        executor.spin_once(timeout_sec=0.05)
    status = statuses[0]
    assert (status.level, status.message, status.hardware_id) == (OK, "echoes", "cave")
    assert {value.key: value.value for value in status.values} == {"count": "2"}
    for each in nodes:
        each.stop()
    assert not any(node.working for node in nodes)
    for each in (*nodes, peer):
        each.destroy_node()


def test_the_table_of_parameters_is_current(ros: None) -> None:
    assert PAGE.read_text(encoding="utf-8") == table(), (
        "run: python -m hearing_nodes.parameter_table docs/parameters.md"
    )


def test_every_parameter_is_described_and_every_number_has_a_range(ros: None) -> None:
    names = {stage.__name__ for stage in stages()}
    assert names >= {"AudioSource", "Vision", "Hearing", "Recognition", "Dialogue", "Captions", "Player"}
    rows = [line.split(" | ") for line in table().splitlines() if line.startswith("| `")]
    for _, name, kind, _, valid, _, meaning in rows:
        assert meaning.removesuffix(" |").strip(), name
        assert valid or kind not in ("int", "float"), name


# Is interrupted while it publishes, as any node may be: rclpy shuts the context down in a thread of its own.
INTERRUPTED_AMID_A_CALLBACK = """
import sys
from hearing_nodes.node import StageNode, run
from std_msgs.msg import String

class Talker(StageNode):
    def __init__(self):
        super().__init__("talker", None)

    def activate(self):
        self.words = self.create_publisher(String, "words", 1)
        self.create_timer(0.01, self.talk)

    def talk(self):
        self.context.try_shutdown()
        self.words.publish(String(data="not any more"))

sys.exit(run(Talker))
"""


def test_an_interrupt_amid_a_callback_is_no_failure() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AMID_A_CALLBACK], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
