"""Reports and comparisons of what was heard."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from hearing import cli
from hearing.report.comparison import compare
from hearing.report.material import read_runs
from hearing.report.mistakes import find_mistakes

SAID = (("anna", 0.5, "open the gate please", 30.0), ("ben", 3.0, "which of the two gates", -60.0))


def words(speaker: str, start: float, text: str, utterance: str = "u1") -> list[dict]:
    return [
        {
            "word": word, "start_time": start + 0.3 * n, "end_time": start + 0.3 * (n + 1), "speaker": speaker,
            "confidence": 0.9, "emitted_partial": start + 2, "emitted_final": start + 3, "utterance_id": utterance,
        }
        for n, word in enumerate(text.split())
    ]  # fmt: skip


def segments(said: tuple) -> list[dict]:
    return [
        {"speaker": who, "words": text, "start_time": start, "end_time": start + 1.5, "azimuth_deg": azimuth}
        for who, start, text, azimuth in said
    ]


def recording(folder: Path) -> Path:
    (folder / "reference").mkdir(parents=True)
    noise = np.random.default_rng(0).normal(0, 0.05, (6 * 96_000, 2))  # faster than mp3 can be
    sf.write(folder / "audio.wav", noise, 96_000)
    (folder / "reference" / "segments.json").write_text(json.dumps(segments(SAID)))
    return folder


def outputs(folder: Path, texts: tuple[str, str], late: float = 0.0) -> Path:
    folder.mkdir(parents=True)
    said = (("talker_1", 0.5, texts[0], 31.0), ("talker_2", 3.0, texts[1], -40.0))
    heard = [segment | {"utterance_id": f"u{n}"} for n, segment in enumerate(segments(said))]
    lines = [line for n, (who, start, text, _) in enumerate(said) for line in words(who, start, text, f"u{n}")]
    tracks = [
        {"time": t / 10, "track_id": 1, "azimuth_deg": 31.0, "elevation_deg": 0.0, "activity": 0.9, "kind": "talker"}
        for t in range(5, 20)
    ]
    for line in lines:
        line["emitted_final"] += late
    (folder / "segments.json").write_text(json.dumps(heard))
    for name, records in (("words", lines), ("tracks", tracks)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (folder / "timing.json").write_text(json.dumps({"audio_seconds": 6.0, "total_seconds": 3.0}))
    return folder


RIGHT = (SAID[0][2], SAID[1][2])
WRONG = ("open a gate please", "which of the gates")


def test_every_kind_of_mistake_is_found() -> None:
    truth = segments(SAID)
    heard = [
        *words("talker_1", 0.5, "open a gate"),
        *words("talker_2", 3.0, "which of"),
        *words("talker_1", 3.6, "the two gates"),
        *words("talker_3", 9.0, "hello"),
    ]
    mistakes = find_mistakes(truth, heard, [], {"anna": "talker_1", "ben": "talker_2"})
    gate, gates, hello = mistakes
    assert [(piece.kind, piece.text) for piece in gate.pieces] == [
        ("right", "open"), ("wrong", "a"), ("right", "gate"), ("missed", "please"),
    ]  # fmt: skip
    assert (gates.speaker, gates.others) == ("ben", {"talker_1": "the two gates"})
    assert (hello.speaker, hello.others) == ("", {"talker_3": "hello"})


def test_what_is_right_is_no_mistake() -> None:
    heard = [*words("t1", 0.5, RIGHT[0]), *words("t2", 3.0, RIGHT[1])]
    assert find_mistakes(segments(SAID), heard, [], {"anna": "t1", "ben": "t2"}) == []


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    folder = recording(tmp_path / "<meeting>")
    heard = [outputs(tmp_path / name, texts) for name, texts in (("new", RIGHT), ("old", WRONG))]
    arguments = ["report", str(folder), "--out", str(tmp_path / "r.html")]
    assert cli.main([*arguments, *(f"--run={run}" for run in heard)]) == 0
    page = (tmp_path / "r.html").read_text()
    assert "<meeting>" not in page  # names are no markup
    addresses = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)""", page)
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert page.count("<svg") == 5  # time line, directions, confusions, latencies, comparison
    sounds = re.findall(r'data-sound="data:audio/mpeg;base64,([^"]+)"', page)
    assert len(sounds) == 2
    assert "20° off" in page


def test_a_report_is_the_same_every_time(tmp_path: Path) -> None:
    folder, run = recording(tmp_path / "meeting"), outputs(tmp_path / "run", WRONG)
    pages = []
    for _ in range(2):
        assert cli.main(["report", str(folder), "--run", str(run), "--out", str(tmp_path / "r.html")]) == 0
        pages.append((tmp_path / "r.html").read_text())
    assert pages[0] == pages[1]


def test_outputs_without_a_truth_are_shown(tmp_path: Path) -> None:
    run = outputs(tmp_path / "run", WRONG)
    assert cli.main(["report", str(run), "--out", str(tmp_path / "r.html")]) == 0
    page = (tmp_path / "r.html").read_text()
    assert "The truth is not known" in page
    assert "Mistakes" not in page


def test_what_nobody_heard_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = recording(tmp_path / "meeting")
    assert cli.main(["report", str(folder), "--out", str(tmp_path / "r.html")]) == 2
    assert "give --run FOLDER" in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    for number in range(6):
        recording(tmp_path / "recordings" / f"r{number}")
        outputs(tmp_path / "good" / f"r{number}", RIGHT)
        outputs(tmp_path / "bad" / f"r{number}", WRONG if number else RIGHT, late=0.5)
    return tmp_path / "good", tmp_path / "bad"


def test_the_better_run_wins_whichever_comes_first(runs: tuple[Path, Path]) -> None:
    truth = runs[0].parent / "recordings"
    for order, winner in ((runs, 0), (runs[::-1], 1)):
        result = compare(("a", "b"), *read_runs(*order, truth))
        winners = {difference.metric.name: difference.winner for difference in result.differences}
        assert (winners["cpWER"], winners["final after"]) == (winner, winner)
        assert winners["DER"] == winners["direction error"] == -1
        assert all(d.low <= d.second - d.first <= d.high for d in result.differences)


def test_the_command_says_which_is_better(runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["compare", *map(str, runs), "--reference", str(runs[0].parent / "recordings")]
    assert cli.main(arguments) == 0
    assert "good is better in cpWER, final after" in capsys.readouterr().out


def test_runs_without_a_truth_are_not_compared(runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", *map(str, runs)]) == 2
    assert "--reference" in capsys.readouterr().err
