"""What `hearing bench spotting` counts and writes, from made-up trials."""

from __future__ import annotations

from pathlib import Path

import pytest
from hearing_models.recognizer.calls import call_of

from hearing.bench.spotting import Judgement, Trial
from hearing.bench.spotting_page import rate, share, write_spotting_page
from hearing.bench.spotting_scenes import KINDS, Alarm, make_scene


def judged(time: float, margin: float, word: str = "stop", before: str = "") -> Judgement:
    return Judgement(time, word, margin, time - 0.5, time - 0.1, before)


def test_a_word_counts_once_each_time_it_is_said() -> None:
    trial = Trial("calls", "beam", 8.0, 6.0, (judged(1.0, 0.5), judged(1.1, 2.0), judged(1.2, 1.0), judged(4.0, 0.1)))
    assert [one.time for one in trial.found()] == [1.0, 4.0]
    assert [one.time for one in trial.found(0.8)] == [1.1]
    assert trial.found(3.0) == []


def test_mentions_are_spotted_but_no_commands() -> None:
    trial = Trial("calls", "beam", 8.0, 3.0, (judged(1.0, 1.0, before="The bus"),), call_of("Don't stop."))
    assert trial.found()
    assert not trial.commands()


def test_the_page_says_what_was_measured(tmp_path: Path) -> None:
    right = Trial("calls", "beam", 15.0, 2.0, (judged(1.2, 1.0),), call_of("Stop!"), 1.0)
    missed = Trial("calls", "microphone", 15.0, 2.0, (judged(1.2, -1.0),), call_of("Stop!"), 1.0)
    speech = Trial("speech", "microphone", 2.0, 3600.0, (judged(9.0, 1.0),))
    alarms = [Alarm(KINDS[0], "Stop!", 0.2, 0.9), Alarm(KINDS[1], "Halt!", None, 0.8)]
    write_spotting_page([right, missed, speech, Trial("machines", "beam", 0.0, 60.0, ())], alarms, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert "| stop | 50 % (9-91) of 2 |" in page
    assert "0.20 / 0.20 of 1" in page
    assert "| other speech | 60 | 1.0 (0.0-5.6) | 1.0 (0.0-5.6) |" in page
    assert "| -1 | 0 % (0-66) of 2 |" in page


def test_intervals() -> None:
    assert share(0, 0) == "-"
    assert share(5, 50) == "10 % (4-21) of 50"
    assert rate(0, 1.0).startswith("0.0 (0.0-3.7")
    assert rate(3, 0.0) == "-"


@pytest.mark.parametrize("index", range(4))
def test_scenes_hold_a_call(index: int) -> None:
    kind, call, scene = make_scene(index, 1)
    assert kind == KINDS[index]
    assert scene.turns[-1].text == call
    assert make_scene(index, 1)[2] == scene
