"""The demo ends with a score, and leaves no process behind however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from hearing import demo
from hearing.errors import InputError

PATIENCE = 60.0
# A process that is started in the background of a script inherits that it ignores SIGINT.
RUN = """
import signal
import sys
from pathlib import Path
from hearing.demo import run_demo
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(run_demo(*map(Path, sys.argv[1:])))
"""


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.05)


def start_demo(out: Path, scene: Path) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """Start the demo in a process of its own and wait until its four nodes run."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, out, scene], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    parent = psutil.Process(process.pid)
    until(lambda: process.poll() is not None or len(parent.children()) == 4)
    return process, parent.children()


def test_the_demo_ends_with_a_score(tmp_path: Path, scene_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert demo.run_demo(tmp_path / "demo", scene_file) == 0
    printed = capfd.readouterr().out
    assert "gripper" in printed
    assert "cpWER" in printed
    assert (tmp_path / "demo" / "session" / "segments.json").is_file()


def test_an_interrupt_ends_all_nodes(tmp_path: Path, scene_file: Path) -> None:
    process, nodes = start_demo(tmp_path / "demo", scene_file)
    assert len(nodes) == 4
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == demo.INTERRUPTED
    assert "Interrupted" in printed
    assert "Traceback" not in printed
    assert not any(node.is_running() for node in nodes)


def test_killing_the_demo_kills_all_nodes(tmp_path: Path, scene_file: Path) -> None:
    process, nodes = start_demo(tmp_path / "demo", scene_file)
    assert len(nodes) == 4
    process.kill()
    process.communicate(timeout=PATIENCE)
    until(lambda: not any(node.is_running() and node.status() != psutil.STATUS_ZOMBIE for node in nodes))


def test_a_node_that_dies_early_is_reported(tmp_path: Path) -> None:
    with demo.NodeProcesses(tmp_path) as nodes:
        nodes.start("no_such_node")
        with pytest.raises(demo.NodeError, match=r"No module named .*no_such_node") as failure:
            nodes.wait_for("captions")
    assert failure.value.status == demo.NODE_FAILED


def test_without_the_messages_one_line_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="make setup"):
        demo.run_demo(tmp_path)
