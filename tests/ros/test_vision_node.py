"""The vision node sees what the eyes see, and survives what it cannot look at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from hearing_msgs.msg import Faces
from hearing_nodes import optional
from hearing_nodes.conversions import StreamClock, nanoseconds
from hearing_nodes.node import PICTURES_QOS, STATE_QOS
from hearing_nodes.pictures import image_message
from hearing_nodes.vision import Vision
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image
from spinning import spin_until

from hearing.errors import InputError
from hearing.recording import open_recording
from hearing.vision.camera import Frame, open_video
from hearing.vision.eyes import Eyes
from hearing.vision.face import Sight
from hearing.vision.pictures import picture

CLOCK = StreamClock(origin=1_700_000_000_250_000_000, frame_id="camera")
CAMERA = "{width: 64, height: 48, fx: 50, fy: 50, cx: 32, cy: 24}\n"


class Bench:
    """The node under test, and another that shows it pictures."""

    def __init__(self, kind: type = Image, quality: QoSProfile = PICTURES_QOS, **parameters: object) -> None:
        self.node = Vision()
        parameters["compressed"] = kind is CompressedImage
        self.node.set_parameters([rclpy.Parameter(name, value=value) for name, value in parameters.items()])
        assert self.node.start()
        self.peer = rclpy.create_node("peer")
        topic = "image/compressed" if kind is CompressedImage else "image"
        self.images = self.peer.create_publisher(kind, topic, quality)
        self.faces: list[Faces] = []
        self.statuses: list[DiagnosticStatus] = []
        self.peer.create_subscription(Faces, "hearing/faces", self.faces.append, STATE_QOS)
        self.peer.create_subscription(DiagnosticArray, "/diagnostics", lambda m: self.statuses.extend(m.status), 10)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.executor.add_node(self.peer)
        self.until(lambda: self.images.get_subscription_count() and self.peer.count_publishers("hearing/faces"))

    def end(self) -> None:
        self.node.stop()
        self.node.destroy_node()
        self.peer.destroy_node()

    def until(self, condition: Callable[[], object]) -> None:
        spin_until(self.executor, condition)

    def show(self, message: Image | CompressedImage) -> Faces:
        """Publish a picture until it is looked at: pictures may get lost."""
        before = len(self.faces)
        for _ in range(10):
            self.images.publish(message)
            end = time.monotonic() + 3
            while time.monotonic() < end:
                self.executor.spin_once(timeout_sec=0.05)
                if len(self.faces) > before:
                    return self.faces[-1]
        raise AssertionError("the picture was not looked at")

    def values(self) -> dict[str, str]:
        return {pair.key: pair.value for pair in self.statuses[-1].values}


class SlowEyes:
    """Take their time for every picture."""

    def reset(self) -> None:
        pass

    def process(self, image: np.ndarray, moment: float) -> Sight:
        if image.shape != (48, 64, 3):
            raise InputError("the picture has another size")
        time.sleep(0.3)
        return Sight(moment, (), ())


@pytest.fixture
def camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("hearing.vision.eyes.Eyes", lambda camera, people: SlowEyes())
    (tmp_path / "camera.yaml").write_text(CAMERA)
    return str(tmp_path / "camera.yaml")


@pytest.fixture
def slow(ros: None, camera: str) -> Iterator[Bench]:
    bench = Bench(camera=camera)
    yield bench
    bench.end()


def frames(recording: Path, count: int) -> list[Frame]:
    with open_video(recording / "camera.mp4") as video:
        return list(islice(video.frames(), count))


def blank(moment: float, height: int = 48) -> Image:
    return image_message(np.zeros((height, 64, 3), np.uint8), CLOCK.header(moment))


def test_the_node_sees_what_the_eyes_see(seen_recording: Path, ros: None) -> None:
    film = frames(seen_recording, 8)
    eyes = Eyes(open_recording(seen_recording, seeing=True).camera)
    seen = [eyes.process(frame.image, round(frame.time * 1e9) / 1e9) for frame in film]
    bench = Bench(camera=str(seen_recording / "camera.yaml"), name="left")
    shown = [bench.show(image_message(frame.image, CLOCK.header(frame.time))) for frame in film]
    bench.end()
    assert max(len(sight.faces) for sight in seen) == 2
    for frame, sight, message in zip(film, seen, shown, strict=True):
        assert nanoseconds(message.header.stamp) == CLOCK.origin + round(frame.time * 1e9)
        assert (message.header.frame_id, message.camera) == ("microphones", "left")
        assert len(message.faces) == len(sight.faces)
        for face, lips, got in zip(sight.faces, sight.lips, message.faces, strict=True):
            assert got.id.startswith("left_")
            assert got.id.endswith(f"_{face.id}")
            assert tuple(got.box) == face.box
            assert (got.azimuth, got.distance, got.speaking) == (face.direction.azimuth, face.distance, lips.speaking)
            np.testing.assert_array_equal(got.embedding, lips.embedding if lips.embedding is not None else [])


def test_compressed_pictures_are_seen_too(seen_recording: Path, ros: None) -> None:
    bench = Bench(CompressedImage, camera=str(seen_recording / "camera.yaml"))
    shown = []
    for frame in frames(seen_recording, 8):
        data = cv2.imencode(".jpg", frame.image)[1].tobytes()
        shown.append(bench.show(CompressedImage(header=CLOCK.header(frame.time), format="jpeg", data=data)))
    bench.end()
    assert max(len(message.faces) for message in shown) == 2


def test_a_driver_that_sends_nothing_again_is_seen_if_that_is_said(ros: None, camera: str) -> None:
    bench = Bench(quality=qos_profile_sensor_data, camera=camera, reliable=False)
    assert not bench.show(blank(0.0)).faces
    bench.end()


def test_faces_are_counted_anew_by_other_ids_when_the_clock_is_set_back(slow: Bench) -> None:
    slow.show(blank(5.0))
    prefix = slow.node._prefix
    slow.images.publish(blank(4.5))
    slow.until(lambda: slow.statuses and slow.values()["late"] == "1")
    slow.show(blank(1.0))
    slow.until(lambda: slow.values()["restarts"] == "1")
    assert slow.node._prefix != prefix


def test_of_pictures_that_come_too_fast_the_newest_is_looked_at(slow: Bench) -> None:
    for number in range(20):
        slow.images.publish(blank(number / 20))
        slow.executor.spin_once(timeout_sec=0.02)
        slow.executor.spin_once(timeout_sec=0.02)
    slow.until(lambda: slow.faces and nanoseconds(slow.faces[-1].header.stamp) == CLOCK.origin + 950_000_000)
    slow.until(lambda: slow.statuses and int(slow.values()["dropped"]) > 0 and int(slow.values()["seen"]) < 20)


def test_bad_pictures_are_reported_and_survived(slow: Bench) -> None:
    slow.show(blank(0.0))
    slow.images.publish(Image(header=CLOCK.header(0.1), encoding="yuv422", width=64, height=48))
    slow.until(lambda: any("yuv422" in status.message for status in slow.statuses))
    slow.images.publish(blank(0.2, height=24))
    slow.until(lambda: any("another size" in status.message for status in slow.statuses))
    assert any(status.level == DiagnosticStatus.ERROR for status in slow.statuses)
    slow.show(blank(0.3))
    slow.until(lambda: slow.statuses[-1].level == DiagnosticStatus.OK)
    assert slow.values()["bad"] == "2"


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (Image(encoding="bayer_rggb8"), "encoding 'bayer_rggb8'"),
        (Image(encoding="bgr8", width=2, height=2, step=6, data=[0] * 11), "a picture of 11 bytes"),
        (Image(encoding="bgr8", width=2, height=2, step=5, data=[0] * 10), "rows of 5 bytes"),
        (CompressedImage(format="jpeg"), "format 'jpeg' cannot be decoded"),
        (CompressedImage(format="jpeg", data=b"no picture"), "give jpeg or png"),
    ],
)
def test_pictures_that_cannot_be_decoded_are_refused(message: Image | CompressedImage, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        picture(message)


def test_pictures_come_back_whatever_the_order_of_their_colours() -> None:
    image = np.random.default_rng(0).integers(0, 255, (4, 6, 3)).astype(np.uint8)
    message = image_message(image, CLOCK.header(0.0))
    np.testing.assert_array_equal(picture(message), image)
    message.encoding = "rgb8"
    np.testing.assert_array_equal(picture(message), image[:, :, ::-1])
    grey = Image(encoding="mono8", width=5, height=4, step=8, data=np.pad(image[:, :5, 0], ((0, 0), (0, 3))).ravel())
    np.testing.assert_array_equal(picture(grey), image[:, :5, :1].repeat(3, axis=2))
    png = CompressedImage(format="png", data=cv2.imencode(".png", image)[1].tobytes())
    np.testing.assert_array_equal(picture(png), image)


def test_without_tf_a_camera_must_be_described_by_a_file(ros: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optional, "installed", lambda package: None)
    node = Vision()
    assert not node.start()
    assert node.exit_status == 2
    node.destroy_node()
