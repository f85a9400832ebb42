"""The graph without Gazebo: the pose player moves the world, the acoustics node sounds like it, the robot hears it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import TransformStamped
from hearing_gazebo.acoustics import Acoustics
from hearing_gazebo.frames import POSES_QOS, robot_frames
from hearing_gazebo.pose_player import PosePlayer
from hearing_gazebo.world import FACTORY, load_world
from hearing_msgs.msg import AudioBlock, EndOfStream, Track, TrackArray, Utterance
from hearing_nodes.conversions import nanoseconds
from hearing_nodes.frames import transform
from hearing_nodes.hearing import Hearing
from hearing_nodes.node import AUDIO_QOS, STATE_QOS, StageNode
from nav_msgs.msg import Odometry
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.time import Time
from rosgraph_msgs.msg import Clock

from hearing.evaluation.files import read_reference

PATIENCE = 120.0
DURATION = 3.2
SPOKEN = """
seed: 1
hall: {model: hall, rt60: 0.4}
ears: {model: robot, link: microphones, geometry: respeaker_4mic}
voices:
  - {actor: ben, level_db: 68, lines: [{at: 0.5, text: "Robot, where is the spare gripper?", to: robot}]}
machines:
  - {name: extractor, kind: fan, level_db: 45}
  - {name: cart, kind: motor, level_db: 40, position: [0.0, 0.0, 0.4]}
