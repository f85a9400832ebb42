"""The messages that bags hold: their definitions, how they are sent, and the topics that this project uses."""

from __future__ import annotations

import functools

from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

AUDIO_BLOCK = "hearing_msgs/msg/AudioBlock"
AUDIO_DATA = "audio_common_msgs/msg/AudioData"
AUDIO_STAMPED = "audio_common_msgs/msg/AudioDataStamped"
AUDIO_INFO = "audio_common_msgs/msg/AudioInfo"
IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
ODOMETRY = "nav_msgs/msg/Odometry"
TRANSFORMS = "tf2_msgs/msg/TFMessage"
STRING = "std_msgs/msg/String"
UTTERANCE = "hearing_msgs/msg/Utterance"
TRACK_ARRAY = "hearing_msgs/msg/TrackArray"

AUDIO = "/audio"
PLAYBACK = "/playback"
PICTURES = "/camera/image_raw/compressed"
LENS = "/camera/camera_info"
ODOM = "/odom"
STATIC = "/tf_static"
STATE = "/robot/motion_state"
"""Name of the robot's motion state, as in `motion.jsonl`."""
ARRAY = "/hearing/array"
"""An array YAML file as text."""
SEGMENTS = "/reference/segments"
"""The truth: the text of `reference/segments.json`, whose times count from the first sample of audio in the bag."""
SOURCES = "/reference/sources"
"""The text of `reference/sources.jsonl`, with the same times."""

ARRAY_FRAME = "mic_array_link"
CAMERA_FRAME = "camera_optical_frame"

DEFINITIONS = {
    AUDIO_BLOCK: (
        "std_msgs/Header header\nuint64 start_sample\nuint32 sample_rate\nuint8 channels\nbool end_of_stream\n"
        "int16[] data\n"
    ),
    AUDIO_DATA: "uint8[] data\n",
    AUDIO_STAMPED: "std_msgs/Header header\naudio_common_msgs/AudioData audio\n",
    AUDIO_INFO: "uint8 channels\nuint32 sample_rate\nstring sample_format\nuint32 bitrate\nstring coding_format\n",
}
"""Audio, which rosbags does not bring: this project's without comments, and ros-drivers' audio_common_msgs.

Bags that ROS 2 Iron or later has recorded say themselves what their messages are; older sqlite3 bags do not.
"""


@functools.cache
def typestore() -> Typestore:
    """Return all messages of ROS 2 Jazzy and `DEFINITIONS`."""
    store = get_typestore(Stores.ROS2_JAZZY)
    for name, definition in DEFINITIONS.items():
        store.register(get_types_from_msg(definition, name))
    return store


def quality(depth: int, latched: bool) -> Qos:
    """Return how a topic is published: reliable, for `latched` ones also to whoever subscribes later."""
    no_limit = QosTime(2_147_483_647, 4_294_967_295)
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=depth,
        reliability=QosReliability.RELIABLE,
        durability=QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        deadline=no_limit,
        lifespan=no_limit,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=no_limit,
        avoid_ros_namespace_conventions=False,
    )
