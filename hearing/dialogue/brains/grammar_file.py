"""Reading grammars from YAML; docs/commands.md describes the file."""

from __future__ import annotations

import difflib
import string
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from hearing.dialogue.brains.brain import SlotValue
from hearing.dialogue.brains.grammar import Allowed, Grammar, Intent, Replies, Slot, SlotKind
from hearing.dialogue.brains.pattern import Pattern, parse_pattern
from hearing.errors import InputError
from hearing.recognition.biasing import spoken

DEFAULT = "commands.yaml"
MOST_NUMBERS = 1000
MOST_WAYS = 5000
_TOP = ("robot", "slots", "intents", "replies")
_SLOT = ("values", "numbers", "text", "say", "ask")
_INTENT = ("phrases", "about", "reply", "confirm", "allow", "emergency")


def load_grammar(path: Path | None = None) -> Grammar:
    """Read a grammar.

    Parameters
    ----------
    path
        A YAML file; None for the grammar of the package, the commands of a workshop.

    Raises
    ------
    InputError
        If the file cannot be read or is no grammar: one line with the file, the key, and how to mend it.
    """
    if path is None:
        return parse_grammar(resources.files(__package__).joinpath(DEFAULT).read_text(encoding="utf-8"), DEFAULT)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give the YAML file of a grammar") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file in UTF-8; save it as one") from error
    return parse_grammar(text, str(path))


def parse_grammar(text: str, where: str) -> Grammar:
    """Read a grammar from the text of a YAML file.

    Parameters
    ----------
    text
        The YAML.
    where
        Name of the file, for error messages.

    Raises
    ------
    InputError
        If it is no grammar.
    """
    try:
        content = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{where}{line}: {error.problem}; mend the YAML there") from error
    except yaml.YAMLError as error:
        raise InputError(f"{where}: not YAML; write `slots:` and `intents:`, see docs/commands.md") from error
    return _Reader(where).grammar(content)


