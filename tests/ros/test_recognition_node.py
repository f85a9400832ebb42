"""The recognition node: it says that it is there, recognizes step by step, and tells what it has missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
import rclpy
from hearing_msgs.msg import Phrases, SpeechStep, Transcripts
from hearing_nodes import recognition, speech
from hearing_nodes.node import LATEST_QOS, SPEECH_QOS, STATE_QOS
from hearing_nodes.speech import Answer, Step
from rclpy.executors import SingleThreadedExecutor
from spinning import spin_until

from hearing.recognition.phrases import check_phrases
from hearing.recognition.scheduling import RecognitionQueue
from hearing.types import SpeechChunk, SpottedWord, Transcript

CHUNK = SpeechChunk("a", 1, np.ones(1600, np.float32), 0.0, 0.1, last=False)


class NotingRecognizer:
    """Notes what it gets; its transcripts are as stable as it has chunks."""

    latency = 0.5

    def __init__(self) -> None:
        self.chunks: list[SpeechChunk] = []
        self.phrases: list[Sequence[str]] = []
        self.listened_for: Sequence[str] = ()
        self.queue = RecognitionQueue(1, 0.5, 2.0)
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1
        self.chunks.clear()

    def check_phrases(self, phrases: Sequence[str]) -> None:
        check_phrases(phrases)

    def bias(self, phrases: Sequence[str]) -> None:
        self.phrases.append(tuple(phrases))

    def listen_for(self, words: Sequence[str]) -> None:
        self.listened_for = words

    def accept(self, chunk: SpeechChunk) -> None:
        self.chunks.append(chunk)

    def spot(self, now: float) -> list[SpottedWord]:
        return [SpottedWord(word, "a", 1, 0.0, now, now, 0.5) for word in self.listened_for]

    def advance(self, now: float, addressing: Callable[[str], float]) -> list[Transcript]:
        return [Transcript("a", 1, (), addressing("a"), final=False, stable=len(self.chunks))]

    def flush(self, now: float) -> list[Transcript]:
        return [Transcript("a", 1, (), 0.0, final=True)]


class Bench:
    """The node under test, and another that talks to it."""

    def __init__(self) -> None:
        self.node = recognition.Recognition()
        assert self.node.start()
        self.peer = rclpy.create_node("peer")
        self.answers: list[Answer] = []
        self.steps = self.peer.create_publisher(SpeechStep, "hearing/speech", SPEECH_QOS)
        self.phrases = self.peer.create_publisher(Phrases, "recognition/phrases", LATEST_QOS)
        self.peer.create_subscription(
            Transcripts, "recognition/transcripts", lambda m: self.answers.append(speech.answer(m)), STATE_QOS
        )
        self.executor = SingleThreadedExecutor()
        for node in (self.node, self.peer):
            self.executor.add_node(node)
        self.until(lambda: self.answers and self.steps.get_subscription_count())

    def until(self, condition: Callable[[], object]) -> None:
        spin_until(self.executor, condition)

    def ask(self, step: Step) -> Answer:
        """Send a step and return the answer."""
        self.answers.clear()
        self.steps.publish(speech.step_message(step))
        self.until(lambda: self.answers)
        return self.answers[0]


@pytest.fixture
def recognizer(monkeypatch: pytest.MonkeyPatch) -> NotingRecognizer:
    recognizer = NotingRecognizer()
    monkeypatch.setattr(recognition.Recognizer, "create", lambda **options: recognizer)
    return recognizer


@pytest.fixture
def bench(recognizer: NotingRecognizer) -> Iterator[Bench]:
    rclpy.init(args=[])
    bench = Bench()
    yield bench
    bench.node.stop()
    for node in (bench.node, bench.peer):
        node.destroy_node()
    rclpy.shutdown()


def test_steps_are_answered_and_what_is_missed_is_told(bench: Bench, recognizer: NotingRecognizer) -> None:
    hello = bench.answers[0]
    assert (hello.stream, hello.latency) == (0, 0.5)
    first = Step(9, 0, 0.1, (CHUNK,), {"a": 0.75}, ("stop",), anew=True)
    answer = bench.ask(first)
    assert (answer.run, answer.stream, answer.number, answer.lost) == (hello.run, 9, 0, False)
    assert answer.queue == recognizer.queue
    assert answer.transcripts == (Transcript("a", 1, (), 0.75, final=False, stable=1),)
    assert [word.word for word in answer.spotted] == ["stop"]
    second = replace(first, number=1, anew=False)
    assert bench.ask(second).transcripts[0].stable == 2
    assert bench.ask(replace(second, number=3)).lost
    assert bench.ask(replace(second, number=4)).lost
    assert len(recognizer.chunks) == 2  # what follows on nothing is not used
    resets = recognizer.resets
    assert bench.ask(replace(second, number=5, anew=True, chunks=(CHUNK,) * 3)).transcripts[0].stable == 3
    assert recognizer.resets == resets + 1
    assert bench.ask(replace(second, number=6, end=True)).transcripts[0].final


def test_phrases_are_expected_by_parameter_and_by_topic(bench: Bench, recognizer: NotingRecognizer) -> None:
    assert recognizer.phrases == [()]
    (refused,) = bench.node.set_parameters([rclpy.Parameter("phrases", value=["..."])])
    assert "no letters" in refused.reason
    bench.node.set_parameters([rclpy.Parameter("phrases", value=["torque wrench"])])
    bench.until(lambda: recognizer.phrases[-1] == ("torque wrench",))
    bench.phrases.publish(Phrases(phrases=["LX-200"]))
    bench.until(lambda: recognizer.phrases[-1] == ("LX-200",))
    assert bench.node.value("phrases") == ["LX-200"]


def test_it_tells_that_nobody_sends_speech(bench: Bench) -> None:
    assert bench.node.diagnose().message == "recognizing"
    bench.peer.destroy_publisher(bench.steps)
    bench.until(lambda: bench.node.diagnose().message == "no hearing node sends speech")
