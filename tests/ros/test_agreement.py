"""A robot that turns hears through ROS 2 what the library hears, and a replay of what was recorded meanwhile."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import hearing_sim
import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import Point, Pose, PoseWithCovariance, Quaternion
from hearing_msgs.msg import AudioBlock, EndOfStream, TrackArray, Utterance
from hearing_nodes import conversions
from hearing_nodes.conversions import StreamClock, audio_message
from hearing_nodes.hearing import Hearing
from hearing_nodes.node import AUDIO_QOS, STATE_QOS
from hearing_nodes.recorder import ALWAYS, PROFILES, Recorder, _chosen
from nav_msgs.msg import Odometry
from rclpy.executors import SingleThreadedExecutor
from scipy.spatial.transform import Rotation

from hearing import cli, types
from hearing.bags import messages
from hearing.bags.writing import array_message, new_bag
from hearing.motion import MotionLog
from hearing.outputs import SessionLog, Timing
from hearing.pipeline import Pipeline
from hearing.recording import Recording, open_recording
from hearing.types import HearingOutput

SCENE = """
name: turning
duration: 5.5
seed: 3
room: {size: [6.0, 5.0, 3.0], rt60: 0.3}
array:
  geometry: respeaker_6mic
  path: [{time: 0, position: [3.0, 2.5, 1.1], yaw_deg: 0}, {time: 5, position: [3.2, 2.5, 1.1], yaw_deg: 50}]
talkers:
  - {name: anna, voice: synthesis, position: [4.8, 3.3, 1.55]}
  - {name: carla, voice: synthesis, pitch: 0.84, position: [1.6, 1.2, 1.5]}
turns:
  - {talker: anna, gap: 0.4, text: "Robot, where is the spare gripper?", to: robot}
  - {talker: carla, gap: 0.4, text: "It was on the table."}
