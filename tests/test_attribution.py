from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from hearing.attribution import UNKNOWN, Attribution, AttributionConfig, PersonAttribution
from hearing.attribution.assignment import NEVER, assign, most_likely
from hearing.attribution.cues import ContinuityCue, DirectionCue, StandstillCue
from hearing.attribution.takeover import joined
from hearing.attribution.voice_prints import VoiceSample
from hearing.types import SAMPLE_RATE, Direction, Float32Array, SourceAudio, SpeechChunk, Track
from hearing.voices import VoiceLikelihood, VoiceProfile
from hearing.voices.likelihood import own_weights

LOW, HIGH = 300.0, 3000.0
"""Voices of people who hum, in Hz."""


class Ears:
    """A speaker encoder that tells who hums low from who hums high."""

    dimensions = 2
    likelihood = VoiceLikelihood.beside(own_weights())

    def embed(self, mel: Float32Array) -> Float32Array:
        low, high = mel[:, :30].mean(), mel[:, 50:].mean()
        return np.array([1.0, 0.0] if low > high else [0.0, 1.0], np.float32)


def hum(pitch: float, seconds: float) -> Float32Array:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    swelling = 0.05 + 0.5 * (np.sin(2 * np.pi * 4 * time) > 0)
    return (swelling * np.sin(2 * np.pi * pitch * time)).astype(np.float32)


