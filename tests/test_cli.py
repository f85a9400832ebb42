from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import soundfile as sf
from meeteval.io import SegLST

from hearing import cli
from hearing.arrays import MicrophoneArray
from hearing.pipeline import Pipeline, PipelineConfig
from hearing.recognition.engines import DEFAULT_ENGINE
from hearing.types import (
    SAMPLE_RATE,
    AudioBlock,
    CueConfidence,
    Direction,
    HearingOutput,
    Track,
    Utterance,
    Word,
)

SCENE = """
name: two_turns
duration: 9.0
seed: 1
room: {size: [6.0, 5.0, 2.8], rt60: 0.3}
array: {geometry: respeaker_6mic, position: [2.8, 2.4, 1.2]}
snr_db: 25.0
talkers:
  - {name: anna, voice: [vctk-p225, two-cities], position: [3.9, 3.1, 1.6]}
  - {name: carla, voice: [arctic-axb, nagg], position: [1.9, 1.4, 1.5]}
turns:
  - {talker: anna, gap: 0.5}
  - {talker: carla, gap: 0.7}
machines:
  - {name: air_conditioning, kind: fan, position: [5.6, 0.5, 2.5]}
"""
OUTPUTS = {"segments.json", "words.jsonl", "tracks.jsonl", "timing.json"}


class FakePipeline:
    """Says at the end that somebody on the left has said hello for as long as the recording lasts."""

    latency = 0.5

    made: ClassVar[list[FakePipeline]] = []

    def __init__(self, array: MicrophoneArray, config: PipelineConfig, people: object = None) -> None:
        self.made.append(self)
        self.array = array
        self.config = config
        self.phrases: Sequence[str] = ("never set",)
        self.compute_seconds = {"localize": 0.001}
        self.faults = ()
        self.now = 0.0

    def bias(self, phrases: Sequence[str]) -> None:
        self.phrases = phrases

    def process(self, block: AudioBlock, playback: object, motion: object, sights: object) -> HearingOutput:
        assert block.samples.shape[1] == self.array.n_microphones
        assert block.start_time == pytest.approx(self.now)
        self.now = block.end_time
        return HearingOutput((Track(1, self.now, Direction(math.pi / 2), 1.0),))

    def flush(self) -> HearingOutput:
        word = Word("hello", 0.0, self.now, 0.9, self.now, self.now)
        confidence = CueConfidence(recognition=0.9)
        return HearingOutput(
            (),
            (Utterance("u1", 0, True, "talker_1", 1, (word,), 0.0, self.now, Direction(math.pi / 2), confidence, 0.5),),
        )


@pytest.fixture
def fake_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pipeline, "create", FakePipeline)


