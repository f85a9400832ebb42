"""Hearing with a camera through the nodes: what the library hears, and no harm when the vision node dies."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import rclpy
from hearing_msgs.msg import AudioBlock, EndOfStream, Faces, Utterance
from hearing_nodes import conversions
from hearing_nodes.conversions import StreamClock, audio_message
from hearing_nodes.hearing import Hearing
from hearing_nodes.node import AUDIO_QOS, STATE_QOS
from hearing_nodes.sights import faces_message
from rclpy.executors import SingleThreadedExecutor

from hearing import types
from hearing.demo import NodeProcesses
from hearing.pipeline import Pipeline
from hearing.recording import Moment, open_recording
from hearing.vision.eyes import Eyes
from hearing.vision.face import Sight

CLOCK = StreamClock(1_700_000_000_250_000_000, "microphones")
PATIENCE = 120.0
Seen = list[tuple[Moment, list[Sight]]]


@pytest.fixture(scope="module")
def seen(seen_recording: Path) -> Seen:
    """The recording, and what the eyes see in it."""
    recording = open_recording(seen_recording, seeing=True)
    eyes = Eyes(recording.camera)
    return [
        (moment, [eyes.process(frame.image, frame.time) for frame in moment.frames]) for moment in recording.moments()
    ]


@pytest.fixture(scope="module")
def heard_by_library(seen_recording: Path, seen: Seen) -> list[types.Utterance]:
    pipeline = Pipeline.create(open_recording(seen_recording).array)
    heard: list[types.Utterance] = []
    for moment, sights in seen:
        heard += pipeline.process(moment.block, sights=sights).utterances
    return [*heard, *pipeline.flush().utterances]


def heard_by_node(recording: Path, seen: Seen) -> list[types.Utterance]:
    """Send what is seen and heard to the node, the sights first: what comes late would count for later words."""
    rclpy.init()
    node = Hearing()
    parameters = {"array": str(recording / "array.yaml"), "camera": True}
    node.set_parameters([rclpy.Parameter(name, value=value) for name, value in parameters.items()])
    assert node.start()
    peer, executor = rclpy.create_node("peer"), SingleThreadedExecutor()
    heard: list[types.Utterance] = []
    ends: list[EndOfStream] = []
    peer.create_subscription(Utterance, "hearing/utterances", lambda m: heard.append(conversions.utterance(m)), 100)
    peer.create_subscription(EndOfStream, "hearing/end_of_stream", ends.append, STATE_QOS)
    audio = peer.create_publisher(AudioBlock, "audio", AUDIO_QOS)
    faces = peer.create_publisher(Faces, "hearing/faces", STATE_QOS)
    for each in (node, peer):
        executor.add_node(each)
    deadline = time.monotonic() + PATIENCE

    def until(condition: Callable[[], object]) -> None:
        while not condition():
            assert time.monotonic() < deadline, "nothing happened"
            executor.spin_once(timeout_sec=0.02)

    until(lambda: audio.get_subscription_count() and faces.get_subscription_count())
    until(lambda: peer.count_publishers("/hearing/utterances"))
    for number, sight in enumerate(sight for _, sights in seen for sight in sights):
        faces.publish(faces_message(sight, CLOCK.header(sight.time), ""))
        until(lambda number=number: len(node._sights._waiting) > number)
    for moment, _ in seen:
        before = node._arrived
        audio.publish(audio_message(moment.block, CLOCK))
        until(lambda before=before: node._arrived > before)
    last = seen[-1][0].block
    end = types.AudioBlock(last.samples[:0], last.start_sample + len(last.samples))
    audio.publish(audio_message(end, CLOCK, end_of_stream=True))
    until(lambda: ends and len(heard) >= ends[0].utterances)
    node.stop()
    node.destroy_node()
    peer.destroy_node()
    rclpy.shutdown()
    return heard


def test_the_node_hears_with_a_camera_what_the_library_hears(
    seen_recording: Path, seen: Seen, heard_by_library: list[types.Utterance]
) -> None:
    heard = heard_by_node(seen_recording, seen)
    assert any(utterance.face_id for utterance in heard)
    assert [plain(utterance) for utterance in heard] == [plain(utterance) for utterance in heard_by_library]
    for through_node, by_library in zip(heard, heard_by_library, strict=True):
        assert through_node.direction.azimuth == pytest.approx(by_library.direction.azimuth, abs=1e-6)


def plain(utterance: types.Utterance) -> tuple[object, ...]:
    return (utterance.id, utterance.revision, utterance.text, utterance.speaker, utterance.face_id, utterance.track_id)


def test_hearing_goes_on_when_the_vision_node_dies(
    seen_recording: Path, heard_by_library: list[types.Utterance], tmp_path: Path
) -> None:
    rclpy.init()
    peer = rclpy.create_node("peer")
    sights: list[Faces] = []
    peer.create_subscription(Faces, "hearing/faces", sights.append, STATE_QOS)
    with NodeProcesses(tmp_path / "logs") as ears, NodeProcesses(tmp_path / "logs") as eyes:
        ears.start("captions", out=str(tmp_path / "session"), dialogue=False, exit_at_end=True)
        ears.start("hearing", array=str(seen_recording / "array.yaml"), camera=True)
        ears.start("audio_source", source=str(seen_recording), video=True)
        eyes.start("vision", camera=str(seen_recording / "camera.yaml"))
        deadline = time.monotonic() + PATIENCE
        while len(sights) < 20:
            assert time.monotonic() < deadline, "nothing was seen"
            rclpy.spin_once(peer, timeout_sec=0.05)
        (vision,) = [child for child in psutil.Process().children() if "hearing_nodes.vision" in child.cmdline()]
        vision.kill()
        ears.wait_for("captions")
    peer.destroy_node()
    rclpy.shutdown()
    segments = json.loads((tmp_path / "session" / "segments.json").read_text())
    said = {utterance.id: utterance.text for utterance in heard_by_library if utterance.final}
    assert [segment["words"] for segment in segments] == [text for text in said.values() if text]
