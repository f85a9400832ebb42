"""The vision node: pictures of a camera in, faces with what their lips do out."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from hearing_msgs.msg import Faces
from numpy.typing import NDArray
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from hearing.errors import InputError
from hearing.memory import open_people
from hearing.vision.pictures import picture
from hearing_nodes import conversions, frames, optional, sights
from hearing_nodes.human_topics import HumanTopics
from hearing_nodes.identifiers import face_id
from hearing_nodes.node import ERROR, OK, STATE_QOS, WARN, Diagnosis, StageNode, run

if TYPE_CHECKING:
    from hearing.vision.camera import Camera
    from hearing.vision.face import Sight
    from hearing_nodes.face_topics import FaceTopics

TOPIC = "camera_info"
"""What tells, with tf, how the camera sees, unless a file does."""
JUMP = 1.0
"""Seconds back from which on a stamp is not a late picture's but the beginning of another stream."""


@dataclass(slots=True)
class PictureCounts:
    """What has become of the pictures so far.

    Attributes
    ----------
    seen
        Pictures that were looked at.
    dropped
        Pictures that were replaced by newer ones before there was time for them.
    late
        Pictures that are not newer than the one before.
    restarts
        Streams that began anew: the ROS clock was set back.
    bad
        Messages that could not be used.
    """

    seen: int = 0
    dropped: int = 0
    late: int = 0
    restarts: int = 0
    bad: int = 0


