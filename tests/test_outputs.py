import json
import math
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from meeteval.io import SegLST
from meeteval.wer import time_constrained_minimum_permutation_word_error_rate

from hearing.errors import InputError
from hearing.outputs import SessionLog, Timing, check_out_dir
from hearing.types import CueConfidence, Direction, FaceState, HearingOutput, Track, Utterance, Word

TIMING = Timing(audio_seconds=4.0, total_seconds=1.0, compute_seconds={"localize": 0.25}, latency=0.5)
FILES = {"segments.json", "words.jsonl", "tracks.jsonl", "timing.json"}


def utterance(number: int, text: str, start: float = 1.0, final: bool = True) -> Utterance:
    words = tuple(
        Word(word, start + 0.5 * i, start + 0.5 * i + 0.4, 0.9, start + 1.0, start + 2.0 if final else None)
        for i, word in enumerate(text.split())
    )
    return Utterance(
        id=f"u{number}",
        revision=0,
        final=final,
        speaker=f"talker_{number}",
        track_id=number,
        words=words,
        start_time=start,
        end_time=start + 2.0,
        direction=Direction(math.radians(30.0 * number), math.radians(5.0)),
        confidence=CueConfidence(recognition=0.8),
        addressed_to_robot=0.25,
    )


def log_of(*utterances: Utterance, tracks: tuple[Track, ...] = ()) -> SessionLog:
    log = SessionLog()
    log.add(HearingOutput(tracks, utterances))
    return log


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_files_hold_what_was_said(tmp_path: Path) -> None:
    track = Track(7, 0.1, Direction(math.radians(-90.0), 0.0), 0.75, "noise")
    log_of(utterance(1, "hello robot"), tracks=(track,)).write(tmp_path / "out", "session", TIMING)
    segments = json.loads((tmp_path / "out" / "segments.json").read_text())
    assert segments == [
        {
            "session_id": "session",
            "speaker": "talker_1",
            "words": "hello robot",
            "start_time": 1.0,
            "end_time": 3.0,
            "azimuth_deg": 30.0,
            "elevation_deg": 5.0,
            "confidence": 0.8,
            "face_id": None,
            "addressed_to_robot": 0.25,
            "utterance_id": "u1",
        }
    ]
    assert lines(tmp_path / "out" / "words.jsonl")[1] == {
        "word": "robot",
        "start_time": 1.5,
        "end_time": 1.9,
        "speaker": "talker_1",
        "confidence": 0.9,
        "emitted_partial": 2.0,
        "emitted_final": 3.0,
        "utterance_id": "u1",
    }
    assert lines(tmp_path / "out" / "tracks.jsonl") == [
        {"time": 0.1, "track_id": 7, "azimuth_deg": -90.0, "elevation_deg": 0.0, "activity": 0.75, "kind": "noise"}
    ]
    timing = json.loads((tmp_path / "out" / "timing.json").read_text())
    assert timing["audio_seconds"] == 4.0
    assert timing["real_time_factor"] == 0.25
    assert timing["compute_seconds"] == {"localize": 0.25}
    assert timing["peak_memory_bytes"] > 10_000_000


def test_faces_are_written_where_there_is_a_camera(tmp_path: Path) -> None:
    direction = Direction(math.radians(20.0), math.radians(-3.0))
    face = FaceState(0.1, "face_1", direction, 1.234, (10.0, 20.0, 33.333, 40.0), 0.91234, 0.5)
    log = SessionLog(video=True)
    log.add(HearingOutput(faces=(face,)))
    log.write(tmp_path, "session", TIMING)
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"faces.jsonl"}
    assert lines(tmp_path / "faces.jsonl") == [
        {
            "time": 0.1,
            "face_id": "face_1",
            "azimuth_deg": 20.0,
            "elevation_deg": -3.0,
            "distance_m": 1.23,
            "box": [10.0, 20.0, 33.3, 40.0],
            "speaking": 0.9123,
            "facing": 0.5,
        }
    ]


def test_a_camera_that_sees_nobody_gives_an_empty_file_and_none_removes_the_faces_of_before(tmp_path: Path) -> None:
    SessionLog(video=True).write(tmp_path, "session", TIMING)
    assert (tmp_path / "faces.jsonl").read_text() == ""
    SessionLog().write(tmp_path, "session", TIMING)
    assert {path.name for path in tmp_path.iterdir()} == FILES


def test_meeteval_reads_the_segments(tmp_path: Path) -> None:
    log_of(utterance(1, "hello robot"), utterance(2, "good morning", 4.0)).write(tmp_path / "out", "s", TIMING)
    segments = SegLST(json.loads((tmp_path / "out" / "segments.json").read_text()))
    assert segments.unique("session_id") == {"s"}
    score = time_constrained_minimum_permutation_word_error_rate(segments, segments, collar=5)
    assert (score.errors, score.length) == (0, 4)


def test_only_final_utterances_with_words_in_order_of_time() -> None:
    log = log_of(utterance(2, "second", 5.0), utterance(1, "first", 1.0), utterance(3, "partial", 2.0, final=False))
    assert [u.text for u in log.utterances] == ["first", "second"]


def test_a_final_utterance_without_words_is_withdrawn() -> None:
    log = log_of(utterance(1, "hello", final=False))
    log.add(HearingOutput((), (utterance(1, ""),)))
    assert log.utterances == []
    log = log_of(utterance(1, "hello"))
    log.add(HearingOutput((), (replace(utterance(1, ""), revision=1),)))
    assert log.utterances == []


def test_nothing_heard_gives_empty_files(tmp_path: Path) -> None:
    SessionLog().write(tmp_path / "deep" / "out", "s", Timing(0.0, 0.0))
    out = tmp_path / "deep" / "out"
    assert {path.name for path in out.iterdir()} == FILES
    assert json.loads((out / "segments.json").read_text()) == []
    assert (out / "words.jsonl").read_text() == ""
    assert json.loads((out / "timing.json").read_text())["real_time_factor"] is None


def test_other_files_of_the_user_stay(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    log_of(utterance(1, "old")).write(tmp_path / "out", "s", TIMING)
    log_of(utterance(1, "new")).write(tmp_path / "out", "s", TIMING)
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES | {"notes.txt"}
    assert json.loads((tmp_path / "out" / "segments.json").read_text())[0]["words"] == "new"
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_a_folder_on_another_disk_than_its_surroundings(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        (tmp_path / "out").symlink_to(elsewhere)
        log_of(utterance(1, "hello")).write(tmp_path / "out", "s", TIMING)
        assert {path.name for path in Path(elsewhere).iterdir()} == FILES


def test_a_failure_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearing.outputs._track", lambda track: {"time": object()})
    log = log_of(utterance(1, "hello"), tracks=(Track(1, 0.1, Direction(0.0), 1.0),))
    with pytest.raises(TypeError):
        log.write(tmp_path / "out", "s", TIMING)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(InputError, match="is a file"):
        check_out_dir(tmp_path / "out")
    with pytest.raises(InputError, match="cannot be written"):
        check_out_dir(tmp_path / "out" / "deeper")
