"""Small scenes: what is heard, tick by tick, and what is done about it."""

from dataclasses import replace

import pytest

from hearing.dialogue.acts import Do, Duck, Emergency, Look, Pause, Resume, Speak, Spoken, Stop
from hearing.dialogue.brains.brain import Ask, Command, Nothing, Say, Waiting
from hearing.dialogue.controller import DuplexConfig, DuplexController, Heard
from hearing.dialogue.floor import FloorState
from hearing.types import CueConfidence, Direction, SpottedWord, Utterance, Word

QUIET = FloorState(0.0, 1, False, 0.0, 6.0, 0.0, 0.5, 0.5, 0.5, 0.2, 0.3)
LEFT, RIGHT = Direction(0.5), Direction(-0.5)


class Brain:
    """Says what it is told to; notes what it is asked, and what was heard."""

    def __init__(self, *events):
        self.events = events or (Say("I bring it."),)
        self.prepared, self.asked, self.heard_texts, self.cancelled, self.overheard = [], [], [], 0, []

    def prepare(self, turn, context):
        self.prepared.append(turn.text)

    def respond(self, turn, context):
        self.asked.append(turn)
        self.overheard += [each.text for each in context.overheard]
        yield from self.events

    def heard(self, text):
        self.heard_texts.append(text)

    def cancel(self):
        self.cancelled += 1


def utterance(text, track=1, id="u1", final=True, addressed=0.9, start=1.0, end=2.0, name="Anna", shown=None):
    parts = text.split()
    step = (end - start) / max(len(parts), 1)
    seen = end if shown is None else shown
    words = tuple(Word(w, start + k * step, start + (k + 1) * step, 0.9, seen) for k, w in enumerate(parts))
    direction = LEFT if track == 1 else RIGHT
    return Utterance(id, 0, final, name, track, words, start, end, direction, CueConfidence(0.9), addressed)


def talking(now, track=1, run=1.0, takes=0.8, backchannel=0.1, side=0.1, yields=0.2):
    return FloorState(now, track, True, run, 0.0, run, 0.1, yields, takes, backchannel, side)


def silent(now, track=1, silence=0.4, over=0.99, takes=0.8, backchannel=0.1, side=0.1):
    return FloorState(now, track, False, 1.0, silence, 1.0, over, 0.9, takes, backchannel, side)


def spoken(answer, said="I", unsaid="bring it.", finished=False):
    return Spoken(answer, said, unsaid, finished)


def asking(controller, text="Bring the drill.", now=2.0, track=1, id="u1", **more):
    """Let somebody ask for something; return what the robot does when the turn is over."""
    controller.process(now, Heard([talking(now, track)]))
    said = utterance(text, track, id, start=now - 1.0, end=now, **more)
    return controller.process(now + 0.4, Heard([silent(now + 0.4, track)], [said]))


def kinds(acts):
    return [type(act) for act in acts]


def answering(brain=None, config=None):
    """Bring a controller to where it speaks its first answer."""
    controller = DuplexController(brain or Brain(), config)
    asking(controller)
    controller.process(2.5, Heard([silent(2.5)], spoken=spoken("answer_1")))
    return controller


def test_a_turn_that_is_over_is_answered_to_the_one_who_spoke():
    brain = Brain()
    acts = asking(DuplexController(brain))
    assert acts == [Look("Anna", 1, LEFT), Speak("answer_1", "I bring it.", "Anna", 1, LEFT)]
    assert [turn.text for turn in brain.asked] == ["Bring the drill."]


def test_who_pauses_to_think_is_not_cut_off():
    controller = DuplexController(Brain())
    controller.process(2.0, Heard([talking(2.0)]))
    said = utterance("Bring the")
    for tick in range(1, 50):
        now = 2.0 + tick / 10
        heard = Heard([silent(now, silence=tick / 10, over=0.1)], [said] if tick == 12 else [])
        assert controller.process(now, heard) == []
    controller.process(7.0, Heard([talking(7.0)]))
    acts = controller.process(8.0, Heard([silent(8.0)], [utterance("drill.", id="u2", start=7.0, end=7.9)]))
    assert isinstance(acts[-1], Speak)


