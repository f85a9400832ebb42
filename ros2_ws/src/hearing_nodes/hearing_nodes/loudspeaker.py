"""The loudspeaker node: plays what the dialogue node says, and tells the echo canceller what was played and when."""

from __future__ import annotations

import queue
import sys

from hearing_msgs.msg import AudioBlock

from hearing.errors import InputError
from hearing.speech.loudspeaker import Loudspeaker
from hearing.types import SAMPLE_RATE
from hearing_nodes import conversions
from hearing_nodes.conversions import StreamClock
from hearing_nodes.node import AUDIO_QOS, ERROR, OK, WARN, Diagnosis, StageNode, run

BACKLOG = 0.3
"""Seconds that may wait for the device; beyond, silence is left out, so that speech is not late for ever."""


class LoudspeakerNode(StageNode):
    """Plays `dialogue/speech` and publishes what has reached the device as `playback`, stamped with when it sounds.

    What the device does not take, because it is gone, is not published: so the dialogue node knows what nobody heard.
    """

    aspect = "loudspeaker"

    def __init__(self) -> None:
        super().__init__("loudspeaker")
        self.declare("device", "", "Part of the sound card's name, or its number; empty: the default one")

    def configure(self) -> None:
        """Open the device, or wait for it."""
        self._loudspeaker = Loudspeaker(self.value("device"), self.get_logger().warning, patient=True)

    def activate(self) -> None:
        """Make the topics and start the worker."""
        self._queue: queue.SimpleQueue[AudioBlock | None] = queue.SimpleQueue()
        self._arrived = self._done = 0.0
        self._losses = self._reported = self._unplayed = self._left_out = self._bad = 0
        self._gone = False
        self._last_bad = ""
        self._playback = self.create_publisher(AudioBlock, "playback", AUDIO_QOS)
        self._speech = self.create_subscription(AudioBlock, "dialogue/speech", self._on_speech, AUDIO_QOS)
        self._worker = self.begin_work(self._work, "loudspeaker")

    def deactivate(self) -> None:
        """Stop after the block that is played."""
        self._queue.put(None)
        self._worker.join()
        self.destroy_subscription(self._speech)
        self.destroy_publisher(self._playback)

    def cleanup(self) -> None:
        """Close the device."""
        self._loudspeaker.close()

    def diagnose(self) -> Diagnosis:
        """Tell whether what is said can be heard."""
        lost, self._reported = self._losses > self._reported, self._losses
        if self._gone:
            level, text = ERROR, "the loudspeaker is gone: check its cable; it is opened again once it is there"
        elif self._last_bad:
            level, text, self._last_bad = ERROR, self._last_bad, ""
        else:
            level, text = (WARN, "the loudspeaker was gone for a moment") if lost else (OK, "plays")
        values = {
            "losses": self._losses,
            "unplayed_samples": self._unplayed,
            "silence_left_out_samples": self._left_out,
            "bad": self._bad,
        }
        return Diagnosis(level, text, values, self.value("device") or "default")

    def _on_speech(self, message: AudioBlock) -> None:
        self._arrived += _seconds(message)
        self._queue.put(message)

    def _work(self) -> None:
        while (message := self._queue.get()) is not None:
            self._play(message)
            self._done += _seconds(message)

    def _play(self, message: AudioBlock) -> None:
        try:
            block = conversions.audio_block(message, 1)
        except InputError as error:
            self._bad, self._last_bad = self._bad + 1, str(error)
            return
        if self._arrived - self._done > BACKLOG and not block.samples.any():
            self._left_out += len(block.samples)
            return
        played = self._loudspeaker.play(block.samples[:, 0])
        self._losses += not played and not self._gone
        self._gone = not played
        if not played:
            self._unplayed += len(block.samples)
            return
        # The device has taken them; the last one sounds when what it holds has sounded.
        end = self.get_clock().now().nanoseconds + round(self._loudspeaker.latency * 1e9)
        begin = end - round((block.start_sample + len(block.samples)) / SAMPLE_RATE * 1e9)
        self._playback.publish(conversions.audio_message(block, StreamClock(begin, message.header.frame_id)))


def _seconds(message: AudioBlock) -> float:
    return len(message.data) / max(message.sample_rate * message.channels, 1)


def main() -> None:
    """Run the node."""
    sys.exit(run(LoudspeakerNode))


if __name__ == "__main__":
    main()
