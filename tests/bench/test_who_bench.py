import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hearing import cli
from hearing.arrays import load_array
from hearing.attribution import AttributionConfig
from hearing.bench import who
from hearing.bench.who import ALL_CUES, NO_CAMERA, Plan, Results, run_bench, variants
from hearing.bench.who_listening import Seen, hear, look
from hearing.bench.who_page import COLUMNS, page_lines, row, write_page
from hearing.bench.who_score import WINDOWS, WhoScore, interval, score
from hearing.errors import InputError
from hearing.evaluation.diarization import DiarizationErrorRate
from hearing.evaluation.faces import ActiveSpeaker, FaceErrorRate
from hearing.evaluation.people import PersonCount
from hearing.evaluation.words import AttributionErrorRate
from hearing.recording import open_recording
from hearing.types import SAMPLE_RATE


def score_of(missed: float = 2.0, video: bool = True) -> WhoScore:
    speaking = {window: ActiveSpeaker((0.9, 0.4, 0.5, 0.1), (True, True, False, False)) for window in WINDOWS}
    return WhoScore(
        DiarizationErrorRate(missed, 1.0, 1.0, 20.0),
        AttributionErrorRate(1, 20),
        PersonCount(3, 4, 1),
        2,
        FaceErrorRate(1, 2, 20) if video else FaceErrorRate.zero(),
        speaking=speaking if video else {},
        faces_followed=90 if video else 0,
        faces_seen=100 if video else 0,
        audio_seconds=30.0,
        compute_seconds=6.0,
        video_seconds=30.0 if video else 0.0,
        vision_seconds=12.0 if video else 0.0,
    )


def test_every_cue_is_off_once() -> None:
    off = ("direction", "voice", "lips", "continuity")
    assert list(variants()) == [ALL_CUES, *(f"without {name}" for name in off), NO_CAMERA]
    for name in off:
        assert variants()[f"without {name}"] == dataclasses.replace(AttributionConfig(), **{name: False})


def test_scores_add_up_and_come_back_from_json() -> None:
    total = score_of() + score_of(4.0, video=False)
    assert total.diarization.error_rate == pytest.approx(10 / 40)
    assert total.auc("1") == 0.75
    assert total.vision_cost == pytest.approx(0.4)
    assert WhoScore.zero() + total == total
    assert WhoScore.from_dict(json.loads(json.dumps(dataclasses.asdict(total)))) == total


def test_an_interval_holds_the_figure_and_needs_three_scenes() -> None:
    def missed(score: WhoScore) -> float:
        return score.diarization.missed / score.diarization.length

    scenes = [score_of(float(number)) for number in range(8)]
    between = interval(scenes, missed)
    assert between is not None
    assert between[0] < 3.5 / 20 < between[1]
    assert interval(scenes[:2], missed) is None
    assert interval([score_of(video=False)] * 3, lambda score: score.auc("1")) is None


@dataclasses.dataclass(frozen=True)
class FakeScene:
    name: str


