"""Commands on their way to the robot's own software, as goals of an action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from action_msgs.msg import GoalStatus
from hearing_msgs.action import Execute
from hearing_msgs.msg import Command
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.node import Node
from rclpy.task import Future

_FAILED = "I could not do that."
_NOBODY = "I cannot do that now: nothing answers that could."


class Commander:
    """Sends commands as goals to the action `execute`, and tells what became of those that failed.

    Parameters
    ----------
    node
        Whose the client is.
    tell
        Is told what people should hear about a command that was not done.

    Attributes
    ----------
    done, failed
        How many were done, and how many were refused or not done.
    """

    def __init__(self, node: Node, tell: Callable[[str], None]) -> None:
        self._client = ActionClient(node, Execute, "execute")
        self._tell = tell
        self._goals: dict[str, ClientGoalHandle] = {}
        self._cancelled: set[str] = set()
        self.done = self.failed = 0

    @property
    def ready(self) -> bool:
        """Whether somebody serves the action."""
        return bool(self._client.server_is_ready())

    def close(self) -> None:
        """Give up the client; goals go on."""
        self._client.destroy()

    def send(self, command: Command) -> None:
        """Send a command; one that it corrects is cancelled, in an emergency all are."""
        if command.emergency:
            self._cancel(*self._goals)
        elif command.replaces:
            self._cancel(command.replaces)
        if not self.ready:
            self._fail("" if command.emergency else _NOBODY)
            return
        name = command.turn_id
        self._cancelled.discard(name)
        self._client.send_goal_async(Execute.Goal(command=command)).add_done_callback(
            lambda sent: self._follow(name, sent)
        )

    def _cancel(self, *names: str) -> None:
        for name in names:
            self._cancelled.add(name)
            if (goal := self._goals.get(name)) is not None:
                goal.cancel_goal_async()

    def _follow(self, name: str, sent: Future) -> None:
        goal: ClientGoalHandle = sent.result()
        if not goal.accepted:
            self._fail(_FAILED)
            return
        self._goals[name] = goal
        if name in self._cancelled:  # while it was on its way
            goal.cancel_goal_async()
        goal.get_result_async().add_done_callback(lambda ended: self._end(name, ended))

    def _end(self, name: str, ended: Future) -> None:
        self._goals.pop(name, None)
        response: Any = ended.result()
        if response.status == GoalStatus.STATUS_CANCELED:
            return
        if response.status == GoalStatus.STATUS_SUCCEEDED and response.result.success:
            self.done += 1
        else:
            self._fail(response.result.message or _FAILED)

    def _fail(self, message: str) -> None:
        self.failed += 1
        if message:
            self._tell(message)
