"""The hearing node: audio, playback and what cameras see in, tracks and utterances out."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hearing_msgs.msg import AudioBlock, EndOfStream, Faces, HeardStep, TrackArray, Utterance
from rclpy.subscription import Subscription

from hearing.arrays import load_array
from hearing.continuity import Faults
from hearing.dialogue.emergency import WORDS
from hearing.errors import InputError
from hearing.memory import open_people
from hearing.outputs import Timing
from hearing.pipeline import Pipeline, PipelineConfig
from hearing.recognition.engines import DEFAULT_ENGINE, engine_names
from hearing.recognition.phrases import check_phrases
from hearing.types import SAMPLE_RATE, HearingOutput
from hearing.types import AudioBlock as LibraryBlock
from hearing_nodes import conversions, intake, motion
from hearing_nodes.companions import CompanionFaults, Playback, Sights
from hearing_nodes.conversions import StreamClock
from hearing_nodes.expected_phrases import ExpectedPhrases
from hearing_nodes.node import AUDIO_QOS, ERROR, OK, STATE_QOS, WARN, Diagnosis, StageNode, run
from hearing_nodes.remote_recognizer import RecognitionLink
from hearing_nodes.steps import StepWriter

QUEUE_WARNING = 2.0
"""Seconds of audio that may wait before the diagnostics warn that the computer is too slow."""
WORDS_WARNING = 2.0
"""Seconds that an utterance may wait for its words before the diagnostics warn that too many people talk."""
PLAYBACK_WAIT = 0.1
"""Seconds of audio that may come in before the audio before them is heard without its playback."""


@dataclass(slots=True)
class Session:
    """What has come of one stream so far.

    Attributes
    ----------
    clock
        Maps its sample clock onto ROS time.
    samples
        Samples per channel that were heard.
    work_seconds
        Time that it took.
    track_arrays, utterances
        Number of messages published.
    """

    clock: StreamClock
    samples: int = 0
    work_seconds: float = 0.0
    track_arrays: int = 0
    utterances: int = 0

    @property
    def audio_seconds(self) -> float:
        """Length of the stream in seconds."""
        return self.samples / SAMPLE_RATE


class Hearing(StageNode):
    """Runs the pipeline in one worker thread, so that a slow recognizer never makes the node lose messages.

    Subscribes `audio`, `playback`, `~/faces`, `~/phrases`, `odom` and tf; publishes `~/tracks`, `~/utterances`,
    `~/steps`, `~/end_of_stream` and `/diagnostics`.
    """

    aspect = "audio"

    def __init__(self) -> None:
        super().__init__("hearing")
        self.declare("array", "respeaker_6mic", "Built-in microphone array (see `hearing arrays`), or a YAML file")
        intake.declare(self)
        motion.declare(self)
        self.declare("max_gap", 5.0, "Longest gap in the audio that is filled with silence, in s", (0.0, 60.0))
        self.declare("engine", DEFAULT_ENGINE, "Speech recognition engine, see docs/engines.md", choices=engine_names())
        self.declare("engine_folder", "", "Folder of the engine's model; empty: the one that comes with it")
        self.declare("recognition_node", False, "Have words recognized by the recognition node, not in this process")
        self.declare("camera", False, "Whether the vision node's ~/faces are used")
        self.declare("playback_channels", 0, "Channels of the topic `playback`, the loudspeaker's; 0: none", (0, 8))
        self.declare("people", "", "Folder of people who are known, see `hearing enroll`; empty: nobody is")
        self._expected = ExpectedPhrases(self, self._check_phrases, self._expect)
        self.declare("emergency_words", list(WORDS), "Words that ~/steps have before any utterance has them")
        self._pipeline: Pipeline | None = None

    def configure(self) -> None:
        """Load the array and the models."""
        self._array = load_array(self.value("array"))
        folder = self.value("engine_folder")
        config = PipelineConfig(engine=self.value("engine"), engine_folder=Path(folder) if folder else None)
        people = open_people(Path(self.value("people"))) if self.value("people") else None
        self._link = RecognitionLink(self) if self.value("recognition_node") else None
        recognizer = self._link.recognizer if self._link is not None else None
        known = people.known() if people is not None else None
        pipeline = Pipeline.create(self._array, config, known=known, recognizer=recognizer)
        pipeline.check_phrases(self._expected.current)
        pipeline.listen_for(self.texts("emergency_words"))
        self._pipeline = pipeline
        intake.check(self)
        motion.check(self)

    def activate(self) -> None:
        """Make the topics and start the worker."""
        if self._link is not None:
            self._link.open()
        self._pipeline.bias(self._expected.current)
        self._tracks = self.create_publisher(TrackArray, "~/tracks", STATE_QOS)
        self._utterances = self.create_publisher(Utterance, "~/utterances", STATE_QOS)
        self._ends = self.create_publisher(EndOfStream, "~/end_of_stream", STATE_QOS)
        self._steps = self.create_publisher(HeardStep, "~/steps", AUDIO_QOS)
        self._writer = StepWriter()
        self._pipeline.listener = self._writer.listen
        self._faults = Faults()
        self._reported = asdict(self._faults)
        self._last_bad = ""
        self._session: Session | None = None
        self._pipeline.reset()
        self._companion_faults = CompanionFaults()
        self._reported_companions = asdict(self._companion_faults)
        self._held: deque[LibraryBlock] = deque()
        self._queue: queue.SimpleQueue[tuple[Callable[[Any], None], Any] | None] = queue.SimpleQueue()
        self._arrived = self._taken = 0
        self._message_seconds = 0.0
        self._companions = self._listen_to_companions()
        self._motion = motion.Motion(self, self._put)
        self._intake, self._audio = intake.listen(
            self, self._array.n_microphones, self._faults, self._put, self._on_audio
        )
        self._expected.open()
        self._stopping = threading.Event()
        self._worker = self.begin_work(self._work, "pipeline")

    def _listen_to_companions(self) -> list[Subscription]:
        """Subscribe to what comes beside the audio, as far as the parameters say that there is any."""
        faults, channels = self._companion_faults, self.value("playback_channels")
        self._sights = Sights(faults)
        self._playback = Playback(channels, faults) if channels else None
        topics = []
        if self.value("camera"):
            see = partial(self._put, self._sights.add)
            topics.append(self.create_subscription(Faces, "~/faces", see, STATE_QOS))
        if self._playback is not None:
            play = partial(self._put, self._play)
            topics.append(self.create_subscription(AudioBlock, "playback", play, AUDIO_QOS))
        return topics

    def deactivate(self) -> None:
        """Stop the worker after the block that it is at."""
        self._stopping.set()
        self._queue.put(None)
        self._worker.join()
        for subscription in (*self._companions, *self._audio):
            self.destroy_subscription(subscription)
        self._expected.close()
        for publisher in (self._tracks, self._utterances, self._ends, self._steps):
            self.destroy_publisher(publisher)
        self._motion.close()
        if self._link is not None:
            self._link.close()

    def cleanup(self) -> None:
        """Drop the models."""
        self._pipeline = None

    def _check_phrases(self, phrases: tuple[str, ...]) -> None:
        check = self._pipeline.check_phrases if self._pipeline else check_phrases
        check(phrases)

    def _expect(self, phrases: tuple[str, ...]) -> None:
        """Have phrases expected from the audio on that arrives now.

        By the worker: a thousand take a second, in which this thread would lose audio.
        """
        if self._active:
            self._put(self._pipeline.bias, phrases)

    def _put(self, use: Callable[[Any], None], item: Any) -> None:
        """Have the worker use something once it has come to it."""
        self._queue.put((use, item))

    def _on_audio(self, message: Any) -> None:
        self._arrived += 1
        self._put(self._hear, (message, self.get_clock().now().nanoseconds))

    def _work(self) -> None:
        while not self._stopping.is_set() and (item := self._queue.get()) is not None:
            use, content = item
            use(content)

    def _play(self, message: AudioBlock) -> None:
        self._playback.add(message)
        if self._session is not None:
            self._advance(self._session)

    def _hear(self, arrived: tuple[Any, int]) -> None:
        message, received = arrived
        self._taken += 1
        try:
            arrival = self._intake.take(message, received)
        except InputError as error:
            self._faults.bad += 1
            self._last_bad = str(error)
        else:
            if arrival.restart:
                self._finish(self._session, arrival.tail)
            self._session = self._session or Session(arrival.clock)
            self._held += [block for block in arrival.blocks if len(block.samples)]
            if arrival.blocks:
                self._message_seconds = len(arrival.blocks[-1].samples) / SAMPLE_RATE
            self._advance(self._session)
        if getattr(message, "end_of_stream", False):
            stamp, frame = conversions.nanoseconds(message.header.stamp), message.header.frame_id
            self._finish(self._session or Session(StreamClock(stamp, frame)))
            self._intake.reset()

    def _advance(self, session: Session, more: bool = True) -> None:
        """Hear the audio whose playback is there, and what has waited for it too long; all of it unless more comes."""
        while self._held:
            block = self._held[0]
            waited = self._held[-1].end_time - block.end_time
            if (
                more
                and self._playback is not None
                and waited < PLAYBACK_WAIT
                and not self._playback.reaches(block, session.clock)
            ):
                return
            self._process(session, self._held.popleft())

    def _process(self, session: Session, block: LibraryBlock) -> None:
        begin = time.perf_counter()
        played = self._playback.take(block, session.clock) if self._playback is not None else None
        moved = self._motion.at(session.clock)
        output = self._pipeline.process(block, played, moved, self._sights.take(block, session.clock))
        session.work_seconds += time.perf_counter() - begin
        session.samples += len(block.samples)
        self._publish(session, output)
        self._tell(self._writer.process(block, output, session.clock))

    def _finish(self, session: Session, tail: Sequence[LibraryBlock] = ()) -> None:
        """Hear a stream to its end, what is left of it included."""
        self._held += tail
        self._advance(session, more=False)
        begin = time.perf_counter()
        output = self._pipeline.flush()
        session.work_seconds += time.perf_counter() - begin
        self._publish(session, output)
        self._tell(self._writer.end(output, session.clock))
        timing = Timing(
            audio_seconds=session.audio_seconds,
            total_seconds=session.work_seconds,
            compute_seconds=dict(self._pipeline.compute_seconds),
            latency=self._pipeline.latency,
        )
        self._ends.publish(conversions.end_message(timing, session.clock, session.track_arrays, session.utterances))
        self._pipeline.reset()
        self._sights.begin()
        self._motion.begin()
        self._session = None

    def _publish(self, session: Session, output: HearingOutput) -> None:
        for message in conversions.track_messages(output.tracks, session.clock):
            self._tracks.publish(message)
            session.track_arrays += 1
        for utterance in output.utterances:
            self._utterances.publish(conversions.utterance_message(utterance, session.clock))
            session.utterances += 1

    def _tell(self, steps: Iterable[HeardStep]) -> None:
        for step in steps:
            self._steps.publish(step)

    def diagnose(self) -> Diagnosis:
        """Tell whether the audio comes as it should, and whether hearing keeps up with it."""
        faults, reported = asdict(self._faults), self._reported
        self._reported = faults
        session = self._session
        waiting = (self._arrived - self._taken) * self._message_seconds
        words = self._pipeline.queue
        factor = session.work_seconds / session.audio_seconds if session and session.samples else 0.0
        companions, reported_companions = asdict(self._companion_faults), self._reported_companions
        self._reported_companions = companions
        if faults["bad"] > reported["bad"]:
            level, text = ERROR, self._last_bad
        elif any(companions[name] > reported_companions[name] for name in ("bad_playback", "bad_sights")):
            level, text = ERROR, companions["last_bad"]
        elif faults != reported:
            level, text = WARN, "audio was lost, repeated or out of order"
        elif waiting > QUEUE_WARNING:
            level, text = WARN, f"the computer is too slow: {waiting:.1f} s of audio wait"
        elif self._link is not None and self._link.recognizer.away > WORDS_WARNING:
            level, text = WARN, f"recognition has not answered for {self._link.recognizer.away:.0f} s: words wait"
        elif words.oldest > WORDS_WARNING:
            level = WARN
            text = f"more people talk than can be recognized at once: {words.waiting} utterances wait"
        elif self._motion.lost:
            level, text = WARN, "tf does not say where the microphones are on the robot: set `base_frame` and `mount`"
        elif self._pipeline.faults:
            level, text = WARN, self._pipeline.faults[0].message
        else:
            level, text = OK, "hearing" if session else "no audio"
        values = {
            "waiting_seconds": f"{waiting:.2f}",
            "real_time_factor": f"{factor:.2f}",
            "latency_seconds": f"{self._pipeline.latency:.2f}",
            "utterances_waiting": words.waiting,
            "longest_wait_seconds": f"{words.oldest:.2f}",
            "recognition_behind_seconds": f"{words.behind:.2f}",
            "odometry_messages": self._motion.taken,
            **faults,
            **{name: count for name, count in companions.items() if name != "last_bad"},
        }
        if self._link is not None:
            values |= self._link.values()
        values |= {f"microphone_fault_{i}": fault.message for i, fault in enumerate(self._pipeline.faults, 1)}
        return Diagnosis(level, text, values, self._array.name)


def main() -> None:
    """Run the node."""
    sys.exit(run(Hearing))


if __name__ == "__main__":
    main()
