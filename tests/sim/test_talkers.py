import numpy as np
import pytest
from hearing_sim import ArrayPose, Room, Scene, Talker, Turn
from hearing_sim.talkers import place_turns, speech_stretch

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

ROOM, POSE = Room((6.0, 5.0, 3.0), 0.4), ArrayPose("respeaker_6mic", (3.0, 2.5, 1.2))


def scene(*turns, voice=("eve",)):
    talkers = (Talker("ann", voice, (4.0, 2.0, 1.5)), Talker("bob", voice, (2.0, 2.0, 1.5)))
    return Scene("test", 10.0, ROOM, POSE, talkers=talkers, turns=turns)


def test_speech_is_found_between_silence_and_above_noise():
    rng = np.random.default_rng(0)
    sound = 0.001 * rng.standard_normal(3 * SAMPLE_RATE)
    sound[SAMPLE_RATE : 2 * SAMPLE_RATE] += 0.1 * rng.standard_normal(SAMPLE_RATE)
    assert np.abs(np.array(speech_stretch(sound)) - [SAMPLE_RATE, 2 * SAMPLE_RATE]).max() <= 320


def test_gaps_are_between_speech(kit):
    first, second, third = place_turns(scene(Turn("ann", 0.5), Turn("bob", 0.7), Turn("ann", -0.4)))
    assert first.start == pytest.approx(0.5)
    assert second.start == pytest.approx(first.end + 0.7)
    assert third.start == pytest.approx(second.end - 0.4)
    assert first.end - first.start == pytest.approx(1.0, abs=0.04)
    assert [placed.text for placed in (first, third)] == ["the first sentence", "the second sentence"]


def test_speech_has_unit_level_where_the_times_say(kit):
    (placed,) = place_turns(scene(Turn("ann", 1.0)))
    first = round(placed.start * SAMPLE_RATE) - placed.onset
    speech = placed.samples[first : first + round((placed.end - placed.start) * SAMPLE_RATE)]
    assert np.mean(speech**2) == pytest.approx(1, rel=0.01)


def test_clip_by_name(kit):
    (placed,) = place_turns(scene(Turn("ann", 0.0, clip="second")))
    assert placed.text == "the second sentence"


def test_first_voice_that_exists_is_taken(no_kit):
    (placed,) = place_turns(scene(Turn("ann", 0.0), voice=("vctk-p225", "two-cities")))
    assert placed.text.startswith("It was the best of times")


def test_synthesis_says_the_text(no_kit):
    (placed,) = place_turns(scene(Turn("ann", 0.0, text="Robot, stop."), voice=("synthesis",)))
    assert placed.text == "Robot, stop."
    assert 0.4 < placed.end - placed.start < 2


@pytest.mark.parametrize(
    ("turns", "voice", "message"),
    [
        ([Turn("ann", 0.0)], ("nobody",), "no recordings of nobody"),
        ([Turn("ann", 0.0, clip="third")], ("eve",), "no clip 'third'; known are: first, second"),
        ([Turn("ann", 0.0)] * 3, ("eve",), "has only 2 clips"),
        ([Turn("ann", 0.0)], ("synthesis",), "give each of its turns a text"),
        ([Turn("ann", 0.0, text="Hi.")], ("eve",), "cannot say 'Hi.'"),
        ([Turn("ann", -0.1)], ("eve",), "before the scene"),
        ([Turn("ann", 9.5)], ("eve",), "ends after the scene"),
    ],
)
def test_turns_that_cannot_be(kit, turns, voice, message):
    with pytest.raises(InputError, match=message):
        place_turns(scene(*turns, voice=voice))
