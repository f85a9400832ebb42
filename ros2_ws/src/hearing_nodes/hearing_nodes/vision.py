"""The vision node: pictures of a camera in, faces with what their lips do out."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from hearing_msgs.msg import Faces
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from hearing.errors import InputError
from hearing.memory import open_people
from hearing_nodes import conversions, pictures, sights
from hearing_nodes.node import STATE_QOS, StageNode, run

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

    Subscribes `image` or `image/compressed`; publishes `hearing/faces` and `/diagnostics`.
    """

    def __init__(self) -> None:
        super().__init__("vision")
        self.declare("camera", "", "YAML file of the camera: its lens and its place in the array frame")
        self.declare("compressed", False, "Whether the pictures come as `image/compressed` instead of `image`")
        self.declare("reliable", True, "Have lost parts of pictures sent again; a driver that cannot needs false")
        self.declare("name", "", "Name of the camera, put before the ids of its faces; needed if there are several")
        self.declare("people", "", "Folder of people who are known, see `hearing enroll`; empty: nobody is")
        self.declare("frame_id", "microphones", "Frame of the microphone array, for the messages' headers")

    def configure(self) -> None:
        """Load the camera's calibration and the models."""
        try:
            from hearing.vision.camera import load_camera
            from hearing.vision.eyes import Eyes
        except ImportError as error:
            raise InputError(f"{error}; a camera needs more packages: pip install 'robot-hearing[vision]'") from error
        if not self.value("camera"):
            raise InputError("the camera is not known: set the parameter `camera` to the YAML file that describes it")
        people = open_people(Path(self.value("people"))) if self.value("people") else None
        self._eyes = Eyes(load_camera(Path(self.value("camera"))), people=people)

    def activate(self) -> None:
        """Make the topics and start the worker."""
        self._counts, self._reported_bad, self._last_bad = PictureCounts(), 0, ""
        self._work_seconds = self._delay = 0.0
        self._last: int | None = None
        self._newest: Image | CompressedImage | None = None
        self._changed = threading.Condition()
        self._stopping = False
        self._faces = self.create_publisher(Faces, "hearing/faces", STATE_QOS)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        kind, topic = (CompressedImage, "image/compressed") if self.value("compressed") else (Image, "image")
        reliability = ReliabilityPolicy.RELIABLE if self.value("reliable") else ReliabilityPolicy.BEST_EFFORT
        newest = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=reliability)
        self._pictures = self.create_subscription(kind, topic, self._take, newest)
        self._timer = self.create_timer(1.0, self._diagnose)
        self._worker = threading.Thread(target=self._work, name="eyes")
        self._worker.start()

    def deactivate(self) -> None:
        """Stop the worker after the picture that it looks at."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._worker.join()
        self.destroy_timer(self._timer)
        self.destroy_subscription(self._pictures)
        for publisher in (self._faces, self._diagnostics):
            self.destroy_publisher(publisher)

    def cleanup(self) -> None:
        """Drop the models."""
        self._eyes = None

    def _take(self, message: Image | CompressedImage) -> None:
        with self._changed:
            self._counts.dropped += self._newest is not None
            self._newest = message
            self._changed.notify()

    def _work(self) -> None:
        try:
            while (message := self._wait()) is not None:
                try:
                    self._look(message)
                except InputError as error:
                    self._counts.bad += 1
                    self._last_bad = f"{self._pictures.topic_name}: {error}"
        except Exception as error:
            if self.context.ok():  # else it is only that nothing can be published any more
                self.fail(error)

    def _wait(self) -> Image | CompressedImage | None:
        """Return the newest picture once there is one; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._stopping)
            message, self._newest = self._newest, None
            return None if self._stopping else message

    def _look(self, message: Image | CompressedImage) -> None:
        begin, stamp = time.perf_counter(), conversions.nanoseconds(message.header.stamp)
        image = pictures.picture(message)
        if self._last is None or stamp < self._last - JUMP * 1e9:
            self._begin(stamp)
        elif stamp <= self._last:
            self._counts.late += 1
            return
        sight = self._eyes.process(image, (stamp - self._origin) / 1e9)
        self._last = stamp
        header = Header(stamp=message.header.stamp, frame_id=self.value("frame_id"))
        self._faces.publish(sights.faces_message(sight, header, self.value("name"), self._prefix))
        self._counts.seen += 1
        self._work_seconds += time.perf_counter() - begin
        self._delay = (self.get_clock().now().nanoseconds - stamp) / 1e9

    def _begin(self, stamp: int) -> None:
        """Start to see a stream whose first picture has this stamp."""
        self._counts.restarts += self._last is not None
        self._eyes.reset()
        self._origin = stamp
        # Who hears goes on when this node starts anew and counts faces from 1 again.
        run = f"{stamp // 1_000_000:x}"
        name = self.value("name")
        self._prefix = f"{name}_{run}_" if name else f"{run}_"

    def _diagnose(self) -> None:
        counts, reported_bad = asdict(self._counts), self._reported_bad
        self._reported_bad = counts["bad"]
        seen = counts["seen"]
        if counts["bad"] > reported_bad:
            level, text = DiagnosticStatus.ERROR, self._last_bad
        elif counts["dropped"] > seen:
            level, text = DiagnosticStatus.WARN, "the computer is too slow: most pictures are not looked at"
        else:
            level, text = DiagnosticStatus.OK, "seeing" if seen else "no pictures"
        values = {
            "seconds_per_picture": f"{self._work_seconds / seen if seen else 0.0:.3f}",
            "delay_seconds": f"{self._delay:.3f}",
            **counts,
        }
        status = DiagnosticStatus(
            level=level,
            name=f"{self.get_fully_qualified_name()}: pictures",
            message=text,
            hardware_id=self.value("name"),
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
        )
        self._diagnostics.publish(
            DiagnosticArray(header=Header(stamp=self.get_clock().now().to_msg()), status=[status])
        )


def main() -> None:
    """Run the node."""
    sys.exit(run(Vision))


if __name__ == "__main__":
    main()