@dataclasses.dataclass(eq=False)
class FakeBench:
    """Measures nothing and notes what it was asked for."""

    name: str
    seen: object
    measured: list[str]

    def measure(self, names: list[str]) -> dict[str, WhoScore]:
        self.measured += [f"{self.name} {name}" for name in names]
        return {name: score_of(video=self.seen is not None) for name in names}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A scene without a video and one with it, which take no time; gives what is measured."""
    asked: list[str] = []
    scenes = [("audio_only", FakeScene("a")), ("audio_visual", FakeScene("v"))]
    monkeypatch.setattr(who, "choose_scenes", lambda *_: scenes)
    monkeypatch.setattr(
        who._SceneBench, "prepare", lambda scene, *_: FakeBench(scene.name, scene.name == "v" or None, asked)
    )
    return asked


def test_what_was_measured_is_not_measured_again_unless_asked(measured: list[str], tmp_path: Path) -> None:
    first = run_bench(Plan(), tmp_path, False, lambda *_: None)
    assert len(measured) == 2 * len(variants())
    assert run_bench(Plan(), tmp_path, False, lambda *_: None) == first
    assert len(measured) == 2 * len(variants())
    run_bench(Plan(), tmp_path, True, lambda *_: None)
    assert len(measured) == 4 * len(variants())


@pytest.fixture
def results() -> Results:
    scenes = {"audio_only": ["a1", "a2", "a3"], "audio_visual": ["v1", "v2", "v3"]}
    scores = {name: score_of(video=name[0] == "v") for names in scenes.values() for name in names}
    blind = dict.fromkeys(scores, score_of(video=False))
    return Results(Plan(), scenes, dict.fromkeys(variants(), scores) | {NO_CAMERA: blind}, ("abc",))


def test_variants_that_were_not_measured_with_all_scenes_are_left_out(results: Results) -> None:
    assert results.variants("audio_only") == [name for name in variants() if name not in ("without lips", NO_CAMERA)]
    assert results.variants("audio_visual") == list(variants())
    results.scores["without voice"] = {"a1": score_of(), "v1": score_of()}
    assert "without voice" not in results.variants("audio_only") + results.variants("audio_visual")
    assert not any(line.startswith("| without voice |") for line in page_lines(results))


def test_only_some_variants_are_measured_if_only_these_are_wanted(measured: list[str], tmp_path: Path) -> None:
    run_bench(Plan(variants=("without voice",)), tmp_path, False, lambda *_: None)
    assert measured == [f"{scene} {variant}" for scene in "av" for variant in (ALL_CUES, "without voice")]
    with pytest.raises(InputError, match="'nonsense' is unknown"):
        run_bench(Plan(variants=("nonsense",)), tmp_path, False, lambda *_: None)


def test_scenes_are_a_row() -> None:
    cells = dict(zip(COLUMNS, row([score_of(), score_of()]), strict=True))
    assert cells == {
        "DER": "20.0", "missed": "10.0", "false": "5.0", "confused": "5.0", "wrong speaker": "5.0",
        "people wrong": "1.0", "switches": "2.0", "wrong face": "5.0", "no face": "10.0", "real-time factor": "0.20",
    }  # fmt: skip
    assert "(20.0-20.0)" in row([score_of()] * 3)[0]


def test_the_page_has_a_row_for_every_variant_and_scene(results: Results) -> None:
    lines = list(page_lines(results))
    for name in variants():
        tables = 4 if name not in ("without lips", NO_CAMERA) else 3 if name == "without lips" else 1
        assert sum(line.startswith(f"| {name} |") for line in lines) == tables
    assert any(line.startswith("| `v3` |") for line in lines)
    assert any("90.0 % are followed" in line for line in lines)
    assert not any("--again" in line for line in lines)
    mixed = dataclasses.replace(results, versions=("abc", "def"))
    assert any("--again" in line for line in page_lines(mixed))


def test_without_a_video_nothing_is_said_about_faces(results: Results) -> None:
    alone = dataclasses.replace(results, scenes={"audio_only": results.scenes["audio_only"]})
    assert not any("Which faces" in line for line in page_lines(alone))


def test_the_page_comes_with_its_picture(results: Results, tmp_path: Path) -> None:
    page = write_page(results, tmp_path / "docs")
    assert page.read_text(encoding="utf-8").startswith("# Who speaks")
    assert page.with_suffix(".png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scenes", "0"], "give 1 or more"),
        (["--kinds", "audio_only,nonsense"], "'nonsense' is unknown"),
        (["--kinds", "audio_only", "--split", "nonsense"], "'nonsense' is unknown"),
        (["--out", "{file}"], "is a file"),
        (["--page", "{file}"], "is a file"),
    ],
)
def test_rubbish_is_one_line_and_status_2(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    out = ["--out", str(tmp_path / "out")] if "--out" not in arguments else []
    status = cli.main(["bench", "who", *out, *(a.format(file=tmp_path / "file") for a in arguments)])
    error = capsys.readouterr().err
    assert status == 2
    assert error.count("\n") == 1
    assert message in error


def test_a_journal_of_something_else_is_refused(tmp_path: Path, measured: list[str]) -> None:
    (tmp_path / "measurements.jsonl").write_text('{"a": 1}\n', encoding="utf-8")
    with pytest.raises(InputError, match="line 1: no measurement"):
        run_bench(Plan(), tmp_path, False, lambda *_: None)


@pytest.mark.parametrize("video", [False, True])
def test_variants_that_hear_the_same_are_heard_together(
    video: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[bool, list[str]]] = []

    def listen(_: object, seen: object, ways: dict[Path, AttributionConfig]) -> None:
        heard.append((seen is not None, [folder.name for folder in ways]))

    monkeypatch.setattr(who, "hear", listen)
    monkeypatch.setattr(who, "score", lambda *_: score_of(video=video))
    seen = Seen((), 30.0, 12.0) if video else None
    bench = who._SceneBench("v", tmp_path, None, seen)  # type: ignore[arg-type]
    assert list(bench.measure(list(variants()))) == list(variants())
    off = ["without_direction", "without_voice", "without_continuity"]
    if video:
        assert heard == [(True, ["all_cues", *off[:2], "without_lips", off[2]]), (False, ["without_camera"])]
    else:
        assert heard == [(False, ["all_cues", *off])]
    heard.clear()
    assert list(bench.measure(["without voice"])) == ["without voice"]
    assert heard == [(video, ["all_cues", "without_voice"])]


def test_a_recording_without_a_camera_is_heard_and_scored(tmp_path: Path) -> None:
    reference = tmp_path / "recording" / "reference"
    reference.mkdir(parents=True)
    noise = 0.001 * np.random.default_rng(0).standard_normal((SAMPLE_RATE, 4))
    soundfile.write(tmp_path / "recording" / "audio.wav", noise, SAMPLE_RATE)
    array = {"name": "four", "microphones": load_array("respeaker_4mic").positions.tolist()}
    (tmp_path / "recording" / "array.yaml").write_text(json.dumps(array), encoding="utf-8")
    said = {"session_id": "s", "speaker": "anna", "words": "hello", "start_time": 0.2, "end_time": 0.7}
    (reference / "segments.json").write_text(json.dumps([said]), encoding="utf-8")
    recording = open_recording(tmp_path / "recording", seeing=True)
    assert look(recording) is None
    ways = {tmp_path / "heard": AttributionConfig(voice=False), tmp_path / "other": AttributionConfig(direction=False)}
    hear(recording, None, ways)
    assert (tmp_path / "heard" / "tracks.jsonl").read_bytes() == (tmp_path / "other" / "tracks.jsonl").read_bytes()
    total = score(tmp_path / "recording", tmp_path / "heard", 0.0, 0.0)
    assert total.diarization == DiarizationErrorRate(pytest.approx(0.5), 0.0, 0.0, pytest.approx(0.5))
    assert total.people == PersonCount(1, 0, 1)
    assert total.audio_seconds == 1.0
    assert total.compute_seconds > 0
    assert total.vision_cost is None
