"""`hearing converse`, with stand-ins for PortAudio."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sound_card import Hum

from hearing.cli import main
from hearing.speech.loudspeaker import Loudspeaker


class PortAudioError(Exception):
    """As in sounddevice."""


class Speaker:
    """A loudspeaker that breaks where the test says so."""

    broken = False
    played: list[np.ndarray] = []  # noqa: RUF012 - one for all, so that the test can look

    def __init__(self, device: object, **_: object):
        if device == "nothing" or self.broken:
            raise PortAudioError("No such device")

    def start(self) -> None:
        pass

    def close(self) -> None:
        pass

    def write(self, samples: np.ndarray) -> None:
        if self.broken:
            raise PortAudioError("Unplugged")
        self.played.append(samples)


@pytest.fixture(autouse=True)
def sound_card(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(InputStream=Hum, OutputStream=Speaker, PortAudioError=PortAudioError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    monkeypatch.setattr(Speaker, "broken", False)
    monkeypatch.setattr(Speaker, "played", [])


def test_nothing_is_said_to_nobody() -> None:
    assert main(["converse", "--array", "respeaker_4mic", "--seconds", "1"]) == 0
    played = np.concatenate(Speaker.played)
    assert len(played) == pytest.approx(16_000, abs=1024)
    assert not played.any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--endpoint", "http://127.0.0.1:1/v1"], "--endpoint and --model go together"),
        (["--seconds", "0"], "--seconds is 0"),
        (["--speaker", "nothing"], "loudspeaker nothing: No such device"),
        (["--grammar", "missing.yaml"], "missing.yaml"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["converse", "--array", "respeaker_4mic", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_loudspeaker_that_was_unplugged_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearing.speech.loudspeaker.AGAIN", 0.0)
    notices: list[str] = []
    samples = np.zeros(512, np.float32)
    with Loudspeaker("", notices.append) as loudspeaker:
        assert loudspeaker.play(samples)
        monkeypatch.setattr(Speaker, "broken", True)
        assert not loudspeaker.play(samples)
        assert not loudspeaker.play(samples)
        monkeypatch.setattr(Speaker, "broken", False)
        assert loudspeaker.play(samples)
    assert ["is gone" in notices[0], "is back" in notices[1]] == [True, True]
    assert len(notices) == 2