"""


class Graph:
    """Nodes that are spun by this thread."""

    def __init__(self) -> None:
        self.executor = SingleThreadedExecutor()
        self.nodes: list[Node] = []

    def start(self, node: StageNode, **parameters: object) -> StageNode:
        self.add(node)
        node.set_parameters([rclpy.Parameter(name, value=value) for name, value in parameters.items()])
        assert node.start()
        return node

    def add(self, node: Node) -> Node:
        self.nodes.append(node)
        self.executor.add_node(node)
        return node

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "nothing happened"
            self.executor.spin_once(timeout_sec=0.05)

    def end(self) -> None:
        for node in self.nodes:
            if isinstance(node, StageNode):
                node.stop()
            node.destroy_node()


@pytest.fixture
def graph() -> Iterator[Graph]:
    rclpy.init()
    graph = Graph()
    yield graph
    graph.end()
    rclpy.shutdown()


def test_the_robot_hears_the_actor_where_it_is(graph: Graph, tmp_path: Path) -> None:
    (tmp_path / "sounds.yaml").write_text(SPOKEN)
    tracks: list[TrackArray] = []
    said: list[Utterance] = []
    ends: list[EndOfStream] = []
    clocks: list[Clock] = []
    peer = graph.add(rclpy.create_node("peer"))
    peer.create_subscription(TrackArray, "hearing/tracks", tracks.append, STATE_QOS)
    peer.create_subscription(EndOfStream, "hearing/end_of_stream", ends.append, STATE_QOS)
    peer.create_subscription(Utterance, "acoustics/utterances", said.append, STATE_QOS)
    peer.create_subscription(Clock, "/clock", clocks.append, 100)
    simulated = {"use_sim_time": True}
    graph.start(Hearing(), array="respeaker_4mic", **simulated)
    graph.start(
        Acoustics(), sounds=str(tmp_path / "sounds.yaml"), duration=DURATION, out=str(tmp_path / "truth"), **simulated
    )
    graph.start(PosePlayer(), rate=0.6)  # slow computers lose nothing either
    graph.until(lambda: ends)

    assert ends[0].audio_seconds == pytest.approx(DURATION, abs=0.04)
    assert nanoseconds(ends[0].header.stamp) / 1e9 == pytest.approx(DURATION, abs=0.04)  # in simulated time
    assert (np.diff([nanoseconds(message.clock) for message in clocks]) > 0).all()

    (truth,) = said
    assert (truth.speaker, truth.words[1].text) == ("ben", "where")
    heard = [
        track.azimuth
        for message in tracks
        for track in message.tracks
        if track.kind == Track.TALKER and track.activity > 0.5 and truth.start_time < message.time < truth.end_time
    ]
    assert len(heard) >= 5
    error = np.angle(np.exp(1j * (np.array(heard) - truth.azimuth)))
    assert np.degrees(np.median(np.abs(error))) < 8

    (segment,) = read_reference(tmp_path / "truth").segments
    assert segment["azimuth_deg"] == pytest.approx(np.degrees(truth.azimuth))


def test_a_simulation_that_begins_anew_begins_another_stream(graph: Graph, sounds_file: Path) -> None:
    audio: list[AudioBlock] = []
    peer = graph.add(rclpy.create_node("peer"))
    peer.create_subscription(AudioBlock, "audio", audio.append, AUDIO_QOS)
    graph.start(Acoustics(), sounds=str(sounds_file))
    poses = peer.create_publisher(TransformStamped, "poses", POSES_QOS)
    graph.until(lambda: poses.get_subscription_count())

    def play(begin: float) -> None:
        for seconds in (begin, begin + 0.1):
            for name in ("robot", "cart"):
                poses.publish(transform("factory", name, Time(nanoseconds=int(seconds * 1e9)).to_msg(), np.eye(4)))

    play(7.0)
    graph.until(lambda: len(audio) == 3)
    play(1.0)
    graph.until(lambda: len(audio) == 7)
    assert [message.start_sample for message in audio] == [0, 512, 1024, 1536, 0, 512, 1024]
    assert [message.end_of_stream for message in audio] == [False, False, False, True, False, False, False]
    stamps = [nanoseconds(message.header.stamp) / 1e9 for message in audio]
    assert stamps == pytest.approx([7.0, 7.032, 7.064, 7.096, 1.0, 1.032, 1.064])
    assert {message.header.frame_id for message in audio} == {"robot/microphones"}


def test_the_player_tells_odometry_as_the_simulator_does(graph: Graph, tmp_path: Path) -> None:
    (tmp_path / "motions.yaml").write_text(
        "robot: [{time: 0, position: [-1, 0, 0]}, {time: 1, position: [-0.4, 0.8, 0], yaw_deg: 90}]"
    )
    odometry: list[Odometry] = []
    poses: list[TransformStamped] = []
    peer = graph.add(rclpy.create_node("peer"))
    peer.create_subscription(Odometry, "odom", odometry.append, 100)
    player = graph.start(PosePlayer(), motions=str(tmp_path / "motions.yaml"), rate=10.0, duration=1.0)
    graph.until(lambda: player.count_subscribers("odom"))
    peer.create_subscription(TransformStamped, "poses", poses.append, POSES_QOS)
    graph.until(lambda: len(poses) == 2 * 51)

    assert {message.child_frame_id for message in poses} == {"robot", "cart"}
    last = [message for message in poses if message.child_frame_id == "robot"][-1]
    assert nanoseconds(last.header.stamp) == 1_000_000_000
    assert (last.transform.translation.x, last.transform.translation.y) == pytest.approx((-0.4, 0.8))
    moved = odometry[-1]
    assert (moved.header.frame_id, moved.child_frame_id) == ("robot/odom", "robot/base_link")
    place, turn = moved.pose.pose.position, moved.pose.pose.orientation
    assert (place.x, place.y) == pytest.approx((0.6, 0.8))  # from where the world has it
    assert np.degrees(2 * np.arctan2(turn.z, turn.w)) == pytest.approx(90)


def test_the_robots_frames_hang_together() -> None:
    frames = {frame.child_frame_id: frame.header.frame_id for frame in robot_frames(load_world(FACTORY), "robot")}
    assert frames == {
        "robot/odom": "factory",
        "robot/microphones": "robot/base_link",
        "robot/camera_link": "robot/base_link",
        "robot/camera_optical_frame": "robot/camera_link",
    }
