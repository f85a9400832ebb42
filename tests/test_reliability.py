from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from hearing.evaluation.reliability import Reliability, judge


@pytest.mark.parametrize(
    ("said", "heard", "right"),
    [
        ("Turn off line 21, please.", "Turn of um line twenty one please.", [1, 0, None, 1, 1, 1, 1]),
        ("Turn off line 21, please.", "Turn off line twenty two, please", [1, 1, 1, 0, 0, 1]),
        ("It costs $20.50.", "it costs twenty dollars and fifty cents", [1] * 7),
        ("I can't do it", "I cannot do it", [1, 0, 1, 1]),
        ("Stop.", "stop stop", [1, 0]),
        ("Um.", "uh hmm", [None, None]),
        ("", "you", [0]),
        ("Stop.", "", []),
    ],
)
def test_words_are_right_in_the_form_in_which_errors_are_counted(
    said: str, heard: str, right: list[bool | None]
) -> None:
    assert judge(said, heard.split()) == right


def test_calibrated_confidences_have_no_calibration_error() -> None:
    rng = np.random.default_rng(0)
    confidences = rng.uniform(size=20_000)
    found = Reliability.of(confidences, rng.uniform(size=20_000) < confidences)
    assert found is not None
    assert found.calibration_error < 0.02
    assert found.brier == pytest.approx(1 / 6, abs=0.01)
    assert found.mean_confidence == pytest.approx(found.share_right, abs=0.02)
    assert sum(part.number for part in found.bins) == found.number == 20_000


def test_overconfidence_is_an_error() -> None:
    found = Reliability.of([0.9, 0.9, 1.0, 1.0], [True, False, True, False])
    assert found is not None
    assert found.calibration_error == pytest.approx(0.45)
    assert found.brier == pytest.approx((0.01 + 0.81 + 0 + 1) / 4)
    assert len(found.bins) == 1
    assert Reliability.from_dict(json.loads(json.dumps(dataclasses.asdict(found)))) == found


def test_without_words_there_is_nothing_to_tell() -> None:
    assert Reliability.of([], []) is None
