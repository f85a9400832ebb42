"""Random scenes: rooms, robots, people and machines, drawn from a distribution (`hearing_sim.distribution`).

The same seed gives the same scene everywhere. Every part of a scene has its own stream of randomness, and none is read
twice: what is drawn for one part says nothing about another.
"""

from __future__ import annotations

import math
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
from hearing_datasets import Clip, Split, kit_clips, kit_root, packaged_clips, split_of
from hearing_datasets.splits import kit_splits
from hearing_sim.checks import ARRANGEMENTS, HABITS, OCCLUSIONS
from hearing_sim.conversation import Voice, converse
from hearing_sim.distribution import RECORDINGS, Interval, Machines, People, Robots, Rooms, SceneDistribution
from hearing_sim.motion import PoseWaypoint, Vector, Waypoint
from hearing_sim.placement import (
    Floor,
    NoRoomError,
    arrange,
    drive,
    extent,
    free_step,
    place_aside,
    place_away,
    place_behind,
    place_inside,
    swap,
    walk,
)
from hearing_sim.scene import (
    ROBOT,
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
from hearing_sim.schema import check_choice

from hearing.arrays import load_array
from hearing.errors import InputError

Rng = np.random.Generator

LEFT_OUT = ("sb-spk2", "so762-8", "so762-9")
"""Speakers whose transcripts are wrong, and beginners of whose clean recordings good recognizers get half wrong."""
OFF_SCREEN = 25.0
"""Degrees beyond `ahead_deg` from which on nobody is in the picture."""
ATTEMPTS = 10
"""How often a scene is drawn anew in which not everybody fits."""
_DURATION, _ROOM, _ARRAY, _EQUIPMENT, _MACHINES, _PLACES, _WALKS, _PEOPLE, _TALK, _SNR, _FACES = range(200, 211)
"""Streams of randomness, one for each part; other ones than those that the simulation of a scene draws from."""


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
    error: NoRoomError | None = None
    for attempt in range(ATTEMPTS):
        try:
            return _draw(distribution, seed, split, attempt)
        except NoRoomError as refused:
            error = refused
    raise InputError(f"{error} (no scene in {ATTEMPTS} attempts)")


def _draw(distribution: SceneDistribution, seed: int, split: Split, attempt: int) -> Scene:
    def rng(part: int) -> Rng:
        return np.random.default_rng((seed, part, attempt))

    duration = round(_between(rng(_DURATION), distribution.duration), 1)
    room = _room(rng(_ROOM), distribution.rooms)
    array = _array(rng(_ARRAY), distribution, room, seed, duration)
    floor = Floor(room, array, duration)
    # People come last: they walk around machines, no machine makes way for them.
    machines, backgrounds = _machines(rng(_MACHINES), distribution.machines, floor)
    arrangement = distribution.people.arrangements[seed % len(distribution.people.arrangements)]
    ways = _ways(rng(_PLACES), rng(_WALKS), distribution.people, floor, arrangement)
    talkers, voices = _people(rng(_PEOPLE), rng(_FACES), distribution.people, ways, split)
    equipment = rng(_EQUIPMENT)
    robot = _robot(equipment, distribution.robots)
    speaks = robot.loudspeaker is not None
    silence = _silence(ways) if arrangement == "swap" else None
    turns = converse(voices, distribution.conversation, duration, rng(_TALK), speaks, silence)
    noisy = bool(machines or backgrounds) and any(turn.talker != "robot" for turn in turns)
    snr = _between(rng(_SNR), distribution.snr_db) if distribution.snr_db and noisy else None
    return Scene(
        name=f"{distribution.name}_{split}_{seed}",
        duration=duration,
        room=room,
        array=array,
        microphones=_microphones(equipment, distribution.robots),
        camera=_camera(seed, distribution.robots) if equipment.uniform() < distribution.robots.camera else None,
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


def _ways(places: Rng, walks: Rng, people: People, floor: Floor, arrangement: str) -> dict[str, tuple[Waypoint, ...]]:
    """Place people and let some of them walk; whoever stands still has one waypoint."""
    check_choice(f"distribution: people.arrangements: {arrangement!r}", arrangement, ARRANGEMENTS)
    number = int(places.integers(int(people.number[0]), int(people.number[1]) + 1))
    arranged = _places(places, people, floor, arrangement, number)
    ways = {f"talker_{index}": (Waypoint(0.0, place),) for index, place in enumerate(arranged, 1)}
    for name, way in ways.items():
        floor.put(name, way)
    if arrangement == "swap":
        starts = {name: start.position for name, (start,) in ways.items()}
        return ways | swap(walks, floor, starts, round(floor.duration / 2, 1))
    walker = str(walks.choice(sorted(ways))) if arrangement == "one_walks" else None
    for name, (start,) in ways.items():
        if name == walker or (walker is None and walks.uniform() < people.walking):
            ways[name] = walk(walks, floor, name, start.position) or (start,)
            floor.put(name, ways[name])
    return ways


def _places(rng: Rng, people: People, floor: Floor, arrangement: str, number: int) -> list[Vector]:
    if arrangement not in ("in_line", "off_screen"):
        return arrange(rng, floor, number, people.distance, people.min_angle_deg, people.ahead_deg)
    places = arrange(rng, floor, number - 1, people.distance, people.min_angle_deg, people.ahead_deg)
    if arrangement == "in_line":
        return [*places, place_behind(rng, floor, places, people.distance[1])]
    return [*places, place_aside(rng, floor, places, people.distance, people.ahead_deg + OFF_SCREEN)]


def _silence(ways: dict[str, tuple[Waypoint, ...]]) -> Interval:
    """Return when those walk who change places."""
    path = next(way for way in ways.values() if len(way) > 1)
    return path[1].time, path[-1].time


def _people(
    rng: Rng, faces: Rng, people: People, ways: dict[str, tuple[Waypoint, ...]], split: Split
) -> tuple[tuple[Talker, ...], dict[str, Voice]]:
    known = kit_splits()[split]["faces"] if kit_root() is not None else []
    attentive = faces.uniform(size=len(ways)) < people.attentive
    identities = [*faces.permutation(known).tolist(), *[None] * len(ways)]
    talkers: list[Talker] = []
    voices: dict[str, Voice] = {}
    used: set[str] = set()
    for (name, way), identity, looks in zip(ways.items(), identities, attentive, strict=False):
        voice, spoken = _voice(rng, people, split, used)
        used.add(voice)
        habit, covered = str(rng.choice(HABITS)), str(rng.choice(OCCLUSIONS)) if rng.uniform() < 0.15 else "none"
        talkers.append(
            Talker(
                name,
                (voice,),
                position=way[0].position if len(way) == 1 else None,
                path=way if len(way) > 1 else (),
                level_db=round(_between(rng, people.level_db), 1),
                lombard=round(_between(rng, people.lombard), 2),
                pitch=spoken.pitch,
                looks_at=ROBOT if looks else None,
                face=None if rng.uniform() < people.hidden else Face(identity, habit, covered),
            )
        )
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


def _machines(rng: Rng, machines: Machines, floor: Floor) -> tuple[tuple[Machine, ...], tuple[Background, ...]]:
    made = []
    for index in range(int(rng.integers(int(machines.number[0]), int(machines.number[1]) + 1))):
        recorded = rng.uniform() < machines.recorded
        kind = "recording" if recorded else str(rng.choice(machines.kinds))
        place = place_away(rng, floor)
        path = drive(rng, floor, place, 0.8) if kind == "forklift" else ()
        floor.put(f"{kind}_{index}", path or (Waypoint(0.0, place),))
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


def _camera(seed: int, robots: Robots) -> Camera:
    return Camera(fps=robots.fps[seed % len(robots.fps)])


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
