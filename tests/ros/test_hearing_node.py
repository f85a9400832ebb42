"""The hearing node on good and bad streams, with a stand-in for the pipeline that only takes notes."""

from __future__ import annotations

import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from hearing_msgs.msg import AudioBlock as AudioMessage
from hearing_msgs.msg import EndOfStream, Faces, Phrases
from hearing_nodes import hearing
from hearing_nodes.conversions import StreamClock, audio_message
from hearing_nodes.node import AUDIO_QOS, LATEST_QOS, STATE_QOS
from rclpy.executors import SingleThreadedExecutor
from spinning import spin_until

from hearing.arrays import MicrophoneArray
from hearing.errors import InputError
from hearing.health import ChannelFault
from hearing.likeness import Profile
from hearing.memory import PeopleStore, load_key
from hearing.pipeline import MotionSource, PipelineConfig
from hearing.recognition.phrases import check_phrases
from hearing.recognition.scheduling import RecognitionQueue
from hearing.types import ArrayMotion, AudioBlock, HearingOutput
from hearing.vision.face import Sight

BLOCK = 512
CLOCK = StreamClock(origin=1_700_000_000_000_000_000, frame_id="microphones")


class NotingPipeline:
    """Notes the blocks and phrases that it gets."""

    latency = 0.5

    def __init__(self) -> None:
        self.blocks: list[AudioBlock] = []
        self.playback: list[np.ndarray | None] = []
        self.sights: list[Sight] = []
        self.moved: list[ArrayMotion | None] = []
        self.known: object = None
        self.flushed = 0
        self.compute_seconds = {"note": 0.25}
        self.faults: tuple[ChannelFault, ...] = ()
        self.queue = RecognitionQueue()
        self.phrases: list[Sequence[str]] = []
        self.config: PipelineConfig | None = None

    def check_phrases(self, phrases: Sequence[str]) -> None:
        check_phrases(phrases)

    def bias(self, phrases: Sequence[str]) -> None:
        self.phrases.append(phrases)

    def listen_for(self, words: Sequence[str]) -> None:
        self.words = words

    def reset(self) -> None:
        pass

    def process(
        self,
        block: AudioBlock,
        playback: np.ndarray | None = None,
        motion: MotionSource | None = None,
        sights: Sequence[Sight] = (),
    ) -> HearingOutput:
        self.moved.append(motion(block.end_time) if motion is not None else None)
        self.blocks.append(block)
        self.playback.append(playback)
        self.sights += sights
        return HearingOutput()

    def flush(self) -> HearingOutput:
        self.flushed += 1
        return HearingOutput()


class Bench:
    """The node under test, and another that talks to it."""

    def __init__(self, **parameters: object) -> None:
        self.node = hearing.Hearing()
        self.node.set_parameters([rclpy.Parameter(name, value=value) for name, value in parameters.items()])
        assert self.node.start()
        self.peer = rclpy.create_node("peer")
        self.audio = self.peer.create_publisher(AudioMessage, "audio", AUDIO_QOS)
        self.ends: list[EndOfStream] = []
        self.statuses: list[DiagnosticStatus] = []
        self.peer.create_subscription(EndOfStream, "hearing/end_of_stream", self.ends.append, STATE_QOS)
        self.peer.create_subscription(DiagnosticArray, "/diagnostics", lambda m: self.statuses.extend(m.status), 10)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.executor.add_node(self.peer)
        self.until(lambda: self.audio.get_subscription_count() > 0)

    def end(self) -> None:
        self.node.stop()
        self.node.destroy_node()
        self.peer.destroy_node()

    def until(self, condition: Callable[[], object]) -> None:
        spin_until(self.executor, condition)

    def send(self, start: int, end_of_stream: bool = False, **changes: object) -> None:
        samples = np.full((BLOCK, 6), 0.25, np.float32)
        message = audio_message(AudioBlock(samples, start), CLOCK, end_of_stream)
        for name, value in changes.items():
            setattr(message, name, value)
        self.audio.publish(message)


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> NotingPipeline:
    pipeline = NotingPipeline()

    def create(array: MicrophoneArray, config: PipelineConfig, known: object, recognizer: object) -> NotingPipeline:
        pipeline.config, pipeline.known = config, known
        return pipeline

    monkeypatch.setattr(hearing.Pipeline, "create", create)
    return pipeline


@pytest.fixture
def bench(ros: None, pipeline: NotingPipeline) -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.end()


