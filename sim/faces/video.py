"""The camera's video of a scene: every talker's face at the right place, moving with what is said."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from hearing_datasets import kit_root
from hearing_sim.faces.behaviour import Performance, perform
from hearing_sim.faces.camera import Lens, View
from hearing_sim.faces.drawn import DrawnFace
from hearing_sim.faces.photo import FACE_HEIGHT, Expression, Image, Patch, photo
from hearing_sim.faces.real import RealFace
from hearing_sim.faces.stage import Hall, back_of_head, cover, dress, expose, paste
from hearing_sim.scene import Scene, Talker
from hearing_sim.talkers import PlacedTurn

from hearing.errors import InputError

logger = logging.getLogger(__name__)

Box = tuple[float, float, float, float]

NEAREST = 0.25
"""Metres in front of the camera within which nobody is drawn."""
TURNED_AWAY = np.radians(62.0)
"""Angle between where a head faces and the camera from which on no face is seen."""
_FACES, _HALL, _SENSOR = 100, 101, 102


class FaceTracks:
    """Where the camera sees each talker's face.

    Parameters
    ----------
    fps
        Frames per second.
    boxes
        For every talker and frame (left, top, width, height) in pixels, or None.
    """

    def __init__(self, fps: float, boxes: dict[str, list[Box | None]]) -> None:
        self._fps, self._boxes = fps, boxes

    def box(self, name: str, time: float) -> Box | None:
        """Return where a talker's face is seen at a time, or None if it is not."""
        boxes = self._boxes.get(name, [])
        frame = round(time * self._fps)
        return boxes[frame] if 0 <= frame < len(boxes) else None


class Look(Protocol):
    """Whatever can show a face."""

    def show(self, expression: Expression, face_height: float) -> Patch:
        """Show an expression, the face so many pixels high."""


@dataclass(frozen=True, slots=True, eq=False)
class _Actor:
    talker: Talker
    look: Look
    performance: Performance
    shirt: tuple[int, int, int]
    real: RealFace | None


def render_video(
    scene: Scene, turns: Sequence[PlacedTurn], path: Path, progress: Callable[[float], None] | None = None
) -> FaceTracks:
    """Write what the scene's camera sees.

    Parameters
    ----------
    scene
        A scene with a camera.
    turns
        What is said, with words and phones.
    path
        The mp4 file to write.
    progress
        Is told the share that is done.

    Returns
    -------
    Where the faces are.

    Raises
    ------
    InputError
        If the scene has no camera, or names a face that the data kit does not have.
    """
    camera = scene.camera
    if camera is None:
        raise InputError(f"scene {scene.name} has no camera; add one")
    times = np.arange(round(scene.duration * camera.fps)) / camera.fps
    lens, hall = Lens(camera, scene.array.pose), Hall(np.random.default_rng((scene.seed, _HALL)))
    actors = _actors(scene, turns, times)
    sensor = np.random.default_rng((scene.seed, _SENSOR))
    boxes: dict[str, list[Box | None]] = {actor.talker.name: [] for actor in actors}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(camera.fps).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = camera.width, camera.height, "yuv420p"
        stream.options = {"crf": "20", "preset": "veryfast", "threads": "1"}
        for number, time in enumerate(times.tolist()):
            heading = float(scene.array.pose.yaw(np.array(time)))
            frame = hall.behind(lens, time, heading)
            seen = [(lens.see(actor.talker.trajectory.at(time), time), actor) for actor in actors]
            for view, actor in sorted(seen, key=lambda entry: -entry[0].depth):
                boxes[actor.talker.name].append(_draw(frame, scene, lens, view, actor, number, time))
            picture = av.VideoFrame.from_ndarray(expose(frame, camera, sensor), format="bgr24")
            container.mux(stream.encode(picture))
            if progress is not None:
                progress((number + 1) / len(times))
        container.mux(stream.encode())
    return FaceTracks(camera.fps, boxes)