def test_the_words_of_a_turn_with_a_pause_are_one_turn():
    brain = Brain()
    controller = DuplexController(brain)
    controller.process(2.0, Heard([talking(2.0)], [utterance("Bring the")]))
    asking(controller, "drill.", now=4.0, id="u2")
    assert [turn.text for turn in brain.asked] == ["Bring the drill."]


def test_a_timer_is_the_last_resort():
    controller = DuplexController(Brain())
    controller.process(2.0, Heard([talking(2.0)], [utterance("Bring the drill.")]))
    assert controller.process(4.5, Heard([silent(4.5, silence=2.5, over=0.5)])) == []
    assert controller.process(5.1, Heard([silent(5.1, silence=3.1, over=0.5)]))


def test_it_opens_while_the_last_words_are_still_missing():
    controller = DuplexController(Brain())
    controller.process(2.0, Heard([talking(2.0)], [utterance("Bring", final=False, end=1.2)]))
    acts = controller.process(2.4, Heard([silent(2.4)]))
    assert [act.text for act in acts if isinstance(act, Speak)] == ["Right,"]
    heard = Heard([silent(2.9, silence=0.9)], [utterance("Bring the drill.")], spoken("answer_1"))
    acts = controller.process(2.9, heard)
    assert acts == [Speak("answer_1", "I bring it.", "Anna", 1, LEFT)]


def test_without_openers_it_waits_for_the_words():
    brain = Brain()
    controller = DuplexController(brain, DuplexConfig(openers=()))
    controller.process(2.0, Heard([talking(2.0)], [utterance("Bring", final=False, end=1.2)]))
    assert kinds(controller.process(2.4, Heard([silent(2.4)]))) == [Look]
    acts = controller.process(2.9, Heard([silent(2.9, silence=0.9)], [utterance("Bring the drill.")]))
    assert kinds(acts) == [Speak]
    assert brain.asked[0].text == "Bring the drill."


def test_words_that_were_shown_just_now_are_not_believed_before_they_have_stayed():
    brain = Brain()
    controller = DuplexController(brain, DuplexConfig(openers=()))
    controller.process(2.0, Heard([talking(2.0)], [utterance("Bring the", final=False, end=1.8)]))
    misheard = utterance("Bring the bill", final=False, shown=2.4)
    controller.process(2.4, Heard([silent(2.4)], [misheard]))
    controller.process(3.3, Heard([silent(3.3, silence=1.3)]))
    assert brain.asked == []
    controller.process(3.4, Heard([silent(3.4, silence=1.4)], [utterance("Bring the drill", final=False, shown=3.3)]))
    assert brain.asked == []
    controller.process(4.4, Heard([silent(4.4, silence=2.4)]))
    assert [turn.text for turn in brain.asked] == ["Bring the drill"]


def test_the_brain_prepares_while_somebody_still_talks():
    brain = Brain()
    controller = DuplexController(brain)
    partial = utterance("Bring the", final=False)
    controller.process(2.0, Heard([talking(2.0, yields=0.8)], [partial]))
    controller.process(2.1, Heard([talking(2.1, yields=0.8)], [partial]))
    assert brain.prepared == ["Bring the"]
    assert brain.asked == []


def test_side_talk_is_ignored_and_overheard():
    brain = Brain()
    controller = DuplexController(brain)
    assert asking(controller, "He never finds it.", addressed=0.1) == []
    assert controller.process(4.5, Heard([silent(4.5, silence=2.5)])) == []
    asking(controller, "Bring the drill.", now=6.0, id="u2")
    assert brain.overheard == ["He never finds it."]
    assert len(brain.asked) == 1


