"""Playback and sights find their place on the audio's sample clock by their stamps."""

from __future__ import annotations

import numpy as np
import pytest
from hearing_msgs.msg import Face as FaceMessage
from hearing_msgs.msg import Faces
from hearing_nodes.companions import CompanionFaults, Playback, Sights
from hearing_nodes.conversions import StreamClock, audio_message
from hearing_nodes.sights import faces_message, sight
from rclpy.serialization import deserialize_message, serialize_message

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, AudioBlock, Direction
from hearing.vision.face import Face, LipState, Sight

BLOCK = 512
CLOCK = StreamClock(1_700_000_000_250_000_000, "microphones")


def played(start: int, size: int = BLOCK) -> np.ndarray:
    """Samples that tell which they are, exact in 16 bits."""
    return np.repeat(np.arange(start, start + size, dtype=np.float32)[:, None] / 32_768, 2, axis=1)


class Loudspeaker:
    """Plays along with the audio, its own sample clock having begun earlier."""

    ahead = 123 * BLOCK

    def __init__(self) -> None:
        self.faults = CompanionFaults()
        self.playback = Playback(2, self.faults)

    def play(self, start: int, size: int = BLOCK, jitter: float = 0.0) -> None:
        clock = StreamClock(CLOCK.origin + round((jitter - self.ahead / SAMPLE_RATE) * 1e9), "speaker")
        self.playback.add(audio_message(AudioBlock(played(start, size), self.ahead + start), clock))

    def during(self, start: int, size: int = BLOCK) -> np.ndarray:
        return self.playback.take(audio(start, size), CLOCK)

    def reaches(self, start: int) -> bool:
        return self.playback.reaches(audio(start), CLOCK)


def audio(start: int, size: int = BLOCK) -> AudioBlock:
    return AudioBlock(np.zeros((size, 6), np.float32), start)


def test_playback_lies_where_its_stamps_say_however_blocks_are_cut() -> None:
    speaker = Loudspeaker()
    for start in range(0, 2000, 100):
        speaker.play(start, 100)
    heard = [speaker.during(start) for start in range(0, 3 * BLOCK, BLOCK)]
    np.testing.assert_array_equal(np.concatenate(heard), played(0, 3 * BLOCK))
    assert speaker.faults == CompanionFaults()


def test_a_missing_stretch_is_silent_and_counted() -> None:
    speaker = Loudspeaker()
    speaker.play(0)
    speaker.play(2 * BLOCK + 100)
    np.testing.assert_array_equal(speaker.during(0), played(0))
    assert not speaker.during(BLOCK).any()
    third = speaker.during(2 * BLOCK)
    assert not third[:100].any()
    np.testing.assert_array_equal(third[100:], played(2 * BLOCK + 100, BLOCK - 100))
    assert speaker.faults == CompanionFaults(playback_missing_samples=BLOCK + 100)


def test_stamps_may_jitter_while_the_samples_follow_on_each_other() -> None:
    speaker = Loudspeaker()
    for number, jitter in enumerate((0.0, 0.03, -0.02, 0.05)):
        speaker.play(number * BLOCK, jitter=jitter)
    np.testing.assert_array_equal(speaker.during(0, 4 * BLOCK), played(0, 4 * BLOCK))


def test_a_jump_of_the_stamps_is_believed() -> None:
    speaker = Loudspeaker()
    speaker.play(0)
    speaker.play(BLOCK, jitter=BLOCK * 10 / SAMPLE_RATE)
    assert not speaker.during(BLOCK, 10 * BLOCK).any()
    np.testing.assert_array_equal(speaker.during(11 * BLOCK), played(BLOCK))


def test_it_is_known_how_far_the_playback_reaches() -> None:
    speaker = Loudspeaker()
    assert not speaker.reaches(0)
    speaker.play(0, BLOCK - 1)
    assert not speaker.reaches(0)
    speaker.play(BLOCK - 1, 1)
    assert speaker.reaches(0)
    assert not speaker.reaches(BLOCK)


def test_playback_from_before_the_stream_is_not_used() -> None:
    speaker = Loudspeaker()
    speaker.play(-BLOCK)
    assert not speaker.during(0).any()


