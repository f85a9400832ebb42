"""The description of a scene: what a YAML file may say, checked.

Positions are in metres in the room frame: its origin is one corner of the floor, x and y along the walls, z up.
Levels are in dB SPL (root mean square) at 1 m.
"""

from __future__ import annotations

import difflib
import math
import types
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
import yaml
from numpy.typing import NDArray

from hearing.errors import InputError

Vector = tuple[float, float, float]
T = TypeVar("T")

MACHINE_KINDS = ("motor", "fan", "compressor", "recording")
MAX_LEVEL_DB = 200.0
"""Far more than anything sounds; a mixture of such levels is still one of finite numbers."""


@dataclass(frozen=True, slots=True)
class Room:
    """A rectangular room.

    Attributes
    ----------
    size
        Length, width and height in metres.
    rt60
        Reverberation time in seconds that the absorption of the walls is chosen for.
    """

    size: Vector
    rt60: float


@dataclass(frozen=True, slots=True)
class ArrayPose:
    """The microphone array and where it stands.

    Attributes
    ----------
    geometry
        Name of a built-in array, or a YAML file.
    position
        Origin of the array frame in the room.
    yaw_deg
        Rotation of the array frame about z, in degrees counter-clockwise.
    """

    geometry: str
    position: Vector
    yaw_deg: float = 0.0

    @property
    def rotation(self) -> NDArray[np.float64]:
        """Matrix of shape (3, 3) that turns vectors of the array frame into the room frame."""
        cos, sin = math.cos(math.radians(self.yaw_deg)), math.sin(math.radians(self.yaw_deg))
        return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])

    def to_room(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move points of shape (..., 3) from the array frame into the room frame."""
        moved: NDArray[np.float64] = points @ self.rotation.T + np.array(self.position)
        return moved

    def to_array(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move points of shape (..., 3) from the room frame into the array frame."""
        moved: NDArray[np.float64] = (points - np.array(self.position)) @ self.rotation
        return moved


@dataclass(frozen=True, slots=True)
class Talker:
    """Somebody who speaks.

    Attributes
    ----------
    name
        The speaker's name in the reference.
    voice
        Whose recordings to use, in order of preference: a speaker of the data kit or of the packaged clips, or
        `synthesis`. The first one that this machine has is taken.
    position
        The mouth in the room.
    level_db
        How loud.
    """

    name: str
    voice: tuple[str, ...]
    position: Vector
    level_db: float = 60.0


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that a talker says.

    Attributes
    ----------
    talker
        Who.
    gap
        Seconds from the end of everything said before to the start of this turn; negative for an overlap.
    clip
        Name of a recorded clip of the talker's voice; without it the voice's next clip is taken.
    text
        What to say, if the voice is synthesis.
    addressed_to_robot
        True if it is said to the robot.
    """

    talker: str
    gap: float
    clip: str | None = None
    text: str | None = None
    addressed_to_robot: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """A source of noise.

    Attributes
    ----------
    name
        What the reference calls it.
    kind
        `motor` (with gear train), `fan`, `compressor`, or `recording`.
    position
        Where it stands in the room.
    level_db
        How loud. With `snr_db` in the scene only the differences between the machines count.
    speed_rpm
        Revolutions per minute; each kind has its own default.
    recording
        Name of a noise clip of the data kit, for kind `recording`.
    """

    name: str
    kind: str
    position: Vector
    level_db: float = 60.0
    speed_rpm: float | None = None
    recording: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that is needed to render a recording.

    Attributes
    ----------
    name
        Name of the scene, and session id in the reference.
    duration
        Seconds.
    room, array, talkers, turns, machines
        What is in the scene.
    seed
        Seed of all randomness.
    snr_db
        If given, the machines are scaled together to this ratio between the power of the speech while somebody speaks
        and the power of the machines, both at the microphones.
    self_noise_db
        Equivalent input noise of every microphone in dB SPL.
    """

    name: str
    duration: float
    room: Room
    array: ArrayPose
    talkers: tuple[Talker, ...] = ()
    turns: tuple[Turn, ...] = ()
    machines: tuple[Machine, ...] = ()
    seed: int = 0
    snr_db: float | None = None
    self_noise_db: float = 30.0

    def __post_init__(self) -> None:
        """Check what one part of the description demands of another."""
        if not 0 < self.duration <= 3600:
            raise InputError(f"duration is {self.duration} s; give more than 0 and at most 3600 seconds")
        if min(self.room.size) <= 0 or self.room.rt60 <= 0:
            raise InputError("room: size and rt60 must be positive")
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}; give 0 or more")
        for what, level in self._levels():
            if not -MAX_LEVEL_DB <= level <= MAX_LEVEL_DB:
                raise InputError(f"{what} is {level:g} dB; give at most {MAX_LEVEL_DB:g} dB either way")
        _check_unique([*(t.name for t in self.talkers), *(m.name for m in self.machines)])
        for what, position in self._positions():
            if not all(0 < x < size for x, size in zip(position, self.room.size, strict=True)):
                raise InputError(f"{what} at {list(position)} is outside the room of {list(self.room.size)} m; move it")
        for talker in self.talkers:
            if not talker.voice:
                raise InputError(f"talker {talker.name} has no voice; name a recorded speaker or 'synthesis'")
        for turn in self.turns:
            _check_choice(f"talker {turn.talker!r} of a turn", turn.talker, [t.name for t in self.talkers])
            if turn.text is not None and not turn.text.strip():
                raise InputError(f"a turn of {turn.talker} has an empty text; say something, or drop the turn")
        for machine in self.machines:
            _check_choice(f"machine {machine.name}: kind {machine.kind!r}", machine.kind, MACHINE_KINDS)
            if (machine.kind == "recording") != (machine.recording is not None):
                raise InputError(f"machine {machine.name}: kind 'recording' and the key 'recording' go together")
            if machine.speed_rpm is not None and machine.speed_rpm <= 0:
                raise InputError(f"machine {machine.name}: speed_rpm must be positive; drop it for the kind's own")
        if self.snr_db is not None and not (self.turns and self.machines):
            raise InputError("snr_db needs at least one turn and one machine; remove it, or add them")

    def _levels(self) -> Iterable[tuple[str, float]]:
        yield "self_noise_db", self.self_noise_db
        yield "snr_db", self.snr_db or 0.0
        yield from ((f"level_db of {source.name}", source.level_db) for source in (*self.talkers, *self.machines))

    def _positions(self) -> Iterable[tuple[str, Vector]]:
        yield "the array", self.array.position
        yield from ((f"talker {talker.name}", talker.position) for talker in self.talkers)
        yield from ((f"machine {machine.name}", machine.position) for machine in self.machines)


