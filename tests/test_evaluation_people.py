import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hearing.attribution import UNKNOWN
from hearing.errors import InputError
from hearing.evaluation import Score, evaluate
from hearing.evaluation.faces import (
    ActiveSpeaker,
    FaceErrorRate,
    FaceOwners,
    active_speaker,
    face_error_rate,
    seen_share,
)
from hearing.evaluation.files import FaceFrames, HeardFace
from hearing.evaluation.people import PersonCount, identity_switches, person_count
from hearing.evaluation.words import RecognizedWord

LEFT, RIGHT = (100.0, 100.0, 80.0, 100.0), (400.0, 100.0, 80.0, 100.0)
FRAMES = range(40)


def shifted(box: tuple[float, ...], pixels: float) -> tuple[float, float, float, float]:
    return (box[0] + pixels, *box[1:])  # type: ignore[return-value]


@pytest.fixture
def truth() -> FaceFrames:
    """Anna to the left speaks in the first half of four seconds, ben to the right in the second."""
    boxes = {frame: {"anna": LEFT, "ben": RIGHT} for frame in FRAMES}
    return FaceFrames(boxes, {frame: {"anna" if frame < 20 else "ben"} for frame in FRAMES})


def followed(truth: FaceFrames, right: float = 0.9, wrong: float = 0.1) -> list[HeardFace]:
    return [
        HeardFace(frame, face_id, shifted(box, 10.0), right if name in truth.speaking[frame] else wrong)
        for frame in FRAMES
        for face_id, name, box in (("face_1", "anna", LEFT), ("face_2", "ben", RIGHT))
    ]


def word(speaker: str, time: float, face_id: str | None = None, heard: str = "talker_1") -> RecognizedWord:
    return RecognizedWord(speaker, time, heard, face_id)


def test_people_are_counted_and_nobody_is_none() -> None:
    true = [{"speaker": "anna"}, {"speaker": "ben"}]
    assert person_count(true, [{"speaker": "1"}, {"speaker": UNKNOWN}]) == PersonCount(2, 1, 1)
    assert person_count([], []) == PersonCount.zero()
    too_many, too_few = person_count(true[:1], [{"speaker": "1"}, {"speaker": "2"}]), person_count(true, [])
    assert (too_many + too_few).error == 3


def test_words_left_open_are_no_switch() -> None:
    names = ["1", UNKNOWN, "1", "2", "2", UNKNOWN, "1"]
    assert identity_switches([word("anna", time, heard=name) for time, name in enumerate(names)]) == 2
    two = [word("anna", 0.0, heard="1"), word("ben", 0.5, heard="2"), word("anna", 1.0, heard="1")]
    assert identity_switches(two) == 0


def test_switches_are_counted_in_order_of_time() -> None:
    heard = [word("anna", time, heard=name) for time, name in ((2.0, "1"), (0.0, "1"), (1.0, "1"), (3.0, "2"))]
    assert identity_switches(heard) == 1


def test_a_face_is_whose_box_it_is_in(truth: FaceFrames) -> None:
    owners = FaceOwners(truth, [*followed(truth), HeardFace(0, "poster", (0.0, 0.0, 40.0, 40.0), 0.0)])
    assert owners.at("face_1", 3) == "anna"
    assert owners.at("face_2", 3) == "ben"
    assert owners.at("face_2", 1000) == "ben"  # as most of the time
    truth.boxes[3].pop("ben")
    assert FaceOwners(truth, followed(truth)).at("face_2", 3) == "ben"  # he has turned away
    assert owners.at("poster", 0) is None
    assert owners.at("never seen", 0) is None


def test_a_face_that_is_turned_away_most_of_the_time_stays_whose_it_is(truth: FaceFrames) -> None:
    for frame in sorted(truth.boxes)[1:]:
        truth.boxes[frame].pop("ben")
    assert FaceOwners(truth, followed(truth)).at("face_2", max(truth.boxes)) == "ben"


def test_of_two_boxes_that_overlap_the_nearer_one_counts() -> None:
    truth = FaceFrames({0: {"anna": LEFT, "ben": shifted(LEFT, 50.0)}}, {})
    assert FaceOwners(truth, [HeardFace(0, "face_1", shifted(LEFT, 40.0), 0.0)]).at("face_1", 0) == "ben"


