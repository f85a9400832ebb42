"""A conversation with the people of a simulated scene, who hear the robot and are heard by it, its echo included.

They say the turns of the scene one after the other, each when everybody has been silent for as long as its `gap`. A
negative gap is for those who do not wait: the turn begins so many seconds after the robot has begun to speak. What the
scene has the robot say is left out: it finds its own words.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hearing.dialogue.acts import DialogueAct, Do, Emergency, Look, Speak
from hearing.dialogue.converse import Conversation, Exchange
from hearing.errors import InputError
from hearing.outputs import SessionLog, Timing
from hearing.types import SAMPLE_RATE, Float32Array

if TYPE_CHECKING:
    from hearing_sim.live import LiveRoom
    from hearing_sim.scene import Scene
    from hearing_sim.talkers import PlacedTurn

BLOCK = 1024
ACTS, TURNS, PICTURE, SOUND, PLAYED = "acts.jsonl", "turns.jsonl", "timeline.png", "audio.wav", "playback.wav"
LAST = 4.0
"""Seconds of silence after the last turn with which it ends."""
PATIENCE = 5.0
"""Seconds after which somebody speaks although the robot, which was to be interrupted, has said nothing."""
_SILENT = 1e-3
_COLOURS = {"robot": "C0", "barge_in": "C3", "backchannel": "C2"}


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said: who, what, to whom, what for, and from when to when in seconds."""

    who: str
    text: str
    to: str
    kind: str
    begin: float
    end: float


class Company:
    """The people of a scene.

    Parameters
    ----------
    room
        Where they are.

    Raises
    ------
    InputError
        If a voice or clip does not exist, or the scene is too short for its turns.
    """

    def __init__(self, room: LiveRoom) -> None:
        from hearing_sim.talkers import place_turns

        self._room = room
        placed = [turn for turn in place_turns(room.scene) if turn.turn.talker != "robot"]
        self._waiting: list[PlacedTurn] = placed[::-1]
        self._silent_since = 0.0
        self._robot_since: float | None = None
        self.said: list[Said] = []

    def step(self, robot_sounds: bool) -> bool:
        """Let whoever is due begin to speak; return whether the conversation goes on."""
        now: float = self._room.now
        if robot_sounds:
            self._robot_since = now if self._robot_since is None else self._robot_since
        else:
            self._robot_since = None
        talking = any(said.end > now for said in self.said)
        if robot_sounds or talking:
            self._silent_since = now
        silent = now - self._silent_since
        if not self._waiting:
            return silent < LAST
        gap = self._waiting[-1].turn.gap
        late = silent > PATIENCE
        if gap < 0 and self._robot_since is not None and not talking:
            due = now - self._robot_since >= -gap
        else:
            due = late if gap < 0 else silent >= gap
        if due:
            self._begin(self._waiting.pop())
        return True

    def _begin(self, placed: PlacedTurn) -> None:
        turn, now = placed.turn, self._room.now
        end = now + placed.end - placed.start
        self._room.say(turn.talker, placed.samples, turn.to or "robot")
        to = turn.to or "everybody"
        self.said.append(Said(turn.talker, placed.text, to, turn.kind, round(now, 3), round(end, 3)))


def rehearse(
    scene: Scene, converse: Callable[[LiveRoom], Conversation], report: Callable[[Exchange], None], out_dir: Path
) -> None:
    """Talk with the people of a scene until they have said everything.

    Parameters
    ----------
    scene
        Nothing moves in it, and its robot has a loudspeaker.
    converse
        Makes the robot's part for a room.
    report
        Is told of every block.
    out_dir
        Receives the session's files as of `hearing transcribe`; `acts.jsonl`, what the robot decided; `turns.jsonl`,
        what people said; `audio.wav` and `playback.wav`, what was recorded and played; `timeline.png`, who spoke when.

    Raises
    ------
    InputError
        If the scene is another one, or the folder cannot be written.
    """
    from hearing_sim.live import LiveRoom

    if scene.robot.loudspeaker is None:
        raise InputError(f"scene {scene.name}: the robot needs a `loudspeaker`, see docs/scenes.md")
    room = LiveRoom(scene)
    conversation, company, log = converse(room), Company(room), SessionLog()
    recorded: list[Float32Array] = []
    played: list[Float32Array] = [np.zeros(BLOCK, np.float32)]
    acts: list[tuple[float, DialogueAct]] = []
    while company.step(bool(np.abs(played[-1]).max() > _SILENT)) and room.now < scene.duration:
        block = room.process(played[-1])
        exchange = conversation.process(block)
        recorded.append(block.samples)
        played.append(exchange.samples)
        acts += [(room.now, act) for act in exchange.acts]
        log.add(exchange.heard)
        report(exchange)
    log.write(out_dir, scene.name, Timing(room.now, 0.0))
    _write(out_dir / SOUND, np.concatenate(recorded))
    _write(out_dir / PLAYED, np.concatenate(played[:-1]))
    _write_lines(out_dir / ACTS, ({"time": round(time, 3), **_written(act)} for time, act in acts))
    _write_lines(out_dir / TURNS, (asdict(said) for said in company.said))
    _draw(company.said, np.concatenate(played), acts, room, out_dir / PICTURE)


