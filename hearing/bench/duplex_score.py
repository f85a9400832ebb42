"""How well turns are taken: counts and delays that can be added up over scenes, and how sure they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import numpy as np

from hearing.bench.duplex_policies import Journal, Speech
from hearing.dialogue.emergency import EmergencyWords

PATIENCE = 4.0
"""Seconds in which a turn has to be answered, after its end or after the answer to somebody else."""
STOPPED_AFTER = 1.0
"""Seconds after the end of a backchannel or of side talk in which a stop is counted as made for it."""
GIVEN_UP = 3.0
"""Seconds after which an interruption that did not stop the robot counts as one that it talked over."""
PAUSE = 0.4
"""Seconds of silence within a turn that count as a pause."""
RESAMPLES = 400
_TICK = 0.1


@dataclass(frozen=True, slots=True)
class DuplexScore:
    """What happened. Delays in seconds.

    Attributes
    ----------
    latencies, content
        From the end of a turn to the robot's first sound, and to the first word after openers and names; of turns that
        did not have to wait for the answer to somebody else.
    turns, cut_ins, missed
        Turns that were said to the robot; those in which it began to answer before they were over; those it neither
        answered nor stopped for.
    paused, paused_cut_ins
        Those turns that have a pause within, and the cut-ins into them.
    stops, talked_over
        From the beginning of an interruption until the robot was silent, and interruptions that it talked over.
    backchannels, backchannel_stops
        Those of listeners while the robot spoke, and those that it fell silent for.
    side, side_answered, side_over, side_stops
        Turns said to somebody else, and those that it answered; those during its speech, and those that it stopped for.
    emergency_seen, emergency_said
        From the moment at which the word was shown, and from its end, until the robot acted.
    emergencies, emergencies_missed
        Emergency words in what was said, and those it did not act on.
    seconds, spoken
        Of the scene, and seconds in which the robot spoke.
    ghosts, unprovoked_stops
        Utterances that were heard, and times that it fell silent, though nobody had said anything; in rooms.
    """

    latencies: tuple[float, ...] = ()
    content: tuple[float, ...] = ()
    turns: int = 0
    cut_ins: int = 0
    missed: int = 0
    paused: int = 0
    paused_cut_ins: int = 0
    stops: tuple[float, ...] = ()
    talked_over: int = 0
    backchannels: int = 0
    backchannel_stops: int = 0
    side: int = 0
    side_answered: int = 0
    side_over: int = 0
    side_stops: int = 0
    emergency_seen: tuple[float, ...] = ()
    emergency_said: tuple[float, ...] = ()
    emergencies: int = 0
    emergencies_missed: int = 0
    seconds: float = 0.0
    spoken: float = 0.0
    ghosts: int = 0
    unprovoked_stops: int = 0

    def __add__(self, other: DuplexScore) -> DuplexScore:
        """Combine two scenes."""
        names = [entry.name for entry in fields(self)]
        return DuplexScore(**{name: getattr(self, name) + getattr(other, name) for name in names})


class Said(Protocol):
    """What somebody said, see `hearing_models.floor.world.Turn`."""

    @property
    def person(self) -> int:
        """Who."""

    @property
    def kind(self) -> str:
        """`request`, `barge_in`, `backchannel`, `side`, or `halt`: an emergency word."""

    @property
    def to_robot(self) -> bool:
        """Whether it was said to the robot."""

    @property
    def begin(self) -> float:
        """When, in seconds."""

    @property
    def end(self) -> float:
        """Until when."""

    @property
    def longest_pause(self) -> float:
        """Seconds of the longest silence within."""

    @property
    def name(self) -> str:
        """What utterances of it begin with."""

    @property
    def parts(self) -> Sequence[Any]:
        """Words, and when they are shown; none in rooms."""


@dataclass(slots=True)
class Scene:
    """A scene and what every policy made of it; people react, so that each has turns of its own."""

    name: str
    people: int
    turns: dict[str, list[Said]] = field(default_factory=dict)
    journals: dict[str, Journal] = field(default_factory=dict)
    scores: dict[str, DuplexScore] = field(default_factory=dict)


Figure = Callable[[DuplexScore], float | None]


def score(turns: Sequence[Said], journal: Journal, seconds: float) -> DuplexScore:
    """Judge what a policy did in one scene.

    Parameters
    ----------
    turns
        What people said.
    journal
        What the robot did.
    seconds
        Length of the scene; turns that end within `PATIENCE` before its end don't count.
    """
    done = [turn for turn in turns if turn.end + PATIENCE <= seconds]
    speeches = [speech for speech in journal.speeches if np.isfinite(speech.begin)]
    total = DuplexScore(seconds=seconds)
    for turn in done:
        if turn.kind == "request":
            total += _request(turn, speeches, any(_is_of(turn, name) for _, name in journal.emergencies))
        elif turn.kind == "barge_in":
            total += _interruption(turn, speeches, journal.stops)
        elif turn.kind == "backchannel" and _sounding(speeches, turn.begin):
            stopped = _stopped(turn, journal.stops)
            total += DuplexScore(backchannels=1, backchannel_stops=int(stopped))
        elif turn.kind == "side":
            total += _side(turn, turns, speeches, journal.stops)
        elif turn.kind == "halt":
            total += _halt(turn, journal)
    return total + _emergencies(done, journal)


def interval(scenes: Sequence[DuplexScore], figure: Figure) -> tuple[float, float] | None:
    """Bootstrap over scenes: where 95 % of a figure lie if they are drawn anew (Efron & Tibshirani 1993, ch. 13)."""
    if len(scenes) < 3:
        return None
    rng = np.random.default_rng(0)
    drawn = (rng.integers(len(scenes), size=len(scenes)).tolist() for _ in range(RESAMPLES))
    values = [figure(sum((scenes[i] for i in chosen), DuplexScore())) for chosen in drawn]
    known = [value for value in values if value is not None]
    if not known:
        return None
    low, high = np.percentile(known, (2.5, 97.5))
    return float(low), float(high)


def _request(turn: Said, speeches: Sequence[Speech], stopped: bool) -> DuplexScore:
    own = [speech for speech in speeches if speech.to == turn.person and speech.end > turn.begin]
    early = any(turn.begin < speech.begin < turn.end for speech in own)
    deadline = turn.end + PATIENCE
    for speech in speeches:
        if speech.to != turn.person and turn.end - PATIENCE < speech.begin < deadline:
            deadline = max(deadline, speech.end + PATIENCE)
    answer = next((speech for speech in own if turn.end <= speech.begin + 1e-6 <= deadline), None)
    missed = answer is None and not stopped and not any(speech.begin < turn.end < speech.end - 1.0 for speech in own)
    latencies: tuple[float, ...] = ()
    content: tuple[float, ...] = ()
    waited = any(each.to != turn.person and turn.end < each.end and each.begin < turn.end + 1.0 for each in speeches)
    if answer is not None and not early and not waited:
        latencies = (round(answer.begin - turn.end, 2),)
        content = () if answer.content is None else (round(answer.content - turn.end, 2),)
    paused = turn.longest_pause >= PAUSE
    return DuplexScore(
        latencies, content, 1, int(early), int(missed), paused=int(paused), paused_cut_ins=int(paused and early)
    )


def _interruption(turn: Said, speeches: Sequence[Speech], stops: Sequence[float]) -> DuplexScore:
    if not _sounding(speeches, turn.begin):
        return DuplexScore()
    stop = next((when for when in stops if when >= turn.begin), None)
    if stop is not None and stop - turn.begin <= GIVEN_UP:
        return DuplexScore(stops=(round(stop - turn.begin, 2),))
    went_on = any(speech.begin <= turn.begin and speech.end > turn.begin + GIVEN_UP for speech in speeches)
    return DuplexScore(talked_over=int(went_on))


def _side(turn: Said, turns: Sequence[Said], speeches: Sequence[Speech], stops: Sequence[float]) -> DuplexScore:
    asked = any(
        other.person == turn.person and other.to_robot and other.end > turn.begin - PATIENCE - 6.0
        and other.begin < turn.end + PATIENCE
        for other in turns
    )  # fmt: skip
    answered = any(s.to == turn.person and turn.begin < s.begin < turn.end + PATIENCE for s in speeches) and not asked
    over = _sounding(speeches, turn.begin)
    return DuplexScore(
        side=1, side_answered=int(answered), side_over=int(over), side_stops=int(over and _stopped(turn, stops))
    )


def _halt(turn: Said, journal: Journal) -> DuplexScore:
    """Judge what was done about an emergency word of which it is known when it was said, not when it was shown."""
    when = next((t for t, _ in journal.emergencies if turn.begin < t < turn.end + GIVEN_UP), None)
    if when is None:
        return DuplexScore(emergencies=1, emergencies_missed=1)
    return DuplexScore(emergencies=1, emergency_said=(round(when - turn.end, 2),))


def _emergencies(turns: Sequence[Said], journal: Journal) -> DuplexScore:
    words = EmergencyWords()
    acted = dict(reversed([(name, when) for when, name in journal.emergencies]))
    total = DuplexScore()
    for turn in turns:
        for shown, _ in turn.parts:
            at = next((k for k in range(len(shown)) if words.find(" ".join(w for w, *_ in shown[: k + 1]))), None)
            if at is None:
                continue
            # The policy sees words in the order in which they are shown.
            when = next((t for name, t in acted.items() if _is_of(turn, name)), None)
            if when is None:
                total += DuplexScore(emergencies=1, emergencies_missed=1)
                continue
            _, end, seen = shown[at]
            total += DuplexScore(
                emergencies=1, emergency_seen=(round(when - seen, 2),), emergency_said=(round(when - end, 2),)
            )
    return total


def _is_of(turn: Said, name: str) -> bool:
    """Whether an utterance of that name is a part of a turn."""
    return name == turn.name or name.startswith(f"{turn.name}_")


def _sounding(speeches: Sequence[Speech], when: float) -> bool:
    return any(speech.begin < when - _TICK and speech.end > when + 3 * _TICK for speech in speeches)


def _stopped(turn: Said, stops: Sequence[float]) -> bool:
    return any(turn.begin < when <= turn.end + STOPPED_AFTER for when in stops)
