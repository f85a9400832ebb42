"""The audio source node: a recording, a simulated scene or live microphones, as a stream of messages."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from hearing_msgs import msg
from rclpy.duration import Duration
from sensor_msgs.msg import Image

from hearing.arrays import load_array
from hearing.errors import InputError
from hearing.microphones import live_blocks
from hearing.recording import BLOCK_SIZE, Moment, open_recording
from hearing.types import AudioBlock
from hearing_nodes.conversions import StreamClock, audio_message
from hearing_nodes.node import AUDIO_QOS, OK, PICTURES_QOS, WARN, Diagnosis, StageNode, run
from hearing_nodes.pictures import image_message

POLL = 0.05
"""Seconds between looks for a subscriber."""


class AudioSource(StageNode):
    """Streams audio once somebody listens. Publishes `audio`, and `playback` and `image` of a recording that has them.

    Stamps follow the sample clock from the moment that the stream begins. They are in ROS time only at rate 1.
    """

    aspect = "sound"

    def __init__(self) -> None:
        super().__init__("audio_source")
        self.declare("source", "", "Recording folder (also of a simulated scene) or audio file; empty: microphones")
        self.declare("array", "", "Built-in array or YAML file; needed unless the recording folder brings one")
        self.declare("device", "", "Microphones: part of the device's name or its number; empty: the default one")
        self.declare("video", False, "Publish what a recording's camera saw, too; waits until somebody looks")
        self.declare("awaits", [""], "Topics that somebody has to listen to as well before a recording begins")
        self.declare("rate", 1.0, "How many times faster than real time a recording is streamed", (0.01, 100.0))
        self.declare("frame_id", "microphones", "Frame of the microphone array, for the messages' headers")

    def configure(self) -> None:
        """Check the recording, or find the array of the microphones."""
        source, array = self.value("source"), self.value("array")
        if source:
            self._recording = open_recording(Path(source), array or None, seeing=self.value("video"))
            for notice in self._recording.notices:
                self.get_logger().info(notice)
        elif array:
            self._recording, self._array = None, load_array(array)
        else:
            raise InputError("nothing to stream: set the parameter `source` to a recording, or `array` for microphones")

    def activate(self) -> None:
        """Make the topics and start to stream."""
        self._blocks, self._state = 0, "waits for somebody who listens"
        self._publisher = self.create_publisher(msg.AudioBlock, "audio", AUDIO_QOS)
        self._awaited, self._beside = [self._publisher], []
        if self._recording is not None and self._recording.played is not None:
            self._playback = self.create_publisher(msg.AudioBlock, "playback", AUDIO_QOS)
            self._beside.append(self._playback)
        if self._recording is not None and self._recording.video is not None:
            self._images = self.create_publisher(Image, "image", PICTURES_QOS)
            self._awaited.append(self._images)
            self._beside.append(self._images)
        self._stopping = threading.Event()
        self._worker = self.begin_work(self._work, "stream")

    def deactivate(self) -> None:
        """Stop to stream."""
        self._stopping.set()
        self._worker.join()
        for publisher in (self._publisher, *self._beside):
            self.destroy_publisher(publisher)

    def diagnose(self) -> Diagnosis:
        """Tell whether there is sound, and somebody who listens to it."""
        values = {"blocks": self._blocks, "listeners": self._publisher.get_subscription_count()}
        if self._state == "streams" and not values["listeners"]:
            return Diagnosis(WARN, "nobody listens any more", values, self.value("device"))
        return Diagnosis(OK, self._state, values, self.value("device"))

    def _work(self) -> None:
        try:
            while not self._is_awaited():
                if self._stopping.wait(POLL):
                    return
            self._state = "streams"
            self._stream()
            self._state = "has streamed all"
        except InputError as error:
            self.get_logger().error(str(error))
            self.end(2 if self._recording is not None else 1)  # microphones may be plugged in later

    def _is_awaited(self) -> bool:
        """Tell whether all listen who shall."""
        return all(publisher.get_subscription_count() for publisher in self._awaited) and all(
            map(self.count_subscribers, self.texts("awaits"))
        )

    def _stream(self) -> None:
        clock = StreamClock(self.get_clock().now().nanoseconds, self.value("frame_id"))
        block = None
        for moment in self._moments():
            block = moment.block
            self._publish_beside(moment, clock)
            self._publisher.publish(audio_message(block, clock))
            self._blocks += 1
        if block is not None and not self._stopping.is_set():
            end = AudioBlock(block.samples[:0], block.start_sample + len(block.samples))
            self._publisher.publish(audio_message(end, clock, end_of_stream=True))
            self._publisher.wait_for_all_acked(Duration(seconds=5))

    def _publish_beside(self, moment: Moment, clock: StreamClock) -> None:
        """Publish what was seen and played during a block of audio."""
        for frame in moment.frames:
            self._images.publish(image_message(frame.image, clock.header(frame.time)))
        if moment.playback is not None:
            played = AudioBlock(moment.playback, moment.block.start_sample)
            self._playback.publish(audio_message(played, clock))

    def _moments(self) -> Iterator[Moment]:
        if self._recording is None:
            for block in live_blocks(self.value("device"), self._array, self._stopping, self.get_logger().warning):
                yield Moment(block)
            return
        begin, rate = time.monotonic(), self.value("rate")
        for moment in self._recording.moments(BLOCK_SIZE):
            # A microphone has a block when its last sample is there.
            if self._stopping.wait(max(0.0, begin + moment.block.end_time / rate - time.monotonic())):
                return
            yield moment


def main() -> None:
    """Run the node."""
    sys.exit(run(AudioSource))


if __name__ == "__main__":
    main()
