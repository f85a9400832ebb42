"""A bag without what people sound and look like: what was understood of them stays.

What may stay is listed, by type: a message that nobody thought of is dropped.
"""

from __future__ import annotations

from pathlib import Path

from rosbags.interfaces import ConnectionExtRosbag2
from rosbags.rosbag2 import StoragePlugin

from hearing.bags import messages
from hearing.bags.messages import typestore
from hearing.bags.reading import open_bag
from hearing.bags.writing import new_bag

KEPT_PACKAGES = ("geometry_msgs", "nav_msgs", "tf2_msgs", "diagnostic_msgs", "rcl_interfaces", "rosgraph_msgs")
KEPT = (
    messages.UTTERANCE,
    messages.TRACK_ARRAY,
    messages.CAMERA_INFO,
    messages.AUDIO_INFO,
    "hearing_msgs/msg/Command",
    "hearing_msgs/msg/DialogueAct",
    "hearing_msgs/msg/EndOfStream",
    "hearing_msgs/msg/Phrases",
    "hri_msgs/msg/AudioFeatures",
    "hri_msgs/msg/EngagementLevel",
    "hri_msgs/msg/IdsList",
    "hri_msgs/msg/IdsMatch",
    "hri_msgs/msg/LiveSpeech",
    "hri_msgs/msg/NormalizedRegionOfInterest2D",
    "sensor_msgs/msg/JointState",
    "std_msgs/msg/Bool",
    "std_msgs/msg/Float32",
    messages.STRING,
)
"""Types that stay: words, tracks, identities by number, features, where the robot is; no sound, no faces."""


def stays(kind: str) -> bool:
    """Tell whether messages of a type stay."""
    return kind in KEPT or kind.split("/")[0] in KEPT_PACKAGES


def filter_bag(path: Path, out: Path) -> list[str]:
    """Copy what may stay of a bag into another one.

    Parameters
    ----------
    path
        A bag.
    out
        A new bag in mcap.

    Returns
    -------
    The topics that were dropped.

    Raises
    ------
    InputError
        If the bag cannot be read, or the new one cannot be written.
    """
    with open_bag(path) as bag, new_bag(out, StoragePlugin.MCAP) as writer:
        kept = [connection for connection in bag.connections if stays(connection.msgtype)]
        copies = {}
        for connection in kept:
            ext = connection.ext
            known = connection.msgdef.data and connection.digest
            copies[connection.id] = writer.add_connection(
                connection.topic,
                connection.msgtype,
                typestore=None if known else typestore(),
                msgdef=connection.msgdef.data if known else None,
                rihs01=connection.digest if known else None,
                offered_qos_profiles=ext.offered_qos_profiles if isinstance(ext, ConnectionExtRosbag2) else (),
            )
        for connection, time, raw in bag.raw([connection.topic for connection in kept]):
            if connection.id in copies:
                writer.write(copies[connection.id], time, raw)
        return sorted({connection.topic for connection in bag.connections} - {c.topic for c in kept})
