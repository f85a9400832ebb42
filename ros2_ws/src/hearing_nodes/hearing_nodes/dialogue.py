"""The dialogue node: takes turns with people, by what the hearing node tells of them."""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from geometry_msgs.msg import PointStamped
from hearing_msgs.msg import AudioBlock, Command, DialogueAct, EndOfStream, HeardStep, Phrases
from hearing_msgs.srv import Say
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.parameter import Parameter
from std_srvs.srv import SetBool, Trigger

from hearing.dialogue import acts
from hearing.dialogue.brains.brain import Brain
from hearing.dialogue.brains.chat_stream import Endpoint
from hearing.dialogue.brains.grammar import Grammar
from hearing.dialogue.brains.grammar_file import load_grammar
from hearing.dialogue.brains.loading import make_brain, with_permissions
from hearing.dialogue.controller import DuplexConfig, DuplexController
from hearing.dialogue.interlocutor import Interlocutor, Stretch
from hearing.dialogue.listening import FloorListener
from hearing.dialogue.turn_classifier import TurnClassifier
from hearing.errors import InputError
from hearing.speech import load_synthesizer, synthesizer_names
from hearing.types import SAMPLE_RATE
from hearing.types import AudioBlock as LibraryBlock
from hearing_nodes import conversions, decisions, steps
from hearing_nodes.commanding import Commander
from hearing_nodes.conversions import StreamClock
from hearing_nodes.node import (
    AUDIO_QOS,
    ERROR,
    LATEST_QOS,
    OK,
    STATE_QOS,
    WARN,
    Diagnosis,
    StageNode,
    run,
    without_blanks,
)
from hearing_nodes.optional import needed
from hearing_nodes.steps import StepReader

DEAF = 2.0
"""Seconds without a step of the hearing node from which on the node keeps time itself, to say what is to be said."""
BEAT = 0.1
"""Seconds of its own steps."""
MOST_LOST = 10.0
"""Seconds of steps that may get lost before what follows is another stream."""
_BRAIN = ("brain", "commands", "model", "permissions")


