from dataclasses import replace

import numpy as np
import pytest

from hearing.types import ArrayMotion, Direction, SpeechChunk, Track, Transcript, Utterance, Word
from hearing.utterances import UtteranceAssembler


def chunk(start: float, seconds: float, last: bool = False) -> SpeechChunk:
    samples = np.zeros(round(seconds * 16000), np.float32)
    return SpeechChunk("u0001", 1, samples, start, start + seconds, last)


def track(azimuth_deg: float, activity: float = 1.0) -> Track:
    return Track(1, 0.0, Direction(np.deg2rad(azimuth_deg)), activity)


def transcript(text: str, start: float, end: float, final: bool = False) -> Transcript:
    words = tuple(Word(word, start, end, 0.9, end) for word in text.split())
    return Transcript("u0001", 1, words, 0.9 if words else 0.0, final)


def test_revisions_count_up_and_the_direction_is_averaged_while_the_track_sounds():
    assembler = UtteranceAssembler()
    assembler.follow((chunk(1.0, 1.0),), (track(10.0),), 2.0)
    first = assembler.process(transcript("stop", 1.2, 1.5))
    assembler.follow((chunk(2.0, 1.0),), (track(20.0),), 3.0)
    assembler.follow((), (track(90.0, activity=0.0),), 3.1)
    second = assembler.process(transcript("stop there", 1.2, 2.5, final=True))
    assert (first.id, first.revision, first.final) == ("u0001", 0, False)
    assert (second.id, second.revision, second.final) == ("u0001", 1, True)
    assert second.speaker == first.speaker
    assert second.direction.azimuth_deg == pytest.approx(15.0, abs=0.1)


def test_lead_and_tail_are_no_speech_unless_words_are_in_them():
    assembler = UtteranceAssembler(lead=0.3, tail=0.3)
    assembler.follow((chunk(1.0, 2.0),), (track(0.0),), 3.0)
    inside = assembler.process(transcript("hello", 1.5, 2.4))
    assert (inside.start_time, inside.end_time) == pytest.approx((1.3, 2.7))
    beyond = assembler.process(transcript("hello", 1.1, 2.9, final=True))
    assert (beyond.start_time, beyond.end_time) == pytest.approx((1.1, 2.9))


def test_without_words_an_utterance_is_withdrawn_but_keeps_its_place():
    assembler = UtteranceAssembler()
    assembler.follow((chunk(1.0, 2.0),), (track(-40.0),), 3.0)
    utterance = assembler.process(transcript("", 0.0, 0.0, final=True))
    assert utterance.final
    assert not utterance.words
    assert utterance.direction.azimuth_deg == pytest.approx(-40.0)
    assert utterance.end_time == pytest.approx(3.0)


def test_what_happens_after_the_end_does_not_count_although_the_final_words_come_later():
    assembler = UtteranceAssembler()
    assembler.follow((chunk(1.0, 1.0, last=True),), (track(10.0),), 2.0)
    assembler.follow((), (track(90.0),), 2.1, moving=True)
    assembler.follow((), (), 2.2)
    utterance = assembler.process(transcript("stop there", 1.2, 1.9, final=True))
    assert utterance.direction.azimuth_deg == pytest.approx(10.0)
    assert utterance.confidence.recognition == pytest.approx(0.9)
    assert utterance.end_time == pytest.approx(2.0)


def test_confidence_falls_where_the_recognizer_cannot_know_better():
    def confidence(moving: bool = False, robot_talks: bool = False, deg_per_step: float = 0.0) -> float:
        assembler = UtteranceAssembler()
        for step in range(20):
            here = Track(1, 0.064 * step, Direction(np.deg2rad(deg_per_step * step)), 1.0)
            assembler.follow((chunk(step * 0.064, 0.064),), (here,), step * 0.064, (), None, moving, robot_talks)
        return assembler.process(transcript("stop there", 0.1, 1.2, final=True)).confidence.recognition

    assert confidence() == pytest.approx(0.9)
    assert confidence(moving=True) < 0.87
    assert confidence(robot_talks=True) < 0.87
    assert confidence(moving=True, robot_talks=True) < 0.83
    assert confidence(deg_per_step=2.0) < 0.85


def test_a_robot_that_turns_makes_no_walkers():
    assembler = UtteranceAssembler()
    for step in range(20):
        turned = np.deg2rad(2.0 * step)
        here = Track(1, 0.064 * step, Direction(-turned), 1.0)
        motion = ArrayMotion(0.064 * step, np.zeros(3), turned)
        assembler.follow((chunk(step * 0.064, 0.064),), (here,), step * 0.064, (), motion)
    utterance = assembler.process(transcript("stop there", 0.1, 1.2, final=True))
    assert utterance.confidence.recognition == pytest.approx(0.9)


def test_who_addressed_the_robot_just_now_is_expected_to_go_on():
    def expected(pause: float) -> float:
        assembler = UtteranceAssembler()
        assembler.follow((chunk(0.0, 1.0, last=True),), (track(0.0),), 1.0)
        assembler.process(transcript("Robot, stop.", 0.1, 0.9, final=True))
        start = 1.0 + pause
        assembler.follow((chunk(start, 1.0),), (track(0.0),), start + 1.0)
        return assembler.addressing("u0001")

    assert expected(2.0) > 0.7
    assert expected(2.0) > expected(20.0) > expected(200.0)


