"""Runs the processes of a launch file: starts again what dies, tells `/diagnostics` about it, and ends all of them."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import Header

from hearing.console import say
from hearing_nodes.launch_actions import Process
from hearing_nodes.launch_files import evaluate
from hearing_nodes.node import DIAGNOSTICS_PERIOD, ERROR, OK, WARN, Diagnosis

DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")
"""Has the kernel kill a process when this one dies, however that happens; from util-linux, which Linux comes with."""
PATIENCE = 5.0
"""Seconds that processes usually have to end after they were asked to, as in `ros2 launch`."""
LONGEST_WAIT = 30.0
"""Seconds before what keeps dying is started again, at most."""
STEADY = 60.0
"""Seconds after which what runs is no longer taken for something that keeps dying."""
POLL = 0.05
BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130
RECENT = 10.0
"""Seconds for which the diagnostics warn after something has been started again."""


@dataclass(slots=True)
class Child:
    """A process that is looked after.

    Attributes
    ----------
    process
        What it is.
    popen
        The running one; None while it waits to be started again.
    restarts
        How often it has been started again.
    deaths
        How often in a row it has died soon.
    due
        When it is to be started again, in seconds of the monotonic clock.
    started
        When it was started.
    last
        How it ended the last time.
    over
        Whether it has ended for good.
    """

    process: Process
    popen: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    deaths: int = 0
    due: float = 0.0
    started: float = 0.0
    last: str = "never ended"
    over: bool = False

    def start(self, now: float) -> None:
        """Start it."""
        self.started = now
        # An interrupt waits until `hearing_nodes.node.run` can take it: it would strike a node amid its imports.
        masked = {signal.SIGINT} if self.process.own else set()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, masked)
        try:
            self.popen = subprocess.Popen(
                [*DIE_WITH_PARENT, *self.process.command],
                stdin=subprocess.DEVNULL,
                process_group=0,  # Ctrl-C reaches only this process, which ends the others in good order
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def bury(self, status: int, now: float) -> None:
        """Note that it has ended, and when it is to be started again."""
        self.popen = None
        self.last = f"killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        if now - self.started >= STEADY:
            self.deaths = 0
        delay = min(self.process.respawn_delay * 2**self.deaths, LONGEST_WAIT)
        self.deaths += 1
        self.due = now + delay

    def diagnosis(self, now: float) -> Diagnosis:
        """Return how it is."""
        values = {
            "pid": self.popen.pid if self.popen is not None else 0,
            "restarts": self.restarts,
            "seconds_up": f"{now - self.started:.0f}" if self.popen is not None else 0,
            "last_end": self.last,
        }
        if self.over:
            return Diagnosis(OK, "has ended", values)
        if self.popen is None:
            return Diagnosis(ERROR, f"{self.last}; is started again in {max(self.due - now, 0.0):.0f} s", values)
        if self.restarts and now - self.started < RECENT:
            return Diagnosis(WARN, f"runs again; the one before: {self.last}", values)
        return Diagnosis(OK, "runs", values)


class Supervisor:
    """Looks after processes.

    Parameters
    ----------
    processes
        What to run.
    patience
        Seconds that they have to end after they were asked to.
    """

    def __init__(self, processes: Sequence[Process], patience: float = PATIENCE) -> None:
        self.children = [Child(process) for process in processes]
        self._patience = patience
        self.status: int | None = None
        """Exit status, once all shall end."""

    def start(self) -> None:
        """Start all processes."""
        for child in self.children:
            child.start(time.monotonic())

    def look(self, now: float) -> None:
        """See who has died, and start again who is due."""
        for child in self.children:
            if child.popen is not None and (status := child.popen.poll()) is not None:
                self._bury(child, status, now)
            elif child.popen is None and not child.over and now >= child.due:
                child.restarts += 1
                child.start(now)

    def stop(self) -> None:
        """End all processes: ask them first, make them after a while."""
        running = [child.popen for child in self.children if child.popen is not None]
        for popen in running:
            if popen.poll() is None:
                popen.send_signal(signal.SIGINT)
        deadline = time.monotonic() + self._patience
        for child in self.children:
            if child.popen is None:
                continue
            try:
                status = child.popen.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.popen.kill()
                status = child.popen.wait()
                say(f"{child.process.name} did not end within {self._patience:g} s and was killed")
            if status and self.status in (0, INTERRUPTED):
                say(f"{child.process.name} ended with status {status}")
                self.status = FAILED

    def _bury(self, child: Child, status: int, now: float) -> None:
        """Decide what follows from a process's end."""
        name = child.process.name
        child.bury(status, now)
        if child.process.ends_all:
            self.status = FAILED if status else 0
        elif status == BAD_INPUT:  # it would only happen again
            self.status = BAD_INPUT
        elif child.process.respawn:
            say(f"{name} {child.last}; it is started again in {child.due - now:g} s")
            return
        elif status:
            self.status = FAILED
        child.over = True
        if self.status:
            say(f"error: {name} {child.last}")


def bring_up(path: Path, arguments: dict[str, str], patience: float = PATIENCE) -> int:
    """Run a launch file until it ends, or is interrupted.

    Parameters
    ----------
    path
        The launch file.
    arguments
        Of the launch file, by name.
    patience
        Seconds that the processes have to end after they were asked to.

    Returns
    -------
    Exit status: 0 ok, 1 a process has failed, 2 a node could not use its parameters, 130 interrupted.

    Raises
    ------
    InputError
        If the launch file or an argument cannot be used.
    """
    with tempfile.TemporaryDirectory(prefix="hearing_up_") as files:
        supervisor = Supervisor(evaluate(path, arguments, Path(files)), patience)
        # Ctrl-C and SIGTERM are Python's: what they end is the loop, not what publishes.
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            report = _reporter(arguments.get("namespace", ""))
            supervisor.start()
            _run(supervisor, report)
        except KeyboardInterrupt:
            supervisor.status = INTERRUPTED
        finally:
            supervisor.stop()
            rclpy.try_shutdown()
    return supervisor.status or 0


def _run(supervisor: Supervisor, report: Callable[[Supervisor, float], None]) -> None:
    reported = 0.0
    while supervisor.status is None:
        now = time.monotonic()
        supervisor.look(now)
        if now - reported >= DIAGNOSTICS_PERIOD:
            report(supervisor, now)
            reported = now
        time.sleep(POLL)


def _reporter(namespace: str) -> Callable[[Supervisor, float], None]:
    """Make the node that publishes how the processes are."""
    node = rclpy.create_node("supervisor", namespace=namespace or None)
    publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)

    def report(supervisor: Supervisor, now: float) -> None:
        own = node.get_fully_qualified_name()
        statuses = [child.diagnosis(now).status(f"{own}: {child.process.name}") for child in supervisor.children]
        publisher.publish(DiagnosticArray(header=Header(stamp=node.get_clock().now().to_msg()), status=statuses))

    return report
