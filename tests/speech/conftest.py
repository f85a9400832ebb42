from __future__ import annotations

import numpy as np
import pytest

from hearing.speech import SpeechClause, SpokenWord, Synthesizer, load_synthesizer
from hearing.types import SAMPLE_RATE


@pytest.fixture(scope="session")
def voice() -> Synthesizer:
    return load_synthesizer()


def clause_of(*words: tuple[str, float, float], duration: float, seed: int = 0) -> SpeechClause:
    """Make a clause of noise whose words have these starts and ends in seconds."""
    rng = np.random.default_rng(seed)
    samples = rng.uniform(-0.5, 0.5, round(duration * SAMPLE_RATE)).astype(np.float32)
    return SpeechClause(" ".join(word for word, _, _ in words), tuple(SpokenWord(*word) for word in words), samples)