class Room:
    """People who speak, as attribution hears them."""

    def __init__(
        self, config: AttributionConfig | None = None, voices: bool = False, known: dict | None = None
    ) -> None:
        self.attribution = PersonAttribution(config, Ears() if voices else None, known)  # type: ignore[arg-type]
        self.count = 0

    def say(
        self,
        azimuths_deg: Sequence[float],
        start: float,
        end: float,
        track: int | None = None,
        pitch: float = LOW,
        last: bool = True,
        then: float | None = None,
        settled: float = 0.0,
    ) -> str:
        """Let somebody speak while he walks through these directions; return the utterance.

        With a second pitch, `then`, somebody else goes on in the middle. Until `settled` the voice is disputed.
        """
        self.count += 1
        track_id, utterance = track or self.count, f"u{self.count}"
        times = np.linspace(start, end, len(azimuths_deg) + 1)
        samples = hum(pitch, end - start)
        if then is not None:
            half = len(samples) // 2
            samples[half:] = hum(then, end - start)[half:]
        for index, (begin, stop) in enumerate(pairwise(times)):
            part = samples[round((begin - start) * SAMPLE_RATE) : round((stop - start) * SAMPLE_RATE)]
            talking = np.ones(len(part) // 256, np.float32)
            self.attribution.hear((SourceAudio(track_id, part, part, talking, round(begin * SAMPLE_RATE)),))
            ended = last and index == len(azimuths_deg) - 1
            chunk = SpeechChunk(utterance, track_id, part, begin, stop, ended, start, settled=settled)
            here = Track(track_id, stop, Direction(np.deg2rad(azimuths_deg[index])), 1.0)
            self.attribution.follow((chunk,), (here,), 0.0, stop)
        return utterance

    def who(self, utterance: str) -> str:
        return self.attribution.of(utterance).speaker


@pytest.fixture
def room() -> Room:
    return Room()


def test_whoever_speaks_where_somebody_spoke_is_the_same_person(room: Room):
    first, other = room.say([30.0], 0.0, 2.0), room.say([-80.0], 3.0, 5.0)
    again = room.say([34.0], 6.0, 8.0)
    assert room.who(first) == room.who(again) != room.who(other)
    assert room.attribution.of(again).probability > 0.8


def test_somebody_far_from_all_others_is_new(room: Room):
    utterances = [room.say([60.0 * k], 3.0 * k, 3.0 * k + 2) for k in range(1, 6)]
    assert len({room.who(utterance) for utterance in utterances}) == 5


def test_two_who_talk_at_the_same_time_are_two(room: Room):
    first = room.say([30.0], 0.0, 4.0, last=False)
    second = room.say([38.0], 0.5, 3.5, last=False)
    assert room.who(first) != room.who(second)


def test_an_utterance_stays_its_speakers_while_he_walks(room: Room):
    utterance = room.say([float(azimuth) for azimuth in range(0, 180, 10)], 0.0, 9.0)
    after = room.say([168.0], 10.0, 12.0)
    assert room.who(utterance) == room.who(after)


def test_the_back_is_one_place(room: Room):
    assert room.who(room.say([178.0], 0.0, 2.0)) == room.who(room.say([-179.0], 3.0, 5.0))


def test_people_who_have_swapped_places_are_known_by_their_voices():
    room = Room(voices=True)
    anna, ben = room.say([40.0], 0.0, 3.0), room.say([-40.0], 4.0, 7.0, pitch=HIGH)
    later_ben, later_anna = room.say([40.0], 10.0, 13.0, pitch=HIGH), room.say([-40.0], 14.0, 17.0)
    assert room.who(anna) == room.who(later_anna)
    assert room.who(ben) == room.who(later_ben)
    silent = Room(AttributionConfig(voice=False), voices=True)
    assert silent.who(silent.say([40.0], 0.0, 3.0)) == silent.who(silent.say([40.0], 8.0, 11.0, pitch=HIGH))


def test_whoever_walks_out_of_his_track_while_he_speaks_is_one_person():
    room = Room(voices=True)
    before = room.say([0.0, 10.0, 20.0], 0.0, 4.0)
    after = room.say([60.0, 70.0], 3.2, 7.0)
    assert room.who(before) == room.who(after)


def test_a_disputed_beginning_does_not_make_one_who_walks_two():
    at_once, walked = Room(), Room()
    first, second = at_once.say([0.0], 0.0, 4.0), at_once.say([10.0], 2.0, 6.0)
    assert at_once.who(first) != at_once.who(second)
    first, second = walked.say([0.0], 0.0, 4.0), walked.say([10.0], 2.0, 6.0, settled=4.0)
    assert walked.who(first) == walked.who(second)


def test_who_is_remembered_from_before_is_called_by_his_name():
    voice = VoiceProfile()
    voice.update(np.array([0.0, 1.0], np.float32), 0.9)
    room = Room(voices=True, known={"Ben": voice})
    assert room.who(room.say([10.0], 0.0, 3.0, pitch=HIGH)) == "Ben"
    assert room.who(room.say([80.0], 4.0, 7.0)) == "talker_1"


def test_a_withdrawn_utterance_leaves_nobody_behind(room: Room):
    ghost = room.say([100.0], 0.0, 2.0)
    room.attribution.withdraw(ghost)
    assert not room.attribution.knows(ghost)
    # Nobody is known to be there, so that the voice is somebody new: a number is never given twice.
    assert room.who(room.say([100.0], 3.0, 5.0)) == "talker_2"


def test_what_was_said_is_corrected_by_who_goes_on_speaking_within_two_seconds():
    def corrected(pause: float) -> list[str]:
        room = Room(voices=True)
        room.say([0.0], 0.0, 3.0)
        room.say([90.0], 4.0, 7.0, pitch=HIGH)
        short = room.say([14.0], 10.0, 10.2, track=9)
        assert room.who(short) == "talker_1"
        room.say([14.0], 10.2 + pause, 13.0 + pause, track=9, pitch=HIGH, last=False)
        changed = room.attribution.corrections(11.4 + pause)
        assert all(room.who(utterance) == "talker_2" for utterance in changed)
        return changed

    assert corrected(pause=0.1) == ["u3"]
    assert corrected(pause=5.0) == []


PAUSES = [float(time) for time in np.arange(11.0, 15.5, 0.5)]
"""Between the words of an utterance from 10 to 16 s."""


def test_whoever_goes_on_without_a_pause_is_told_by_his_voice():
    room = Room(voices=True)
    anna, ben = room.say([30.0], 0.0, 3.0), room.say([34.0], 5.0, 8.0, pitch=HIGH)
    assert room.who(anna) != room.who(ben)
    both = room.say([31.0], 10.0, 16.0, then=HIGH)
    parts = room.attribution.part(both, PAUSES)
    assert parts is not None
    assert [part.id for part in parts] == [both, f"{both}-2"]
    assert [room.who(part.id) for part in parts] == [room.who(anna), room.who(ben)]
    assert parts[1].start == pytest.approx(13.0, abs=1.0)
    assert room.attribution.part(both, PAUSES) is None


def test_whoever_goes_on_without_a_pause_is_told_by_where_he_is(room: Room):
    anna, ben = room.say([0.0], 0.0, 3.0), room.say([35.0], 5.0, 8.0)
    both = room.say([*[0.0] * 12, *[35.0] * 12], 10.0, 16.0)
    assert room.attribution.part(both, PAUSES) is not None
    assert [room.who(both), room.who(f"{both}-2")] == [room.who(anna), room.who(ben)]


def test_one_person_is_not_parted():
    room = Room(voices=True)
    room.say([30.0], 0.0, 3.0)
    room.say([34.0], 5.0, 8.0, pitch=HIGH)
    assert room.attribution.part(room.say([31.0], 10.0, 16.0), PAUSES) is None
    walking = room.say([float(azimuth) for azimuth in range(90, 140, 5)], 20.0, 26.0)
    assert room.attribution.part(walking, [time + 10.0 for time in PAUSES]) is None


def test_stretches_without_a_voice_say_nothing():
    assert joined([None, None]) is None
    one = VoiceSample(np.array([1.0, 0.0], np.float32), 0.5)
    both = joined([one, None, one])
    assert both is not None
    assert both.quality == pytest.approx(2 / 3)


def test_whoever_stands_still_elsewhere_at_once_is_somebody_else_however_alike_they_sound():
    room = Room(voices=True)
    first, other = room.say([-20.0], 0.0, 3.0), room.say([8.0], 3.6, 6.0)
    again = room.say([-20.0], 6.6, 9.0)
    assert room.who(first) == room.who(again) != room.who(other)
    later = Room(voices=True)
    assert later.who(later.say([-20.0], 0.0, 3.0)) == later.who(later.say([8.0], 9.0, 12.0))


def test_nobody_is_elsewhere_sooner_than_he_can_walk_there():
    cue = StandstillCue()
    assert cue.log_ratio(np.deg2rad(90), 0.5, 0.0) == cue.veto
    assert cue.log_ratio(np.deg2rad(90), 5.0, 0.0) == 0.0
    assert cue.log_ratio(np.deg2rad(20), 0.0, 0.0) == 0.0
    assert cue.log_ratio(np.deg2rad(90), 0.5, np.deg2rad(5.0)) == 0.0


def test_after_a_reset_nobody_is_known(room: Room):
    room.say([10.0], 0.0, 2.0)
    room.attribution.reset()
    assert room.attribution.of("u1") == Attribution(UNKNOWN, 0.0)
    assert room.who(room.say([10.0], 0.0, 2.0)) == "talker_1"


def test_a_direction_says_less_the_farther_and_the_longer_ago():
    cue = DirectionCue()
    ratios = [cue.log_ratio(np.deg2rad(apart), 1.0) for apart in (0, 5, 10, 20, 40)]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] > 2.0
    assert ratios[-1] < -2.0
    assert abs(cue.log_ratio(np.deg2rad(40), 600.0)) < 0.1


