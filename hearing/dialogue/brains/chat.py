"""A language model as brain, behind any endpoint that speaks OpenAI's chat completions: llama.cpp, Ollama, vLLM."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from hearing.dialogue.brains.brain import (
    BrainEvent,
    BrainHealth,
    Command,
    DialogueContext,
    Failed,
    Nothing,
    Say,
    UserTurn,
    Waiting,
)
from hearing.dialogue.brains.chat_messages import messages
from hearing.dialogue.brains.chat_stream import Broken, ChatStream, Complete, Delta, Endpoint, Probe
from hearing.dialogue.brains.conversation import Conversation
from hearing.dialogue.brains.grammar_brain import GrammarBrain
from hearing.recognition.text import normalize

WAIT = 0.01
"""Seconds for which an answer's iterator waits before it gives `Waiting`."""
PROBE_EVERY, PROBE_PATIENCE = 0.5, 1.0
"""Seconds between attempts to reach an endpoint that failed, and for which one waits."""
REFUSED_FOR = 10.0
"""Seconds until an endpoint that refused a request is asked anew."""
_SENTENCE = re.compile(r"(?<=[.!?;:])[\"')]*\s+|\s*\n\s*")
_FIRST_CLAUSE = re.compile(r"(?<=,)\s+")
_THOUGHT = re.compile(r"<think>.*?(</think>|$)", re.DOTALL)
_MARKUP = re.compile(r"[*_#`]+")


@dataclass(slots=True)
class _Prepared:
    """An answer that was asked for before the turn was over."""

    key: tuple[str, str]
    stream: ChatStream


class ChatBrain:
    """Answers with a language model.

    Alone it gives `Failed` where the endpoint does; `FallbackBrain` makes a robot of it that goes on.

    Parameters
    ----------
    endpoint
        Where the model is.
    commands
        Whose commands the model may call as functions, with their permissions and confirmations; None for none.
    conversation
        What was said before; by default that of `commands`, or a new one.
    persona
        What the model shall know of the robot and its work, in plain words.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        commands: GrammarBrain | None = None,
        conversation: Conversation | None = None,
        persona: str = "",
    ) -> None:
        self.conversation = conversation or (commands.conversation if commands else Conversation())
        self._endpoint, self._commands, self._persona = endpoint, commands, persona
        self._tools = commands.grammar.tools() if commands else []
        self._health = BrainHealth(endpoint.model, "probing", "not reached yet")
        self._stream: ChatStream | None = None
        self._prepared: _Prepared | None = None
        self._probe: Probe | None = None
        self._next_probe = 0.0

    def prepare(self, turn: UserTurn, context: DialogueContext) -> None:
        """Ask for an answer to what was said so far; it is used if the turn ends with these words."""
        key = turn.id, normalize(turn.text)
        if not self.usable or (self._prepared is not None and self._prepared.key == key):
            return
        self._drop_prepared()
        asked = self.conversation.continued(turn, context)
        self._prepared = _Prepared(key, ChatStream(self._endpoint, self._request(asked, context)))

    def respond(self, turn: UserTurn, context: DialogueContext) -> Iterator[BrainEvent]:
        """Answer a turn, see `Brain.respond`."""
        prepared, self._prepared = self._prepared, None
        self.cancel()
        self.conversation.begin(turn, context)
        if not self.usable:
            if prepared is not None:
                prepared.stream.close()
            return iter([Failed(self._health.message)])
        if prepared is not None and prepared.key == (turn.id, normalize(turn.text)):
            self._stream = prepared.stream
        else:
            if prepared is not None:
                prepared.stream.close()
            self._stream = ChatStream(self._endpoint, self._request(self.conversation, context))
        return self._answer(self._stream, turn, time.monotonic())

    def heard(self, text: str) -> None:
        """Take note of what was heard, see `Brain.heard`."""
        self.conversation.heard(text)

    def cancel(self) -> None:
        """Stop answering and preparing."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._drop_prepared()

    def poll(self) -> BrainHealth:
        """Look after the endpoint, see `Brain.poll`: one that failed is asked again every 0.5 s."""
        now = time.monotonic()
        if self._probe is not None and self._probe.result is not None:
            if self._probe.result:
                self._health = replace(self._health, state="probing", message=self._probe.result)
            else:
                self._health = replace(self._health, state="ready", message="")
            self._probe = None
        if self._health.state != "ready" and self._probe is None and now >= self._next_probe:
            self._next_probe = now + PROBE_EVERY
            self._probe = Probe(self._endpoint, PROBE_PATIENCE)
        return self._health

    @property
    def usable(self) -> bool:
        """Whether it makes sense to ask: the endpoint is there, or was never tried."""
        health = self.poll()
        return health.state == "ready" or (health.state == "probing" and not health.failures and not health.answers)

    def _request(self, conversation: Conversation, context: DialogueContext) -> dict[str, Any]:
        """Write the request for the answer to the last turn of a conversation."""
        body = {
            "model": self._endpoint.model,
            "messages": messages(conversation, context, self._persona),
            "max_tokens": self._endpoint.longest,
        }
        return {**body, "tools": self._tools} if self._tools else body

    def _answer(self, stream: ChatStream, turn: UserTurn, asked: float) -> Iterator[BrainEvent]:
        speech, calls = _Speech(), _Calls()
        said = False
        while stream is self._stream:
            piece = stream.take(WAIT)
            if piece is None:
                late = stream.arrived + self._endpoint.between if said else asked + self._endpoint.first_piece
                if time.monotonic() > late:
                    piece = Broken("stopped in the middle" if said else "too slow")
                else:
                    yield Waiting()
                    continue
            if stream is not self._stream:
                return
            if isinstance(piece, Broken):
                yield from self._fail(piece)
                return
            if isinstance(piece, Delta):
                calls.add(piece.content)
            more = speech.add(str(piece.content.get("content") or "")) if isinstance(piece, Delta) else speech.end()
            for text in more:
                if not said:
                    self._health = replace(self._health, first_piece=time.monotonic() - asked)
                said = True
                yield self._tell(Say(text))
            if isinstance(piece, Complete):
                yield from self._finish(calls, turn, said)
                return

    def _finish(self, calls: _Calls, turn: UserTurn, said: bool) -> Iterator[BrainEvent]:
        """Do what the model wants done, and end the answer."""
        self._stream = self._probe = None
        self._health = replace(self._health, state="ready", message="", answers=self._health.answers + 1)
        acted = False
        for name, arguments in calls.read():
            events = None
            if self._commands is not None and arguments is not None:
                events = self._commands.command(name, arguments, turn)
            if events is None:
                self._health = replace(self._health, message=f"called what does not exist: {name}")
                continue
            acted = True
            done = any(isinstance(event, Command) for event in events)
            for event in events:
                if not (done and said and isinstance(event, Say)):  # the model has worded it itself
                    yield self._tell(event)
        if not said and not acted:
            wrong = bool(calls.read())
            sorry = self._commands.grammar.replies.not_understood if self._commands else ""
            yield self._tell(Say(sorry)) if wrong and sorry else Nothing("the model has nothing to say")

    def _fail(self, broken: Broken) -> Iterator[BrainEvent]:
        self.cancel()
        wait = REFUSED_FOR if broken.refused else 0.0
        self._next_probe = time.monotonic() + wait
        self._health = replace(
            self._health,
            state="down" if broken.refused else "probing",
            message=broken.reason,
            failures=self._health.failures + 1,
        )
        self._probe = None
        yield Failed(broken.reason)

    def _tell(self, event: BrainEvent) -> BrainEvent:
        self.conversation.add(event)
        return event

    def _drop_prepared(self) -> None:
        if self._prepared is not None:
            self._prepared.stream.close()
            self._prepared = None


