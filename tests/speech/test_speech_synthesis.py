from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hearing_datasets.alignment import align

from hearing.speech import ACTIVE_LEVEL_DB, LombardStyle, Synthesizer
from hearing.speech.timing import loud_frames
from hearing.types import SAMPLE_RATE, Float32Array

PLAIN = LombardStyle()
SENTENCES = (
    "The red crate belongs on the upper shelf.",
    "Excuse me, could you move a little to the side?",
    "The temperature is ninety degrees and it keeps rising.",
)


def active_level(samples: Float32Array) -> float:
    power, loud = loud_frames(samples)
    return 10 * float(np.log10(power[loud].mean()))


def test_words_are_said_when_the_aligner_hears_them(voice: Synthesizer) -> None:
    errors = []
    for text in SENTENCES:
        clause = voice.speak(text, PLAIN)
        for spoken, heard in zip(clause.words, align(clause.samples, text), strict=True):
            errors += [abs(spoken.start - heard.start), abs(spoken.end - heard.end)]
    assert np.median(errors) < 0.03
    assert np.quantile(errors, 0.9) < 0.08


def test_sound_begins_at_once_and_a_pause_follows(voice: Synthesizer) -> None:
    for text, pause in (("Wait here.", 0.3), ('"Okay,"', 0.15), ("the red box", 0.03)):
        clause = voice.speak(text, PLAIN)
        sounding = np.flatnonzero(loud_frames(clause.samples)[1])
        assert sounding[0] <= 5
        assert clause.duration - (sounding[-1] + 1) / 100 == pytest.approx(pause, abs=0.011)


@pytest.mark.parametrize(
    "text",
    [
        "At 7:30 pm, 1,250 people paid $9.99 each - really - for 5 km.",
        'Dr. Smith said: "Bay 4b (left), please" ... okay?',
        "don't you're We've",
        "x",
    ],
)
@pytest.mark.parametrize("style", [PLAIN, LombardStyle.from_noise(90, 2)])
def test_every_written_word_has_its_time(voice: Synthesizer, text: str, style: LombardStyle) -> None:
    clause = voice.speak(text, style)
    assert [word.text for word in clause.words] == text.split()
    assert all(0 <= word.start <= word.end <= clause.duration for word in clause.words)
    assert all(first.end <= second.start + 1e-9 for first, second in pairwise(clause.words))
    assert all(word.end > word.start for word in clause.words if any(map(str.isalnum, word.text)))


def test_speech_is_the_same_every_time_and_at_one_level(voice: Synthesizer) -> None:
    first, second = (voice.speak("Wait for me.", PLAIN) for _ in range(2))
    np.testing.assert_array_equal(first.samples, second.samples)
    assert first.samples.dtype == np.float32
    assert active_level(first.samples) == pytest.approx(ACTIVE_LEVEL_DB, abs=0.1)


@pytest.mark.parametrize("text", ["", "...", "- -", "\u4f60\u597d"])
def test_what_cannot_be_said_makes_no_sound(voice: Synthesizer, text: str) -> None:
    clause = voice.speak(text, PLAIN)
    assert len(clause.samples) == 0
    assert [(word.start, word.end) for word in clause.words] == [(0.0, 0.0)] * len(text.split())


def test_clauses_come_one_by_one(voice: Synthesizer) -> None:
    clauses = list(voice.synthesize("Okay, I come. The pallet is in bay 4.", PLAIN))
    assert [clause.text for clause in clauses] == ["Okay,", "I come.", "The pallet is in bay 4."]
    assert all(len(clause.samples) for clause in clauses)


def test_loud_speech_is_slower_and_higher(voice: Synthesizer) -> None:
    text = "Roger moves a long way around you and me."
    loud = LombardStyle.from_noise(85, 1)
    calm, raised = voice.speak(text, PLAIN), voice.speak(text, loud)
    assert raised.words[-1].end / calm.words[-1].end == pytest.approx(1 / loud.rate, rel=0.08)
    assert 12 * np.log2(pitch(raised.samples) / pitch(calm.samples)) == pytest.approx(loud.pitch, abs=0.7)


def pitch(samples: Float32Array) -> float:
    """Median of the autocorrelation's maximum over clearly voiced frames, in Hz."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 1024)[::160] * np.hanning(1024)
    correlation = np.fft.irfft(np.abs(np.fft.rfft(frames, 2048)) ** 2)
    correlation = correlation[:, 45:200] / np.maximum(correlation[:, :1], 1e-9)
    voiced = (correlation.max(axis=1) > 0.6) & (np.square(frames).mean(axis=1) > 1e-4)
    return float(np.median(SAMPLE_RATE / (45 + correlation[voiced].argmax(axis=1))))
