from __future__ import annotations

import numpy as np
import pytest

from hearing.recognition import Recognizer, guards
from hearing.recognition.drafting import DraftingEngine
from hearing.recognition.engine import Engine, Recognition, spread
from hearing.types import SAMPLE_RATE, Float32Array, SpeechChunk

from .conftest import SPOKEN


def heard(
    text: str, probability: float = 0.9, no_speech_prob: float | None = 0.1, duration: float = 2.0
) -> Recognition:
    texts = text.split()
    words = spread(texts, [probability] * len(texts), duration)
    return Recognition(words, float(np.log(probability)), no_speech_prob)


def test_clear_speech_is_believed() -> None:
    assert guards.reason_to_drop(heard("Turn off the left machine."), heard("Turn of the left machine."), 2.0) is None


@pytest.mark.parametrize("text", ["Thank you.", "Bye.", "Thank you very much.", "You."])
def test_clearly_spoken_stock_phrase_is_believed(text: str) -> None:
    assert guards.reason_to_drop(heard(text, 0.85, 0.3), heard(text), 1.0) is None


@pytest.mark.parametrize(
    "text", ["you", "Thank you.", "Thank you for watching!", "Yeah. Yeah.", "Subtitles by the Amara.org community"]
)
def test_doubtful_stock_phrase_is_dropped_even_if_both_engines_wrote_it(text: str) -> None:
    reason = guards.reason_to_drop(heard(text, 0.4, 0.85), heard(text, 0.7), 3.0)
    assert reason is not None
    assert "stock phrase: True" in reason


def test_text_that_engines_do_not_agree_on_needs_more_certainty() -> None:
    final = heard("I don't know.", 0.35, 0.9)
    assert guards.log_odds(final, heard("I don't know.")) > guards.log_odds(final, heard("Emily Beynon."))
    assert guards.reason_to_drop(final, heard("Emily Beynon."), 2.0) is not None


@pytest.mark.parametrize(
    ("text", "reason"),
    [("go " * 40, "repeats itself"), ("I am going to the " * 8, "repeats itself"), (SPOKEN, "12 words in 1.0 s")],
)
def test_impossible_text_is_dropped_however_sure_the_engines_are(text: str, reason: str) -> None:
    duration = 20.0 if "repeats" in reason else 1.0
    assert reason in str(guards.reason_to_drop(heard(text), heard(text), duration))


def test_no_words_is_a_reason() -> None:
    assert guards.reason_to_drop(Recognition(), Recognition(), 1.0) == "no words"


@pytest.mark.parametrize("text", ["no no no no", "five five", SPOKEN])
def test_people_may_repeat_themselves(text: str) -> None:
    assert guards.reason_to_drop(heard(text), heard(text), 6.0) is None


def test_only_confident_drafts_are_shown_at_once() -> None:
    assert guards.is_sure(heard("stop the left", 0.8), 1.0)
    assert not guards.is_sure(heard("stop the left", 0.5), 1.0)
    assert not guards.is_sure(heard("Thank you for watching!", 0.9), 1.0)
    assert guards.is_invented(heard("to " * 11), 2.2)
    assert not guards.is_invented(heard("stop the left", 0.5), 1.0)


def noises() -> dict[str, Float32Array]:
    """Five seconds each of sounds that machines make, at levels from quiet to full scale."""
    rng = np.random.default_rng(4)
    n = 5 * SAMPLE_RATE
    time = np.arange(n) / SAMPLE_RATE
    hiss = rng.normal(size=n)
    decay = np.exp(-np.arange(4000) / 500)
    impacts = np.zeros(n)
    for begin in range(0, n - 4000, 11_000):
        impacts[begin : begin + 4000] += rng.normal(size=4000) * decay
    sounds = {
        "hiss": 0.05 * hiss,
        "rumble": 0.01 * np.cumsum(hiss - hiss.mean()) / 10,
        "tone": 0.3 * np.sin(2 * np.pi * 700 * time),
        "hum": sum(0.1 * np.sin(2 * np.pi * 50 * k * time) / k for k in range(1, 25)) + 0.005 * hiss,
        "impacts": 0.3 * impacts + 0.003 * hiss,
        "siren": 0.2 * np.sin(2 * np.pi * (600 * time + 80 * np.sin(2 * np.pi * time))),
    }
    return {name: np.clip(sound, -1, 1).astype(np.float32) for name, sound in sounds.items()}


@pytest.mark.parametrize("name", noises())
def test_machines_say_nothing(name: str, moonshine: Engine, whisper: Engine) -> None:
    """Pieces of 1, 1.5 and 2.5 s as a voice activity detector may let them through."""
    recognizer = Recognizer(DraftingEngine(moonshine, whisper))
    noise = noises()[name]
    for index, (begin, end) in enumerate([(0.0, 1.0), (1.0, 2.5), (2.5, 5.0)]):
        piece = noise[int(begin * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
        chunk = SpeechChunk(f"u{index}", 1, piece, begin, end, True)
        recognizer.accept(chunk)
        (transcript,) = recognizer.flush(chunk.now)
        assert transcript.words == ()


@pytest.mark.parametrize("snr", [5, 20])
def test_speech_in_noise_is_kept(snr: float, moonshine: Engine, whisper: Engine, beckett: Float32Array) -> None:
    noise = np.random.default_rng(1).normal(size=len(beckett)).astype(np.float32)
    noise *= np.sqrt(np.mean(beckett**2)) * 10 ** (-snr / 20)
    recognizer = Recognizer(DraftingEngine(moonshine, whisper))
    chunk = SpeechChunk("u1", 1, beckett + noise, 0.0, len(beckett) / SAMPLE_RATE, True)
    recognizer.accept(chunk)
    (transcript,) = recognizer.flush(chunk.now)
    assert len(transcript.words) >= 10
