"""`hearing converse`: talk with the robot through live microphones and a loudspeaker, without ROS."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from hearing.console import say
from hearing.errors import InputError

if TYPE_CHECKING:
    from hearing.arrays import MicrophoneArray
    from hearing.captions import LiveCaptions
    from hearing.dialogue.acts import DialogueAct
    from hearing.dialogue.brains.brain import Brain
    from hearing.dialogue.brains.grammar import Grammar
    from hearing.dialogue.converse import Conversation
    from hearing.types import Float32Array

POLL = 0.5
"""Seconds between two looks at how the brain is."""
MAX_GAP = 60.0
"""Seconds without sound that are filled with silence; after more the conversation ends."""


def converse(
    array: Annotated[str, typer.Option(help="Array name or YAML file; see `hearing arrays`.")],
    device: Annotated[str, typer.Option(help="Part of the microphones' name, or their number.")] = "",
    speaker: Annotated[str, typer.Option(help="Part of the loudspeaker's name, or its number.")] = "",
    grammar: Annotated[Path | None, typer.Option(help="Commands as YAML, see docs/commands.md.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="http://HOST:PORT/v1 of a language model.")] = None,
    model: Annotated[str | None, typer.Option(help="Its name; needs --endpoint.")] = None,
    people: Annotated[Path | None, typer.Option(help="Folder of people who are known; see `hearing enroll`.")] = None,
    voice: Annotated[str | None, typer.Option(help="hibari, espeak-ng, piper or pocket-tts.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long; by default with Ctrl-C.")] = None,
) -> None:
    """Talk with the robot: it answers, is interrupted, and stops at an emergency word."""
    from hearing.arrays import load_array
    from hearing.captions import LiveCaptions
    from hearing.dialogue.brains.grammar_file import load_grammar
    from hearing.speech.loudspeaker import Loudspeaker

    if (endpoint is None) != (model is None):
        raise InputError("--endpoint and --model go together: where a language model is, and its name")
    if seconds is not None and seconds <= 0:
        raise InputError(f"--seconds is {seconds:g}; give more than 0")
    microphones, commands = load_array(array), load_grammar(grammar)
    brain = _brain(commands, endpoint, model)
    with ExitStack() as closing:
        loudspeaker = closing.enter_context(Loudspeaker(speaker, say))
        conversation = _conversation(microphones, people, voice, brain, commands)
        captions = LiveCaptions()
        captions.start()
        closing.callback(captions.stop)
        try:
            _talk(conversation, brain, microphones, device, loudspeaker.play, captions, seconds)
        except KeyboardInterrupt:
            say("stopped")


def _brain(commands: Grammar, endpoint: str | None, model: str | None) -> Brain:
    from hearing.dialogue.brains.chat import ChatBrain
    from hearing.dialogue.brains.chat_stream import Endpoint
    from hearing.dialogue.brains.fallback import FallbackBrain
    from hearing.dialogue.brains.grammar_brain import GrammarBrain

    brain = GrammarBrain(commands)
    if endpoint is None or model is None:
        return brain
    return FallbackBrain(ChatBrain(Endpoint(endpoint, model), brain), brain)


def _conversation(
    array: MicrophoneArray, people: Path | None, voice: str | None, brain: Brain, commands: Grammar
) -> Conversation:
    from hearing.dialogue.controller import DuplexController
    from hearing.dialogue.converse import Conversation
    from hearing.dialogue.listening import FloorListener
    from hearing.dialogue.turn_classifier import TurnClassifier
    from hearing.memory import open_people
    from hearing.pipeline import Pipeline
    from hearing.speech import load_synthesizer

    known = open_people(people).known() if people is not None else None
    pipeline = Pipeline.create(array, known=known)
    pipeline.bias(commands.phrases())
    try:
        classifier = TurnClassifier()
    except InputError as error:
        say(f"notice: {error}; ends of turns are found less well")
        classifier = None
    return Conversation(
        pipeline, DuplexController(brain), load_synthesizer(voice), FloorListener(classifier=classifier)
    )


def _talk(
    conversation: Conversation,
    brain: Brain,
    array: MicrophoneArray,
    device: str,
    play: Callable[[Float32Array], bool],
    captions: LiveCaptions,
    seconds: float | None,
) -> None:
    """Hear, decide and speak, for so many seconds or until Ctrl-C."""
    from hearing.continuity import Continuity, Faults
    from hearing.microphones import live_blocks
    from hearing.types import SAMPLE_RATE

    continuity = Continuity(MAX_GAP, Faults())
    state, polled = brain.poll(), 0.0
    for block in live_blocks(device, array, Event(), say):
        admission = continuity.admit(block, round(block.start_sample / SAMPLE_RATE * 1e9))
        if admission.restart:
            say(f"no sound for more than {MAX_GAP:g} s: the conversation ends here")
            return
        for admitted in admission.blocks:
            exchange = conversation.process(admitted)
            play(exchange.samples)
            for utterance in exchange.heard.utterances:
                captions.show(utterance)
            for act in exchange.acts:
                _report(act, captions)
            if admitted.end_time - polled >= POLL:
                before, state, polled = state, brain.poll(), admitted.end_time
                if state.state != before.state:
                    say(f"{state.name} is {state.state}: {state.message}")
            if seconds is not None and admitted.end_time >= seconds:
                return


def _report(act: DialogueAct, captions: LiveCaptions) -> None:
    from hearing.dialogue.acts import Do, Emergency, Speak

    if isinstance(act, Speak):
        captions.write(f"{'robot → ':>19}{act.to}: {act.text}")
    elif isinstance(act, Do):
        slots = ", ".join(f"{name}={value}" for name, value in act.command.slots.items())
        captions.write(f"{'does ':>19}{act.command.intent}({slots})")
    elif isinstance(act, Emergency):
        captions.write(f"{'EMERGENCY ':>19}{act.word}, from {act.speaker}")
