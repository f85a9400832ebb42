"""What there is to look at: markers that RViz can draw, and configurations that name topics which there are."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rclpy
import yaml
from hearing_msgs.msg import Faces, TrackArray
from hearing_msgs.msg import Utterance as UtteranceMessage
from hearing_nodes import conversions
from hearing_nodes.conversions import StreamClock
from hearing_nodes.dialogue import Dialogue
from hearing_nodes.hearing import Hearing
from hearing_nodes.markers import LINE, Markers
from hearing_nodes.node import STATE_QOS, StageNode
from hearing_nodes.sights import faces_message
from hearing_nodes.vision import Vision
from rclpy.executors import SingleThreadedExecutor
from spinning import spin_until
from visualization_msgs.msg import Marker, MarkerArray

from hearing.types import CueConfidence, Direction, Track, Utterance, Word
from hearing.vision.face import Face, LipState, Sight

LAUNCH = Path(__file__).parents[2] / "launch"
CLOCK = StreamClock(1_700_000_000_000_000_000, "mic_array_link")
SAID = Utterance(
    id="u1", revision=0, final=True, speaker="Ada", track_id=3,
    words=tuple(Word(f"word{number}", 0.5, 0.9, 0.9, 1.0) for number in range(40)),
    start_time=0.5, end_time=0.9, direction=Direction(0.5), confidence=CueConfidence(0.9), addressed_to_robot=0.9,
)  # fmt: skip
FACE = Face("face_1", 0.2, (1.0, 2.0, 3.0, 4.0), Direction(0.5), 3.0, 0.0, 0.0, 0.9, 0.0, None, np.ones((48, 64)), 0.8)


def test_everything_that_is_heard_and_seen_is_drawn_in_the_array_frame(ros: None) -> None:
    node, peer, executor = Markers(), rclpy.create_node("peer"), SingleThreadedExecutor()
    got: list[Marker] = []
    peer.create_subscription(MarkerArray, "hearing/markers", lambda message: got.extend(message.markers), 50)
    tracks = peer.create_publisher(TrackArray, "hearing/tracks", STATE_QOS)
    utterances = peer.create_publisher(UtteranceMessage, "hearing/utterances", STATE_QOS)
    faces = peer.create_publisher(Faces, "hearing/faces", STATE_QOS)
    assert node.start()
    for each in (node, peer):
        executor.add_node(each)
    spin_until(executor, lambda: peer.count_publishers("hearing/markers"))
    heard = [Track(3, 0.1, Direction(0.5), 0.9), Track(4, 0.1, Direction(-2.0, 0.3), 1.0, "noise")]
    (message,) = conversions.track_messages([*heard, Track(5, 0.1, Direction(0.0), 0.5, "robot")], CLOCK)
    tracks.publish(message)
    faces.publish(faces_message(Sight(0.2, (FACE,), (LipState("face_1", 0.2, 0.7, None),), {}), CLOCK.header(0.2), ""))
    spin_until(executor, lambda: any(marker.ns == "faces" for marker in got))
    utterances.publish(conversions.utterance_message(replace(SAID, face_id="face_1"), CLOCK))
    utterances.publish(conversions.utterance_message(replace(SAID, revision=1, words=()), CLOCK))
    spin_until(executor, lambda: len(got) == 7)
    drawn = {(marker.ns, marker.action): marker for marker in got}
    assert {marker.ns for marker in got} == {"tracks", "beams", "noise", "faces", "speech"}
    for marker in got:
        assert marker.header.frame_id == "mic_array_link"
        place, size, colour = marker.pose.position, marker.scale, marker.color
        numbers = [place.x, place.y, place.z, size.x, size.y, size.z, colour.r, colour.g, colour.b, colour.a]
        numbers += [value for point in marker.points for value in (point.x, point.y, point.z)]
        assert all(math.isfinite(number) for number in numbers)
        assert size.z > 0
        assert colour.a > 0
        assert marker.pose.orientation.w == 1.0
        assert marker.lifetime.sec + marker.lifetime.nanosec > 0
    tip = drawn["beams", Marker.ADD].points[1]
    assert math.atan2(tip.y, tip.x) == pytest.approx(0.5)
    bubble = drawn["speech", Marker.ADD]
    assert math.hypot(bubble.pose.position.x, bubble.pose.position.y) == pytest.approx(3.0)  # as far as the face
    assert bubble.text.endswith("word39")
    assert max(map(len, bubble.text.splitlines())) <= LINE
    assert drawn["speech", Marker.DELETE].id == bubble.id
    node.stop()
    for each in (node, peer):
        each.destroy_node()


def named_topics(content: object) -> set[str]:
    """Everything in a configuration that is a topic's name, fields of its messages cut off."""
    if isinstance(content, dict):
        return set().union(*map(named_topics, [*content, *content.values()]), set())
    if isinstance(content, list):
        return set().union(*map(named_topics, content), set())
    found = re.match(r"/[a-z_/]+", content) if isinstance(content, str) else None
    return {found[0]} if found else set()


def topics_of_the_nodes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, set[str]]:
    """Start the graph without what takes long to load; return its topics with their types."""
    from hearing import pipeline
    from hearing.recognition.scheduling import RecognitionQueue

    class Nothing:
        latency, faults, queue, listener, seconds = 0.5, (), RecognitionQueue(), None, 0.0

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *_, **__: None

    monkeypatch.setattr(pipeline.Pipeline, "create", lambda *_, **__: Nothing())
    monkeypatch.setattr("hearing.vision.eyes.Eyes", lambda camera, people: Nothing())
    (tmp_path / "camera.yaml").write_text("{width: 64, height: 48, fx: 50, fy: 50, cx: 32, cy: 24}\n")
    nodes: list[StageNode] = [Hearing(), Vision(), Dialogue(), Markers()]
    nodes[1].set_parameters([rclpy.Parameter("camera", value=str(tmp_path / "camera.yaml"))])
    for node in nodes:
        assert node.start()
    topics: dict[str, set[str]] = {}
    for node in nodes:
        for topic in (*node.publishers, *node.subscriptions):  # pictures come from the camera's driver
            kind = topic.msg_type
            topics.setdefault(topic.topic_name, set()).add(f"{kind.__module__.split('.')[0]}/msg/{kind.__name__}")
    for node in nodes:
        node.stop()
        node.destroy_node()
    return topics


def test_configurations_name_topics_that_there_are(ros: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    there = topics_of_the_nodes(monkeypatch, tmp_path)
    rviz = yaml.safe_load((LAUNCH / "rviz" / "hearing.rviz").read_text())
    foxglove = json.loads((LAUNCH / "foxglove" / "hearing.json").read_text())
    for wanted in (named_topics(rviz), named_topics(foxglove)):
        assert {"/hearing/markers", "/image"} <= wanted
        assert wanted <= there.keys()
    kinds = {"rviz_default_plugins/MarkerArray": "visualization_msgs/msg/MarkerArray"}
    kinds["rviz_default_plugins/Image"] = "sensor_msgs/msg/Image"
    for display in rviz["Visualization Manager"]["Displays"]:
        if "Topic" in display:
            assert kinds[display["Class"]] in there[display["Topic"]["Value"]]


def test_every_panel_of_the_layout_is_described_and_every_described_one_is_shown() -> None:
    foxglove = json.loads((LAUNCH / "foxglove" / "hearing.json").read_text())

    def panels(part: object) -> set[str]:
        return {part} if isinstance(part, str) else panels(part["first"]) | panels(part["second"])

    assert panels(foxglove["layout"]) == foxglove["configById"].keys()