def test_who_talks_to_somebody_else_by_voice_and_gaze_is_ignored():
    controller = DuplexController(Brain())
    controller.process(2.0, Heard([talking(2.0)]))
    said = utterance("Bring the drill.", addressed=0.8)
    assert controller.process(2.4, Heard([silent(2.4, takes=0.2, side=0.7)], [said])) == []


def test_it_pauses_for_who_takes_the_floor_at_once():
    controller = answering()
    assert controller.process(2.6, Heard([talking(2.6, run=0.1, takes=0.9)], spoken=spoken("answer_1"))) == [
        Duck("answer_1")
    ]
    assert controller.process(2.7, Heard([talking(2.7, run=0.2, takes=0.5)], spoken=spoken("answer_1"))) == []
    acts = controller.process(2.8, Heard([talking(2.8, run=0.3, takes=0.85)], spoken=spoken("answer_1")))
    assert acts == [Pause("answer_1")]


def test_what_was_meant_as_an_interruption_is_answered_instead():
    brain = Brain()
    controller = answering(brain)
    controller.process(2.8, Heard([talking(2.8)], spoken=spoken("answer_1")))
    said = utterance("No, the red one.", id="u2", start=2.5, end=3.2)
    acts = controller.process(3.6, Heard([silent(3.6)], [said], spoken("answer_1")))
    assert kinds(acts) == [Stop, Look, Speak]
    assert acts[-1].answer_id == "answer_2"
    assert [turn.text for turn in brain.asked] == ["Bring the drill.", "No, the red one."]
    assert brain.heard_texts[-1] == "I"
    assert brain.cancelled == 1


def test_it_goes_on_after_a_false_alarm():
    controller = answering()
    controller.process(2.8, Heard([talking(2.8)], spoken=spoken("answer_1")))
    listener = {"takes": 0.1, "backchannel": 0.8}
    said = utterance("Mm-hm.", id="u2")
    assert controller.process(3.0, Heard([silent(3.0, silence=0.2, **listener)], [said], spoken("answer_1"))) == []
    acts = controller.process(3.4, Heard([silent(3.4, silence=0.6, **listener)], spoken=spoken("answer_1")))
    assert acts == [Resume("answer_1")]


def test_after_a_long_false_alarm_it_says_the_rest_anew():
    controller = answering()
    controller.process(2.8, Heard([talking(2.8)], spoken=spoken("answer_1")))
    controller.process(6.0, Heard([talking(6.0, takes=0.2, side=0.7)], spoken=spoken("answer_1")))
    acts = controller.process(6.8, Heard([silent(6.8, silence=0.7, takes=0.2, side=0.7)], spoken=spoken("answer_1")))
    assert acts == [Stop("answer_1"), Speak("answer_2", "As I said: bring it.", "Anna", 1, LEFT)]


@pytest.mark.parametrize("who", [{"backchannel": 0.8, "takes": 0.1}, {"side": 0.8, "takes": 0.1}])
def test_neither_backchannels_nor_side_talk_stop_it(who):
    controller = answering()
    for tick in range(1, 12):
        now = 2.5 + tick / 10
        state = talking(now, 2, run=tick / 10, **who)
        assert controller.process(now, Heard([silent(now), state], spoken=spoken("answer_1"))) == []


def test_a_duck_ends_with_what_caused_it():
    controller = answering()
    controller.process(2.6, Heard([talking(2.6, run=0.2, takes=0.5)], spoken=spoken("answer_1")))
    state = silent(3.1, silence=0.4, takes=0.1, backchannel=0.8)
    assert controller.process(3.1, Heard([state], spoken=spoken("answer_1"))) == [Resume("answer_1")]