def test_words_of_the_wrong_face(truth: FaceFrames) -> None:
    words = [
        word("anna", 0.1, "face_1"),
        word("anna", 0.5, "face_2"),
        word("ben", 2.5),
        word("off screen", 3.0, "face_1"),
    ]
    assert face_error_rate(words, truth, followed(truth)) == FaceErrorRate(errors=2, missed=1, length=4)
    assert face_error_rate([word("off screen", 3.0)], truth, followed(truth)) == FaceErrorRate(0, 0, 1)
    assert face_error_rate(words, None, followed(truth)) == FaceErrorRate.zero()


@pytest.mark.parametrize("window", [0.25, 0.5, 1.0, 2.0])
def test_faces_that_are_known_to_speak(truth: FaceFrames, window: float) -> None:
    good = active_speaker(truth, followed(truth), window)
    assert len(good.scores) == len(good.labels) == 2 * 4 / window
    assert sum(good.labels) == len(good.labels) / 2
    assert good.auc == good.average_precision == 1.0
    assert active_speaker(truth, followed(truth, right=0.1, wrong=0.9), window).auc == 0.0
    assert active_speaker(truth, followed(truth, right=0.5, wrong=0.5), window).auc == 0.5


def test_windows_with_less_than_half_of_a_face_do_not_count(truth: FaceFrames) -> None:
    faces = [face for face in followed(truth) if face.frame < 13]
    assert len(active_speaker(truth, faces, 1.0).scores) == 2
    assert seen_share(truth, faces) == (26, 80)


def test_ranks_are_those_of_all_pairs() -> None:
    rng = np.random.default_rng(1)
    scores, labels = rng.integers(0, 8, 60) / 8, rng.random(60) < 0.4
    faces = ActiveSpeaker(tuple(scores.tolist()), tuple(labels.tolist()))
    ahead = scores[labels][:, None] - scores[~labels][None, :]
    assert faces.auc == pytest.approx(((ahead > 0) + 0.5 * (ahead == 0)).mean())
    reached = scores[None, :] >= scores[labels][:, None]
    assert faces.average_precision == pytest.approx(((reached & labels).sum(1) / reached.sum(1)).mean())


def test_of_no_faces_nothing_is_said() -> None:
    assert ActiveSpeaker().auc is None
    assert ActiveSpeaker().average_precision is None
    assert ActiveSpeaker((0.5,), (True,)).auc is None


def write(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Anna says two words, and ben two; ben's are given to anna's face."""
    reference, out = tmp_path / "recording" / "reference", tmp_path / "out"
    reference.mkdir(parents=True)
    out.mkdir()
    said = [("anna", "stop please", 0.0, 1.0), ("ben", "the belt", 2.0, 3.0)]
    segments = [
        {"session_id": "s", "speaker": speaker, "words": words, "start_time": start, "end_time": end}
        for speaker, words, start, end in said
    ]
    (reference / "segments.json").write_text(json.dumps(segments))
    (out / "segments.json").write_text(json.dumps([segment | {"face_id": "face_1"} for segment in segments]))
    write(
        reference / "sources.jsonl",
        [
            {"time": frame / 10, "source": name, "kind": "talker", "azimuth_deg": 0.0, "active": True, "face_box": box}
            for frame in FRAMES
            for name, box in (("anna", LEFT), ("ben", None))
        ],
    )
    write(
        out / "faces.jsonl",
        [{"time": frame / 10, "face_id": "face_1", "box": LEFT, "speaking": 0.5} for frame in FRAMES],
    )
    return tmp_path / "recording", out


def test_the_score_of_faces_and_people_comes_from_the_files(folders: tuple[Path, Path]) -> None:
    score = evaluate(*folders)
    assert score.faces == FaceErrorRate(2, 0, 4)
    assert score.people == PersonCount(2, 2, 0)
    assert score.switches == 0
    twice = (Score.zero() + score + score).to_dict()
    assert twice["wrong_face"] == {"error_rate": 0.5, "errors": 4, "missed": 0, "length": 8}
    assert twice["person_count"] == {"true": 4, "heard": 4, "error": 0}
    assert twice["identity_switches"] == 0


def test_broken_faces_are_refused(folders: tuple[Path, Path]) -> None:
    write(folders[1] / "faces.jsonl", [{"time": 0.0, "face_id": "face_1", "box": [1, 2], "speaking": 0.5}])
    with pytest.raises(InputError, match="box is"):
        evaluate(*folders)
