from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from hearing.recognition import Recognizer
from hearing.recognition.engine import Recognition, spread
from hearing.recognition.text import normalize
from hearing.types import SAMPLE_RATE, Float32Array, SpeechChunk, Transcript

from .conftest import SPOKEN

BLOCK = SAMPLE_RATE // 10


class Reader:
    """An engine for audio that carries its words: half a second of constant level k/100 is the k-th word of `texts`."""

    def __init__(self, texts: Sequence[str], probability: float = 0.9, no_speech_prob: float | None = None) -> None:
        self.texts = texts
        self.probability = probability
        self.no_speech_prob = no_speech_prob
        self.heard: list[int] = []

    def transcribe(self, samples: Float32Array) -> Recognition:
        self.heard.append(len(samples))
        levels = np.round(samples[SAMPLE_RATE // 4 :: SAMPLE_RATE // 2] * 100).astype(int)
        texts = [self.texts[level - 1] for level in levels if level > 0]
        words = spread(texts, [self.probability] * len(texts), len(samples) / SAMPLE_RATE)
        return Recognition(words, float(np.log(self.probability)), self.no_speech_prob)


def speech(n_words: int) -> Float32Array:
    return np.repeat(np.arange(1, n_words + 1, dtype=np.float32) / 100, SAMPLE_RATE // 2)


def chunks(samples: Float32Array, name: str = "u1", start: float = 10.0, delay: float = 0.25) -> Iterator[SpeechChunk]:
    for begin in range(0, len(samples), BLOCK):
        part = samples[begin : begin + BLOCK]
        now = start + (begin + len(part)) / SAMPLE_RATE + delay
        last = begin + BLOCK >= len(samples)
        yield SpeechChunk(name, int(name[1:]), part, start + begin / SAMPLE_RATE, now, last)


def run(recognizer: Recognizer, stream: Iterator[SpeechChunk] | list[SpeechChunk]) -> list[Transcript]:
    return [transcript for chunk in stream if (transcript := recognizer.process(chunk))]


DRAFT = ["turn", "of", "the", "left", "machine", "now"]
FINAL = ["Turn", "off", "the", "left", "machine,", "now!"]


@pytest.fixture
def recognizer() -> Recognizer:
    return Recognizer(Reader(DRAFT), Reader(FINAL))


def test_final_transcript(recognizer: Recognizer) -> None:
    final = run(recognizer, chunks(speech(6)))[-1]
    assert final.final
    assert (final.utterance_id, final.track_id) == ("u1", 1)
    assert [word.text for word in final.words] == FINAL
    assert final.words[0].start_time == 10.0
    assert final.words[-1].end_time == pytest.approx(13.0)
    assert {word.emitted_final for word in final.words} == {13.25}
    assert final.confidence == pytest.approx(0.9)


def test_words_keep_the_time_when_they_first_appeared(recognizer: Recognizer) -> None:
    transcripts = run(recognizer, chunks(speech(6)))
    final = {normalize(word.text): word for word in transcripts[-1].words}
    for text in ("turn", "the", "left"):
        shown = [t for t in transcripts[:-1] if text in [normalize(word.text) for word in t.words]]
        assert final[text].emitted_partial == shown[0].words[-1].emitted_partial < 13.25
    assert final["off"].emitted_partial == 13.25, "the drafts had another word there"


def test_partials_come_at_the_interval_and_without_the_last_word(recognizer: Recognizer) -> None:
    partials = run(recognizer, chunks(speech(6)))[:-1]
    assert not any(partial.final for partial in partials)
    assert [word.text for word in partials[0].words] == ["turn"]
    assert all(word.emitted_final is None for partial in partials for word in partial.words)


class Script:
    """An engine that says its lines in turn, whatever it hears."""

    def __init__(self, *lines: str, probability: float = 0.9) -> None:
        self.lines = iter(lines)
        self.probability = probability

    def transcribe(self, samples: Float32Array) -> Recognition:
        texts = next(self.lines).split()
        words = spread(texts, [self.probability] * len(texts), len(samples) / SAMPLE_RATE)
        return Recognition(words, float(np.log(self.probability)))


def shown(transcripts: list[Transcript]) -> list[str]:
    return [" ".join(word.text for word in transcript.words) for transcript in transcripts]


def test_word_that_vanished_for_a_while_counts_from_its_return() -> None:
    draft = Script("stop the", "shop the robot", "stop the robot now", "stop the robot now")
    transcripts = run(Recognizer(draft, Script("Stop the robot now!")), chunks(speech(4)))
    assert shown(transcripts) == ["stop", "shop the", "stop the robot", "Stop the robot now!"]
    times = [transcript.words[-1].emitted_partial for transcript in transcripts]
    assert [word.emitted_partial for word in transcripts[-1].words] == [times[2], times[1], times[2], times[3]]


def test_doubtful_draft_waits_for_the_next_one() -> None:
    draft = Script("stop the", "stop the robot", "stop the robot now", "stop the robot now", probability=0.5)
    transcripts = run(Recognizer(draft, Script("Stop the robot now!")), chunks(speech(4)))
    assert shown(transcripts) == ["stop the", "stop the robot", "Stop the robot now!"]


def test_unchanged_words_are_not_published_again() -> None:
    draft = Script("stop the robot", "stop the robot", "stop the robot", "stop the robot")
    transcripts = run(Recognizer(draft, Script("Stop the robot!")), chunks(speech(4)))
    assert shown(transcripts) == ["stop the", "stop the robot", "Stop the robot!"]


def test_cost_of_drafts_is_bounded() -> None:
    draft = Reader(["word"] * 60)
    run(Recognizer(draft, Reader(["word"] * 60)), chunks(speech(50)))
    *drafts, _ = draft.heard
    assert sum(drafts) < 5.5 * 25 * SAMPLE_RATE


def test_interleaved_utterances_do_not_mix(recognizer: Recognizer) -> None:
    first = list(chunks(speech(6), "u1", 10.0))
    second = list(chunks(speech(4), "u2", 10.6))
    alone = run(recognizer, first) + run(recognizer, second)
    both = run(recognizer, sorted(first + second, key=lambda chunk: chunk.now))
    for name in ("u1", "u2"):
        assert [t for t in both if t.utterance_id == name] == [t for t in alone if t.utterance_id == name]


def test_later_audio_changes_nothing_earlier(recognizer: Recognizer) -> None:
    changed = speech(6)
    changed[2 * SAMPLE_RATE :] = 0.02
    before = run(recognizer, list(chunks(speech(6)))[:20])
    recognizer.reset()
    after = run(recognizer, list(chunks(changed))[:20])
    assert before == after
    assert before


def test_reset_forgets_open_utterances(recognizer: Recognizer) -> None:
    stream = list(chunks(speech(6)))
    fresh = run(recognizer, stream)
    run(recognizer, stream[:17])
    recognizer.reset()
    assert run(recognizer, stream) == fresh


def test_empty_last_chunk_ends_the_utterance(recognizer: Recognizer) -> None:
    *stream, _ = chunks(speech(6))
    end = SpeechChunk("u1", 1, np.zeros(0, np.float32), 12.9, 14.0, True)
    final = run(recognizer, [*stream, end])[-1]
    assert final.final
    assert {word.emitted_final for word in final.words} == {14.0}


def test_utterance_without_audio_is_withdrawn(recognizer: Recognizer) -> None:
    final = recognizer.process(SpeechChunk("u1", 1, np.zeros(0, np.float32), 5.0, 5.0, True))
    assert final == Transcript("u1", 1, (), 0.0, True)


def test_invented_text_is_withdrawn() -> None:
    recognizer = Recognizer(Reader([""] * 6), Reader(["Thank", "you", "for", "watching!"], 0.3, 0.8))
    final = run(recognizer, chunks(speech(4)))[-1]
    assert final.final
    assert final.words == ()


def test_real_speech_with_the_real_engines(moonshine, whisper, beckett: Float32Array) -> None:
    transcripts = run(Recognizer(moonshine, whisper), chunks(beckett))
    final = transcripts[-1]
    assert [normalize(word.text) for word in final.words] == SPOKEN.split()
    early = [word for word in final.words if word.emitted_partial < final.words[-1].emitted_final]
    assert len(early) >= 8
    assert all(word.emitted_partial > word.start_time for word in final.words)


@pytest.mark.parametrize("seconds", [0.05, 0.3, 2.0])
def test_silence_gives_no_words(moonshine, whisper, seconds: float) -> None:
    silence = np.zeros(int(seconds * SAMPLE_RATE), np.float32)
    for transcript in run(Recognizer(moonshine, whisper), chunks(silence)):
        assert transcript.words == ()
