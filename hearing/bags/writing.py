"""A recording folder becomes a rosbag2: audio, playback, pictures, motion, the array, and the truth."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from heapq import merge
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer
from scipy.spatial.transform import Rotation

from hearing.arrays import MicrophoneArray
from hearing.audio_file import sixteen_bits
from hearing.bags import messages
from hearing.bags.messages import quality, typestore
from hearing.errors import InputError
from hearing.outputs import check_out_dir
from hearing.recording import Recording, open_recording
from hearing.types import SAMPLE_RATE, Float32Array

if TYPE_CHECKING:
    from hearing.vision.camera import Camera

ORIGIN = 1_700_000_000_000_000_000
"""ROS time of the first sample in nanoseconds: a bag of a simulation is the same whenever it is written."""
_JPEG_QUALITY = 95


class _Item(NamedTuple):
    time: int
    topic: str
    kind: str
    message: Any
    latched: bool = False


class BagWriter:
    """Writes messages into a bag that is open for it; made by `new_bag`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._connections: dict[str, Connection] = {}
        self._store = typestore()

    def write(self, topic: str, kind: str, time: int, message: Any, latched: bool = False) -> None:
        """Write a message that was recorded at a time in nanoseconds."""
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic, kind, typestore=self._store, offered_qos_profiles=[quality(1 if latched else 30, latched)]
            )
        self._writer.write(self._connections[topic], time, self._store.serialize_cdr(message, kind))


def check_new(out: Path) -> None:
    """Raise InputError if a bag cannot be made there; call it before long work."""
    if out.exists():
        raise InputError(f"{out} exists; give another --out folder, or remove it")
    check_out_dir(out)


@contextmanager
def new_bag(out: Path, plugin: StoragePlugin = StoragePlugin.MCAP) -> Iterator[Writer]:
    """Make a bag that appears complete or not at all.

    Raises
    ------
    InputError
        If there is something of this name, or it cannot be written.
    """
    check_new(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as temporary:
            with Writer(Path(temporary) / out.name, version=9, storage_plugin=plugin) as writer:
                yield writer
            shutil.move(Path(temporary) / out.name, out)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}); give another --out folder") from error


def write_bag(folder: Path, out: Path, plugin: StoragePlugin = StoragePlugin.MCAP) -> None:
    """Write a recording folder as a bag.

    Parameters
    ----------
    folder
        As `hearing.recording` reads it.
    out
        The bag, which must not exist.
    plugin
        How it is stored.

    Raises
    ------
    InputError
        If the folder is no recording, or the bag cannot be written.
    """
    recording = open_recording(folder, seeing=True)
    with new_bag(out, plugin) as writer:
        bag = BagWriter(writer)
        for item in merge(_once(recording), _moves(recording), _heard(recording), key=lambda item: item.time):
            bag.write(item.topic, item.kind, item.time, item.message, item.latched)


def array_message(array: MicrophoneArray) -> Any:
    """Return the message on `messages.ARRAY` that describes an array."""
    rows = "".join(f"  - {[float(value) for value in row]}\n" for row in array.positions)
    return _make(messages.STRING, data=f"name: {array.name}\nmicrophones:\n{rows}")


def _once(recording: Recording) -> Iterator[_Item]:
    """Say what holds for the whole recording: the array, the truth, where the camera is."""
    yield _Item(ORIGIN, messages.ARRAY, messages.STRING, array_message(recording.array), latched=True)
    if recording.reference is not None:
        for topic, name in ((messages.SEGMENTS, "segments.json"), (messages.SOURCES, "sources.jsonl")):
            if (recording.reference / name).is_file():
                yield _text(topic, (recording.reference / name).read_text(encoding="utf-8"))
    transforms = [_transform("base_link", messages.ARRAY_FRAME, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))]
    if recording.camera is not None:
        from hearing.vision.optical import optical

        position, turn = optical(recording.camera)
        transforms.append(_transform(messages.ARRAY_FRAME, messages.CAMERA_FRAME, position, turn.as_quat()))
    tree = _make(messages.TRANSFORMS, transforms=transforms)
    yield _Item(ORIGIN, messages.STATIC, messages.TRANSFORMS, tree, latched=True)
    if recording.camera is not None:
        yield _Item(ORIGIN, messages.LENS, messages.CAMERA_INFO, _lens(recording.camera))


