"""A made-up company around a robot, tick by tick, that reacts to when the robot speaks.

People ask the robot for things, think in the middle of it, correct themselves, say "mm-hm" while it answers, interrupt
it, talk to each other, or ask at the same time as somebody else. The robot's side is whoever steps the world: a policy
to be judged, or an ideal one to train on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from hearing_models.floor.material import Sound

from hearing.dialogue.emergency import WORDS
from hearing.dialogue.floor import PERIOD, PersonNow
from hearing.dialogue.prosody import SILENCE, Prosody
from hearing.types import CueConfidence, Direction, SpottedWord, Utterance, Word

Rng = np.random.Generator
ENDPOINT = 0.8
"""Seconds of silence that end an utterance."""
PARTIAL_DELAY = ((0.05, 0.25, 0.5, 0.75, 0.9, 1.0), (0.05, 0.24, 0.47, 0.85, 1.23, 2.5))
FINAL_DELAY = ((0.05, 0.25, 0.5, 0.75, 0.9, 1.0), (0.75, 0.80, 0.84, 0.88, 0.91, 1.2))
"""Shares and seconds: from the end of a word until it was shown and stayed, and from the end of an utterance until its
words were final; of 232 words and 37 utterances, as the pipeline heard them in simulated rooms with machines."""
SPOTTED, SPOTTING_DELAY = 0.73, ((0.5, 0.9), (0.04, 0.18))
"""Share of emergency words that are spotted before any text has them; shares and seconds from their end until then. As
`hearing bench spotting` measured in simulated rooms."""
ONSET = 0.1
"""Seconds by which the beginning of a voice is seen late: in simulated rooms with machines it took 0.22 s in the median
until a tick of 0.1 s had voice, and 0.12 s after its end until one had none, of 38 turns."""
PATIENCE = 4.0
"""Seconds after which somebody gives up on an answer."""
THINKS, LONG = 0.25, 0.4
"""Share of turns with a pause within, and seconds that it lasts at least; nobody measured it, places differ."""
FULL_STOPS = 0.6, 0.8
"""Share of utterances that are written with a full stop at their end: within turns, and at their ends. Assumed."""
_MISHEARD = 0.1
_AROUND = 0.3


@dataclass(frozen=True, slots=True)
class Address:
    """How likely an utterance seems to be said to the robot, and whether the camera sees the speaker look at it."""

    to_robot: bool
    facing: float | None
    probability: float


@dataclass(slots=True)
class Turn:
    """Something that somebody says.

    Attributes
    ----------
    person
        From 1 on; also the track.
    kind
        `request`, `barge_in`, `backchannel` or `side`.
    to_robot
        Whether it is said to the robot.
    sound, address
        What it sounds like, and to whom it seems to be said.
    begin, end
        Seconds of stream time.
    parts
        Its utterances: words with their times and those at which they are shown, and when the words are final.
    name
        What the ids of its utterances begin with, before `_`.
    spotted
        Emergency words in it that are heard before they are shown.
    """

    person: int
    kind: str
    to_robot: bool
    sound: Sound
    address: Address
    begin: float
    end: float
    parts: list[tuple[list[tuple[str, float, float]], float]] = field(default_factory=list)
    name: str = ""
    spotted: list[SpottedWord] = field(default_factory=list)

    @property
    def longest_pause(self) -> float:
        """Seconds of the longest silence within."""
        return self.sound.longest_pause

    @property
    def text(self) -> str:
        """All that is said."""
        return " ".join(word for word, _ in self.sound.words)


@dataclass(frozen=True, slots=True)
class Noticed:
    """What the robot notices in a tick: of everybody by track, new or revised utterances, and spotted words."""

    now: float
    people: dict[int, PersonNow]
    utterances: tuple[Utterance, ...]
    spotted: tuple[SpottedWord, ...] = ()


class World:
    """People around a robot.

    Parameters
    ----------
    sounds
        What they may say.
    addresses
        How likely it may seem that something is said to the robot.
    rng
        Of everything random.
    people
        How many.
    """

    def __init__(self, sounds: Sequence[Sound], addresses: Sequence[Address], rng: Rng, people: int) -> None:
        self._rng, self.people = rng, people
        self._sounds = {kind: [each for each in sounds if each.kind == kind] for kind in {s.kind for s in sounds}}
        self._addresses = {
            to_robot: [each for each in addresses if each.to_robot == to_robot] for to_robot in (True, False)
        }
        self.turns: list[Turn] = []
        self.now = 0.0
        self._tick = 0
        self._robot = self._robot_began = False
        self._shown: dict[tuple[int, int], tuple[int, int, bool]] = {}
        self._script = self._conversation()

    def step(self, robot_speaks: bool) -> Noticed:
        """Let a tenth of a second pass, in which the robot speaks or not."""
        self._robot_began, self._robot = robot_speaks and not self._robot, robot_speaks
        self._tick += 1
        self.now = round(self._tick * PERIOD, 1)
        next(self._script)
        people = {person: self._of(person) for person in range(1, self.people + 1)}
        voices = {person: found.prosody.voice for person, found in people.items()}
        people = {
            person: PersonNow(
                found.prosody, max((v for other, v in voices.items() if other != person), default=0.0), found.text,
                found.text_end, found.final, found.facing, found.addressed, found.sounds_over,
            )
            for person, found in people.items()
        }  # fmt: skip
        spotted = [word for turn in self.turns for word in turn.spotted]
        new = tuple(word for word in spotted if self.now - PERIOD + 1e-6 < word.emitted <= self.now + 1e-6)
        return Noticed(self.now, people, tuple(self._utterances()), new)

    def _conversation(self) -> Iterator[None]:
        while True:
            yield from self._wait(self._rng.uniform(0.5, 3.0))
            kinds = ("request", "side", "both") if self.people > 1 else ("request",)
            shares = (0.6, 0.3, 0.1) if self.people > 1 else (1.0,)
            kind = str(self._rng.choice(kinds, p=shares))
            if kind == "side":
                yield from self._side_talk()
            elif kind == "both":
                first, second = self._rng.permutation(self.people)[:2] + 1
                one = self._say(first, "request")
                other = self._say(second, "request", self._rng.uniform(0.0, 1.0))
                yield from self._until(lambda: self._robot, max(one.end, other.end) - self.now + PATIENCE)
                yield from self._until(lambda: not self._robot, 8.0)
                yield from self._until(lambda: self._robot, PATIENCE)
                yield from self._until(lambda: not self._robot, 8.0)
            else:
                yield from self._request(int(self._rng.integers(self.people)) + 1)

    def _request(self, person: int) -> Iterator[None]:
        turn = self._say(person, "request")
        yield from self._until(lambda: self.now >= turn.end, 30.0)
        yield from self._until(lambda: self._robot, PATIENCE)
        if not self._robot:
            return
        yield from self._until(lambda: not self._robot, self._rng.uniform(0.5, 2.5))
        chance = self._rng.uniform()
        if self._robot and chance < 0.35:
            turn = self._say(int(self._rng.integers(self.people)) + 1 if chance < 0.08 else person, "barge_in")
            yield from self._until(lambda: self.now >= turn.end, 30.0)
        elif self._robot and chance < 0.7:
            turn = self._say(int(self._rng.integers(self.people)) + 1, "backchannel")
            yield from self._until(lambda: self.now >= turn.end, 30.0)
        elif self._robot and chance < 0.8 and self.people > 1:
            yield from self._side_talk(person)
        yield from self._until(lambda: not self._robot, 8.0)
        if chance > 0.9:
            yield from self._wait(self._rng.uniform(0.2, 0.8))
            turn = self._say(person, "request")
            yield from self._until(lambda: self.now >= turn.end + PATIENCE or (self._robot and self.now > turn.end), 30)
            yield from self._until(lambda: not self._robot, 8.0)

    def _side_talk(self, listener: int | None = None) -> Iterator[None]:
        speakers = [person for person in self._rng.permutation(self.people) + 1 if person != listener]
        for at in range(int(self._rng.integers(1, 4))):
            brief = at > 0 and self._rng.uniform() < 0.4
            turn = self._say(int(speakers[at % len(speakers)]), "backchannel" if brief else "side", to_robot=False)
            yield from self._wait(max(turn.end - self.now + self._rng.uniform(-0.2, 1.0), 0.0))
        yield from self._until(lambda: not self._robot, 8.0)

    def _wait(self, seconds: float) -> Iterator[None]:
        for _ in range(round(seconds / PERIOD)):
            yield

    def _until(self, happens: Callable[[], bool], most: float) -> Iterator[None]:
        for _ in range(round(most / PERIOD)):
            if happens():
                return
            yield

    def _say(self, person: int, kind: str, delay: float = 0.0, to_robot: bool = True) -> Turn:
        rng = self._rng
        sources = {"request": ("command", "any", "correction"), "side": ("side_talk", "any"), "barge_in": ("barge_in",)}
        choices = [name for name in sources.get(kind, (kind,)) if name in self._sounds]
        weights = np.array([len(self._sounds[name]) for name in choices], float)
        sounds = self._sounds[str(rng.choice(choices, p=weights / weights.sum()))]
        thinks = rng.uniform() < THINKS
        sounds = [each for each in sounds if (each.longest_pause >= LONG) == thinks] or sounds
        if kind == "backchannel":
            to_robot = to_robot and bool(rng.uniform() < 0.5)
        addresses = self._addresses[to_robot]
        busy = max((turn.end for turn in self.turns if turn.person == person), default=0.0)
        begin = max(round(self.now + delay, 1), round(busy + 0.3, 1))
        sound = sounds[int(rng.integers(len(sounds)))]
        end = round(begin + sound.length * PERIOD, 1)
        turn = Turn(person, kind, to_robot, sound, addresses[int(rng.integers(len(addresses)))], begin, end)
        turn.name = f"turn{len(self.turns)}"
        turn.parts = self._parts(turn)
        turn.spotted = list(self._spotted(turn))
        self.turns.append(turn)
        return turn

    def _parts(self, turn: Turn) -> list[tuple[list[tuple[str, float, float]], float]]:
        """Cut a turn's words into utterances where it pauses, and draw when they are shown."""
        pauses = _long_pauses(turn.sound)
        parts = []
        for number in range(len(pauses) + 1):
            first = pauses[number - 1] if number else -1.0
            last = pauses[number] if number < len(pauses) else np.inf
            words = [(word, turn.begin + end) for word, end in turn.sound.words if first + 0.05 < end <= last + 0.05]
            if not words:
                continue
            # Recognizers put a full stop where an utterance ends, whether the sentence does or not.
            ends = self._rng.uniform() < (FULL_STOPS[1] if number == len(pauses) else FULL_STOPS[0])
            words[-1] = (words[-1][0].rstrip(".,?!") + "." * ends, words[-1][1])
            final = min(words[-1][1], turn.end) + max(float(np.interp(self._rng.uniform(), *FINAL_DELAY)), 0.4)
            shown, latest = [], 0.0
            for word, end in words:
                late = self._rng.uniform() < _MISHEARD
                latest = max(latest, end + float(np.interp(self._rng.uniform(), *PARTIAL_DELAY)))
                shown.append((word, end, final if late else min(latest, final)))
            parts.append((shown, final))
        return parts

    def _spotted(self, turn: Turn) -> Iterator[SpottedWord]:
        """Draw which emergency words of a turn are heard before they are shown, and when."""
        for number, (words, _) in enumerate(turn.parts):
            for at, (text, end, _) in enumerate(words):
                word = text.lower().strip(",.?!")
                if word not in WORDS or self._rng.uniform() >= SPOTTED:
                    continue
                known = end + float(np.interp(self._rng.uniform(), *SPOTTING_DELAY))
                before = " ".join(word for word, *_ in words[:at])
                name = f"{turn.name}_{number}"
                yield SpottedWord(word, name, turn.person, max(end - 0.25, 0.0), end, known, 0.9, before)

    def _of(self, person: int) -> PersonNow:
        turn = next((turn for turn in reversed(self.turns) if turn.person == person and turn.begin <= self.now), None)
        if turn is None:
            return PersonNow(addressed=_AROUND)
        at = round((self.now - turn.begin) / PERIOD) - 1
        prosody = Prosody(*turn.sound.prosody[at]) if round(ONSET / PERIOD) <= at < turn.sound.length else SILENCE
        heard = self.now - turn.begin
        over = next((value for when, value in turn.sound.sounds_over if 0 <= heard - when - 0.2 < PERIOD - 1e-6), None)
        words = [(word, end, shown) for part, _ in turn.parts for word, end, shown in part if shown <= self.now]
        # As far as words are shown: an utterance also ends in a long pause within a turn.
        begun = [when for part, when in turn.parts if any(shown <= self.now for _, _, shown in part)]
        final = bool(begun) and max(begun) <= self.now
        fresh = self.now - turn.end < 6.0
        guess = turn.address.probability if words else _AROUND + 0.5 * (turn.address.probability - 0.5)
        return PersonNow(
            prosody, 0.0, " ".join(word for word, *_ in words) if fresh else "",
            max((end for _, end, _ in words), default=0.0), final and fresh, turn.address.facing,
            guess if fresh else _AROUND, over,
        )  # fmt: skip

    def _utterances(self) -> Iterator[Utterance]:
        for number, turn in enumerate(self.turns):
            for at, (words, final_at) in enumerate(turn.parts):
                seen = [entry for entry in words if entry[2] <= self.now]
                final = final_at <= self.now
                revision, before, closed = self._shown.get((number, at), (0, 0, False))
                if closed or (len(seen) == before and not final) or not seen:
                    continue
                self._shown[number, at] = (revision + 1, len(seen), final)
                yield Utterance(
                    f"{turn.name}_{at}", revision, final, f"Person{turn.person}", turn.person,
                    tuple(Word(word, max(end - 0.25, 0.0), end, 0.9, shown) for word, end, shown in seen),
                    turn.begin, seen[-1][1], Direction(float(turn.person)), CueConfidence(0.9),
                    turn.address.probability,
                )  # fmt: skip


def _long_pauses(sound: Sound) -> list[float]:
    """List when the pauses that end utterances begin, in seconds from the sound's start."""
    voice = np.array([row[0] > 0.5 for row in sound.prosody])
    need = round(ENDPOINT / PERIOD)
    begins = np.flatnonzero(np.diff(voice.astype(int)) < 0) + 1
    return [round(float(at * PERIOD), 1) for at in begins if not voice[at : at + need].any() and voice[at:].any()]
