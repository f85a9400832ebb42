"""How the robot words commands and details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hearing.dialogue.brains.brain import SlotValue
from hearing.dialogue.brains.grammar import Grammar, Slot


def label(slot: Slot, value: SlotValue) -> str:
    """Say one detail: "bay 4"."""
    return slot.say.format(**{slot.name: value})


def fill(templates: Sequence[str], slots: Mapping[str, SlotValue], speaker: str) -> str:
    """Fill in the first template whose details are all known; "" if there is none."""
    for template in templates:
        try:
            return template.format(**slots, speaker=speaker)
        except KeyError:
            continue
    return ""


def describe(grammar: Grammar, intent: str, slots: Mapping[str, SlotValue]) -> str:
    """Say a command in the words of its grammar: "bring me the wrench".

    The first way to say it is taken that holds just the details that are known.
    """
    wanted = {f"{{{name}}}" for name in slots}
    ways = [variant for pattern in grammar.intents[intent].patterns for variant in pattern.variants()]
    best = min(ways, key=lambda way: len(wanted ^ {word for word in way if word.startswith("{")}))
    return " ".join(str(slots.get(word[1:-1], "something")) if word.startswith("{") else word for word in best)
