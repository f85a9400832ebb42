from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from hearing.errors import InputError
from hearing.recognition import Recognizer
from hearing.recognition.engine import Hypothesis, Recognition, RecognizedWord, spread
from hearing.recognition.scheduling import RecognitionQueue, SchedulingConfig
from hearing.types import SAMPLE_RATE, Float32Array, SpeechChunk, Transcript

STEP = 0.064
WORD = SAMPLE_RATE // 2
HOP = SAMPLE_RATE // 4
AMPLE = SchedulingConfig(decoders=1e6)
SCARCE = SchedulingConfig(decoders=1.0)


def words_in(samples: Float32Array) -> tuple[RecognizedWord, ...]:
    """Read audio that carries its words: half a second of constant level k/1000 is the word `wk`."""
    levels = np.round(samples[::WORD] * 1000).astype(int)
    texts = [f"w{level}" for level in levels if level > 0]
    return spread(texts, [0.9] * len(texts), len(samples) / SAMPLE_RATE)


class Reading:
    """An utterance that is read in hops of 0.25 s; the last word may change."""

    def __init__(self, engine: Reader) -> None:
        self.engine = engine
        self.samples: Float32Array = np.zeros(0, np.float32)
        self.read = 0

    @property
    def pending(self) -> float:
        return (len(self.samples) - self.read) // HOP * HOP / SAMPLE_RATE

    def accept(self, samples: Float32Array) -> None:
        self.samples = np.concatenate([self.samples, samples])

    def advance(self) -> Hypothesis:
        self.engine.computed += self.pending
        self.read = len(self.samples) // HOP * HOP
        words = words_in(self.samples[: self.read])
        return Hypothesis(words[:-1], words[-1:])

    def finish(self, whole: Float32Array | None = None) -> Recognition:
        samples = self.samples if whole is None else whole
        self.engine.computed += len(samples) / SAMPLE_RATE
        return Recognition(words_in(samples))


class Reader:
    """A stand-in engine that counts the seconds of audio that it computes on."""

    latency = 0.25
    takes_phrases = True

    def __init__(self) -> None:
        self.computed = 0.0
        self.phrases: Sequence[str] = ()

    def open(self) -> Reading:
        return Reading(self)

    def bias(self, phrases: Sequence[str]) -> None:
        self.phrases = phrases


def speech(n_words: int, first: int = 1) -> Float32Array:
    return np.repeat(np.arange(first, first + n_words, dtype=np.float32) / 1000, WORD)


def texts(n_words: int, first: int = 1) -> list[str]:
    return [f"w{k}" for k in range(first, first + n_words)]


def chunks(samples: Float32Array, name: str = "u1", start: float = 10.0) -> Iterator[SpeechChunk]:
    """Cut an utterance that is heard without delay into what every step of 64 ms brings."""
    size = round(STEP * SAMPLE_RATE)
    for begin in range(0, len(samples), size):
        part, time = samples[begin : begin + size], start + begin / SAMPLE_RATE
        now = STEP * np.ceil((time + len(part) / SAMPLE_RATE) / STEP - 1e-6)
        yield SpeechChunk(name, int(name[1:]), part, time, float(now), begin + size >= len(samples))


def steps(
    recognizer: Recognizer,
    stream: Sequence[SpeechChunk],
    until: float,
    addressing: Callable[[str], float] = lambda _: 0.2,
) -> Iterator[tuple[float, list[Transcript]]]:
    """Take steps of 64 ms from the first chunk on, and what each of them says."""
    left = sorted(stream, key=lambda chunk: chunk.now)
    for step in range(int(left[0].now / STEP), int(until / STEP)):
        now = STEP * step
        while left and left[0].now <= now + 1e-6:
            recognizer.accept(left.pop(0))
        yield now, recognizer.advance(now, addressing)


def run(recognizer: Recognizer, stream: Sequence[SpeechChunk], until: float = 30.0) -> list[Transcript]:
    return [transcript for _, said in steps(recognizer, stream, until) for transcript in said]


def shown(transcripts: list[Transcript], name: str = "u1") -> list[str]:
    return [" ".join(word.text for word in t.words) for t in transcripts if t.utterance_id == name]


def finals(transcripts: list[Transcript]) -> dict[str, Transcript]:
    return {transcript.utterance_id: transcript for transcript in transcripts if transcript.final}


def crowd(n_talkers: int, n_words: int = 8) -> list[SpeechChunk]:
    """Talkers who begin one after the other and then all talk at once."""
    return [
        chunk for k in range(n_talkers) for chunk in chunks(speech(n_words, 100 * k + 1), f"u{k}", start=10.0 + 0.3 * k)
    ]


