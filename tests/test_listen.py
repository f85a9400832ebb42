"""`hearing listen`, with a stand-in for PortAudio."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from sound_card import Hum

from hearing.cli import main


@pytest.fixture(autouse=True)
def sound_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", SimpleNamespace(InputStream=Hum, PortAudioError=OSError))


def test_what_is_heard_live_is_written_at_the_end(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["listen", "--array", "respeaker_4mic", "--seconds", "1", "--out", str(out)]) == 0
    assert json.loads((out / "segments.json").read_text()) == []
    assert json.loads((out / "timing.json").read_text())["audio_seconds"] == pytest.approx(1.0, abs=0.1)
    assert not (out / "faces.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--array", "respeaker_4mic", "--camera", "0"], "--camera and --lens go together"),
        (["--array", "respeaker_4mic", "--seconds", "0"], "--seconds is 0"),
        (["--array", "nothing_known"], "nothing_known"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
