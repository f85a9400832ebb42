"""The dialogue node and the loudspeaker node, with a quick voice and stand-ins for sound card and hearing node."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from fake_chat import FakeChat, Reply
from geometry_msgs.msg import PointStamped
from hearing_msgs.action import Execute
from hearing_msgs.msg import AudioBlock, Command, DialogueAct, EndOfStream, HeardStep, Phrases
from hearing_msgs.srv import Say
from hearing_nodes import conversions, dialogue
from hearing_nodes.conversions import StreamClock
from hearing_nodes.dialogue import Dialogue
from hearing_nodes.loudspeaker import LoudspeakerNode
from hearing_nodes.node import AUDIO_QOS, LATEST_QOS, STATE_QOS, StageNode
from rclpy.action import ActionServer
from rclpy.executors import SingleThreadedExecutor
from spinning import PATIENCE, spin_until
from stand_ins import ANNA, PlainFloor, QuickVoice, utterance
from std_srvs.srv import SetBool, Trigger

from hearing.dialogue.brains.fallback import CANNOT_THINK
from hearing.types import SAMPLE_RATE, Track

STEP = 1600
ORIGIN = 1_700_000_000_000_000_000


class Ear:
    """A hearing node that hears somebody say a sentence, and silence otherwise."""

    def __init__(self, peer: rclpy.node.Node, origin: int = ORIGIN) -> None:
        self.steps_topic = peer.create_publisher(HeardStep, "hearing/steps", AUDIO_QOS)
        self.clock, self.position, self._count = StreamClock(origin, "microphones"), 0, 0

    def steps(self, text: str, seconds: float) -> Iterator[None]:
        """Hear somebody say something until just before the end; its words are known then."""
        begin = self.position / SAMPLE_RATE
        for number in range(round(seconds * 10)):
            said = ()
            if text and number == round(seconds * 10) - 1:
                self._count += 1
                said = (utterance(text, begin, begin + seconds - 0.1, f"u{self.clock.origin}_{self._count}"),)
            self._step(Track(1, 0.0, ANNA, 1.0 if text and not said else 0.0), said)
            yield

    def finish(self) -> None:
        """End the stream."""
        header = self.clock.header(self.position / SAMPLE_RATE)
        self.steps_topic.publish(HeardStep(header=header, start_sample=self.position, end_of_stream=True))

    def _step(self, track: Track, said: tuple = ()) -> None:
        self.steps_topic.publish(
            HeardStep(
                header=self.clock.header(self.position / SAMPLE_RATE),
                start_sample=self.position,
                samples=STEP,
                noise_level=float("nan"),
                tracks=[conversions.track_message(track)],
                utterances=[conversions.utterance_message(each, self.clock) for each in said],
            )
        )
        self.position += STEP


class Bench:
    """Nodes under test, and another that talks to them."""

    def __init__(self, *nodes: StageNode) -> None:
        self.nodes = list(nodes)
        self.peer = rclpy.create_node("peer")
        self.acts: list[DialogueAct] = []
        self.commands: list[Command] = []
        self.gazes: list[PointStamped] = []
        self.speech: list[AudioBlock] = []
        self.played: list[AudioBlock] = []
        self.ends: list[EndOfStream] = []
        self.phrases: list[Phrases] = []
        self.statuses: dict[str, list[DiagnosticStatus]] = {}
        listen = self.peer.create_subscription
        listen(DialogueAct, "dialogue/acts", self.acts.append, STATE_QOS)
        listen(Command, "dialogue/commands", self.commands.append, STATE_QOS)
        listen(PointStamped, "dialogue/gaze", self.gazes.append, LATEST_QOS)
        listen(AudioBlock, "dialogue/speech", self.speech.append, AUDIO_QOS)
        listen(AudioBlock, "playback", self.played.append, AUDIO_QOS)
        listen(EndOfStream, "dialogue/end_of_stream", self.ends.append, STATE_QOS)
        listen(Phrases, "hearing/phrases", self.phrases.append, LATEST_QOS)
        listen(DiagnosticArray, "/diagnostics", self._diagnosed, 10)
        self.ear = Ear(self.peer)
        self.executor = SingleThreadedExecutor()
        for node in (*self.nodes, self.peer):
            self.executor.add_node(node)
        for node in self.nodes:
            assert node.start()
        self.until(lambda: self.ear.steps_topic.get_subscription_count() > 0)

    def _diagnosed(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.statuses.setdefault(status.name, []).append(status)

    def end(self) -> None:
        for node in self.nodes:
            node.stop()
            node.destroy_node()
        self.peer.destroy_node()

    def until(self, condition: Callable[[], object]) -> None:
        spin_until(self.executor, condition)

    def hear(self, text: str = "", seconds: float = 1.0) -> None:
        """Let something be heard, not faster than it is answered and played."""
        for _ in self.ear.steps(text, seconds):
            self.until(self._followed)

    def hear_until(self, condition: Callable[[], object]) -> None:
        """Let silence be heard until something happens."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "nothing happened"
            self.hear(seconds=0.1)

    def _followed(self) -> bool:
        if not self.nodes:
            return True
        blocks = self.played if len(self.nodes) > 1 and Speaker.there else self.speech
        reached = [block.start_sample for block in blocks if block.start_sample <= self.ear.position]
        return self.ear.position < 3 * STEP or (bool(reached) and self.ear.position - reached[-1] < 3 * STEP)

    def call(self, kind: type, name: str, **fields: object) -> object:
        client = self.peer.create_client(kind, name)
        self.until(client.service_is_ready)
        future = client.call_async(kind.Request(**fields))
        self.until(future.done)
        return future.result()

    @property
    def texts(self) -> list[str]:
        return [act.text for act in self.acts if act.kind == DialogueAct.SAY]

    @property
    def intents(self) -> list[str]:
        return [command.intent for command in self.commands]

    def sounds(self) -> bool:
        """Whether the last speech was none of silence."""
        return bool(self.speech) and any(self.speech[-1].data)

    def diagnosed(self, text: str, level: bytes = DiagnosticStatus.ERROR, name: str = "/dialogue: dialogue") -> bool:
        return any(text in status.message and status.level == level for status in self.statuses.get(name, ()))