class Dialogue(StageNode):
    """Listens while it speaks, in one worker thread, driven by the steps of the hearing node.

    Subscribes `hearing/steps`, and `playback` if that tells what was heard of it; publishes `~/acts`, `~/commands`,
    `~/gaze`, `~/speech`, `~/end_of_stream`, `hearing/phrases` if wanted, and `/diagnostics`; serves `~/say`, `~/stop`
    and `~/mute`; is the client of the action `execute` if there is one.
    """

    aspect = "dialogue"

    def __init__(self) -> None:
        super().__init__("dialogue")
        declare = self.declare
        declare(
            "brain", "", "Commands (YAML file; empty: built-in), or http://HOST:PORT/v1 of a language model", live=True
        )
        declare("commands", "", "Commands beside a language model (YAML file; empty: built-in)", live=True)
        declare("model", "", "Name of the language model", live=True)
        declare("permissions", [""], "Who may command what: INTENT=anyone, INTENT=known, or INTENT=Anna,Ben", live=True)
        declare("robot_name", "Robot", "What people call the robot")
        declare("threshold", 0.5, "Probability of being said to the robot from which on to answer", (0.0, 1.0))
        declare("hum_after", 0.0, "Seconds of speech after which to hum when somebody pauses; 0: never", (0.0, 60.0))
        declare("emergency_words", list(DuplexConfig().emergency), "Words on which everything stops, whoever says them")
        declare("voice", "", "Synthesizer; empty: the packaged one", choices=("", *synthesizer_names()))
        declare("voice_folder", "", "Folder of the voice's files, for synthesizers that need one")
        declare(
            "full_scale_db",
            0.0,
            "dB SPL at which the microphones clip; 0: unknown",
            (0.0, 200.0),
        )
        declare("loudspeaker_db", 70.0, "dB(A) at 1 m of speech that is played at -26 dB of full scale", (30.0, 110.0))
        declare("awaits_playback", False, "Whether `playback` tells what the loudspeaker has played of ~/speech")
        declare("actions", False, "Have commands done by the action `execute`, and say what fails")
        declare("expect_commands", False, "Have the hearing node expect the words of the commands (hearing/phrases)")
        declare("live_speech", "", "Topic of a hri_msgs/LiveSpeech that is said to the robot; empty: none")
        self._robot: Interlocutor | None = None
        self.add_on_set_parameters_callback(self._check)
        self.add_post_set_parameters_callback(self._take)

    def configure(self) -> None:
        """Load the brain, the voice and the models."""
        commands, brain = self._make_brain({name: self.value(name) for name in _BRAIN})
        words = self.texts("emergency_words")
        hum_after = self.value("hum_after") or None
        config = DuplexConfig(
            self.value("robot_name"), addressed=self.value("threshold"), emergency=words, hum_after=hum_after
        )
        folder = self.value("voice_folder")
        voice = load_synthesizer(self.value("voice") or None, Path(folder) if folder else None)
        floor = FloorListener(classifier=self._classifier())
        self._robot = Interlocutor(DuplexController(brain, config), voice, floor, self.value("loudspeaker_db"))
        self._commands = commands
        self._speech_messages = needed("hri_msgs", "live_speech") if self.value("live_speech") else None

    def activate(self) -> None:
        """Make the topics and services, and start the worker."""
        self._queue: queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]] | None] = queue.SimpleQueue()
        self._reader, self._stream = StepReader(), StreamClock(self.get_clock().now().nanoseconds, "")
        self._next, self._played = 0, 0.0
        self._latest: dict[int, str] = {}
        self._said = self._streams = self._deaf_times = self._lost_times = 0
        self._deaf = self._keeps_time = False
        self._bad, self._reported = "", (0, 0, 0)
        self._heard_at = time.monotonic()
        self._robot.reset()
        self._acts = self.create_publisher(DialogueAct, "~/acts", STATE_QOS)
        self._ends = self.create_publisher(EndOfStream, "~/end_of_stream", STATE_QOS)
        self._orders = self.create_publisher(Command, "~/commands", STATE_QOS)
        self._gaze = self.create_publisher(PointStamped, "~/gaze", LATEST_QOS)
        self._speech = self.create_publisher(AudioBlock, "~/speech", AUDIO_QOS)
        self._phrases = self.create_publisher(Phrases, "hearing/phrases", LATEST_QOS)
        self._outputs = [self._acts, self._ends, self._orders, self._gaze, self._speech, self._phrases]
        self._commander = Commander(self, partial(self._put, self._robot.announce)) if self.value("actions") else None
        self._inputs = [self.create_subscription(HeardStep, "hearing/steps", partial(self._put, self._hear), AUDIO_QOS)]
        if self.value("awaits_playback"):
            play = partial(self._put, self._follow)
            self._inputs.append(self.create_subscription(AudioBlock, "playback", play, AUDIO_QOS))
        if self._speech_messages is not None:
            kind, topic = self._speech_messages.LiveSpeech, self.value("live_speech")
            self._inputs.append(self.create_subscription(kind, topic, self._on_live_speech, 10))
        self._served = [
            self.create_service(Say, "~/say", self._on_say),
            self.create_service(Trigger, "~/stop", self._on_stop),
            self.create_service(SetBool, "~/mute", self._on_mute),
        ]
        self._expect()
        self._timer = self.create_timer(
            BEAT, partial(self._put, self._beat), clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        self._worker = self.begin_work(self._work, "dialogue")

    def deactivate(self) -> None:
        """Stop the worker, and drop the topics."""
        self.destroy_timer(self._timer)
        self._queue.put(None)
        self._worker.join()
        self._robot.stop()
        for service in self._served:
            self.destroy_service(service)
        for subscription in self._inputs:
            self.destroy_subscription(subscription)
        if self._commander is not None:
            self._commander.close()
        for publisher in self._outputs:
            self.destroy_publisher(publisher)

    def cleanup(self) -> None:
        """Drop what was loaded."""
        self._robot = None

    def diagnose(self) -> Diagnosis:
        """Tell whether it hears, thinks and can be heard."""
        health = self._robot.health
        brain, commander = health.brain, self._commander
        counts = (self._deaf_times, self._lost_times, brain.failures)
        happened, self._reported = [now > before for now, before in zip(counts, self._reported, strict=True)], counts
        faults = [
            (ERROR, self._deaf, "hears nothing: is the hearing node active, and does it get audio?"),
            (ERROR, health.loudspeaker_lost, "what it says is not played: see the loudspeaker node and its device"),
            (ERROR, health.voice, f"the voice fails: {health.voice}"),
            (ERROR, self._bad, self._bad),
            (WARN, brain.state != "ready", f"{brain.name} is {brain.state}: {brain.message}"),
            (WARN, commander is not None and not commander.ready, "nobody serves the action `execute`"),
            (WARN, happened[0], "heard nothing for a while"),
            (WARN, happened[1], "was not heard for a while"),
            (WARN, happened[2], f"an answer of {brain.name} failed: {brain.message}"),
        ]
        found = [(level, text) for level, is_so, text in faults if is_so]
        level = max((level for level, _ in found), default=OK)
        text = "; ".join(text for _, text in found) or ("muted" if health.muted else "listens")
        values = {
            "brain": brain.name,
            "brain_state": brain.state,
            "brain_answers": brain.answers,
            "brain_failures": brain.failures,
            "first_piece_seconds": "" if brain.first_piece is None else f"{brain.first_piece:.2f}",
            "streams": self._streams,
            "times_deaf": self._deaf_times,
            "times_not_played": self._lost_times,
            "lost_samples": self._reader.lost,
            "muted": health.muted,
        }
        if commander is not None:
            values |= {"commands_done": commander.done, "commands_failed": commander.failed}
        self._bad = ""
        return Diagnosis(level, text, values)

    def _classifier(self) -> TurnClassifier | None:
        try:
            return TurnClassifier()
        except InputError as error:
            self.get_logger().warning(f"{error}; ends of turns are found less well")
            return None

    def _make_brain(self, values: dict[str, Any]) -> tuple[Grammar, Brain]:
        """Make the brain that parameters describe."""
        address = values["brain"].startswith(("http://", "https://"))
        file = values["commands"] if address else values["brain"]
        if not address and values["commands"]:
            raise InputError("commands go with a language model; without one give them as brain")
        grammar = load_grammar(Path(file) if file else None)
        grammar = with_permissions(grammar, without_blanks(values["permissions"]))
        return grammar, make_brain(grammar, Endpoint(values["brain"], values["model"]) if address else None)

    def _changed(self, parameters: Sequence[Parameter]) -> dict[str, Any] | None:
        """Return what describes the brain once some parameters have changed, or None if none of them does."""
        new = {parameter.name: parameter.value for parameter in parameters if parameter.name in _BRAIN}
        return {name: new.get(name, self.value(name)) for name in _BRAIN} if new else None

    def _check(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        """Refuse a brain that cannot be."""
        try:
            if self._robot is not None and (values := self._changed(parameters)) is not None:
                self._make_brain(values)
        except InputError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _take(self, parameters: Sequence[Parameter]) -> None:
        """Use another brain from now on; it knows what was said before."""
        if self._robot is not None and self._changed(parameters) is not None:
            self._commands, brain = self._make_brain({name: self.value(name) for name in _BRAIN})
            if self._active:
                self._put(self._robot.use, brain)
                self._expect()
            else:
                self._robot.use(brain)

    def _expect(self) -> None:
        if self.value("expect_commands"):
            self._phrases.publish(Phrases(phrases=list(self._commands.phrases())))

    def _on_say(self, request: Say.Request, response: Say.Response) -> Say.Response:
        if any(map(str.isalnum, request.text)):
            self._put(self._robot.announce, request.text)
            response.success = True
        else:
            response.message = "there is nothing to say: give text with letters"
        return response

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._put(self._robot.stop)
        response.success = True
        return response

    def _on_mute(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._robot.muted = request.data
        response.success = True
        return response

    def _on_live_speech(self, message: Any) -> None:
        final, text = bool(message.final), message.final or message.incremental
        if text:
            self._put(self._robot.read, text, self.value("live_speech"), "unknown", final)

    def _put(self, use: Callable[..., None], *items: Any) -> None:
        """Have the worker do something once it has come to it."""
        self._queue.put((use, items))

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            use, content = item
            use(*content)

    def _hear(self, message: HeardStep) -> None:
        self._heard_at, self._deaf, self._keeps_time = time.monotonic(), False, False
        begins = self._reader.begins(message) or message.start_sample < self._next
        self._stream = self._reader.take(message)
        if begins or message.start_sample > self._next + MOST_LOST * SAMPLE_RATE:
            self._begin(int(message.start_sample))
        elif message.start_sample > self._next:
            self._advance(Stretch(self._next, int(message.start_sample) - self._next, played=self._told()))
        try:
            self._advance(steps.stretch(message, self.value("full_scale_db") or None, self._told()))
        except InputError as error:
            self._bad = str(error)
        if message.end_of_stream:
            self._ends.publish(EndOfStream(header=message.header, dialogue_acts=self._said))
            self._said = 0
            self._reader.reset()

    def _begin(self, start: int) -> None:
        """Begin with another stream."""
        self._robot.reset()
        self._streams += 1
        self._latest.clear()
        self._next, self._played = start, start / SAMPLE_RATE

    def _beat(self) -> None:
        """Keep time while nothing is heard, so that answers end and announcements are made."""
        silent = time.monotonic() - self._heard_at
        if silent < DEAF:
            return
        self._deaf_times += not self._deaf
        self._deaf = True
        # As long as there is nothing to say, the stream may still go on where it has stopped.
        self._keeps_time |= self._robot.busy
        if not self._keeps_time:
            return
        self._advance(Stretch(self._next, round(BEAT * SAMPLE_RATE), played=self._told()))

    def _follow(self, message: AudioBlock) -> None:
        """Note how far the loudspeaker is."""
        end = (message.start_sample + len(message.data) // max(message.channels, 1)) / SAMPLE_RATE
        self._played = min(end, self._next / SAMPLE_RATE)

    def _told(self) -> float | None:
        return self._played if self.value("awaits_playback") else None

    def _advance(self, stretch: Stretch) -> None:
        """Decide and speak, and publish that."""
        lost = self._robot.health.loudspeaker_lost
        done, samples = self._robot.process(stretch)
        self._lost_times += self._robot.health.loudspeaker_lost and not lost
        self._next = stretch.start_sample + stretch.n_samples
        header = self._stream.header(stretch.end_time)
        self._latest |= {utterance.track_id: utterance.id for utterance in stretch.utterances}
        for act in done:
            self._acts.publish(decisions.act_message(act, header, self._latest))
            self._said += 1
            if isinstance(act, acts.Look):
                self._gaze.publish(decisions.gaze_message(act.direction, header))
            elif isinstance(act, acts.Do):
                self._order(decisions.command_message(act.command, header))
            elif isinstance(act, acts.Emergency):
                self._order(decisions.emergency_message(act, header))
        if len(samples):
            # The samples of a stretch are played during the next one.
            self._speech.publish(conversions.audio_message(LibraryBlock(samples[:, None], self._next), self._stream))

    def _order(self, command: Command) -> None:
        self._orders.publish(command)
        if self._commander is not None:
            self._commander.send(command)


def main() -> None:
    """Run the node."""
    sys.exit(run(Dialogue))


if __name__ == "__main__":
    main()