def test_a_track_says_less_the_longer_it_was_silent():
    cue = ContinuityCue()
    assert cue.log_ratio(True, 0.0) > cue.log_ratio(True, 10.0) > 0 > cue.log_ratio(False, 10.0)


def test_assignment_does_not_depend_on_the_order_of_people_and_utterances():
    rng = np.random.default_rng(3)
    scores, clashes = rng.normal(0, 3, (3, 5)), -9.0 * (1 - np.eye(3))
    people, probability = assign(scores, clashes)
    order, columns = rng.permutation(3), rng.permutation(4)
    again, likewise = assign(scores[order][:, [*columns, 4]], clashes)
    assert [int(columns[k]) if k < 4 else 4 for k in again] == people[order].tolist()
    assert likewise == pytest.approx(probability[order])


def test_everybody_new_is_somebody_else():
    people, _ = assign(np.array([[NEVER, 0.0], [NEVER, 0.0]]), -9.0 * (1 - np.eye(2)))
    assert people.tolist() == [1, 1]


def test_the_likeliest_face_is_none_if_all_speak_against_it():
    assert most_likely({"face_1": 3.0, "face_2": -1.0})[0] == "face_1"
    assert most_likely({"face_1": -3.0})[0] is None
    assert most_likely({}) == (None, 1.0)


def test_who_was_somebody_else_only_beside_his_own_echo_is_known_once_it_is_withdrawn():
    room = Room(voices=True)
    first = room.say([0.0], 0.0, 4.0)
    said, echo = room.say([40.0], 6.0, 9.0, last=False), room.say([0.0], 6.1, 9.0)
    room.attribution.follow((SpeechChunk(said, 2, np.zeros(0, np.float32), 9.0, 9.0, True, 6.0),), (), 0.0, 9.0)
    assert room.who(said) != room.who(echo) == room.who(first)
    assert said not in room.attribution.corrections(9.5)
    room.attribution.withdraw(echo)
    assert room.attribution.corrections(10.0) == [said]
    assert room.who(said) == room.who(first)
    assert not room.attribution.corrections(10.5)