def _draw(frame: Image, scene: Scene, lens: Lens, view: View, actor: _Actor, number: int, time: float) -> Box | None:
    """Draw somebody into a frame; return where the face is seen."""
    talker, camera = actor.talker, scene.camera
    height, width = frame.shape[:2]
    present = talker.present is None or talker.present[0] <= time < talker.present[1]
    reach = 1.5 * view.scale * FACE_HEIGHT
    if camera is None or not present or view.depth < NEAREST or not -reach < view.x < width + reach:
        return None
    mouth, face_height = (view.x, view.y), view.scale * FACE_HEIGHT
    before = lens.see(talker.trajectory.at(time - camera.exposure), time - camera.exposure)
    blur = (view.x - before.x, view.y - before.y)
    performance = actor.performance
    to_camera = lens.position(time) - talker.trajectory.at(time)
    away = float(performance.heading[number] - np.arctan2(to_camera[1], to_camera[0]))
    away = (away + np.pi) % (2 * np.pi) - np.pi
    if abs(away) > TURNED_AWAY:
        patch = back_of_head(face_height, actor.shirt)
    elif actor.real is not None:
        patch = actor.real.show_at(time, face_height)
    else:
        expression = Expression(
            opening=float(performance.opening[number]),
            width=float(performance.width[number]),
            smile=float(performance.smile[number]),
            blink=float(performance.blink[number]),
            # Who turns to his own left turns to the right of the picture.
            turn=-away,
            nod=float(performance.nod[number]),
            tilt=float(performance.tilt[number]),
        )
        patch = actor.look.show(expression, face_height)
    if talker.face is not None and abs(away) <= TURNED_AWAY:
        cover(patch, talker.face.occlusion)
    dress(frame, patch, mouth)
    paste(frame, patch, mouth, blur)
    if abs(away) > TURNED_AWAY:
        return None
    return _clipped(patch, mouth, width, height)


def _clipped(patch: Patch, mouth: tuple[float, float], width: int, height: int) -> Box | None:
    """Return a face's box within the frame, or None if its middle is outside."""
    left, top = patch.box[0] + mouth[0] - patch.mouth[0], patch.box[1] + mouth[1] - patch.mouth[1]
    right, bottom = left + patch.box[2], top + patch.box[3]
    if not (0 <= (left + right) / 2 < width and 0 <= (top + bottom) / 2 < height):
        return None
    left, top, right, bottom = max(0.0, left), max(0.0, top), min(float(width), right), min(float(height), bottom)
    return left, top, right - left, bottom - top


def _actors(scene: Scene, turns: Sequence[PlacedTurn], times: np.ndarray) -> list[_Actor]:
    faces = _photographs()
    taken = {talker.face.identity for talker in scene.talkers if talker.face is not None}
    free = [identity for identity in faces if identity not in taken]
    shuffled = np.random.default_rng((scene.seed, _FACES)).permutation(len(free)).tolist()
    actors = []
    for index, talker in enumerate(scene.talkers):
        if talker.face is None:
            continue
        rng = np.random.default_rng((scene.seed, _FACES, index))
        identity = talker.face.identity
        real = RealFace(talker, turns) if identity == "grid_s1" else None
        if real is None and identity is not None and faces and identity not in faces:
            raise InputError(f"talker {talker.name}: no face {identity!r} in the data kit; choose another")
        if identity is None and free:
            identity = free[shuffled[index % len(free)]]
        look: Look = photo(faces[identity]) if identity in faces else DrawnFace(rng)
        shirt = (int(rng.integers(190, 240)),) * 3
        actors.append(_Actor(talker, look, perform(scene, turns, talker, times, rng), shirt, real))
    if actors and not faces:
        logger.warning("there is no data kit with photographs: faces are drawn; set HEARING_DATA to the kit")
    return actors


def _photographs() -> dict[str, Path]:
    """Return the kit's photographs of neutral faces by identity."""
    root = kit_root()
    manifest = root / "faces" / "manifest.jsonl" if root is not None else None
    if manifest is None or not manifest.is_file():
        return {}
    entries = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    neutral = [entry for entry in entries if entry["kind"] == "neutral"]
    return {entry["identity"]: manifest.parent / entry["image"] for entry in neutral}
