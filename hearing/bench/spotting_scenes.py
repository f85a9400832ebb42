"""Emergency words through the whole pipeline: who calls, from where, while who else talks, in simulated rooms."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from hearing.console import Note
from hearing.dialogue.emergency import WORDS, EmergencyWords
from hearing.pipeline import STEP, Pipeline
from hearing.recording import open_recording

if TYPE_CHECKING:
    from hearing_sim.scene import Scene

KINDS = ("a stranger", "after own words", "while another one talks", "while the robot talks")
CALLS = ("Stop!", "Robot, stop!", "Halt!", "Freeze!", "Emergency!", "Hold it!", "Please stop!", "No, stop!")
SNRS_DB = (15.0, 8.0, 2.0)
LEVELS_DB = (54.0, 60.0, 66.0, 76.0)
"""Quiet, normal, raised, nearly shouting."""
_TALK = (
    "The parcels for bay four are on the second shelf.",
    "I think we should clean the floor before lunch.",
    "Can you bring me the long ladder from the store?",
)
_MACHINES = ("motor", "fan", "press", "grinder", "compressor", "conveyor")


@dataclass(frozen=True, slots=True)
class Alarm:
    """What became of a call.

    Attributes
    ----------
    kind, call
        One of `KINDS`, and what was said.
    spotted, written
        Seconds from the end of the call to when the robot would stop, by a spotted word alone and by the words of
        transcripts alone; None if it would not.
    """

    kind: str
    call: str
    spotted: float | None
    written: float | None


def run_scenes(number: int, seed: int, note: Note) -> list[Alarm]:
    """Render scenes with a call in each, and hear them."""
    alarms = []
    for index in range(number):
        note("hearing scenes", index, number)
        kind, call, scene = make_scene(index, seed)
        with TemporaryDirectory() as folder:
            alarms.append(_hear(kind, call, scene, Path(folder)))
    return alarms


def make_scene(index: int, seed: int) -> tuple[str, str, Scene]:
    """Draw a room with a caller, somebody else and a machine; return the kind, the call and the scene."""
    from hearing_sim.scene import ArrayPose, Loudspeaker, Machine, Robot, Room, Scene, Talker, Turn

    rng = np.random.default_rng((seed, index))
    kind, turn = KINDS[index % len(KINDS)], index // len(KINDS)
    call, snr = CALLS[turn % len(CALLS)], SNRS_DB[turn % len(SNRS_DB)]
    size = tuple(float(rng.uniform(*limits)) for limits in ((6, 14), (5, 10), (3, 5)))
    here = (size[0] / 2, size[1] / 2, 1.1)
    angle = rng.uniform(0, 2 * np.pi)

    def person(name: str, azimuth: float, level_db: float) -> Talker:
        distance = rng.uniform(1.0, 2.4)
        where = (here[0] + distance * np.cos(azimuth), here[1] + distance * np.sin(azimuth), 1.6)
        pitch = float(rng.uniform(0.82, 1.2))
        return Talker(name, ("synthesis",), tuple(map(float, where)), level_db=level_db, pitch=pitch, face=None)

    people = (
        person("caller", angle, float(rng.choice(LEVELS_DB))),
        person("other", angle + rng.uniform(1, 2 * np.pi - 1), 60.0),
    )
    said = Turn("caller", 1.5, text=call), _TALK[index % 3], _TALK[(index + 1) % 3]
    before = {
        KINDS[0]: (),
        KINDS[1]: (Turn("caller", 0.8, text=said[1]),),
        KINDS[2]: (Turn("other", 0.8, text=said[1]),),
        KINDS[3]: (Turn("robot", 0.5, text=said[1]), Turn("robot", 0.3, text=said[2])),
    }[kind]
    gap = {KINDS[0]: 1.5, KINDS[1]: 1.2}.get(kind, -1.2)
    machine = Machine("machine", str(rng.choice(_MACHINES)), (1.0, 1.0, 1.0), level_db=70.0)
    return (
        kind,
        call,
        Scene(
            f"emergency_{index}",
            11.0 if before[1:] else 8.0,
            Room(size=size, rt60=float(rng.uniform(0.3, 0.7))),
            ArrayPose("respeaker_6mic", position=here),
            robot=Robot(loudspeaker=Loudspeaker()),
            talkers=people,
            turns=(*before, Turn("caller", gap, text=call)),
            machines=(machine,),
            seed=index,
            snr_db=snr,
        ),
    )


def _hear(kind: str, call: str, scene: Scene, folder: Path) -> Alarm:
    from hearing_sim import render

    render(scene, folder / "recording")
    recording = open_recording(folder / "recording")
    segments = json.loads((folder / "recording" / "reference" / "segments.json").read_text(encoding="utf-8"))
    end = max(segment["end_time"] for segment in segments if segment["speaker"] == "caller")
    pipeline = Pipeline.create(recording.array)
    pipeline.listen_for(WORDS)
    spotting, reading = EmergencyWords(), EmergencyWords()
    spotted: list[float] = []
    written: list[float] = []
    for block, playback in recording.blocks_with_playback(STEP):
        heard = pipeline.process(block, playback)
        late = pipeline.seconds - end
        spotted += [late for word in heard.spotted if spotting.spot(word)]
        written += [late for utterance in heard.utterances if reading.process(utterance.id, utterance.words)]
    # What was taken for a call long before there was one is none.
    first = (min((late for late in found if late > -1.0), default=None) for found in (spotted, written))
    return Alarm(kind, call, *first)
