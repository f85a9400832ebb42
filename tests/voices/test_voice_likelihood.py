from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hearing.errors import InputError
from hearing.likeness import CALIBRATION
from hearing.voices import VoiceLikelihood
from hearing.voices.likelihood import own_weights


@pytest.fixture(scope="module")
def likelihood() -> VoiceLikelihood:
    return VoiceLikelihood.beside(own_weights())


@pytest.mark.parametrize("quality", [0.05, 0.5, 0.95])
def test_more_alike_is_more_likely_one_person(likelihood: VoiceLikelihood, quality: float) -> None:
    ratios = [likelihood.log_ratio(float(cosine), quality, 0.7) for cosine in np.linspace(-1, 1, 41)]
    assert np.all(np.diff(ratios) >= 0)
    assert np.all(np.diff(ratios[18:30]) > 0)
    assert max(map(abs, ratios)) < 6
    assert ratios[0] < 0 < ratios[-1]


def test_better_embeddings_say_more(likelihood: VoiceLikelihood) -> None:
    def span(quality: float) -> float:
        return likelihood.log_ratio(0.8, quality, quality) - likelihood.log_ratio(0.0, quality, quality)

    assert span(0.9) > span(0.5) > span(0.1)


def test_an_embedding_that_is_worth_nothing_says_nothing(likelihood: VoiceLikelihood) -> None:
    assert likelihood.log_ratio(0.9, 0.0, 0.9) == 0.0


def test_who_is_compared_with_whom_does_not_matter(likelihood: VoiceLikelihood) -> None:
    assert likelihood.log_ratio(0.4, 0.2, 0.9) == likelihood.log_ratio(0.4, 0.9, 0.2)


def test_quality_grows_with_seconds_and_contrast(likelihood: VoiceLikelihood) -> None:
    assert likelihood.quality(0.0, 2.0) == 0.0
    assert likelihood.quality(1.0, 2.0) < likelihood.quality(2.0, 2.0) < likelihood.quality(8.0, 2.0) < 1
    assert likelihood.quality(2.0, 1.5) <= likelihood.quality(2.0, 2.5)


@pytest.mark.parametrize("content", [None, "{", "[]", json.dumps({"encoder": "x", "fit": {"half": 1}})])
def test_a_damaged_calibration_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / CALIBRATION).write_text(content)
    with pytest.raises(InputError, match="no calibration of voices"):
        VoiceLikelihood.beside(tmp_path)
