"""Robots that are brought up: several side by side, nodes that die and come back, and a clean end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
import soundfile as sf
import yaml
from hearing_msgs.msg import Utterance
from hearing_nodes.node import STATE_QOS
from processes import INTERRUPTED, Command, Watch, started

from hearing.types import SAMPLE_RATE


@pytest.fixture
def watch() -> Iterator[Watch]:
    rclpy.init(args=[])
    watch = Watch()
    yield watch
    watch.node.destroy_node()
    rclpy.shutdown()


def params(folder: Path, source: Path, array: str | Path) -> Path:
    """A file of parameters that gives a robot a recording instead of microphones."""
    file = folder / "params.yaml"
    content = {"audio_source": {"source": str(source), "array": str(array)}, "hearing": {"array": str(array)}}
    file.write_text(yaml.safe_dump({f"/**/{name}": {"ros__parameters": values} for name, values in content.items()}))
    return file


def test_two_robots_hear_their_own_and_survive_the_death_of_a_node(
    watch: Watch, recording: Path, tmp_path: Path
) -> None:
    talked, quiet = tmp_path / "talked", tmp_path / "quiet"
    for folder in (talked, quiet):
        folder.mkdir()
    sound, _ = sf.read(recording / "audio.wav")
    sf.write(talked / "audio.wav", np.tile(sound, (20, 1)), SAMPLE_RATE)
    sf.write(quiet / "audio.wav", np.random.default_rng(0).normal(0, 1e-3, (len(sound) * 20, 4)), SAMPLE_RATE)
    heard: dict[str, list[str]] = {"/robot1": [], "/robot2/left": []}
    for namespace, texts in heard.items():
        topic = f"{namespace}/hearing/utterances"
        watch.node.create_subscription(
            Utterance, topic, lambda message, texts=texts: texts.extend(w.text for w in message.words), STATE_QOS
        )
    commands = [
        Command(
            talked / "log",
            [
                "robot",
                "namespace:=robot1",
                f"params_file:={params(talked, talked / 'audio.wav', recording / 'array.yaml')}",
            ],
        ),
        Command(
            quiet / "log",
            ["robot", "namespace:=robot2/left", f"params_file:={params(quiet, quiet / 'audio.wav', 'respeaker_4mic')}"],
        ),
    ]
    with started(commands):
        ears = [f"{namespace}/hearing: audio" for namespace in heard]
        watch.until(lambda: heard["/robot1"] and all(watch.value(name, "bad") == "0" for name in ears), *commands)
        supervisor = "/robot1/supervisor: /robot1/hearing"
        commands[0].nodes()["hearing"].kill()
        watch.until(lambda: watch.value(supervisor, "restarts") == "1", *commands)
        assert watch.value(supervisor, "last_end") == "killed by SIGKILL"
        heard["/robot1"].clear()
        watch.until(lambda: heard["/robot1"], *commands)
        assert not heard["/robot2/left"]
        assert watch.value(ears[1], "bad") == "0"
        assert [command.interrupt() for command in commands] == [INTERRUPTED, INTERRUPTED]
    for command in commands:
        assert "ended with status" not in command.printed
        assert "was killed" not in command.printed
        assert "Traceback" not in command.printed
