import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from hearing import cli
from hearing.bench import frontend
from hearing.bench.frontend import ALL_ON, Plan, Results, run_bench, variants
from hearing.bench.journal import Journal, Measurement
from hearing.bench.listening import Heard, Stretch, listen
from hearing.bench.page import COLUMNS, page_lines, row, write_page
from hearing.bench.scenes import Truth, read_truth
from hearing.bench.score import FrontEndScore, score, stretches, word_errors
from hearing.bench.signals import aligned, si_sdr
from hearing.errors import InputError
from hearing.front_end import FrontEndConfig
from hearing.recording import open_recording
from hearing.types import SAMPLE_RATE, Float32Array

TICKS = 40
SECONDS = TICKS / 10
NAN = np.nan


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.fixture
def truth(rng: np.random.Generator) -> Truth:
    """Anna talks for two seconds in front, then Ben for two on the left."""
    voices = {name: rng.standard_normal(TICKS * 1600).astype(np.float32) for name in ("anna", "ben")}
    voices["anna"][TICKS * 800 :] = 0
    voices["ben"][: TICKS * 800] = 0
    noise = rng.standard_normal(TICKS * 1600).astype(np.float32)
    talks = np.zeros((TICKS, 2), bool)
    talks[:20, 0] = talks[20:, 1] = True
    return Truth(
        ("anna", "ben"),
        np.tile([0.0, 90.0], (TICKS, 1)),
        talks,
        [segment("anna", "hello robot", 0.0, 2.0), segment("ben", "stop the press", 2.0, 4.0)],
        voices,
        voices["anna"] + voices["ben"] + noise,
    )


def segment(speaker: str, words: str, start: float, end: float) -> dict[str, object]:
    return {"session_id": "s", "speaker": speaker, "words": words, "start_time": start, "end_time": end}


def heard(*tracks: list[float], talking: float = 1.0, signals: list[Float32Array] | None = None) -> Heard:
    """Make what is heard of azimuths in degrees, a list per track."""
    azimuth = np.array(tracks, np.float64).reshape(-1, TICKS).T
    silence = np.zeros((len(tracks), TICKS * 1600), np.float32)
    present = np.where(np.isnan(azimuth), 0.0, talking)
    return Heard(azimuth, present, np.array(signals) if signals else silence, (), SECONDS, 1.0, {"localize": 0.5})


def test_whom_a_track_is_near_is_found(truth: Truth) -> None:
    result = score(truth, heard([5.0] * TICKS), None, 0)
    assert result.talker_frames == TICKS
    assert result.found == 0.5
    assert result.direction_error(50) == 5.0
    assert result.false_share == 0.0
    assert result.purity == 1.0


def test_azimuths_are_compared_around_the_circle(truth: Truth) -> None:
    around = dataclasses.replace(truth, azimuth_deg=np.tile([178.0, 90.0], (TICKS, 1)))
    assert score(around, heard([-178.0] * TICKS), None, 0).direction_error(90) == 4.0


def test_tracks_where_nobody_is_are_false_unless_they_are_silent(truth: Truth) -> None:
    tracks = [0.0] * 20 + [NAN] * 20, [-120.0] * TICKS
    result = score(truth, heard(*tracks), None, 0)
    assert (result.track_frames, result.false_frames) == (60, 40)
    assert result.false_per_minute == pytest.approx(60.0)
    assert result.purity == pytest.approx(20 / 60)
    assert score(truth, heard(*tracks, talking=0.4), None, 0).track_frames == 0


def test_a_track_that_goes_from_one_talker_to_another_is_not_pure(truth: Truth) -> None:
    result = score(truth, heard([0.0] * 30 + [90.0] * 10), None, 0)
    assert result.purity == 0.75
    assert result.found == 0.75
    assert (result.tracks, result.talkers) == (1, 1)


def test_of_two_near_talkers_a_frame_belongs_to_the_one_who_talks(truth: Truth) -> None:
    near = dataclasses.replace(truth, azimuth_deg=np.tile([0.0, 15.0], (TICKS, 1)))
    result = score(near, heard([10.0] * 20 + [NAN] * 20), None, 0)  # nearer to Ben, who is silent
    assert result.purity == 1.0
    assert result.direction_error(50) == 10.0