class _Loader(yaml.SafeLoader):
    """Refuses keys that are there twice, and leaves yes, no, on and off what they are: words."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value!r} is there twice, rename one of them", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Reader:
    """Checks what a file holds, and says where it is wrong."""

    def __init__(self, where: str) -> None:
        self._where = where

    def grammar(self, content: object) -> Grammar:
        top = self._mapping(content, "", _TOP)
        slots = {name: self._slot(name, given) for name, given in self._named(top.get("slots") or {}, "slots").items()}
        given_intents = self._named(top.get("intents"), "intents")
        if not given_intents:
            raise self._error("intents", "there is none, write at least one with `phrases`")
        intents = {name: self._intent(name, given, slots) for name, given in given_intents.items()}
        self._distinct(intents.values())
        names = self._texts(top.get("robot", "robot"), "robot")
        return Grammar(slots, intents, tuple(self._said(name, "robot") for name in names), self._replies(top))

    def _slot(self, name: str, given: object) -> Slot:
        key = f"slots.{name}"
        entry = self._mapping(given, key, _SLOT)
        kinds = [kind for kind in ("values", "numbers", "text") if kind in entry]
        if len(kinds) != 1:
            raise self._error(key, "write one of `values: [...]`, `numbers: [first, last]` and `text: true`")
        kind: SlotKind = "text"
        spellings: dict[str, SlotValue] = {}
        if kinds == ["values"]:
            kind, spellings = "list", self._list(entry["values"], f"{key}.values")
        elif kinds == ["numbers"]:
            kind, spellings = "number", self._numbers(entry["numbers"], f"{key}.numbers")
        say = self._template(entry.get("say", f"{{{name}}}"), f"{key}.say", [name])
        return Slot(name, kind, spellings, say, self._text(entry.get("ask", f"Which {name}?"), f"{key}.ask"))

    def _list(self, given: object, key: str) -> dict[str, SlotValue]:
        """Read a list of values, with or without synonyms."""
        entries = dict.fromkeys(map(str, given)) if isinstance(given, list) else given
        if not isinstance(entries, dict) or not entries:
            raise self._error(key, "write a list, or `value: [synonym, ...]` in each line")
        spellings: dict[str, SlotValue] = {}
        for value, synonyms in entries.items():
            for text in (str(value), *self._texts(synonyms or [], f"{key}.{value}")):
                self._said(text, f"{key}.{value}")
                for spelling in spoken(text):
                    if spellings.setdefault(spelling, str(value)) != str(value):
                        raise self._error(
                            f"{key}.{value}", f"{text!r} also means {spellings[spelling]!r}: leave it to one of them"
                        )
        return spellings

    def _numbers(self, given: object, key: str) -> dict[str, SlotValue]:
        whole = isinstance(given, list) and [type(limit) for limit in given] == [int, int]
        if not whole or not isinstance(given, list) or not 0 <= given[0] <= given[1] < given[0] + MOST_NUMBERS:
            raise self._error(key, f"write [first, last], two whole numbers from 0 on, at most {MOST_NUMBERS} of them")
        spellings: dict[str, SlotValue] = {}
        for number in range(given[0], given[1] + 1):
            for spelling in spoken(str(number)):
                spellings.setdefault(spelling, number)
        return spellings

    def _intent(self, name: str, given: object, slots: Mapping[str, Slot]) -> Intent:
        key = f"intents.{name}"
        if not name.replace("_", "").isalnum() or not name.isascii():
            raise self._error(key, "name it with letters, digits and underscores only")
        entry = self._mapping(given, key, _INTENT)
        phrases = self._texts(entry.get("phrases", []), f"{key}.phrases")
        if not phrases:
            raise self._error(f"{key}.phrases", "write at least one phrase that people say")
        patterns = tuple(self._pattern(phrase, f"{key}.phrases[{i}]", slots) for i, phrase in enumerate(phrases))
        known = [*dict.fromkeys(slot for pattern in patterns for slot in pattern.slots), "speaker"]
        texts = {
            part: tuple(self._template(text, f"{key}.{part}", known) for text in self._texts(entry.get(part, []), key))
            for part in ("reply", "confirm")
            if entry.get(part) not in (True, False)
        }
        emergency = entry.get("emergency", False)
        if not isinstance(emergency, bool):
            raise self._error(f"{key}.emergency", "write true or false")
        if entry.get("confirm") is True:
            texts["confirm"] = ("",)
        about = self._text(entry.get("about", phrases[0]), f"{key}.about")
        allow = self._allow(entry.get("allow", "anyone"), f"{key}.allow")
        if emergency and (texts.get("confirm") or allow != "anyone"):
            raise self._error(f"{key}.emergency", "emergencies are never confirmed and anyone may command them")
        return Intent(name, patterns, about, texts.get("reply", ()), texts.get("confirm", ()), allow, emergency)

    def _pattern(self, phrase: str, key: str, slots: Mapping[str, Slot]) -> Pattern:
        try:
            pattern = parse_pattern(phrase)
        except InputError as error:
            raise self._error(key, str(error)) from error
        for slot in pattern.slots:
            if slot not in slots:
                raise self._error(key, f"no slot {slot!r}{_hint(slot, slots)}; describe it under `slots`")
        if pattern.ways > MOST_WAYS:
            raise self._error(
                key, f"it can be said in {pattern.ways} ways: split it into phrases of {MOST_WAYS} or less"
            )
        twice = next((v for v in pattern.variants() for word in v if word[0] == "{" and v.count(word) > 1), None)
        if twice:
            raise self._error(key, "a slot is in it twice; make a second slot with the same values")
        return pattern

    def _allow(self, given: object, key: str) -> Allowed:
        if given == "anyone":
            return "anyone"
        if given == "known":
            return "known"
        if isinstance(given, list) and given:
            return tuple(self._texts(given, key))
        raise self._error(key, "write `anyone`, `known`, or a list of names such as [Anna, Ben]")

    def _replies(self, top: Mapping[str, Any]) -> Replies:
        given = self._mapping(top.get("replies") or {}, "replies", Replies.names())
        defaults = Replies()
        texts = {
            name: self._template(text, f"replies.{name}", _fields(getattr(defaults, name)))
            for name, text in given.items()
        }
        return Replies(**texts)

    def _distinct(self, intents: Iterable[Intent]) -> None:
        """Make sure that no two commands are said in the same words."""
        owner: dict[tuple[str, ...], str] = {}
        for intent in intents:
            for pattern in intent.patterns:
                for variant in pattern.variants():
                    if owner.setdefault(variant, intent.name) != intent.name:
                        words = " ".join(variant)
                        raise self._error(
                            f"intents.{intent.name}.phrases",
                            f"{words!r} is a phrase of {owner[variant]!r} too: leave it to one",
                        )

    def _mapping(self, given: object, key: str, known: Sequence[str]) -> dict[str, Any]:
        """Check that something is a mapping with known keys only."""
        entry = self._named(given, key)
        for name in entry:
            if name not in known:
                where = f"{key}.{name}" if key else name
                raise self._error(where, f"unknown key{_hint(name, known)}; there are {', '.join(known)}")
        return entry

    def _named(self, given: object, key: str) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise self._error(key or "top level", "write `name: ...`, one a line, see docs/commands.md")
        return {str(name): value for name, value in given.items()}

    def _texts(self, given: object, key: str) -> list[str]:
        return [self._text(text, key) for text in (given if isinstance(given, list) else [given])]

    def _text(self, given: object, key: str) -> str:
        if isinstance(given, bool) or not isinstance(given, str | int | float) or not str(given).strip():
            raise self._error(key, "write text, in quotation marks where it holds brackets, braces or colons")
        return str(given).strip()

    def _template(self, given: object, key: str, known: Sequence[str]) -> str:
        """Check that a text names nothing in braces but what is known."""
        text = self._text(given, key)
        try:
            unknown = [name for name in _fields(text) if name not in known]
        except ValueError as error:
            raise self._error(key, "write names alone in braces, each closed: {name}") from error
        if unknown:
            hint = ", ".join(f"{{{name}}}" for name in known)
            raise self._error(key, f"nothing to put in for {{{unknown[0]}}}; there is {hint or 'nothing'}")
        return text

    def _said(self, text: str, key: str) -> str:
        """Check that a text can be said."""
        try:
            spoken(text)
        except InputError as error:
            raise self._error(key, str(error)) from error
        return text

    def _error(self, key: str, problem: str) -> InputError:
        return InputError(f"{self._where}: {key}: {problem}")


def _fields(template: str) -> list[str]:
    """Return the names in braces; nothing but a name may be there."""
    names = []
    for _, name, layout, conversion in string.Formatter().parse(template):
        if layout or conversion:
            raise ValueError(f"{name} is more than a name")
        if name is not None:
            names.append(name)
    return names


def _hint(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else ""
