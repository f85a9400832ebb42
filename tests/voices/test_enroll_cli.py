from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import typer
from hearing_datasets import kit_clips, kit_root, read_clip

from hearing import cli
from hearing.memory import FILE, PeopleStore, load_key
from hearing.types import SAMPLE_RATE


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HEARING_KEY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    sf.write(tmp_path / "noise.wav", np.random.default_rng(0).normal(0, 0.01, 5 * SAMPLE_RATE), SAMPLE_RATE)
    return tmp_path / "noise.wav"


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert cli.main(["enroll", *map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "give a NAME"),
        (("Ada",), "give --voice FILE or --face FILE"),
        (("Ada", "--list"), "--list stands alone"),
        (("Ada", "--forget"), "nobody is enrolled"),
        (("Ada", "--forget", "--seconds", 5), "NAME only"),
        (("Ada", "--seconds", 0.1, "--yes"), "give 1 to 600"),
        (("Ada", "--voice", "missing.wav", "--yes"), "no such file"),
        (("Ada", "--face", "missing.jpg", "--yes"), "no such file"),
        (("Ada", "--camera", 77, "--yes"), "camera 77: cannot be opened"),
        (("Ada", "--seconds", 5, "--about", "english"), "not KEY=VALUE"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[object, ...], reason: str
) -> None:
    assert reason in refusal(capsys, *arguments)
    assert not (tmp_path / "data").exists()


def test_nothing_is_stored_of_somebody_who_does_not_speak(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, noise: Path
) -> None:
    assert "too little" in refusal(capsys, "Ada", "--voice", noise, "--yes")
    assert not (tmp_path / "data").exists()


def test_nobody_is_enrolled_unasked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, noise: Path
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert "add --yes" in refusal(capsys, "Ada", "--voice", noise)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: False)
    assert cli.main(["enroll", "Ada", "--voice", str(noise)]) == 0
    said = capsys.readouterr().err
    assert "no recording" in said
    assert str(tmp_path / "data") in said
    assert "nothing is stored" in said
    assert not (tmp_path / "data").exists()


def test_nobody_is_listed_where_nobody_is_known(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["enroll", "--list"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "nobody is known" in captured.err
    assert not (tmp_path / "data").exists()


@pytest.mark.skipif(kit_root() is None, reason="needs the voices of the data kit")
def test_somebody_is_enrolled_listed_and_forgotten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    clip = kit_clips("speech/read_5_speakers")[0]
    sf.write(tmp_path / "ada.wav", read_clip(clip), SAMPLE_RATE)
    folder = tmp_path / "people"
    chosen = ["--people", str(folder)]
    arguments = ["Ada", "--voice", str(tmp_path / "ada.wav"), "--about", "languages=en", "--yes", *chosen]
    assert cli.main(["enroll", *arguments]) == 0
    assert cli.main(["enroll", "--list", *chosen]) == 0
    assert capsys.readouterr().out == "Ada: voice (1 recordings), languages=en\n"
    store = PeopleStore(folder, load_key(folder))
    ada = store.people["Ada"].voice
    assert store.identify(ada.embedding, ada.quality)["Ada"] > 1.0
    assert b"Ada" not in (folder / FILE).read_bytes()
    assert cli.main(["enroll", "Ada", "--forget", *chosen]) == 0
    assert PeopleStore(folder, load_key(folder)).people == {}
