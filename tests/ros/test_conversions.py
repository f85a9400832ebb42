"""What goes through a message comes back as it was."""

from __future__ import annotations

import array
from dataclasses import replace

import numpy as np
import pytest
from hearing_msgs.msg import AudioBlock as AudioMessage
from hearing_nodes import conversions
from hearing_nodes.conversions import StreamClock
from rclpy.serialization import deserialize_message, serialize_message

from hearing.errors import InputError
from hearing.outputs import Timing
from hearing.types import AudioBlock, CueConfidence, Direction, Track, Utterance, Word

CLOCK = StreamClock(origin=1_700_000_000_250_000_000, frame_id="microphones")


def over_the_wire(message):
    return deserialize_message(serialize_message(message), type(message))


def make_utterance() -> Utterance:
    words = (Word("Grüße,", 1.25, 1.5, 0.9, 1.75), Word("robot!", 1.5, 2.0, 0.8, 2.25, 2.5))
    return Utterance(
        id="u7",
        revision=3,
        final=True,
        speaker="talker_2",
        track_id=5,
        words=words,
        start_time=1.25,
        end_time=2.0,
        direction=Direction(-2.5, 0.1),
        confidence=CueConfidence(recognition=0.85, direction=0.7),
        addressed_to_robot=0.95,
    )


def test_utterance_round_trip() -> None:
    utterance = make_utterance()
    assert conversions.utterance(over_the_wire(conversions.utterance_message(utterance, CLOCK))) == utterance


def test_utterance_with_every_cue_round_trip() -> None:
    utterance = replace(
        make_utterance(), face_id="f1", words=(), confidence=CueConfidence(0.1, direction=0.2, voice=0.3, face=0.4)
    )
    assert conversions.utterance(over_the_wire(conversions.utterance_message(utterance, CLOCK))) == utterance


def test_an_utterance_is_stamped_with_its_start() -> None:
    header = conversions.utterance_message(make_utterance(), CLOCK).header
    assert conversions.nanoseconds(header.stamp) == CLOCK.origin + 1_250_000_000
    assert header.frame_id == "microphones"


def test_tracks_round_trip_one_message_for_each_instant() -> None:
    tracks = (
        Track(1, 0.1, Direction(0.5, -0.1), 0.9),
        Track(2, 0.1, Direction(-3.0), 0.2, "noise"),
        Track(1, 0.2, Direction(0.6), 0.8, "robot"),
    )
    messages = conversions.track_messages(tracks, CLOCK)
    assert [message.time for message in messages] == [0.1, 0.2]
    assert sum((conversions.tracks(over_the_wire(message)) for message in messages), ()) == tracks


def test_sixteen_bit_audio_round_trip() -> None:
    samples = np.random.default_rng(0).integers(-32768, 32768, (512, 6)).astype(np.float32) / 32768
    message = over_the_wire(conversions.audio_message(AudioBlock(samples, 4096), CLOCK))
    block = conversions.audio_block(message, channels=6)
    assert block.start_sample == 4096
    np.testing.assert_array_equal(block.samples, samples)
    assert conversions.nanoseconds(message.header.stamp) == CLOCK.origin + 256_000_000


def test_audio_beyond_full_scale_is_clipped() -> None:
    message = conversions.audio_message(AudioBlock(np.array([[1.5], [-1.5]], np.float32), 0), CLOCK)
    assert list(message.data) == [32767, -32768]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"sample_rate": 48000}, "48000 Hz"),
        ({"channels": 4}, "4 channels"),
        ({"data": array.array("h", [1, 2, 3])}, "whole frames"),
    ],
)
def test_audio_that_does_not_fit_is_refused(change: dict, complaint: str) -> None:
    good = {"sample_rate": 16000, "channels": 2, "data": array.array("h", [1, 2, 3, 4])}
    assert conversions.audio_block(AudioMessage(**good), channels=2).samples.shape == (2, 2)
    with pytest.raises(InputError, match=complaint):
        conversions.audio_block(AudioMessage(**good | change), channels=2)


def test_timing_round_trip() -> None:
    timing = Timing(30.0, 12.5, {"localize": 2.5, "recognize": 9.0}, latency=1.5, peak_memory_bytes=512)
    message = conversions.end_message(timing, CLOCK, track_arrays=3, utterances=2)
    assert conversions.timing(over_the_wire(message)) == timing
    assert (message.track_arrays, message.utterances) == (3, 2)
