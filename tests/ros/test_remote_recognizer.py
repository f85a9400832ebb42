"""Recognition in another process: the words are those of the library, whatever is lost and whoever dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hearing_nodes import remote_recognizer
from hearing_nodes.remote_recognizer import GIVE_UP, RemoteRecognizer
from hearing_nodes.speech import Answer, Step

from hearing.errors import InputError
from hearing.recognition.engine import Hypothesis, Recognition, RecognizedWord
from hearing.recognition.recognizer import Recognizer
from hearing.types import SAMPLE_RATE, Float32Array, SpeechChunk, Transcript

SECOND = SAMPLE_RATE


class CountingStream:
    """Hears one word in every second."""

    def __init__(self) -> None:
        self.length = self.heard = 0

    @property
    def pending(self) -> float:
        return (self.length - self.heard) / SAMPLE_RATE

    def accept(self, samples: Float32Array) -> None:
        self.length += len(samples)

    def advance(self) -> Hypothesis:
        self.heard = self.length
        return Hypothesis(tentative=self.finish().words)

    def finish(self, whole: Float32Array | None = None) -> Recognition:
        count = self.length // SECOND
        return Recognition(tuple(RecognizedWord(f"word{i}", float(i), i + 0.5, 0.9) for i in range(count)))


class CountingEngine:
    latency = 0.25
    takes_phrases = True

    def open(self) -> CountingStream:
        return CountingStream()

    def bias(self, phrases: object) -> None:
        pass


class Far:
    """What the recognition node does, without ROS; it may be dead, and messages to it may be lost."""

    def __init__(self) -> None:
        self.sent: list[Step] = []
        self.near = RemoteRecognizer(self.take, lambda phrases: None, stream=100)
        self.run = 0
        self.dead = True

    def live(self) -> None:
        self.dead, self.run = False, self.run + 1
        self.recognizer, self.expected = Recognizer(CountingEngine()), (0, 0)
        self.near.answer(Answer(self.run, latency=self.recognizer.latency))

    def take(self, step: Step) -> None:
        self.sent.append(step)
        if self.dead:
            return
        if step.anew:
            self.recognizer.reset()
        elif (step.stream, step.number) != self.expected:
            self.near.answer(Answer(self.run, step.stream, step.number, lost=True))
            return
        self.expected = (step.stream, step.number + 1)
        for chunk in step.chunks:
            self.recognizer.accept(chunk)
        heard = self.recognizer.flush(step.now) if step.end else self.recognizer.advance(step.now, step.addressed.get)
        self.near.answer(Answer(self.run, step.stream, step.number, transcripts=tuple(heard)))


@pytest.fixture
def far() -> Far:
    return Far()


def chunks(name: str, begin: int, seconds: int) -> Iterator[tuple[int, SpeechChunk]]:
    """One utterance, second by second."""
    for second in range(seconds):
        start = float(begin + second)
        last = second == seconds - 1
        yield (
            begin + second + 1,
            SpeechChunk(name, 1, np.ones(SECOND, np.float32), start, start + 1, last, float(begin)),
        )


def hear(
    recognizer: RemoteRecognizer | Recognizer, seconds: int, at: dict[int, Callable[[], None]]
) -> list[Transcript]:
    """Hear two utterances, and do something at some seconds."""
    heard = []
    coming = sorted([*chunks("a", 0, 4), *chunks("b", 2, 3)], key=lambda entry: entry[0])
    for now in range(1, seconds + 1):
        at.get(now, lambda: None)()
        for time, chunk in coming:
            if time == now:
                recognizer.accept(chunk)
        heard += recognizer.advance(float(now), lambda name: 0.5)
    return heard + recognizer.flush(float(seconds))


def finals(transcripts: list[Transcript]) -> dict[str, list[str]]:
    return {t.utterance_id: [word.text for word in t.words] for t in transcripts if t.final}


def test_the_words_are_those_of_a_recognizer_in_the_same_process(far: Far) -> None:
    far.live()
    there, here = hear(far.near, 8, {}), hear(Recognizer(CountingEngine()), 8, {})
    assert finals(there) == finals(here) == {"a": [f"word{i}" for i in range(4)], "b": [f"word{i}" for i in range(3)]}
    # Answers come one step later than what is asked for, and are otherwise the same.
    assert there == here


@pytest.mark.parametrize("second", [1, 2, 4, 6])
def test_who_comes_later_or_back_is_sent_all_that_has_no_words(far: Far, second: int) -> None:
    far.live()

    def die() -> None:
        far.dead = True

    heard = finals(hear(far.near, 10, {second: die, second + 2: far.live}))
    assert heard == {"a": [f"word{i}" for i in range(4)], "b": [f"word{i}" for i in range(3)]}
    assert far.near.restarts == 1


def test_a_step_that_is_lost_is_noticed_and_all_is_sent_again(far: Far) -> None:
    far.live()

    def lose() -> None:
        far.expected = (0, 0)

    heard = finals(hear(far.near, 10, {3: lose}))
    assert heard == {"a": [f"word{i}" for i in range(4)], "b": [f"word{i}" for i in range(3)]}
    assert sum(step.anew for step in far.sent) == 2


def test_without_recognition_utterances_are_withdrawn_after_a_while(far: Far) -> None:
    heard = hear(far.near, 6 + int(GIVE_UP), {})
    assert finals(heard) == {"a": [], "b": []}
    assert far.near.given_up == 2
    assert not far.sent
    assert far.near.away > GIVE_UP


def test_the_end_of_a_stream_waits_for_words_but_not_for_ever(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_recognizer, "PATIENCE", 0.01)
    far.live()

    def die() -> None:
        far.dead = True

    assert finals(hear(far.near, 5, {2: die})) == {"a": [], "b": []}


def test_answers_to_an_earlier_stream_are_not_taken(far: Far) -> None:
    far.live()
    before = far.near
    hear(before, 3, {})
    (old,) = {step.stream for step in far.sent}
    before.reset()
    before.accept(next(chunks("a", 0, 4))[1])
    before.answer(Answer(far.run, old, 99, transcripts=(Transcript("a", 1, (), 0.0, final=True),)))
    assert before.advance(1.0, lambda name: 0.5) == []


def test_phrases_that_cannot_be_expected_are_refused(far: Far) -> None:
    with pytest.raises(InputError, match="no letters"):
        far.near.bias(["..."])
