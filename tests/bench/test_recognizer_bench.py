from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hearing_datasets import Word
from hearing_models.recognizer.speech import Speech

from hearing import cli
from hearing.bench import recognizer, recognizer_trials
from hearing.bench.recognizer import OWN, OWN_WHOLE, STOCK, Choice, Plan, Results, parse_engines, run_bench
from hearing.bench.recognizer_confidence import AFTER, BEFORE, reliabilities
from hearing.bench.recognizer_listening import BLOCK, hear, peak_memory
from hearing.bench.recognizer_page import page_lines, write_page
from hearing.bench.recognizer_score import Answer, error_rate, error_ratio
from hearing.bench.recognizer_trials import ACCENTED, NATIVE, NOISES, NUMBERS, READ_CONDITIONS, TIMED, Material
from hearing.errors import InputError
from hearing.recognition.drafting import DraftingEngine
from hearing.recognition.engine import Hypothesis, Recognition, RecognizedWord
from hearing.types import SAMPLE_RATE, Float32Array


def word(text: str, start: float = 0.0, end: float = 0.0) -> RecognizedWord:
    return RecognizedWord(text, start, end, 1.0)


def answer(said: str, heard: str, **more: object) -> Answer:
    return Answer("c", "clean", NATIVE, "e", "v", said, heard, 2.0, **more)


