"""A camera that CameraInfo and tf describe, its frames, and the faces before it as REP-155 has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import TransformStamped
from hearing_nodes import frames, optional
from hearing_nodes.conversions import StreamClock
from hearing_nodes.face_topics import CROP, cropped, head_pose
from hearing_nodes.node import LATEST_QOS, PICTURES_QOS
from hearing_nodes.pictures import image_message
from hearing_nodes.vision import Vision
from hri_msgs.msg import IdsList, NormalizedRegionOfInterest2D
from rclpy.executors import SingleThreadedExecutor
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import CameraInfo, Image
from spinning import spin_until
from tf2_msgs.msg import TFMessage

from hearing.types import Direction
from hearing.vision.camera import Camera
from hearing.vision.face import Face, LipState, Sight
from hearing.vision.optical import described, optical

CLOCK = StreamClock(origin=1_700_000_000_250_000_000, frame_id="camera_optical_frame")
CAMERA = Camera(64, 48, 50.0, 52.0, 32.0, 24.0, (0.1, 0.05, -0.2), 20.0, -5.0, 3.0)
YAML = """{width: 64, height: 48, fx: 50, fy: 52, cx: 32, cy: 24, position: [0.1, 0.05, -0.2],
  yaw: 20, pitch: -5, roll: 3}"""
INFO = CameraInfo(
    header=CLOCK.header(0.0), width=64, height=48, k=np.array([50.0, 0, 32, 0, 52, 24, 0, 0, 1]), d=[0.0] * 5
)


def face_at(box: tuple[float, float, float, float], yaw: float = 0.0, pitch: float = 0.0) -> Face:
    return Face("face_1", 0.0, box, Direction(0.4, 0.1), 2.0, yaw, pitch, 0.9, 0.0, None, np.ones((48, 64)), 0.8)


class OneFace:
    """Eyes that always see one face, and note their camera."""

    def __init__(self, camera: Camera, people: object) -> None:
        self.camera = camera

    def reset(self) -> None: ...

    def process(self, image: np.ndarray, moment: float) -> Sight:
        return Sight(moment, (face_at((16.0, 12.0, 16.0, 24.0)),), (LipState("face_1", moment, 0.3, None),))


class Bench:
    """The node under test, and another that shows it pictures and listens."""

    def __init__(self, **parameters: object) -> None:
        self.node, self.peer = Vision(), rclpy.create_node("peer")
        self.node.set_parameters([rclpy.Parameter(name, value=value) for name, value in parameters.items()])
        self.got: dict[str, list[Any]] = defaultdict(list)
        self.executor = SingleThreadedExecutor()
        self.images = self.peer.create_publisher(Image, "image", PICTURES_QOS)
        self.infos = self.peer.create_publisher(CameraInfo, "camera_info", 1)
        self.static = self.peer.create_publisher(TFMessage, "/tf_static", frames.TF_STATIC_QOS)
        self.listen(TFMessage, "/tf", 100)
        self.listen(TFMessage, "/tf_static", frames.TF_STATIC_QOS)
        assert self.node.start()
        for each in (self.node, self.peer):
            self.executor.add_node(each)
        self.until(self.images.get_subscription_count)

    def listen(self, kind: type, topic: str, quality: Any = LATEST_QOS) -> None:
        self.peer.create_subscription(kind, topic, self.got[topic].append, quality)

    def until(self, condition: Callable[[], object]) -> None:
        spin_until(self.executor, condition, got=list(self.got))

    def show(self, at: float) -> None:
        seen, bad = self.node._counts.seen, self.node._counts.bad
        self.images.publish(image_message(np.full((48, 64, 3), 90, np.uint8), CLOCK.header(at)))
        self.until(lambda: self.node._counts.seen > seen or self.node._counts.bad > bad)

    def frames(self, topic: str = "/tf") -> dict[str, TransformStamped]:
        return {entry.child_frame_id: entry for message in self.got[topic] for entry in message.transforms}

    def end(self) -> None:
        self.node.stop()
        self.node.destroy_node()
        self.peer.destroy_node()


@pytest.fixture
def ros(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("hearing.vision.eyes.Eyes", OneFace)
    rclpy.init()
    yield
    rclpy.shutdown()


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "camera.yaml").write_text(YAML)
    return str(tmp_path / "camera.yaml")


def assert_same(camera: Camera) -> None:
    for name in ("width", "height", "fx", "fy", "cx", "cy", "yaw", "pitch", "roll", "position"):
        np.testing.assert_allclose(getattr(camera, name), getattr(CAMERA, name), atol=1e-9)


def test_a_camera_comes_back_from_its_optical_frame() -> None:
    assert_same(described(INFO, frames.pose(*optical(CAMERA))))
    ahead = frames.pose(*optical(CAMERA)) @ [0, 0, 3, 1]
    np.testing.assert_allclose(ahead[:3], CAMERA.points((32, 24), 3.0), atol=1e-12)


def test_camera_info_and_tf_tell_what_the_camera_is(ros: None) -> None:
    bench = Bench()
    bench.show(0.0)
    assert "no `camera_info`" in bench.node.diagnose().message
    bench.until(lambda: bench.infos.get_subscription_count() and bench.static.get_subscription_count())
    bench.infos.publish(INFO)
    bench.until(lambda: bench.node._info is not None)
    bench.show(0.1)
    assert "tf does not say where camera_optical_frame is" in bench.node.diagnose().message
    placed = frames.transform("microphones", "camera_optical_frame", INFO.header.stamp, frames.pose(*optical(CAMERA)))
    bench.static.publish(TFMessage(transforms=[placed]))
    bench.until(lambda: bench.node._tree.parent("camera_optical_frame"))
    bench.show(0.2)
    assert_same(bench.node._eyes.camera)
    assert not bench.frames("/tf_static").keys() - {"camera_optical_frame"}
    bench.end()


def test_a_file_tells_tf_where_the_camera_and_its_optical_sibling_are(ros: None, file: str) -> None:
    bench = Bench(camera=file, camera_frame="left")
    bench.until(lambda: len(bench.frames("/tf_static")) == 2)
    link, sibling = (bench.frames("/tf_static")[f"left_{suffix}"] for suffix in ("link", "optical_frame"))
    tree = frames.FrameTree()
    tree.take((TFMessage(transforms=[link, sibling]), True))
    turn = tree.between("left_link", "left_optical_frame", 0)
    np.testing.assert_allclose(turn @ [0, 0, 1, 1], [1, 0, 0, 1], atol=1e-9)  # it looks along z, the link along x
    np.testing.assert_allclose(turn @ [1, 0, 0, 1], [0, -1, 0, 1], atol=1e-9)
    assert link.header.frame_id == sibling.header.frame_id == "microphones"
    bench.end()


def test_faces_have_the_topics_and_frames_of_rep_155(ros: None, file: str) -> None:
    bench = Bench(camera=file, crops=True)
    bench.show(0.0)
    key = f"f_{bench.node._prefix}face_1"
    bench.listen(IdsList, "/humans/faces/tracked")
    bench.listen(NormalizedRegionOfInterest2D, f"/humans/faces/{key}/roi", 10)
    bench.listen(Image, f"/humans/faces/{key}/cropped", 10)
    got = bench.got
    bench.until(lambda: bench.peer.count_publishers(f"/humans/faces/{key}/roi"))
    for number in range(1, 100):
        bench.show(0.1 * number)
        if got[f"/humans/faces/{key}/roi"] and got[f"/humans/faces/{key}/cropped"]:
            break
    assert list(got["/humans/faces/tracked"][-1].ids) == [key]
    region = got[f"/humans/faces/{key}/roi"][-1]
    assert (region.xmin, region.xmax, region.ymin, region.ymax) == (0.25, 0.5, 0.25, 0.75)
    assert region.header.frame_id == "camera_optical_frame"
    picture = got[f"/humans/faces/{key}/cropped"][-1]
    assert (picture.width, picture.height, picture.encoding) == (CROP, CROP, "bgr8")
    face, gaze = bench.frames()[f"face_{key}"], bench.frames()[f"gaze_{key}"]
    assert (face.header.frame_id, gaze.header.frame_id) == ("microphones", f"face_{key}")
    assert bench.node.diagnose().values["rep_155"] == "published"
    bench.end()


def test_without_hri_msgs_faces_are_seen_and_the_diagnostics_say_what_lacks(
    ros: None, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = optional.installed
    monkeypatch.setattr(optional, "installed", lambda package: None if package == "hri_msgs" else installed(package))
    bench = Bench(camera=file)
    bench.show(0.0)
    assert bench.node._counts.seen == 1
    assert bench.node.diagnose().values["rep_155"] == "not published: hri_msgs is not installed"
    assert not [topic for topic, _ in bench.node.get_topic_names_and_types() if topic.startswith("/humans")]
    bench.end()


def test_a_head_faces_where_it_is_turned_to() -> None:
    camera = Camera(64, 48, 50, 50, 32, 24, (0.3, 0.0, 0.2))
    straight = head_pose(face_at((0, 0, 1, 1)), camera)
    mouth = 2.0 * Direction(0.4, 0.1).vector
    towards = (camera.position - mouth) / np.linalg.norm(camera.position - mouth)
    np.testing.assert_allclose(straight[:3, 0], towards, atol=1e-9)
    assert straight[2, 2] > 0.9
    np.testing.assert_allclose(np.linalg.norm(straight[:3, 3] - mouth), 0.075, atol=1e-9)
    left = head_pose(face_at((0, 0, 1, 1), yaw=0.5), camera)
    up = Rotation.from_rotvec([0, 0, 0.5]).as_matrix()
    np.testing.assert_allclose(left[:3, 0], up @ towards, atol=1e-9)  # to the person's own left
    down = head_pose(face_at((0, 0, 1, 1), pitch=0.3), camera)
    assert down[2, 0] < straight[2, 0] - 0.25


def test_a_crop_is_the_face_centred_in_black() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    cv2.rectangle(image, (50, 40), (89, 119), (255, 255, 255), -1)
    crop = cropped(face_at((50.0, 40.0, 40.0, 80.0)), image)
    assert crop.shape == (CROP, CROP, 3)
    assert crop[CROP // 2, CROP // 2].min() == 255
    assert not crop[:, :20].any()
    assert crop[4:-4, 36:-36].min() > 250
    assert not cropped(face_at((-500.0, -500.0, 40.0, 40.0)), image).any()
