"""Pixels and directions, and reading videos."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from hearing_sim import ArrayPose
from hearing_sim import Camera as SimCamera
from hearing_sim.faces import camera_yaml
from hearing_sim.faces.camera import Lens

from hearing.errors import InputError
from hearing.types import Direction
from hearing.vision.camera import Camera, load_camera, open_video

POSES = (
    SimCamera(position=(0.0, 0.0, 0.1)),
    SimCamera(position=(0.2, -0.1, 0.3), yaw_deg=40.0, pitch_deg=-10.0, roll_deg=4.0),
    SimCamera(position=(-0.1, 0.05, -0.4), yaw_deg=-120.0, pitch_deg=15.0, hfov_deg=100.0, width=1280, height=720),
)


@pytest.mark.parametrize("pose", POSES)
def test_what_the_simulated_lens_sees_is_located_where_it_is(pose):
    lens, camera = Lens(pose, ArrayPose("azure_kinect", (0.0, 0.0, 0.0)).pose), Camera(**camera_yaml(pose))
    rng = np.random.default_rng(0)
    for pixel, depth in zip(
        rng.uniform((0, 0), (pose.width, pose.height), (50, 2)), rng.uniform(0.4, 5, 50), strict=True
    ):
        point = camera.points(pixel, depth)
        view = lens.see(point, 0.0)
        np.testing.assert_allclose((view.x, view.y, view.depth), (*pixel, depth), atol=0.01)
        direction, distance = camera.locate(view.x, view.y, view.depth)
        assert direction.angle_to(Direction.from_vector(point)) < np.deg2rad(0.05)
        assert distance == pytest.approx(np.linalg.norm(point), rel=1e-3)
        ray = camera.rays(pixel)
        np.testing.assert_allclose(ray, (point - pose.position) / np.linalg.norm(point - pose.position), atol=1e-6)
        assert camera.depth(view.scale * 0.2, 0.2) == pytest.approx(depth, rel=1e-3)


def test_a_camera_beside_the_array_sees_near_things_elsewhere():
    camera = Camera(640, 480, 500, 500, 320, 240, position=(0.0, 0.3, 0.0))
    near, far = (camera.locate(320, 240, depth)[0] for depth in (0.6, 10.0))
    assert near.azimuth == pytest.approx(np.arctan2(0.3, 0.6))
    assert far.azimuth == pytest.approx(np.arctan2(0.3, 10.0))


def write_video(path, ticks, size=(64, 48), codec="mpeg4"):
    """Frames at so many hundredths of a second, brighter and brighter."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=100)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 100)
        for number, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 30 * number, np.uint8), format="bgr24")
            frame.pts, frame.time_base = tick, Fraction(1, 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_frames_come_with_their_times(tmp_path):
    ticks = [0, 4, 8, 20, 21, 50, 90]
    with open_video(write_video(tmp_path / "v.mp4", ticks)) as video:
        assert (video.width, video.height) == (64, 48)
        frames = list(video.frames())
    assert [round(100 * frame.time) for frame in frames] == ticks
    for number, frame in enumerate(frames):
        assert frame.image.shape == (48, 64, 3)
        assert abs(float(frame.image.mean()) - 30 * number) < 12


@pytest.mark.parametrize(
    ("matrix", "bright"), [((0, 1, -1, 0), "top"), ((-1, 0, 0, -1), "right"), ((1, 0, 0, 1), "left")]
)
def test_pictures_are_turned_as_the_telephone_says(tmp_path, matrix, bright):
    with av.open(str(tmp_path / "v.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        picture = np.zeros((48, 64, 3), np.uint8)
        picture[:, :32] = 200
        container.mux([*stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")), *stream.encode()])
    content = bytearray((tmp_path / "v.mp4").read_bytes())
    at = content.index(b"tkhd") + 44  # the track's display matrix
    a, b, c, d = (value * 0x10000 for value in matrix)
    content[at : at + 20] = struct.pack(">5i", a, b, 0, c, d)
    (tmp_path / "v.mp4").write_bytes(bytes(content))
    with open_video(tmp_path / "v.mp4") as video:
        (frame,) = video.frames()
    height, width = frame.image.shape[:2]
    parts = {
        "top": frame.image[: height // 2],
        "right": frame.image[:, width // 2 :],
        "left": frame.image[:, : width // 2],
    }
    assert (height, width) == ((64, 48) if bright == "top" else (48, 64))
    assert parts[bright].mean() > 150
    assert frame.image.mean() < 120


def test_bad_videos_are_refused_in_one_line(tmp_path):
    (tmp_path / "text.mp4").write_text("this is no video\n" * 50)
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), format="s16", layout="mono")
        frame.sample_rate = 16000
        container.mux([*stream.encode(frame), *stream.encode()])
    for name, what in (("none.mp4", "not a video"), ("text.mp4", "not a video"), ("sound.wav", "holds no pictures")):
        with pytest.raises(InputError, match=f"{name}: {what}") as error:
            open_video(tmp_path / name)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("width: 640", "describes no camera"),
        ("[1, 2]", "describes no camera"),
        ("{width: 640, height: 480, fx: 0, fy: 1, cx: 320, cy: 240}", "greater than 0"),
        ("{width: 640, height: 480, fx: 1, fy: 1, cx: 320, cy: 240, yaw: .nan}", "not finite"),
    ],
)
def test_bad_descriptions_are_refused(tmp_path, text, what):
    (tmp_path / "camera.yaml").write_text(text)
    with pytest.raises(InputError, match=what):
        load_camera(tmp_path / "camera.yaml")