def test_who_goes_on_after_the_robot_began_is_answered_as_a_whole():
    brain = Brain()
    controller = DuplexController(brain)
    asking(controller)
    controller.process(2.5, Heard([silent(2.5)], spoken=spoken("answer_1", said="")))
    controller.process(2.8, Heard([talking(2.8)], spoken=spoken("answer_1", said="")))
    more = utterance("to bay four.", id="u2", start=2.5, end=3.2)
    acts = controller.process(3.6, Heard([silent(3.6)], [more], spoken("answer_1", said="")))
    assert kinds(acts) == [Stop, Look, Speak]
    assert brain.asked[-1].text == "Bring the drill. to bay four."


def test_final_words_that_differ_are_answered_instead():
    brain = Brain()
    controller = DuplexController(brain)
    asking(controller, "Bring the drill", final=False, shown=1.3)
    corrected = utterance("Bring the bill.")
    acts = controller.process(2.5, Heard([silent(2.5)], [corrected], spoken("answer_1", said="")))
    assert kinds(acts) == [Stop, Look, Speak]
    assert [turn.text for turn in brain.asked] == ["Bring the drill", "Bring the bill."]


def test_final_words_that_only_gain_a_full_stop_change_nothing():
    controller = DuplexController(Brain())
    asking(controller, "Bring the drill", final=False, shown=1.3)
    same = utterance("Bring the drill.")
    assert controller.process(2.5, Heard([silent(2.5)], [same], spoken("answer_1", said=""))) == []


def test_two_people_are_answered_one_after_the_other_and_by_name():
    controller = DuplexController(Brain())
    both = [talking(2.0, 1), talking(2.0, 2)]
    controller.process(2.0, Heard(both))
    first = utterance("Bring the drill.", 1)
    second = utterance("Where is the belt?", 2, id="u2", name="Ben")
    acts = controller.process(2.4, Heard([silent(2.4, 2), silent(2.4, 1)], [second, first]))
    assert acts == [Look("Ben", 2, RIGHT), Speak("answer_1", "Ben, I bring it.", "Ben", 2, RIGHT)] or acts == [
        Look("Anna", 1, LEFT),
        Speak("answer_1", "Anna, I bring it.", "Anna", 1, LEFT),
    ]
    served = acts[0].person
    done = spoken("answer_1", "all", "", finished=True)
    acts = controller.process(4.0, Heard([silent(4.0, 1, 2.0), silent(4.0, 2, 2.0)], spoken=done))
    acts += controller.process(4.1, Heard([silent(4.1, 1, 2.1), silent(4.1, 2, 2.1)]))
    other = "Anna" if served == "Ben" else "Ben"
    assert acts[0].person == other
    assert acts[1].text == f"{other}, I bring it."


def test_it_waits_while_somebody_else_talks_to_it():
    controller = DuplexController(Brain())
    controller.process(2.0, Heard([talking(2.0, 1), talking(2.0, 2)]))
    acts = controller.process(2.4, Heard([silent(2.4, 1), talking(2.4, 2)], [utterance("Bring the drill.")]))
    assert acts == []
    acts = controller.process(3.0, Heard([silent(3.0, 1, 1.0), talking(3.0, 2, takes=0.2, side=0.7)]))
    assert kinds(acts) == [Look, Speak]


def test_emergency_words_act_on_partials_from_anybody():
    controller = answering()
    shout = utterance("Stop", 2, id="e", final=False, addressed=0.05, name="unknown", start=2.4, end=2.6)
    acts = controller.process(2.7, Heard((), [shout], spoken("answer_1")))
    assert acts == [Emergency("stop", "e", "unknown", RIGHT), Stop("answer_1")]
    again = replace(shout, final=True)
    assert controller.process(2.9, Heard((), [again])) == []


def test_what_was_being_answered_is_forgotten_in_an_emergency():
    controller = DuplexController(Brain())
    asking(controller)
    controller.process(2.7, Heard((), [utterance("Stop", 2, id="e", final=False)], spoken("answer_1", said="")))
    for tick in range(10):
        assert controller.process(2.8 + tick / 10, Heard([silent(2.8 + tick / 10)])) == []