def _moves(recording: Recording) -> Iterator[_Item]:
    if recording.motion is None:
        return
    state = None
    for motion in map(json.loads, filter(str.strip, recording.motion.read_text(encoding="utf-8").splitlines())):
        time = ORIGIN + round(motion["time"] * 1e9)
        rotation = Rotation.from_euler("z", motion["yaw_deg"], degrees=True).as_quat()
        pose = _make("geometry_msgs/msg/Pose", position=_xyz("Point", motion["position"]), orientation=_turn(rotation))
        twist = _make("geometry_msgs/msg/Twist", linear=_xyz("Vector3", (0, 0, 0)), angular=_xyz("Vector3", (0, 0, 0)))
        unknown = np.zeros(36)
        odometry = _make(
            messages.ODOMETRY,
            header=_header(time, "odom"),
            child_frame_id="base_link",
            pose=_make("geometry_msgs/msg/PoseWithCovariance", pose=pose, covariance=unknown),
            twist=_make("geometry_msgs/msg/TwistWithCovariance", twist=twist, covariance=unknown),
        )
        yield _Item(time, messages.ODOM, messages.ODOMETRY, odometry)
        if motion.get("state") not in (None, state):
            state = motion["state"]
            yield _text(messages.STATE, state, time)


def _heard(recording: Recording) -> Iterator[_Item]:
    """Say what was heard, played and seen; a block is recorded when its last sample has come."""
    samples = round(recording.duration * SAMPLE_RATE)
    for moment in recording.moments():
        block = moment.block
        end = ORIGIN + round(block.end_time * 1e9)
        last = block.start_sample + len(block.samples) >= samples
        for topic, sound in ((messages.PLAYBACK, moment.playback), (messages.AUDIO, block.samples)):
            if sound is not None:
                message = _block(sound, block.start_sample, last)
                yield _Item(end, topic, messages.AUDIO_BLOCK, message)
        for frame in moment.frames:
            stamp = ORIGIN + round(frame.time * 1e9)
            yield _Item(end, messages.PICTURES, messages.COMPRESSED_IMAGE, _picture(frame.image, stamp))


def _block(samples: Float32Array, start: int, last: bool) -> Any:
    return _make(
        messages.AUDIO_BLOCK,
        header=_header(ORIGIN + round(start * 1e9 / SAMPLE_RATE), messages.ARRAY_FRAME),
        start_sample=start,
        sample_rate=SAMPLE_RATE,
        channels=samples.shape[1],
        end_of_stream=last,
        data=sixteen_bits(samples).ravel(),
    )


def _picture(image: np.ndarray[Any, np.dtype[np.uint8]], stamp: int) -> Any:
    import cv2

    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    header = _header(stamp, messages.CAMERA_FRAME)
    return _make(messages.COMPRESSED_IMAGE, header=header, format="bgr8; jpeg compressed bgr8", data=data.ravel())


def _lens(camera: Camera) -> Any:
    k = np.array([camera.fx, 0, camera.cx, 0, camera.fy, camera.cy, 0, 0, 1.0])
    region = _make("sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
    return _make(
        messages.CAMERA_INFO,
        header=_header(ORIGIN, messages.CAMERA_FRAME),
        height=int(camera.height),
        width=int(camera.width),
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=k,
        r=np.eye(3).ravel(),
        p=np.hstack([k.reshape(3, 3), np.zeros((3, 1))]).ravel(),
        binning_x=0,
        binning_y=0,
        roi=region,
    )


def _transform(parent: str, child: str, position: Any, rotation: Any) -> Any:
    transform = _make("geometry_msgs/msg/Transform", translation=_xyz("Vector3", position), rotation=_turn(rotation))
    kind = "geometry_msgs/msg/TransformStamped"
    return _make(kind, header=_header(ORIGIN, parent), child_frame_id=child, transform=transform)


def _text(topic: str, text: str, time: int = ORIGIN) -> _Item:
    return _Item(time, topic, messages.STRING, _make(messages.STRING, data=text), latched=True)


def _header(stamp: int, frame: str) -> Any:
    seconds, rest = divmod(stamp, 1_000_000_000)
    time = _make("builtin_interfaces/msg/Time", sec=seconds, nanosec=rest)
    return _make("std_msgs/msg/Header", stamp=time, frame_id=frame)


def _xyz(kind: str, values: Any) -> Any:
    x, y, z = (float(value) for value in values)
    return _make(f"geometry_msgs/msg/{kind}", x=x, y=y, z=z)


def _turn(quaternion: Any) -> Any:
    x, y, z, w = (float(value) for value in quaternion)
    return _make("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w)


def _make(kind: str, **fields: Any) -> Any:
    return typestore().types[kind](**fields)
