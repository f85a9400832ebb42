"""The phrases that a node's recognizer expects: a parameter that may change at any time, and a topic that sets it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hearing_msgs.msg import Phrases
from rcl_interfaces.msg import SetParametersResult
from rclpy.parameter import Parameter

from hearing.errors import InputError
from hearing_nodes.node import LATEST_QOS, StageNode, without_blanks

_NAME = "phrases"


class ExpectedPhrases:
    """Declares `phrases`, and subscribes `~/phrases` while the node is active.

    Parameters
    ----------
    node
        Whose they are.
    check
        Raises InputError for phrases that cannot be expected.
    expect
        Gets phrases that have changed.
    """

    def __init__(
        self,
        node: StageNode,
        check: Callable[[tuple[str, ...]], None],
        expect: Callable[[tuple[str, ...]], None],
    ) -> None:
        self._node, self._check, self._expect = node, check, expect
        # ROS does not know what an empty list would be a list of.
        node.declare(_NAME, [""], "Names and rare words to expect; ~/phrases sets them, too", live=True)
        node.add_on_set_parameters_callback(self._admit)
        node.add_post_set_parameters_callback(self._take)

    @property
    def current(self) -> tuple[str, ...]:
        """What is expected now."""
        return self._node.texts(_NAME)

    def open(self) -> None:
        """Make the topic."""
        self._topic = self._node.create_subscription(Phrases, "~/phrases", self._set, LATEST_QOS)

    def close(self) -> None:
        """Drop the topic."""
        self._node.destroy_subscription(self._topic)

    def _admit(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        """Refuse phrases that cannot be expected."""
        try:
            for parameter in parameters:
                if parameter.name == _NAME:
                    self._check(without_blanks(parameter.value))
        except InputError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _take(self, parameters: Sequence[Parameter]) -> None:
        for parameter in parameters:
            if parameter.name == _NAME:
                self._expect(without_blanks(parameter.value))

    def _set(self, message: Phrases) -> None:
        """Set the parameter, so that it tells what is expected now."""
        (result,) = self._node.set_parameters([Parameter(_NAME, Parameter.Type.STRING_ARRAY, list(message.phrases))])
        if not result.successful:
            self._node.get_logger().error(f"{self._topic.topic_name}: {result.reason}")
