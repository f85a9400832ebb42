"""The audio source publishes what a recording has beside its audio, with stamps that fit."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import rclpy
import soundfile as sf
from hearing_msgs.msg import AudioBlock
from hearing_nodes.audio_source import AudioSource
from hearing_nodes.conversions import audio_block, nanoseconds
from hearing_nodes.node import AUDIO_QOS

from hearing.arrays import load_array
from hearing.types import SAMPLE_RATE

PATIENCE = 20.0


def test_playback_comes_with_the_audio(tmp_path: Path) -> None:
    array, random = load_array("respeaker_4mic"), np.random.default_rng(0)
    sounds = {"audio": random.normal(0, 0.01, (8000, array.n_microphones)), "playback": random.normal(0, 0.01, 8000)}
    for name, samples in sounds.items():
        sf.write(tmp_path / f"{name}.wav", samples, SAMPLE_RATE)
    rclpy.init()
    node, peer = AudioSource(), rclpy.create_node("peer")
    received: dict[str, list[AudioBlock]] = {"playback": [], "audio": []}
    for topic, messages in received.items():
        peer.create_subscription(AudioBlock, topic, messages.append, AUDIO_QOS)
    parameters = {"source": str(tmp_path), "array": "respeaker_4mic"}
    node.set_parameters([rclpy.Parameter(name, value=value) for name, value in parameters.items()])
    assert node.start()
    deadline = time.monotonic() + PATIENCE
    while not (received["audio"] and received["audio"][-1].end_of_stream):
        assert time.monotonic() < deadline, "the stream does not end"
        rclpy.spin_once(peer, timeout_sec=0.05)
    node.stop()
    for each in (node, peer):
        each.destroy_node()
    rclpy.shutdown()
    heard, played = received["audio"][:-1], received["playback"]
    assert [nanoseconds(message.header.stamp) for message in played] == [nanoseconds(m.header.stamp) for m in heard]
    samples = np.concatenate([audio_block(message, channels=1).samples for message in played])
    np.testing.assert_allclose(samples[:, 0], sounds["playback"], atol=1e-4)
