"""The demo: a simulated factory over real ROS 2, with live captions and a score at the end.

This module starts the nodes as processes and imports no ROS itself. The nodes come from the Python environment that
runs it: `make setup` installs them there, and so does sourcing a workspace.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from rich.console import Console

from hearing.errors import InputError
from hearing.evaluation import evaluate, render

OK, NODE_FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

PATIENCE = 5.0
"""Seconds that a node has to end after it was asked to."""
POLL = 0.1
SHOWN_LOG_LINES = 8
DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")
"""Has the kernel kill the process when this one dies, however that happens; from util-linux, which Linux comes with."""
HIGHEST_DOMAIN = 101  # above it, DDS ports may collide with ephemeral ones


class NodeError(RuntimeError):
    """A node has ended before its time.

    Attributes
    ----------
    status
        Exit status for the command: 2 if the node could not use its parameters, 1 for everything else.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class NodeProcesses:
    """Nodes as processes that talk over ROS 2 on this machine only, and that never outlive this one.

    Use it as a context manager: leaving the context ends all nodes.

    Parameters
    ----------
    log_dir
        Folder for what the nodes print.
    """

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = os.environ | {
            "ROS_DOMAIN_ID": str(1 + os.getpid() % HIGHEST_DOMAIN),
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
            "ROS_LOG_DIR": str(log_dir.absolute()),
        }

    def __enter__(self) -> NodeProcesses:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, node: str, *, show: bool = False, **parameters: str | bool) -> None:
        """Start a node.

        Parameters
        ----------
        node
            Its module in `hearing_nodes`.
        show
            Let it write its standard output to the terminal.
        parameters
            Its ROS parameters.
        """
        values = {name: str(value).lower() if isinstance(value, bool) else value for name, value in parameters.items()}
        settings = [word for name, value in values.items() for word in ("-p", f"{name}:={value}")]
        with self._log_path(node).open("wb") as log:
            self._processes[node] = subprocess.Popen(
                [*DIE_WITH_PARENT, sys.executable, "-m", f"hearing_nodes.{node}", "--ros-args", *settings],
                stdin=subprocess.DEVNULL,
                stdout=None if show else log,
                stderr=log,
                env=self._environment,
                process_group=0,  # Ctrl-C reaches only this process, which ends the nodes in good order
            )

    def wait_for(self, node: str) -> None:
        """Wait until a node has ended well.

        Raises
        ------
        NodeError
            If it fails, or if another node ends before it.
        """
        while True:
            for name, process in self._processes.items():
                status = process.poll()
                if status == 0 and name == node:
                    return
                if status is not None:
                    raise NodeError(self._obituary(name, status), BAD_INPUT if status == BAD_INPUT else NODE_FAILED)
            time.sleep(POLL)

    def stop(self) -> None:
        """End all nodes: ask them first, make them after `PATIENCE` seconds."""
        for process in self._processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + PATIENCE
        for process in self._processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _log_path(self, node: str) -> Path:
        return self._log_dir / f"{node}.log"

    def _obituary(self, node: str, status: int) -> str:
        path = self._log_path(node)
        lines = path.read_text(errors="replace").splitlines()[-SHOWN_LOG_LINES:]
        return "\n".join([f"the node {node} has ended with status {status}; its log is {path}", *lines])


def run_demo(out_dir: Path, scene: str | Path = "factory_demo") -> int:
    """Simulate a scene, hear it through the ROS 2 nodes in real time with live captions, and print the score.

    Parameters
    ----------
    out_dir
        Receives `recording/`, `session/` (what was heard) and `logs/`.
    scene
        Name of a built-in scene, or a scene file.

    Returns
    -------
    Exit status: 0 ok, 1 a node failed, 2 a node could not use its parameters, 130 interrupted.

    Raises
    ------
    InputError
        If ROS 2 or the nodes are missing, or the scene or the folder cannot be used.
    """
    _check_installation()
    # Only the demo and `hearing simulate` need the simulator, which a robot does not have.
    import hearing_sim

    console = Console()
    recording, session = out_dir / "recording", out_dir / "session"
    try:
        console.print(f"Simulating the scene {scene} ...")
        description = hearing_sim.load_scene(scene)
        hearing_sim.render(description, recording)
        console.print("Starting the ROS 2 nodes; the robot hears the scene in real time. Ctrl-C ends.\n")
        with NodeProcesses(out_dir / "logs") as nodes:
            nodes.start("captions", show=True, out=str(session), session_id=description.name, exit_at_end=True)
            nodes.start("dialogue")
            nodes.start("hearing", array=str(recording / "array.yaml"))
            nodes.start("audio_source", source=str(recording), awaits="[hearing/steps]")
            nodes.wait_for("captions")
    except KeyboardInterrupt:
        console.print("\nInterrupted; all nodes have ended.")
        return INTERRUPTED
    except NodeError as error:
        print(f"hearing: error: {error}", file=sys.stderr)
        return error.status
    console.print()
    console.print(render(evaluate(recording, session)))
    console.print(f"\nHeard: {session}\nTruth: {recording / 'reference'}\nLogs:  {out_dir / 'logs'}")
    return OK


def _check_installation() -> None:
    missing = [name for name in ("rclpy", "hearing_msgs", "hearing_nodes") if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"ROS 2 is not ready, {', '.join(missing)} missing: run `make setup`, or source a built workspace"
        )