@pytest.fixture
def ros(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(dialogue, "load_synthesizer", lambda name, folder: QuickVoice())
    monkeypatch.setattr(dialogue, "FloorListener", PlainFloor)
    monkeypatch.setattr(dialogue, "TurnClassifier", lambda: None)
    rclpy.init()
    yield
    rclpy.shutdown()


@pytest.fixture
def benches(ros: None) -> Iterator[list[Bench]]:
    made: list[Bench] = []
    yield made
    for bench in made:
        bench.end()


def dialogue_node(**parameters: object) -> Dialogue:
    node = Dialogue()
    node.set_parameters([rclpy.Parameter(name, value=value) for name, value in parameters.items()])
    return node


@pytest.fixture
def bench(benches: list[Bench]) -> Bench:
    benches.append(Bench(dialogue_node(expect_commands=True)))
    return benches[-1]


def test_a_command_becomes_an_act_a_command_a_gaze_and_speech(bench: Bench) -> None:
    bench.hear("go to bay four")
    bench.hear_until(lambda: bench.texts and bench.intents and bench.sounds())
    assert "".join(bench.texts).endswith("Going to bay 4.")
    (command,) = bench.commands
    assert (command.intent, command.slots, command.values) == ("go_to_bay", ["bay"], ["4"])
    assert (command.speaker, command.emergency) == ("Anna", False)
    act = next(act for act in bench.acts if act.kind == DialogueAct.SAY)
    assert (act.addressee, act.in_reply_to) == ("Anna", f"u{ORIGIN}_1")
    bench.until(lambda: bench.gazes)
    point = bench.gazes[-1].point
    assert np.arctan2(point.y, point.x) == pytest.approx(ANNA.azimuth)
    assert bench.gazes[-1].header.frame_id == "microphones"


def test_speech_is_one_stream_of_blocks_stamped_with_when_they_are_due(bench: Bench) -> None:
    bench.hear(seconds=1.0)
    bench.until(lambda: len(bench.speech) == 10)
    starts = [block.start_sample for block in bench.speech]
    assert starts == [STEP * number for number in range(1, 11)]
    stamps = [conversions.nanoseconds(block.header.stamp) - ORIGIN for block in bench.speech]
    assert stamps == [round(start / SAMPLE_RATE * 1e9) for start in starts]


def test_an_emergency_word_is_a_command_to_stop(bench: Bench) -> None:
    bench.hear("stop")
    bench.until(lambda: bench.commands)
    assert (bench.commands[0].intent, bench.commands[0].emergency) == ("stop", True)
    assert any(act.kind == DialogueAct.EMERGENCY for act in bench.acts)


def test_the_end_of_the_stream_says_how_many_acts_there_were(bench: Bench) -> None:
    bench.hear("go to bay four")
    bench.hear(seconds=3.0)
    bench.ear.finish()
    bench.until(lambda: bench.ends)
    bench.until(lambda: len(bench.acts) >= bench.ends[0].dialogue_acts)
    assert bench.ends[0].dialogue_acts == len(bench.acts)


def test_say_stop_and_mute(bench: Bench) -> None:
    assert bench.call(Say, "dialogue/say", text="one two three four five six seven eight").success
    bench.hear_until(bench.sounds)
    assert bench.call(Trigger, "dialogue/stop").success
    bench.hear_until(lambda: not bench.sounds())
    assert bench.call(SetBool, "dialogue/mute", data=True).success
    bench.hear("go to bay four")
    bench.hear_until(lambda: bench.intents == ["go_to_bay"])
    bench.hear_until(lambda: bench.diagnosed("muted", DiagnosticStatus.OK))
    assert not bench.sounds()
    refused = bench.call(Say, "dialogue/say", text="...")
    assert not refused.success
    assert "text with letters" in refused.message


def test_the_words_of_the_commands_are_expected(bench: Bench) -> None:
    bench.until(lambda: bench.phrases)
    assert "torque wrench" in bench.phrases[0].phrases


def test_brains_are_swapped_while_it_runs_and_bad_ones_refused(bench: Bench, tmp_path) -> None:
    file = tmp_path / "lights.yaml"
    file.write_text('intents:\n  lamp:\n    phrases: ["lamp on please now"]\n    reply: "It shines."\n')
    (bad,) = bench.nodes[0].set_parameters([rclpy.Parameter("brain", value=str(tmp_path / "missing.yaml"))])
    assert not bad.successful
    assert "missing.yaml" in bad.reason
    (good,) = bench.nodes[0].set_parameters([rclpy.Parameter("brain", value=str(file))])
    assert good.successful
    bench.hear("lamp on please now")
    bench.hear_until(lambda: bench.intents == ["lamp"])


def test_permissions_change_while_it_runs(bench: Bench) -> None:
    (result,) = bench.nodes[0].set_parameters([rclpy.Parameter("permissions", value=["go_to_bay=Ben"])])
    assert result.successful
    bench.hear("go to bay four")
    bench.hear_until(lambda: bench.texts)
    assert "only Ben" in " ".join(bench.texts)
    assert not bench.commands
    (refused,) = bench.nodes[0].set_parameters([rclpy.Parameter("permissions", value=["fly=Ben"])])
    assert "no such command" in refused.reason


def test_live_speech_is_answered(benches: list[Bench]) -> None:
    messages = pytest.importorskip("hri_msgs.msg")
    bench = Bench(dialogue_node(live_speech="/humans/voices/v1/speech"))
    benches.append(bench)
    speech = bench.peer.create_publisher(messages.LiveSpeech, "/humans/voices/v1/speech", 10)
    bench.until(lambda: speech.get_subscription_count() > 0)
    speech.publish(messages.LiveSpeech(incremental="go to"))
    speech.publish(messages.LiveSpeech(final="go to bay four"))
    bench.hear_until(lambda: bench.intents == ["go_to_bay"])


def test_commands_are_goals_and_what_fails_is_said(benches: list[Bench]) -> None:
    bench = Bench(dialogue_node(actions=True))
    benches.append(bench)
    goals: list[Command] = []

    def execute(goal) -> Execute.Result:
        goals.append(goal.request.command)
        goal.abort()
        return Execute.Result(success=False, message="The way is blocked.")

    server = ActionServer(bench.peer, Execute, "execute", execute)
    bench.until(lambda: bench.nodes[0]._commander.ready)
    bench.hear("go to bay four")
    bench.hear_until(lambda: goals and bench.nodes[0]._commander.failed)
    assert goals[0].intent == "go_to_bay"
    server.destroy()


def test_a_model_that_is_killed_in_an_answer_leaves_commands_and_is_diagnosed(benches: list[Bench]) -> None:
    server = FakeChat()
    try:
        server.replies = [Reply(["It is noon. ", "And the "], breaks_off=True)]
        bench = Bench(dialogue_node(brain=server.url, model="test"))
        benches.append(bench)
        bench.hear("what time is it")
        bench.hear_until(lambda: any("It is noon." in text for text in bench.texts))
        server.stop()
        bench.hear_until(lambda: CANNOT_THINK in bench.texts)
        bench.hear("go to bay four")
        bench.hear_until(lambda: bench.intents == ["go_to_bay"])
        bench.hear_until(lambda: bench.diagnosed("an answer of test failed", DiagnosticStatus.WARN))
    finally:
        server.stop()


@pytest.mark.parametrize("order", ["hearing first", "dialogue first"])
def test_nodes_start_again_in_any_order(order: str, benches: list[Bench]) -> None:
    bench = Bench(dialogue_node())
    benches.append(bench)
    bench.hear("go to bay four")
    bench.hear_until(lambda: bench.intents == ["go_to_bay"])
    if order == "dialogue first":
        node = bench.nodes.pop()
        bench.executor.remove_node(node)
        node.stop()
        node.destroy_node()
        bench.hear(seconds=0.5)
        bench.nodes.append(dialogue_node())
        bench.executor.add_node(bench.nodes[0])
        assert bench.nodes[0].start()
        bench.until(lambda: bench.ear.steps_topic.get_subscription_count() > 0)
    else:
        bench.ear = Ear(bench.peer, ORIGIN + 60_000_000_000)
        bench.until(lambda: bench.ear.steps_topic.get_subscription_count() > 0)
    bench.hear("wait here")
    bench.hear_until(lambda: bench.intents == ["go_to_bay", "wait"])
    bench.hear_until(lambda: bench.texts[-1] == "I am waiting." and bench.sounds())


def test_without_a_hearing_node_it_says_so_and_still_speaks(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue, "DEAF", 0.0)
    bench.until(lambda: bench.diagnosed("hears nothing"))
    bench.call(Say, "dialogue/say", text="I hear nothing")
    bench.until(bench.sounds)


class PortAudioError(Exception):
    """As in sounddevice."""


class Speaker:
    """A loudspeaker that is there or not."""

    there = True
    latency = 0.02

    def __init__(self, **_: object) -> None:
        if not self.there:
            raise PortAudioError("No such device")

    def start(self) -> None:
        pass

    def close(self) -> None:
        pass

    def write(self, samples: np.ndarray) -> None:
        if not self.there:
            raise PortAudioError("Unplugged")


@pytest.fixture
def aloud(benches: list[Bench], monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(Speaker, "there", True)
    monkeypatch.setattr("hearing.speech.loudspeaker.AGAIN", 0.0)
    module = SimpleNamespace(OutputStream=Speaker, PortAudioError=PortAudioError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    benches.append(Bench(LoudspeakerNode(), dialogue_node(awaits_playback=True)))
    bench = benches[-1]
    bench.hear_until(lambda: bench.played)
    return bench


def test_what_is_played_is_published_for_the_echo_canceller(aloud: Bench) -> None:
    aloud.hear_until(lambda: len(aloud.played) > 5)
    assert [block.start_sample % STEP for block in aloud.played] == [0] * len(aloud.played)
    stamps = [conversions.nanoseconds(block.header.stamp) for block in aloud.played]
    assert stamps == sorted(stamps)


def test_a_loudspeaker_that_is_unplugged_is_diagnosed_and_used_again(aloud: Bench) -> None:
    Speaker.there = False
    aloud.hear_until(lambda: aloud.diagnosed("is not played"))
    aloud.until(lambda: aloud.diagnosed("the loudspeaker is gone", name="/loudspeaker: loudspeaker"))
    aloud.hear("go to bay four")
    aloud.hear_until(lambda: aloud.intents == ["go_to_bay"])
    Speaker.there = True
    before = len(aloud.played)
    aloud.hear("wait here")
    aloud.hear_until(lambda: any(any(block.data) for block in aloud.played[before:]))


def test_the_node_waits_for_a_loudspeaker_that_is_not_there_yet(
    ros: None, monkeypatch: pytest.MonkeyPatch, benches: list[Bench]
) -> None:
    monkeypatch.setattr(Speaker, "there", False)
    monkeypatch.setattr("hearing.speech.loudspeaker.AGAIN", 0.0)
    module = SimpleNamespace(OutputStream=Speaker, PortAudioError=PortAudioError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    bench = Bench(LoudspeakerNode(), dialogue_node(awaits_playback=True))
    benches.append(bench)
    bench.hear_until(lambda: len(bench.speech) > 3)
    assert not bench.played
    Speaker.there = True
    bench.hear_until(lambda: bench.played)
