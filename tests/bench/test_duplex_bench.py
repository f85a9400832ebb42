import pytest
from hearing_models.floor.material import Sound
from hearing_models.floor.world import Address, Turn

from hearing.bench.duplex import Plan, Results, run_scene
from hearing.bench.duplex_page import FIGURES, GOALS, page_lines
from hearing.bench.duplex_policies import POLICIES, Journal, Speech
from hearing.bench.duplex_score import DuplexScore, interval, score
from hearing.errors import InputError

SAID = Address(True, 0.8, 0.9)
ASIDE = Address(False, 0.1, 0.1)
VOICE = [1.0, 0.1, 0.1, 0.8, -0.3, 0.3]


def sound(kind="command", ticks=12, text="Robot, bring the drill.", pause=0):
    words = text.split()
    rows = [VOICE] * (ticks // 2) + [[0.0] * 6] * pause + [VOICE] * (ticks - ticks // 2)
    times = [(word, round((k + 1) * len(rows) / 10 / len(words), 2)) for k, word in enumerate(words)]
    return Sound(kind, "made", "x", rows, times, [(len(rows) / 10, 0.95)])


SOUNDS = [
    sound(),
    sound(pause=15),
    sound("backchannel", 3, "Mm-hm."),
    sound("barge_in", 8, "No, the other one."),
    sound("side_talk", 15, "He never finds the drill."),
]


def turn(begin, end, kind="request", person=1, parts=()):
    return Turn(person, kind, kind != "side", sound(), SAID, begin, end, list(parts), f"turn{begin:g}")


def judged(turns, *speeches, stops=(), emergencies=()):
    return score(turns, Journal(list(speeches), list(stops), list(emergencies)), 60.0)


def test_the_response_is_counted_from_the_end_of_the_turn():
    found = judged([turn(1.0, 3.0)], Speech(1, 3.4, 6.0, content=3.9))
    assert (found.latencies, found.content) == ((0.4,), (0.9,))
    assert (found.turns, found.cut_ins, found.missed) == (1, 0, 0)


def test_answers_that_come_early_or_never_or_to_somebody_else():
    assert judged([turn(1.0, 3.0)], Speech(1, 2.0, 2.4)).cut_ins == 1
    assert judged([turn(1.0, 3.0)]).missed == 1
    assert judged([turn(1.0, 3.0)], Speech(2, 3.4, 6.0)).missed == 1


def test_who_stops_the_robot_needs_no_answer():
    assert judged([turn(1.0, 3.0)], emergencies=[(3.2, "turn1_0")]).missed == 0
    assert judged([turn(1.0, 3.0)], emergencies=[(3.2, "turn12_0")]).missed == 1


def test_who_waits_for_the_answer_to_somebody_else_is_not_missed():
    found = judged([turn(1.0, 3.0), turn(1.5, 3.2, person=2)], Speech(1, 3.4, 8.0), Speech(2, 9.0, 12.0))
    assert found.missed == 0
    assert found.latencies == (0.4,)


def test_interruptions_stop_it_or_are_talked_over():
    speech = Speech(1, 3.0, 9.0)
    assert judged([turn(5.0, 6.0, "barge_in")], speech, stops=[5.4]).stops == (0.4,)
    assert judged([turn(5.0, 6.0, "barge_in")], speech).talked_over == 1
    assert judged([turn(10.0, 11.0, "barge_in")], speech) == DuplexScore(seconds=60.0)


def test_backchannels_and_side_talk_should_not():
    speech = Speech(1, 3.0, 9.0)
    found = judged([turn(5.0, 5.4, "backchannel"), turn(6.5, 7.0, "side", 2)], speech, stops=[5.5])
    assert (found.backchannels, found.backchannel_stops) == (1, 1)
    assert (found.side_over, found.side_stops, found.side_answered) == (1, 0, 0)
    assert judged([turn(5.0, 6.0, "side", 2)], Speech(2, 6.5, 9.0)).side_answered == 1


def test_emergencies_are_timed_from_the_word():
    parts = [([("Robot,", 1.3, 1.8), ("stop.", 1.6, 2.4)], 2.5)]
    shout = turn(1.0, 1.6, "side", parts=parts)
    found = judged([shout], emergencies=[(2.4, "turn1_0")])
    assert (found.emergency_seen, found.emergency_said) == ((0.0,), (0.8,))
    assert judged([shout]).emergencies_missed == 1


def test_scores_add_up_and_have_intervals():
    scenes = [DuplexScore((0.4,), turns=2, cut_ins=1), DuplexScore((0.6,), turns=2), DuplexScore((0.5,), turns=1)]
    total = sum(scenes, DuplexScore())
    assert total.turns == 5
    low, high = interval(scenes, FIGURES["response, median (s)"][0])
    assert 0.4 <= low <= 0.5 <= high <= 0.6
    assert interval(scenes[:2], FIGURES["cut-ins (%)"][0]) is None


def test_every_policy_goes_through_a_scene_and_the_page_tells():
    plan = Plan(1, 30.0, "dev", 3)
    scene = run_scene(plan, 0, SOUNDS, [SAID, ASIDE])
    again = run_scene(plan, 0, SOUNDS, [SAID, ASIDE])
    assert scene.scores == again.scores
    assert set(scene.scores) == set(POLICIES)
    assert all(found.turns > 0 for found in scene.scores.values())
    text = "\n".join(page_lines(Results(plan, [scene])))
    assert all(name in text for name in (*POLICIES, *FIGURES, *GOALS))


def test_plans_make_sense():
    with pytest.raises(InputError, match="scenes"):
        Plan(0)
