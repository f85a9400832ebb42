"""Measure how well faces are seen: on photographs that move on a drawn stage, rendered scenes, and filmed people.

Usage: python benchmarks/faces.py [--scenes N] [--fps RATE]

Prints one table for each. Needs the data kit and `requirements/sim.txt`. Times are processor time of one core.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import yaml
from hearing_datasets import kit_root
from hearing_sim import Scene, load_scene
from hearing_sim.faces import camera_yaml, render_video
from hearing_sim.faces.camera import Lens
from hearing_sim.faces.photo import MOST_TURNED, Expression, photo
from hearing_sim.faces.stage import Hall, dress, expose, paste
from hearing_sim.factorybench import benchmark_scenes
from hearing_sim.scene import ArrayPose
from hearing_sim.scene import Camera as SimCamera
from hearing_sim.talkers import place_turns

from hearing.types import Direction
from hearing.vision.camera import Camera, Frame, load_camera, open_video
from hearing.vision.detector import overlaps
from hearing.vision.face import Face
from hearing.vision.face_tracker import FaceTracker

HEIGHTS = (25, 30, 35, 40, 50, 60, 90, 140)
FOUND = 0.4
"""Intersection over union of a face with the truth."""
AWAY = 6.0
"""Seconds out of sight after which a face may get a new id."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Truth:
    """Where a face is, and what it does if that is known; boxes as left, top, width, height."""

    box: Box
    direction: Direction
    opening: float = np.nan
    turn: float = np.nan


@dataclass(slots=True)
class Tally:
    """What adds up over frames: for every face of the truth, one entry whenever it can be seen."""

    height: list[float] = field(default_factory=list)
    found: list[bool] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    frames: int = 0
    strangers: int = 0
    switches: int = 0
    seconds: float = 0.0
    last: dict[str, tuple[float, str]] = field(default_factory=dict)
    owner: dict[str, str] = field(default_factory=dict)
    pairs: dict[str, list[tuple[float, ...]]] = field(default_factory=dict)

    def score(self, at: float, faces: Sequence[Face], truths: dict[str, Truth]) -> None:
        """Compare one frame with the truth."""
        seen = [face for face in faces if face.quality > 0]
        free = set(range(len(seen)))
        for name, truth in truths.items():
            fit = overlaps(_corners(truth.box), np.array([_corners(face.box) for face in seen]).reshape(-1, 4))
            best = int(fit.argmax()) if len(fit) else -1
            hit = best >= 0 and bool(fit[best] >= FOUND)
            self.height.append(truth.box[3])
            self.found.append(hit)
            if not hit:
                continue
            free.discard(best)
            face = seen[best]
            self.error.append(np.rad2deg(face.direction.angle_to(truth.direction)))
            self.pairs.setdefault(name, []).append((truth.opening, face.opening, truth.turn, face.yaw, face.quality))
            before, known = self.last.get(name, (-np.inf, face.id))
            if known != face.id:
                self.switches += at - before <= AWAY or self.owner.get(face.id, name) != name
            self.last[name] = (at, face.id)
            self.owner[face.id] = name
        self.strangers += len(free)


def _corners(box: Box) -> np.ndarray:
    return np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]])


def follow(
    camera: Camera, frames: Iterable[Frame], truth: Callable[[float], dict[str, Truth]], tally: Tally, begin: float
) -> None:
    """Follow the faces in a video; what is seen before `begin` seconds does not count."""
    tracker = FaceTracker(camera)
    tally.last, tally.owner = {}, {}
    for frame in frames:
        started = time.process_time()
        faces = tracker.process(frame.image, frame.time)
        tally.seconds += time.process_time() - started
        tally.frames += 1
        if frame.time >= begin:
            tally.score(frame.time, faces, truth(frame.time))


def stage(height: float, fps: float, rng: np.random.Generator, tally: Tally, duration: float = 4.0) -> None:
    """Follow three photographs that talk and turn, so many pixels high, beside each other."""
    sim_camera = SimCamera()
    camera, lens = Camera(**camera_yaml(sim_camera)), Lens(sim_camera, ArrayPose("azure_kinect", (1, 1, 1)).pose)
    root = kit_root()
    paths = rng.choice(sorted((root / "faces" / "london_neutral").glob("*.jpg")), 3, replace=False)
    hall, truths = Hall(rng), {}
    phases, rates = rng.uniform(0, 2 * np.pi, (3, 2)), rng.uniform((2.0, 0.2), (3.5, 0.4), (3, 2))

    def frames() -> Iterable[Frame]:
        for at in (np.arange(round(duration * fps)) / fps).tolist():
            image = hall.behind(lens, 0.0, 0.0)
            for k, path in enumerate(paths):
                talk, turn = np.sin(2 * np.pi * rates[k] * at + phases[k])
                expression = Expression(opening=max(0.0, 0.6 * float(talk)), turn=float(0.4 * turn), nod=0.05 * turn)
                patch = photo(path).show(expression, height)
                mouth = (105.0 + 215 * k + 8 * float(turn), 240.0 + 40 * (k - 1))
                dress(image, patch, mouth)
                paste(image, patch, mouth)
                left, top, width, high = patch.box
                box = (left + mouth[0] - patch.mouth[0], top + mouth[1] - patch.mouth[1], width, high)
                direction, _ = camera.locate(*mouth, depth=camera.depth(height, 0.185))
                truths[str(path)] = Truth(box, direction, expression.opening, -expression.turn)
            yield Frame(at, expose(image, sim_camera, rng))

    follow(camera, frames(), lambda _: truths, tally, begin=0.5)