def test_a_lost_loudspeaker_leaves_it_neither_deaf_nor_mute():
    controller = DuplexController(Brain())
    asking(controller)
    assert controller.process(4.3, Heard([silent(4.3, silence=2.3)])) == []
    assert controller.process(4.5, Heard([silent(4.5, silence=2.5)])) == [Stop("answer_1")]
    assert kinds(asking(controller, "Where is the belt?", now=6.0, id="u2")) == [Look, Speak]


def test_pieces_come_as_the_brain_has_them_and_commands_are_done():
    command = Command("bring")
    events = (Waiting(), command, Say("First."), Waiting(), Say("Second."), Nothing("-"))
    controller = DuplexController(Brain(*events))
    acts = asking(controller)
    assert kinds(acts) == [Look]
    acts = controller.process(2.5, Heard([silent(2.5)]))
    assert acts == [Do(command), Speak("answer_1", "First.", "Anna", 1, LEFT)]
    acts = controller.process(2.6, Heard([silent(2.6)], spoken=spoken("answer_1", "First.", "", True)))
    assert acts == [Speak("answer_1", "Second.", "Anna", 1, LEFT)]


def test_a_question_is_remembered_until_it_is_answered():
    controller = DuplexController(Brain(Ask("Which one?")))
    asking(controller)
    assert not controller.asked
    controller.process(3.5, Heard([silent(3.5, silence=1.5)], spoken=spoken("answer_1", "Which one?", "", True)))
    assert controller.asked
    acts = asking(controller, "Yes.", now=5.0, id="u2")
    assert kinds(acts) == [Look, Speak]


def test_the_brain_is_told_what_was_heard():
    brain = Brain()
    controller = answering(brain)
    controller.process(2.6, Heard([silent(2.6)], spoken=spoken("answer_1", "I bring", "it.")))
    assert brain.heard_texts == ["I", "I bring"]


def test_noise_without_words_is_not_answered():
    controller = DuplexController(Brain(), DuplexConfig(openers=()))
    controller.process(2.0, Heard([talking(2.0)]))
    for tick in range(1, 60):
        assert controller.process(2 + tick / 10, Heard([silent(2 + tick / 10, silence=tick / 10)])) == []


def test_a_hum_tells_a_thinker_to_go_on():
    controller = DuplexController(Brain(), DuplexConfig(hum_after=0.5))
    controller.process(2.0, Heard([talking(2.0)], [utterance("Bring the")]))
    acts = controller.process(2.5, Heard([silent(2.5, over=0.1)]))
    assert acts == [Speak("answer_1", "Mm-hm.", "Anna", 1, LEFT, hums=True)]
    assert controller.process(2.6, Heard([silent(2.6, over=0.1)])) == []
    asking(controller, "drill.", now=4.0, id="u2")
    controller.process(5.0, Heard([silent(5.0, silence=1.0)], spoken=spoken("answer_2", "all", "", finished=True)))
    controller.process(6.0, Heard([talking(6.0)], [utterance("Put it", id="u3", start=5.5, end=5.9)]))
    acts = controller.process(6.5, Heard([silent(6.5, over=0.1)]))
    assert [act.hums for act in acts] == [True]


def test_a_new_stream_starts_afresh():
    controller = answering()
    controller.reset()
    assert asking(controller)[-1].answer_id == "answer_1"


def test_a_spotted_emergency_word_stops_it_once_before_any_text_has_it():
    controller = answering()
    spotted = SpottedWord("stop", "e", 2, 2.6, 2.9, 3.0, 0.9, direction=RIGHT)
    acts = controller.process(3.0, Heard(spoken=spoken("answer_1"), spotted=[spotted]))
    assert acts == [Emergency("stop", "e", "unknown", RIGHT), Stop("answer_1")]
    text = utterance("Stop!", track=2, id="e", start=2.6, end=2.9, name="unknown")
    assert not any(isinstance(act, Emergency) for act in controller.process(3.6, Heard(utterances=[text])))


