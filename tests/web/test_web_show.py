"""`hearing show`, and `hearing listen --web`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Event, Timer
from typing import Any

import numpy as np
import pytest
from hall import hall, utterance

from hearing import cli
from hearing.errors import InputError
from hearing.outputs import SessionLog, Timing
from hearing.types import AudioBlock, HearingOutput, Word
from hearing.web import WebView, playback
from hearing.web.playback import play, read_session


@pytest.fixture
def session(tmp_path: Path) -> Path:
    words = (Word("Good", 13, 14, 0.9, 14.2, 16.0), Word("morning", 14, 15, 0.9, 15.3, 16.0))
    log = SessionLog(video=True)
    log.add(hall())
    log.add(HearingOutput(utterances=(utterance("u4", "Eva", "", 13, 15, track_id=2, words=words),)))
    log.write(tmp_path / "out", "hall", Timing(20.0, 10.0, latency=1.2))
    return tmp_path / "out"


def test_a_session_is_played_as_it_was_heard(session: Path) -> None:
    steps = read_session(session).steps
    published = [(now, u.speaker, u.text, u.final) for now, output in steps for u in output.utterances if u.id == "u4"]
    times, *said = zip(*published, strict=True)
    assert times == pytest.approx((14.2, 15.3, 16.0))
    assert said == [("Eva",) * 3, ("Good", "Good morning", "Good morning"), (False, False, True)]
    (seen,) = [output for _, output in steps if output.tracks]
    assert seen.faces[0].box == (90, 120, 130, 150)
    assert [t.kind for t in seen.tracks] == ["talker", "talker", "talker", "noise", "robot"]


def test_without_words_and_timing_it_is_played_as_well(session: Path) -> None:
    for name in ("words.jsonl", "timing.json", "tracks.jsonl", "faces.jsonl"):
        (session / name).unlink()
    played = read_session(session)
    assert next(u.text for _, output in played.steps for u in output.utterances) == "Robot, stop the conveyor please."
    assert played.health == {}


def test_playing_is_ended_at_once(session: Path) -> None:
    stopping, view = Event(), WebView()
    Timer(0.05, stopping.set).start()
    play(read_session(session), view, stopping)
    assert stopping.is_set()


def test_at_once_all_of_it_is_there(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[HearingOutput, float]] = []
    monkeypatch.setattr(WebView, "show", lambda self, output, health: shown.append((output, health["seconds"])))
    play(read_session(session), WebView(), Event(), at_once=True)
    assert len(shown) == len(read_session(session).steps)
    assert {u.id for output, _ in shown for u in output.utterances} == {"u1", "u2", "u4"}


def test_show_serves_until_it_is_interrupted(
    session: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(playback, "play", interrupt)
    assert cli.main(["show", str(session), "--port", "0"]) == 0
    error = capsys.readouterr().err
    assert "the page is at http://127.0.0.1:" in error
    assert "token" not in error, "here it can be read without"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("segments.json", "[1]"),
        ("segments.json", "{"),
        ("segments.json", '[{"utterance_id": "u"}]'),
        ("tracks.jsonl", '{"time": 1}\n'),
        ("tracks.jsonl", "\n"),
        ("faces.jsonl", '{"box": [1]}\n'),
        ("words.jsonl", "[]\n"),
        ("timing.json", "[]"),
    ],
)
def test_a_broken_file_is_one_line(session: Path, name: str, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    (session / name).write_text(content)
    with pytest.raises(InputError):
        read_session(session)
    assert cli.main(["show", str(session), "--port", "0"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_without_a_session_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", str(tmp_path)]) == 2
    assert "no segments.json here" in capsys.readouterr().err


def test_what_is_played_is_what_was_written(session: Path) -> None:
    """Playing loses nothing that is in segments.json."""
    final = {u.id: u for _, output in read_session(session).steps for u in output.utterances if u.final}
    for segment in json.loads((session / "segments.json").read_text()):
        heard = final[segment["utterance_id"]]
        assert (heard.speaker, heard.text) == (segment["speaker"], segment["words"])
        assert heard.direction.azimuth_deg == pytest.approx(segment["azimuth_deg"])
        assert heard.face_id == segment["face_id"]


def test_listen_shows_levels_and_health_and_takes_phrases(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def blocks(*_: object) -> Iterator[AudioBlock]:
        for number in range(8):
            samples = np.tile(np.array([0.1, 0.01, 0.0, 0.1], np.float32), (1600, 1))
            yield AudioBlock(samples, 1600 * number)

    shown: list[Mapping[str, Any]] = []
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr("hearing.microphones.live_blocks", blocks)
    monkeypatch.setattr("hearing.pipeline.Pipeline.bias", lambda self, phrases: asked.append(phrases))
    monkeypatch.setattr(WebView, "show", lambda self, output, health: shown.append(health))
    monkeypatch.setattr(WebView, "asked", lambda self: ("bay four",) if len(shown) == 2 else None)
    assert cli.main(["listen", "--array", "respeaker_4mic", "--web", "0", "--web-token", "correct-horse"]) == 0
    assert shown[0]["levels_db"] == pytest.approx([-20, -40, -100, -20], abs=0.1)
    assert shown[-1]["seconds"] == pytest.approx(0.8, abs=0.2)
    assert {"latency", "real_time_factor", "queue", "behind", "faults"} <= shown[0].keys()
    assert asked == [(), ("bay four",)]
    assert "?token=correct-horse" in capsys.readouterr().err