@pytest.fixture
def audio(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str = "a.wav", seconds: float = 1.0, channels: int = 4, rate: int = SAMPLE_RATE) -> Path:
        samples = np.random.default_rng(0).normal(0, 0.01, (round(seconds * rate), channels))
        sf.write(tmp_path / name, samples, rate)
        return tmp_path / name

    return write


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must be refused with one line on stderr, and return the line."""
    assert cli.main([str(argument) for argument in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("\n")
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.usefixtures("fake_pipeline")
def test_transcribe_writes_all_outputs_and_says_who_said_what(
    audio: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cli.main(["transcribe", str(audio()), "--array", "respeaker_4mic", "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == OUTPUTS
    segments = SegLST(json.loads((out / "segments.json").read_text()))
    assert segments.T["words"] == ["hello"]
    assert segments.T["session_id"] == ["a"]
    timing = json.loads((out / "timing.json").read_text())
    assert timing["audio_seconds"] == 1.0
    assert timing["compute_seconds"] == {"localize": 0.001}
    assert capsys.readouterr().out.split() == ["00:00.0", "talker_1", "+90°", "hello"]


@pytest.mark.usefixtures("fake_pipeline")
@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_transcribe_resamples_with_a_notice(
    audio: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], rate: int
) -> None:
    out = tmp_path / "out"
    assert cli.main(["transcribe", str(audio(rate=rate)), "--array", "respeaker_4mic", "--out", str(out)]) == 0
    assert f"resampled from {rate} Hz" in capsys.readouterr().err
    segment = json.loads((out / "segments.json").read_text())[0]
    assert segment["end_time"] == pytest.approx(1.0, abs=2e-4)


@pytest.mark.usefixtures("fake_pipeline")
def test_transcribe_reads_a_recording_folder(audio: Callable[..., Path], tmp_path: Path) -> None:
    folder = tmp_path / "meeting"
    folder.mkdir()
    audio("meeting/audio.wav", channels=2)
    (folder / "array.yaml").write_text("name: pair\nmicrophones: [[0, 0.1, 0], [0, -0.1, 0]]\n")
    assert cli.main(["transcribe", str(folder), "--out", str(tmp_path / "out")]) == 0
    assert json.loads((tmp_path / "out" / "segments.json").read_text())[0]["session_id"] == "meeting"


@pytest.mark.usefixtures("fake_pipeline")
def test_transcribe_takes_an_engine_and_phrases(audio: Callable[..., Path], tmp_path: Path) -> None:
    phrases = tmp_path / "phrases.txt"
    phrases.write_text("torque wrench\n")
    arguments = ["transcribe", str(audio()), "--array", "respeaker_4mic", "--out", str(tmp_path / "out")]
    choices = ["--engine", "vosk", "--engine-folder", str(tmp_path), "--phrases", str(phrases)]
    assert cli.main(arguments) == 0
    assert cli.main(arguments + choices) == 0
    *_, plain, chosen = FakePipeline.made
    assert (plain.config.engine, plain.config.engine_folder, plain.phrases) == (DEFAULT_ENGINE, None, ())
    assert (chosen.config.engine, chosen.config.engine_folder) == ("vosk", tmp_path)
    assert chosen.phrases == ("torque wrench",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--engine", "kaldi"], "engine 'kaldi' is unknown; known are: hearing, "),
        (["--engine", "vosk"], "engine vosk: no package carries its model; give the folder"),
        (["--engine", "moonshine", "--phrases", "lathe"], "takes no phrases; leave them out, or choose the engine he"),
        (["--phrases", "---"], "phrases.txt: the phrase '---' has no letters"),
        (["--phrases", ""], "phrases.txt: holds no phrases"),
    ],
)
def test_transcribe_refuses_engines_and_phrases_that_do_not_fit(
    options: list[str], message: str, audio: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--phrases" in options:
        (tmp_path / "phrases.txt").write_text(options[-1])
        options = [*options[:-1], str(tmp_path / "phrases.txt")]
    out = tmp_path / "out"
    assert message in refusal(capsys, "transcribe", audio(), "--array", "respeaker_4mic", "--out", out, *options)
    assert not out.exists()


@pytest.mark.usefixtures("fake_pipeline")
class TestTranscribeRefuses:
    @pytest.fixture(autouse=True)
    def _prepare(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.out, self.capsys = tmp_path / "out", capsys

    def refusal(self, path: Path, *options: str) -> str:
        options = options or ("--array", "respeaker_4mic")
        message = refusal(self.capsys, "transcribe", path, *options, "--out", self.out)
        assert not self.out.exists()
        return message

    def test_missing_file(self, tmp_path: Path) -> None:
        assert "no such file" in self.refusal(tmp_path / "a.wav")

    def test_wrong_channel_count(self, audio: Callable[..., Path]) -> None:
        message = self.refusal(audio(channels=6))
        assert "6 channels" in message
        assert "4 microphones" in message

    def test_unknown_array(self, audio: Callable[..., Path]) -> None:
        assert "respeaker_4mic" in self.refusal(audio(), "--array", "respeaker")

    def test_no_array(self, audio: Callable[..., Path]) -> None:
        assert "--array" in refusal(self.capsys, "transcribe", audio(), "--out", self.out)

    def test_nan(self, tmp_path: Path) -> None:
        sf.write(tmp_path / "a.wav", np.full((100, 4), np.nan, dtype=np.float32), SAMPLE_RATE, subtype="FLOAT")
        assert "nan" in self.refusal(tmp_path / "a.wav")

    def test_empty_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.wav").touch()
        assert "empty" in self.refusal(tmp_path / "a.wav")

    def test_truncated_wav(self, audio: Callable[..., Path]) -> None:
        path = audio()
        path.write_bytes(path.read_bytes()[:-1000])
        assert "cut off" in self.refusal(path)

    def test_out_that_is_a_file(self, audio: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        message = refusal(self.capsys, "transcribe", audio(), "--array", "respeaker_4mic", "--out", tmp_path / "file")
        assert "is a file" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["transcribe"], "Missing argument"),
        (["transcribe", "a.wav", "--nonsense", "--out", "o"], "No such option"),
        (["nonsense"], "No such command"),
        (["arrays", "nonsense"], "unknown array"),
        (["evaluate", "nowhere", "nowhere"], "no such file"),
    ],
)
def test_wrong_usage_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert message in refusal(capsys, *arguments)


def test_without_arguments_it_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    assert "transcribe" in capsys.readouterr().out


def test_python_m_hearing() -> None:
    result = subprocess.run([sys.executable, "-m", "hearing", "arrays", "nonsense"], capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.startswith("hearing: error: unknown array")


def test_arrays_lists_all_geometries(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["arrays"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines][:2] == ["azure_kinect", "head_8mic"]
    assert any(line.startswith("respeaker_6mic") and "6 microphones" in line and "9.3 cm" in line for line in lines)


def test_arrays_draws_one_from_above(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("name: mine\nmicrophones: [[0.1, 0, 0], [0, 0.1, 0], [-0.1, 0, 0], [0, -0.1, 0]]\n")
    assert cli.main(["arrays", str(path)]) == 0
    text = capsys.readouterr().out
    assert "mine: 4 microphones, 20.0 cm across" in text
    assert "-0.1000" in text
    drawing = [line for line in text.split("left:")[1].splitlines() if line.strip()]
    assert [line.split() for line in drawing] == [["1"], ["2", "+", "4"], ["3"]]
    assert drawing[0].index("1") == drawing[1].index("+") == drawing[2].index("3")


def test_arrays_draws_microphones_above_each_other_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pole.yaml"
    path.write_text("name:\nmicrophones: [[0.1, 0, 0], [0.1, 0, 0.3], [0.1, 0, 0.7]]\n")
    assert cli.main(["arrays", str(path)]) == 0
    text = capsys.readouterr().out
    assert "pole: 3 microphones" in text
    assert text.split("left:")[1].split() == ["3"]


def test_evaluate_prints_the_score_and_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    segment = {"session_id": "s", "speaker": "a", "words": "hello there", "start_time": 0, "end_time": 1}
    (tmp_path / "segments.json").write_text(json.dumps([segment]))
    score = tmp_path / "score.json"
    assert cli.main(["evaluate", str(tmp_path / "segments.json"), str(tmp_path), "--json", str(score)]) == 0
    assert "cpWER" in capsys.readouterr().out
    assert json.loads(score.read_text())["cpwer"]["length"] == 2


def test_simulate_transcribe_evaluate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole line on real voices, without the data kit."""
    (tmp_path / "kit").mkdir()
    monkeypatch.setenv("HEARING_DATA", str(tmp_path / "kit"))
    (tmp_path / "scene.yaml").write_text(SCENE)
    recording, out, score = tmp_path / "recording", tmp_path / "out", tmp_path / "score.json"
    assert cli.main(["simulate", str(tmp_path / "scene.yaml"), "--out", str(recording)]) == 0
    assert cli.main(["transcribe", str(recording), "--out", str(out)]) == 0
    assert cli.main(["evaluate", str(recording), str(out), "--json", str(score)]) == 0
    assert {path.name for path in out.iterdir()} == OUTPUTS
    assert "best of times" in capsys.readouterr().out
    result = json.loads(score.read_text())
    assert result["cpwer"]["length"] == 25
    assert result["cpwer"]["errors"] <= 3
    assert result["direction_error_deg"]["median"] <= 5.0
    assert result["direction_error_deg"]["count"] >= 20
    assert result["false_alarm_words"] == 0
    assert 0.0 < result["latency_partial_seconds"]["p50"] <= result["latency_final_seconds"]["p50"]


