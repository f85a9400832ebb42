"""When the robot speaks, and when it stops: it listens all the time, also while it speaks itself.

Nothing here waits: every call takes what is new and returns what to do. Answers are prepared from partial words, begun
when the floor is yielded, ducked when somebody says something, paused when he takes the floor, and then dropped for
another answer or resumed (DeVault, Sagae & Traum 2009, Can I finish? Learning when to respond to incremental
interpretation results in interactive dialogue; Skantze & Hjalmarsson 2013, Towards incremental speech generation in
conversational systems).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from hearing.dialogue.acts import DialogueAct, Do, Duck, Emergency, Look, Pause, Resume, Speak, Spoken, Stop
from hearing.dialogue.answer import Answer
from hearing.dialogue.brains.brain import Ask, Brain, Command, DialogueContext, Nothing, Say, UserTurn, is_known
from hearing.dialogue.emergency import WORDS, EmergencyWords
from hearing.dialogue.floor import PAUSE, FloorState
from hearing.dialogue.interruption import InterruptionConfig, decide
from hearing.dialogue.partner import FORGOTTEN, Partner
from hearing.types import SpottedWord, Utterance

_FADING = 0.5
"""Seconds for which the voice of an emergency word is still heard when the word is known."""
_LIKELY = 0.75
"""Probability that a turn is over from which on its final words need to be followed by less silence."""
_ASIDE = 2.0
"""Seconds of silence after which what was said to somebody else is done with."""


@dataclass(frozen=True, slots=True)
class DuplexConfig:
    """How to take turns. Probabilities and seconds.

    Attributes
    ----------
    robot_name
        What people call it.
    over
        A turn is answered when it is over with this probability,
    addressed, aside
        and said to the robot with this one, but by its sound not to somebody else with that one.
    sure
        From this probability on how it sounds does not matter.
    doubt, reply
        With up to so much less than `addressed` it is answered after so many seconds in which nobody else replies.
    unsaid
        While no word of it is known: when somebody talks to the robot with this one.
    read, timer, thinking
        Only where the floor model is not sure: silence after which a turn is over that is likely to be and whose words
        are final, after which any is, and after which it is over even though it sounds unfinished.
    openers
        What to begin with, in turn, while the last words are still being recognized; none: wait for them.
    word_patience
        Silence after which a turn without words is none.
    emergency
        Words on which everything stops.
    recall
        What to begin with when the rest of an answer is said after a long interruption.
    hum, hum_after
        An own backchannel in a pause to think, after so much speech; None for none.
    lost
        An answer of which the loudspeaker tells nothing for so many seconds is given up.
    interruption
        How easily the robot is interrupted.
    """

    robot_name: str = "Robot"
    over: float = 0.97
    addressed: float = 0.5
    aside: float = 0.4
    sure: float = 0.9
    doubt: float = 0.1
    reply: float = 1.2
    unsaid: float = 0.9
    read: float = 0.9
    timer: float = 3.0
    thinking: float = 6.0
    openers: tuple[str, ...] = ("Okay,", "Right,", "Well,")
    word_patience: float = 2.5
    emergency: tuple[str, ...] = WORDS
    recall: str = "As I said:"
    hum: str = "Mm-hm."
    hum_after: float | None = None
    lost: float = 2.0
    interruption: InterruptionConfig = field(default_factory=InterruptionConfig)


@dataclass(frozen=True, slots=True)
class Heard:
    """What is new since the last call.

    Attributes
    ----------
    floor
        State of everybody, from `FloorModel`; empty between its ticks.
    utterances
        New or revised ones of people, the robot's own speech left out, in order.
    spoken
        How far the loudspeaker is with the answer, or None where it has none.
    spotted
        Emergency words that people said, heard before any text has them.
    """

    floor: Sequence[FloorState] = ()
    utterances: Sequence[Utterance] = ()
    spoken: Spoken | None = None
    spotted: Sequence[SpottedWord] = ()


class DuplexController:
    """Streaming: from what is heard to what is said and done.

    Parameters
    ----------
    brain
        What answers. May be swapped while nothing is answered: `controller.brain = other`.
    config
        How to take turns.
    """

    latency = 0.1

    def __init__(self, brain: Brain, config: DuplexConfig | None = None) -> None:
        self.brain = brain
        self.config = config or DuplexConfig()
        self._emergency = EmergencyWords(self.config.emergency, (self.config.robot_name,))
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._emergency.reset()
        self._partners: dict[int, Partner] = {}
        self._queue: deque[int] = deque()
        self._answer: Answer | None = None
        self._count = 0
        self._last: int | None = None
        self._asked = False
        self._prepared = ""
        self._overheard: deque[UserTurn] = deque(maxlen=8)

    @property
    def asked(self) -> bool:
        """Whether the robot's last words were a question that waits for an answer; for `RobotNow`."""
        return self._asked and self._answer is None

    def process(self, now: float, heard: Heard) -> list[DialogueAct]:
        """Take what is new and decide.

        Parameters
        ----------
        now
            Stream time in seconds. Call ten times a second, with every tick of the floor and every utterance.
        heard
            What is new.

        Returns
        -------
        What to do, in order.
        """
        acts: list[DialogueAct] = []
        self._follow_speech(now, heard.spoken)
        for spotted in heard.spotted:
            acts += self._take_spotted(spotted)
        for utterance in heard.utterances:
            acts += self._take_words(utterance)
        if heard.floor:
            for state in heard.floor:
                self._partner(state.track_id).follow(state)
            self._forget(now, {state.track_id for state in heard.floor})
            acts += self._listen_while_speaking(now)
            for partner in self._partners.values():
                acts += self._judge_turn(partner)
        acts += self._begin_next(now)
        acts += self._go_on(now)
        self._prepare()
        return acts

    def _partner(self, track_id: int) -> Partner:
        return self._partners.setdefault(track_id, Partner(track_id))

    def _forget(self, now: float, live: set[int]) -> None:
        """Forget who is gone, once nothing is left to be answered."""
        kept = live | set(self._queue) | ({self._answer.to} if self._answer else set())
        self._partners = {
            track: each
            for track, each in self._partners.items()
            if track in kept or (each.utterances and now - each.last_heard < FORGOTTEN)
        }

    def _follow_speech(self, now: float, spoken: Spoken | None) -> None:
        answer = self._answer
        if answer is None or spoken is None or spoken.answer_id != answer.id:
            return
        answer.told = now
        before, answer.spoken = answer.heard, spoken
        if answer.asked and answer.heard != before:
            self.brain.heard(answer.heard)

    def _take_spotted(self, spotted: SpottedWord) -> list[DialogueAct]:
        """Act on an emergency word before any text has it."""
        word = self._emergency.spot(spotted)
        if word is None:
            return []
        partner = self._partner(spotted.track_id)
        partner.close(spotted.emitted + _FADING)
        partner.answered.add(spotted.utterance_id)
        self._queue.clear()
        return [Emergency(word, spotted.utterance_id, partner.name, spotted.direction), *self._drop(reopen=False)]

    def _take_words(self, utterance: Utterance) -> list[DialogueAct]:
        """Note what somebody says; act on emergency words, and on words that turn out to be others."""
        answer = self._answer
        partner = self._partner(utterance.track_id)
        if (word := self._emergency.process(utterance.id, utterance.words)) is not None:
            partner.hear(utterance)
            partner.close()
            self._queue.clear()
            return [Emergency(word, utterance.id, utterance.speaker, utterance.direction), *self._drop(reopen=False)]
        if answer and answer.misunderstood(utterance):
            acts = self._drop()
            partner.hear(utterance)
            self._queue.appendleft(partner.track_id)
            return acts
        partner.hear(utterance)
        return []

    def _listen_while_speaking(self, now: float) -> list[DialogueAct]:
        answer = self._answer
        if answer is None or answer.spoken is None:
            return []
        decision = decide(now, answer, self._partners, self.config.interruption)
        if decision == "duck":
            answer.voice, answer.since = "ducked", now
            return [Duck(answer.id)]
        if decision == "pause":
            answer.voice, answer.since = "paused", now
            return [Pause(answer.id)]
        if decision == "resume":
            if answer.voice == "paused" and answer.by in self._partners:
                self._partners[answer.by].close()
            answer.voice = "speaking"
            return [Resume(answer.id)]
        if decision == "recall":
            rest, to = answer.spoken.unsaid, answer
            acts = self._drop(reopen=False)
            return acts + self._say_again(to, rest, now) if rest else acts
        return self._drop() if decision == "drop" else []

    def _say_again(self, dropped: Answer, rest: str, now: float) -> list[DialogueAct]:
        self._answer = again = Answer(self._new_id(), dropped.to, dropped.turn, prefix=self.config.recall)
        return [self._speak(again, f"{self.config.recall} {rest}", now)]

    def _drop(self, reopen: bool = True) -> list[DialogueAct]:
        """Stop the answer. If nothing of it was heard yet, what it answers is open again: there is more to come."""
        answer, self._answer = self._answer, None
        if answer is None:
            return []
        if answer.asked:
            self.brain.heard(answer.heard)
            self.brain.cancel()
            if reopen and not answer.heard and answer.to in self._partners:
                self._partners[answer.to].reopen(answer.utterances)
        return [Stop(answer.id)] if answer.text else []

    def _judge_turn(self, partner: Partner) -> Iterator[DialogueAct]:
        """Queue a turn that is over, and note one that was said to somebody else."""
        config, floor = self.config, partner.floor
        if floor is None:
            return
        if floor.talking:
            if partner.track_id in self._queue:
                self._queue.remove(partner.track_id)
            return
        answering = self._answer is not None and self._answer.to == partner.track_id and not self._answer.asked
        if answering or partner.track_id in self._queue or not partner.fresh:
            return
        turn = partner.turn
        finished = config.read if turn is not None and turn.final and partner.over >= _LIKELY else config.timer
        over = (floor.over >= config.over and floor.silence >= PAUSE) or floor.silence >= (
            finished if floor.over >= 0.5 else config.thinking
        )
        if over and self._is_request(partner, turn, floor):
            self._queue.append(partner.track_id)
        elif turn is not None and turn.final and floor.silence >= _ASIDE and over:
            self._overheard.append(turn)
            partner.close()
        elif turn is not None and config.hum_after is not None and floor.speech > config.hum_after:
            yield from self._hum(partner, turn, floor)

    def _is_request(self, partner: Partner, turn: UserTurn | None, floor: FloorState) -> bool:
        if turn is None:
            return bool(self.config.openers) and floor.takes >= self.config.unsaid and floor.silence < 1.0
        if turn.addressed < max(self.config.sure, self.config.addressed) and not self._is_meant(partner, turn, floor):
            return False
        return self._asked or floor.takes >= floor.backchannel or len(turn.text.split()) > 3

    def _is_meant(self, partner: Partner, turn: UserTurn, floor: FloorState) -> bool:
        """Whether the robot is meant by who has not called it."""
        if turn.addressed < self.config.addressed - self.config.doubt or floor.side > self.config.aside:
            return False
        replied = any(other.last_voice > partner.last_voice for other in self._partners.values())
        return turn.addressed >= self.config.addressed or (floor.silence >= self.config.reply and not replied)

    def _hum(self, partner: Partner, turn: UserTurn, floor: FloorState) -> Iterator[DialogueAct]:
        thinks = floor.silence >= PAUSE and floor.holds > 0.7
        if thinks and not partner.hummed and self._answer is None and turn.addressed >= self.config.addressed:
            partner.hummed = True
            yield Speak(self._new_id(), self.config.hum, partner.name, partner.track_id, partner.direction, hums=True)

    def _begin_next(self, now: float) -> list[DialogueAct]:
        """Begin the answer to whoever has waited longest, if nobody else talks to the robot."""
        if self._answer is not None or not self._queue:
            return []
        states = [each.floor for each in self._partners.values() if each.floor and each.floor.talking]
        if any(state.takes >= self.config.interruption.takes for state in states):
            return []
        to = self._queue.popleft()
        partner = self._partner(to)
        self._answer = answer = Answer(self._new_id(), to, since=now)
        acts: list[DialogueAct] = [Look(partner.name, to, partner.direction)] if partner.direction else []
        named = is_known(partner.name) and (bool(self._queue) or self._last not in (None, to))
        if named:
            answer.prefix = f"{partner.name},"
        elif not partner.read(now) and self.config.openers:
            answer.prefix = self.config.openers[self._count % len(self.config.openers)]
        if not partner.read(now) and answer.prefix:
            acts.append(self._speak(answer, answer.prefix, now))
        self._last = to
        return acts

    def _go_on(self, now: float) -> list[DialogueAct]:
        """Ask the brain when the words are there, and pass on what it gives."""
        answer = self._answer
        if answer is None:
            return []
        if answer.text and now - answer.told > self.config.lost:
            return self._drop(reopen=False)
        if answer.voice == "paused":
            return []
        partner = self._partner(answer.to)
        if not answer.asked:
            if not partner.read(now) and now - max(partner.last_voice, answer.since) < self.config.word_patience:
                return []
            if (turn := partner.turn) is None:
                return self._drop()
            answer.turn, answer.utterances = turn, tuple(partner.utterances.values())
            partner.close()
            self._asked = False
            answer.events = self.brain.respond(turn, self._context())
            self._overheard.clear()
        acts = list(self._pieces(answer, now))
        if answer.over:
            self._asked, self._answer = answer.question, None
        return acts

    def _pieces(self, answer: Answer, now: float) -> Iterator[DialogueAct]:
        while answer.events is not None:
            event = next(answer.events, None)
            if event is None or isinstance(event, Nothing):
                answer.events = None
            elif isinstance(event, Command):
                yield Do(event)
            elif isinstance(event, (Say, Ask)):
                answer.question = isinstance(event, Ask)
                prefix = f"{answer.prefix} " if answer.prefix and not answer.text else ""
                yield self._speak(answer, prefix + event.text, now)
            else:
                return

    def _speak(self, answer: Answer, text: str, now: float) -> Speak:
        if not answer.text:
            answer.told = now
        answer.text = f"{answer.text} {text}".strip()
        if answer.spoken is not None:
            answer.spoken = replace(answer.spoken, finished=False)
        partner = self._partner(answer.to)
        return Speak(answer.id, text, partner.name, partner.track_id, partner.direction)

    def _prepare(self) -> None:
        """Let the brain think about a turn that goes on, when the floor may be yielded soon."""
        if self._answer is not None:
            return
        for partner in self._partners.values():
            turn = partner.turn
            if turn is None or turn.addressed < self.config.addressed or turn.text == self._prepared:
                continue
            if partner.floor is not None and partner.floor.yields >= 0.5:
                self._prepared = turn.text
                self.brain.prepare(turn, self._context())

    def _context(self) -> DialogueContext:
        people = tuple(partner.here for partner in self._partners.values())
        return DialogueContext(people, tuple(self._overheard), self.config.robot_name)

    def _new_id(self) -> str:
        self._count += 1
        return f"answer_{self._count}"
