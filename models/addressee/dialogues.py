"""Dialogues around a robot: who says what to whom, and what the robot would notice of it.

People command the robot, alone or among others, go on, correct, answer it and thank; they talk to each other about
work, about the robot and about anything else, give each other the same orders, call each other, talk to themselves and
on the telephone. Every utterance comes with what a robot knows: a text as a recognizer writes it, whom the face was
turned to as `hearing.vision` measures it, distance, and what was said before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, TypeAlias

import numpy as np
from hearing_models.addressee import lines
from hearing_models.recognizer.words import WORDS

from hearing.attribution.addressee import AddressCues
from hearing.vision.head import facing_probability

Split: TypeAlias = Literal["train", "calibration", "dev"]
Rng: TypeAlias = np.random.Generator
SPLITS: tuple[Split, ...] = ("train", "train", "train", "calibration", "dev")
"""Of five lines or words that follow on each other."""
_TERM = re.compile(r"\{(\w+)\}")
_ORDERS = ("errand", "robot_errand", "colleague_errand")
_TO_ROBOT = {"errand": 5, "robot_errand": 5, "robot_question": 4, "any_question": 2, "tell_robot": 3, "greeting": 1}
_GOES_ON = {"follow_up": 6, "errand": 3, "robot_errand": 3, "robot_question": 2, "any_question": 1, "thanks": 3,
            "halt": 2, "tell_robot": 1, "backchannel": 1}  # fmt: skip
_TO_COLLEAGUE = {"chat": 4, "report": 5, "colleague_question": 3, "any_question": 3, "errand": 4, "colleague_errand": 2,
                 "about_robot": 4, "greeting": 1, "warning": 1, "follow_up": 1, "aside": 1, "halt": 0.5,
                 "thanks": 0.5}  # fmt: skip
_AT_WORK = {"errand": 5, "follow_up": 3, "any_question": 4, "report": 4, "halt": 1, "about_robot": 4, "chat": 2,
            "colleague_errand": 1, "colleague_question": 1, "warning": 1, "thanks": 1, "aside": 1}  # fmt: skip
_REPLIES = {"reply": 6, "backchannel": 4, "answer": 3, "chat": 2, "report": 2, "about_robot": 1,
            "colleague_question": 1, "thanks": 1, "follow_up": 1, "any_question": 1, "aside": 1}  # fmt: skip
_CALLS = {(True, True): 0.6, (True, False): 0.2, (False, True): 0.35, (False, False): 0.1}
"""How often somebody is called, by whether it is the robot, and whether the talk begins."""
_TO_NOBODY = {"oneself": 3, "telephone": 3}


@dataclass(frozen=True, slots=True)
class Example:
    """An utterance.

    Attributes
    ----------
    cues
        What the robot notices.
    to_robot
        Whether it is said to it.
    robot_name
        What the robot is called.
    kind
        Of the line.
    speaker
        Who says it; nobody is in two dialogues.
    start, end
        When, in seconds of its dialogue.
    """

    cues: AddressCues
    to_robot: bool
    robot_name: str
    kind: str
    speaker: int
    start: float
    end: float


@dataclass(slots=True)
class _Person:
    """Somebody: where he is, whether a camera sees him, and when he talked to the robot last, as it thinks."""

    number: int
    name: str
    distance: float
    seen: bool
    offset: float
    addressed: float | None = None
    spoke: float | None = None


@dataclass(slots=True)
class _Scene:
    """What happens around one robot."""

    rng: Rng
    split: Split
    robot: str
    talks: bool
    people: list[_Person]
    remarks: Sequence[str]
    time: float = 0.0
    robot_spoke: float | None = None
    examples: list[Example] = field(default_factory=list)


def draw_examples(split: Split, number: int, seed: int, remarks: Sequence[str] = ()) -> list[Example]:
    """Make up at least so many utterances with lines and words of one split, in the order in which they are said.

    Parameters
    ----------
    split
        Which lines and words.
    number
        Of utterances.
    seed
        Of everything random.
    remarks
        Sentences about anything, of which each split takes its own: people say them to each other.
    """
    rng = np.random.default_rng([seed, SPLITS.index(split)])
    own = [remark for at, remark in enumerate(remarks) if SPLITS[at % len(SPLITS)] == split]
    examples: list[Example] = []
    while len(examples) < number:
        examples += _scene(split, rng, own, len(examples))
    return examples


def _scene(split: Split, rng: Rng, remarks: Sequence[str], number: int) -> list[Example]:
    """Let one to four people be around a robot for some minutes."""
    names = _choices(split)["name"]
    count = int(rng.choice([1, 2, 3, 4], p=[0.35, 0.3, 0.22, 0.13]))
    camera = rng.random() < 0.65
    people = [
        _Person(number + at, name, float(rng.uniform(0.6, 5.0)), camera and rng.random() < 0.85, rng.normal(0, 0.06))
        for at, name in enumerate(rng.choice(names, count, replace=False))
    ]
    robot = "robot" if rng.random() < 0.55 else _pick(_choices(split)["robot_name"], rng)
    scene = _Scene(rng, split, robot, bool(rng.random() < 0.6), people, remarks)
    if rng.random() < 0.06:
        people[-1].name = _pick(_listed(lines.SOUND_ALIKE), rng)
    if count > 1 and rng.random() < 0.5:
        _work_together(scene)
        return scene.examples
    interest = rng.beta(1.5, 2.5)  # how much of the talk is with the robot
    for _ in range(int(rng.integers(4, 12))):
        person = people[int(rng.integers(count))]
        if rng.random() < (0.75 if count == 1 else min(interest * 3 / (1 + person.distance), 0.9)):
            _talk_to_robot(scene, person)
        elif count == 1 or rng.random() < 0.1:
            for _ in range(int(rng.integers(1, 4))):
                _say(scene, person, None, _kind(_TO_NOBODY, rng))
        else:
            _talk_to_colleague(scene, person)
        scene.time += float(rng.exponential(rng.choice([1.0, 12.0])))
    return scene.examples


def _work_together(scene: _Scene) -> None:
    """Let people talk to each other and to the robot by turns, as about a task that all have."""
    rng = scene.rng
    person, to_robot, answers = scene.people[0], False, False
    switches = rng.uniform(0.15, 0.5)
    for turn in range(int(rng.integers(10, 30))):
        if to_robot:
            first = person.addressed is None or rng.random() < 0.2
            _say(scene, person, "robot", _kind(_TO_ROBOT if first else _GOES_ON, rng), first)
            if scene.talks and rng.random() < 0.4:
                _robot_speaks(scene)
        else:
            kind = _kind(_REPLIES if answers and rng.random() < 0.7 else _AT_WORK, rng)
            _say(scene, person, _other(scene, person).name, kind, first=turn == 0)
        answers = not to_robot and rng.random() < 0.7
        if answers or rng.random() < 0.3:
            person = _other(scene, person)
        if rng.random() < switches:
            to_robot, answers = not to_robot, False
        if rng.random() < 0.2:
            scene.time += float(rng.exponential(8.0))


def _talk_to_robot(scene: _Scene, person: _Person) -> None:
    rng = scene.rng
    lately = person.addressed is not None and scene.time - person.addressed < 15
    _say(scene, person, "robot", _kind(_GOES_ON if lately and rng.random() < 0.7 else _TO_ROBOT, rng), not lately)
    while rng.random() < 0.62:
        if scene.talks and rng.random() < 0.6:
            _robot_speaks(scene)
            if rng.random() < 0.4:
                _say(scene, person, "robot", "answer")
                continue
        if len(scene.people) > 1 and rng.random() < 0.25:  # somebody else says something in between
            other = _other(scene, person)
            if rng.random() < 0.3:
                _say(scene, other, "robot", _kind(_GOES_ON, rng))
            else:
                _say(scene, other, person.name, _kind(_TO_COLLEAGUE, rng))
                if rng.random() < 0.7:
                    _say(scene, person, other.name, _kind(_REPLIES, rng))
        _say(scene, person, "robot", _kind(_GOES_ON, rng))


def _talk_to_colleague(scene: _Scene, person: _Person) -> None:
    rng = scene.rng
    other = _other(scene, person)
    _say(scene, person, other.name, _kind(_TO_COLLEAGUE, rng), first=True)
    while rng.random() < 0.72:
        person, other = (other, person) if rng.random() < 0.8 else (person, other)
        _say(scene, person, other.name, _kind(_REPLIES if rng.random() < 0.7 else _TO_COLLEAGUE, rng))


def _robot_speaks(scene: _Scene) -> None:
    scene.time += float(scene.rng.uniform(0.3, 1.5) + scene.rng.uniform(1.0, 5.0))
    scene.robot_spoke = scene.time


def _say(scene: _Scene, person: _Person, to: str | None, kind: str, first: bool = False) -> None:
    """Let somebody say a line, and note what the robot notices."""
    rng = scene.rng
    text = _line(scene, kind, to, first)
    to_robot = to == "robot"
    start = scene.time + float(rng.exponential(1.0))
    end = start + 0.3 + 0.32 * len(text.split()) * float(rng.uniform(0.7, 1.4))
    others = [each for each in scene.people if each is not person and each.spoke is not None]
    ages = [max(start - each.spoke, 0.0) for each in others if each.spoke is not None]
    distance = person.distance * float(np.exp(rng.normal(0, 0.1)))
    cues = AddressCues(
        text=_heard(text, scene.robot, rng),
        facing=_facing(person, to, kind, rng) if person.seen and rng.random() < 0.92 else None,
        distance=distance if person.seen and rng.random() < 0.9 else None,
        since_addressed=None if person.addressed is None else max(start - person.addressed, 0.0),
        since_robot_spoke=None if scene.robot_spoke is None else max(start - scene.robot_spoke, 0.0),
        others=sum(age < 20 for age in ages),
        since_other=min(ages, default=None),
    )
    scene.examples.append(Example(cues, to_robot, scene.robot, kind, person.number, start, end))
    if rng.random() < (0.85 if to_robot else 0.06):  # what the robot takes for said to it
        person.addressed = end
    scene.time = person.spoke = end


def _line(scene: _Scene, kind: str, to: str | None, first: bool) -> str:
    """Put a line into words, and call whom it is said to, or do not."""
    rng, choices = scene.rng, _choices(scene.split)
    if scene.remarks and kind in ("chat", "reply", "aside") and rng.random() < 0.3:
        text = scene.remarks[int(rng.integers(len(scene.remarks)))]
    else:
        text = _pick(choices[kind], rng)
    if kind in _ORDERS and rng.random() < 0.45:
        text = _pick(choices["ask"], rng).replace("{do}", text)
    text = _talked_about(text, scene.robot, rng)
    while term := _TERM.search(text):
        text = text.replace(term[0], _pick(choices[term[1]], rng), 1)
    asks = kind.endswith("question") or re.match(r"(can|could|would|will|why) ", text)
    mark = "?" if asks else "!" if kind in ("warning", "halt") and rng.random() < 0.4 else "."
    if to is not None and rng.random() < _CALLS[to == "robot", first]:
        text = _called(
            text, _pick(_listed(lines.GROUPS), rng) if to != "robot" and rng.random() < 0.15 else _name(scene, to), rng
        )
    elif kind not in ("backchannel", "answer") and rng.random() < 0.12:
        text = f"{_pick(_listed(lines.OPENINGS), rng)}, {text}"
    return f"{text[:1].upper()}{text[1:]}{mark}"


def _name(scene: _Scene, to: str) -> str:
    """Call the robot by its name or, now and then, "robot"."""
    return to if to != "robot" or scene.rng.random() < 0.1 else scene.robot


def _called(text: str, name: str, rng: Rng) -> str:
    """Call somebody before a line, after it, or instead of it."""
    way = rng.random()
    hail = _pick(["Hey ", "Okay ", "Hello ", "Hi ", "Hey, "], rng) if rng.random() < 0.35 else ""
    return f"{hail}{name}, {text}" if way < 0.68 else f"{text}, {name}" if way < 0.95 else f"{hail}{name}"


def _talked_about(text: str, robot: str, rng: Rng) -> str:
    """Name the robot in a line about it; what has a name of its own needs no article."""
    if robot != "robot" and rng.random() < 0.5:
        return (text.replace("the {robot}", robot) if rng.random() < 0.7 else text).replace("{robot}", robot)
    return text.replace("{robot}", "machine" if rng.random() < 0.1 else "robot")


def _heard(text: str, robot: str, rng: Rng) -> str:
    """Write a text as recognizers do: some without punctuation, some with errors, some only begun."""
    if robot == "robot" and rng.random() < 0.12:
        text = re.sub(r"\brobot\b", _pick(_listed(lines.ROBOT_HEARD), rng), text, count=1, flags=re.IGNORECASE)
    words = text.split()
    if rng.random() < 0.4:
        rate = rng.uniform(0.1, 0.3) if rng.random() < 0.8 else rng.uniform(0.3, 0.7)
        lexicon = _choices("train")["noun"] + _choices("train")["verb"]
        kept = []
        for word in words:
            fate = rng.random()
            if fate > rate:
                kept.append(word)
            elif fate > 0.6 * rate:
                kept.append(_pick(lexicon, rng))
        words = kept or words
    if rng.random() < 0.25:
        words = words[: int(rng.integers(1, len(words) + 1))]
    text = " ".join(words)
    return re.sub(r"[,.?!]", "", text).lower() if rng.random() < 0.35 else text


def _facing(person: _Person, to: str | None, kind: str, rng: Rng) -> float | None:
    """Draw the mean of `Face.facing` over the last second of an utterance.

    Who talks to the robot mostly looks at its camera, but also at its body or at what he talks about; who talks to
    somebody else looks there, which may be in the robot's direction, and also glances at the robot, most often when he
    talks about it. Heads turn only part of the way that eyes do.
    """
    at_robot = {"robot": 0.8, None: 0.08}.get(to, 0.3 if kind == "about_robot" else 0.1)
    shares = []
    looks = rng.random() < at_robot
    elsewhere = rng.uniform(-np.pi, np.pi)
    down = -abs(rng.normal(0, 0.12)) if rng.random() < 0.4 else rng.normal(0, 0.05)
    for _ in range(8):
        if rng.random() < 0.15:
            looks = rng.random() < at_robot
        yaw = 0.0 if looks else elsewhere * rng.uniform(0.7, 1.0)
        if abs(yaw) > np.deg2rad(70):
            shares.append(0.0)
            continue
        yaw, pitch = yaw + person.offset + rng.normal(0, 0.05), (down if looks else rng.normal(-0.1, 0.2))
        shares.append(facing_probability(float(yaw), float(pitch)))
    return None if not looks and abs(elsewhere) > 1.4 and rng.random() < 0.5 else float(np.mean(shares))


def _other(scene: _Scene, person: _Person) -> _Person:
    others = [each for each in scene.people if each is not person]
    return others[int(scene.rng.integers(len(others)))]


def _kind(weights: Mapping[str, float], rng: Rng) -> str:
    kinds, shares = list(weights), np.array(list(weights.values()), np.float64)
    return kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]


def _pick(choices: Sequence[str], rng: Rng) -> str:
    return choices[int(rng.integers(len(choices)))]


@cache
def _choices(split: Split) -> dict[str, list[str]]:
    """List lines and words of a split by kind."""
    found = {
        name: text.split(" | ") for part in (lines.LINES, lines.WAYS, lines.PLACES) for name, text in _entries(part)
    }
    found |= {name: _listed(text) for name, text in _entries(WORDS)}
    found["name"] += [name for name in _listed(lines.MORE_PEOPLE) if name not in found["name"]]
    found["robot_name"] = _listed(lines.ROBOT_NAMES)
    chosen = {name: [each for at, each in enumerate(listed) if SPLITS[at % len(SPLITS)] == split] or listed
              for name, listed in found.items()}  # fmt: skip
    return chosen | {"person": chosen["name"]}


def people(known: bool) -> Iterator[str]:
    """List given names in lower case: all, or those that a model is told when it is judged, four of five."""
    names = dict.fromkeys(_listed(f"{dict(_entries(WORDS))['name']} {lines.MORE_PEOPLE}"))
    return (name.lower() for at, name in enumerate(names) if not known or at // len(SPLITS) % 5 != 4)


def _entries(text: str) -> list[tuple[str, str]]:
    found = re.findall(r"^(\w+): (.*(?:\n .*)*)", text, re.MULTILINE)
    return [(name, " ".join(content.split())) for name, content in found]


def _listed(words: str) -> list[str]:
    return [word.replace("_", " ") for word in words.split()]
