"""A grammar of commands: what people may tell the robot, in which words, and who may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import chain, islice
from typing import Any, Literal

from hearing.dialogue.brains.brain import SlotValue, is_known
from hearing.dialogue.brains.pattern import Pattern
from hearing.recognition.biasing import spoken
from hearing.recognition.phrases import MOST_PHRASES

SlotKind = Literal["list", "number", "text"]
Allowed = Literal["anyone", "known"] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """A detail of commands.

    Attributes
    ----------
    name
        What phrases call it.
    kind
        One of a list, a number, or any words.
    spellings
        Every way to say a value, in words of letters, and the value; empty for text.
    say
        How the robot says a value, such as "bay {bay}".
    ask
        What it asks where the detail is missing.
    """

    name: str
    kind: SlotKind
    spellings: Mapping[str, SlotValue]
    say: str
    ask: str

    @property
    def values(self) -> list[SlotValue]:
        """All values, each once, in order; empty for text."""
        return list(dict.fromkeys(self.spellings.values()))

    def value_of(self, given: object) -> SlotValue | None:
        """Return the value that somebody else than a recognizer names, by value or synonym; None if there is none."""
        text = " ".join(str(given).split())
        if self.kind == "text":
            return text or None
        wanted = text.lower()
        if (exact := next((value for value in self.values if str(value).lower() == wanted), None)) is not None:
            return exact
        heard = spoken(text)[0] if any(map(str.isalnum, text)) else ""
        return self.spellings.get(heard)


@dataclass(frozen=True, slots=True)
class Intent:
    """A command.

    Attributes
    ----------
    name
        What programs call it.
    patterns
        What people say.
    about
        What it does, in one sentence, for language models.
    replies
        What the robot says when it does it; the first whose slots are all known.
    confirm
        What it asks before, or nothing; the first whose slots are all known.
    allow
        Who may command it: `anyone`, `known` people, or names.
    emergency
        True if it acts on words that are not final, and is never asked back.
    """

    name: str
    patterns: tuple[Pattern, ...]
    about: str
    replies: tuple[str, ...] = ()
    confirm: tuple[str, ...] = ()
    allow: Allowed = "anyone"
    emergency: bool = False

    @property
    def slots(self) -> list[str]:
        """All its slots, each once."""
        return list(dict.fromkeys(chain.from_iterable(pattern.slots for pattern in self.patterns)))

    @property
    def required(self) -> list[str]:
        """Slots that every way to say it holds."""
        ways = [set(variant) for pattern in self.patterns for variant in pattern.variants()]
        return [slot for slot in self.slots if all(f"{{{slot}}}" in way for way in ways)]

    def admits(self, speaker: str) -> bool:
        """Whether somebody may command it."""
        if isinstance(self.allow, tuple):
            return speaker.lower() in (name.lower() for name in self.allow)
        return self.allow == "anyone" or is_known(speaker)


@dataclass(frozen=True, slots=True)
class Replies:
    """What the robot says whatever the command is."""

    done: str = "All right."
    not_understood: str = "Sorry, I did not understand that."
    refused: str = "Sorry, only {allowed} may ask me to do that."
    unsure_who: str = "Sorry, I am not sure who is speaking. Only {allowed} may ask me to do that."
    choose: str = "Did you say {first} or {second}?"
    check: str = "Did you say {command}?"
    confirm: str = "Shall I really do that: {command}?"
    cancelled: str = "All right, I leave it."
    nothing_else: str = "There is no other one."

    @classmethod
    def names(cls) -> list[str]:
        """Names of all of them."""
        return [entry.name for entry in fields(cls)]


@dataclass(frozen=True, slots=True)
class Grammar:
    """All that a robot understands.

    Attributes
    ----------
    slots, intents
        By name.
    robot_names
        What people call the robot.
    replies
        What it says whatever the command is.
    """

    slots: Mapping[str, Slot]
    intents: Mapping[str, Intent]
    robot_names: tuple[str, ...] = ("robot",)
    replies: Replies = field(default_factory=Replies)

    def phrases(self) -> tuple[str, ...]:
        """List what the recognizer shall expect (`hearing.recognition.phrases`), at most 1000 phrases.

        Names first: of the robot and of everything in lists. Then numbers with the word before them, as in "bay four",
        and whole phrases without slots.
        """
        return tuple(islice(dict.fromkeys(chain(self.robot_names, self._values(), self._whole())), MOST_PHRASES))

    def emergency_phrases(self) -> tuple[str, ...]:
        """List the phrases that act at once."""
        emergencies = (intent for intent in self.intents.values() if intent.emergency)
        patterns = chain.from_iterable(intent.patterns for intent in emergencies)
        return tuple(dict.fromkeys(" ".join(variant) for pattern in patterns for variant in pattern.variants()))

    def tools(self) -> list[dict[str, Any]]:
        """Describe the commands as function tools of the chat completions interface."""
        return [self._tool(intent) for intent in self.intents.values()]

    def _values(self) -> Iterator[str]:
        for slot in self.slots.values():
            if slot.kind == "list":
                yield from slot.spellings
        for before, slot in self._before_numbers():
            yield from (f"{before} {spelling}" for spelling in slot.spellings)

    def _before_numbers(self) -> Iterator[tuple[str, Slot]]:
        """Find the words that come before numbers."""
        for intent in self.intents.values():
            for arcs in (pattern.arcs for pattern in intent.patterns):
                for arc in arcs:
                    if arc.slot is not None and self.slots[arc.slot].kind == "number":
                        words = (other.word for other in arcs if other.target == arc.source)
                        yield from ((word, self.slots[arc.slot]) for word in words if word)

    def _whole(self) -> Iterator[str]:
        for intent in self.intents.values():
            for pattern in intent.patterns:
                if not pattern.slots:
                    yield from (" ".join(variant) for variant in islice(pattern.variants(), 20))

    def _tool(self, intent: Intent) -> dict[str, Any]:
        properties = {name: _schema(self.slots[name]) for name in intent.slots}
        parameters = {"type": "object", "properties": properties, "required": intent.required}
        return {
            "type": "function",
            "function": {"name": intent.name, "description": intent.about, "parameters": parameters},
        }


def _schema(slot: Slot) -> dict[str, Any]:
    """Describe a slot as JSON schema."""
    if slot.kind == "list":
        return {"type": "string", "enum": [str(value) for value in slot.values]}
    if slot.kind == "number":
        numbers = [int(value) for value in slot.values]
        return {"type": "integer", "minimum": min(numbers), "maximum": max(numbers)}
    return {"type": "string"}


def allowed_text(allow: Allowed) -> str:
    """Say who may: "people I know", "Anna or Ben"."""
    if isinstance(allow, tuple):
        return alternatives(allow)
    return "people I know" if allow == "known" else "anyone"


def alternatives(names: Sequence[str]) -> str:
    """Join names as in "Anna, Ben or Cleo"."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
