"""Ears, recognition and dialogue on machines of their own, which die and come back: two network namespaces."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile as sf
from processes import INTERRUPTED, PATIENCE, Command, started

from hearing.types import SAMPLE_RATE

# Prints a line for every utterance with words, act and diagnosis that it sees.
WATCH = """
import json, rclpy
from diagnostic_msgs.msg import DiagnosticArray
from hearing_msgs.msg import DialogueAct, Utterance
from hearing_nodes.node import STATE_QOS
rclpy.init()
node = rclpy.create_node("watch")
def say(*words): print(json.dumps(words), flush=True)
def tell(message):
    for status in message.status:
        say(status.name, status.message, {value.key: value.value for value in status.values})
def hear(message):
    if message.is_final and message.words: say("utterance", message.id, " ".join(word.text for word in message.words))
node.create_subscription(Utterance, "hearing/utterances", hear, STATE_QOS)
node.create_subscription(DialogueAct, "dialogue/acts", lambda message: say("act", message.text), STATE_QOS)
node.create_subscription(DiagnosticArray, "/diagnostics", tell, 100)
rclpy.spin(node)
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """Two network namespaces with a cable between them."""
    names = (f"body{os.getpid()}", f"head{os.getpid()}")
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("network namespaces need root and iproute2")
    with ExitStack() as closing:
        try:
            for name in names:
                ip("netns", "add", name)
                closing.callback(ip, "netns", "del", name)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"this kernel forbids network namespaces: {error.stderr.decode().strip()}")
        ip("link", "add", "cable", "netns", names[0], "type", "veth", "peer", "name", "cable", "netns", names[1])
        for number, name in enumerate(names, 1):
            ip("-n", name, "addr", "add", f"10.99.0.{number}/24", "dev", "cable")
            for device in ("lo", "cable"):
                ip("-n", name, "link", "set", device, "up")
        monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
        yield names


class Lines:
    """What the watching process has printed."""

    def __init__(self, log: Path) -> None:
        self.log, self.seen = log, 0

    def until(self, *wanted: str) -> None:
        """Wait for a line that has not been looked at and whose first words begin like these."""
        assert self.come(PATIENCE, *wanted), f"{wanted} never came; the last lines:\n{self.log.read_text()[-5000:]}"

    def come(self, seconds: float, *wanted: str) -> bool:
        """Tell whether such a line comes in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            lines = self.log.read_text().splitlines()
            for number, line in enumerate(lines[self.seen :], self.seen + 1):
                words = json.loads(line) if line.endswith("]") else ()  # else it is being written
                if words and all(word.startswith(begin) for begin, word in zip(wanted, words, strict=False)):
                    self.seen = number
                    return True
            time.sleep(0.1)
        return False

    def skip(self) -> None:
        """Look only at what comes from now on."""
        self.seen = len(self.log.read_text().splitlines())


def kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        for each in (*psutil.Process(process.pid).children(), process):
            each.kill()
        process.wait()


def test_every_part_may_die_and_come_back(machines: tuple[str, str], recording: Path, tmp_path: Path) -> None:
    sound, _ = sf.read(recording / "audio.wav")
    sf.write(tmp_path / "audio.wav", np.tile(sound, (60, 1)), SAMPLE_RATE)
    body, head = ([shutil.which("ip"), "netns", "exec", name] for name in machines)
    source = [f"source:={tmp_path / 'audio.wav'}", f"array:={recording / 'array.yaml'}"]
    parts = {
        part: Command(tmp_path / f"{part}.log", ["distributed", f"which:={part}", *words], place)
        for part, words, place in (("ears", source, body), ("recognition", [], head), ("dialogue", [], head))
    }
    lines, watching = Lines(tmp_path / "watch.log"), []
    try:
        with started(list(parts.values())), lines.log.open("wb") as file:
            # Who watches is found by the other machine or, once in a while under load, is not: he asks again then.
            for _ in range(3):
                watching.append(subprocess.Popen([*head, sys.executable, "-c", WATCH], stdout=file))
                if lines.come(PATIENCE / 4, "/supervisor: /hearing"):
                    break
                kill(watching[-1])
            lines.until("utterance")
            for part, node in (("recognition", "recognition"), ("ears", "hearing"), ("dialogue", "dialogue")):
                parts[part].nodes()[node].kill()
                lines.skip()
                lines.until(f"/supervisor: /{node}", "killed by SIGKILL; is started again")
                lines.until(f"/supervisor: /{node}", "runs again; the one before: killed by SIGKILL")
                lines.until("utterance" if part != "dialogue" else "act")
            for part, command in parts.items():
                assert command.interrupt() == INTERRUPTED, f"{part}:\n{command.printed[-3000:]}"
    finally:
        for process in watching:
            kill(process)
    for command in parts.values():
        assert "Traceback" not in command.printed
        assert "was killed" not in command.printed