class FakeStream:
    """Hears one of its words in every half second of audio, and all of them in the end."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self.length = self.heard = 0

    @property
    def pending(self) -> float:
        return (self.length - self.heard) / SAMPLE_RATE if self.length >= self.heard + SAMPLE_RATE // 2 else 0.0

    def accept(self, samples: Float32Array) -> None:
        self.length += len(samples)

    def advance(self) -> Hypothesis:
        self.heard += SAMPLE_RATE // 2
        shown = [word(text) for text in self.words[: 2 * self.heard // SAMPLE_RATE]]
        return Hypothesis(tuple(shown[:-1]), tuple(shown[-1:]))

    def finish(self, whole: Float32Array | None = None) -> Recognition:
        return Recognition(tuple(word(text) for text in (*self.words, *(("whole",) if whole is not None else ()))))


class FakeEngine:
    latency = 0.5
    takes_phrases = False

    def __init__(self, *words: str) -> None:
        self.words = words
        self.opened = 0

    def open(self) -> FakeStream:
        self.opened += 1
        return FakeStream(self.words)

    def bias(self, phrases: Sequence[str]) -> None:
        pass


@pytest.fixture
def samples() -> Float32Array:
    return np.zeros(2 * SAMPLE_RATE, np.float32)


def test_a_word_is_late_by_the_audio_after_its_end(samples: Float32Array) -> None:
    words = [Word("stop", 0.1, 0.3), Word("the", 0.4, 0.6), Word("press", 1.9, 2.0)]
    heard = hear(FakeEngine("Stop,", "the", "press"), samples, words, partial=True, whole=False)
    assert heard.text == "Stop, the press"
    assert heard.confidences == (1.0, 1.0, 1.0)
    # Shown in the first blocks that end after 0.5 s and 1 s; the last word is shown before it has begun, which is luck.
    expected = [-(-at * SAMPLE_RATE // BLOCK) * BLOCK / SAMPLE_RATE for at in (0.5, 1.0)]
    assert heard.latencies[:2] == pytest.approx([expected[0] - 0.3, expected[1] - 0.6], abs=0.01)
    assert len(heard.latencies) == 3
    assert heard.latencies[2] == pytest.approx(-0.016, abs=0.08)


def test_a_word_that_is_said_twice_is_not_shown_before_it_has_begun(samples: Float32Array) -> None:
    words = [Word("go", 0.0, 0.2), Word("go", 1.8, 2.0)]
    heard = hear(FakeEngine("go"), samples, words, partial=True, whole=False)
    assert len(heard.latencies) == 1


def test_partial_words_are_only_asked_for_where_they_count(samples: Float32Array) -> None:
    heard = hear(FakeEngine("go"), samples, [Word("go", 0.0, 0.2)], partial=False, whole=True)
    assert heard.latencies == ()
    assert heard.partial_seconds == 0.0
    assert heard.text == "go whole"


def test_error_rates_come_with_an_interval() -> None:
    answers = [answer("go to the press", "go to the press")] * 8 + [answer("go to the press", "go to a dress now")] * 2
    rate = error_rate(answers, "words")
    assert rate is not None
    assert rate.value == pytest.approx(6 / 40)
    assert 0.0 <= rate.low < rate.value < rate.high < 0.5
    assert error_rate([answer("", "you")], "words") is None
    assert error_rate([], "words") is None


def test_casing_digits_and_blanks_between_characters_are_no_errors() -> None:
    assert error_rate([answer("Twenty-one parts!", "21 parts")], "words").value == 0.0
    assert error_rate([answer("W B S A", "WBSA")], "letters").value == 0.0
    assert error_rate([answer("W B S A", "WBSA")], "words").value == 1.0


def test_ratios_are_paired() -> None:
    rng = np.random.default_rng(0)
    said = ["one two three four five six"] * 30
    worse = [answer(text, " ".join(text.split()[: int(rng.integers(1, 6))])) for text in said]
    same = error_ratio(worse, worse)
    assert (same.value, same.low, same.high) == (1.0, 1.0, 1.0)
    perfect = [answer(text, text) for text in said]
    assert error_ratio(perfect, worse).value == 0.0
    assert error_ratio(worse, perfect) is None
    rare = [*worse[:1], *perfect[1:]]
    assert error_ratio(worse, rare).high == np.inf


def test_engines_are_named_with_or_without_a_folder() -> None:
    assert parse_engines("moonshine, vosk=a/small,moonshine") == (Choice("moonshine"), Choice("vosk", Path("a/small")))
    assert parse_engines("") == ()
    assert Choice("vosk", Path("a/small")).label == "vosk small"


def voice(text: str, kind: str) -> Speech:
    rng = np.random.default_rng(len(text))
    return Speech(rng.integers(-9000, 9000, 2 * SAMPLE_RATE, dtype=np.int16), text, text.lower(), "anna", kind)


@pytest.fixture
def material(tmp_path: Path) -> Material:
    """Three places without a room, one of them with two microphones, and a few voices of noise."""
    rng = np.random.default_rng(3)
    paths = []
    for number, n_mics in enumerate((2, 1, 1)):
        paths.append(tmp_path / f"{number}.npz")
        responses = np.zeros((2, n_mics, 600), np.float16)
        responses[:, :, 0] = 1
        noise = rng.standard_normal((n_mics, 8 * SAMPLE_RATE)).astype(np.float16)
        np.savez(paths[-1], responses=responses, noise=noise, rt60=np.float32(0.3))
    voices = {
        NATIVE: [voice("Stop the press.", "speech/read_5_speakers")],
        recognizer_trials.LABELLED: [],
        ACCENTED: [voice("Go home", "speech/read_accented_speakers"), voice("Dock", "speech/read_accented_speakers")],
        NUMBERS: [voice("Line 4", "speech/numbers_names_70_speakers")],
    }
    return Material(voices, paths, 1)


def test_every_condition_hears_the_same_speech_of_the_groups_in_turn(material: Material) -> None:
    cases = list(material.cases(4, 2))
    for condition in READ_CONDITIONS:
        chosen = [case for case in cases if case.condition is condition]
        assert [case.group for case in chosen] == [NATIVE, ACCENTED, ACCENTED, NATIVE]
        assert [case.written for case in chosen] == ["Stop the press.", "Go home", "Dock", "Stop the press."]
    assert {case.condition.name for case in cases if case.group == NUMBERS} == {
        c.name for c in recognizer_trials.OTHER_CONDITIONS[:2]
    }
    assert sum(not case.written for case in cases) == 2 * len(NOISES)
    assert len({case.name for case in cases}) == len(cases)


def test_speech_arrives_at_its_ratio_to_noise(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognizer_trials, "_aligned", lambda dry, spoken: (Word(spoken, 0.0, 1.0),))
    modelled = [case for case in material.cases(1, 1) if case.condition is not NOISES[2]]  # no voice is synthesized
    by_name = {case.name: material.trial(case) for case in modelled}
    clean = by_name["clean/0"].samples
    for snr in (15, 2):
        noise = by_name[f"microphone, {snr} dB/0"].samples - clean
        assert 20 * np.log10(0.03 / np.sqrt(np.mean(noise**2))) == pytest.approx(snr, abs=0.3)
    assert by_name[f"{TIMED}/0"].words == (Word("stop the press.", 0.0, 1.0),)
    assert by_name["clean/0"].words == ()
    assert len(by_name["beam, 2 dB/0"].samples) == len(clean)
    for noise in NOISES[:2]:
        assert len(by_name[f"{noise.name}/0"].samples) == recognizer_trials.STRETCHES[0] * SAMPLE_RATE
        assert by_name[f"{noise.name}/0"].samples.any()
    again = next(case for case in material.cases(1, 1) if case.name == "beam, 2 dB/0")
    assert np.array_equal(material.trial(again).samples, by_name["beam, 2 dB/0"].samples)


@pytest.fixture
def engines(material: Material, monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeEngine]:
    """Engines and trials that take no time."""
    loaded = {OWN: FakeEngine("go", "home"), "moonshine": FakeEngine("dock")}

    def load(name: str, folder: Path | None = None, threads: int = 2) -> FakeEngine:
        if name not in loaded:
            raise InputError(f"engine {name}: not here")
        return loaded[name]

    monkeypatch.setattr(recognizer, "load_engine", load)
    monkeypatch.setattr(recognizer, "load_material", lambda *_: material)
    monkeypatch.setattr(Material, "trial", lambda *_: recognizer_trials.Trial(np.zeros(SAMPLE_RATE, np.float32)))
    monkeypatch.setattr(recognizer, "peak_memory", lambda *_: 250_000_000)
    monkeypatch.setattr(recognizer, "_version", lambda choice: "one")
    return loaded


def test_what_was_measured_is_not_measured_again_unless_it_changed(
    engines: dict[str, FakeEngine], material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(trials=2, stretches=1)
    n_cases = len(list(material.cases(2, 1)))

    def stop(what: str, done: int, total: int) -> None:
        assert total == 3 * n_cases
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_bench(plan, tmp_path, tmp_path, False, stop)
    results = run_bench(plan, tmp_path, tmp_path, False, lambda *_: None)
    assert (engines[OWN].opened, engines["moonshine"].opened) == (2 * n_cases, n_cases)
    assert list(results.answers) == [OWN, OWN_WHOLE, "moonshine"]
    assert results.left_out[STOCK] == f"engine {STOCK}: not here"
    assert results.memory[OWN_WHOLE] == 250_000_000
    assert {one.heard for one in results.answers[OWN_WHOLE]} == {"go home whole"}
    assert run_bench(plan, tmp_path, tmp_path, False, lambda *_: None) == results
    assert engines["moonshine"].opened == n_cases
    run_bench(plan, tmp_path, tmp_path, True, lambda *_: None)
    assert engines["moonshine"].opened == 2 * n_cases
    monkeypatch.setattr(recognizer, "_version", lambda choice: "two" if choice.name == OWN else "one")
    run_bench(plan, tmp_path, tmp_path, False, lambda *_: None)
    assert (engines[OWN].opened, engines["moonshine"].opened) == (6 * n_cases, 2 * n_cases)


def test_an_engine_that_was_asked_for_must_load(engines: dict[str, FakeEngine], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not here"):
        run_bench(Plan((Choice(STOCK),)), tmp_path, tmp_path, False, lambda *_: None)
    engines.clear()
    with pytest.raises(InputError, match="no engine can be loaded"):
        run_bench(Plan(), tmp_path, tmp_path, False, lambda *_: None)


def test_engines_for_finished_audio_draft_only_where_words_are_timed(
    engines: dict[str, FakeEngine], tmp_path: Path
) -> None:
    class Counting:
        heard = 0

        def transcribe(self, samples: Float32Array) -> Recognition:
            self.heard += 1
            return Recognition()

    counting = Counting()
    engines["moonshine"] = DraftingEngine(counting, counting)
    plan = Plan((Choice("moonshine"),), trials=1, stretches=1)
    results = run_bench(plan, tmp_path, tmp_path, False, lambda *_: None)
    assert counting.heard == len(results.answers["moonshine"]) + 1  # one second has one draft


@pytest.fixture
def results(material: Material) -> Results:
    cases = list(material.cases(3, 2))

    def answers(engine: str, heard: str, late: float) -> list[Answer]:
        return [
            Answer(
                case.name, case.condition.name, case.group, engine, "v", case.written, heard, 10.0, 1.0, 0.2,
                (late, late + 0.2) if case.condition.name == TIMED else (), 4, (0.8,) * len(heard.split()),
            )
            for case in cases
        ]  # fmt: skip

    heard = {OWN: answers(OWN, "", 0.4), OWN_WHOLE: answers(OWN_WHOLE, "go home", 0.4), STOCK: answers(STOCK, "a", 2.0)}
    return Results(Plan(trials=3), heard, dict.fromkeys(heard, 250_000_000), {"vosk": "not here"})


def test_the_page_has_all_tables(results: Results) -> None:
    lines = list(page_lines(results))
    rows = [line for line in lines if line.startswith(f"| {OWN_WHOLE} |")]
    # What is to be reached and what chunks cost are tables of the own engine alone.
    assert len(rows) == sum(line.startswith("## ") for line in lines) - 2
    assert "| partial word, median (s) | at most 0.6 | 0.50 | yes |" in lines
    assert "| real-time factor | at most 0.15 | 0.12 | yes |" in lines
    assert "| words in ten minutes of noise | at most 3 | 0 | yes |" in lines
    assert f"| {OWN} | 0.50 / 0.60 | 50 % | 0.20 / 0.20 | 0.12 | 0.02 | 250 | `v` |" in lines
    assert f"| {STOCK} | 2 | 2 | 2 | 6 |" in lines
    assert any(line.startswith(f"| {OWN} | 100.0 (100.0 to 100.0)") for line in lines)
    assert any(line.startswith("| in chunks (%) | 100.0 (100.0 to 100.0)") for line in lines)
    assert any(line.startswith("| ratio | ") and line.count(" to ") == len(READ_CONDITIONS) + 1 for line in lines)
    assert "Left out: vosk (not here)." in lines
    alone = dataclasses.replace(results, answers={"moonshine": results.answers[STOCK]}, memory={"moonshine": 1})
    assert not any("reached" in line or f"over those of `{STOCK}`" in line for line in page_lines(alone))


def test_the_own_engine_may_have_the_weights_of_a_folder(results: Results) -> None:
    assert results.own == OWN
    for label, own in ((f"{OWN} tried", f"{OWN} tried"), (OWN_WHOLE, None)):
        assert dataclasses.replace(results, answers={label: results.answers[OWN]}).own == own


def test_confidences_are_compared_with_what_was_said(results: Results, tmp_path: Path) -> None:
    results = dataclasses.replace(results, answers=results.answers | {OWN: results.answers[OWN_WHOLE]})
    found = reliabilities(results, tmp_path)
    assert list(found) == list(results.answers)
    spoken = [one for one in results.answers[OWN] if one.said]
    right = sum("go home" in one.said.lower() for one in spoken) / len(spoken)
    assert found[OWN].number == 2 * len(spoken)
    assert found[OWN].share_right == pytest.approx(right)
    assert found[OWN].calibration_error == pytest.approx(abs(0.8 - right))
    assert found[STOCK].share_right == 0
    (tmp_path / "calibration.json").write_text(
        json.dumps(dict.fromkeys(("before", "after"), dataclasses.asdict(found[OWN])))
    )
    assert list(reliabilities(results, tmp_path)) == [*results.answers, BEFORE, AFTER]
    assert list(reliabilities(dataclasses.replace(results, answers={STOCK: ()}), tmp_path)) == []
    (tmp_path / "calibration.json").write_text("{}")
    with pytest.raises(InputError, match="fit it anew"):
        reliabilities(results, tmp_path)


def test_the_page_comes_with_its_picture(results: Results, tmp_path: Path) -> None:
    page = write_page(results, tmp_path / "docs")
    assert page.read_text(encoding="utf-8").startswith("# How well")
    assert page.with_suffix(".png").stat().st_size > 1000
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="--page"):
        write_page(results, tmp_path / "file")


def test_memory_is_that_of_a_process_of_its_own(samples: Float32Array) -> None:
    assert 30e6 < peak_memory("moonshine", None, samples) < 500e6
    with pytest.raises(InputError, match=r"nonsense.* cannot be measured .*unknown"):
        peak_memory("nonsense", None, samples)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trials", "0"], "needs 1 or more"),
        (["--seed", "-1"], "0 or more"),
        (["--engines", "moonshine,nonsense"], "'nonsense' is unknown"),
        (["--engines", "vosk"], "give the folder"),
        (["--engines", "moonshine", "--split", "nonsense"], "'nonsense' is unknown"),
        (["--out", "{file}"], "is a file"),
        (["--page", "{file}"], "is a file"),
    ],
)
def test_rubbish_is_one_line_and_status_2(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    out = ["--out", str(tmp_path / "out")] if "--out" not in arguments else []
    status = cli.main(["bench", "recognizer", *out, *(a.format(file=tmp_path / "file") for a in arguments)])
    error = capsys.readouterr().err
    assert status == 2
    assert error.count("\n") == 1
    assert message in error


def test_without_the_data_kit_there_is_nothing_to_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kit").mkdir()
    monkeypatch.setenv("HEARING_DATA", str(tmp_path / "kit"))
    folders = [f"--{name}={tmp_path / name}" for name in ("data", "out")]
    assert cli.main(["bench", "recognizer", "--engines", "moonshine", *folders]) == 2
    assert "set HEARING_DATA" in capsys.readouterr().err
