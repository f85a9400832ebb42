"""A stage before a camera: photographs of the data kit at given places, moment by moment."""

import functools

import numpy as np
import pytest
from hearing_datasets import clip_words, kit_root, read_clip
from hearing_sim import ArrayPose
from hearing_sim import Camera as SimCamera
from hearing_sim.faces import camera_yaml
from hearing_sim.faces.camera import Lens

from hearing.vision.camera import Camera, open_video
from hearing.vision.face_tracker import FaceTracker

SIM_CAMERA = SimCamera(position=(0.1, 0.0, 0.1), yaw_deg=5.0, pitch_deg=-3.0, roll_deg=1.0)
FACE_HEIGHT = 0.185


class Stage:
    """Makes pictures of faces: each is (identity, seconds -> place in the array frame or None, expression)."""

    def __init__(self):
        self.lens = Lens(SIM_CAMERA, ArrayPose("azure_kinect", (0.0, 0.0, 0.0)).pose)
        self.camera = Camera(**camera_yaml(SIM_CAMERA))

    def picture(self, time, *people):
        from hearing_sim.faces.stage import expose, paste

        frame = self.background()
        seen = [(self.lens.see(np.array(place), 0.0), who, kind) for who, way, kind in people if (place := way(time))]
        for view, who, expression in sorted(seen, key=lambda entry: -entry[0].depth):
            paste(frame, patch(who, expression, round(view.scale * FACE_HEIGHT, 1)), (view.x, view.y))
        return expose(frame, SIM_CAMERA, np.random.default_rng(round(1000 * time)))

    def background(self):
        return hall().copy()

    def film(self, times, *people):
        """Pictures at times in seconds, as (picture, time)."""
        return [(self.picture(float(time), *people), float(time)) for time in times]

    def follow(self, film, **options):
        """All faces of every frame of a film."""
        tracker = FaceTracker(self.camera, **options)
        return [tracker.process(picture, time) for picture, time in film]


@functools.cache
def hall():
    from hearing_sim.faces.stage import Hall

    return Hall(np.random.default_rng(3)).behind(Stage().lens, 0.0, 0.0)


@functools.lru_cache(maxsize=256)
def patch(who, expression, height):
    from hearing_sim.faces.photo import Expression, photo

    path = kit_root() / "faces" / "london_neutral" / f"{who}.jpg"
    return photo(path).show(Expression(**dict(expression)), height)


@pytest.fixture(scope="session")
def stage():
    if kit_root() is None or not (kit_root() / "faces").is_dir():
        pytest.skip("needs the photographs of the data kit")
    return Stage()


@pytest.fixture
def standing():
    """Two people who stand in front of the camera, 1.6 and 2.2 m away."""
    return (("003", lambda _: (1.6, 0.5, 0.3), ()), ("022", lambda _: (2.2, -0.4, 0.25), ()))


@pytest.fixture(scope="session")
def filmed():
    """Real clips of one talker: of each all frames as (faces, time), its words, and its sound."""
    from hearing_models.lips.takes import real_clips

    clips = real_clips("dev")[:4]
    if not clips:
        pytest.skip("needs the videos of the data kit")
    found = []
    for clip in clips:
        with open_video(clip.path) as video:
            tracker = FaceTracker(Camera(video.width, video.height, 400, 400, 180, 144))
            frames = [(tracker.process(frame.image, frame.time), frame.time) for frame in video.frames()]
        found.append((frames, clip_words(clip), read_clip(clip)))
    return found
