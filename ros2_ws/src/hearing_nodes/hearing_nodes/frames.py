"""Frames of tf: where they are in each other, and those that the nodes publish (REP-103, REP-105)."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from numpy.typing import ArrayLike, NDArray
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.subscription import Subscription
from scipy.spatial.transform import Rotation
from std_msgs.msg import Header

from hearing.bags.transforms import matrix
from hearing_nodes import optional
from hearing_nodes.conversions import nanoseconds

Matrix = NDArray[np.float64]
TF_QOS = QoSProfile(depth=100)
TF_STATIC_QOS = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
_KEPT = 1000
"""Poses of a frame that moves: ten seconds at 100 Hz."""
_SET_BACK = 1_000_000_000
"""Nanoseconds back from which on a stamp is not late: the ROS clock was set back."""


class FrameTree:
    """Where frames are in each other, as it was last known at a time."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}
        self._times: dict[str, deque[int]] = {}
        self._poses: dict[str, deque[Matrix]] = {}

    def take(self, message: tuple[Any, bool]) -> None:
        """Take in a `tf2_msgs/TFMessage`, with whether it is static: what holds for all times."""
        content, static = message
        for entry in content.transforms:
            stamp = 0 if static else nanoseconds(entry.header.stamp)
            place = matrix(entry.transform.translation, entry.transform.rotation)
            self.put(entry.header.frame_id, entry.child_frame_id, place, stamp)

    def put(self, parent: str, child: str, pose: Matrix, stamp: int = 0) -> None:
        """Take in where a frame is in another one.

        Parameters
        ----------
        parent, child
            Names of the frames.
        pose
            Matrix of shape (4, 4) that maps coordinates in `child` to those in `parent`, in metres.
        stamp
            ROS time in nanoseconds from which on it holds; 0: always.
        """
        child, parent = child.lstrip("/"), parent.lstrip("/")
        if self._parents.get(child) != parent or stamp == 0:
            self._times[child], self._poses[child] = deque(maxlen=_KEPT), deque(maxlen=_KEPT)
        self._parents[child] = parent
        times, poses = self._times[child], self._poses[child]
        if times and stamp < times[-1] - _SET_BACK:
            times.clear()
            poses.clear()
        if not times or stamp > times[-1]:  # else it is late, or known from somebody else
            times.append(stamp)
            poses.append(pose)

    def parent(self, frame: str) -> str | None:
        """Return the frame that another one hangs on, or None if it is not known."""
        return self._parents.get(frame.lstrip("/"))

    def between(self, frame: str, other: str, stamp: int) -> Matrix | None:
        """Return the matrix of shape (4, 4) that maps coordinates in `other` to those in `frame`.

        Parameters
        ----------
        frame, other
            Names of the frames.
        stamp
            ROS time in nanoseconds: each joint is taken as it was last known then, or at first if that is later.

        Returns
        -------
        None if it is not known.
        """
        mine, others = self._ancestors(frame.lstrip("/")), self._ancestors(other.lstrip("/"))
        common = next((ancestor for ancestor in mine if ancestor in others), None)
        if common is None:
            return None
        pose: Matrix = np.linalg.inv(self._up(mine, common, stamp)) @ self._up(others, common, stamp)
        return pose

    def _ancestors(self, frame: str) -> list[str]:
        chain = [frame]
        while (parent := self._parents.get(chain[-1])) is not None and parent not in chain:
            chain.append(parent)
        return chain

    def _up(self, chain: Sequence[str], ancestor: str, stamp: int) -> Matrix:
        pose = np.eye(4)
        for frame in chain[: chain.index(ancestor)]:
            known = max(bisect_right(self._times[frame], stamp) - 1, 0)
            pose = self._poses[frame][known] @ pose
        return pose


class FramePublisher:
    """Publishes frames on `/tf`, and those that stay where they are on `/tf_static`.

    Parameters
    ----------
    node
        Whose topics they are.
    """

    def __init__(self, node: Node) -> None:
        self._messages = optional.installed("tf2_msgs")
        self._node = node
        self._topics: dict[str, Publisher] = {}
        self._static: dict[str, TransformStamped] = {}

    @property
    def possible(self) -> bool:
        """Whether tf's messages are installed; without, nothing is published."""
        return self._messages is not None

    def send(self, transforms: Sequence[TransformStamped]) -> None:
        """Publish where frames are at a time."""
        if transforms and self._messages is not None:
            self._topic("/tf", TF_QOS).publish(self._messages.TFMessage(transforms=list(transforms)))

    def send_static(self, transforms: Sequence[TransformStamped]) -> None:
        """Publish where frames are for all times."""
        if self._messages is not None:
            self._static |= {transform.child_frame_id: transform for transform in transforms}
            message = self._messages.TFMessage(transforms=list(self._static.values()))
            self._topic("/tf_static", TF_STATIC_QOS).publish(message)

    def close(self) -> None:
        """Drop the topics."""
        for topic in self._topics.values():
            self._node.destroy_publisher(topic)
        self._topics.clear()

    def _topic(self, name: str, quality: QoSProfile) -> Publisher:
        if name not in self._topics:
            self._topics[name] = self._node.create_publisher(self._messages.TFMessage, name, quality)
        return self._topics[name]


def listen(node: Node, take: Callable[[tuple[Any, bool]], None]) -> list[Subscription]:
    """Subscribe to tf: `take` gets every message with whether it is static. Without tf's messages nothing comes.

    Returns
    -------
    What is to be destroyed at the end.
    """
    messages = optional.installed("tf2_msgs")
    if messages is None:
        return []
    return [
        node.create_subscription(
            messages.TFMessage, "/tf_static", lambda message: take((message, True)), TF_STATIC_QOS
        ),
        node.create_subscription(messages.TFMessage, "/tf", lambda message: take((message, False)), TF_QOS),
    ]


def transform(parent: str, child: str, stamp: Time, pose: Matrix) -> TransformStamped:
    """Return a message that says where a frame is: the matrix of shape (4, 4) from `child` to `parent`."""
    x, y, z, w = Rotation.from_matrix(pose[:3, :3]).as_quat().tolist()
    translation = Vector3(**dict(zip("xyz", pose[:3, 3].tolist(), strict=True)))
    turned = Transform(translation=translation, rotation=Quaternion(x=x, y=y, z=z, w=w))
    return TransformStamped(header=Header(stamp=stamp, frame_id=parent), child_frame_id=child, transform=turned)


def pose(position: ArrayLike, rotation: Rotation | None = None) -> Matrix:
    """Return a pose as a matrix of shape (4, 4): a position in metres, turned."""
    result = np.eye(4)
    result[:3, 3] = position
    if rotation is not None:
        result[:3, :3] = rotation.as_matrix()
    return result


def mounted(numbers: Sequence[float]) -> Matrix:
    """Return a pose of x, y and z in metres, and yaw, pitch and roll in degrees, as a matrix of shape (4, 4)."""
    return pose(numbers[:3], Rotation.from_euler("ZYX", numbers[3:], degrees=True))