def test_playback_with_other_channels_is_counted_and_left_out() -> None:
    faults = CompanionFaults()
    Playback(1, faults).add(audio_message(AudioBlock(played(0), 0), CLOCK))
    assert faults.bad_playback == 1
    assert "2 channels" in faults.last_bad


def make_sight() -> Sight:
    seen = Face(
        "face_1", 0.4, (10.0, 20.0, 60.0, 80.5), Direction(0.3, -0.1), 1.75, 0.2, -0.1, 0.9, 0.05,
        np.zeros((468, 3)), np.ones((48, 64), np.float32), 0.8,
    )  # fmt: skip
    hidden = Face("face_2", 0.4, (1.0, 2.0, 3.0, 4.0), Direction(-0.5), 2.5, 0.0, 0.0, 0.5, 0.0, None, None, 0.0)
    lips = (LipState("face_1", 0.4, 0.7, np.linspace(-1, 1, 32, dtype=np.float32)), LipState("face_2", 0.4, 0.1, None))
    return Sight(0.4, (seen, hidden), lips, {"face_1": {"Ada": 2.5, "Grüße": -1.25}})


def faces(time: float, camera: str = "", prefix: str = "") -> Faces:
    return faces_message(make_sight(), CLOCK.header(time), camera, prefix)


def test_a_sight_comes_back_but_for_its_pictures() -> None:
    sent = make_sight()
    message = deserialize_message(serialize_message(faces(0.4)), Faces)
    got = sight(message, 0.4)
    assert (got.time, got.people) == (sent.time, sent.people)
    for before, after in zip(sent.faces, got.faces, strict=True):
        for name in ("id", "time", "box", "direction", "distance", "yaw", "pitch", "facing", "opening", "quality"):
            assert getattr(after, name) == getattr(before, name)
        assert (after.mouth is None) == (before.mouth is None)
        assert after.landmarks is None
    for before, after in zip(sent.lips, got.lips, strict=True):
        assert (after.face_id, after.time, after.speaking) == (before.face_id, before.time, before.speaking)
        np.testing.assert_array_equal(after.embedding, before.embedding)


def test_a_prefix_is_put_before_the_ids_of_faces() -> None:
    got = sight(faces(0.4, prefix="left_"), 0.4)
    assert [face.id for face in got.faces] == [state.face_id for state in got.lips] == ["left_face_1", "left_face_2"]
    assert list(got.people) == ["left_face_1"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [({"azimuth": float("nan")}, "not finite"), ({"names": ["Ada"]}, "1 names with 0 ratios")],
)
def test_a_face_that_makes_no_sense_is_refused(change: dict, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        sight(Faces(faces=[FaceMessage(**change)]), 0.0)


def test_sights_wait_for_their_audio_and_late_ones_come_with_the_next_block() -> None:
    sights = Sights(CompanionFaults())
    sights.add(faces(-0.1))
    sights.add(faces(0.01))
    sights.add(faces(0.08))
    assert [seen.time for seen in sights.take(audio(0), CLOCK)] == pytest.approx([0.01])
    sights.add(faces(0.02))
    assert [seen.time for seen in sights.take(audio(BLOCK), CLOCK)] == pytest.approx([0.02])
    assert [seen.time for seen in sights.take(audio(2 * BLOCK), CLOCK)] == pytest.approx([0.08])


def test_sights_of_several_cameras_come_in_order_and_repeated_ones_once() -> None:
    sights = Sights(CompanionFaults())
    for time, camera in ((0.01, "left"), (0.02, "left"), (0.015, "right"), (0.02, "left"), (0.01, "left")):
        sights.add(faces(time, camera))
    assert [seen.time for seen in sights.take(audio(0), CLOCK)] == pytest.approx([0.01, 0.015, 0.02])


def test_faces_that_make_no_sense_are_counted_and_left_out() -> None:
    faults = CompanionFaults()
    sights = Sights(faults)
    message = faces(0.01)
    message.faces[0].distance = float("inf")
    sights.add(message)
    assert sights.take(audio(0), CLOCK) == ()
    assert (faults.bad_sights, faults.last_bad) == (1, "face face_1: a number is not finite")
