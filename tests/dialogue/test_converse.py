"""The robot in a conversation, from microphones to loudspeaker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hearing_sim import load_scene, render

from hearing.dialogue.acts import Do, Speak
from hearing.dialogue.brains.grammar_brain import GrammarBrain
from hearing.dialogue.brains.grammar_file import load_grammar
from hearing.dialogue.controller import DuplexController
from hearing.dialogue.converse import Conversation, Exchange
from hearing.dialogue.listening import FloorListener
from hearing.dialogue.turn_classifier import TurnClassifier
from hearing.errors import InputError
from hearing.pipeline import Pipeline
from hearing.recording import open_recording
from hearing.speech import load_synthesizer
from hearing.types import SAMPLE_RATE, AudioBlock

SCENE = """
name: order
duration: 7.0
seed: 3
room: {size: [6.0, 5.0, 2.8], rt60: 0.25}
array: {geometry: respeaker_4mic, position: [2.8, 2.4, 1.2]}
snr_db: 25.0
talkers:
  - {name: anna, voice: synthesis, position: [3.9, 3.1, 1.6], looks_at: robot}
turns:
  - {talker: anna, gap: 0.8, text: "Robot, go to bay four.", to: robot, kind: command}
machines:
  - {name: fan, kind: fan, position: [5.6, 0.5, 2.5]}
"""
BLOCK = 1024


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Iterator[AudioBlock]]:
    folder = tmp_path_factory.mktemp("order")
    (folder / "scene.yaml").write_text(SCENE)
    render(load_scene(str(folder / "scene.yaml")), folder / "recording")
    recording = open_recording(folder / "recording")

    def blocks() -> Iterator[AudioBlock]:
        return (block for block in recording.blocks(BLOCK) if len(block.samples) == BLOCK)

    return blocks


@pytest.fixture(scope="module")
def conversation(tmp_path_factory: pytest.TempPathFactory, order: Callable[[], Iterator[AudioBlock]]) -> Conversation:
    array = next(iter(Path(str(tmp_path_factory.getbasetemp())).glob("order*/recording/array.yaml")))
    from hearing.arrays import load_array

    pipeline = Pipeline.create(load_array(str(array)))
    controller = DuplexController(GrammarBrain(load_grammar()))
    return Conversation(pipeline, controller, load_synthesizer(), FloorListener(classifier=TurnClassifier()))


def converse(conversation: Conversation, blocks: Iterator[AudioBlock]) -> list[Exchange]:
    conversation.reset()
    return [conversation.process(block) for block in blocks]


def test_an_order_is_done_and_answered_aloud(
    conversation: Conversation, order: Callable[[], Iterator[AudioBlock]]
) -> None:
    exchanges = converse(conversation, order())
    acts = [act for exchange in exchanges for act in exchange.acts]
    assert [act.command.intent for act in acts if isinstance(act, Do)]
    assert any(isinstance(act, Speak) for act in acts)
    played = np.concatenate([exchange.samples for exchange in exchanges])
    loud = np.flatnonzero(np.abs(played) > 0.01) / SAMPLE_RATE
    spoken = max(u.end_time for exchange in exchanges for u in exchange.heard.utterances if u.words)
    assert len(loud)
    assert spoken - 0.5 < loud[0] < spoken + 3.0


def test_the_same_sound_gives_the_same_conversation(
    conversation: Conversation, order: Callable[[], Iterator[AudioBlock]]
) -> None:
    first, second = (converse(conversation, order()) for _ in range(2))
    assert [exchange.acts for exchange in first] == [exchange.acts for exchange in second]


def test_blocks_must_be_equally_long(conversation: Conversation, order: Callable[[], Iterator[AudioBlock]]) -> None:
    conversation.reset()
    block = next(order())
    conversation.process(block)
    with pytest.raises(InputError, match="a block of 512 samples after one of 1024"):
        conversation.process(AudioBlock(block.samples[:512], BLOCK))
