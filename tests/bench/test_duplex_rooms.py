"""Turn-taking in rooms, with stand-ins for what costs time: the room's acoustics, the voices, the pipeline."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from hearing.bench import duplex_rooms
from hearing.bench.duplex import Plan, Results
from hearing.bench.duplex_live import BLOCK, Part, _parsed, directions_of, take_part
from hearing.bench.duplex_page import IN_ROOMS, page_lines
from hearing.bench.duplex_policies import POLICIES, Journal, Speech
from hearing.bench.duplex_rooms import ROBOT_DELAY, ROOMS, LiveCompany, LiveTurn, RoomPlan, Voice
from hearing.bench.duplex_score import DuplexScore, Scene, score
from hearing.bench.self_hearing import SelfHeard
from hearing.dialogue.acts import Pause, Speak
from hearing.dialogue.converse import Exchange
from hearing.types import SAMPLE_RATE, AudioBlock, CueConfidence, HearingOutput, Utterance, Word

PLAN = replace(ROOMS[0], exchanges=("ask", "hum", "cut in", "halt", "side", "both", "think"))


class Room:
    """A room in which nothing sounds."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.position = 0
        self.said: list[tuple[str, str]] = []

    @property
    def now(self) -> float:
        return self.position / SAMPLE_RATE

    def say(self, name: str, samples: Any, to: str) -> None:
        self.said.append((name, to))

    def process(self, playback: Any) -> AudioBlock:
        begin, self.position = self.position, self.position + len(playback)
        return AudioBlock(np.zeros((len(playback), 6), np.float32), begin)


class Robot:
    """Answers for two seconds, two seconds after it was silent, and hears itself once."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.blocks = 0

    def process(self, block: AudioBlock) -> Exchange:
        self.blocks += 1
        turn, at = divmod(self.blocks, 62)
        acts: list[Any] = []
        if at == 31:
            acts.append(Speak(f"answer_{turn}", "I will.", "x", 1, directions_of(PLAN)[1]))
        if at == 50 and turn == 0:
            acts.append(Pause("answer_0"))
        heard = HearingOutput()
        if self.blocks == 4:
            words = (Word("echo", 0.1, 0.2, 0.5, 0.2),)
            echo = Utterance("u", 0, True, "?", 1, words, 0.1, 0.2, directions_of(PLAN)[0], CueConfidence(0.5), 0.5)
            heard = HearingOutput(utterances=(echo,))
        samples = np.full(BLOCK, 0.1 * (at >= 31), np.float32)
        return Exchange(heard, tuple(acts), samples)


@pytest.fixture(autouse=True)
def _beeps(monkeypatch: pytest.MonkeyPatch) -> None:
    def voice(text: str, pitch: float, pause: float) -> Voice:
        return Voice(np.ones(SAMPLE_RATE), 1600, 14400, pause)

    monkeypatch.setattr(duplex_rooms, "_voice", voice)


def company(plan: RoomPlan = PLAN, seed: int = 1, speaks: int = 60) -> list[LiveTurn]:
    room = Room()
    people = LiveCompany(plan, room, np.random.default_rng(seed))  # type: ignore[arg-type]
    for number in range(6000):
        if not people.step(number % 120 > speaks):
            break
        room.process(np.zeros(BLOCK, np.float32))
    assert len(room.said) == len(people.turns)
    return people.turns


def test_everything_that_is_planned_happens() -> None:
    turns = company()
    assert {turn.kind for turn in turns} == {"request", "backchannel", "barge_in", "halt", "side"}
    assert [turn for turn in turns if turn.longest_pause]
    assert all(turn.to_robot == (turn.kind != "side") for turn in turns)
    for person in (1, 2):
        own = [turn for turn in turns if turn.person == person]
        assert all(before.end <= after.begin for before, after in itertools.pairwise(own))


def test_nobody_interrupts_a_silent_robot_and_the_seed_decides() -> None:
    assert {turn.kind for turn in company(speaks=1000)} == {"request", "side"}
    assert company() == company()
    assert [turn.text for turn in company()] != [turn.text for turn in company(seed=2)]


def test_a_part_is_noted_judged_and_read_again() -> None:
    part = take_part(PLAN, Room(), Robot(), np.random.default_rng(1), "1/0", "duplex")  # type: ignore[arg-type]
    first = part.journal.speeches[0]
    assert first.to == 2
    assert first.begin == pytest.approx(31 * BLOCK / SAMPLE_RATE + ROBOT_DELAY)
    assert part.journal.stops == [pytest.approx(50 * BLOCK / SAMPLE_RATE + ROBOT_DELAY)]
    assert part.score.ghosts == 1
    assert 0 < part.score.spoken < part.score.seconds
    assert _parsed(json.loads(json.dumps(asdict(part)))) == part


def test_shouts_are_timed_from_their_end() -> None:
    shout = LiveTurn(1, "halt", True, "Stop!", 5.0, 5.4, 0.0)
    assert score([shout], Journal(emergencies=[(5.7, "u1")]), 20.0).emergency_said == (0.3,)
    assert score([shout], Journal(), 20.0).emergencies_missed == 1


def test_the_page_tells_of_rooms_and_of_hearing_itself() -> None:
    found = DuplexScore((0.5,), turns=1, seconds=30.0, spoken=10.0, ghosts=1)
    turns, journal = [LiveTurn(1, "request", True, "Go.", 1.0, 2.0, 0.0)], Journal([Speech(1, 2.5, 4.0)])
    scene = Scene("office", 2, *(dict.fromkeys(POLICIES, each) for each in (turns, journal, found)))
    results = Results(Plan(1, 30.0), [scene], [scene], {0.7: [found]}, {"its own": SelfHeard(60.0, 30.0, 1, 2, 1, 0)})
    text = "\n".join(page_lines(results))
    assert all(name in text for name in (*IN_ROOMS, "office", "its own", "360.0", "When to stop"))


def test_people_stand_where_the_robot_would_look() -> None:
    for plan in ROOMS:
        azimuths = [direction.azimuth for direction in directions_of(plan)]
        assert len(azimuths) == plan.people
        assert min(abs(a - b) for a in azimuths for b in azimuths if a != b) > 0.8


def test_parts_of_a_part_are_what_they_were() -> None:
    part = Part("1/0", "duplex", [LiveTurn(1, "request", True, "Go.", 1.0, 2.0, 0.0)], Journal(), DuplexScore((0.4,)))
    assert _parsed(json.loads(json.dumps(asdict(part)))) == part