def test_lost_and_repeated_blocks_keep_the_sample_clock_and_are_reported(
    bench: Bench, pipeline: NotingPipeline
) -> None:
    for start in (0, BLOCK, BLOCK, 4 * BLOCK):
        bench.send(start)
    bench.send(5 * BLOCK, end_of_stream=True)
    bench.until(lambda: bench.ends)
    heard = np.concatenate([block.samples for block in pipeline.blocks])
    assert [block.start_sample // BLOCK for block in pipeline.blocks] == [0, 1, 2, 4, 5]
    assert len(heard) == 6 * BLOCK
    assert not heard[2 * BLOCK : 4 * BLOCK].any()
    bench.until(lambda: any(status.level == DiagnosticStatus.WARN for status in bench.statuses))
    status = next(status for status in bench.statuses if status.level == DiagnosticStatus.WARN)
    values = {pair.key: pair.value for pair in status.values}
    assert (values["gaps"], values["lost_samples"], values["late"]) == ("1", str(2 * BLOCK), "1")


def test_messages_that_cannot_be_used_are_reported_and_survived(bench: Bench, pipeline: NotingPipeline) -> None:
    bench.send(0, channels=4)
    bench.send(0, sample_rate=48_000)
    bench.send(0, data=array.array("h", [1, 2, 3]))
    bench.send(0, end_of_stream=True)
    bench.until(lambda: bench.ends)
    assert len(pipeline.blocks) == 1
    bench.until(lambda: any(status.level == DiagnosticStatus.ERROR for status in bench.statuses))
    status = next(status for status in bench.statuses if status.level == DiagnosticStatus.ERROR)
    assert "whole frames of 6 channels" in status.message


def test_a_broken_microphone_is_in_the_diagnostics(bench: Bench, pipeline: NotingPipeline) -> None:
    pipeline.faults = (ChannelFault(2, "dead", 1.5, "channel 3 is dead: check its cable"),)
    bench.send(0)
    bench.until(lambda: any(status.message == "channel 3 is dead: check its cable" for status in bench.statuses))


def test_a_stream_ends_with_what_it_cost_and_another_may_follow(bench: Bench, pipeline: NotingPipeline) -> None:
    bench.send(0)
    bench.send(BLOCK, end_of_stream=True)
    bench.send(0, end_of_stream=True)
    bench.until(lambda: len(bench.ends) == 2)
    assert [end.audio_seconds for end in bench.ends] == [2 * BLOCK / 16_000, BLOCK / 16_000]
    assert list(bench.ends[0].stages) == ["note"]
    assert [block.start_sample for block in pipeline.blocks] == [0, BLOCK, 0]
    assert pipeline.flushed == 2


def loudspeaker(bench: Bench) -> Callable[[int], None]:
    """Return what plays a block from a sample on whose samples are all 0.5."""
    publisher = bench.peer.create_publisher(AudioMessage, "playback", AUDIO_QOS)
    bench.until(lambda: publisher.get_subscription_count() > 0)
    return lambda start: publisher.publish(
        audio_message(AudioBlock(np.full((BLOCK, 1), 0.5, np.float32), start), CLOCK)
    )


def test_audio_waits_a_moment_for_its_playback(ros: None, pipeline: NotingPipeline) -> None:
    bench = Bench(playback_channels=1)
    play = loudspeaker(bench)
    bench.send(0)
    bench.until(lambda: bench.node._held)
    assert not pipeline.blocks
    play(0)
    bench.until(lambda: pipeline.blocks)
    for start in range(BLOCK, 6 * BLOCK, BLOCK):
        bench.send(start)
    bench.until(lambda: len(pipeline.blocks) >= 2)
    play(4 * BLOCK)
    play(5 * BLOCK)
    bench.until(lambda: len(pipeline.blocks) >= 6)
    bench.send(6 * BLOCK, end_of_stream=True)
    bench.until(lambda: bench.ends)
    assert [block.start_sample // BLOCK for block in pipeline.blocks] == list(range(7))
    np.testing.assert_array_equal(np.stack(pipeline.playback)[:, 0, 0], [0.5, 0, 0, 0, 0.5, 0.5, 0])
    bench.until(lambda: any(pair.value == str(4 * BLOCK) for status in bench.statuses for pair in status.values))
    values = {pair.key: pair.value for pair in bench.statuses[-1].values}
    assert values["playback_missing_samples"] == str(4 * BLOCK)
    bench.end()


def test_bad_playback_is_reported_and_survived(ros: None, pipeline: NotingPipeline) -> None:
    bench = Bench(playback_channels=2)
    play = loudspeaker(bench)
    play(0)
    bench.until(lambda: any("1 channels" in status.message for status in bench.statuses))
    bench.send(0, end_of_stream=True)
    bench.until(lambda: bench.ends)
    assert [played.shape for played in pipeline.playback] == [(BLOCK, 2)]
    bench.end()


def test_what_is_seen_comes_with_the_audio_of_its_time(ros: None, pipeline: NotingPipeline) -> None:
    bench = Bench(camera=True)
    publisher = bench.peer.create_publisher(Faces, "hearing/faces", STATE_QOS)
    bench.until(lambda: publisher.get_subscription_count() > 0)
    for moment in (-0.5, 0.01, 0.04, 0.05):
        publisher.publish(Faces(header=CLOCK.header(moment)))
    bench.until(lambda: len(bench.node._sights._waiting) == 4)
    bench.send(0)
    bench.until(lambda: pipeline.sights)
    assert [sight.time for sight in pipeline.sights] == pytest.approx([0.01])
    bench.send(BLOCK, end_of_stream=True)
    bench.until(lambda: bench.ends)
    assert [sight.time for sight in pipeline.sights] == pytest.approx([0.01, 0.04, 0.05])
    bench.end()


def test_without_a_camera_or_playback_nothing_is_subscribed(bench: Bench, pipeline: NotingPipeline) -> None:
    assert bench.peer.count_subscribers("hearing/faces") == bench.peer.count_subscribers("playback") == 0
    bench.send(0, end_of_stream=True)
    bench.until(lambda: bench.ends)
    assert pipeline.playback == [None]


def test_people_who_are_enrolled_are_known(pipeline: NotingPipeline, tmp_path: Path) -> None:
    assert not configured(people=str(tmp_path / "nobody"))
    voice = Profile()
    voice.update(np.ones(192, np.float32) / np.sqrt(192, dtype=np.float32), 0.9)
    PeopleStore(tmp_path, load_key(tmp_path)).enroll("Ada", voice)
    assert configured(people=str(tmp_path))
    assert list(pipeline.known) == ["Ada"]


def test_waiting_words_are_in_the_diagnostics(bench: Bench, pipeline: NotingPipeline) -> None:
    pipeline.queue = RecognitionQueue(waiting=5, oldest=3.25, behind=12.5)
    bench.until(lambda: bench.statuses)
    status = bench.statuses[-1]
    assert status.level == DiagnosticStatus.WARN
    assert status.message == "more people talk than can be recognized at once: 5 utterances wait"
    values = {pair.key: pair.value for pair in status.values}
    assert (values["utterances_waiting"], values["longest_wait_seconds"]) == ("5", "3.25")
    assert (values["recognition_behind_seconds"], values["latency_seconds"]) == ("12.50", "0.50")


def test_phrases_may_change_while_the_node_hears(bench: Bench, pipeline: NotingPipeline) -> None:
    assert pipeline.phrases == [()]
    (result,) = bench.node.set_parameters([rclpy.Parameter("phrases", value=["torque wrench", "LX-200"])])
    assert result.successful
    bench.until(lambda: pipeline.phrases[1:] == [("torque wrench", "LX-200")])
    for bad, reason in ((["lathe", "---"], "'---' has no letters"), (["lathe"] * 1001, "1001 phrases, at most 1000")):
        (result,) = bench.node.set_parameters([rclpy.Parameter("phrases", value=bad)])
        assert not result.successful
        assert reason in result.reason
    assert bench.node.value("phrases") == ["torque wrench", "LX-200"]
    (result,) = bench.node.set_parameters([rclpy.Parameter("phrases", rclpy.Parameter.Type.STRING_ARRAY, [])])
    assert result.successful
    bench.until(lambda: pipeline.phrases[2:] == [()])


def test_phrases_come_by_message_from_before_the_node_was_there(pipeline: NotingPipeline) -> None:
    rclpy.init()
    early = rclpy.create_node("early")
    publisher = early.create_publisher(Phrases, "hearing/phrases", LATEST_QOS)
    publisher.publish(Phrases(phrases=["lathe"]))
    bench = Bench()
    bench.until(lambda: pipeline.phrases == [(), ("lathe",)])
    assert bench.node.value("phrases") == ["lathe"]
    publisher.publish(Phrases(phrases=["?"]))
    publisher.publish(Phrases())
    bench.until(lambda: pipeline.phrases[2:] == [()])
    bench.end()
    early.destroy_node()
    rclpy.shutdown()


def test_the_engine_is_chosen_when_the_node_is_configured(pipeline: NotingPipeline, tmp_path: Path) -> None:
    assert configured(engine="vosk", engine_folder=str(tmp_path), phrases=["lathe"])
    assert pipeline.config == PipelineConfig(engine="vosk", engine_folder=tmp_path)
    assert pipeline.phrases == [("lathe",)]


def test_phrases_that_the_engine_refuses_fail_the_configuration(
    pipeline: NotingPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(phrases: Sequence[str]) -> None:
        if phrases:
            raise InputError("this engine takes no phrases")

    monkeypatch.setattr(pipeline, "check_phrases", refuse)
    assert configured()
    assert not configured(phrases=["lathe"])


def test_an_unknown_array_fails_the_configuration(pipeline: NotingPipeline) -> None:
    assert not configured(array="no_such_array")


def configured(**parameters: object) -> bool:
    """Tell whether a node starts with these parameters."""
    rclpy.init()
    node = hearing.Hearing()
    node.set_parameters([rclpy.Parameter(name, value=value) for name, value in parameters.items()])
    started = node.start()
    node.stop()
    node.destroy_node()
    rclpy.shutdown()
    return started