"""
CLOCK = StreamClock(1_700_000_000_250_000_000, "mic_array_link")
PATIENCE = 120.0
WANTED = (*PROFILES["audio"], *PROFILES["results"], *ALWAYS)


def by_library(source: Recording, out: Path) -> None:
    pipeline, log, motion = Pipeline.create(source.array), SessionLog(), MotionLog.load(source.motion).known_at
    for block in source.blocks():
        log.add(pipeline.process(block, motion=motion))
    log.add(pipeline.flush())
    log.write(out, "turning", Timing(source.duration, 0.0))


def odometry(source: Recording) -> Iterator[tuple[float, Odometry]]:
    """How the robot moves, its base being where the array is."""
    for line in map(json.loads, source.motion.read_text().splitlines()):
        x, y, z, w = Rotation.from_euler("z", line["yaw_deg"], degrees=True).as_quat().tolist()
        position = Point(**dict(zip("xyz", map(float, line["position"]), strict=True)))
        pose = PoseWithCovariance(pose=Pose(position=position, orientation=Quaternion(x=x, y=y, z=z, w=w)))
        header = CLOCK.header(line["time"])
        header.frame_id = "odom"
        yield line["time"], Odometry(header=header, child_frame_id="base_link", pose=pose)


class Robot:
    """The hearing node, a recorder, and another node that publishes and listens."""

    def __init__(self, folder: Path, bag: Any, array: Any) -> None:
        self.node, self.peer, self.executor = Hearing(), rclpy.create_node("peer"), SingleThreadedExecutor()
        parameters = {"array": str(folder / "array.yaml"), "odometry": True, "base_frame": "base_link"}
        parameters["frame_id"] = CLOCK.frame_id
        self.node.set_parameters([rclpy.Parameter(name, value=value) for name, value in parameters.items()])
        assert self.node.start()
        self.log, self.counts, self.ends = SessionLog(), {"utterances": 0, "track_arrays": 0}, list[EndOfStream]()
        for kind, name, take in (
            (Utterance, "utterances", lambda m: self.hear("utterances", utterances=(conversions.utterance(m),))),
            (TrackArray, "tracks", lambda m: self.hear("track_arrays", tracks=conversions.tracks(m))),
            (EndOfStream, "end_of_stream", self.ends.append),
        ):
            self.peer.create_subscription(kind, f"hearing/{name}", take, STATE_QOS)
        self.audio = self.peer.create_publisher(AudioBlock, "audio", AUDIO_QOS)
        self.odom = self.peer.create_publisher(Odometry, "odom", 50)
        self.recorder = Recorder(bag, partial(_chosen, wanted=WANTED, privacy=False))
        self.recorder.note(messages.ARRAY, array_message(array))
        for each in (self.node, self.peer, self.recorder):
            self.executor.add_node(each)
        self.deadline = time.monotonic() + PATIENCE

    def hear(self, kind: str, **content: Any) -> None:
        self.counts[kind] += 1
        self.log.add(HearingOutput(**content))

    def until(self, condition: Callable[[], object]) -> None:
        while not condition():
            assert time.monotonic() < self.deadline, f"nothing happened: {self.counts}, {self.recorder.counts}"
            self.executor.spin_once(timeout_sec=0.02)

    def run(self, source: Recording) -> None:
        """Publish motion and sound as fast as the node and the recorder take them."""
        peer, recorder, moves = self.peer, self.recorder, odometry(source)
        self.until(lambda: self.audio.get_subscription_count() == self.odom.get_subscription_count() == 2)
        self.until(lambda: peer.count_publishers("hearing/utterances") and recorder.counts["/tf_static"])
        self.until(lambda: peer.count_subscribers("hearing/utterances") == 2)
        moved, (at, message) = 0, next(moves)
        last = types.AudioBlock(np.zeros((0, source.array.n_microphones), np.float32), 0)
        for sent, block in enumerate(source.blocks(), 1):
            while at <= block.end_time:
                self.odom.publish(message)
                moved += 1
                at, message = next(moves, (np.inf, None))
            self.until(lambda moved=moved: recorder.counts["/odom"] == moved == self.node._motion.taken)
            self.audio.publish(audio_message(block, CLOCK))
            self.until(lambda sent=sent: self.node._arrived == recorder.counts["/audio"] == sent)
            last = types.AudioBlock(block.samples[:0], block.start_sample + len(block.samples))
        self.audio.publish(audio_message(last, CLOCK, end_of_stream=True))
        self.until(lambda: self.ends and all(self.counts[name] == getattr(self.ends[0], name) for name in self.counts))
        self.until(lambda: recorder.counts["/hearing/utterances"] == self.counts["utterances"])

    def end(self) -> None:
        self.node.stop()
        for each in (self.node, self.peer, self.recorder):
            each.destroy_node()


def by_nodes(source: Recording, folder: Path, bag: Path, out: Path) -> None:
    rclpy.init()
    with new_bag(bag) as writer:
        robot = Robot(folder, writer, source.array)
        robot.run(source)
        robot.end()
    robot.log.write(out, "turning", conversions.timing(robot.ends[0]))
    rclpy.shutdown()


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What was said, by how it was heard."""
    out = tmp_path_factory.mktemp("agreement")
    (out / "turning.yaml").write_text(SCENE)
    hearing_sim.render(hearing_sim.load_scene(out / "turning.yaml"), out / "turning")
    # Odometry says where the robot is, not that it calls this driving.
    lines = [json.loads(line) for line in (out / "turning" / "motion.jsonl").read_text().splitlines()]
    for line in lines:
        line.pop("state", None)
    (out / "turning" / "motion.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    source = open_recording(out / "turning")
    by_library(source, out / "library")
    by_nodes(source, out / "turning", out / "bag", out / "nodes")
    assert cli.main(["replay", str(out / "bag"), "--out", str(out / "replay")]) == 0
    return {name: json.loads((out / name / "segments.json").read_text()) for name in ("library", "nodes", "replay")}


@pytest.mark.parametrize("other", ["nodes", "replay"])
def test_words_speakers_and_directions_agree(heard: dict[str, list[dict[str, Any]]], other: str) -> None:
    expected, got = heard["library"], heard[other]
    assert len(expected) == 2
    assert [(said["words"], said["speaker"]) for said in got] == [(said["words"], said["speaker"]) for said in expected]
    for said, wanted in zip(got, expected, strict=True):
        assert abs(said["azimuth_deg"] - wanted["azimuth_deg"]) < 1.0
        assert abs(said["start_time"] - wanted["start_time"]) < 0.01