class Vision(StageNode):
    """Runs the eyes in one worker thread on the newest picture, so that a slow computer sees less, but never late.

    Subscribes `image` or `image/compressed`, and `camera_info` and tf if no file describes the camera; publishes
    `hearing/faces`, `/diagnostics`, `/humans/faces` if `hri_msgs` is installed, and frames of camera and faces.
    """

    aspect = "pictures"

    def __init__(self) -> None:
        super().__init__("vision")
        self.declare("camera", TOPIC, "YAML file of its lens and place; or camera_info: that topic and tf tell them")
        self.declare("compressed", False, "Whether the pictures come as `image/compressed` instead of `image`")
        self.declare("reliable", True, "Have lost parts of pictures sent again; a driver that cannot needs false")
        self.declare("name", "", "Name of the camera, put before the ids of its faces; needed if there are several")
        self.declare("people", "", "Folder of people who are known, see `hearing enroll`; empty: nobody is")
        self.declare("frame_id", "microphones", "Frame of the microphone array, for the messages' headers")
        self.declare(
            "camera_frame", "camera", "Name of the frames of a camera from a file; empty: they are not published"
        )
        self.declare("humans", "/humans", "Namespace of what REP-155 describes; empty: not published")
        self.declare("crops", False, "Whether pictures of faces are published, as REP-155 has it")

    def configure(self) -> None:
        """Load the camera's calibration and the models."""
        try:
            from hearing.vision.camera import load_camera
            from hearing.vision.eyes import Eyes
        except ImportError as error:
            raise InputError(f"{error}; a camera needs more packages: pip install 'robot-hearing[vision]'") from error
        people = open_people(Path(self.value("people"))) if self.value("people") else None
        self._eyes_of = partial(Eyes, people=people)
        self._camera = self._eyes = None
        if self.value("camera") != TOPIC:
            self._open(load_camera(Path(self.value("camera"))))
        else:
            optional.needed("tf2_msgs", "a camera that no file describes")

    def activate(self) -> None:
        """Make the topics and start the worker."""
        if self._eyes is not None:
            self._eyes.reset()
        self._counts, self._reported_bad, self._last_bad = PictureCounts(), 0, ""
        self._work_seconds = self._delay = 0.0
        self._last: int | None = None
        self._newest: Image | CompressedImage | None = None
        self._changed = threading.Condition()
        self._stopping = False
        self._faces = self.create_publisher(Faces, "hearing/faces", STATE_QOS)
        self._humans = self._face_topics()
        self._frames, self._tree, self._info = frames.FramePublisher(self), frames.FrameTree(), None
        self._send_camera_frames()
        kind, topic = (CompressedImage, "image/compressed") if self.value("compressed") else (Image, "image")
        reliability = ReliabilityPolicy.RELIABLE if self.value("reliable") else ReliabilityPolicy.BEST_EFFORT
        newest = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=reliability)
        self._pictures = self.create_subscription(kind, topic, self._take, newest)
        self._beside = []
        if self.value("camera") == TOPIC:
            any_driver = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
            self._beside = [
                self.create_subscription(CameraInfo, "camera_info", self._take_info, any_driver),
                *frames.listen(self, self._take_frames),
            ]
        self._worker = self.begin_work(self._work, "eyes")

    def deactivate(self) -> None:
        """Stop the worker after the picture that it looks at."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._worker.join()
        for subscription in (self._pictures, *self._beside):
            self.destroy_subscription(subscription)
        self.destroy_publisher(self._faces)
        self._frames.close()
        if self._humans is not None:
            self._humans.close()

    def cleanup(self) -> None:
        """Drop the models."""
        self._camera = self._eyes = None

    def _open(self, camera: Camera) -> None:
        """Load what sees through a camera."""
        self._camera, self._eyes = camera, self._eyes_of(camera)

    def _face_topics(self) -> FaceTopics | None:
        """Return the topics of REP-155, or None if they are not wanted, or its messages not installed."""
        if not self.value("humans") or optional.installed("hri_msgs") is None:
            return None
        from hearing_nodes.face_topics import FaceTopics

        return FaceTopics(HumanTopics(self, f"{self.value('humans')}/faces"), self.value("crops"))

    def _send_camera_frames(self) -> None:
        """Publish where the camera is in the array frame, if a file says it, and its optical sibling."""
        name = self.value("camera_frame")
        if self._camera is None or not name:
            return
        from hearing.vision.optical import optical, upright

        stamp, array = self.get_clock().now().to_msg(), self.value("frame_id")
        poses = {"link": upright(self._camera), "optical_frame": optical(self._camera)}
        self._frames.send_static(
            [frames.transform(array, f"{name}_{suffix}", stamp, frames.pose(*pose)) for suffix, pose in poses.items()]
        )

    def _take_info(self, message: CameraInfo) -> None:
        with self._changed:
            self._info = message

    def _take_frames(self, message: tuple[object, bool]) -> None:
        with self._changed:
            self._tree.take(message)

    def _take(self, message: Image | CompressedImage) -> None:
        with self._changed:
            self._counts.dropped += self._newest is not None
            self._newest = message
            self._changed.notify()

    def _work(self) -> None:
        while (message := self._wait()) is not None:
            try:
                self._look(message)
            except InputError as error:
                self._counts.bad += 1
                self._last_bad = f"{self._pictures.topic_name}: {error}"

    def _wait(self) -> Image | CompressedImage | None:
        """Return the newest picture once there is one; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._stopping)
            message, self._newest = self._newest, None
            return None if self._stopping else message

    def _look(self, message: Image | CompressedImage) -> None:
        begin, stamp = time.perf_counter(), conversions.nanoseconds(message.header.stamp)
        image = picture(message)
        if self._eyes is None:
            self._open(self._described(stamp))
        if self._last is None or stamp < self._last - JUMP * 1e9:
            self._begin(stamp)
        elif stamp <= self._last:
            self._counts.late += 1
            return
        sight: Sight = self._eyes.process(image, (stamp - self._origin) / 1e9)
        self._last = stamp
        header = Header(stamp=message.header.stamp, frame_id=self.value("frame_id"))
        self._faces.publish(sights.faces_message(sight, header, self.value("name"), self._prefix))
        self._show(sight, image, message.header, header)
        self._counts.seen += 1
        self._work_seconds += time.perf_counter() - begin
        self._delay = (self.get_clock().now().nanoseconds - stamp) / 1e9

    def _described(self, stamp: int) -> Camera:
        """Return the camera as its `CameraInfo`, and tf at a ROS time in nanoseconds, describe it."""
        from hearing.vision.optical import bends, described

        with self._changed:
            info, array = self._info, self.value("frame_id")
            if info is None:
                raise InputError("no `camera_info` has come: publish it, or set `camera` to a YAML file")
            pose = self._tree.between(array, info.header.frame_id, stamp)
        if pose is None:
            raise InputError(f"tf does not say where {info.header.frame_id} is in {array}: publish it, or set `camera`")
        if min(info.width, info.height, info.k[0], info.k[4]) <= 0:
            raise InputError("`camera_info` is of a camera that is not calibrated: calibrate it, or set `camera`")
        if bends(info):
            self.get_logger().warning("the lens bends lines, which is not corrected: give rectified pictures")
        return described(info, pose)

    def _show(self, sight: Sight, image: NDArray[np.uint8], of_picture: Header, of_array: Header) -> None:
        """Publish faces as REP-155 has them, and their frames."""
        from hearing_nodes.face_topics import face_frames

        faces = [(face_id(self._prefix + face.id), face) for face in sight.faces]
        if self._humans is not None:
            self._humans.show(faces, image, of_picture)
        if self.value("humans"):
            self._frames.send(face_frames(faces, self._camera, of_array))

    def _begin(self, stamp: int) -> None:
        """Start to see a stream whose first picture has this stamp."""
        self._counts.restarts += self._last is not None
        self._eyes.reset()
        self._origin = stamp
        # Who hears goes on when this node starts anew and counts faces from 1 again.
        run = f"{stamp // 1_000_000:x}"
        name = self.value("name")
        self._prefix = f"{name}_{run}_" if name else f"{run}_"

    def diagnose(self) -> Diagnosis:
        """Tell whether pictures come, and whether there is time for them."""
        counts, reported_bad = asdict(self._counts), self._reported_bad
        self._reported_bad = counts["bad"]
        seen = counts["seen"]
        if counts["bad"] > reported_bad:
            level, text = ERROR, self._last_bad
        elif counts["dropped"] > seen:
            level, text = WARN, "the computer is too slow: most pictures are not looked at"
        else:
            level, text = OK, "seeing" if seen else "no pictures"
        values = {
            "seconds_per_picture": f"{self._work_seconds / seen if seen else 0.0:.3f}",
            "delay_seconds": f"{self._delay:.3f}",
            "rep_155": "published" if self._humans is not None else _silence(self.value("humans")),
            **counts,
        }
        return Diagnosis(level, text, values, self.value("name"))


def _silence(humans: str) -> str:
    """Say why nothing of REP-155 is published."""
    return "not published: hri_msgs is not installed" if humans else "not wanted"


def main() -> None:
    """Run the node."""
    sys.exit(run(Vision))


if __name__ == "__main__":
    main()
