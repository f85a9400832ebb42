"""The nodes as processes: they hear what the library hears, and answer who spoke to the robot."""

from __future__ import annotations

from pathlib import Path

import pytest

from hearing.demo import NodeError, NodeProcesses
from hearing.outputs import SessionLog, Timing
from hearing.pipeline import Pipeline
from hearing.recording import open_recording

CONTENT = ("segments.json", "words.jsonl", "tracks.jsonl")


@pytest.fixture(scope="module")
def heard_by_library(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = open_recording(recording)
    pipeline, log = Pipeline.create(source.array), SessionLog()
    for block in source.blocks():
        log.add(pipeline.process(block))
    log.add(pipeline.flush())
    out = tmp_path_factory.mktemp("library") / "session"
    log.write(out, "short", Timing(source.duration, 0.0))
    return out


@pytest.fixture(scope="module")
def nodes_ran(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("nodes")
    with NodeProcesses(out / "logs") as nodes:
        nodes.start("captions", out=str(out / "session"), session_id="short", exit_at_end=True)
        nodes.start("dialogue")
        nodes.start("hearing", array=str(recording / "array.yaml"))
        nodes.start("audio_source", source=str(recording), rate="1.0")
        nodes.wait_for("captions")
    return out


@pytest.mark.parametrize("name", CONTENT)
def test_the_nodes_hear_what_the_library_hears(name: str, nodes_ran: Path, heard_by_library: Path) -> None:
    heard = (nodes_ran / "session" / name).read_text()
    assert heard
    assert heard == (heard_by_library / name).read_text()


def test_the_robot_answers_whom_it_was_spoken_to_by(nodes_ran: Path) -> None:
    captions = (nodes_ran / "logs" / "captions.log").read_text()
    replies = [line for line in captions.splitlines() if "robot → talker" in line]
    assert len(replies) == 1
    assert "gripper" in replies[0].lower()


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"source": "missing.wav"}, r"missing\.wav: no such file"),
        ({"rate": "1000.0"}, r"hearing_nodes: error: .*rate"),
        ({"rate": "fast"}, r"hearing_nodes: error: .*rate"),
    ],
)
def test_a_node_that_cannot_use_its_parameters_is_reported(
    tmp_path: Path, parameters: dict[str, str], complaint: str
) -> None:
    with NodeProcesses(tmp_path / "logs") as nodes:
        nodes.start("audio_source", array="uma8", **parameters)
        with pytest.raises(NodeError, match=complaint) as failure:
            nodes.wait_for("captions")
    assert failure.value.status == 2
