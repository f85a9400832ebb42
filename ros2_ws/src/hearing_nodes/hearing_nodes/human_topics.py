"""Topics of REP-155: lists of who is tracked, and a namespace for each of them that lives as long as he is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from std_msgs.msg import Header

from hearing_nodes import optional
from hearing_nodes.node import LATEST_QOS

NEW_QOS = QoSProfile(depth=100)
"""Without what was published before: who starts anew shall not say again what was said minutes ago."""
PASSING_QOS = QoSProfile(depth=10)
"""Of what changes all the time, reliable."""


class HumanTopics:
    """The topics of faces, voices or persons.

    Parameters
    ----------
    node
        Whose topics they are.
    root
        Their namespace, such as `/humans/voices`.

    Raises
    ------
    InputError
        If `hri_msgs` is not installed.
    """

    def __init__(self, node: Node, root: str) -> None:
        self._node, self._root = node, root
        self._kind = optional.needed("hri_msgs", "what REP-155 describes").IdsList
        self._lists: dict[str, Publisher] = {}
        self._topics: dict[str, dict[str, Publisher]] = {}
        self._told: dict[tuple[str, str], Any] = {}

    def track(self, header: Header, ids: Iterable[str]) -> list[str]:
        """Publish who is tracked, and drop the topics of all others; return the ids of these."""
        ids = sorted(ids)
        self.list("tracked", header, ids)
        gone = [known for known in self._topics if known not in ids]
        for known in gone:
            for name, topic in self._topics.pop(known).items():
                self._node.destroy_publisher(topic)
                self._told.pop((known, name), None)
        return gone

    def list(self, name: str, header: Header, ids: Iterable[str]) -> None:
        """Publish a list of ids."""
        if name not in self._lists:
            self._lists[name] = self._node.create_publisher(self._kind, f"{self._root}/{name}", LATEST_QOS)
        self._lists[name].publish(self._kind(header=header, ids=sorted(ids)))

    def offer(self, key: str, name: str, kind: type, latched: bool = False) -> Publisher:
        """Return the topic for something about somebody; who is to get the first message needs it some time before."""
        topics = self._topics.setdefault(key, {})
        if name not in topics:
            quality = LATEST_QOS if latched else PASSING_QOS
            topics[name] = self._node.create_publisher(kind, f"{self._root}/{key}/{name}", quality)
        return topics[name]

    def tell(self, key: str, name: str, message: Any, latched: bool = False) -> None:
        """Publish something about somebody; what is latched only if it has changed."""
        if latched and self._told.get((key, name)) == message:
            return
        if latched:
            self._told[key, name] = message
        self.offer(key, name, type(message), latched).publish(message)

    def close(self) -> None:
        """Drop all topics."""
        for topics in (self._lists, *self._topics.values()):
            for topic in topics.values():
                self._node.destroy_publisher(topic)
        self._lists.clear()
        self._topics.clear()
        self._told.clear()
