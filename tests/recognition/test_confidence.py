from __future__ import annotations

import pytest

from hearing.recognition.confidence import reason_to_drop
from hearing.recognition.engine import Recognition, spread


def heard(text: str, probability: float = 0.8, nobody: float = 0.01, letter: float = -0.8) -> Recognition:
    texts = text.split()
    return Recognition(spread(texts, [probability] * len(texts), 2.0), -0.3, nobody, letter)


def test_clear_speech_is_believed() -> None:
    assert reason_to_drop(heard("Go to bay four."), 2.0) is None


@pytest.mark.parametrize(
    ("recognition", "duration", "reason"),
    [
        (Recognition(), 1.0, "no words"),
        (heard("go " * 40), 20.0, "repeats itself"),
        (heard("one two three four five six seven eight nine ten"), 1.0, "10 words in 1.0 s"),
        (heard("Thank you.", nobody=0.7), 2.0, "nobody speaks"),
        (heard("Thank you.", probability=0.2), 2.0, "word probability"),
        (heard("Thank you.", letter=-12.0), 2.0, "of its letters"),
    ],
)
def test_what_nobody_said_is_dropped(recognition: Recognition, duration: float, reason: str) -> None:
    assert reason in str(reason_to_drop(recognition, duration))