def test_tracks_per_talker_count_lost_identities(truth: Truth) -> None:
    broken = heard([0.0] * 10 + [NAN] * 30, [NAN] * 10 + [1.0] * 10 + [NAN] * 20, [NAN] * 20 + [90.0] * 20)
    assert score(truth, broken, None, 0).tracks_per_talker == 1.5


def test_where_nobody_is_everything_is_false() -> None:
    nobody = Truth((), np.zeros((0, 0)), np.zeros((0, 0), bool), [], {}, np.zeros(TICKS * 1600, np.float32))
    result = score(nobody, heard([30.0] * TICKS), lambda _: "boo", 0)
    assert (result.false_share, result.found, result.word_error_rate) == (1.0, None, None)


def test_nothing_heard_is_nothing_found(truth: Truth) -> None:
    result = score(truth, heard(), lambda _: "boo", 5)
    assert (result.found, result.purity, result.si_sdr) == (0.0, None, ())
    assert (result.segments, result.words, result.word_errors) == (2, 5, 5)


def test_si_sdr_is_that_of_the_nearest_track_over_the_microphone(truth: Truth, rng: np.random.Generator) -> None:
    clean = truth.images["anna"] + 0.1 * rng.standard_normal(TICKS * 1600).astype(np.float32)
    result = score(truth, heard([0.0] * TICKS, [12.0] * TICKS, signals=[clean, truth.microphone]), None, 0)
    assert result.si_sdr == pytest.approx((20.0,), abs=0.3)  # Ben is not found
    assert result.si_sdr_gain == pytest.approx((20.0,), abs=0.3)


def test_si_sdr_ignores_the_scale(rng: np.random.Generator) -> None:
    voice, noise = rng.standard_normal((2, 4000))
    assert si_sdr(voice, 3 * (voice + 0.1 * noise)) == pytest.approx(20.0, abs=0.3)


def test_alignment_finds_parts_of_a_sample(rng: np.random.Generator) -> None:
    fine = resample_poly(rng.standard_normal(4000), 16, 1)  # at eight times the rate
    early, late = fine[84::8].astype(np.float32), fine[:-84:8].astype(np.float32)  # ten and a half samples apart
    n = min(len(early), len(late))
    before, after = si_sdr(early[:n], late[:n]), si_sdr(early[:n], aligned(early[:n], late[:n]))
    assert before < 0
    assert after > 20


def test_words_are_counted_in_the_tracks_of_their_talkers(truth: Truth) -> None:
    signals = [np.full(TICKS * 1600, level, np.float32) for level in (1, 2)]
    result = score(
        truth,
        heard([0.0] * TICKS, [90.0] * TICKS, signals=signals),
        lambda samples: {1: "hello robot", 2: "stop"}[int(samples[0])],
        4,
    )
    assert (result.words, result.word_errors) == (5, 2)
    assert result.error_gain == 0.5
    assert word_errors(truth, [None, None], lambda _: "") == 5


def test_the_second_pass_takes_the_place_of_the_first(truth: Truth) -> None:
    first = heard([0.0] * TICKS, signals=[truth.microphone])
    again = dataclasses.replace(first, again=({0: truth.images["anna"][:32000]}, {}))
    assert score(truth, again, None, 0).si_sdr[0] > score(truth, first, None, 0).si_sdr[0] + 20


def test_what_is_heard_again_is_the_true_segments(truth: Truth) -> None:
    assert stretches(truth) == [Stretch(0, 32000, 0.0), Stretch(32000, 64000, 90.0)]


def test_scores_add_up_and_survive_json() -> None:
    one = FrontEndScore(4, (1.0, 2.0), 3, words=5, audio_seconds=2.0, cpu_seconds=1.0, stage_seconds={"echo": 1.0})
    two = one + FrontEndScore(2, (5.0,), 1, stage_seconds={"echo": 0.5, "track": 2.0})
    assert FrontEndScore.zero() + one == one
    assert (two.talker_frames, two.direction_errors, two.track_frames) == (6, (1.0, 2.0, 5.0), 4)
    assert two.stage_seconds == {"echo": 1.5, "track": 2.0}
    assert FrontEndScore.from_dict(json.loads(json.dumps(dataclasses.asdict(two)))) == two


