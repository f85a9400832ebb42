"""`hearing listen`, with a stand-in for PortAudio."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import numpy as np
import pytest

from hearing.cli import main


class Hum:
    """A sound card that hums for ever, faster than real time."""

    def __init__(self, channels: int, blocksize: int, callback: Callable[..., None], **_: object):
        self._open = True
        self._thread = Thread(target=self._record, args=(channels, blocksize, callback), daemon=True)

    def _record(self, channels: int, blocksize: int, callback: Callable[..., None]) -> None:
        rng = np.random.default_rng(0)
        for number in range(60):
            samples = rng.normal(0, 1e-3, (blocksize, channels)).astype(np.float32)
            time = SimpleNamespace(inputBufferAdcTime=number * blocksize / 16_000)
            callback(samples, blocksize, time, SimpleNamespace(input_overflow=False))

    def __enter__(self) -> Hum:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()


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
