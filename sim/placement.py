"""Placing: where people, machines and the robot can stand and walk in a room without meeting."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from hearing_sim.checks import inside
from hearing_sim.motion import Vector, Waypoint
from hearing_sim.scene import ArrayPose, Room

from hearing.errors import InputError

Interval = tuple[float, float]
Rng = np.random.Generator

WALL_MARGIN = 0.4
"""Metres that nobody comes closer to a wall."""
WALKING_SPEED = (0.5, 1.3)
"""Metres per second."""
TRIES = 200


def angles_apart(rng: Rng, count: int, apart_deg: float, widest_deg: float) -> list[float]:
    """Draw angles up to `widest_deg` to either side, all at least so far apart as far as there is room for it."""
    least = min(apart_deg, 0.9 * widest_deg / max(count, 1))
    while True:
        angles = rng.uniform(-widest_deg, widest_deg, count)
        apart = np.abs((angles[:, None] - angles + 180) % 360 - 180)
        if np.all(apart[~np.eye(count, dtype=bool)] >= least):
            return [float(angle) for angle in angles]


def place_around(rng: Rng, room: Room, array: ArrayPose, angle_deg: float, distance: Interval) -> Vector:
    """Place a mouth in about a direction from where the array starts, away from the walls."""
    x, y, _ = array.pose.origin(0.0)
    for attempt in range(TRIES):
        angle = math.radians(angle_deg + rng.normal() * attempt)
        far = rng.uniform(*distance) if attempt < TRIES // 2 else rng.uniform(0.6, distance[1])
        place = (
            round(float(x + far * math.cos(angle)), 3),
            round(float(y + far * math.sin(angle)), 3),
            round(float(rng.uniform(1.2, 1.8)), 3),
        )
        if is_free(room, place) and nearest(array, place) > 0.5:
            return place
    raise InputError("distribution: nobody fits into the rooms at people.distance; make rooms larger or distances less")


def walk(rng: Rng, room: Room, array: ArrayPose, start: Vector, duration: float) -> tuple[Waypoint, ...]:
    """Walk about, with pauses, and never into the robot."""
    path, time = [Waypoint(0.0, start)], 0.0
    for _ in range(TRIES):
        if time > duration:
            break
        here = path[-1].position
        goal = free_step(rng, room, here, float(rng.uniform(-180, 180)), (0.8, 3.5))
        if goal is None or not passes(array, here, goal):
            continue
        if rng.uniform() < 0.4 and len(path) > 1:
            time += float(rng.uniform(0.5, 3.0))
            path.append(Waypoint(round(time, 2), here))
        time += math.dist(here, goal) / float(rng.uniform(*WALKING_SPEED))
        path.append(Waypoint(round(time, 2), goal))
    return tuple(path) if len(path) > 1 else ()


def place_away(rng: Rng, room: Room, array: ArrayPose) -> Vector:
    """Place a machine off the walls and at least 1.2 m from wherever the array gets."""
    for _ in range(TRIES):
        place = place_inside(rng, room, (0.4, max(0.5, min(2.5, room.ceiling - 0.4))), WALL_MARGIN)
        if nearest(array, place) > 1.2:
            return place
    raise InputError("distribution: no machine fits into the rooms; make rooms.smallest larger")


def place_inside(rng: Rng, room: Room, height: Interval, margin: float) -> Vector:
    """Draw a place at a height from a range, at least a margin off the walls as far as there is room for it."""
    corners = np.array(room.corners)
    for attempt in range(TRIES):
        x, y = rng.uniform(corners.min(axis=0), corners.max(axis=0))
        place = (round(float(x), 3), round(float(y), 3), round(float(rng.uniform(*height)), 3))
        if is_free(room, place, margin * (1 - attempt / TRIES)):
            return place
    raise InputError("distribution: the rooms are too small to stand in; make rooms.smallest larger")


def free_step(rng: Rng, room: Room, start: Vector, heading_deg: float, length: Interval) -> Vector | None:
    """Return a place ahead to which the way is free, or None."""
    far = float(rng.uniform(*length))
    x, y = start[0] + far * math.cos(math.radians(heading_deg)), start[1] + far * math.sin(math.radians(heading_deg))
    goal = (round(x, 3), round(y, 3), start[2])
    way = [tuple(np.array(start) + part * (np.array(goal) - start)) for part in np.linspace(0.1, 1, 12)]
    return goal if all(is_free(room, place) for place in way) else None


def is_free(room: Room, place: tuple[float, ...], margin: float = WALL_MARGIN) -> bool:
    """Tell whether a place keeps a margin to all walls."""
    around = np.array(place) + margin * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    return bool(inside(room, around).all())


def passes(array: ArrayPose, start: Vector, goal: Vector) -> bool:
    """Tell whether a straight walk keeps clear of wherever the array gets."""
    way = np.array(start) + np.linspace(0, 1, 12)[:, None] * (np.array(goal) - start)
    return min(nearest(array, tuple(place)) for place in way) > 0.6


def nearest(array: ArrayPose, place: tuple[float, ...]) -> float:
    """Return how near the array ever comes to a place, in metres."""
    return float(np.linalg.norm(_robot_places(array) - np.array(place), axis=1).min())


@lru_cache(maxsize=64)
def _robot_places(array: ArrayPose) -> np.ndarray:
    times = np.linspace(0, array.path[-1].time, 100) if array.path else np.zeros(1)
    return array.pose.origin(times)


def extent(room: Room) -> tuple[float, float]:
    """Return how far a room reaches along x and y in metres."""
    x, y = np.ptp(np.array(room.corners), axis=0)
    return float(x), float(y)
