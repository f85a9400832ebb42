from __future__ import annotations

import logging
from itertools import pairwise

import numpy as np
import pytest

from hearing.errors import InputError
from hearing.recognition.drafting import DraftedUtterance, DraftingEngine
from hearing.recognition.engine import Hypothesis, Recognition, RecognizedWord, spread
from hearing.types import SAMPLE_RATE, Float32Array


class Script:
    """An engine that says its lines in turn, whatever it hears; the last one again and again."""

    def __init__(self, *lines: str, probability: float = 0.9, no_speech_prob: float | None = None) -> None:
        self.lines = list(lines)
        self.probability = probability
        self.no_speech_prob = no_speech_prob
        self.heard: list[Float32Array] = []

    def transcribe(self, samples: Float32Array) -> Recognition:
        texts = self.lines[min(len(self.heard), len(self.lines) - 1)].split()
        self.heard.append(samples)
        words = spread(texts, [self.probability] * len(texts), len(samples) / SAMPLE_RATE)
        return Recognition(words, float(np.log(self.probability)), self.no_speech_prob)


def audio(seconds: float, level: float = 0.1) -> Float32Array:
    return np.full(round(seconds * SAMPLE_RATE), level, np.float32)


def utterance(draft: Script, final: Script) -> DraftedUtterance:
    return DraftingEngine(draft, final).open()


def texts(words: tuple[RecognizedWord, ...]) -> str:
    return " ".join(word.text for word in words)


def drafts(stream: DraftedUtterance, count: int) -> list[tuple[str, str]]:
    """Committed and tentative words after each of so many stretches that are long enough for a draft."""
    shown = []
    for _ in range(count):
        stream.accept(audio(1.0))
        hypothesis = stream.advance()
        shown.append((texts(hypothesis.committed), texts(hypothesis.tentative)))
    return shown


def test_nothing_is_pending_until_enough_is_new() -> None:
    stream = utterance(Script("one"), Script("one"))
    assert stream.pending == 0
    stream.accept(audio(0.5))
    assert stream.pending == 0
    assert stream.advance() == Hypothesis()
    stream.accept(audio(0.1))
    assert stream.pending == pytest.approx(0.6)
    stream.advance()
    assert stream.pending == 0
    stream.accept(audio(0.7))
    assert stream.pending == pytest.approx(1.3), "a draft hears the whole utterance"


def test_interval_of_zero_does_not_draft_without_audio() -> None:
    assert DraftingEngine(Script("one"), Script("one"), 0.0, 0.0).open().pending == 0


def test_cost_of_drafts_is_bounded() -> None:
    draft = Script("word")
    stream = utterance(draft, Script("word"))
    for _ in range(200):
        stream.accept(audio(0.1))
        stream.advance()
    assert sum(map(len, draft.heard)) < 5.5 * 20 * SAMPLE_RATE


def test_words_that_two_drafts_agree_on_are_committed() -> None:
    draft = Script("stop the", "shop the robot", "stop the robot now", "stop the robot now please")
    assert drafts(utterance(draft, Script("")), 4) == [
        ("", "stop"),
        ("", "shop the"),
        ("", "stop the robot"),
        ("stop the robot now", ""),
    ]


def test_words_that_were_timed_by_different_drafts_do_not_overlap() -> None:
    draft = Script("one two three", "one two three four", "one two three four extraordinarily seven")
    stream = utterance(draft, Script(""))
    drafts(stream, 3)
    hypothesis = stream.advance()
    words = hypothesis.committed + hypothesis.tentative
    assert texts(words) == "one two three four extraordinarily"
    assert all(first.end <= second.start for first, second in pairwise(words))
    assert words[-1].end <= 3.0


def test_doubtful_draft_waits_for_the_next_one() -> None:
    draft = Script("stop the", "stop the robot", "stop the robot now", probability=0.5)
    assert drafts(utterance(draft, Script("")), 3) == [("", ""), ("stop the", ""), ("stop the robot", "")]


@pytest.mark.parametrize("invented", ["", "again " * 60, "Thank you for watching!"])
def test_invented_draft_changes_nothing(invented: str) -> None:
    draft = Script("stop the robot", invented, "stop the robot now")
    assert drafts(utterance(draft, Script("")), 3) == [("", "stop the"), ("", "stop the"), ("stop the robot", "")]


def test_final_words_come_from_the_accurate_engine_and_all_audio() -> None:
    final = Script("Stop the robot!")
    stream = utterance(Script("stop the robot"), final)
    drafts(stream, 2)
    stream.accept(audio(0.1, level=0.2))
    assert stream.finish().text == "Stop the robot!"
    assert np.array_equal(final.heard[0], np.concatenate([audio(2.0), audio(0.1, level=0.2)]))


def test_cleaner_audio_takes_the_place_of_what_was_accepted() -> None:
    draft, final = Script("stop"), Script("Stop!")
    stream = utterance(draft, final)
    stream.accept(audio(0.3))
    assert stream.finish(audio(2.0, level=0.2)).words[-1].end == pytest.approx(2.0)
    assert [len(samples) for samples in (*draft.heard, *final.heard)] == [2 * SAMPLE_RATE] * 2


def test_invented_text_is_withdrawn_and_the_reason_logged(caplog: pytest.LogCaptureFixture) -> None:
    stream = utterance(Script(""), Script("Thank you for watching!", probability=0.3, no_speech_prob=0.8))
    stream.accept(audio(2.0))
    with caplog.at_level(logging.INFO, "hearing"):
        assert stream.finish() == Recognition()
    assert "log-odds of speech" in caplog.text
    assert "Thank you for watching!" in caplog.text


def test_engine_is_not_its_own_witness() -> None:
    engine = Script("stop the robot")
    stream = DraftingEngine(engine, engine).open()
    stream.accept(audio(2.0))
    assert stream.finish().text == "stop the robot"
    assert len(engine.heard) == 1


def test_utterance_without_audio_has_no_words() -> None:
    assert utterance(Script(""), Script("")).finish() == Recognition()


def test_utterances_do_not_mix() -> None:
    engine = DraftingEngine(Script("one two"), Script("One two."))
    first, second = engine.open(), engine.open()
    first.accept(audio(1.0))
    assert second.pending == 0
    assert second.advance() == Hypothesis()


def test_phrases_are_refused_loudly() -> None:
    engine = DraftingEngine(Script(""), Script(""))
    engine.bias([])
    with pytest.raises(InputError, match="Script does not take phrases"):
        engine.bias(["torque wrench"])
