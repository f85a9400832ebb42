"""Random scenes: rooms, robots, people and machines, drawn from a distribution that a YAML file describes.

The same seed gives the same scene everywhere. Every part has its own stream of randomness; two streams are read twice,
see the known faults in `datasets/factorybench/README.md`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from hearing_datasets import Clip, Split, kit_clips, kit_root, packaged_clips, split_of
from hearing_sim.checks import HABITS, MACHINE_KINDS, OCCLUSIONS
from hearing_sim.conversation import Style, Voice, converse
from hearing_sim.motion import PoseWaypoint, Vector, Waypoint
from hearing_sim.placement import angles_apart, extent, free_step, nearest, place_around, place_away, place_inside, walk
from hearing_sim.scene import (
    ArrayPose,
    Background,
    Camera,
    EgoNoise,
    Face,
    Loudspeaker,
    Machine,
    Microphones,
    Point,
    Robot,
    Room,
    Scene,
    Talker,
)
from hearing_sim.schema import check_choice, load_yaml

from hearing.arrays import load_array
from hearing.errors import InputError

Interval = tuple[float, float]
Rng = np.random.Generator

ARRAYS = ("respeaker_4mic", "respeaker_6mic", "xvf3800_4mic", "azure_kinect", "head_8mic")
WORKING_KINDS = tuple(k for k in MACHINE_KINDS if k not in ("alarm", "announcement", "radio", "recording"))
"""Machines that a hall is full of; the others are named where they are wanted."""
RECORDINGS = (
    "things_ceiling-fan",
    "things_washing-machine",
    "things_slide-projector",
    "things_windshield-wipers",
    "things_typewriter",
    "things_boiling-water",
    "transport_inside-a-train",
    "transport_airplane",
    "urban_highway",
    "pra_exercise_bike",
    "pra_doing_the_dishes",
    "chainsaw/1-19898-A",
    "alarm",
)
"""Machine-like noises of the kit in which nobody speaks."""
COLLECTIONS = {"speech/read_5_speakers": 0.3, "speech/small_assets": 0.2, "speech/read_accented_speakers": 0.5}
"""Transcribed voices of the kit, and how often each: the accented speakers are many, and harder than all others."""
LEFT_OUT = ("sb-spk2", "so762-8", "so762-9")
"""Speakers whose transcripts are wrong, and beginners of whose clean recordings good recognizers get half wrong."""
_ROOM, _ARRAY, _PEOPLE, _TALK, _MACHINES, _EQUIPMENT = range(6)


@dataclass(frozen=True, slots=True)
class Rooms:
    """Rooms between two sizes; a share of them is L-shaped, and a share is described by materials that vary by wall."""

    smallest: Vector
    largest: Vector
    rt60: Interval
    l_shaped: float = 0.0
    varied_walls: float = 0.0


@dataclass(frozen=True, slots=True)
class People:
    """Who is there.

    Attributes
    ----------
    number
        Fewest and most of them.
    collections
        Share of the voices by collection of the data kit; `synthesis` for the synthetic voice.
    distance
        From the array in metres.
    min_angle_deg
        Between any two of them, as seen from the array when the scene starts.
    ahead_deg
        How far to either side of straight ahead of the array they stand; 180 is all around.
    level_db, lombard
        As in `hearing_sim.scene.Talker`.
    walking
        Probability that somebody walks.
    hidden
        Probability that the camera does not see a face.
    """

    number: Interval = (2.0, 3.0)
    collections: dict[str, float] = field(default_factory=lambda: dict(COLLECTIONS))
    distance: Interval = (1.0, 3.0)
    min_angle_deg: float = 25.0
    ahead_deg: float = 180.0
    level_db: Interval = (60.0, 60.0)
    lombard: Interval = (0.0, 0.0)
    walking: float = 0.0
    hidden: float = 0.1


@dataclass(frozen=True, slots=True)
class Machines:
    """What makes noise: how many machines, of which kinds, how loud, and the share that is recorded."""

    number: Interval = (0.0, 0.0)
    kinds: tuple[str, ...] = WORKING_KINDS
    level_db: Interval = (60.0, 70.0)
    recorded: float = 0.3
    backgrounds: tuple[str, ...] = ()
    background_db: Interval = (40.0, 50.0)


@dataclass(frozen=True, slots=True)
class Robots:
    """The robot: probabilities that it has each of these; `on_body` goes for arrays that are built around a head."""

    on_body: float = 0.0
    imperfect_microphones: float = 0.0
    moving: float = 0.0
    ego_noise: float = 0.0
    loudspeaker: float = 0.0
    camera: float = 0.0


@dataclass(frozen=True, slots=True)
class SceneDistribution:
    """What random scenes are drawn from. Ranges are pairs, probabilities numbers from 0 to 1.

    Attributes
    ----------
    name
        Start of the scenes' names.
    duration
        Range of seconds.
    rooms, people, machines, robots, conversation
        See there.
    arrays
        Names of arrays, or array files.
    snr_db
        Range of requested ratios of speech to machines; None to let the levels decide.
    seeds
        Seeds of a benchmark's scenes by split, `dev` and `test`.
    """

    name: str
    duration: Interval
    rooms: Rooms
    people: People = People()
    conversation: Style = field(default_factory=Style)
    machines: Machines = Machines()
    robots: Robots = Robots()
    arrays: tuple[str, ...] = ARRAYS
    snr_db: Interval | None = None
    seeds: dict[str, tuple[int, ...]] = field(default_factory=dict)


def distribution_names() -> list[str]:
    """List the names of the built-in distributions."""
    return sorted(_builtin())


def load_distribution(name_or_path: str | Path) -> SceneDistribution:
    """Load a built-in distribution by its name, or any from a YAML file.

    Raises
    ------
    InputError
        If there is none of this name, or for the first mistake in it.
    """
    path = Path(name_or_path)
    if not path.is_file():
        check_choice(f"distribution {str(name_or_path)!r}: no such file, and the name", str(name_or_path), _builtin())
        path = _builtin()[str(name_or_path)]
    return load_yaml(SceneDistribution, path, "distribution")


def random_scene(distribution: SceneDistribution, seed: int, split: Split) -> Scene:
    """Draw a scene.

    Parameters
    ----------
    distribution
        From what.
    seed
        0 or more; the same one gives the same scene.
    split
        Whose voices to use.

    Raises
    ------
    InputError
        If the data kit has no voices for it, or nothing fits into the rooms.
    """

    def rng(part: int) -> Rng:
        return np.random.default_rng((seed, part))

    duration = round(_between(rng(_TALK), distribution.duration), 1)
    room = _room(rng(_ROOM), distribution.rooms)
    array = _array(rng(_ARRAY), distribution, room, seed, duration)
    talkers, voices = _people(rng(_PEOPLE), distribution, room, array, split, duration)
    equipment = rng(_EQUIPMENT)
    robot = _robot(equipment, distribution.robots)
    speaks = robot.loudspeaker is not None
    turns = converse(voices, distribution.conversation, duration, rng(_TALK), robot_speaks=speaks)
    machines, backgrounds = _machines(rng(_MACHINES), distribution.machines, room, array, duration)
    noisy = bool(machines or backgrounds) and any(turn.talker != "robot" for turn in turns)
    snr = _between(rng(_MACHINES), distribution.snr_db) if distribution.snr_db and noisy else None
    return Scene(
        name=f"{distribution.name}_{split}_{seed}",
        duration=duration,
        room=room,
        array=array,
        microphones=_microphones(equipment, distribution.robots),
        camera=Camera() if equipment.uniform() < distribution.robots.camera else None,
        robot=robot,
        talkers=talkers,
        turns=turns,
        machines=machines,
        backgrounds=backgrounds,
        seed=seed,
        snr_db=None if snr is None else round(snr, 1),
    )


def usable_clips(collection: str, split: Split) -> dict[str, list[Clip]]:
    """List sentences of 1.5 to 10 s by speaker, for those with at least three; longer ones without a transcript."""
    return _usable_clips(collection, split, kit_root())


@cache
def _usable_clips(collection: str, split: Split, root: Path | None) -> dict[str, list[Clip]]:
    speakers = defaultdict(list)
    for clip in packaged_clips() if collection == "packaged" else kit_clips(collection):
        speaker = clip.speaker or ""
        usable = clip.label != "noisy" and not speaker.startswith(LEFT_OUT)
        fits = 1.5 <= clip.duration <= 10 if clip.text else clip.duration <= 20
        if usable and speaker and fits and (split_of(speaker) == split or collection == "packaged"):
            speakers[speaker].append(clip)
    return {speaker: clips for speaker, clips in speakers.items() if len(clips) >= 3 or not clips[0].text}


def _room(rng: Rng, rooms: Rooms) -> Room:
    length, width, height = (round(float(value), 2) for value in rng.uniform(rooms.smallest, rooms.largest))
    rt60 = round(_between(rng, rooms.rt60), 2)
    materials: dict[str, str] = {}
    if rng.uniform() < rooms.varied_walls:
        walls = ("brickwork", "rough_concrete", "plasterboard", "glass_window", "ceiling_metal_panel")
        floors = ("concrete_floor", "linoleum_on_concrete", "carpet_thin")
        ceilings = ("ceiling_fissured_tile", "ceiling_metal_panel", "rough_concrete", "ceiling_plasterboard")
        chosen = {"walls": walls, "floor": floors, "ceiling": ceilings}
        materials = {wall: str(rng.choice(names)) for wall, names in chosen.items()}
    if rng.uniform() < rooms.l_shaped:
        x, y = (round(float(rng.uniform(0.45, 0.65)) * size, 2) for size in (length, width))
        corners: tuple[Point, ...] = ((0.0, 0.0), (length, 0.0), (length, width), (x, width), (x, y), (0.0, y))
        return Room(polygon=corners, height=height, rt60=rt60, materials=materials)
    return Room(size=(length, width, height), rt60=rt60, materials=materials)


def _array(rng: Rng, distribution: SceneDistribution, room: Room, seed: int, duration: float) -> ArrayPose:
    robots = distribution.robots
    geometry = distribution.arrays[seed % len(distribution.arrays)]
    high = 0.5 * room.ceiling
    position = place_inside(rng, room, (min(1.0, high), min(1.3, high + 0.05)), margin=0.25 * min(extent(room)))
    yaw = round(float(rng.uniform(-180, 180)), 1)
    # Flat arrays lie on top of a robot, where nothing shadows them; those with height are built around a head.
    positions = load_array(geometry).positions
    radius = float(np.linalg.norm(positions[:, :2] - positions[:, :2].mean(axis=0), axis=1).max())
    around_head = rng.uniform() < robots.on_body and np.ptp(positions[:, 2]) > 0.02
    body = round(radius, 3) if around_head else None
    if rng.uniform() >= robots.moving:
        return ArrayPose(geometry, position, yaw, body_radius=body)
    path, time = [PoseWaypoint(0.0, position, yaw)], 0.0
    while time < duration - 1.5:
        start, wait = path[-1], round(float(rng.uniform(1.0, 5.0)), 1)
        path.append(PoseWaypoint(time + wait, start.position, start.yaw_deg))
        turn = round(float(rng.choice([-1, 1]) * rng.uniform(20, 80)), 1)
        heading = start.yaw_deg + turn
        turning = round(abs(turn) / float(rng.uniform(25, 60)), 1)
        path.append(PoseWaypoint(time + wait + turning, start.position, heading))
        time = path[-1].time
        goal = free_step(rng, room, start.position, heading, (0.5, 2.5))
        if goal is not None and rng.uniform() < 0.6:
            time += max(0.5, math.dist(goal, start.position) / float(rng.uniform(0.2, 0.6)))
            path.append(PoseWaypoint(round(time, 1), goal, heading))
            time = path[-1].time
    return ArrayPose(geometry, path=tuple(path), body_radius=body)


def _people(
    rng: Rng, distribution: SceneDistribution, room: Room, array: ArrayPose, split: Split, duration: float
) -> tuple[tuple[Talker, ...], dict[str, Voice]]:
    people = distribution.people
    number = int(rng.integers(int(people.number[0]), int(people.number[1]) + 1))
    talkers: list[Talker] = []
    voices: dict[str, Voice] = {}
    used: set[str] = set()
    ahead = math.degrees(float(array.pose.yaw(0.0)))
    angles = [ahead + angle for angle in angles_apart(rng, number, people.min_angle_deg, people.ahead_deg)]
    for index, angle in enumerate(angles, 1):
        name = f"talker_{index}"
        voice, spoken = _voice(rng, people, split, used)
        used.add(voice)
        place = place_around(rng, room, array, angle, people.distance)
        path = walk(rng, room, array, place, duration) if rng.uniform() < people.walking else ()
        habit, covered = str(rng.choice(HABITS)), str(rng.choice(OCCLUSIONS)) if rng.uniform() < 0.15 else "none"
        face = None if rng.uniform() < people.hidden else Face(habit=habit, occlusion=covered)
        level, lombard = round(_between(rng, people.level_db), 1), round(_between(rng, people.lombard), 2)
        talkers.append(
            Talker(
                name, (voice,), None if path else place, path, level, lombard, spoken.pitch, face=face
            )
        )  # fmt: skip
        voices[name] = spoken
    return tuple(talkers), voices


def _voice(rng: Rng, people: People, split: Split, used: set[str]) -> tuple[str, Voice]:
    """Choose somebody who does not speak yet; the synthetic voice serves several people, at different pitches."""
    shares = people.collections
    pools = {name: usable_clips(name, split) for name in shares if name != "synthesis"}
    choices = [name for name in shares if name == "synthesis" or set(pools[name]) - used]
    if not choices:
        raise InputError(
            f"the data kit has no voices left of {', '.join(shares)} for {split}; set HEARING_DATA to the kit, "
            "or add synthesis to people.collections"
        )
    weights = np.array([shares[name] for name in choices])
    collection = str(rng.choice(choices, p=weights / weights.sum()))
    if collection == "synthesis":
        return "synthesis", Voice(pitch=round(float(rng.uniform(0.82, 1.2)), 2))
    pool = pools[collection]
    speaker = str(rng.choice(sorted(set(pool) - used)))
    clips = pool[speaker]
    return speaker, Voice(tuple(clips[i] for i in rng.permutation(len(clips))))


def _machines(
    rng: Rng, machines: Machines, room: Room, array: ArrayPose, duration: float
) -> tuple[tuple[Machine, ...], tuple[Background, ...]]:
    made = []
    for index in range(int(rng.integers(int(machines.number[0]), int(machines.number[1]) + 1))):
        recorded = rng.uniform() < machines.recorded
        kind = "recording" if recorded else str(rng.choice(machines.kinds))
        place = place_away(rng, room, array)
        goal = free_step(rng, room, place, float(rng.uniform(-180, 180)), (2.0, 8.0)) if kind == "forklift" else None
        path: tuple[Waypoint, ...] = ()
        if goal is not None and nearest(array, goal) > 1.2:
            path = (Waypoint(0.0, place), Waypoint(max(2.0, min(duration, math.dist(goal, place) / 0.8)), goal))
        made.append(
            Machine(
                name=f"{kind}_{index}",
                kind=kind,
                position=None if path else place,
                path=path,
                level_db=round(_between(rng, machines.level_db), 1),
                speed_rpm=round(float(rng.uniform(600, 1800))) if kind in ("motor", "fan", "compressor") else None,
                recording=str(rng.choice(RECORDINGS)) if recorded else None,
            )
        )
    backgrounds = tuple(
        Background(kind, round(_between(rng, machines.background_db), 1)) for kind in machines.backgrounds
    )
    return tuple(made), backgrounds


def _robot(rng: Rng, robots: Robots) -> Robot:
    fan, head, wheels = (round(float(value), 1) for value in rng.uniform((34, 50, 55), (48, 62, 66)))
    ego = EgoNoise(fan, head, wheels) if rng.uniform() < robots.ego_noise else None
    loudspeaker = Loudspeaker(
        level_db=round(float(rng.uniform(58, 70)), 1),
        delay=round(float(rng.uniform(0.0, 0.12)), 3),
        distortion=round(float(rng.uniform(0.0, 0.4)), 2),
    )
    return Robot(ego, loudspeaker if rng.uniform() < robots.loudspeaker else None)


def _microphones(rng: Rng, robots: Robots) -> Microphones:
    gain, phase, place, clock = rng.uniform((0.1, 0.5, 0.0002, -40), (1.0, 5.0, 0.002, 40))
    if rng.uniform() >= robots.imperfect_microphones:
        return Microphones()
    return Microphones(
        self_noise_db=round(float(rng.uniform(26, 36)), 1),
        gain_spread_db=round(float(gain), 2),
        phase_spread_deg=round(float(phase), 2),
        position_spread=round(float(place), 4),
        clock_ppm=round(float(clock), 1),
    )


def _between(rng: Rng, interval: Interval) -> float:
    return float(rng.uniform(*interval))


def _builtin() -> dict[str, Path]:
    """Return the files of the built-in distributions by name: those of the simulator, and FactoryBench's."""
    folders = (resources.files("hearing_sim") / "distributions", resources.files("hearing_datasets") / "factorybench")
    return {path.stem: path for folder in folders for path in Path(str(folder)).glob("*.yaml")}
