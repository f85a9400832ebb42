"""The truth about a scene: who says what, when and where, and where everything is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hearing_sim.attention import listener_of, way_of
from hearing_sim.ego import motion_states
from hearing_sim.scene import ROBOT, Scene
from hearing_sim.talkers import PlacedTurn
from numpy.typing import NDArray

from hearing.arrays import SPEED_OF_SOUND
from hearing.types import Direction

STEP = 0.1
"""Seconds between two lines of sources.jsonl for the same source."""

FaceBox = Callable[[str, float], tuple[float, float, float, float] | None]
"""Where the camera sees a talker's face at a time: left, top, width and height in pixels."""


def reference_segments(scene: Scene, turns: list[PlacedTurn], face_box: FaceBox | None = None) -> list[dict[str, Any]]:
    """List what people say as SegLST segments: times as heard at the array, directions in the middle of each.

    `face_id` names whose `face_box` in sources.jsonl says it; None if the camera does not see the face meanwhile. What
    the robot, radios and announcements say is not listed: nobody is to be heard there.
    """
    segments = []
    for number, placed in enumerate(turns):
        if placed.turn.talker == ROBOT:
            continue
        middle = (placed.start + placed.end) / 2
        place = _place(scene, placed.turn.talker, middle)
        travel = place["distance_m"] / SPEED_OF_SOUND
        listener = listener_of(scene, scene.turns, number)
        seen = face_box is not None and any(
            face_box(placed.turn.talker, float(time)) for time in np.arange(placed.start, placed.end, STEP)
        )
        segments.append(
            {
                "session_id": scene.name,
                "speaker": placed.turn.talker,
                "words": placed.text,
                "start_time": round(placed.start + travel, 3),
                "end_time": round(placed.end + travel, 3),
                **place,
                "addressed_to_robot": placed.turn.to == ROBOT,
                "addressed_to": listener,
                "kind": placed.turn.kind,
                "face_id": placed.turn.talker if seen else None,
                "word_times": [
                    [word.word, round(word.start + travel, 3), round(word.end + travel, 3)] for word in placed.words
                ],
            }
        )
    return segments


def reference_sources(scene: Scene, turns: list[PlacedTurn], face_box: FaceBox | None = None) -> list[dict[str, Any]]:
    """List where talkers, machines and the robot are at every 0.1 s, whether they sound, and the robot's state."""
    times = np.arange(round(scene.duration / STEP)) * STEP
    kinds = [*((talker.name, "talker") for talker in scene.talkers), *((m.name, "noise") for m in scene.machines)]
    if scene.robot.loudspeaker is not None or scene.robot.ego_noise is not None or scene.array.pose.moving:
        kinds.append((ROBOT, "robot"))
    tables = {name: _places(scene, name, times) for name, _ in kinds}
    active = {name: _active(scene, turns, name, times) for name, _ in kinds}
    states, headings = motion_states(scene, times), np.degrees(scene.array.pose.yaw(times))
    machine_kinds = {machine.name: machine.kind for machine in scene.machines}
    lines = []
    for step, time in enumerate(times.round(3).tolist()):
        for name, kind in kinds:
            line = {
                "time": time,
                "source": name,
                "kind": kind,
                **tables[name][step],
                "active": bool(active[name][step]),
            }
            if name in machine_kinds:
                line["machine"] = machine_kinds[name]
            if kind == "robot":
                line |= {"state": str(states[step]), "yaw_deg": round(float(headings[step]), 2)}
            if kind == "talker" and face_box is not None:
                box = face_box(name, time)
                line["face_box"] = None if box is None else [round(float(value), 1) for value in box]
            lines.append(line)
    return lines


def _place(scene: Scene, name: str, time: float) -> dict[str, Any]:
    place = _places(scene, name, np.array([time]))[0]
    return {key: place[key] for key in ("azimuth_deg", "elevation_deg", "distance_m")}


def _places(scene: Scene, name: str, times: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Directions in the array frame and positions in the room; the robot itself is where its loudspeaker is."""
    if name == ROBOT:
        loudspeaker = scene.robot.loudspeaker
        vectors = np.broadcast_to(loudspeaker.position if loudspeaker else (0.0, 0.0, 0.0), (len(times), 3))
        positions = scene.array.pose.origin(times)
    else:
        positions = way_of(scene, name)(times)
        vectors = scene.array.pose.to_frame(positions, times)
    places = []
    for vector, position in zip(vectors, positions, strict=True):
        distance = float(np.linalg.norm(vector))
        direction = Direction.from_vector(vector if distance > 0 else np.array([1.0, 0.0, 0.0]))
        places.append(
            {
                "azimuth_deg": round(direction.azimuth_deg, 2),
                "elevation_deg": round(direction.elevation_deg, 2),
                "distance_m": round(distance, 3),
                "position": position.round(3).tolist(),
            }
        )
    return places


def _active(scene: Scene, turns: list[PlacedTurn], name: str, times: NDArray[np.float64]) -> NDArray[np.bool_]:
    machine = next((machine for machine in scene.machines if machine.name == name), None)
    if machine is None:
        intervals = [(placed.start, placed.end) for placed in turns if placed.turn.talker == name]
    else:
        intervals = list(machine.on) or [(-np.inf, np.inf)]
    emitted = times
    if name != ROBOT:
        distance = np.linalg.norm(way_of(scene, name)(times) - scene.array.pose.origin(times), axis=1)
        emitted = times - distance / SPEED_OF_SOUND
    active = np.zeros(len(times), dtype=bool)
    for start, end in intervals:
        active |= (emitted >= start) & (emitted < end)
    return active
