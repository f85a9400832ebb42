"""The recipe of the addressee model, on few utterances."""

import json

import numpy as np
import pytest
from hearing_models.addressee import recipe
from hearing_models.addressee.conversations import LOOKED_AT, UNSEEN, written_examples
from hearing_models.addressee.dialogues import draw_examples, people
from hearing_models.addressee.recipe import (
    Fit,
    Judgement,
    area_under_curve,
    calibrated_fit,
    judged_by,
    logistic_regression,
    notice,
    run_recipe,
)

from hearing.attribution.addressee import NUMBER, AddresseeModel, own_weights


def own_fit() -> Fit:
    record = json.loads(own_weights().read_text(encoding="utf-8"))
    return Fit(record["bias"], np.array([w for kind in record["weights"].values() for w in kind.values()]))


def test_dialogues_are_the_same_for_the_same_seed():
    assert draw_examples("train", 50, 3) == draw_examples("train", 50, 3)
    assert draw_examples("train", 50, 3) != draw_examples("train", 50, 4)


def test_dialogues_hold_what_a_robot_may_notice():
    examples = draw_examples("train", 3000, 1)
    assert 0.35 < np.mean([example.to_robot for example in examples]) < 0.6
    seen = [example for example in examples if example.cues.facing is not None]
    assert 0.3 < len(seen) / len(examples) < 0.6
    for example in examples:
        cues = example.cues
        assert example.end > example.start
        assert cues.facing is None or 0 <= cues.facing <= 1
        assert all(t is None or t >= 0 for t in (cues.since_addressed, cues.since_robot_spoke, cues.since_other))
        assert (cues.since_other is not None) >= (cues.others > 0)
    facing = [np.mean([e.cues.facing for e in seen if e.to_robot == to_robot]) for to_robot in (False, True)]
    assert facing[1] > facing[0] + 0.3


def test_splits_share_neither_lines_nor_remarks():
    remarks = [f"remark number {number} about nothing" for number in range(50)]
    texts = {
        split: {e.cues.text for e in draw_examples(split, 1500, 1, remarks) if len(e.cues.text.split()) > 5}
        for split in ("train", "calibration", "dev")
    }
    assert not texts["train"] & texts["dev"]
    assert not texts["train"] & texts["calibration"]
    assert not texts["calibration"] & texts["dev"]


def test_some_people_are_strangers():
    known, everybody = set(people(known=True)), set(people(known=False))
    assert known < everybody
    assert 0.7 < len(known) / len(everybody) < 0.9


def test_regression_finds_the_weights_that_made_the_data():
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((20000, 3))
    true = rng.uniform(size=20000) < 1 / (1 + np.exp(-(0.5 + inputs @ [1.0, -2.0, 0.0])))
    bias, weights = logistic_regression(inputs, true)
    assert bias == pytest.approx(0.5, abs=0.1)
    assert weights == pytest.approx([1.0, -2.0, 0.0], abs=0.1)


def test_area_under_the_curve_counts_ties_by_half():
    true = np.array([False, False, True, True])
    assert area_under_curve(np.array([0.1, 0.2, 0.3, 0.4]), true) == 1.0
    assert area_under_curve(np.array([0.1, 0.3, 0.3, 0.4]), true) == 0.875
    assert area_under_curve(np.full(4, 0.5), true) == 0.5


def test_a_fit_knows_more_than_the_name():
    heard = {split: notice(draw_examples(split, 2500, 2)) for split in ("train", "calibration", "dev")}
    fit = calibrated_fit(heard["train"], heard["calibration"])
    found = Judgement.of(fit.probabilities(heard["dev"].cues), heard["dev"].to_robot)
    assert found.auc > 0.88
    assert found.reliability.calibration_error < 0.08
    blind = calibrated_fit(heard["train"], heard["calibration"], ("name", "gaze"))
    assert Judgement.of(blind.probabilities(heard["dev"].cues), heard["dev"].to_robot).auc < found.auc
    assert np.count_nonzero(blind.weights) < NUMBER


def test_the_package_tells_whom_written_conversations_are_said_to():
    fit = own_fit()
    for conversations in (LOOKED_AT, UNSEEN):
        examples = judged_by(fit, written_examples(conversations))
        found = notice(examples)
        judgement = Judgement.of(fit.probabilities(found.cues), found.to_robot)
        assert judgement.auc > 0.9
        assert judgement.wrong < 0.15
        assert judgement.reliability.brier < 0.1


def test_since_when_somebody_is_talked_to_is_judged_not_known():
    fit = own_fit()
    examples = judged_by(fit, written_examples(LOOKED_AT[:1]))
    assert examples[0].cues.since_addressed is None
    assert examples[1].cues.since_addressed == pytest.approx(examples[1].start - examples[0].end)


def test_the_recipe_writes_weights_that_the_model_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "read_examples", lambda _: ["they left early", "it was a fine day", "a dull book"] * 5)
    path = run_recipe(tmp_path, 1, lambda *_: None, {"train": 1500, "calibration": 600, "dev": 600})
    AddresseeModel(weights=path)
    assert (tmp_path / "curves.png").is_file()
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert figures["all"]["auc"] > figures["by name alone"]["auc"]
    assert {"no camera", "without gaze", "written, unseen"} <= set(figures)