@pytest.fixture
def recognizer() -> Recognizer:
    return Recognizer(Reader(), AMPLE)


def test_final_transcript(recognizer: Recognizer) -> None:
    stream = list(chunks(speech(6)))
    final = run(recognizer, stream)[-1]
    assert final.final
    assert (final.utterance_id, final.track_id) == ("u1", 1)
    assert [word.text for word in final.words] == texts(6)
    assert final.words[0].start_time == 10.0
    assert final.words[-1].end_time == pytest.approx(13.0)
    assert [word.emitted_final for word in final.words] == pytest.approx([stream[-1].now] * 6)
    assert final.confidence == pytest.approx(0.9)
    assert final.stable == 6


def test_partials_grow_and_say_what_is_stable(recognizer: Recognizer) -> None:
    *partials, _ = run(recognizer, list(chunks(speech(4))))
    assert shown(partials) == ["w1", "w1 w2", "w1 w2 w3", "w1 w2 w3 w4"]
    assert [partial.stable for partial in partials] == [0, 1, 2, 3]
    assert not any(partial.final for partial in partials)
    assert all(word.emitted_final is None for partial in partials for word in partial.words)


class Script(Reader):
    """An engine that says its lines in turn, whatever it hears; the last line is the final one."""

    def __init__(self, *lines: str) -> None:
        super().__init__()
        self.lines = iter(lines)

    def open(self) -> Recital:
        return Recital(self)


class Recital(Reading):
    def advance(self) -> Hypothesis:
        self.read = len(self.samples) // HOP * HOP
        return Hypothesis(tentative=self.next_line())

    def finish(self, whole: Float32Array | None = None) -> Recognition:
        return Recognition(self.next_line())

    def next_line(self) -> tuple[RecognizedWord, ...]:
        assert isinstance(self.engine, Script)
        line = next(self.engine.lines).split()
        return spread(line, [0.9] * len(line), 1.0)


def test_word_that_vanished_for_a_while_counts_from_its_return() -> None:
    engine = Script("stop", "shop the", "stop the robot", "Stop the robot now!")
    transcripts = run(Recognizer(engine, AMPLE), list(chunks(speech(2)[: 4 * HOP - 1])))
    assert shown(transcripts) == ["stop", "shop the", "stop the robot", "Stop the robot now!"]
    times = [transcript.words[-1].emitted_partial for transcript in transcripts]
    assert [word.emitted_partial for word in transcripts[-1].words] == [times[2], times[1], times[2], times[3]]


def test_unchanged_words_are_not_published_again() -> None:
    engine = Script("stop the", "stop the", "stop the", "Stop the")
    transcripts = run(Recognizer(engine, AMPLE), list(chunks(speech(2)[: 4 * HOP - 1])))
    assert shown(transcripts) == ["stop the", "Stop the"]


def test_what_was_made_cleaner_is_heard_for_the_final_words(recognizer: Recognizer) -> None:
    *stream, last = chunks(speech(3))
    cleaner = SpeechChunk("u1", 1, last.samples, last.start_time, last.now, True, 10.0, speech(3, first=7))
    assert shown(run(recognizer, [*stream, cleaner]))[-1] == "w7 w8 w9"


def test_interleaved_utterances_do_not_mix(recognizer: Recognizer) -> None:
    first, second = list(chunks(speech(6), "u1", 10.0)), list(chunks(speech(4, 20), "u2", 10.6))
    both = run(recognizer, first + second)
    for name, stream in (("u1", first), ("u2", second)):
        recognizer.reset()
        assert [t for t in both if t.utterance_id == name] == run(recognizer, stream)


def test_reset_forgets_open_utterances(recognizer: Recognizer) -> None:
    stream = list(chunks(speech(6)))
    fresh = run(recognizer, stream)
    recognizer.reset()
    run(recognizer, stream[:17], until=11.0)
    recognizer.reset()
    assert run(recognizer, stream) == fresh


def test_utterance_without_audio_is_withdrawn(recognizer: Recognizer) -> None:
    recognizer.accept(SpeechChunk("u1", 1, np.zeros(0, np.float32), 5.0, 5.0, True))
    assert recognizer.advance(5.0, lambda _: 0.2) == [Transcript("u1", 1, (), 0.0, True)]


def test_engine_learns_phrases() -> None:
    engine = Reader()
    recognizer = Recognizer(engine)
    recognizer.bias(["torque wrench"])
    assert engine.phrases == ["torque wrench"]
    assert recognizer.latency == engine.latency
    for bad, reason in ((["lathe", "---"], "'---' has no letters"), (["lathe"] * 1001, "1001 phrases, at most 1000")):
        with pytest.raises(InputError, match=reason):
            recognizer.bias(bad)
    assert engine.phrases == ["torque wrench"]