def _write(path: Path, samples: Float32Array) -> None:
    import soundfile

    try:
        soundfile.write(path, samples, SAMPLE_RATE, subtype="PCM_16")
    except (OSError, soundfile.LibsndfileError) as error:
        raise InputError(f"{path}: cannot be written ({error}); give another --out folder") from error


def _write_lines(path: Path, entries: Iterable[dict[str, Any]]) -> None:
    try:
        path.write_text("".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in entries), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); give another --out folder") from error


def _written(act: DialogueAct) -> dict[str, Any]:
    """Describe a decision in words."""
    kind = {"act": type(act).__name__.lower()}
    if isinstance(act, Speak):
        return kind | {"answer": act.answer_id, "to": act.to, "text": act.text}
    if isinstance(act, Do):
        return kind | {"intent": act.command.intent, "slots": dict(act.command.slots), "for": act.command.speaker}
    if isinstance(act, Look):
        return kind | {"at": act.person, "azimuth_deg": round(float(np.rad2deg(act.direction.azimuth)))}
    if isinstance(act, Emergency):
        return kind | {"word": act.word, "from": act.speaker}
    return kind | {"answer": act.answer_id}


def _draw(
    said: list[Said], played: Float32Array, acts: list[tuple[float, DialogueAct]], room: LiveRoom, picture: Path
) -> None:
    """Draw who spoke when: people above, the robot below, and what it decided."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError(f"{error}; install what draws the picture: pip install 'robot-hearing[sim]'") from error
    names = [*(talker.name for talker in room.scene.talkers), "robot"]
    figure = Figure(figsize=(14, 0.8 * len(names) + 1.0), layout="constrained")
    panel = figure.subplots()
    lines = Counter[str]()  # the texts of a row take turns on two lines
    for turn in said:
        row = -names.index(turn.who)
        lines[turn.who] += 1
        colour = _COLOURS.get(turn.kind) or _COLOURS.get(turn.to, "0.7")
        panel.barh(row, turn.end - turn.begin, left=turn.begin, height=0.5, color=colour, alpha=0.6)
        panel.text(turn.begin, row + 0.28 + 0.12 * (lines[turn.who] % 2), turn.text, fontsize=7)
    bottom = 1 - len(names)
    loud = np.abs(played).reshape(-1, BLOCK).max(axis=1) > _SILENT
    step = BLOCK / SAMPLE_RATE
    panel.barh(
        [bottom] * int(loud.sum()), step, left=np.flatnonzero(loud) * step, height=0.5, color="black", align="edge"
    )
    answers: dict[str, tuple[float, str]] = {}
    for time, act in acts:
        if isinstance(act, Speak):
            begun, text = answers.get(act.answer_id, (time, ""))
            answers[act.answer_id] = begun, f"{text} {act.text}".strip()
        elif isinstance(act, (Do, Emergency)):
            panel.text(time, bottom - 0.62, "●" if isinstance(act, Do) else "■", color="C3", fontsize=9)
    for number, (time, text) in enumerate(answers.values()):
        panel.text(time, bottom - 0.36 - 0.12 * (number % 2), text, fontsize=7)
    panel.set_yticks(range(0, -len(names), -1), names)
    panel.set_ylim(bottom - 0.75, 0.7)
    panel.set_xlim(0, room.now)
    panel.set_xlabel(
        "seconds; blue: to the robot, grey: to somebody else, red: interruption, green: backchannel; black: the robot; "
        "●: a command, ■: an emergency"
    )
    panel.spines[["top", "right"]].set_visible(False)
    try:
        figure.savefig(picture, dpi=90)
    except OSError as error:
        raise InputError(f"{picture}: cannot be written ({error.strerror}); give another --out folder") from error
