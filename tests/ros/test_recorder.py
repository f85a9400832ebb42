"""Recording: what is published ends up in the bag, as it was."""

from __future__ import annotations

import array
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import rclpy
from hearing_msgs.msg import AudioBlock, Utterance, Word
from hearing_nodes.node import AUDIO_QOS, STATE_QOS
from hearing_nodes.recorder import PROFILES, Recorder, _chosen
from rclpy.node import Node
from std_msgs.msg import String

from hearing import cli
from hearing.bags import messages
from hearing.bags.reading import open_bag
from hearing.bags.writing import new_bag

ALL = tuple(kind for kinds in PROFILES.values() for kind in kinds)


@pytest.fixture
def robot() -> Iterator[Node]:
    rclpy.init()
    node = rclpy.create_node("robot")
    yield node
    node.destroy_node()
    rclpy.try_shutdown()


def record(robot: Node, out: Path, privacy: bool, enough: dict[str, int]) -> None:
    """Say one thing that stays and another again and again, until enough is recorded."""
    said = robot.create_publisher(Utterance, "/hearing/utterances", STATE_QOS)
    heard = robot.create_publisher(AudioBlock, "/audio", AUDIO_QOS)
    other = robot.create_publisher(String, "/chatter", STATE_QOS)
    said.publish(Utterance(id="u1", words=[Word(text="Hello"), Word(text="robot")]))
    other.publish(String(data="hello"))
    with new_bag(out) as writer:
        recorder = Recorder(writer, partial(_chosen, wanted=ALL, privacy=privacy))
        deadline = time.monotonic() + 120
        while any(recorder.counts[topic] < count for topic, count in enough.items()):
            assert time.monotonic() < deadline, recorder.counts
            heard.publish(AudioBlock(channels=2, sample_rate=16_000, data=array.array("h", range(8))))
            rclpy.spin_once(recorder, timeout_sec=0.05)
        recorder.destroy_node()


def test_what_is_published_is_recorded(robot: Node, tmp_path: Path) -> None:
    record(robot, tmp_path / "bag", False, {"/hearing/utterances": 1, "/audio": 3})
    with open_bag(tmp_path / "bag") as bag:
        assert {connection.topic for connection in bag.connections} == {"/hearing/utterances", "/audio"}
        (utterance,) = bag.read(["/hearing/utterances"])
        assert [word.text for word in utterance.message.words] == ["Hello", "robot"]
        assert list(next(bag.read(["/audio"])).message.data) == list(range(8))


def test_no_sound_is_recorded_where_privacy_is_wanted(robot: Node, tmp_path: Path) -> None:
    record(robot, tmp_path / "bag", True, {"/hearing/utterances": 1})
    with open_bag(tmp_path / "bag") as bag:
        assert [connection.topic for connection in bag.connections] == ["/hearing/utterances"]


def test_only_the_texts_of_bags_are_recorded() -> None:
    assert _chosen(messages.ARRAY, messages.STRING, (), False)
    assert not _chosen("/chatter", messages.STRING, ALL, False)


def test_separated_voices_are_not_recorded() -> None:
    assert _chosen("/audio", messages.AUDIO_DATA, ALL, False)
    assert not _chosen("/humans/voices/v1_2/audio", messages.AUDIO_DATA, ALL, False)
    assert not _chosen("/hearing/steps", "hearing_msgs/msg/HeardStep", ALL, False)
    assert _chosen("/hearing/utterances", messages.UTTERANCE, ALL, False)


def test_an_unknown_profile_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["record", "--out", str(tmp_path / "bag"), "--profile", "smells"]) == 2
    assert "known are: audio, camera, results" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
