"""Talking with the people of a simulated scene."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hearing_sim.scene import load_scene

from hearing.cli import main
from hearing.rehearsal import LAST, PATIENCE, Company

SCENE = """
name: rehearsal
duration: 20.0
seed: 3
room: {size: [6.0, 5.0, 2.8], rt60: 0.2}
array: {geometry: respeaker_4mic, position: [2.8, 2.4, 1.2]}
microphones: {full_scale_db: 110}
robot: {loudspeaker: {level_db: 66}}
talkers:
  - {name: anna, voice: synthesis, position: [3.9, 3.1, 1.6]}
  - {name: ben, voice: synthesis, pitch: 0.9, position: [1.6, 3.1, 1.6]}
turns:
  - {talker: anna, gap: 0.8, text: "Robot, go to bay four.", to: robot, kind: command}
  - {talker: robot, gap: 0.8, text: "Never said.", to: anna}
  - {talker: ben, gap: -0.4, text: "Mm-hm.", to: robot, kind: backchannel}
"""


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    path = tmp_path / "scene.yaml"
    path.write_text(SCENE)
    return path


class Room:
    """A room in which time passes, and nothing else."""

    def __init__(self, scene: Path) -> None:
        self.scene = load_scene(str(scene))
        self.now = 0.0

    def say(self, name: str, samples: np.ndarray, to: str) -> None:
        assert len(samples)


def test_people_speak_when_it_is_their_turn(scene: Path) -> None:
    room = Room(scene)
    company = Company(room)
    while company.step(3.0 < room.now < 5.0):
        room.now += 0.05
    assert [said.text for said in company.said] == ["Robot, go to bay four.", "Mm-hm."]
    assert [said.begin for said in company.said] == pytest.approx([0.8, 3.4], abs=0.11)
    assert room.now == pytest.approx(5.0 + LAST, abs=0.2)


def test_who_wants_to_interrupt_a_silent_robot_speaks_in_the_end(scene: Path) -> None:
    room = Room(scene)
    company = Company(room)
    while company.step(False):
        room.now += 0.05
    assert company.said[1].begin - company.said[0].end == pytest.approx(PATIENCE, abs=0.2)


def test_a_rehearsal_leaves_what_was_heard_said_and_done(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["converse", "--scene", str(scene), "--out", str(out)]) == 0
    acts = [json.loads(line) for line in (out / "acts.jsonl").read_text().splitlines()]
    assert [act["slots"] for act in acts if act["act"] == "do"] == [{"bay": 4}]
    assert any("bay 4" in act["text"] for act in acts if act["act"] == "speak")
    assert any("bay four" in segment["words"] for segment in json.loads((out / "segments.json").read_text()))
    turns = [json.loads(line) for line in (out / "turns.jsonl").read_text().splitlines()]
    assert [turn["who"] for turn in turns] == ["anna", "ben"]
    recorded, played = (soundfile.info(out / name) for name in ("audio.wav", "playback.wav"))
    assert (recorded.channels, played.channels) == (4, 1)
    assert recorded.frames == played.frames
    assert (out / "timeline.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "give either --array"),
        (["--scene", "quiet_room"], "give either --array"),
        (["--scene", "quiet_room", "--out", "OUT"], "needs a `loudspeaker`"),
        (["--scene", "factory_round", "--out", "OUT"], "nobody who moves"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(tmp_path / "out") if word == "OUT" else word for word in arguments]
    assert main(["converse", *words]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1
