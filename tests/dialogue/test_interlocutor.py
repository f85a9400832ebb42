"""The robot's part in a conversation: whom it heeds, and how it speaks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from stand_ins import ANNA, STEP, WORD, Company, PlainFloor, QuickVoice, utterance

from hearing.dialogue.acts import DialogueAct, Emergency, Look, Speak
from hearing.dialogue.brains.grammar_brain import GrammarBrain
from hearing.dialogue.brains.grammar_file import load_grammar
from hearing.dialogue.controller import DuplexConfig, DuplexController, Heard
from hearing.dialogue.floor import FloorState, RobotNow
from hearing.dialogue.interlocutor import Interlocutor, Stretch
from hearing.dialogue.written import WRITTEN
from hearing.types import SAMPLE_RATE, Direction, FaceState, SourceAudio, SpottedWord, Track, Utterance

GRAMMAR = load_grammar()


class NotingFloor(PlainFloor):
    """Notes of whom it is told."""

    def reset(self) -> None:
        super().reset()
        self.told: list[tuple[set[int], set[int]]] = []
        self.texts: list[str] = []
        self.robot_speaks = False

    def process(
        self,
        tracks: Sequence[Track],
        sources: Sequence[SourceAudio],
        utterances: Sequence[Utterance] = (),
        faces: Sequence[FaceState] = (),
        robot: RobotNow | None = None,
    ) -> tuple[FloorState, ...]:
        self.told.append(({track.id for track in tracks}, {source.track_id for source in sources}))
        self.texts += [utterance.text for utterance in utterances]
        self.robot_speaks |= robot is not None and robot.speaks
        return super().process(tracks, sources)


def robot(floor: PlainFloor | None = None) -> Interlocutor:
    controller = DuplexController(GrammarBrain(GRAMMAR), DuplexConfig(openers=()))
    return Interlocutor(controller, QuickVoice(), floor or PlainFloor())


def source(track: int) -> SourceAudio:
    samples = np.zeros(STEP, np.float32)
    return SourceAudio(track, samples, samples, np.zeros(100, np.float32), 0)


def test_what_sounds_but_never_talks_has_no_part_in_the_floor() -> None:
    floor = NotingFloor()
    part = robot(floor)
    for number, activity in enumerate((0.1, 0.9, 0.1)):
        tracks = (Track(1, 0.0, ANNA, activity), Track(2, 0.0, Direction(2.0), 0.3))
        part.process(Stretch(number * STEP, STEP, [(tracks, (source(1), source(2)))]))
    assert floor.told == [(set(), set()), ({1}, {1}), ({1}, {1})]


def test_in_a_new_stream_everybody_is_new() -> None:
    floor = NotingFloor()
    part = robot(floor)
    part.process(Stretch(0, STEP, [((Track(1, 0.0, ANNA, 0.9),), ())]))
    part.reset()
    part.process(Stretch(0, STEP, [((Track(1, 0.0, ANNA, 0.2),), ())]))
    assert floor.told == [(set(), set())]


def level(noise_db: float | None, faces: tuple[FaceState, ...] = ()) -> float:
    """Root mean square of an answer."""
    part = robot()
    people = Company(part)
    process = part.process

    def in_noise(stretch: Stretch) -> tuple:
        more = (stretch.faces or faces, noise_db)
        return process(Stretch(stretch.start_sample, stretch.n_samples, stretch.voices, stretch.utterances, *more))

    part.process = in_noise  # type: ignore[method-assign]
    people.say("go to bay four")
    people.until(lambda: people.sounding)
    people.steps(0.6)
    return float(np.sqrt(np.mean(people.sound[-1] ** 2)))


def test_it_speaks_up_in_noise_and_more_quietly_to_who_is_close() -> None:
    near = FaceState(0.0, "face_1", ANNA, 0.5, (0.0, 0.0, 1.0, 1.0), 0.0, 1.0)
    assert level(75.0) > 2 * level(40.0)
    assert level(40.0, (near,)) < 0.6 * level(40.0)
    assert level(None) == pytest.approx(level(40.0), rel=0.6)


def test_nobody_is_looked_at_for_what_is_written() -> None:
    people = Company(robot())
    people.robot.read("go to bay four", "keyboard", "Anna", True)
    people.until(lambda: people.commands)
    assert not [act for _, act in people.acts if isinstance(act, Look) and act.track_id >= WRITTEN]


def test_the_floor_is_told_that_the_robot_speaks() -> None:
    people = Company(robot())
    assert not people.robot.speaks
    people.robot.announce("one two three")
    people.until(lambda: people.robot.speaks)
    begun = people.now
    people.until(lambda: not people.robot.speaks)
    assert people.now - begun == pytest.approx(0.9, abs=0.15)
    assert sum(sound.any() for sound in people.sound) * STEP / SAMPLE_RATE == pytest.approx(0.9, abs=0.15)


ANNOUNCED = "please stop the press before I go to bay four"


def test_nothing_is_made_of_its_own_speech() -> None:
    floor = NotingFloor()
    people = Company(robot(floor))
    people.robot.announce(ANNOUNCED)
    people.until(lambda: people.robot.speaks)
    begun = people.now
    people.until(lambda: not people.robot.speaks)
    echo = utterance(ANNOUNCED, begun + 0.1, begun + 0.1 + len(ANNOUNCED.split()) * WORD)
    stop = SpottedWord("stop", "u1", 1, begun + WORD, begun + 2 * WORD, begun + 1.0, 0.9)
    start = round(people.now * SAMPLE_RATE)
    people.robot.process(Stretch(start, STEP, [((Track(1, 0.0, ANNA, 0.9),), ())], [echo], spotted=[stop]))
    for number in range(1, 20):
        silent = Track(1, 0.0, ANNA, 0.1)
        acts, _ = people.robot.process(Stretch(start + number * STEP, STEP, [((silent,), ())]))
        assert not [act for act in acts if isinstance(act, (Speak, Emergency))]
    assert floor.texts == []


def test_a_hum_takes_the_floor_from_nobody() -> None:
    class Humming(DuplexController):
        def process(self, now: float, heard: Heard) -> list[DialogueAct]:
            return [Speak("answer_1", "one two", "Anna", 1, hums=True)] if now < 0.15 else []

    floor = NotingFloor()
    people = Company(Interlocutor(Humming(GrammarBrain(GRAMMAR)), QuickVoice(), floor))
    people.steps(2.0)
    assert sum(sound.any() for sound in people.sound) * STEP / SAMPLE_RATE == pytest.approx(0.6, abs=0.15)
    assert not floor.robot_speaks
