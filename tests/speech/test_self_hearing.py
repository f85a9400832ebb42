from __future__ import annotations

import numpy as np
import pytest

from hearing.speech import SaidWord, SelfHearing, self_heard
from hearing.types import CueConfidence, Direction, SpottedWord, Utterance, Word

TEXT = "Okay, I will bring the red box to bay five. Please stop the press before I come."
EVERY = 0.35


def said(text: str = TEXT, start: float = 10.0) -> list[SaidWord]:
    return [SaidWord(word, start + EVERY * k, start + EVERY * k + 0.3, True) for k, word in enumerate(text.split())]


def heard(text: str, start: float, every: float = EVERY, jitter: float = 0.0) -> list[Word]:
    shifts = np.random.default_rng(0).uniform(-jitter, jitter, len(text.split()))
    times = [start + every * k + shift for k, shift in enumerate(shifts)]
    return [Word(word, time, time + 0.3, 0.9, time) for word, time in zip(text.split(), times, strict=True)]


def at(word: str) -> float:
    """Return when the robot says a word."""
    return next(entry.start_time for entry in said() if entry.text.strip(",.") == word)


@pytest.mark.parametrize("delay", [-0.1, 0.0, 0.2, 0.4])
@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("i will bring the red box to bay five", "I"),
        ("I will bring the red fox to pay 5.", "I"),  # misheard
        ("bring red box bay", "bring"),  # words are missing: times no longer fit all of it
        ("please stop the press", "Please"),
        ("red box", "red"),
    ],
)
def test_an_echo_is_known(text: str, first: str, delay: float) -> None:
    words = text.split()
    spoken = {entry.text.strip(",.").lower(): entry.start_time for entry in said()}
    start = at(first) + delay
    times = [spoken.get(word.strip(".").lower(), start + EVERY * k - delay) + delay for k, word in enumerate(words)]
    echo = [Word(word, time, time + 0.3, 0.9, time) for word, time in zip(words, times, strict=True)]
    assert self_heard(echo, said())


@pytest.mark.parametrize("delay", [-0.1, 0.0, 0.25])
def test_an_echo_of_one_short_word_is_known_while_it_sounds(delay: float) -> None:
    assert self_heard(heard("stop", at("stop") + delay), said())
    assert not self_heard(heard("stop", at("stop") + 0.5), said())


def test_recognizers_time_words_inexactly() -> None:
    assert self_heard(heard("i will bring the red box to bay five", at("I") + 0.15, jitter=0.12), said())


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("bay five", at("bay") + 1.0),  # somebody repeats it a second later
        ("stop", at("stop") + 1.0),
        ("the red box", at("the") + 1.2),
        ("stop", at("bring")),  # somebody stops the robot while it says something else
        ("robot stop stop", at("red")),
        ("is it in bay four or bay five", at("red")),
        ("no i need the blue crate", at("bring")),
        ("mm hm", at("bay")),
        ("please bring the other pallet", at("box")),
        ("bay five", 300.0),
    ],
)
def test_people_are_not_taken_for_the_robot(text: str, start: float) -> None:
    assert not self_heard(heard(text, start), said())


def test_somebody_who_talks_over_one_word_of_the_robot_is_heard() -> None:
    words = heard("stop right there robot", at("stop"))
    assert not self_heard(words, said())


@pytest.mark.parametrize(("words", "spoken"), [([], said()), (heard("stop", 10), []), (heard("...", 10), said())])
def test_without_words_there_is_no_echo(words: list[Word], spoken: list[SaidWord]) -> None:
    assert not self_heard(words, spoken)


def spoken_utterance(text: str, start: float, revision: int = 0, final: bool = True, id: str = "u") -> Utterance:
    words = tuple(heard(text, start))
    end = max((word.end_time for word in words), default=start)
    return Utterance(id, revision, final, "unknown", 1, words, start, end, Direction(0.0), CueConfidence(0.9), 0.5)


def test_an_echo_is_never_shown_also_when_it_is_recognized_after_the_answer() -> None:
    own = SelfHearing()
    own.process((), said())
    assert own.process([spoken_utterance("i will bring the red box", at("I") + 0.1)]) == ()


def test_what_turns_out_to_be_an_echo_is_taken_back() -> None:
    own = SelfHearing()
    person = spoken_utterance("somebody", at("I"), final=False)
    assert own.process([person], said()) == (person,)
    taken_back = own.process([spoken_utterance("i will bring the red", at("I"), 1)], said())
    assert [(each.id, each.revision, each.words) for each in taken_back] == [("u", 1, ())]
    assert own.process([spoken_utterance("i will bring the red box", at("I"), 2)], said()) == ()


def test_people_pass_and_old_words_are_forgotten() -> None:
    own = SelfHearing()
    person = spoken_utterance("bring the red box to bay nine", 25.0)
    assert own.process([person], said()) == (person,)
    own.process((), said(start=100.0))
    late = spoken_utterance("i will bring the red box", at("I"))
    assert own.process([late]) == (late,)
    own.reset()
    assert own.process([late], ()) == (late,)


def test_what_was_passed_on_long_ago_is_not_taken_back() -> None:
    own = SelfHearing()
    early = spoken_utterance("somebody", at("I"), final=False)
    own.process([early])
    for number in range(100):
        own.process([spoken_utterance("somebody", 20.0 + number, id=f"u{number}")])
    own.process((), said())
    assert own.process([spoken_utterance("i will bring the red", at("I"), 1)]) == ()


@pytest.mark.parametrize(
    ("start", "its_own"), [(at("stop"), True), (at("stop") + 0.2, True), (at("stop") + 1.5, False)]
)
def test_a_word_that_is_spotted_in_its_own_speech_is_nobodys(start: float, its_own: bool) -> None:
    own = SelfHearing()
    own.process((), said())
    spotted = SpottedWord("stop", "u", 1, start, start + 0.3, start + 0.4, 0.9)
    assert own.others([spotted]) == (() if its_own else (spotted,))
