"""What one part of a scene's description demands of another; every mistake is one clear error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from hearing_sim.schema import check_choice
from numpy.typing import ArrayLike, NDArray

from hearing.errors import InputError

if TYPE_CHECKING:
    from hearing_sim.scene import Room, Scene, Talker

MACHINE_KINDS = (
    "motor",
    "fan",
    "compressor",
    "press",
    "grinder",
    "cnc",
    "welder",
    "conveyor",
    "forklift",
    "air_burst",
    "alarm",
    "announcement",
    "radio",
    "recording",
)
BACKGROUND_KINDS = ("hall", "ventilation", "babble", "recording")
TURN_KINDS = ("statement", "question", "command", "answer", "correction", "backchannel", "side_talk", "barge_in")
MOTION_STATES = ("idle", "head_turning", "driving")
HABITS = ("still", "nodding", "chewing", "smiling", "yawning")
OCCLUSIONS = ("none", "mask", "hand", "cup")
ARRANGEMENTS = ("free", "one_walks", "swap", "in_line", "off_screen")

MAX_LEVEL_DB = 200.0
"""Far more than anything sounds; a mixture of such levels is still one of finite numbers."""
MAX_SPEED = 15.0
"""Metres per second; nothing in a hall is faster."""


def check_scene(scene: Scene) -> None:
    """Raise InputError for the first contradiction in a scene."""
    if not 0 < scene.duration <= 3600:
        raise InputError(f"duration is {scene.duration} s; give more than 0 and at most 3600 seconds")
    if scene.seed < 0:
        raise InputError(f"seed is {scene.seed}; give 0 or more")
    check_room(scene.room)
    for what, level in _levels(scene):
        if not -MAX_LEVEL_DB <= level <= MAX_LEVEL_DB:
            raise InputError(f"{what} is {level:g} dB; give at most {MAX_LEVEL_DB:g} dB either way")
    _check_names(scene)
    _check_places(scene)
    for talker in scene.talkers:
        _check_talker(talker, scene)
    _check_turns(scene)
    _check_machines(scene)
    _check_equipment(scene)
    if scene.snr_db is not None and not (scene.turns and (scene.machines or scene.backgrounds)):
        raise InputError("snr_db needs at least one turn and one machine or background; remove it, or add them")


def check_room(room: Room) -> None:
    """Raise InputError if a room has no shape or no sound; the names of materials are checked when it is built."""
    if (room.size is None) == (not room.polygon):
        raise InputError("room: give either size: [x, y, z] or polygon: [[x, y], ...] with height")
    if room.size is not None:
        if min(room.size) <= 0 or (room.rt60 or 0) < 0:
            raise InputError("room: size must be positive, and rt60 not negative")
        if room.height is not None:
            raise InputError("room: height belongs to a polygon; size has the height as its third number")
    else:
        if room.height is None or room.height <= 0 or (room.rt60 or 0) < 0:
            raise InputError("room: a polygon needs a positive height, and rt60 must not be negative")
        if len(room.polygon) < 3 or _area(room.polygon) <= 0:
            raise InputError("room: a polygon needs three or more corners, listed counter-clockwise")
    if room.rt60 is None and not room.materials:
        raise InputError("room: nothing says how it sounds; give rt60, or materials: {walls: NAME, ...}")
    if room.rt60 == 0 and room.materials:
        raise InputError("room: rt60 0 is a room without reflections, where materials mean nothing; drop either")


def inside(room: Room, positions: ArrayLike) -> NDArray[np.bool_]:
    """Tell which positions of shape (..., 3) are strictly inside a room."""
    positions = np.asarray(positions, dtype=np.float64)
    x, y, z = np.moveaxis(positions, -1, 0)
    starts = np.array(room.corners)
    ends = np.roll(starts, -1, axis=0)
    # A ray along x crosses the outline an odd number of times if it starts inside.
    with np.errstate(divide="ignore", invalid="ignore"):
        at = starts[:, 0] + (y[..., None] - starts[:, 1]) / (ends[:, 1] - starts[:, 1]) * (ends[:, 0] - starts[:, 0])
    crosses = ((starts[:, 1] > y[..., None]) != (ends[:, 1] > y[..., None])) & (x[..., None] < at)
    within: NDArray[np.bool_] = (crosses.sum(axis=-1) % 2 == 1) & (z > 0) & (z < room.ceiling)
    if room.size is not None:  # exact on the walls
        within &= np.all((positions > 0) & (positions < np.array(room.size)), axis=-1)
    return within


def _levels(scene: Scene) -> Iterable[tuple[str, float]]:
    yield "microphones.self_noise_db", scene.microphones.self_noise_db
    yield "microphones.full_scale_db", scene.microphones.full_scale_db or 0.0
    yield "microphones.gain_spread_db", scene.microphones.gain_spread_db
    yield "snr_db", scene.snr_db or 0.0
    yield from ((f"level_db of {source.name}", source.level_db) for source in (*scene.talkers, *scene.machines))
    yield from ((f"level_db of the background {noise.kind}", noise.level_db) for noise in scene.backgrounds)
    if scene.robot.loudspeaker is not None:
        yield "level_db of the robot's loudspeaker", scene.robot.loudspeaker.level_db
    if scene.robot.ego_noise is not None:
        ego = scene.robot.ego_noise
        yield from (("robot.ego_noise", level) for level in (ego.fan_db, ego.head_db, ego.wheels_db))


def _check_names(scene: Scene) -> None:
    names = [*(t.name for t in scene.talkers), *(m.name for m in scene.machines)]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(f"the name {min(twice)!r} is used twice; give every talker and machine its own")
    if "robot" in names:
        raise InputError("'robot' is the robot's own name; give the talker or machine another one")


def _check_places(scene: Scene) -> None:
    movers: list[tuple[str, Any]] = [
        ("the array", scene.array),
        *((f"talker {talker.name}", talker) for talker in scene.talkers),
        *((f"machine {machine.name}", machine) for machine in scene.machines),
    ]
    for what, mover in movers:
        if (mover.position is None) == (not mover.path):
            raise InputError(f"{what}: give either position: [x, y, z] or path: [{{time, position}}, ...]")
        _check_path(what, mover.path)
        for position in [waypoint.position for waypoint in mover.path] or [mover.position]:
            if not inside(scene.room, position):
                size = f" of {list(scene.room.size)} m" if scene.room.size is not None else ""
                raise InputError(f"{what} at {list(position)} is outside the room{size}; move it")


def _check_path(what: str, path: Sequence[Any]) -> None:
    for earlier, later in pairwise(path):
        if later.time <= earlier.time:
            raise InputError(f"{what}: the times of its path do not rise at {later.time:g} s; sort them")
        speed = float(np.linalg.norm(np.subtract(later.position, earlier.position))) / (later.time - earlier.time)
        if speed > MAX_SPEED:
            raise InputError(f"{what} moves at {speed:.0f} m/s at {earlier.time:g} s; give it more time")


def _check_talker(talker: Talker, scene: Scene) -> None:
    if not talker.voice:
        raise InputError(f"talker {talker.name} has no voice; name a recorded speaker or 'synthesis'")
    if not 0.5 <= talker.pitch <= 2:
        raise InputError(f"talker {talker.name}: pitch is {talker.pitch:g}; give a factor between 0.5 and 2")
    if not 0 <= talker.lombard <= 1:
        raise InputError(f"talker {talker.name}: lombard is {talker.lombard:g}; give 0 to 1 dB per dB")
    if talker.looks_at is not None:
        check_choice(f"talker {talker.name}: looks_at {talker.looks_at!r}", talker.looks_at, ["ahead", *_names(scene)])
    if talker.present is not None and not talker.present[0] < talker.present[1]:
        raise InputError(f"talker {talker.name} leaves before he comes; give present: [from, to] in seconds")
    if talker.face is not None:
        check_choice(f"talker {talker.name}: habit {talker.face.habit!r}", talker.face.habit, HABITS)
        check_choice(f"talker {talker.name}: occlusion {talker.face.occlusion!r}", talker.face.occlusion, OCCLUSIONS)


def _check_turns(scene: Scene) -> None:
    speakers = [talker.name for talker in scene.talkers]
    speakers += ["robot"] if scene.robot.loudspeaker is not None else []
    for turn in scene.turns:
        check_choice(f"talker {turn.talker!r} of a turn", turn.talker, speakers)
        check_choice(f"kind {turn.kind!r} of a turn of {turn.talker}", turn.kind, TURN_KINDS)
        if turn.to is not None:
            check_choice(f"the turn of {turn.talker}: to {turn.to!r}", turn.to, _names(scene))
        if turn.text is not None and not turn.text.strip():
            raise InputError(f"a turn of {turn.talker} has an empty text; say something, or drop the turn")
        if turn.breaks_off_after is not None and turn.breaks_off_after <= 0:
            raise InputError(f"a turn of {turn.talker} breaks off before it starts; drop it, or give more seconds")


def _check_machines(scene: Scene) -> None:
    for machine in scene.machines:
        what = f"machine {machine.name}"
        check_choice(f"{what}: kind {machine.kind!r}", machine.kind, MACHINE_KINDS)
        if (machine.kind == "recording") != (machine.recording is not None):
            raise InputError(f"{what}: kind 'recording' and the key 'recording' go together")
        if machine.text is not None and machine.kind != "announcement":
            raise InputError(f"{what}: only an announcement has a text; drop it")
        if machine.speed_rpm is not None and machine.speed_rpm <= 0:
            raise InputError(f"{what}: speed_rpm must be positive; drop it for the kind's own")
        times = [time for time, _ in machine.speed_profile]
        if times != sorted(set(times)) or min((factor for _, factor in machine.speed_profile), default=0.0) < 0:
            raise InputError(f"{what}: speed_profile needs rising times and factors of 0 or more")
        if any(start >= end for start, end in machine.on):
            raise InputError(f"{what}: on needs pairs [from, to] in seconds, from before to")
    for noise in scene.backgrounds:
        check_choice(f"kind {noise.kind!r} of a background", noise.kind, BACKGROUND_KINDS)
        if (noise.kind == "recording") != (noise.recording is not None):
            raise InputError("a background: kind 'recording' and the key 'recording' go together")


def _check_equipment(scene: Scene) -> None:
    microphones, camera, radius = scene.microphones, scene.camera, scene.array.body_radius
    spreads = (microphones.gain_spread_db, microphones.phase_spread_deg, microphones.position_spread)
    if min(spreads) < 0 or microphones.position_spread > 0.1:
        raise InputError("microphones: spreads must not be negative, and position_spread at most 0.1 m")
    if abs(microphones.clock_ppm) > 1000:
        raise InputError(f"microphones: clock_ppm is {microphones.clock_ppm:g}; give at most 1000 either way")
    if radius is not None and not 0.01 <= radius <= 1:
        raise InputError(f"array: body_radius is {radius:g} m; give 0.01 to 1, or drop it")
    if camera is not None:
        if min(camera.width, camera.height) < 16 or max(camera.width, camera.height) > 4096:
            raise InputError("camera: width and height must be between 16 and 4096 pixels")
        if not (5 <= camera.hfov_deg <= 150 and 1 <= camera.fps <= 120 and 0 <= camera.exposure <= 1 / camera.fps):
            raise InputError("camera: hfov_deg must be 5 to 150, fps 1 to 120, and exposure within a frame")
        if not 0 < camera.light <= 2:
            raise InputError(f"camera: light is {camera.light:g}; give more than 0 and at most 2, 1 being well lit")
    speaker = scene.robot.loudspeaker
    if speaker is not None and not (0 <= speaker.delay <= 1 and 0 <= speaker.distortion <= 1):
        raise InputError("robot.loudspeaker: delay must be 0 to 1 s and distortion 0 to 1")
    for change in scene.robot.states:
        check_choice(f"robot.states: state {change.state!r}", change.state, MOTION_STATES)
    times = [change.time for change in scene.robot.states]
    if times != sorted(set(times)):
        raise InputError("robot.states: the times do not rise; sort them")


def _names(scene: Scene) -> list[str]:
    return ["robot", *(talker.name for talker in scene.talkers), *(machine.name for machine in scene.machines)]


def _area(corners: Sequence[tuple[float, float]]) -> float:
    """Area of a polygon, positive if its corners go round counter-clockwise (shoelace formula)."""
    x, y = np.array(corners).T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)