def test_simulate_draws_a_picture_beside_the_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["simulate", "machines_only", "--out", str(tmp_path / "hall"), "--plot"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"hall", "hall.png"}
    assert "RT60" in capsys.readouterr().err


def test_simulate_makes_a_data_set(tmp_path: Path) -> None:
    rooms = "rooms: {smallest: [4, 4, 2.5], largest: [6, 6, 3], rt60: [0.2, 0.3]}"
    people = "people: {number: [1, 1], collections: {synthesis: 1.0}}"
    (tmp_path / "tiny.yaml").write_text(f"name: tiny\nduration: [1, 1]\n{rooms}\n{people}\n")
    arguments = ["--distribution", str(tmp_path / "tiny.yaml"), "--out", str(tmp_path / "set"), "--workers", "1"]
    assert cli.main(["simulate", "--random", "3", "--shard-size", "2", *arguments]) == 0
    names = {"dataset.json", "shards.jsonl", "shard-000000.tar", "shard-000001.tar"}
    assert {path.name for path in (tmp_path / "set").iterdir()} == names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "either a scene to render, or --random N"),
        (["factory_demo", "--random", "3"], "either a scene to render, or --random N"),
        (["--random", "0"], "at least 1 scene"),
        (["--random", "3", "--split", "all"], "split 'all' is unknown"),
        (["--random", "3", "--plot"], "--plot draws one scene"),
        (["--random", "3", "--engine", "slurm"], "known are: local, ray"),
        (["--random", "3", "--workers", "-1"], "workers is -1"),
        (["--random", "3", "--bag"], "--bag writes one scene"),
        (["factorybench/busy/dev/77"], "has the scenes 0 to 9"),
    ],
)
def test_simulate_refuses_in_one_line_and_writes_nothing(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["simulate", *arguments, "--out", str(tmp_path / "out")]) == cli.BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "out").exists()
