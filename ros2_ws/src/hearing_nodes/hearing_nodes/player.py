"""The player node: publishes what a rosbag2 holds of sound, pictures and motion, as it was recorded.

Unlike `ros2 bag play` it leaves out what was heard then, which the nodes hear anew, waits until somebody listens, and
says when the sound ends. It needs neither a plug-in of the bag's storage nor `ros2`.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from hearing_msgs.msg import AudioBlock
from rclpy.duration import Duration
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rosbags.interfaces import Connection
from rosgraph_msgs.msg import Clock

from hearing.bags import messages
from hearing.bags.reading import Bag, open_bag
from hearing.errors import InputError
from hearing_nodes.conversions import nanoseconds, time_message
from hearing_nodes.node import OK, Diagnosis, StageNode, run

SOUND = (messages.AUDIO_BLOCK, messages.AUDIO_DATA, messages.AUDIO_STAMPED)
PICTURES = (messages.IMAGE, messages.COMPRESSED_IMAGE)
LATCHED = (messages.AUDIO_INFO, messages.CAMERA_INFO, messages.STRING)
PLAYED = (*SOUND, *PICTURES, *LATCHED, messages.TRANSFORMS, messages.ODOMETRY, "hearing_msgs/msg/Phrases")
"""Types of what is played: all that is not heard anew."""
POLL = 0.05
"""Seconds between looks for a subscriber."""


class Player(StageNode):
    """Plays a bag once. Publishes its topics under the names that they were recorded with, and `/clock`."""

    aspect = "bag"

    def __init__(self) -> None:
        super().__init__("player")
        self.declare("bag", "", "The rosbag2 (mcap or sqlite3) to play")
        self.declare("start", 0.0, "Seconds after the bag's beginning at which to start", (0.0, 1e6))
        self.declare("rate", 1.0, "How many times faster than it was recorded", (0.01, 100.0))
        self.declare("pictures", False, "Wait until somebody looks at pictures, too")
        self.declare("clock", True, "Publish the time of the recording as /clock")

    def configure(self) -> None:
        """Find out what is to be played."""
        if not self.value("bag"):
            raise InputError("nothing to play: set the parameter `bag` to a rosbag2")
        with open_bag(Path(self.value("bag"))) as bag:
            self._topics = bag.topics(*PLAYED)
            kinds = {topic: bag.type_of(topic) for topic in self._topics}
        if not any(kind in SOUND for kind in kinds.values()):
            raise InputError(f"{self.value('bag')}: no sound was recorded; record again with the profile audio")
        self._kinds = {topic: kind for topic, kind in kinds.items() if self._is_installed(topic, kind)}

    def activate(self) -> None:
        """Make the topics and start to play."""
        self._count, self._state = 0, "waits for somebody who listens"
        self._outputs = {topic: self._publisher(topic, kind) for topic, kind in self._kinds.items()}
        self._clock_publisher = self.create_publisher(Clock, "/clock", 10) if self.value("clock") else None
        self._stopping = threading.Event()
        self._worker = self.begin_work(self._work, "bag")

    def deactivate(self) -> None:
        """Stop to play."""
        self._stopping.set()
        self._worker.join()
        for publisher in self._outputs.values():
            self.destroy_publisher(publisher)
        if self._clock_publisher is not None:
            self.destroy_publisher(self._clock_publisher)

    def diagnose(self) -> Diagnosis:
        """Tell how far the bag is played."""
        return Diagnosis(OK, self._state, {"messages": self._count})

    def _is_installed(self, topic: str, kind: str) -> bool:
        try:
            _message(kind)
        except (ImportError, AttributeError) as error:
            self.get_logger().warning(f"{topic} is not played: {kind} is not installed ({error})")
            return False
        return True

    def _publisher(self, topic: str, kind: str) -> Publisher:
        latched = kind in LATCHED or topic == messages.STATIC
        quality = QoSProfile(
            depth=30,
            reliability=ReliabilityPolicy.RELIABLE,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        )
        return self.create_publisher(_message(kind), topic, quality)

    def _work(self) -> None:
        try:
            while not self._is_awaited():
                if self._stopping.wait(POLL):
                    return
            self._state = "plays"
            with open_bag(Path(self.value("bag"))) as bag:
                self._play(bag)
            self._state = "has played all"
        except InputError as error:
            self.get_logger().error(str(error))
            self.end(2)

    def _is_awaited(self) -> bool:
        """Tell whether somebody listens, and looks if that is waited for."""
        wanted = (SOUND, PICTURES) if self.value("pictures") else (SOUND,)
        return all(
            any(self._outputs[topic].get_subscription_count() for topic, kind in self._kinds.items() if kind in kinds)
            for kinds in wanted
        )

    def _play(self, bag: Bag) -> None:
        last: dict[str, bytes] = {}
        for connection, recorded, raw in self._in_time(bag):
            if self._clock_publisher is not None:
                self._clock_publisher.publish(Clock(clock=time_message(recorded)))
            self._outputs[connection.topic].publish(raw)
            self._count += 1
            if connection.msgtype == messages.AUDIO_BLOCK:
                last[connection.topic] = raw
        if not self._stopping.is_set():
            for topic, raw in last.items():
                self._conclude(self._outputs[topic], deserialize_message(raw, AudioBlock))

    def _in_time(self, bag: Bag) -> Iterator[tuple[Connection, int, bytes]]:
        """Read the messages, each when it is due."""
        start = bag.start + round(self.value("start") * 1e9)
        begin, rate = time.monotonic(), self.value("rate")
        for connection, recorded, raw in bag.raw(list(self._kinds), start):
            if self._stopping.wait(max(0.0, begin + (recorded - start) / 1e9 / rate - time.monotonic())):
                return
            yield connection, recorded, raw

    def _conclude(self, publisher: Publisher, last: AudioBlock) -> None:
        """Say that the sound ends, unless the recording says it."""
        if not last.end_of_stream:
            samples = len(last.data) // last.channels
            stamp = nanoseconds(last.header.stamp) + samples * 10**9 // last.sample_rate
            last.header.stamp, last.start_sample = time_message(stamp), last.start_sample + samples
            last.data, last.end_of_stream = type(last.data)("h"), True
            publisher.publish(last)
        publisher.wait_for_all_acked(Duration(seconds=5))


def _message(kind: str) -> type:
    package, _, name = kind.split("/")
    found: type = getattr(import_module(f"{package}.msg"), name)
    return found


def main() -> None:
    """Run the node."""
    sys.exit(run(Player))


if __name__ == "__main__":
    main()
