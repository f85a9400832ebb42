"""Voices, persons and matches as REP-155 has them, and their frames."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import rclpy
from audio_common_msgs.msg import AudioData
from geometry_msgs.msg import TransformStamped
from hearing_msgs.msg import Faces, HeardStep, TrackArray
from hearing_msgs.msg import Utterance as UtteranceMessage
from hearing_nodes import conversions, frames, optional
from hearing_nodes.conversions import StreamClock
from hearing_nodes.hri import Hri
from hearing_nodes.identifiers import face_id, person_id, voice_id
from hearing_nodes.node import AUDIO_QOS, LATEST_QOS, OK, STATE_QOS, WARN
from hearing_nodes.sights import faces_message
from hri_msgs.msg import IdsList, IdsMatch, LiveSpeech
from rclpy.executors import SingleThreadedExecutor
from spinning import spin_until
from std_msgs.msg import Bool, Float32, String
from tf2_msgs.msg import TFMessage

from hearing.types import CueConfidence, Direction, Track, Utterance, Word
from hearing.types import SourceAudio as LibrarySource
from hearing.vision.face import Face, LipState, Sight

CLOCK = StreamClock(1_700_000_000_000_000_000, "mic_array_link")
SAID = Utterance(
    id="u1", revision=0, final=False, speaker="talker_1", track_id=3, words=(Word("Hello", 0.5, 0.9, 0.9, 1.0),),
    start_time=0.5, end_time=0.9, direction=Direction(0.5), confidence=CueConfidence(0.9, speaker=0.75, face=0.8),
    addressed_to_robot=0.9,
)  # fmt: skip


class Bench:
    """The node under test, and another that tells it what is heard, and listens."""

    def __init__(self, **parameters: object) -> None:
        self.node, self.peer = Hri(), rclpy.create_node("peer")
        self.node.set_parameters([rclpy.Parameter(name, value=value) for name, value in parameters.items()])
        self.got: dict[str, list[Any]] = defaultdict(list)
        self.executor = SingleThreadedExecutor()
        self.tracks = self.peer.create_publisher(TrackArray, "hearing/tracks", STATE_QOS)
        self.utterances = self.peer.create_publisher(UtteranceMessage, "hearing/utterances", STATE_QOS)
        self.faces = self.peer.create_publisher(Faces, "hearing/faces", STATE_QOS)
        self.steps = self.peer.create_publisher(HeardStep, "hearing/steps", AUDIO_QOS)
        self.static = self.peer.create_publisher(TFMessage, "/tf_static", frames.TF_STATIC_QOS)
        self.listen(TFMessage, "/tf", 100)
        assert self.node.start()
        for each in (self.node, self.peer):
            self.executor.add_node(each)
        self.until(lambda: self.tracks.get_subscription_count() and self.utterances.get_subscription_count())

    def listen(self, kind: type, topic: str, quality: Any = LATEST_QOS) -> None:
        self.peer.create_subscription(kind, topic, self.got[topic].append, quality)

    def until(self, condition: Callable[[], object]) -> None:
        spin_until(self.executor, condition, got=dict(self.got))

    def track(self, at: float, *tracks: Track) -> None:
        """Tell what is heard, and wait until the node has taken it."""
        (message,) = conversions.track_messages([replace(track, time=at) for track in tracks], CLOCK) or [
            TrackArray(header=CLOCK.header(at), time=at)
        ]
        self.tracks.publish(message)
        self.until(lambda: self.node._now == conversions.nanoseconds(message.header.stamp))

    def say(self, utterance: Utterance) -> None:
        self.utterances.publish(conversions.utterance_message(utterance, CLOCK))

    def frames(self) -> dict[str, TransformStamped]:
        """The latest transform to each frame."""
        return {entry.child_frame_id: entry for message in self.got["/tf"] for entry in message.transforms}

    def end(self) -> None:
        self.node.stop()
        self.node.destroy_node()
        self.peer.destroy_node()


@pytest.fixture
def bench(ros: None) -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.end()


VOICE = voice_id(CLOCK.origin, 3)
PERSON = person_id(CLOCK.origin, "talker_1")
TALKER = Track(3, 0.0, Direction(0.5), 0.9)
MACHINE = Track(4, 0.0, Direction(-2.0), 1.0, "noise")


def test_identifiers_are_names_of_topics_and_stay_apart() -> None:
    people = [person_id(CLOCK.origin, name) for name in ("Jörg Ö.", "Jorg O.")]
    names = [VOICE, PERSON, *people, face_id("18bc_face_1")]
    assert len(set(names)) == len(names)
    for name in names:
        assert name[0].isalpha()
        assert name.replace("_", "").isalnum()
        assert name.isascii()
    assert person_id(1, "Ada") == person_id(2, "Ada")
    assert person_id(CLOCK.origin, "unknown") is None
    assert voice_id(CLOCK.origin, 3) != voice_id(CLOCK.origin + 10**9, 3)


def test_a_voice_and_its_person_have_the_topics_of_rep_155(bench: Bench) -> None:
    for kind, topic in (
        (IdsList, "voices/tracked"), (Bool, f"voices/{VOICE}/is_speaking"), (LiveSpeech, f"voices/{VOICE}/speech"),
        (AudioData, f"voices/{VOICE}/audio"), (IdsMatch, "candidate_matches"), (IdsList, "persons/tracked"),
        (IdsList, "persons/known"), (Bool, f"persons/{PERSON}/anonymous"), (String, f"persons/{PERSON}/voice_id"),
        (Float32, f"persons/{PERSON}/location_confidence"),
    ):  # fmt: skip
        latched = kind in (IdsList, Bool, String) and "is_speaking" not in topic
        bench.listen(kind, f"/humans/{topic}", LATEST_QOS if latched else 10)
    got = bench.got
    bench.track(0.1, TALKER, MACHINE)
    bench.until(lambda: got["/humans/voices/tracked"] and got[f"/humans/voices/{VOICE}/is_speaking"])
    assert list(got["/humans/voices/tracked"][-1].ids) == [VOICE]
    assert got[f"/humans/voices/{VOICE}/is_speaking"][-1].data
    bench.say(SAID)
    bench.until(lambda: got[f"/humans/voices/{VOICE}/speech"] and got["/humans/candidate_matches"])
    partial = got[f"/humans/voices/{VOICE}/speech"][0]
    assert (partial.incremental, partial.final) == ("Hello", "")
    match = got["/humans/candidate_matches"][0]
    assert (match.id1, match.id1_type, match.id2, match.id2_type) == (VOICE, IdsMatch.VOICE, PERSON, IdsMatch.PERSON)
    assert match.confidence == pytest.approx(0.75)
    bench.say(replace(SAID, revision=1, final=True))
    bench.track(0.2, TALKER, MACHINE)
    bench.until(lambda: len(got[f"/humans/voices/{VOICE}/speech"]) == 2 and got[f"/humans/persons/{PERSON}/voice_id"])
    final = got[f"/humans/voices/{VOICE}/speech"][1]
    assert (final.incremental, final.final, final.locale) == ("", "Hello", "en")
    assert final.confidence == pytest.approx(0.9)
    bench.until(lambda: got[f"/humans/persons/{PERSON}/location_confidence"] and got["/humans/persons/tracked"][-1].ids)
    assert got[f"/humans/persons/{PERSON}/anonymous"][-1].data
    assert got[f"/humans/persons/{PERSON}/voice_id"][-1].data == VOICE
    assert got[f"/humans/persons/{PERSON}/location_confidence"][-1].data == pytest.approx(0.5)
    samples = np.linspace(-1, 1, 512, dtype=np.float32)
    source = LibrarySource(3, samples, samples, np.zeros(2, np.float32), 0)
    bench.until(lambda: bench.steps.get_subscription_count())
    bench.steps.publish(HeardStep(sources=[conversions.source_message(source, CLOCK)]))
    bench.until(lambda: got[f"/humans/voices/{VOICE}/audio"])
    heard = np.frombuffer(got[f"/humans/voices/{VOICE}/audio"][-1].data, "<i2") / 32_768
    np.testing.assert_allclose(heard, samples, atol=1e-4)
    bench.track(5.0, MACHINE)
    bench.until(
        lambda: not got["/humans/voices/tracked"][-1].ids and got["/humans/candidate_matches"][-1].confidence == 0.0
    )
    assert bench.node.diagnose().level == OK


def test_a_correction_parts_the_voice_from_whom_it_was_given_to_and_says_nothing_again(bench: Bench) -> None:
    bench.listen(IdsMatch, "/humans/candidate_matches", 10)
    bench.listen(LiveSpeech, f"/humans/voices/{VOICE}/speech", 10)
    bench.track(0.1, TALKER)
    bench.say(SAID)
    bench.say(replace(SAID, revision=1, final=True))
    bench.say(replace(SAID, revision=2, final=True, speaker="Ada", confidence=CueConfidence(0.9, speaker=0.95)))
    bench.say(replace(SAID, id="u2", speaker="unknown", confidence=CueConfidence(0.4)))
    bench.say(replace(SAID, id="u2", revision=1, final=True, speaker="unknown", words=()))
    matches, speech = bench.got["/humans/candidate_matches"], bench.got[f"/humans/voices/{VOICE}/speech"]
    bench.until(lambda: len(matches) == 4 and len(speech) == 4)
    assert [(match.id2, round(match.confidence, 2)) for match in matches] == [
        (PERSON, 0.75), (PERSON, 0.75), (PERSON, 0.0), ("p_Ada", 0.95),
    ]  # fmt: skip
    assert [(entry.incremental, entry.final) for entry in speech] == [
        ("Hello", ""),
        ("", "Hello"),
        ("Hello", ""),
        ("", ""),
    ]


def test_who_was_heard_stays_where_that_was_while_the_robot_drives(ros: None) -> None:
    bench = Bench(reference_frame="map", distance=2.0)
    odom = bench.peer.create_publisher(TFMessage, "/tf", 100)
    bench.until(lambda: bench.static.get_subscription_count() and odom.get_subscription_count())

    def drive(at: float, x: float) -> None:
        moved = frames.transform("odom", "mic_array_link", CLOCK.header(at).stamp, frames.pose((x, 0.0, 0.0)))
        odom.publish(TFMessage(transforms=[moved]))
        bench.until(lambda: bench.node._tree.between("odom", "mic_array_link", 10**19)[0, 3] == x)

    bench.node._tree.put("odom", "mic_array_link", np.eye(4), 1)
    drive(0.05, 1.0)
    bench.track(0.1, replace(TALKER, direction=Direction(0.0)))
    bench.say(replace(SAID, speaker="Ada"))
    bench.until(lambda: bench.node._persons.of_voice(3))
    bench.track(0.2, replace(TALKER, direction=Direction(0.0)))
    drive(0.25, 4.0)
    bench.track(0.3, replace(TALKER, direction=Direction(3.1), activity=0.0))
    bench.until(
        lambda: conversions.nanoseconds(bench.frames()["person_p_Ada"].header.stamp) == CLOCK.origin + 300_000_000
    )
    person, voice = bench.frames()["person_p_Ada"], bench.frames()[f"voice_{VOICE}"]
    assert (person.header.frame_id, person.transform.translation.x) == ("odom", pytest.approx(3.0))
    assert (voice.header.frame_id, voice.transform.translation.x) == ("mic_array_link", pytest.approx(2 * np.cos(3.1)))
    bench.end()


def test_who_is_seen_is_where_his_face_is(bench: Bench) -> None:
    bench.listen(Float32, "/humans/persons/p_Ada/location_confidence", 10)
    bench.listen(String, "/humans/persons/p_Ada/face_id")
    bench.listen(String, "/humans/persons/p_Ada/name")
    face = Face(
        "18bc_face_1", 0.2, (10, 20, 60, 80), Direction(0.5), 3.0, 0.0, 0.0, 0.9, 0.0, None, np.ones((48, 64)), 0.8
    )
    sight = Sight(0.2, (face,), (LipState("18bc_face_1", 0.2, 0.7, None),), {})
    bench.track(0.1, TALKER)
    bench.say(replace(SAID, speaker="Ada", face_id="18bc_face_1"))
    bench.until(lambda: bench.node._persons.of_face("18bc_face_1"))
    bench.faces.publish(faces_message(sight, CLOCK.header(0.2), ""))
    bench.until(lambda: bench.node._persons.of_face("18bc_face_1").seen)
    bench.track(0.3, TALKER)
    got = bench.got
    bench.until(
        lambda: all(got[f"/humans/persons/p_Ada/{name}"] for name in ("face_id", "name", "location_confidence"))
    )
    assert got["/humans/persons/p_Ada/location_confidence"][-1].data == 1.0
    assert got["/humans/persons/p_Ada/face_id"][-1].data == "f_18bc_face_1"
    assert got["/humans/persons/p_Ada/name"][-1].data == "Ada"
    bench.until(lambda: "person_p_Ada" in bench.frames())
    where = bench.frames()["person_p_Ada"].transform.translation
    np.testing.assert_allclose([where.x, where.y], [3 * np.cos(0.5), 3 * np.sin(0.5)], atol=1e-6)


def test_without_hri_msgs_nothing_is_published_and_the_diagnostics_say_so(
    ros: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = optional.installed
    monkeypatch.setattr(optional, "installed", lambda package: None if package == "hri_msgs" else installed(package))
    bench = Bench()
    bench.track(0.1, TALKER)
    bench.say(SAID)
    bench.track(0.2, TALKER)
    bench.until(lambda: f"voice_{VOICE}" in bench.frames())
    assert not [topic for topic, _ in bench.node.get_topic_names_and_types() if topic.startswith("/humans")]
    diagnosis = bench.node.diagnose()
    assert diagnosis.level == WARN
    assert "hri_msgs not installed" in diagnosis.message
    assert diagnosis.values["rep_155"] == "not published: hri_msgs is not installed"
    bench.end()


def test_what_was_said_before_the_node_started_is_not_said_again(ros: None) -> None:
    early = rclpy.create_node("early")
    publisher = early.create_publisher(UtteranceMessage, "hearing/utterances", STATE_QOS)
    publisher.publish(conversions.utterance_message(replace(SAID, id="u0", final=True), CLOCK))
    bench = Bench()
    bench.listen(LiveSpeech, f"/humans/voices/{VOICE}/speech", 10)
    bench.until(lambda: publisher.get_subscription_count())
    publisher.publish(conversions.utterance_message(SAID, CLOCK))
    bench.until(lambda: bench.got[f"/humans/voices/{VOICE}/speech"])
    assert bench.got[f"/humans/voices/{VOICE}/speech"][0].incremental == "Hello"
    bench.end()
    early.destroy_node()