def test_phrases_are_refused_for_an_engine_that_takes_none() -> None:
    engine = Reader()
    engine.takes_phrases = False
    recognizer = Recognizer(engine)
    recognizer.bias([])
    with pytest.raises(InputError, match="takes no phrases; leave them out, or choose the engine hearing"):
        recognizer.bias(["torque wrench"])


def test_with_little_to_do_the_budget_changes_nothing() -> None:
    stream = list(chunks(speech(8), "u0", 10.0)) + list(chunks(speech(8, 100), "u1", 12.0))
    assert run(Recognizer(Reader()), stream) == run(Recognizer(Reader(), AMPLE), stream)


def test_the_same_stream_gives_the_same_transcripts() -> None:
    assert run(Recognizer(Reader(), SCARCE), crowd(6)) == run(Recognizer(Reader(), SCARCE), crowd(6))


def test_later_audio_changes_nothing_earlier() -> None:
    changed = [
        SpeechChunk(
            c.utterance_id, c.track_id, c.samples if c.now < 12.0 else 0.5 + c.samples, c.start_time, c.now, False
        )
        for c in crowd(3)
    ]
    before = run(Recognizer(Reader(), SCARCE), crowd(3), until=12.0)
    assert before == run(Recognizer(Reader(), SCARCE), changed, until=12.0)
    assert before


def test_more_talkers_than_the_budget_allows_lose_nothing() -> None:
    transcripts = run(Recognizer(Reader(), SCARCE), crowd(6), until=60.0)
    said = finals(transcripts)
    assert {name: [word.text for word in final.words] for name, final in said.items()} == {
        f"u{k}": texts(8, 100 * k + 1) for k in range(6)
    }
    assert len([transcript for transcript in transcripts if transcript.final]) == 6
    last = {transcript.utterance_id: transcript for transcript in transcripts}
    assert last == said, "nothing comes after the final words"


def test_no_window_exceeds_the_budget_by_more_than_what_was_saved_and_one_utterance() -> None:
    engine = Reader()
    recognizer = Recognizer(engine, SCARCE)
    history = [(now, engine.computed) for now, _ in steps(recognizer, crowd(6), until=60.0)]
    times, computed = (np.array(values) for values in zip(*history, strict=True))
    beyond = computed - SCARCE.decoders * times
    assert np.max(beyond - np.minimum.accumulate(beyond)) <= SCARCE.most + 4.0
    assert engine.computed > 24.0


def test_who_addresses_the_robot_is_served_first() -> None:
    ample = [t for t in run(Recognizer(Reader(), AMPLE), crowd(6)) if t.utterance_id == "u5"]
    calls = steps(Recognizer(Reader(), SCARCE), crowd(6), 60.0, lambda name: 0.95 if name == "u5" else 0.2)
    said = [transcript for _, transcripts in calls for transcript in transcripts]
    assert [t for t in said if t.utterance_id == "u5"] == ample
    others = [final.words[0].emitted_final for name, final in finals(said).items() if name != "u5"]
    assert max(others) > ample[-1].words[0].emitted_final + 10.0


def test_late_final_words_say_when_they_came_and_the_queue_how_late_they_are() -> None:
    recognizer = Recognizer(Reader(), SCARCE)
    ends = {chunk.utterance_id: chunk.now for chunk in crowd(4) if chunk.last}
    waits = []
    for now, transcripts in steps(recognizer, crowd(4), 40.0):
        for final in finals(transcripts).values():
            assert {word.emitted_final for word in final.words} == {now}
            waits.append(now - ends[final.utterance_id])
        if now > max(ends.values()):
            waiting = {name: end for name, end in ends.items() if name not in finals(transcripts)}
            assert recognizer.queue.waiting <= len(waiting)
            assert recognizer.queue.behind == pytest.approx(4.0 * recognizer.queue.waiting)
            if recognizer.queue.waiting == 1:
                assert recognizer.queue.oldest == pytest.approx(now - ends["u3"])
    assert waits == sorted(waits)
    assert waits[-1] > 8.0
    assert recognizer.queue == RecognitionQueue()


def test_the_end_of_the_stream_finishes_everything() -> None:
    recognizer = Recognizer(Reader(), SCARCE)
    before = run(recognizer, crowd(6), until=15.6)
    rest = recognizer.flush(15.6)
    assert sorted(finals(before).keys() | finals(rest).keys()) == [f"u{k}" for k in range(6)]
    assert len(rest) >= 4
    assert {word.emitted_final for transcript in rest for word in transcript.words} == {15.6}
    assert recognizer.queue == RecognitionQueue()
