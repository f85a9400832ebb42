"""How the array moves, from odometry and tf, on the audio's sample clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from std_msgs.msg import String

from hearing.bags.transforms import SHORTEST, matrix
from hearing.errors import InputError
from hearing.motion import MotionLog
from hearing.types import ArrayMotion
from hearing_nodes import frames, optional
from hearing_nodes.conversions import StreamClock, nanoseconds
from hearing_nodes.frames import FramePublisher, FrameTree, Matrix
from hearing_nodes.node import StageNode

_KEPT = 100
"""Poses that are kept: two seconds at least; audio and odometry come side by side."""


class _Pose(NamedTuple):
    stamp: int
    pose: Matrix
    state: str | None


class Odometer:
    """Follows the array in the robot's odometry frame.

    Parameters
    ----------
    tree
        What tf says.

    Attributes
    ----------
    taken, lost
        Number of messages that came, and of those that could not be used: tf does not say where the array is.
    """

    def __init__(self, tree: FrameTree) -> None:
        self._tree = tree
        self.taken = self.lost = 0
        self._poses: deque[_Pose] = deque(maxlen=_KEPT)
        self._state: str | None = None
        self.begin()

    def begin(self) -> None:
        """Expect another stream of audio."""
        self._first: Matrix | None = None

    def add_state(self, message: Any) -> None:
        """Take in a `std_msgs/String`: from now on the robot is `idle`, `driving`, or what it calls it."""
        self._state = message.data

    def add(self, message: Any, array_frame: str) -> None:
        """Take in a `nav_msgs/Odometry`.

        Parameters
        ----------
        message
            Where the robot is.
        array_frame
            Name of the array's frame.
        """
        self.taken += 1
        odom, base, stamp = message.header.frame_id, message.child_frame_id, nanoseconds(message.header.stamp)
        if self._tree.parent(base) in (None, odom.lstrip("/")):
            self._tree.put(odom, base, matrix(message.pose.pose.position, message.pose.pose.orientation), stamp)
        if self._poses and stamp < self._poses[-1].stamp + SHORTEST:
            if stamp > self._poses[-1].stamp - int(1e9):
                return  # more than 50 in a second tell nothing new
            self._poses.clear()  # the ROS clock was set back
        pose = self._tree.between(odom, array_frame, stamp)
        if pose is None:
            self.lost += 1
        else:
            self._poses.append(_Pose(stamp, pose, self._state))

    def motion(self, clock: StreamClock) -> MotionLog | None:
        """Return how the array moves in the frame that it had when a stream began, as it is known now.

        Parameters
        ----------
        clock
            Of the stream.

        Returns
        -------
        None if nothing is known.
        """
        if not self._poses:
            return None
        if self._first is None:
            known = [entry.pose for entry in self._poses if entry.stamp <= clock.origin]
            self._first = np.linalg.inv(known[-1] if known else self._poses[0].pose)
        return MotionLog([self._moved(entry, clock) for entry in self._poses])

    def _moved(self, entry: _Pose, clock: StreamClock) -> ArrayMotion:
        moved = self._first @ entry.pose
        yaw = float(np.arctan2(moved[1, 0], moved[0, 0]))
        return ArrayMotion((entry.stamp - clock.origin) / 1e9, moved[:3, 3], yaw, entry.state)


class Motion:
    """What a node knows of where its array is on the robot, and of how that moves, as its parameters say.

    It publishes the first where a parameter tells it, and subscribes to the second.

    Parameters
    ----------
    node
        Hears.
    put
        Has something used by the thread that hears.
    """

    def __init__(self, node: StageNode, put: Callable[[Callable[[Any], None], Any], None]) -> None:
        self._node, self._array_frame = node, node.value("frame_id")
        self._frames, self._topics = FramePublisher(node), []
        self._odometer: Odometer | None = None
        mount, base = _mount(node), node.value("base_frame")
        if mount is not None:
            stamp = node.get_clock().now().to_msg()
            self._frames.send_static([frames.transform(base, self._array_frame, stamp, mount)])
        if not node.value("odometry"):
            return
        tree = FrameTree()
        if mount is not None:
            tree.put(base, self._array_frame, mount)
        self._odometer = Odometer(tree)
        odometry = optional.needed("nav_msgs", "odometry").Odometry
        self._topics = [
            *frames.listen(node, partial(put, tree.take)),
            node.create_subscription(odometry, "odom", partial(put, self._move), 50),
            node.create_subscription(String, "robot/motion_state", partial(put, self._odometer.add_state), 10),
        ]

    @property
    def taken(self) -> int:
        """Number of messages of odometry that came."""
        return self._odometer.taken if self._odometer is not None else 0

    @property
    def lost(self) -> int:
        """Number of messages that could not be used: it is not known where the array is on the robot."""
        return self._odometer.lost if self._odometer is not None else 0

    def at(self, clock: StreamClock) -> Callable[[float], ArrayMotion] | None:
        """Return what tells how the array moves at a time of a stream; None if it is not known."""
        self._array_frame = clock.frame_id or self._array_frame
        log = self._odometer.motion(clock) if self._odometer is not None else None
        return log.known_at if log is not None else None

    def begin(self) -> None:
        """Expect another stream of audio."""
        if self._odometer is not None:
            self._odometer.begin()

    def close(self) -> None:
        """Drop the topics."""
        for topic in self._topics:
            self._node.destroy_subscription(topic)
        self._frames.close()

    def _move(self, message: Any) -> None:
        self._odometer.add(message, self._array_frame)


def declare(node: StageNode) -> None:
    """Declare the parameters of where an array is and how it moves."""
    node.declare("base_frame", "", "Frame of the robot that `mount` is in, to be published; empty: tf knows the array")
    node.declare("mount", [0.0] * 6, "Array in the base frame: x, y, z in m, yaw, pitch, roll in degrees")
    node.declare("odometry", False, "Whether the array moves as `odom` and tf say")


def check(node: StageNode) -> None:
    """Raise InputError if parameters of motion, or the messages that they need, cannot be used."""
    if node.value("odometry"):
        for package in ("nav_msgs", "tf2_msgs"):
            optional.needed(package, "odometry")
    _mount(node)


def _mount(node: StageNode) -> Matrix | None:
    """Return where the array is in the base frame, or None if that is left to tf."""
    if not node.value("base_frame"):
        return None
    numbers = list(node.value("mount"))
    if len(numbers) != 6 or not np.isfinite(numbers).all():
        raise InputError(f"mount is {numbers}: give x, y and z in m, then yaw, pitch and roll in degrees")
    return frames.mounted(numbers)
