"""Frames, pictures and results of bags."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from builders import audio_block, header, sound
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from hearing.arrays import load_array
from hearing.bags import messages
from hearing.bags.messages import typestore
from hearing.bags.results import unpack
from hearing.bags.streams import Heading, open_bag_recording
from hearing.bags.transforms import Frames
from hearing.bags.writing import ORIGIN, BagWriter, array_message, new_bag
from hearing.errors import InputError
from hearing.recording import BLOCK_SIZE
from hearing.vision.camera import Camera
from hearing.vision.optical import optical

SECOND = 1_000_000_000


def transform(
    parent: str, child: str, position: Any, yaw: float = 0.0, time: float = 0.0, quaternion: Any = None
) -> Any:
    """A stamped transform; `yaw` in degrees."""
    types = typestore().types
    half = np.radians(yaw) / 2
    x, y, z, w = quaternion if quaternion is not None else (0.0, 0.0, np.sin(half), np.cos(half))
    return types["geometry_msgs/msg/TransformStamped"](
        header=header(ORIGIN + round(time * SECOND), parent),
        child_frame_id=child,
        transform=types["geometry_msgs/msg/Transform"](
            translation=types["geometry_msgs/msg/Vector3"](*map(float, position)),
            rotation=types["geometry_msgs/msg/Quaternion"](float(x), float(y), float(z), float(w)),
        ),
    )


def tree(*transforms: Any) -> Any:
    return typestore().types[messages.TRANSFORMS](transforms=list(transforms))


def test_an_array_on_a_robot_that_turns_on_the_spot_moves_in_a_circle() -> None:
    frames = Frames()
    frames.add(tree(transform("base_link", "mic_array_link", (0.5, 0, 1))), static=True)
    for step in range(11):  # the map's corrections are no motion
        time = step / 10
        frames.add(tree(transform("map", "odom", (step, 0, 0), time=time)), static=False)
        frames.add(tree(transform("odom", "base_link", (3, 4, 0), yaw=90 * time, time=time)), static=False)
    *_, last = frames.motion("mic_array_link", ORIGIN)
    assert last.time == pytest.approx(1.0)
    assert np.degrees(last.yaw) == pytest.approx(90)
    assert last.position == pytest.approx([-0.5, 0.5, 0.0])  # in the array's own first frame


def test_a_pose_is_what_was_known_at_its_time() -> None:
    frames = Frames()
    frames.add(tree(transform("base_link", "head", (0, 0, 0), yaw=0, time=0.0)), static=False)
    frames.add(tree(transform("base_link", "head", (0, 0, 0), yaw=40, time=1.0)), static=False)
    frames.add(tree(transform("odom", "base_link", (1, 0, 0), time=0.5)), static=False)
    yaws = [round(np.degrees(motion.yaw)) for motion in frames.motion("head", ORIGIN)]
    assert yaws == [0, 0, 40]


def test_a_robot_at_rest_does_not_move() -> None:
    frames = Frames()
    frames.add(tree(transform("base_link", "mic_array_link", (0.5, 0, 1))), static=True)
    assert not frames.moves("mic_array_link")
    assert frames.between("mic_array_link", "elsewhere") is None


CAMERA = Camera(64, 48, 50, 50, 32, 24, (0.1, 0.02, -0.05), yaw=20.0, pitch=-10.0, roll=5.0)


def seeing_bag(path: Path, encoding: str = "bgr8", placed: bool = True) -> np.ndarray:
    """Write a second of sound and four raw pictures, and return the last picture."""
    types = typestore().types
    rng = np.random.default_rng(0)
    region = types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    lens = types[messages.CAMERA_INFO](
        header(ORIGIN, "eye"), 48, 64, "plumb_bob", np.zeros(5), np.array([50, 0, 32, 0, 50, 24, 0, 0, 1.0]),
        np.eye(3).ravel(), np.zeros(12), 0, 0, region,
    )  # fmt: skip
    position, turn = optical(CAMERA)
    with new_bag(path) as writer:
        bag = BagWriter(writer)
        bag.write(messages.ARRAY, messages.STRING, ORIGIN, array_message(load_array("respeaker_4mic")))
        bag.write("/camera/camera_info", messages.CAMERA_INFO, ORIGIN, lens)
        if placed:
            where = tree(transform("mic_array_link", "eye", position, quaternion=turn.as_quat()))
            bag.write("/tf_static", messages.TRANSFORMS, ORIGIN, where)
        for number in range(4):
            picture = rng.integers(0, 255, (48, 64, 3), np.uint8)
            stamp = ORIGIN + number * SECOND // 4
            data = np.pad(picture.reshape(48, -1), ((0, 0), (0, 8))).ravel()  # rows may be padded
            message = types[messages.IMAGE](header(stamp, "eye"), 48, 64, encoding, 0, 200, data)
            bag.write("/camera/image_raw", messages.IMAGE, stamp + SECOND // 10, message)
        for start in range(0, 31 * BLOCK_SIZE, BLOCK_SIZE):
            block = audio_block(sound(BLOCK_SIZE, 4), start, ORIGIN, False)
            bag.write("/audio", messages.AUDIO_BLOCK, ORIGIN + start * SECOND // 16_000, block)
    return picture


def test_a_camera_is_where_tf_says(tmp_path: Path) -> None:
    last = seeing_bag(tmp_path / "bag", "rgb8")
    recording = open_bag_recording(tmp_path / "bag")
    for name in ("width", "fx", "cx", "yaw", "pitch", "roll", "position"):
        assert getattr(recording.camera, name) == pytest.approx(getattr(CAMERA, name))
    frames = [frame for _, moment in recording.moments() for frame in moment.frames]
    assert [frame.time for frame in frames] == [0.0, 0.25, 0.5, 0.75]
    np.testing.assert_array_equal(frames[-1].image, last[:, :, ::-1])
    for _, moment in recording.moments():
        assert all(moment.block.start_time <= frame.time < moment.block.end_time for frame in moment.frames)


def test_a_camera_that_is_nowhere_is_not_used(tmp_path: Path) -> None:
    seeing_bag(tmp_path / "bag", placed=False)
    recording = open_bag_recording(tmp_path / "bag")
    assert recording.camera is None
    assert any("tf does not say where eye is" in notice for notice in recording.notices)


def test_pictures_of_another_kind_are_refused(tmp_path: Path) -> None:
    seeing_bag(tmp_path / "bag", "yuv422")
    with pytest.raises(InputError, match="pictures of encoding 'yuv422'"):
        list(open_bag_recording(tmp_path / "bag").moments())


def test_a_robot_that_stands_has_no_motion(tmp_path: Path) -> None:
    seeing_bag(tmp_path / "bag")
    assert open_bag_recording(tmp_path / "bag").motion(Heading(1, ORIGIN)) is None


def result_types() -> Typestore:
    """All types, with this project's results as their messages define them."""
    store = get_typestore(Stores.ROS2_JAZZY)
    folder = Path(__file__).parents[2] / "ros2_ws/src/hearing_msgs/msg"
    for name in ("Word", "Utterance", "Track", "TrackArray"):
        store.register(get_types_from_msg((folder / f"{name}.msg").read_text(), f"hearing_msgs/msg/{name}"))
    return store


