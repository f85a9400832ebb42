"""Poses as messages, and a robot's frames in tf."""

from __future__ import annotations

from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from hearing_nodes.frames import transform
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

from hearing.bags.transforms import matrix
from hearing_gazebo.poses import Pose
from hearing_gazebo.world import World

POSES_QOS = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=2000, reliability=ReliabilityPolicy.RELIABLE)
"""Ten seconds of poses and more: where some are lost, audio comes in bursts that are too long for its own queues."""
BASE = "base_link"
"""The link of a robot that its odometry is about."""


def pose_of(message: TransformStamped) -> Pose:
    """Return the pose that a message tells."""
    return Pose.from_matrix(matrix(message.transform.translation, message.transform.rotation))


def robot_frames(world: World, name: str) -> list[TransformStamped]:
    """Return the frames of a robot that never move in each other, as they are named in tf.

    Links that are fixed to another one hang on that as `model/link`, and `model/odom`, in which its odometry counts, on
    the frame of the world.
    """
    model = world.models[name]
    frames = [transform(world.name, f"{name}/odom", Time(), model.pose.matrix)]
    for child, parent in model.fixed.items():
        place = model.links[parent].inverse() @ model.links[child]
        frames.append(transform(f"{name}/{parent}", f"{name}/{child}", Time(), place.matrix))
    return frames
