"""Placing: where people, machines and the robot can stand and walk in a room without meeting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np
from hearing_sim.checks import inside
from hearing_sim.motion import FloatArray, Trajectory, Vector, Waypoint
from hearing_sim.scene import ArrayPose, Room
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from hearing.errors import InputError

Interval = tuple[float, float]
Rng = np.random.Generator

WALL_MARGIN = 0.4
"""Metres that nobody comes closer to a wall."""
WALKING_SPEED = (0.5, 1.3)
"""Metres per second."""
CLEARANCE = 0.6
"""Metres on the floor between any two of people and machines, at every `STEP`; 0.5 m remain between the steps."""
STEP = 0.05
"""Seconds between the times at which ways are compared."""
FROM_ROBOT = 1.2
"""Metres that a machine keeps from wherever the array gets."""
LINE = 5.0
"""Degrees within which who stands behind another is in one line with him and the array."""
TRIES = 200


class NoRoomError(InputError):
    """Something does not fit into a room."""


class Floor:
    """Who is where in a room, at any time, so that nobody walks into anybody.

    Parameters
    ----------
    room, array
        The room, and the robot in it.
    duration
        Seconds of the scene.
    """

    def __init__(self, room: Room, array: ArrayPose, duration: float) -> None:
        self.room, self.array, self.duration = room, array, duration
        self._times = np.arange(0.0, duration + STEP, STEP)
        self._ways: dict[str, FloatArray] = {}

    def put(self, name: str, path: Sequence[Waypoint]) -> None:
        """Let somebody go along a path, or stand at its only place, instead of wherever he was put before."""
        self._ways[name] = self.way(path)

    def way(self, path: Sequence[Waypoint]) -> FloatArray:
        """Return where a path leads from `STEP` to `STEP`, of shape (n_times, 3) in metres."""
        return Trajectory(path).at(self._times)

    def is_clear(self, way: FloatArray, name: str | None = None) -> bool:
        """Tell whether a way keeps clear of everybody at all times, not counting `name`, whose way it is."""
        others = (other for other_name, other in self._ways.items() if other_name != name)
        return all(np.linalg.norm((way - other)[:, :2], axis=1).min() >= CLEARANCE for other in others)


def arrange(
    rng: Rng, floor: Floor, number: int, distance: Interval, apart_deg: float, ahead_deg: float
) -> list[Vector]:
    """Place mouths around where the array starts, clear of walls, the robot, machines and each other.

    Parameters
    ----------
    rng
        Source of everything random.
    floor
        The room, and what is in it already.
    number
        How many.
    distance
        Range of distances from the array in metres; less where there is no room otherwise.
    apart_deg
        Between any two of them, as seen from the array.
    ahead_deg
        How far to either side of straight ahead they stand.

    Raises
    ------
    NoRoomError
        If there is no room for so many of them.
    """
    ahead = math.degrees(float(floor.array.pose.yaw(0.0)))
    for attempt in range(TRIES):
        closest = distance[0] if attempt < TRIES // 2 else min(0.6, distance[0])
        places: list[Vector] = []
        for angle in angles_apart(rng, number, apart_deg, ahead_deg):
            place = _place_at(rng, floor, math.radians(ahead + angle), (closest, distance[1]), places)
            if place is None:
                break
            places.append(place)
        if len(places) == number:
            return places
    raise NoRoomError(
        "distribution: nobody fits into the rooms at people.distance; make rooms larger or distances less"
    )


def angles_apart(rng: Rng, count: int, apart_deg: float, widest_deg: float) -> list[float]:
    """Draw angles up to `widest_deg` to either side, all at least so far apart, in random order.

    Raises
    ------
    InputError
        If there is no room for so many angles.
    """
    around = widest_deg >= 180  # then the last angle and the first one are neighbours, too
    apart_deg += 0.2  # lost when places are rounded to millimetres
    left = 2 * widest_deg - apart_deg * (count if around else count - 1)
    if count > 1 and left < 0:
        raise InputError(
            f"distribution: {count} people do not fit at people.min_angle_deg into {2 * widest_deg:g} degrees; "
            "lower it, or raise people.ahead_deg"
        )
    # What the gaps between neighbours leave is shared out at random: uniform among all angles that are allowed.
    angles = np.sort(rng.uniform(0, max(left, 0.0), count)) + apart_deg * np.arange(count) - widest_deg
    if around:
        angles += rng.uniform(0, 360)
    return [float(angle) for angle in rng.permutation(angles)]


def _place_at(rng: Rng, floor: Floor, angle: float, distance: Interval, others: list[Vector]) -> Vector | None:
    x, y, _ = floor.array.pose.origin(0.0)
    for _ in range(10):
        far = rng.uniform(*distance)
        place = (
            round(float(x + far * math.cos(angle)), 3),
            round(float(y + far * math.sin(angle)), 3),
            round(float(rng.uniform(1.2, 1.8)), 3),
        )
        if (
            is_free(floor.room, place)
            and nearest(floor.array, place) > 0.5
            and all(math.dist(place[:2], other[:2]) >= CLEARANCE for other in others)
            and floor.is_clear(np.array([place]))
        ):
            return place
    return None


def walk(rng: Rng, floor: Floor, name: str, start: Vector) -> tuple[Waypoint, ...]:
    """Walk about, with pauses, and never into the robot or anybody; empty if there is no way to go.

    Every step leads to where one can stay until the scene ends, so that a walker never ends up in somebody's way.
    """
    path = [Waypoint(0.0, start)]
    for _ in range(TRIES):
        here, time = path[-1].position, path[-1].time
        if time > floor.duration:
            break
        goal = free_step(rng, floor.room, here, float(rng.uniform(-180, 180)), (0.8, 3.5))
        pause = float(rng.uniform(0.5, 3.0)) if rng.uniform() < 0.4 and len(path) > 1 else 0.0
        speed = float(rng.uniform(*WALKING_SPEED))
        if goal is None or nearest(floor.array, goal) <= 0.6:
            continue
        wait = [Waypoint(round(time + pause, 2), here)] if pause else []
        longer = [*path, *wait, Waypoint(round(time + pause + math.dist(here, goal) / speed, 2), goal)]
        way = floor.way(longer)
        # The way is smooth, not straight: all of it must be looked at, as the new place bends what leads to the last.
        if floor.is_clear(way, name) and nearest(floor.array, way) > 0.6 and is_free(floor.room, way):
            path = longer
    return tuple(path) if len(path) > 1 else ()


def place_behind(rng: Rng, floor: Floor, places: list[Vector], farthest: float) -> Vector:
    """Place a mouth behind one of some others, as seen from where the array starts, within `LINE` degrees of it.

    Raises
    ------
    NoRoomError
        If there is no room behind anybody.
    """
    x, y, _ = floor.array.pose.origin(0.0)
    for attempt in range(TRIES):
        ahead = places[attempt % len(places)]
        angle = math.atan2(ahead[1] - y, ahead[0] - x) + math.radians(rng.uniform(-LINE, LINE))
        near = math.dist(ahead[:2], (x, y)) + CLEARANCE
        place = _place_at(rng, floor, angle, (near, max(near, farthest)), places)
        if place is not None:
            return place
    raise NoRoomError("distribution: nobody fits behind anybody else; make rooms larger or distances less")


def place_aside(rng: Rng, floor: Floor, places: list[Vector], distance: Interval, beyond_deg: float) -> Vector:
    """Place a mouth farther than an angle to either side of where the array faces when it starts.

    Raises
    ------
    NoRoomError
        If there is no room.
    """
    ahead = float(floor.array.pose.yaw(0.0))
    for _ in range(TRIES):
        angle = ahead + math.radians(rng.choice([-1, 1]) * rng.uniform(beyond_deg, 180))
        place = _place_at(rng, floor, angle, distance, places)
        if place is not None:
            return place
    raise NoRoomError("distribution: nobody fits beside what the camera sees; make rooms larger or distances less")


def swap(rng: Rng, floor: Floor, starts: dict[str, Vector], time: float) -> dict[str, tuple[Waypoint, ...]]:
    """Let two people change places, each keeping to his right of the other; return the two paths by name.

    Parameters
    ----------
    rng
        Source of everything random.
    floor
        The room, in which all of them stand.
    starts
        Where everybody stands, by name.
    time
        Seconds at which they set off.

    Raises
    ------
    NoRoomError
        If no two of them can.
    """
    pairs = list(combinations(sorted(starts), 2))
    for number in rng.permutation(len(pairs)).tolist():
        pair = pairs[number]
        one, other = (starts[name] for name in pair)
        arrival = round(time + 1.3 * math.dist(one, other) / max(WALKING_SPEED), 2)
        for aside in (0.5, 0.8, 1.1):
            paths = (_past(one, other, aside, time, arrival), _past(other, one, aside, time, arrival))
            for name, path in zip(pair, paths, strict=True):
                floor.put(name, path)
            ways = {name: floor.way(path) for name, path in zip(pair, paths, strict=True)}
            if all(
                floor.is_clear(way, name) and nearest(floor.array, way) > 0.6 and is_free(floor.room, way)
                for name, way in ways.items()
            ):
                return dict(zip(pair, paths, strict=True))
        for name in pair:
            floor.put(name, (Waypoint(0.0, starts[name]),))
    raise NoRoomError("distribution: no two people can change places; make rooms larger")


def _past(start: Vector, goal: Vector, aside: float, departure: float, arrival: float) -> tuple[Waypoint, ...]:
    """Walk from one place to another, so many metres to the right of the straight line in the middle of the way."""
    x, y = goal[0] - start[0], goal[1] - start[1]
    far = math.hypot(x, y)
    middle = (
        round((start[0] + goal[0]) / 2 + aside * y / far, 3),
        round((start[1] + goal[1]) / 2 - aside * x / far, 3),
        start[2],
    )
    end = (goal[0], goal[1], start[2])
    return (
        Waypoint(0.0, start),
        Waypoint(departure, start),
        Waypoint(round((departure + arrival) / 2, 2), middle),
        Waypoint(arrival, end),
    )


def drive(rng: Rng, floor: Floor, start: Vector, speed: float) -> tuple[Waypoint, ...]:
    """Let a vehicle drive straight ahead for a few metres, clear of everything; empty if it cannot."""
    goal = free_step(rng, floor.room, start, float(rng.uniform(-180, 180)), (2.0, 8.0))
    if goal is None:
        return ()
    path = (Waypoint(0.0, start), Waypoint(max(2.0, min(floor.duration, math.dist(goal, start) / speed)), goal))
    way = floor.way(path)
    return path if floor.is_clear(way) and nearest(floor.array, way) > FROM_ROBOT else ()


def place_away(rng: Rng, floor: Floor) -> Vector:
    """Place a machine off the walls, clear of the others, and away from wherever the array gets."""
    for _ in range(TRIES):
        place = place_inside(rng, floor.room, (0.4, max(0.5, min(2.5, floor.room.ceiling - 0.4))), WALL_MARGIN)
        if nearest(floor.array, place) > FROM_ROBOT and floor.is_clear(np.array([place])):
            return place
    raise NoRoomError("distribution: no machine fits into the rooms; make rooms.smallest larger")


def place_inside(rng: Rng, room: Room, height: Interval, margin: float) -> Vector:
    """Draw a place at a height from a range, at least a margin off the walls as far as there is room for it."""
    corners = np.array(room.corners)
    for attempt in range(TRIES):
        x, y = rng.uniform(corners.min(axis=0), corners.max(axis=0))
        place = (round(float(x), 3), round(float(y), 3), round(float(rng.uniform(*height)), 3))
        if is_free(room, place, margin * (1 - attempt / TRIES)):
            return place
    raise NoRoomError("distribution: the rooms are too small to stand in; make rooms.smallest larger")


def free_step(rng: Rng, room: Room, start: Vector, heading_deg: float, length: Interval) -> Vector | None:
    """Return a place ahead to which the way is free of walls, or None."""
    far = float(rng.uniform(*length))
    x, y = start[0] + far * math.cos(math.radians(heading_deg)), start[1] + far * math.sin(math.radians(heading_deg))
    goal = (round(x, 3), round(y, 3), start[2])
    return goal if is_free(room, np.linspace(start, goal, 13)[1:]) else None


def is_free(room: Room, places: ArrayLike, margin: float = WALL_MARGIN) -> bool:
    """Tell whether all places, of shape (..., 3), keep a margin to all walls."""
    around = margin * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    return bool(inside(room, np.asarray(places, dtype=np.float64)[..., None, :] + around).all())


def nearest(array: ArrayPose, places: ArrayLike) -> float:
    """Return how near the array ever comes to any of some places, of shape (..., 3), in metres."""
    gaps, _ = _robot_places(array).query(np.asarray(places, dtype=np.float64))
    return float(np.min(gaps))


@lru_cache(maxsize=64)
def _robot_places(array: ArrayPose) -> cKDTree:
    times = np.linspace(0, array.path[-1].time, 100) if array.path else np.zeros(1)
    return cKDTree(array.pose.origin(times))


def extent(room: Room) -> tuple[float, float]:
    """Return how far a room reaches along x and y in metres."""
    x, y = np.ptp(np.array(room.corners), axis=0)
    return float(x), float(y)
