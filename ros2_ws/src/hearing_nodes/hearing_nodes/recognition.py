"""The recognition node: the words of what the hearing node has separated, in a process or on a machine of their own."""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hearing_msgs.msg import SpeechStep, Transcripts

from hearing.errors import InputError
from hearing.recognition.engines import DEFAULT_ENGINE, engine_names
from hearing.recognition.phrases import check_phrases
from hearing.recognition.recognizer import Recognizer
from hearing_nodes import speech
from hearing_nodes.expected_phrases import ExpectedPhrases
from hearing_nodes.node import ERROR, OK, SPEECH_QOS, STATE_QOS, WARN, Diagnosis, StageNode, run
from hearing_nodes.speech import Answer, Step

BEHIND_WARNING = 2.0
"""Seconds that steps may wait before the diagnostics warn that the computer is too slow."""


class Recognition(StageNode):
    """Recognizes speech in one worker thread. Subscribes `hearing/speech` and `~/phrases`; publishes `~/transcripts`.

    Steps that have piled up are heard together: all of their audio, but only the newest words.
    """

    aspect = "words"

    def __init__(self) -> None:
        super().__init__("recognition")
        self.declare("engine", DEFAULT_ENGINE, "Speech recognition engine, see docs/engines.md", choices=engine_names())
        self.declare("engine_folder", "", "Folder of the engine's model; empty: the one that comes with it")
        self.declare("threads", 1, "Threads that the engine may use", (1, 16))
        self._expected = ExpectedPhrases(self, self._check_phrases, self._expect)
        self._recognizer: Recognizer | None = None

    def configure(self) -> None:
        """Load the engine."""
        folder = self.value("engine_folder")
        recognizer = Recognizer.create(
            engine=self.value("engine"), folder=Path(folder) if folder else None, threads=self.value("threads")
        )
        recognizer.check_phrases(self._expected.current)
        self._recognizer = recognizer

    def activate(self) -> None:
        """Make the topics, say that it is there, and start the worker."""
        self._run = self.get_clock().now().nanoseconds or time.time_ns()
        self._stream, self._number, self._lost = 0, 0, False
        self._steps, self._bad, self._last_bad, self._work_seconds, self._delay = 0, 0, "", 0.0, 0.0
        self._listened_for: tuple[str, ...] = ()
        self._recognizer.reset()
        self._recognizer.bias(self._expected.current)
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._transcripts = self.create_publisher(Transcripts, "~/transcripts", STATE_QOS)
        self._speech = self.create_subscription(SpeechStep, "hearing/speech", self._on_step, SPEECH_QOS)
        self._expected.open()
        self._answer(Answer(self._run, latency=self._recognizer.latency))
        self._worker = self.begin_work(self._work, "recognition")

    def deactivate(self) -> None:
        """Stop the worker after what it is at."""
        self._waiting.put(None)
        self._worker.join()
        self.destroy_subscription(self._speech)
        self._expected.close()
        self.destroy_publisher(self._transcripts)

    def cleanup(self) -> None:
        """Drop the engine."""
        self._recognizer = None

    def diagnose(self) -> Diagnosis:
        """Tell whether words keep up with speech."""
        values = {
            "steps": self._steps,
            "bad": self._bad,
            "work_seconds": f"{self._work_seconds:.2f}",
            "delay_seconds": f"{self._delay:.2f}",
            "utterances_waiting": self._recognizer.queue.waiting,
            "recognition_behind_seconds": f"{self._recognizer.queue.behind:.2f}",
        }
        if self._last_bad:
            text, self._last_bad = self._last_bad, ""
            return Diagnosis(ERROR, text, values)
        if self._delay > BEHIND_WARNING:
            return Diagnosis(WARN, f"the computer is too slow: speech waits for {self._delay:.1f} s", values)
        if not self.count_publishers("hearing/speech"):
            return Diagnosis(WARN, "no hearing node sends speech", values)
        return Diagnosis(OK, "recognizing", values)

    def _check_phrases(self, phrases: tuple[str, ...]) -> None:
        check = self._recognizer.check_phrases if self._recognizer else check_phrases
        check(phrases)

    def _expect(self, phrases: tuple[str, ...]) -> None:
        if self._active:
            self._waiting.put(partial(self._recognizer.bias, phrases))

    def _on_step(self, message: SpeechStep) -> None:
        try:
            self._waiting.put(partial(self._take, speech.step(message), time.monotonic()))
        except InputError as error:
            self._bad += 1
            self._last_bad = str(error)

    def _work(self) -> None:
        while (task := self._waiting.get()) is not None:
            task()

    def _take(self, step: Step, arrived: float) -> None:
        """Accept the audio of a step, and recognize if nothing newer waits."""
        self._delay = time.monotonic() - arrived
        begin = time.perf_counter()
        if step.anew:
            self._recognizer.reset()
            self._lost = False
        elif step.stream != self._stream or step.number != self._number:
            self._lost = True
        self._stream, self._number = step.stream, step.number + 1
        self._steps += 1
        if self._lost:
            self._answer(Answer(self._run, step.stream, step.number, lost=True, latency=self._recognizer.latency))
            return
        if step.listen_for != self._listened_for:
            self._recognizer.listen_for(step.listen_for)
            self._listened_for = step.listen_for
        for chunk in step.chunks:
            self._recognizer.accept(chunk)
        if step.end or self._waiting.empty():
            self._recognize(step)
        self._work_seconds += time.perf_counter() - begin

    def _recognize(self, step: Step) -> None:
        spotted = self._recognizer.spot(step.now)
        if step.end:
            transcripts = self._recognizer.flush(step.now)
        else:
            transcripts = self._recognizer.advance(step.now, lambda name: step.addressed.get(name, 0.0))
        self._answer(
            Answer(
                self._run,
                step.stream,
                step.number,
                transcripts=tuple(transcripts),
                spotted=tuple(spotted),
                queue=self._recognizer.queue,
                latency=self._recognizer.latency,
            )
        )

    def _answer(self, answer: Answer) -> None:
        message = speech.answer_message(answer)
        message.header.stamp = self.get_clock().now().to_msg()
        self._transcripts.publish(message)


def main() -> None:
    """Run the node."""
    sys.exit(run(Recognition))


if __name__ == "__main__":
    main()
