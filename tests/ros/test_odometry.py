"""Frames of tf, and how the array moves by odometry: what the pipeline is told is what a bag of the same would tell."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import Point, Pose, PoseWithCovariance, Quaternion, TransformStamped
from hearing_msgs.msg import AudioBlock as AudioMessage
from hearing_nodes import frames, motion
from hearing_nodes.conversions import StreamClock, audio_message, time_message
from hearing_nodes.frames import FrameTree
from hearing_nodes.hearing import Hearing
from hearing_nodes.motion import Odometer
from hearing_nodes.node import AUDIO_QOS, Diagnosis
from nav_msgs.msg import Odometry
from rclpy.executors import SingleThreadedExecutor
from scipy.spatial.transform import Rotation
from spinning import spin_until
from std_msgs.msg import Header, String
from tf2_msgs.msg import TFMessage

from hearing import pipeline as pipelines
from hearing.bags.transforms import Frames
from hearing.errors import InputError
from hearing.motion import MotionLog
from hearing.recognition.scheduling import RecognitionQueue
from hearing.types import ArrayMotion, AudioBlock, HearingOutput

ORIGIN = 1_700_000_000_000_000_000
CLOCK = StreamClock(ORIGIN, "mic_array_link")


def turn(degrees: float) -> Rotation:
    return Rotation.from_euler("z", degrees, degrees=True)


def transform(parent: str, child: str, position: tuple, degrees: float = 0.0, at: float = 0.0) -> TransformStamped:
    stamp = time_message(ORIGIN + round(at * 1e9))
    return frames.transform(parent, child, stamp, frames.pose(position, turn(degrees)))


def odometry(at: float, position: tuple, degrees: float) -> Odometry:
    x, y, z, w = turn(degrees).as_quat().tolist()
    pose = Pose(position=Point(**dict(zip("xyz", position, strict=True))), orientation=Quaternion(x=x, y=y, z=z, w=w))
    header = Header(stamp=time_message(ORIGIN + round(at * 1e9)), frame_id="odom")
    return Odometry(header=header, child_frame_id="base_link", pose=PoseWithCovariance(pose=pose))


MOUNT = transform("base_link", "mic_array_link", (0.2, 0.0, 1.0), 90.0)
DRIVE = [odometry(0.05 * number - 0.1, (0.02 * number, 0.01 * number, 0.0), 3.0 * number) for number in range(40)]


def tree_of(*static: TransformStamped) -> FrameTree:
    tree = FrameTree()
    tree.take((TFMessage(transforms=list(static)), True))
    return tree


def test_a_chain_of_frames_is_followed_up_and_down() -> None:
    tree = tree_of(MOUNT, transform("base_link", "camera", (0.2, 0.0, 1.5)))
    pose = tree.between("mic_array_link", "camera", ORIGIN)
    np.testing.assert_allclose(pose @ [1, 0, 0, 1], [0, -1, 0.5, 1], atol=1e-12)
    np.testing.assert_allclose(pose @ tree.between("camera", "mic_array_link", ORIGIN), np.eye(4), atol=1e-12)
    assert tree.between("mic_array_link", "moon", ORIGIN) is None


def test_a_frame_that_moves_is_where_it_was_last_known() -> None:
    tree = FrameTree()
    for at in (0.0, 1.0, 2.0):
        tree.take((TFMessage(transforms=[transform("odom", "base_link", (at, 0.0, 0.0), at=at)]), False))
    known = [tree.between("odom", "base_link", ORIGIN + round(at * 1e9))[0, 3] for at in (-1.0, 0.0, 1.9, 2.0, 9.0)]
    assert known == [0.0, 0.0, 1.0, 2.0, 2.0]
    tree.take((TFMessage(transforms=[transform("odom", "base_link", (7.0, 0.0, 0.0), at=-60.0)]), False))
    assert tree.between("odom", "base_link", ORIGIN)[0, 3] == 7.0  # the clock was set back


def by_odometer(messages: list[Odometry], *static: TransformStamped) -> MotionLog:
    odometer = Odometer(tree_of(*static))
    for message in messages:
        odometer.add(message, "mic_array_link")
    return odometer.motion(CLOCK)


def test_the_array_moves_as_a_bag_of_the_same_says() -> None:
    bag = Frames()
    bag.add(TFMessage(transforms=[MOUNT]), static=True)
    for message in DRIVE:
        bag.add_odometry(message)
    recorded, live = MotionLog(list(bag.motion("mic_array_link", ORIGIN))), by_odometer(DRIVE, MOUNT)
    for at in np.arange(0.0, 2.2, 0.064):
        expected, moved = recorded.known_at(at), live.known_at(at)
        np.testing.assert_allclose(moved.position, expected.position, atol=1e-9)
        assert moved.yaw == pytest.approx(expected.yaw, abs=1e-9)
    assert np.abs(live.known_at(1.0).position).max() > 0.1


def test_what_comes_later_changes_nothing_that_was_known_before() -> None:
    early, late = by_odometer(DRIVE[:20], MOUNT), by_odometer(DRIVE, MOUNT)
    for at in np.arange(0.0, 0.84, 0.05):
        np.testing.assert_array_equal(early.known_at(at).position, late.known_at(at).position)


def test_poses_that_come_faster_than_they_tell_are_left_out() -> None:
    fast = [odometry(0.001 * number, (0.001 * number, 0.0, 0.0), 0.0) for number in range(1000)]
    odometer = Odometer(tree_of(MOUNT))
    for message in fast:
        odometer.add(message, "mic_array_link")
    assert len(odometer._poses) == 50


def test_without_a_place_of_the_array_nothing_is_known() -> None:
    odometer = Odometer(FrameTree())
    odometer.add(DRIVE[0], "mic_array_link")
    assert odometer.lost == 1
    assert odometer.motion(CLOCK) is None


class NotingPipeline:
    """Notes how the array moves at the end of what it hears."""

    latency, faults, queue, listener = 0.5, (), RecognitionQueue(), None

    def __init__(self) -> None:
        self.moved: list[ArrayMotion | None] = []

    def check_phrases(self, phrases: object) -> None: ...

    def bias(self, phrases: object) -> None: ...

    def listen_for(self, words: object) -> None: ...

    def reset(self) -> None: ...

    def process(self, block: AudioBlock, playback: object, motion: Callable | None, sights: object) -> HearingOutput:
        self.moved.append(motion(block.end_time) if motion is not None else None)
        return HearingOutput()


def test_the_node_tells_the_pipeline_how_the_array_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = NotingPipeline()
    monkeypatch.setattr(pipelines.Pipeline, "create", lambda *_, **__: pipeline)
    rclpy.init()
    node, peer, executor = Hearing(), rclpy.create_node("peer"), SingleThreadedExecutor()
    parameters = {"odometry": True, "base_frame": "base_link", "mount": [0.2, 0.0, 1.0, 90.0, 0.0, 0.0]}
    node.set_parameters([rclpy.Parameter(name, value=value) for name, value in parameters.items()])
    static: list[TFMessage] = []
    peer.create_subscription(TFMessage, "/tf_static", static.append, frames.TF_STATIC_QOS)
    assert node.start()
    odom, states = peer.create_publisher(Odometry, "odom", 50), peer.create_publisher(String, "robot/motion_state", 10)
    audio = peer.create_publisher(AudioMessage, "audio", AUDIO_QOS)
    for each in (node, peer):
        executor.add_node(each)
    until = partial(spin_until, executor)
    until(lambda: all(topic.get_subscription_count() for topic in (odom, states, audio)))
    states.publish(String(data="driving"))
    until(lambda: node._motion._odometer._state == "driving")
    for message in DRIVE[:10]:
        odom.publish(message)
    until(lambda: len(node._motion._odometer._poses) == 10)
    for number in range(10):
        block = AudioBlock(np.zeros((512, 6), np.float32), number * 512)
        audio.publish(audio_message(block, StreamClock(ORIGIN, "microphones")))
    until(lambda: len(pipeline.moved) == 10 and static)
    expected = by_odometer(DRIVE[:10], MOUNT)
    for number, moved in enumerate(pipeline.moved, 1):
        np.testing.assert_allclose(moved.position, expected.known_at(number * 0.032).position, atol=1e-9)
        assert moved.state == "driving"
    (mounted,) = static[0].transforms
    assert (mounted.header.frame_id, mounted.child_frame_id) == ("base_link", "microphones")
    assert mounted.transform.translation.z == 1.0
    assert isinstance(node.diagnose(), Diagnosis)
    node.stop()
    node.destroy_node()
    peer.destroy_node()
    rclpy.shutdown()


def test_a_mount_that_is_none_is_refused() -> None:
    rclpy.init()
    node = Hearing()
    parameters = {"base_frame": "base_link", "mount": [0.2, 0.0]}
    node.set_parameters([rclpy.Parameter(name, value=value) for name, value in parameters.items()])
    with pytest.raises(InputError, match="mount"):
        motion.check(node)
    node.destroy_node()
    rclpy.shutdown()
