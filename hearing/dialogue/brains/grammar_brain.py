"""The built-in brain: understands commands of a grammar, asks back where it is not sure, and keeps to who may what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from hearing.dialogue.brains import follow_ups as refer
from hearing.dialogue.brains.brain import (
    Ask,
    BrainEvent,
    BrainHealth,
    Command,
    DialogueContext,
    Nothing,
    Say,
    SlotValue,
    UserTurn,
)
from hearing.dialogue.brains.conversation import Conversation
from hearing.dialogue.brains.follow_ups import FollowUps, kind_of
from hearing.dialogue.brains.grammar import Grammar, Intent, allowed_text
from hearing.dialogue.brains.understanding import Meaning, Understanding
from hearing.dialogue.brains.wording import describe, fill, label

ACT, ASK = 0.7, 0.4
"""Probability from which on a command is done, and from which on the robot asks whether it was meant."""
CLOSE = 0.15
"""A second meaning is offered if it is at least so likely as a share of the first."""
DOUBT = 0.35
"""Where a word that names a detail is less sure than this, the robot asks."""
SURE_SPEAKER = 0.7
PATIENCE = 30.0
"""Seconds for which a question waits for its answer, and a command can be corrected."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A command that may be meant: intent, details, and details that are missing."""

    intent: str
    slots: Mapping[str, SlotValue]
    missing: tuple[str, ...] = ()

    def with_slot(self, name: str, value: SlotValue) -> Wanted:
        """Return it with one detail put in."""
        return Wanted(self.intent, {**self.slots, name: value}, tuple(slot for slot in self.missing if slot != name))


@dataclass(frozen=True, slots=True)
class Question:
    """What the robot has asked.

    Attributes
    ----------
    kind
        To `confirm` a command, to `choose` among commands or say whether the one is right, or for a `detail`.
    options
        The commands that may be meant.
    speaker, time
        Whom it asked, and when, in seconds of stream time.
    replaces
        The turn whose command is corrected, if one is.
    """

    kind: Literal["confirm", "choose", "detail"]
    options: tuple[Wanted, ...]
    speaker: str
    time: float
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class _Done:
    """A command that was given."""

    wanted: Wanted
    turn: UserTurn


