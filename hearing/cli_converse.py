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
    from hearing.dialogue.brains.grammar import Grammar
    from hearing.dialogue.converse import Conversation, Exchange

MAX_GAP = 60.0
"""Seconds without sound that are filled with silence; after more the conversation ends."""


def converse(
    array: Annotated[str | None, typer.Option(help="Array name or YAML file; see `hearing arrays`.")] = None,
    device: Annotated[str, typer.Option(help="Part of the microphones' name, or their number.")] = "",
    speaker: Annotated[str, typer.Option(help="Part of the loudspeaker's name, or its number.")] = "",
    scene: Annotated[str | None, typer.Option(help="Talk in a simulated scene (YAML or name); needs --out.")] = None,
    out: Annotated[Path | None, typer.Option(help="With --scene: folder for what was heard, said and done.")] = None,
    grammar: Annotated[Path | None, typer.Option(help="Commands as YAML, see docs/commands.md.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="http://HOST:PORT/v1 of a language model.")] = None,
    model: Annotated[str | None, typer.Option(help="Its name; needs --endpoint.")] = None,
    people: Annotated[Path | None, typer.Option(help="Folder of people who are known; see `hearing enroll`.")] = None,
    voice: Annotated[str | None, typer.Option(help="hibari, espeak-ng, piper or pocket-tts.")] = None,
    full_scale: Annotated[
        float | None, typer.Option(help="dB SPL at which the microphones clip: it speaks up in noise then.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long; by default with Ctrl-C.")] = None,
) -> None:
    """Talk with the robot: it answers, is interrupted, and stops at an emergency word."""
    from hearing.captions import LiveCaptions
    from hearing.dialogue.brains.grammar_file import load_grammar

    if (endpoint is None) != (model is None):
        raise InputError("--endpoint and --model go together: where a language model is, and its name")
    if seconds is not None and seconds <= 0:
        raise InputError(f"--seconds is {seconds:g}; give more than 0")
    if (scene is None) == (array is None) or (scene is None) != (out is None):
        raise InputError("give either --array, for live microphones, or --scene and --out")
    commands = load_grammar(grammar)

    def conversation(microphones: MicrophoneArray, full_scale_db: float | None = full_scale) -> Conversation:
        return _conversation(microphones, people, voice, commands, endpoint, model, full_scale_db)

    with ExitStack() as closing:
        captions = LiveCaptions()
        closing.callback(captions.stop)
        try:
            if scene is not None and out is not None:
                _rehearse(scene, out, conversation, captions)
            elif array is not None:
                _talk(array, device, speaker, conversation, captions, seconds)
        except KeyboardInterrupt:
            say("stopped")


def _conversation(
    array: MicrophoneArray,
    people: Path | None,
    voice: str | None,
    commands: Grammar,
    endpoint: str | None,
    model: str | None,
    full_scale_db: float | None,
) -> Conversation:
    from hearing.dialogue.brains.chat_stream import Endpoint
    from hearing.dialogue.brains.loading import make_brain
    from hearing.dialogue.controller import DuplexController
    from hearing.dialogue.converse import Conversation
    from hearing.dialogue.listening import FloorListener
    from hearing.dialogue.turn_classifier import TurnClassifier
    from hearing.memory import open_people
    from hearing.pipeline import Pipeline
    from hearing.speech import load_synthesizer

    brain = make_brain(commands, Endpoint(endpoint, model) if endpoint is not None and model is not None else None)
    known = open_people(people).known() if people is not None else None
    pipeline = Pipeline.create(array, known=known)
    pipeline.bias(commands.phrases())
    try:
        classifier = TurnClassifier()
    except InputError as error:
        say(f"notice: {error}; ends of turns are found less well")
        classifier = None
    floor = FloorListener(classifier=classifier)
    return Conversation(pipeline, DuplexController(brain), load_synthesizer(voice), floor, full_scale_db)


def _rehearse(
    name: str,
    out: Path,
    converse: Callable[[MicrophoneArray, float | None], Conversation],
    captions: LiveCaptions,
) -> None:
    """Talk with the people of a simulated scene."""
    from hearing.outputs import check_out_dir

    try:
        from hearing_sim.scene import load_scene

        from hearing.rehearsal import rehearse
    except ImportError as error:
        raise InputError(f"{error}; simulated rooms need pip install 'robot-hearing[sim]'") from error
    check_out_dir(out)
    scene = load_scene(name)
    captions.start()
    rehearse(
        scene,
        lambda room: converse(room.array, scene.microphones.full_scale_db),
        lambda exchange: _show(exchange, captions),
        out,
    )
    say(f"{out}: what was heard, said and done, and timeline.png")


def _talk(
    array: str,
    device: str,
    speaker: str,
    converse: Callable[[MicrophoneArray], Conversation],
    captions: LiveCaptions,
    seconds: float | None,
) -> None:
    """Hear, decide and speak, for so many seconds or until Ctrl-C."""
    from hearing.arrays import load_array
    from hearing.continuity import Continuity, Faults
    from hearing.microphones import live_blocks
    from hearing.speech.loudspeaker import Loudspeaker
    from hearing.types import SAMPLE_RATE

    microphones = load_array(array)
    with Loudspeaker(speaker, say) as loudspeaker:
        conversation = converse(microphones)
        captions.start()
        continuity = Continuity(MAX_GAP, Faults())
        state, played = conversation.robot.health.brain, 0.0
        for block in live_blocks(device, microphones, Event(), say):
            admission = continuity.admit(block, round(block.start_sample / SAMPLE_RATE * 1e9))
            if admission.restart:
                say(f"no sound for more than {MAX_GAP:g} s: the conversation ends here")
                return
            for admitted in admission.blocks:
                exchange = conversation.process(admitted, played)
                if loudspeaker.play(exchange.samples):
                    played = admitted.end_time + len(exchange.samples) / SAMPLE_RATE
                _show(exchange, captions)
                before, state = state, conversation.robot.health.brain
                if state.state != before.state:
                    say(f"{state.name} is {state.state}: {state.message}")
                if seconds is not None and admitted.end_time >= seconds:
                    return


def _show(exchange: Exchange, captions: LiveCaptions) -> None:
    """Show what was heard and decided in the terminal."""
    for utterance in exchange.heard.utterances:
        captions.show(utterance)
    for act in exchange.acts:
        _report(act, captions)


def _report(act: DialogueAct, captions: LiveCaptions) -> None:
    from hearing.dialogue.acts import Do, Emergency, Pause, Resume, Speak, Stop

    if isinstance(act, Speak):
        captions.write(f"{'robot → ':>19}{act.to}: {act.text}")
    elif isinstance(act, Do):
        slots = ", ".join(f"{name}={value}" for name, value in act.command.slots.items())
        captions.write(f"{'does ':>19}{act.command.intent}({slots})")
    elif isinstance(act, Emergency):
        captions.write(f"{'EMERGENCY ':>19}{act.word}, from {act.speaker}")
    elif isinstance(act, (Pause, Resume, Stop)):
        captions.write(f"{'robot ':>19}{ {Pause: 'pauses', Resume: 'goes on', Stop: 'falls silent'}[type(act)] }")
