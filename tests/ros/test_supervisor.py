"""Processes are started again when they die, with more and more patience, and all end together."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
from hearing_nodes.launch_actions import Process
from hearing_nodes.node import ERROR, OK, WARN
from hearing_nodes.supervisor import LONGEST_WAIT, RECENT, STEADY, Supervisor

PATIENCE = 30.0
SLEEPS = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
DEAF = [
    sys.executable,
    "-S",
    "-c",
    "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print(1, flush=True); time.sleep(600)",
]


def ends(status: int) -> list[str]:
    return [sys.executable, "-S", "-c", f"raise SystemExit({status})"]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


@pytest.fixture
def running() -> Iterator[Callable[..., Supervisor]]:
    made: list[Supervisor] = []

    def start(*processes: Process, patience: float = PATIENCE) -> Supervisor:
        made.append(Supervisor(processes, patience))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        for child in each.children:
            if child.popen is not None and child.popen.poll() is None:
                child.popen.kill()


def looked(watch: Supervisor, child: int = 0, now: float | None = None) -> None:
    """Wait until a child has ended, and have that noticed at some time."""
    popen = watch.children[child].popen
    assert popen is not None
    popen.wait(PATIENCE)
    watch.look(time.monotonic() if now is None else now)


def test_who_is_killed_is_started_again(running: Callable[..., Supervisor]) -> None:
    watch = running(Process("/ears", SLEEPS, respawn=True, respawn_delay=2.0), Process("/eyes", SLEEPS))
    ears, eyes = watch.children
    before = ears.popen.pid
    assert ears.diagnosis(ears.started).level == OK
    ears.popen.kill()
    now = ears.started + 1.0
    looked(watch, now=now)
    assert ears.popen is None
    diagnosis = ears.diagnosis(now)
    assert (diagnosis.level, diagnosis.message) == (ERROR, "killed by SIGKILL; is started again in 2 s")
    watch.look(now + 1.9)
    assert ears.popen is None
    watch.look(now + 2.0)
    assert ears.popen is not None
    assert ears.popen.pid != before
    assert ears.restarts == 1
    assert ears.diagnosis(now + 3.0).level == WARN
    assert ears.diagnosis(now + 2.0 + RECENT).level == OK
    assert eyes.restarts == 0
    assert watch.status is None


def test_who_keeps_dying_is_started_less_and_less_often(running: Callable[..., Supervisor]) -> None:
    watch = running(Process("/ears", ends(1), respawn=True, respawn_delay=2.0))
    (ears,) = watch.children
    now, waits = ears.started, []
    for _ in range(6):
        looked(watch, now=now)
        waits.append(ears.due - now)
        now = ears.due
        watch.look(now)
    assert waits == [2.0, 4.0, 8.0, 16.0, LONGEST_WAIT, LONGEST_WAIT]
    looked(watch, now=now + STEADY)
    assert ears.due - (now + STEADY) == 2.0


@pytest.mark.parametrize(
    ("process", "status"),
    [
        (Process("/captions", ends(0), ends_all=True), 0),
        (Process("/captions", ends(1), ends_all=True), 1),
        (Process("/ears", ends(2), respawn=True), 2),  # it would only happen again
        (Process("/ears", ends(1)), 1),
        (Process("/once", ends(0)), None),
    ],
)
def test_the_end_of_a_process_may_end_all(
    running: Callable[..., Supervisor], process: Process, status: int | None
) -> None:
    watch = running(process, Process("/eyes", SLEEPS))
    looked(watch)
    assert watch.status == status
    watch.stop()
    assert watch.children[1].popen.returncode is not None


def test_all_are_asked_to_end_and_made_to(
    running: Callable[..., Supervisor], capfd: pytest.CaptureFixture[str]
) -> None:
    watch = running(Process("/deaf", DEAF), patience=1.0)
    printed = ""

    def is_deaf() -> bool:
        nonlocal printed
        printed += capfd.readouterr().out
        return "1" in printed

    until(is_deaf)
    watch.status = 0
    watch.stop()
    assert watch.children[0].popen.returncode == -signal.SIGKILL
    assert watch.status == 1
    assert "/deaf did not end within 1 s and was killed" in capfd.readouterr().err


def test_nobody_outlives_the_supervisor(running: Callable[..., Supervisor]) -> None:
    watch = running(Process("/ears", SLEEPS))
    assert psutil.Process(watch.children[0].popen.pid).ppid() == psutil.Process().pid
    assert watch.children[0].popen.args[0] == "setpriv"
