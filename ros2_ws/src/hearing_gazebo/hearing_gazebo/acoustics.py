"""The acoustics node: poses from a simulator in, microphone audio and the truth about it out."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
from geometry_msgs.msg import TransformStamped
from hearing_msgs import msg
from hearing_nodes.conversions import StreamClock, audio_message, nanoseconds, track_messages, utterance_message
from hearing_nodes.frames import FramePublisher
from hearing_nodes.node import AUDIO_QOS, OK, STATE_QOS, WARN, Diagnosis, StageNode, run
from rclpy.clock import Clock
from rclpy.clock_type import ClockType

from hearing.types import SAMPLE_RATE, AudioBlock, CueConfidence, Direction, Track, Utterance, Word
from hearing_gazebo.frames import POSES_QOS, pose_of, robot_frames
from hearing_gazebo.sounds import SOUNDS
from hearing_gazebo.stage import Stage
from hearing_gazebo.truth import Moment, Record, RecordingWriter, Truth
from hearing_gazebo.world import FACTORY

POLL = 0.05
"""Seconds between looks for a subscriber."""


class Acoustics(StageNode):
    """Renders audio as far as poses have come, once somebody listens.

    Subscribes `poses`; publishes `audio`, `~/sources` (where everything is, 10 Hz) and `~/utterances` (what was said),
    and the robot's fixed frames in tf. All stamps are times of the simulation.
    """

    aspect = "acoustics"

    def __init__(self) -> None:
        super().__init__("acoustics")
        self.declare("world", str(FACTORY), "SDF file of the world")
        self.declare("sounds", str(SOUNDS), "YAML file of what sounds in it")
        self.declare("duration", 0.0, "Seconds of audio after which the stream ends; 0: never", (0.0, 86400.0))
        self.declare("out", "", "Folder to be made for a recording with its reference; empty: none is written")
        self.declare("session_id", "gazebo", "Session id of the reference")
        self.declare("frame_id", "robot/microphones", "Frame of the microphone array, for the messages' headers")

    def configure(self) -> None:
        """Read world and sounds, and make the sounds."""
        self._stage = Stage(Path(self.value("world")), Path(self.value("sounds")))

    def activate(self) -> None:
        """Make the topics and wait for a listener."""
        self._writer = RecordingWriter(Path(self.value("out")), self._stage) if self.value("out") else None
        self._audio = self.create_publisher(msg.AudioBlock, "audio", AUDIO_QOS)
        self._sources = self.create_publisher(msg.TrackArray, "~/sources", STATE_QOS)
        self._utterances = self.create_publisher(msg.Utterance, "~/utterances", STATE_QOS)
        self._frames = FramePublisher(self)
        self._frames.send_static(robot_frames(self._stage.world, self._stage.sounds.ears.model))
        self._begin()
        self._poses = None
        # By the computer's clock: the simulation's may stand still until somebody listens.
        self._timer = self.create_timer(POLL, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def deactivate(self) -> None:
        """End the stream and drop the topics."""
        if self.context.ok():
            self._end()
        self._close()
        self.destroy_timer(self._timer)
        if self._poses is not None:
            self.destroy_subscription(self._poses)
        self._frames.close()
        for publisher in (self._audio, self._sources, self._utterances):
            self.destroy_publisher(publisher)

    def diagnose(self) -> Diagnosis:
        """Return whether audio is rendered, and what is missing."""
        values = {"seconds": f"{self._samples / SAMPLE_RATE:.1f}"}
        if self._poses is None:
            return Diagnosis(OK, "nobody listens", values)
        if missing := self._stage.missing:
            return Diagnosis(WARN, f"no poses of {', '.join(missing)}: bridge them to `poses`", values)
        return Diagnosis(OK, "the stream has ended" if self._over else "rendering", values)

    def _begin(self) -> None:
        self._stage.reset()
        self._truth = Truth(self._stage, self.value("session_id"))
        self._stream: StreamClock | None = None
        self._samples = self._said = 0
        self._over = False

    def _look(self) -> None:
        """Take poses once somebody listens."""
        if self._audio.get_subscription_count():
            self._timer.cancel()
            self._poses = self.create_subscription(TransformStamped, "poses", self._on_pose, POSES_QOS)

    def _on_pose(self, message: TransformStamped) -> None:
        name, time = message.child_frame_id, nanoseconds(message.header.stamp) / 1e9
        if self._stage.restarts(name, time):
            self.get_logger().warning(f"the simulation has begun anew at {time:.1f} s: a new stream of audio begins")
            self._end()
            self._close()
            self._begin()
        if self._over:
            return
        self._stage.add(name, time, pose_of(message))
        for block in self._stage.blocks():
            self._publish(block)
            duration = self.value("duration")
            if duration and self._samples >= duration * SAMPLE_RATE:
                self._end()
                self._close()
                return

    def _publish(self, block: AudioBlock) -> None:
        if self._stream is None:
            begin = self._stage.begin or 0
            self._stream = StreamClock(round(begin * 1e9 / SAMPLE_RATE), self.value("frame_id"))
        message = audio_message(block, self._stream)
        self._audio.publish(message)
        self._samples += len(block.samples)
        moments = self._truth.advance(block.end_time)
        for moment in moments:
            self._tell(moment, self._stream)
        if self._writer is not None:
            self._writer.add(np.frombuffer(message.data, np.int16).reshape(block.samples.shape), moments)

    def _tell(self, moment: Moment, clock: StreamClock) -> None:
        """Publish what is true."""
        ids = {source["source"]: number for number, source in enumerate(moment.sources, 1)}
        tracks = [
            Track(ids[source["source"]], moment.time, _direction(source), float(source["active"]), source["kind"])
            for source in moment.sources
        ]
        for message in track_messages(tracks, clock):
            self._sources.publish(message)
        for segment in moment.said:
            self._said += 1
            utterance = _utterance(segment, self._said, ids[segment["speaker"]], moment.time)
            self._utterances.publish(utterance_message(utterance, clock))

    def _end(self) -> None:
        """End the stream, if one has begun."""
        self._over = True
        if self._stream is not None:
            end = AudioBlock(np.zeros((0, self._stage.array.n_microphones), np.float32), self._samples)
            self._audio.publish(audio_message(end, self._stream, end_of_stream=True))
            self._stream = None

    def _close(self) -> None:
        """Finish the recording."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _utterance(segment: Record, number: int, track_id: int, heard: float) -> Utterance:
    """Return a segment of the truth, which is known from a time of the stream on, as if it had been recognized."""
    return Utterance(
        id=f"said_{number}",
        revision=0,
        final=True,
        speaker=segment["speaker"],
        track_id=track_id,
        words=tuple(Word(word, start, end, 1.0, heard, heard) for word, start, end in segment["word_times"]),
        start_time=segment["start_time"],
        end_time=segment["end_time"],
        direction=_direction(segment),
        confidence=CueConfidence(1.0),
        addressed_to_robot=float(segment["addressed_to_robot"]),
    )


def _direction(place: Record) -> Direction:
    return Direction(math.radians(place["azimuth_deg"]), math.radians(place["elevation_deg"]))


def main() -> None:
    """Run the node."""
    sys.exit(run(Acoustics))


if __name__ == "__main__":
    main()
