"""Commands that run in the background of a test, and are looked at while they do."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node

PATIENCE = 120.0
INTERRUPTED = 130
# A process that is started in the background of a script inherits that it ignores SIGINT.
UP = """
import signal, sys
from hearing.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(["up", "--patience", "100", *sys.argv[1:]]))
"""


class Command:
    """`hearing up` with some words behind it, and before it.

    Attributes
    ----------
    log
        File of what it and its nodes print.
    """

    def __init__(self, log: Path, words: Iterable[object], before: Iterable[str] = ()) -> None:
        self.log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [*before, sys.executable, "-c", UP, *(str(word) for word in words)],
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def printed(self) -> str:
        """What it and its nodes have printed so far."""
        return self.log.read_text(errors="replace")

    def nodes(self) -> dict[str, psutil.Process]:
        """Return the processes of its nodes by their modules' names."""
        found = {}
        for process in psutil.Process(self._process.pid).children(recursive=True):
            words = process.cmdline()
            module = next((word for word in words if word.startswith("hearing_nodes.")), None)
            if module and words[0] == sys.executable:  # others are what has started it
                found[module.removeprefix("hearing_nodes.")] = process
        return found

    def wait(self) -> int:
        """Wait until it has ended and return its exit status."""
        return self._process.wait(PATIENCE)

    def interrupt(self) -> int:
        """Press Ctrl-C and return its exit status."""
        self._process.send_signal(signal.SIGINT)
        return self.wait()

    def is_running(self) -> bool:
        """Tell whether it has not ended."""
        return self._process.poll() is None


class Watch:
    """A node that collects the diagnoses of all others.

    Attributes
    ----------
    statuses
        The latest one by name.
    """

    def __init__(self) -> None:
        self.node: Node = rclpy.create_node("watch")
        self.statuses: dict[str, DiagnosticStatus] = {}
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._take, 100)

    def _take(self, message: DiagnosticArray) -> None:
        self.statuses.update({status.name: status for status in message.status})

    def value(self, name: str, key: str) -> str:
        """Return a value of a status; empty if there is none yet."""
        values = self.statuses[name].values if name in self.statuses else ()
        return next((value.value for value in values if value.key == key), "")

    def until(self, condition: Callable[[], object], *commands: Command) -> None:
        """Wait for something while some commands run."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            ended = [command.printed for command in commands if not command.is_running()]
            assert not ended, ended[0]
            printed = "\n".join([str(dict(self.statuses)), *(command.printed for command in commands)])
            assert time.monotonic() < deadline, printed
            rclpy.spin_once(self.node, timeout_sec=0.05)


@contextmanager
def started(commands: list[Command]) -> Iterator[None]:
    """End what still runs at the end."""
    try:
        yield
    finally:
        for command in commands:
            if command.is_running():
                command.interrupt()