def scene_names() -> list[str]:
    """List the names of the built-in scenes."""
    return sorted(path.name.removesuffix(".yaml") for path in _builtin().iterdir() if path.name.endswith(".yaml"))


def load_scene(name_or_path: str | Path) -> Scene:
    """Load a built-in scene by its name, or any scene from a YAML file.

    Raises
    ------
    InputError
        If there is no such scene, or for the first mistake in it.
    """
    path = Path(name_or_path)
    if not path.is_file():
        _check_choice(f"scene {str(name_or_path)!r}: no such file, and the name", str(name_or_path), scene_names())
        path = Path(str(_builtin())) / f"{name_or_path}.yaml"
    try:
        scene: Scene = _parse(Scene, yaml.safe_load(path.read_text(encoding="utf-8")), "scene")
        return scene
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a YAML file ({' '.join(str(error).split())})") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _builtin() -> Any:
    return resources.files("hearing_sim") / "scenes"


def _parse(kind: Any, value: Any, where: str) -> Any:
    """Turn what YAML gave into `kind`: a dataclass, a tuple of something, an optional or a plain type."""
    if isinstance(kind, type) and is_dataclass(kind):
        return _parse_fields(kind, value, where)
    if get_origin(kind) is types.UnionType:
        return None if value is None else _parse(get_args(kind)[0], value, where)
    if get_origin(kind) is tuple:
        item, *rest = get_args(kind)
        if rest == [...]:
            items = [value] if item is str and isinstance(value, str) else value
            if isinstance(items, list):
                return tuple(_parse(item, entry, f"{where}[{i}]") for i, entry in enumerate(items))
            raise InputError(f"{where} must be a list, not {value!r}")
        if isinstance(value, list) and len(value) == 3:
            return tuple(_parse(float, entry, where) for entry in value)
        raise InputError(f"{where} must be three numbers [x, y, z], not {value!r}")
    if kind is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if kind is not float and type(value) is kind:
        return value
    names = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}
    raise InputError(f"{where} must be {names[kind]}, not {value!r}")


def _parse_fields(kind: type[T], value: Any, where: str) -> T:
    if not isinstance(value, dict):
        raise InputError(f"{where} must be a mapping with keys, not {value!r}")
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for key in value:
        _check_choice(f"{where}: key {key!r}", str(key), list(known))
    missing = [name for name, field in known.items() if field.default is MISSING and name not in value]
    if missing:
        raise InputError(f"{where} lacks the key {missing[0]!r}; add it")
    hints = get_type_hints(kind)
    return kind(**{key: _parse(hints[key], entry, f"{where}.{key}") for key, entry in value.items()})


def _check_choice(what: str, value: str, choices: Iterable[str]) -> None:
    choices = list(choices)
    if value not in choices:
        close = difflib.get_close_matches(value, choices, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(choices) or 'none'}"
        raise InputError(f"{what} is unknown; {hint}")


def _check_unique(names: list[str]) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(f"the name {min(twice)!r} is used twice; give every talker and machine its own")
