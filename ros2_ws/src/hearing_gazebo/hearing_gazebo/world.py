"""Reads what acoustics needs of an SDF world: where models, their links and actors are, and the walls of the hall.

What Gazebo would refuse is not looked for here: libsdformat does that. Poses count from the element around them;
`relative_to`, nested models and included files are not understood.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
from hearing_sim.schema import check_choice

from hearing.errors import InputError
from hearing_gazebo.poses import IDENTITY, FloatArray, Pose, Script

FACTORY = Path(__file__).with_name("worlds") / "factory.sdf"
"""The world that comes with the package."""
WALLS = {"west": (0, 1), "east": (0, -1), "south": (1, 1), "north": (1, -1), "floor": (2, 1), "ceiling": (2, -1)}
"""Links of a hall: the axis across each wall, and on which side of it the hall is."""


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """A box among the collisions of a link: its pose in the link, and its size of shape (3,) in metres."""

    pose: Pose
    size: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A model.

    Attributes
    ----------
    pose
        Where it is in the world when the simulation starts.
    static
        Whether it stays there.
    links
        Poses of its links in the model, by name.
    boxes
        Boxes of its links, by the link's name.
    fixed
        The links that others are fixed to by joints, by the others' names.
    """

    pose: Pose
    static: bool
    links: dict[str, Pose]
    boxes: dict[str, tuple[Box, ...]]
    fixed: dict[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """A world: its name, and its models and actors by their names."""

    name: str
    models: dict[str, Model]
    actors: dict[str, Script]

    def model(self, name: str, where: str) -> Model:
        """Return a model; raise InputError, which says where it is asked for, if there is none."""
        check_choice(f"{where}: model {name!r}", name, self.models)
        return self.models[name]

    def hall(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Return the lower and upper corner, of shape (3,) each, of the room inside a model's six walls.

        Raises
        ------
        InputError
            If there is no such model, or it is not a shoe box of six walls along the world's axes.
        """
        hall = self.model(name, "hall")
        corners = np.zeros((2, 3))
        for wall, (axis, side) in WALLS.items():
            boxes = hall.boxes.get(wall, ())
            if len(boxes) != 1:
                raise InputError(f"model {name!r}: give it a link {wall!r} with one box as its collision")
            pose = hall.pose @ hall.links[wall] @ boxes[0].pose
            turned = np.abs(pose.rotation)
            if not np.allclose(turned, np.rint(turned), atol=1e-3):
                raise InputError(f"model {name!r}: the wall {wall!r} must stand along the world's axes")
            half = np.rint(turned) @ boxes[0].size / 2
            corners[(1 - side) // 2, axis] = pose.position[axis] + side * half[axis]
        if (corners[1] - corners[0]).min() < 1:
            raise InputError(f"model {name!r}: its walls leave less than a metre between them; check their names")
        return corners[0], corners[1]


def load_world(path: Path) -> World:
    """Read a world.

    Raises
    ------
    InputError
        If the file cannot be read or is not understood.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except ElementTree.ParseError as error:
        raise InputError(f"{path}: not an SDF file ({error})") from error
    world = root.find("world")
    if world is None:
        raise InputError(f"{path}: holds no world; give an SDF file with one")
    try:
        models = {_name(element): _model(element) for element in world.findall("model")}
        actors = {_name(element): _actor(element) for element in world.findall("actor")}
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return World(_name(world), models, actors)


def _model(element: Element) -> Model:
    links = element.findall("link")
    boxes = {}
    for link in links:
        found = [(c, c.find("geometry/box/size")) for c in link.findall("collision")]
        boxes[_name(link)] = tuple(Box(_pose(c), _numbers(size, 3)) for c, size in found if size is not None)
    return Model(
        pose=_pose(element),
        static=_flag(element, "static", False),
        links={_name(link): _pose(link) for link in links},
        boxes=boxes,
        fixed={
            joint.findtext("child", "").strip(): joint.findtext("parent", "").strip()
            for joint in element.findall("joint")
            if joint.get("type") == "fixed"
        },
    )


def _actor(element: Element) -> Script:
    name, script = _name(element), element.find("script")
    trajectories = script.findall("trajectory") if script is not None else []
    if script is None or len(trajectories) != 1:
        raise InputError(f"actor {name!r}: has {len(trajectories)} trajectories in its script; give it one")
    if not _flag(script, "auto_start", True):
        raise InputError(f"actor {name!r}: never starts; set auto_start")
    waypoints = [
        (float(waypoint.findtext("time", "nan")), _numbers(waypoint.find("pose"), 6))
        for waypoint in trajectories[0].findall("waypoint")
    ]
    times = np.array([time for time, _ in waypoints])
    if not len(times) or times[0] != 0 or not (np.diff(times) > 0).all():
        raise InputError(f"actor {name!r}: the times of its waypoints must rise from 0")
    return Script(
        _pose(element),
        times,
        np.array([numbers for _, numbers in waypoints]),
        loop=_flag(script, "loop", True),
        delay=float(script.findtext("delay_start", "0")),
        tension=float(trajectories[0].get("tension", "0")),
    )


def _name(element: Element) -> str:
    name = element.get("name")
    if not name:
        raise InputError(f"a {element.tag} has no name")
    return name


def _flag(element: Element, tag: str, default: bool) -> bool:
    text = element.findtext(tag)
    return default if text is None else text.strip() in ("true", "1")


def _pose(element: Element) -> Pose:
    pose = element.find("pose")
    if pose is None:
        return IDENTITY
    if pose.get("relative_to") or pose.get("degrees") or pose.get("rotation_format"):
        raise InputError(f"the pose of {element.get('name')!r} has attributes; write it as x y z roll pitch yaw alone")
    return Pose.from_numbers(_numbers(pose, 6))


def _numbers(element: Element | None, count: int) -> FloatArray:
    text = (element.text or "") if element is not None else ""
    try:
        numbers = np.array([float(word) for word in text.split()])
    except ValueError:
        numbers = np.zeros(0)
    if len(numbers) != count:
        raise InputError(f"{text.strip()!r} must be {count} numbers")
    return numbers
