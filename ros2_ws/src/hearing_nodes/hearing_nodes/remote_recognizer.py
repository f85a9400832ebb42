"""The recognizer as the hearing node sees it when it runs in a process of its own, here or on another machine.

Steps go out, answers come back when they are ready: hearing never waits for words. What has no final words is kept, so
that a recognition which has died and comes back, or has missed something, is sent all of it again.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence

from hearing_msgs import msg

from hearing.recognition.phrases import check_phrases
from hearing.recognition.scheduling import RecognitionQueue
from hearing.types import SpeechChunk, SpottedWord, Transcript
from hearing_nodes import speech
from hearing_nodes.node import LATEST_QOS, SPEECH_QOS, STATE_QOS, StageNode
from hearing_nodes.speech import Answer, Step

GIVE_UP = 30.0
"""Seconds after its end in which an utterance gets words, or is withdrawn."""
PATIENCE = 10.0
"""Seconds at the end of a stream in which words that are missing may come."""


class RemoteRecognizer:
    """Takes the place of `hearing.recognition.Recognizer` in the pipeline.

    Parameters
    ----------
    send
        Sends a step.
    expect
        Sends the phrases that are expected.
    stream
        Number of the first stream; one that no other has had.

    Attributes
    ----------
    queue
        What recognition had left to do when it answered last.
    """

    def __init__(self, send: Callable[[Step], None], expect: Callable[[Sequence[str]], None], stream: int) -> None:
        self._send, self._expect = send, expect
        self._stream = stream
        self._run: int | None = None
        self._arrived: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._listened_for: tuple[str, ...] = ()
        self.latency = 0.0
        self.restarts = self.given_up = 0
        self.reset()

    def reset(self) -> None:
        """Forget all utterances and start a new stream."""
        self._stream += 1
        self._number = 0
        self._now = 0.0
        self._waits_since: float | None = None
        self._anew, self._complete = True, 0
        self._heard: dict[str, list[SpeechChunk]] = {}
        self._fresh: list[SpeechChunk] = []
        self._addressed: dict[str, float] = {}
        self._transcripts: list[Transcript] = []
        self._spotted: list[SpottedWord] = []
        self.queue = RecognitionQueue()

    @property
    def away(self) -> float:
        """Seconds of the stream for which recognition owes an answer."""
        return 0.0 if self._waits_since is None else self._now - self._waits_since

    def check_phrases(self, phrases: Sequence[str]) -> None:
        """Refuse phrases that no engine can expect."""
        check_phrases(phrases)

    def bias(self, phrases: Sequence[str]) -> None:
        """Expect these words and phrases from now on; replaces earlier ones. Refuses what `check_phrases` refuses."""
        self.check_phrases(phrases)
        self._expect(phrases)

    def listen_for(self, words: Sequence[str]) -> None:
        """Spot these words from now on; replaces earlier ones. Refuses what `check_phrases` refuses."""
        check_phrases(words)
        self._listened_for = tuple(words)

    def answer(self, answer: Answer) -> None:
        """Take an answer; may be called from any thread."""
        self._arrived.put(answer)

    def accept(self, chunk: SpeechChunk) -> None:
        """Take the next stretch of an utterance."""
        self._heard.setdefault(chunk.utterance_id, []).append(chunk)
        self._fresh.append(chunk)

    def spot(self, now: float) -> list[SpottedWord]:
        """Return the words that were listened for and have been heard since the last call."""
        self._absorb_all()
        spotted, self._spotted = self._spotted, []
        return spotted

    def advance(self, now: float, addressing: Callable[[str], float]) -> list[Transcript]:
        """Send what is new, and return the transcripts that have come since the last call.

        Parameters
        ----------
        now
            Stream time in seconds.
        addressing
            Probability that an utterance, by its id, is said to the robot.
        """
        self._now = now
        self._absorb_all()
        given_up = self._give_up(lambda chunks: chunks[-1].last and now - chunks[-1].now > GIVE_UP)
        self._addressed = {name: addressing(name) for name in self._heard}
        if self._heard:
            self._step()
        transcripts, self._transcripts = self._transcripts, []
        return transcripts + given_up

    def flush(self, now: float) -> list[Transcript]:
        """Wait for the final words of all utterances, `PATIENCE` at most; `now` is the stream's length in seconds."""
        self._now = now
        self._absorb_all()
        deadline, told = time.monotonic() + PATIENCE, False
        while self._heard and (left := deadline - time.monotonic()) > 0:
            if self._run is not None and (self._anew or not told):
                self._step(end=True)
                told = True
            try:
                self._absorb(self._arrived.get(timeout=left))
            except queue.Empty:
                break
        transcripts, self._transcripts = self._transcripts, []
        return transcripts + self._give_up(lambda chunks: True)

    def _step(self, end: bool = False) -> None:
        """Send what is new, or all that has no final words, if there is somebody to send it to."""
        fresh, self._fresh = self._fresh, []
        if self._waits_since is None:
            self._waits_since = self._now
        if self._run is None:
            return
        if self._anew:
            fresh = [chunk for chunks in self._heard.values() for chunk in chunks]
        step = Step(
            self._stream,
            self._number,
            self._now,
            tuple(fresh),
            {name: self._addressed.get(name, 0.0) for name in self._heard},
            self._listened_for,
            self._anew,
            end,
        )
        if self._anew:
            self._anew, self._complete = False, self._number
        self._number += 1
        self._send(step)

    def _absorb_all(self) -> None:
        while not self._arrived.empty():
            self._absorb(self._arrived.get())

    def _absorb(self, answer: Answer) -> None:
        """Take what an answer brings, as far as it is of this stream."""
        if answer.run != self._run:
            self.restarts += self._run is not None
            self._run, self._anew = answer.run, True
        self.latency = answer.latency
        if answer.stream != self._stream:
            return
        if answer.lost:
            self._anew |= answer.number >= self._complete
            return
        self.queue = answer.queue
        self._waits_since = None if answer.number + 1 >= self._number else self._now
        self._spotted += answer.spotted
        for transcript in answer.transcripts:
            if transcript.utterance_id in self._heard:
                self._transcripts.append(transcript)
                if transcript.final:
                    del self._heard[transcript.utterance_id]

    def _give_up(self, hopeless: Callable[[list[SpeechChunk]], bool]) -> list[Transcript]:
        """Withdraw utterances that get no words any more."""
        names = [name for name, chunks in self._heard.items() if hopeless(chunks)]
        given_up = [
            Transcript(name, self._heard.pop(name)[0].track_id, (), confidence=0.0, final=True) for name in names
        ]
        self.given_up += len(given_up)
        return given_up