def test_nothing_is_said_to_the_voice_that_an_emergency_word_ends_with():
    controller = DuplexController(Brain())
    controller.process(2.7, Heard([talking(2.7, 2)]))
    spotted = SpottedWord("stop", "e", 2, 2.6, 2.9, 3.0, 0.9, direction=RIGHT)
    assert kinds(controller.process(3.0, Heard([talking(3.0, 2)], spotted=[spotted]))) == [Emergency]
    controller.process(3.2, Heard([talking(3.2, 2)]))
    for tick in range(8):
        now = 3.3 + tick / 10
        assert controller.process(now, Heard([silent(now, 2, 0.1 * (tick + 1), takes=0.95)])) == []


def test_who_calls_the_robot_is_answered_however_it_sounds():
    for addressed, answered in ((0.95, True), (0.7, False)):
        controller = DuplexController(Brain())
        controller.process(2.0, Heard([talking(2.0)]))
        said = utterance("Robot, bring the drill.", addressed=addressed)
        acts = controller.process(2.4, Heard([silent(2.4, takes=0.3, side=0.6)], [said]))
        assert bool(acts) == answered


def test_the_threshold_holds_also_where_it_is_high():
    assert asking(DuplexController(Brain(), DuplexConfig(addressed=0.95)), addressed=0.92) == []
    assert asking(DuplexController(Brain(), DuplexConfig(addressed=0.95)), addressed=0.96)


def test_who_may_not_mean_the_robot_is_answered_if_nobody_else_replies():
    controller = DuplexController(Brain())
    assert asking(controller, addressed=0.45) == []
    assert controller.process(3.1, Heard([silent(3.1, silence=1.1)])) == []
    assert kinds(controller.process(3.3, Heard([silent(3.3, silence=1.3)]))) == [Look, Speak]


def test_who_may_not_mean_the_robot_is_not_answered_if_somebody_else_replies():
    controller = DuplexController(Brain())
    assert asking(controller, addressed=0.45) == []
    controller.process(2.6, Heard([silent(2.6, silence=0.6), talking(2.6, 2, takes=0.3, side=0.6)]))
    for tick in range(1, 40):
        now = 2.6 + tick / 10
        states = [silent(now, silence=0.6 + tick / 10), silent(now, 2, silence=tick / 10, takes=0.3, side=0.6)]
        assert controller.process(now, Heard(states)) == []


def test_people_who_are_gone_are_forgotten_with_their_words():
    controller = DuplexController(Brain())
    for track in range(2, 200):
        now = float(10 * track)
        said = utterance("He never finds it", track, f"u{track}", final=False, addressed=0.1, start=now - 1, end=now)
        controller.process(now, Heard([talking(now, track, takes=0.2, side=0.7)], [said]))
        controller.process(now + 9.0, Heard([silent(now + 9.0, silence=0.5)]))
    assert len(controller._partners) <= 2


def test_a_question_that_is_answered_is_asked_no_more():
    controller = DuplexController(Brain(Ask("Which one?")))
    asking(controller)
    controller.process(3.5, Heard([silent(3.5, silence=1.5)], spoken=spoken("answer_1", "Which one?", "", True)))
    controller.brain = Brain()
    asking(controller, "The red one.", now=5.0, id="u2")
    listener = {"takes": 0.05, "backchannel": 0.9}
    for tick in range(1, 40):
        now = 5.5 + tick / 10
        heard = [utterance("Yeah.", id="u3", start=5.6, end=6.0)] if tick == 8 else []
        told = spoken("answer_2", finished=tick > 20)
        acts = controller.process(now, Heard([silent(now, silence=tick / 10, **listener)], heard, told))
        assert not [act for act in acts if isinstance(act, Speak)]