class GrammarBrain:
    """Answers commands.

    Parameters
    ----------
    grammar
        What it understands.
    conversation
        What was said before; a new one by default.

    Attributes
    ----------
    conversation
        What was said, see `Conversation`.
    question
        The question that waits for an answer, or None.

    Examples
    --------
    >>> from hearing.dialogue.brains.grammar_file import load_grammar
    >>> brain = GrammarBrain(load_grammar())
    >>> answer = list(brain.respond(UserTurn("1", "Robot, please go to bay for.", "Anna"), DialogueContext()))
    >>> answer[0].intent, dict(answer[0].slots), answer[1].text
    ('go_to_bay', {'bay': 4}, 'Going to bay 4.')
    >>> answer = list(brain.respond(UserTurn("2", "no, five", "Anna"), DialogueContext()))
    >>> dict(answer[0].slots), answer[0].replaces
    ({'bay': 5}, '1')
    """

    def __init__(self, grammar: Grammar, conversation: Conversation | None = None) -> None:
        self.grammar = grammar
        self.conversation = conversation or Conversation()
        self.question: Question | None = None
        patterns = [(intent.name, pattern) for intent in grammar.intents.values() for pattern in intent.patterns]
        self._understanding = Understanding(patterns, grammar.slots, grammar.robot_names)
        self._follow_ups = FollowUps(grammar)
        self._prepared: tuple[object, list[Meaning]] | None = None
        self._done: dict[str, _Done] = {}
        self._left: tuple[Wanted, ...] = ()
        self._answers = 0

    def prepare(self, turn: UserTurn, context: DialogueContext) -> None:
        """Parse the turn so far."""
        self.meanings(turn)

    def respond(self, turn: UserTurn, context: DialogueContext) -> Iterator[BrainEvent]:
        """Answer a turn at once, see `Brain.respond`."""
        unheard = self.conversation.answer is not None and self.conversation.answer.heard == ""
        self.conversation.begin(turn, context)
        events = self._answer(turn, unheard)
        if not events:
            events = [Say(self.grammar.replies.not_understood) if turn.addressed >= 0.5 else Nothing("no command")]
        return self._tell(events)

    def understands(self, turn: UserTurn) -> bool:
        """Whether it is sure what a turn is: a command, or an answer to its question."""
        meanings = self.meanings(turn)
        if meanings and meanings[0].probability >= ACT and not meanings[0].bare:
            return True
        question = self._open_question(turn)
        return (question is not None and self._takes_text(question)) or self._reference(turn, question) is not None

    def command(self, intent: str, given: Mapping[str, object], turn: UserTurn) -> list[BrainEvent] | None:
        """Do what another brain has found out that a turn commands, with the same permissions and confirmations.

        Returns
        -------
        What to say and to do, which the other brain enters into the conversation; None if there is no such command, or
        a value cannot be.
        """
        if intent not in self.grammar.intents:
            return None
        slots: dict[str, SlotValue] = {}
        for name, text in given.items():
            if name not in self.grammar.intents[intent].slots or text is None:
                return None
            value = self.grammar.slots[name].value_of(text)
            if value is None:
                return None
            slots[name] = value
        missing = tuple(name for name in self.grammar.intents[intent].required if name not in slots)
        return self._perform(Wanted(intent, slots, missing), turn, 1.0)

    def heard(self, text: str) -> None:
        """Take note of what was heard, see `Brain.heard`; a question of which nothing was heard cannot be confirmed."""
        self.conversation.heard(text)

    def cancel(self) -> None:
        """Forget what was prepared; answers are complete at once, so that there is nothing else to stop."""
        self._prepared = None

    def poll(self) -> BrainHealth:
        """Tell how it is, which is well."""
        return BrainHealth("grammar", answers=self._answers, first_piece=0.0)

    def meanings(self, turn: UserTurn) -> list[Meaning]:
        """Find the commands that a turn may be, likeliest first."""
        key = turn.text, turn.confidences
        if self._prepared is None or self._prepared[0] != key:
            self._prepared = key, self._understanding.meanings(turn.text, turn.confidences)
        return self._prepared[1]

    def _tell(self, events: list[BrainEvent]) -> Iterator[BrainEvent]:
        self._answers += 1
        for event in events:
            self.conversation.add(event)
        return iter(events)

    def _answer(self, turn: UserTurn, unheard: bool) -> list[BrainEvent]:
        meanings = self.meanings(turn)
        best = meanings[0] if meanings else None
        if best is not None and best.probability >= ASK and self.grammar.intents[best.intent].emergency:
            self.question = None
            return self._perform(_wanted(best), turn, best.probability)
        question = self._open_question(turn)
        if question is not None and question.kind == "confirm" and unheard:
            question = self.question = None
        reference = self._reference(turn, question)
        if reference is not None and (best is None or best.probability <= reference.probability):
            return self._answer_question(turn, question, reference) if question else self._refer(turn, reference)
        if question is not None and self._takes_text(question) and (best is None or best.probability < ACT):
            self.question = None
            return self._perform(question.options[0].with_slot(question.options[0].missing[0], turn.text), turn, 1.0)
        return self._decide(turn, meanings)

    def _decide(self, turn: UserTurn, meanings: list[Meaning]) -> list[BrainEvent]:
        """Do the likeliest command, or ask which was meant."""
        if not meanings or meanings[0].fits < ASK:
            return []
        best = meanings[0]
        if best.bare and best.probability < ACT:
            return []
        self.question = None
        if best.probability >= ACT and best.least_sure >= DOUBT and not best.bare:
            return self._perform(_wanted(best), turn, best.probability)
        close = tuple(
            _wanted(m)
            for m in meanings[:2]
            if m is best or not (m.missing or best.missing or m.probability < CLOSE * best.probability)
        )
        if best.missing or (len(close) == 1 and not best.bare and self.grammar.intents[best.intent].confirm):
            return self._perform(close[0], turn, best.probability)
        if not any(self.grammar.intents[wanted.intent].admits(turn.speaker) for wanted in close):
            return [Say(self._refusal(self.grammar.intents[best.intent], turn))]
        self.question = Question("choose", close, turn.speaker, turn.end_time)
        return [self._choice(close)]

    def _choice(self, options: tuple[Wanted, ...]) -> Ask:
        if len(options) == 1:
            text = describe(self.grammar, options[0].intent, options[0].slots)
            return Ask(self.grammar.replies.check.format(command=text), ("yes", "no"))
        first, second = options
        differ = [name for name in first.slots if first.slots[name] != second.slots.get(name)]
        if first.intent == second.intent and first.slots.keys() == second.slots.keys() and len(differ) == 1:
            names = [label(self.grammar.slots[differ[0]], wanted.slots[differ[0]]) for wanted in options]
        else:
            names = [describe(self.grammar, wanted.intent, wanted.slots) for wanted in options]
        return Ask(self.grammar.replies.choose.format(first=names[0], second=names[1]), tuple(names))

    def _perform(
        self, wanted: Wanted, turn: UserTurn, probability: float, replaces: str | None = None, confirmed: bool = False
    ) -> list[BrainEvent]:
        """Give a command, or say why not, or ask what has to be known before."""
        intent = self.grammar.intents[wanted.intent]
        if not intent.admits(turn.speaker) or self._doubtful(intent, turn):
            return [Say(self._refusal(intent, turn))]
        if wanted.missing:
            self.question = Question("detail", (wanted,), turn.speaker, turn.end_time, replaces)
            slot = self.grammar.slots[wanted.missing[0]]
            return [Ask(slot.ask, tuple(map(str, slot.values)) if slot.kind == "list" else ())]
        if intent.confirm and not confirmed:
            self.question = Question("confirm", (wanted,), turn.speaker, turn.end_time, replaces)
            text = fill(intent.confirm, wanted.slots, turn.speaker) or self.grammar.replies.confirm.format(
                command=describe(self.grammar, wanted.intent, wanted.slots)
            )
            return [Ask(text, ("yes", "no"))]
        reply = Say(fill(intent.replies, wanted.slots, turn.speaker) or self.grammar.replies.done)
        before = self._done.get(turn.speaker)
        self._done[turn.speaker] = _Done(wanted, turn)
        if (
            before is not None and before.turn.id == turn.id and before.turn is not turn
        ):  # a turn that went on after it was answered
            if before.wanted == wanted:
                return [reply]
            replaces = turn.id
        return [Command(wanted.intent, dict(wanted.slots), turn.speaker, turn.id, probability, replaces), reply]

    def _doubtful(self, intent: Intent, turn: UserTurn) -> bool:
        """Whether it matters who speaks, and that is not sure."""
        return intent.allow != "anyone" and (turn.speaker_confidence or 1.0) < SURE_SPEAKER

    def _refusal(self, intent: Intent, turn: UserTurn) -> str:
        replies = self.grammar.replies
        text = replies.unsure_who if intent.admits(turn.speaker) else replies.refused
        return text.format(allowed=allowed_text(intent.allow))

    def _open_question(self, turn: UserTurn) -> Question | None:
        """Return the question that a turn may answer, unless it is too old."""
        if self.question is None or turn.start_time - self.question.time > PATIENCE:
            return None
        return self.question

    def _last(self, turn: UserTurn) -> _Done | None:
        """Return the command that a speaker may correct or repeat: his own; a stranger's may be anybody's."""
        done = self._done.get(turn.speaker)
        if done is None and not turn.known and self._done:
            done = max(self._done.values(), key=lambda entry: entry.turn.end_time)
        return done if done is not None and turn.start_time - done.turn.end_time <= PATIENCE else None

    def _reference(self, turn: UserTurn, question: Question | None) -> Meaning | None:
        """Find what a turn says about the question, or else about the latest command."""
        kinds: tuple[str, ...]
        if question is not None:
            kinds = (refer.YES, refer.NO, refer.CANCEL, refer.INSTEAD)
            slots = list(dict.fromkeys(slot for wanted in question.options for slot in wanted.slots))
            if question.kind == "choose":
                kinds += (refer.FIRST, refer.SECOND, refer.BOTH, refer.IS)
            elif question.kind == "detail":
                kinds = (refer.CANCEL, refer.NO, refer.IS)
                slots = list(question.options[0].missing[:1])
        elif (last := self._last(turn)) is not None:
            kinds = (refer.CANCEL, refer.INSTEAD, refer.ALSO, refer.AGAIN, refer.OTHER)
            slots = list(last.wanted.slots)
        else:
            return None
        meanings = self._follow_ups.meanings(turn.text, turn.confidences, kinds, slots)
        return meanings[0] if meanings and meanings[0].probability >= ASK and not meanings[0].missing else None

    def _answer_question(self, turn: UserTurn, question: Question, said: Meaning) -> list[BrainEvent]:
        kind, options = kind_of(said), question.options
        if question.kind == "confirm" and kind in (refer.YES, refer.INSTEAD) and turn.speaker != question.speaker:
            return [Nothing("somebody else was asked")]
        self.question = None
        if kind in (refer.NO, refer.CANCEL):
            return [Say(self.grammar.replies.cancelled)]
        chosen = list(options[:1])
        if kind == refer.SECOND or kind == refer.BOTH:
            chosen = list(options[-1:] if kind == refer.SECOND else options)
        elif kind in (refer.IS, refer.INSTEAD):
            ((slot, value),) = said.slots.items()
            chosen = [wanted for wanted in options if wanted.slots.get(slot) == value][:1]
            chosen = chosen or [options[0].with_slot(slot, value)]
        elif kind == refer.YES and len(options) > 1:
            self.question = question
            return [self._choice(options)]
        self._left = tuple(wanted for wanted in options if wanted not in chosen)
        confirmed = question.kind == "confirm" and kind == refer.YES
        events: list[BrainEvent] = []
        for wanted in chosen:
            events += self._perform(wanted, turn, said.probability, question.replaces, confirmed)
        return events

    def _refer(self, turn: UserTurn, said: Meaning) -> list[BrainEvent]:
        """Correct, repeat, extend or cancel the latest command."""
        last = self._last(turn)
        if last is None:
            return []
        kind = kind_of(said)
        if kind == refer.CANCEL:
            self._done = {speaker: done for speaker, done in self._done.items() if done is not last}
            command = Command(refer.CANCEL, {}, turn.speaker, turn.id, said.probability, last.turn.id)
            return [command, Say(self.grammar.replies.cancelled)]
        if kind == refer.OTHER:
            other = self._left[:1] or self._other_value(last.wanted)
            self._left = ()
            if not other:
                return [Say(self.grammar.replies.nothing_else)]
            return self._perform(other[0], turn, said.probability)
        if kind == refer.AGAIN:
            return self._perform(last.wanted, turn, said.probability)
        ((slot, value),) = said.slots.items()
        replaces = last.turn.id if kind == refer.INSTEAD else None
        return self._perform(last.wanted.with_slot(slot, value), turn, said.probability, replaces)

    def _other_value(self, wanted: Wanted) -> tuple[Wanted, ...]:
        """Return the same command with the other one of two values, if a detail has two."""
        for name, value in wanted.slots.items():
            others = [other for other in self.grammar.slots[name].values if other != value]
            if len(others) == 1:
                return (wanted.with_slot(name, others[0]),)
        return ()

    def _takes_text(self, question: Question) -> bool:
        missing = question.options[0].missing
        return question.kind == "detail" and self.grammar.slots[missing[0]].kind == "text"


def _wanted(meaning: Meaning) -> Wanted:
    return Wanted(meaning.intent, meaning.slots, meaning.missing)