def filled(store: Typestore, kind: str, **fields: Any) -> Any:
    """A message whose other fields are zero or empty."""
    empty = {"string": "", "bool": False}
    values = {}
    for name, (node, detail) in store.fielddefs[kind][1]:
        basic = detail[0] if isinstance(detail, tuple) else detail
        values[name] = fields.get(name, empty.get(basic, 0) if node == 1 else [])
    return store.types[kind](**values)


def test_what_a_robot_heard_is_read_from_its_topics(tmp_path: Path) -> None:
    store = result_types()
    kinds = {name: f"hearing_msgs/msg/{name}" for name in ("Word", "Utterance", "Track", "TrackArray")}
    word = filled(store, kinds["Word"], text="Hello", start_time=0.1, end_time=0.4, emitted_final=float("nan"))
    partial, final = (
        filled(
            store, kinds["Utterance"], header=header(ORIGIN + SECOND // 10), id="u1", revision=last, is_final=last,
            speaker="talker_1", words=[word] * (1 + last), start_time=0.1, end_time=0.8, azimuth=0.5,
        )
        for last in (False, True)
    )  # fmt: skip
    track = filled(store, kinds["Track"], id=3, azimuth=0.5, activity=0.9)
    tracks = filled(store, kinds["TrackArray"], header=header(ORIGIN + SECOND // 5), time=0.2, tracks=[track])
    with new_bag(tmp_path / "bag") as writer:
        bag = BagWriter(writer)
        bag.write(messages.ARRAY, messages.STRING, ORIGIN, array_message(load_array("respeaker_4mic")))
        block = audio_block(sound(BLOCK_SIZE, 4), BLOCK_SIZE, ORIGIN, False)  # the first one was not recorded
        bag.write(messages.AUDIO, messages.AUDIO_BLOCK, ORIGIN, block)
        for topic, kind, said in (("said", "Utterance", [partial, final]), ("followed", "TrackArray", [tracks])):
            connection = writer.add_connection(f"/hearing/{topic}", kinds[kind], typestore=store)
            for number, message in enumerate(said):
                writer.write(connection, ORIGIN + number, store.serialize_cdr(message, kinds[kind]))
    unpack(tmp_path / "bag", tmp_path / "folder")
    (segment,) = json.loads((tmp_path / "folder/segments.json").read_text())
    assert (segment["speaker"], segment["words"]) == ("talker_1", "Hello Hello")
    assert json.loads((tmp_path / "folder/tracks.jsonl").read_text())["track_id"] == 3
    samples, _ = sf.read(tmp_path / "folder/audio.wav")
    assert len(samples) == 2 * BLOCK_SIZE  # the robot's time is kept
    assert not samples[:BLOCK_SIZE].any()