class _Speech:
    """Cuts a text that arrives in tokens into what can be spoken: sentences; for an early start also a first clause."""

    def __init__(self) -> None:
        self._text = ""
        self._given = 0
        self._first = True

    def add(self, text: str) -> list[str]:
        """Take more of the text; return the sentences that it completes."""
        self._text += text
        rest = self._plain()[self._given :]
        ends = [match.end() for match in _SENTENCE.finditer(rest)]
        if not ends and self._first:
            ends = [match.end() for match in _FIRST_CLAUSE.finditer(rest) if len(rest[: match.end()].split()) >= 4]
        return self._cut(rest, ends)

    def end(self) -> list[str]:
        """Return what is left."""
        rest = self._plain()[self._given :]
        return self._cut(rest, [len(rest)])

    def _plain(self) -> str:
        """Return the text without what the model thinks to itself, and without a tag that is not complete."""
        plain = _THOUGHT.sub("", self._text)
        return plain[: plain.rfind("<")] if "<think>".startswith(plain[plain.rfind("<") :] or "\0") else plain

    def _cut(self, rest: str, ends: list[int]) -> list[str]:
        pieces, start = [], 0
        for end in ends:
            if spoken := _MARKUP.sub("", rest[start:end]).strip():
                pieces.append(spoken)
                self._first = False
            start = end
        self._given += start
        return pieces


@dataclass(slots=True)
class _Calls:
    """Puts the calls of functions together, which arrive in parts."""

    _parts: dict[int, list[str]] = field(default_factory=dict)

    def add(self, delta: Any) -> None:
        """Take a part."""
        for call in delta.get("tool_calls") or []:
            part = self._parts.setdefault(int(call.get("index") or 0), ["", ""])
            function = call.get("function") or {}
            part[0] += str(function.get("name") or "")
            given = function.get("arguments") or ""
            part[1] += given if isinstance(given, str) else json.dumps(given)

    def read(self) -> list[tuple[str, dict[str, object] | None]]:
        """Return names and arguments; None for arguments that are no JSON object."""
        calls: list[tuple[str, dict[str, object] | None]] = []
        for name, text in self._parts.values():
            try:
                arguments = json.loads(text or "{}")
            except ValueError:
                arguments = None
            calls.append((name, arguments if isinstance(arguments, dict) else None))
        return calls