def rendered(scene: Scene, folder: Path, fps: float, tally: Tally) -> None:
    """Follow the faces of a scene."""
    scene = dataclasses.replace(scene, camera=dataclasses.replace(scene.camera, fps=fps))
    tracks = render_video(scene, place_turns(scene), folder / "camera.mp4")
    (folder / "camera.yaml").write_text(yaml.safe_dump(camera_yaml(scene.camera)))

    def truth(at: float) -> dict[str, Truth]:
        boxes = {talker: tracks.box(talker.name, at) for talker in scene.talkers}
        return {
            talker.name: Truth(
                box, Direction.from_vector(scene.array.pose.to_frame(talker.trajectory.at(at), np.array(at)))
            )
            for talker, box in boxes.items()
            if box is not None
        }

    with open_video(folder / "camera.mp4") as video:
        follow(load_camera(folder / "camera.yaml"), video.frames(), truth, tally, begin=0.5)


def filmed(path: Path) -> tuple[float, float, float]:
    """Follow a filmed talker: share of frames in which he is seen, ids, and range of the opening of his mouth."""
    with open_video(path) as video:
        camera = Camera(video.width, video.height, video.width, video.width, video.width / 2, video.height / 2)
        tracker = FaceTracker(camera)
        faces = [tracker.process(frame.image, frame.time) for frame in video.frames()][6:]
    seen = [face for each in faces for face in each if face.quality > 0]
    openings = [face.opening for face in seen]
    return len(seen) / len(faces), len({face.id for face in seen}), float(np.ptp(openings)) if openings else 0.0


def line(name: str, tally: Tally) -> str:
    """Lay out a row of the tables."""
    error = np.array(tally.error) if tally.error else np.array([np.nan])
    columns = [
        f"{name:22}",
        f"{np.mean(tally.found):6.3f}",
        f"{np.median(error):6.2f} {np.quantile(error, 0.9):6.2f}",
        f"{tally.switches:5d}",
        f"{tally.strangers:6d}",
        f"{1e3 * tally.seconds / tally.frames:7.1f}",
    ]
    return " ".join(columns)


def _correlations(tally: Tally) -> str:
    """Return medians over faces of how openings and turns agree with those commanded."""
    tables = [np.array(pairs) for pairs in tally.pairs.values() if len(pairs) > 10]
    opening = [np.corrcoef(table[:, 0], table[:, 1])[0, 1] for table in tables]
    turn = [np.corrcoef(np.clip(table[:, 2], -MOST_TURNED, MOST_TURNED), table[:, 3])[0, 1] for table in tables]
    quality = np.concatenate([table[:, 4] for table in tables]).mean()
    return f"{np.median(opening):8.3f} {np.min(opening):6.3f} {np.median(turn):6.3f} {quality:8.2f}"


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=2, help="scenes of FactoryBench's audio_visual kind")
    parser.add_argument("--fps", type=float, default=15.0, help="frames per second")
    parser.add_argument("--heights", type=int, nargs="*", default=HEIGHTS, help="of the photographs' faces, in pixels")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    head = f"{'':22} {'recall':>6} {'error deg':>13} {'switch':>6} {'false':>5} {'ms/frame':>8}"
    print(f"{head} {'opening r':>9} {'least':>6} {'turn r':>6} {'quality':>8}")
    for height in options.heights:
        tally, rng = Tally(), np.random.default_rng(height)
        for _ in range(4):
            stage(height, options.fps, rng, tally)
        print(line(f"{height} pixels high", tally), _correlations(tally), flush=True)
    print(f"\n{head}")
    whole = Tally()
    for scene in [load_scene("talking_faces"), *benchmark_scenes("audio_visual", "dev")[: options.scenes]]:
        tally = Tally()
        with tempfile.TemporaryDirectory() as folder:
            rendered(scene, Path(folder), options.fps, tally)
        print(line(scene.name, tally), flush=True)
        whole.height += tally.height
        whole.found += tally.found
    high, found = np.array(whole.height), np.array(whole.found)
    for low, top in zip((0, 30, 40, 50, 80), (30, 40, 50, 80, 999), strict=True):
        of = (high >= low) & (high < top)
        share = f"{found[of].mean():.3f}" if of.any() else "-"
        print(f"recall of faces {low} to {top} pixels high: {share} of {of.sum()}")
    clips = sorted((kit_root() / "av" / "grid_s1").glob("*.mpg"))[:10]
    share, ids, opening = np.array([filmed(path) for path in clips]).T
    print(f"\nfilmed talker: seen in {share.mean():.3f} of the frames, at most {ids.max():.0f} id a clip")
    print(f"the mouth opens by {opening.mean():.3f} of the face's height")


if __name__ == "__main__":
    main()