def test_the_words_so_far_say_whether_the_robot_is_addressed():
    assembler = UtteranceAssembler()
    assembler.follow((chunk(0.0, 1.0),), (track(0.0),), 3.0)
    assembler.process(transcript("Robot", 0.1, 0.4))
    assert assembler.addressing("u0001") > 0.9
    assembler.process(transcript("Anna broke the press", 0.1, 0.8))
    assert assembler.addressing("u0001") < 0.5


def test_the_robot_called_by_name_is_addressed():
    assembler = UtteranceAssembler()
    assembler.follow((chunk(0.0, 1.0),), (track(0.0),), 3.0)
    assert assembler.process(transcript("Robot, stop.", 0.1, 0.9, final=True)).addressed_to_robot > 0.9


def other_track(azimuth_deg: float) -> Track:
    return Track(2, 0.0, Direction(np.deg2rad(azimuth_deg)), 1.0)


def both_open() -> UtteranceAssembler:
    assembler = UtteranceAssembler()
    echo = SpeechChunk("u0002", 2, np.zeros(32000, np.float32), 1.0, 3.0, False)
    assembler.follow((chunk(1.0, 2.0), echo), (track(0.0), other_track(120.0)), 3.0)
    return assembler


def on_other_track(spoken: Transcript) -> Transcript:
    return replace(spoken, utterance_id="u0002", track_id=2)


def test_what_is_heard_a_second_time_on_another_track_is_withdrawn():
    assembler = both_open()
    assembler.process(transcript("stop the press", 1.2, 2.0))
    assert not assembler.process(on_other_track(transcript("stop the", 1.3, 2.0, final=True))).words
    assert assembler.process(transcript("stop the press", 1.2, 2.0, final=True)).words


def test_an_echo_that_was_published_first_is_withdrawn_when_more_is_heard():
    assembler = both_open()
    published = assembler.process(on_other_track(transcript("stop the", 1.3, 2.0, final=True)))
    assert published.words
    assert not assembler.corrections(3.1)
    assembler.process(transcript("stop the press", 1.2, 2.0))
    (withdrawn,) = assembler.corrections(3.2)
    assert (withdrawn.id, withdrawn.words, withdrawn.final) == ("u0002", (), True)
    assert withdrawn.revision == published.revision + 1


def test_the_same_words_said_later_are_no_echo():
    assembler = both_open()
    assembler.process(transcript("stop the press now", 1.2, 2.0))
    assert assembler.process(on_other_track(transcript("stop the press", 2.2, 2.9, final=True))).words


def test_of_two_that_are_final_the_less_sure_one_is_the_echo():
    assembler = both_open()
    doubtful = transcript("stop the best", 1.3, 2.0, final=True)
    words = tuple(replace(word, confidence=0.5) for word in doubtful.words)
    assert assembler.process(on_other_track(replace(doubtful, words=words))).words
    assert assembler.process(transcript("stop the press", 1.2, 2.0, final=True)).words
    (withdrawn,) = assembler.corrections(4.5)
    assert (withdrawn.id, withdrawn.words) == ("u0002", ())
    assert not assembler.corrections(4.6)


def test_where_another_person_goes_on_the_utterance_is_parted_by_revision():
    assembler = UtteranceAssembler()

    def say(name: str, start: float, azimuths_deg: list[float], words: str) -> Utterance:
        for step, azimuth_deg in enumerate(azimuths_deg):
            begin = start + 0.25 * step
            last = step == len(azimuths_deg) - 1
            part = SpeechChunk(name, 1, np.zeros(4000, np.float32), begin, begin + 0.25, last)
            assembler.follow((part,), (track(azimuth_deg),), begin + 0.25)
        texts = words.split()
        each = 0.25 * len(azimuths_deg) / len(texts)
        spoken = tuple(
            Word(text, start + each * index, start + each * (index + 1), 0.9, 0.0) for index, text in enumerate(texts)
        )
        return assembler.process(Transcript(name, 1, spoken, 0.9, True))

    anna = say("u0001", 0.0, [0.0] * 8, "one two three four").speaker
    ben = say("u0002", 4.0, [35.0] * 8, "five six seven eight").speaker
    assert not assembler.corrections(6.1)
    whole = say("u0003", 8.0, [0.0] * 12 + [35.0] * 12, "one two three four five six seven eight")
    first, second = assembler.corrections(14.1)
    assert (first.id, first.revision, first.text) == ("u0003", whole.revision + 1, "one two three four")
    assert (second.id, second.revision, second.text) == ("u0003-2", 0, "five six seven eight")
    assert (first.speaker, second.speaker) == (anna, ben)
    assert first.final
    assert second.final
    assert (whole.start_time, whole.end_time) == (first.start_time, second.end_time)
    assert [half.direction.azimuth_deg for half in (first, second)] == pytest.approx([0.0, 35.0], abs=1.0)
    assert not assembler.corrections(14.2)