def test_every_switch_is_a_variant() -> None:
    complete = FrontEndConfig()
    switches = [name for name in complete.__slots__ if isinstance(getattr(complete, name), bool)]
    assert len(variants()) == len(switches) + 1
    assert not variants()["without speech mask"].speech_mask
    assert variants()["without speech mask"].noise_map


def test_journal_goes_on_after_a_line_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path).add(Measurement("a", ALL_ON, "n", False, FrontEndScore(1)))
    path.write_text(path.read_text() + '{"scene": "b", "vari', encoding="utf-8")
    journal = Journal(path)
    journal.add(Measurement("a", ALL_ON, "n", True, FrontEndScore(2)))
    journal.add(Measurement("c", ALL_ON, "n", False, FrontEndScore(3)))
    again = Journal(path)
    assert [again.get(scene, ALL_ON) is not None for scene in "abc"] == [True, False, True]
    assert again.holds("a", ALL_ON, True)
    assert not again.holds("c", ALL_ON, True)


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"scene": 1}\n', encoding="utf-8")
    with pytest.raises(InputError, match="line 1: no measurement"):
        Journal(path)


@dataclasses.dataclass(frozen=True)
class FakeScene:
    name: str


@dataclasses.dataclass(eq=False)
class FakeBench:
    """Measures the number of stages that are on; what is played never matters."""

    name: str
    measured: list[str]

    def measure(self, config: FrontEndConfig) -> FrontEndScore:
        self.measured.append(self.name)
        return FrontEndScore(
            talker_frames=sum(value is True for value in map(config.__getattribute__, config.__slots__))
        )

    def cannot_matter(self, config: FrontEndConfig) -> bool:
        return not config.echo_cancellation


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two scenes that take no time; gives the names of those that are measured."""
    names: list[str] = []
    monkeypatch.setattr(frontend, "choose_scenes", lambda *_: [("busy", FakeScene("b1")), ("busy", FakeScene("b2"))])
    monkeypatch.setattr(frontend._SceneBench, "prepare", lambda scene, *_: FakeBench(scene.name, names))
    return names


def test_what_was_measured_is_not_measured_again_unless_asked(measured: list[str], tmp_path: Path) -> None:
    plan = Plan(recognizer=False)
    notes: list[tuple[str, int, int]] = []

    def stop(what: str, done: int, total: int) -> None:
        notes.append((what, done, total))
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_bench(plan, tmp_path, False, stop)
    count = 2 * len(variants())
    assert notes[0] == ("b1 all on", 0, count)
    first = run_bench(plan, tmp_path, False, lambda *_: None)
    assert len(measured) == count - 2  # without echo cancellation both scenes take what was measured with it
    second = run_bench(plan, tmp_path, False, lambda *_: None)
    assert len(measured) == count - 2
    assert first == second
    assert first.total("without echo cancellation") == first.total(ALL_ON)
    run_bench(plan, tmp_path, True, lambda *_: None)
    assert len(measured) == 2 * (count - 2)


@pytest.fixture
def results() -> Results:
    good = FrontEndScore(10, (1.0, 3.0), 8, 2, 6, 3, 2, 4, (5.0, 7.0), (1.0, 2.0), 20, 5, 10, 60.0, 15.0, {"echo": 2.0})
    scores = {"b1": good, "n1": FrontEndScore(audio_seconds=30.0, track_frames=5, false_frames=5)}
    return Results(Plan(), {"busy": ["b1"], "noise_only": ["n1"]}, {ALL_ON: scores, "without echo": scores}, ("abc",))


def test_a_score_is_a_row(results: Results) -> None:
    cells = dict(zip(COLUMNS, row(results.total(ALL_ON, "busy")), strict=True))
    assert cells == {
        "direction median / p90": "2.0 / 2.8", "found": "20.0", "false": "25.0", "false s/min": "0.2", "purity": "75.0",
        "tracks per talker": "1.50", "SI-SDR": "6.0", "gain": "+1.5", "word errors": "25.0", "one microphone": "50.0",
        "fewer errors": "50.0", "real-time factor": "0.25",
    }  # fmt: skip
    assert row(FrontEndScore.zero()).count("-") == len(COLUMNS) - 1


def test_the_page_has_a_row_for_every_variant_kind_and_stage(results: Results) -> None:
    lines = list(page_lines(results))
    for name in (ALL_ON, "without echo", "busy", "noise_only", "echo"):
        assert any(line.startswith(f"| {name} |") for line in lines)
    assert "- busy: `b1`" in lines
    assert not any("--again" in line for line in lines)
    mixed = dataclasses.replace(results, versions=("abc", "def"))
    assert any("--again" in line for line in page_lines(mixed))


def test_the_page_comes_with_its_picture(results: Results, tmp_path: Path) -> None:
    page = write_page(results, tmp_path / "docs")
    assert page.read_text(encoding="utf-8").startswith("# What")
    assert page.with_suffix(".png").stat().st_size > 1000
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="--page"):
        write_page(results, tmp_path / "file")


def test_a_front_end_is_heard_in_the_steps_of_the_pipeline(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = scene_folder(tmp_path, rng, seconds=0.5)
    result = listen(open_recording(folder / "recording"), FrontEndConfig(), [Stretch(0, 2000, 0.0)], 0.3)
    assert result.audio_seconds == pytest.approx(0.256)  # whole steps of 64 ms
    assert len(result.azimuth_deg) == 3
    assert result.cpu_seconds > 0
    assert "localize" in result.stage_seconds
    assert len(result.again) == 1


def test_the_truth_about_the_first_seconds_ends_with_them(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = scene_folder(tmp_path, rng, seconds=0.5)
    whole, part = read_truth(folder), read_truth(folder, 0.3)
    assert whole.names == part.names == ("anna", "ben")
    assert (whole.azimuth_deg.shape, part.azimuth_deg.shape) == ((5, 2), (3, 2))
    assert whole.azimuth_deg[0].tolist() == [10.0, 20.0]
    assert (len(whole.segments), len(part.segments)) == (1, 0)
    assert len(part.microphone) == len(part.images["ben"]) == 0.3 * SAMPLE_RATE


def scene_folder(folder: Path, rng: np.random.Generator, seconds: float) -> Path:
    """Write what `rendered` leaves behind."""
    import soundfile

    from hearing.arrays import load_array

    n = round(seconds * SAMPLE_RATE)
    reference = folder / "recording" / "reference"
    reference.mkdir(parents=True)
    soundfile.write(folder / "recording" / "audio.wav", 0.01 * rng.standard_normal((n, 4)), SAMPLE_RATE)
    array = {"name": "four", "microphones": load_array("respeaker_4mic").positions.tolist()}
    (folder / "recording" / "array.yaml").write_text(json.dumps(array), encoding="utf-8")
    (reference / "segments.json").write_text(json.dumps([segment("anna", "hi", 0.1, 0.4)]), encoding="utf-8")
    lines = [
        {"time": tick / 10, "source": name, "kind": kind, "azimuth_deg": azimuth, "active": True}
        for tick in range(round(10 * seconds))
        for name, kind, azimuth in (("anna", "talker", 10.0), ("ben", "talker", 20.0), ("fan", "noise", 0.0))
    ]
    (reference / "sources.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    np.savez(folder / "images.npz", anna=np.zeros(n, np.float32), ben=np.zeros(n, np.float32))
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scenes", "0"], "give 1 or more"),
        (["--kinds", "quiet,nonsense"], "'nonsense' is unknown"),
        (["--kinds", "quiet", "--split", "nonsense"], "'nonsense' is unknown"),
        (["--kinds", "quiet", "--out", "{file}"], "is a file"),
        (["--kinds", "quiet", "--page", "{file}"], "is a file"),
    ],
)
def test_rubbish_is_one_line_and_status_2(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    out = ["--out", str(tmp_path / "out")] if "--out" not in arguments else []
    status = cli.main(["bench", "frontend", *out, *(a.format(file=tmp_path / "file") for a in arguments)])
    error = capsys.readouterr().err
    assert status == 2
    assert error.count("\n") == 1
    assert message in error
