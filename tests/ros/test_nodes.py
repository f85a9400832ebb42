"""The nodes as processes, started from launch files: they hear what the library hears, live and from a bag."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from processes import Command

from hearing.bags.writing import write_bag
from hearing.cli_up import launch_file
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


def run(folder: Path, name: str, *words: str) -> Path:
    """Run a launch file to its end; return the folder of its log and of what was heard."""
    content = yaml.safe_load((launch_file(name).parent / "params" / f"{name}.yaml").read_text())
    content["/**/captions"]["ros__parameters"]["session_id"] = "short"
    params = folder / "params.yaml"
    params.write_text(yaml.safe_dump(content))
    command = Command(folder / "up.log", [name, f"params_file:={params}", f"out:={folder / 'session'}", *words])
    assert command.wait() == 0, command.printed
    return folder


@pytest.fixture(scope="module")
def nodes_ran(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("nodes"), "sim", f"source:={recording}", "namespace:=robot1")


@pytest.fixture(scope="module")
def bag_played(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("played")
    write_bag(recording, folder / "bag")
    return run(folder, "replay", f"bag:={folder / 'bag'}", f"array:={recording / 'array.yaml'}")


@pytest.mark.parametrize("name", CONTENT)
def test_the_nodes_hear_what_the_library_hears(name: str, nodes_ran: Path, heard_by_library: Path) -> None:
    heard = (nodes_ran / "session" / name).read_text()
    assert heard
    assert heard == (heard_by_library / name).read_text()


@pytest.mark.parametrize("name", CONTENT)
def test_a_bag_that_is_played_to_the_nodes_is_heard_as_well(
    name: str, bag_played: Path, heard_by_library: Path
) -> None:
    assert (bag_played / "session" / name).read_text() == (heard_by_library / name).read_text()


def test_the_robot_answers_whom_it_was_spoken_to_by(nodes_ran: Path) -> None:
    replies = [line for line in (nodes_ran / "up.log").read_text().splitlines() if "robot → talker" in line]
    assert replies
    assert all("robot → talker_1" in line for line in replies)  # it was not the other one who spoke to it


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
