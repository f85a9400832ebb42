"""Records topics of a running robot into a rosbag2, as the bytes in which they arrive.

Topics are chosen by what their messages are, and found while they appear. The bag is mcap, written by rosbags.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosbags.rosbag2 import Writer
from rosbags.typesys import TypesysError, get_types_from_msg
from rosbags.typesys.store import Typestore

from hearing.arrays import load_array
from hearing.bags import messages
from hearing.bags.privacy import stays
from hearing.bags.writing import array_message, new_bag
from hearing.errors import InputError

PROFILES = {
    "audio": (messages.AUDIO_BLOCK, messages.AUDIO_DATA, messages.AUDIO_STAMPED, messages.AUDIO_INFO),
    "camera": (messages.COMPRESSED_IMAGE, messages.CAMERA_INFO),
    "results": ("hearing_msgs", "hri_msgs", "diagnostic_msgs"),
}
"""Types or packages of what is recorded."""
ALWAYS = (messages.TRANSFORMS, messages.ODOMETRY, messages.STRING)
"""Without where the robot is and what its array is, nothing can be heard again. Texts are those of `hearing.bags`."""
VOICES = tuple(f"hearing_msgs/msg/{name}" for name in ("HeardStep", "SourceAudio", "SpeechChunk", "SpeechStep"))
"""Results that are sound, which what was heard makes anew."""
_TEXTS = (messages.STATE, messages.ARRAY, messages.SEGMENTS, messages.SOURCES)
_LOOK = 0.1  # s between two looks for new topics, as in rosbag2: what is published before is lost


def record_topics(
    out: Path, profiles: Sequence[str], array: str | None, duration: float | None, privacy: bool
) -> dict[str, int]:
    """Record until interrupted.

    Parameters
    ----------
    out
        The bag, which must not exist.
    profiles
        Names of `PROFILES`; of none all are recorded.
    array
        Name or YAML file of the array, to be noted in the bag.
    duration
        Seconds after which to stop; None: only when interrupted.
    privacy
        Record only what `hearing.bags.privacy` would keep.

    Returns
    -------
    Number of messages by topic.

    Raises
    ------
    InputError
        If a profile or the array is unknown, or the bag cannot be written.
    """
    unknown = [name for name in profiles if name not in PROFILES]
    if unknown:
        raise InputError(f"profile {unknown[0]!r} is unknown; known are: {', '.join(PROFILES)}")
    wanted = tuple(kind for name in profiles or PROFILES for kind in PROFILES[name])
    microphones = load_array(array) if array is not None else None
    with new_bag(out) as writer:
        rclpy.init()
        recorder = Recorder(writer, partial(_chosen, wanted=wanted, privacy=privacy))
        if microphones is not None:
            recorder.note(messages.ARRAY, array_message(microphones))
        try:
            end = time.monotonic() + duration if duration is not None else None
            while rclpy.ok() and (end is None or time.monotonic() < end):
                rclpy.spin_once(recorder, timeout_sec=0.1)
        except (KeyboardInterrupt, ExternalShutdownException):
            pass  # how a recording is meant to end
        finally:
            recorder.destroy_node()
            rclpy.try_shutdown()
        if not recorder.counts:
            raise InputError("nothing was published that is to be recorded; see `ros2 topic list`")
        return dict(recorder.counts)


class Recorder(Node):
    """Subscribes to topics as they appear and writes what arrives, stamped by the node's clock.

    Parameters
    ----------
    writer
        Of the bag.
    chosen
        Tells by topic and type whether a topic is recorded.
    """

    def __init__(self, writer: Writer, chosen: Callable[[str, str], bool]) -> None:
        super().__init__("recorder")
        self.counts: Counter[str] = Counter()
        self._writer, self._chosen = writer, chosen
        self._store = messages.typestore()
        self._known: set[str] = set()
        self._look()
        self._timer = self.create_timer(_LOOK, self._look)

    def note(self, topic: str, message: Any) -> None:
        """Write a text that nobody publishes."""
        connection = self._connection(topic, messages.STRING, latched=True)
        now = self.get_clock().now().nanoseconds
        self._writer.write(connection, now, self._store.serialize_cdr(message, messages.STRING))

    def _look(self) -> None:
        for topic, kinds in self.get_topic_names_and_types():
            if topic in self._known or not self._chosen(topic, kinds[0]):
                continue
            offered = [info.qos_profile for info in self.get_publishers_info_by_topic(topic)]
            if offered:  # else nobody publishes it yet
                self._known.add(topic)
                self._subscribe(topic, kinds[0], offered)

    def _subscribe(self, topic: str, kind: str, offered: list[QoSProfile]) -> None:
        package, _, name = kind.split("/")
        try:
            cls = getattr(import_module(f"{package}.msg"), name)
            _learn(self._store, kind)
        except (ImportError, AttributeError, TypesysError, OSError) as error:
            self.get_logger().warning(f"{topic} is not recorded: {kind} is not installed ({error})")
            return
        latched = all(qos.durability == DurabilityPolicy.TRANSIENT_LOCAL for qos in offered)
        reliable = all(qos.reliability == ReliabilityPolicy.RELIABLE for qos in offered)
        connection = self._connection(topic, kind, latched)
        qos = QoSProfile(
            depth=1000,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
            reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        )
        self.create_subscription(cls, topic, partial(self._write, connection), qos, raw=True)

    def _connection(self, topic: str, kind: str, latched: bool) -> Any:
        offered = [messages.quality(1 if latched else 30, latched)]
        return self._writer.add_connection(topic, kind, typestore=self._store, offered_qos_profiles=offered)

    def _write(self, connection: Any, data: bytes) -> None:
        self._writer.write(connection, self.get_clock().now().nanoseconds, data)
        self.counts[connection.topic] += 1


def _chosen(topic: str, kind: str, wanted: tuple[str, ...], privacy: bool) -> bool:
    if kind == messages.STRING:
        return topic in _TEXTS
    if kind in VOICES or ("/humans/voices/" in topic and kind == messages.AUDIO_DATA):
        return False
    known = kind in (*wanted, *ALWAYS) or (kind.split("/")[0] in wanted and kind != messages.AUDIO_BLOCK)
    return known and (stays(kind) or not privacy)


def _learn(store: Typestore, kind: str) -> None:
    """Read the definition of a type that rosbags does not know where it is installed, and of what it is made of."""
    if kind in store.fielddefs:
        return
    package, _, name = kind.split("/")
    text = _definition(package, name)
    types = get_types_from_msg(text, kind)
    for line in text.splitlines():
        part = line.split("#")[0].split()[:1]
        inner = part[0].split("[")[0] if part else ""
        if inner[:1].isupper() or "/" in inner:
            owner, _, last = inner.rpartition("/")
            _learn(store, f"{owner.split('/')[0] or package}/msg/{last}")
    store.register(types)


def _definition(package: str, name: str) -> str:
    """Read a message's definition from the workspaces that are sourced, or the environment that this runs in."""
    prefixes = [*filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)), sys.prefix]
    files = [Path(prefix) / "share" / package / "msg" / f"{name}.msg" for prefix in prefixes]
    return next((file for file in files if file.is_file()), files[-1]).read_text(encoding="utf-8")
