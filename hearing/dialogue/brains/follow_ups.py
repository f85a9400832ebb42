"""What people say about what was said before: yes, the second one, no, five, and the other one too, again, cancel."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hearing.dialogue.brains.grammar import Grammar, Slot
from hearing.dialogue.brains.pattern import Pattern, parse_pattern
from hearing.dialogue.brains.understanding import Meaning, Understanding

YES, NO, CANCEL, FIRST, SECOND, BOTH = "yes", "no", "cancel", "first", "second", "both"
OTHER, AGAIN, IS, INSTEAD, ALSO = "other", "again", "is", "instead", "also"
_FIXED = {
    YES: (
        "(yes|yeah|yep|yup|sure|correct|right|okay|exactly|of course|absolutely|affirmative)"
        " [please] [do (it|that|so)|go ahead|that's (right|it|correct)|i did]",
        "(do it|go ahead|please do|that's (right|correct|it)|i confirm|confirmed)",
    ),
    NO: (
        "(no|nope|nah|negative|wrong) [no] [thanks|thank you|don't|that's wrong|not that [one]|i did not|i didn't]",
        "(don't|do not) [do (it|that)]",
        "(not that [one]|that's (wrong|not right)|neither [of (them|those)]|none of (them|those))",
    ),
    CANCEL: ("[no] (cancel|abort) [that|it|everything]", "[no] (never mind|forget [about] (it|that)|leave it)"),
    FIRST: ("[the] (first|former) [one]",),
    SECOND: ("[the] (second|latter|last) [one]",),
    BOTH: ("both [of (them|those)] [please]",),
    OTHER: ("[and] [the] other [one] (too|also|as well)", "and the other [one]"),
    AGAIN: (
        "[do (it|that|the same)] (again|once more|one more time)",
        "[and] the same [thing] (again|once more)",
        "repeat that",
    ),
}
_DENIAL = "(no|nope|sorry|actually|wrong|i (said|mean|meant)|not that [one]|make (it|that))"
_MORE_DENIAL = "[no|i (said|mean|meant)|it's|make (it|that)|rather]"
_ARTICLE = "[the|a|an|to|in|at]"


class FollowUps:
    """Finds what refers to what was said before.

    Meanings are named by the kind of reference; those that name a value of a slot, `is`, `instead` and `also`, by kind
    and slot (`kind_of`).
    """

    def __init__(self, grammar: Grammar) -> None:
        patterns = [(kind, parse_pattern(text)) for kind, texts in _FIXED.items() for text in texts]
        slots = {name: slot for name, slot in grammar.slots.items() if slot.kind != "text"}
        for slot in slots.values():
            patterns += _of_slot(slot)
        self._understanding = Understanding(patterns, slots, grammar.robot_names)

    def meanings(
        self, text: str, confidences: Sequence[float], kinds: Sequence[str], slots: Sequence[str] = ()
    ) -> list[Meaning]:
        """Find references.

        Parameters
        ----------
        text, confidences
            See `Understanding.meanings`.
        kinds
            What makes sense now.
        slots
            Slots whose values make sense now.
        """
        named = [f"{kind}:{slot}" for kind in kinds for slot in slots]
        return self._understanding.meanings(text, confidences, frozenset((*kinds, *named)))


def kind_of(meaning: Meaning) -> str:
    """Return the kind of a reference."""
    return meaning.intent.partition(":")[0]


def _of_slot(slot: Slot) -> list[tuple[str, Pattern]]:
    """Make the phrases that name a value of a slot: the words that the robot says with it may be left out."""
    said = re.sub(r"\{[^{}]*\}", "{ }", slot.say)
    around = [" ".join(f"[{word}]" for word in re.findall(r"[a-zA-Z']+", part)) for part in said.split("{ }")]
    number = "[number]" if slot.kind == "number" else ""
    value = f"{_ARTICLE} {around[0]} {number} {{{slot.name}}} {' '.join(around[1:])}"
    return [
        (f"{IS}:{slot.name}", parse_pattern(f"{value} [one] [please]")),
        (f"{INSTEAD}:{slot.name}", parse_pattern(f"{_DENIAL} {_MORE_DENIAL} {value} [instead]")),
        (f"{ALSO}:{slot.name}", parse_pattern(f"[and] {value} (too|as well|also)")),
        (f"{ALSO}:{slot.name}", parse_pattern(f"and [also|then] {value}")),
    ]