class RecognitionLink:
    """The topics of a node between its remote recognizer and the recognition node.

    Parameters
    ----------
    node
        Publishes `~/speech` and `recognition/phrases`; subscribes `recognition/transcripts`.

    Attributes
    ----------
    recognizer
        For the pipeline.
    """

    def __init__(self, node: StageNode) -> None:
        self._node = node
        self.recognizer = RemoteRecognizer(self._send, self._expect, time.time_ns())

    def open(self) -> None:
        """Make the topics."""
        node = self._node
        self._steps = node.create_publisher(msg.SpeechStep, "~/speech", SPEECH_QOS)
        self._phrases = node.create_publisher(msg.Phrases, "recognition/phrases", LATEST_QOS)
        self._answers = node.create_subscription(msg.Transcripts, "recognition/transcripts", self._take, STATE_QOS)

    def close(self) -> None:
        """Drop the topics."""
        self._node.destroy_subscription(self._answers)
        for publisher in (self._steps, self._phrases):
            self._node.destroy_publisher(publisher)

    def values(self) -> dict[str, object]:
        """Return what the diagnostics tell of it."""
        recognizer = self.recognizer
        return {
            "recognition_away_seconds": f"{recognizer.away:.1f}",
            "recognition_restarts": recognizer.restarts,
            "utterances_given_up": recognizer.given_up,
        }

    def _send(self, step: Step) -> None:
        message = speech.step_message(step)
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._steps.publish(message)

    def _expect(self, phrases: Sequence[str]) -> None:
        self._phrases.publish(msg.Phrases(phrases=list(phrases)))

    def _take(self, message: msg.Transcripts) -> None:
        self.recognizer.answer(speech.answer(message))
