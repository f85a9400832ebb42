"""How far somebody's words have got: a sentence that could end here, one that goes on, a filler, or a mere "mm-hm"."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from hearing.attribution.clauses import AUXILIARIES, DETERMINERS, HALTS, PREPOSITIONS, QUESTIONS, VERBS, Text, word_set

FILLERS = word_set("uh um er erm eh ah hm hmm well like")
BACKCHANNELS = word_set(
    "mm-hm mm mhm hm hmm uh huh uh-huh okay ok right yeah yep yes sure aha ah oh i see really cool good great got it"
)
_CONJUNCTIONS = word_set("and or but so because if that which who when while than as then plus to the a an my your")
_ENDS_WELL = word_set("here there away back out in up down off on over around that this two three more another")
_OPEN = (DETERMINERS | PREPOSITIONS | AUXILIARIES | _CONJUNCTIONS | word_set("bring take put tell robot")) - _ENDS_WELL
_CORRECTS = word_set("no not sorry instead actually meant wait rather")
_NEGATIVE = HALTS | word_set("no not shut quiet enough")


class TextCues(NamedTuple):
    """What the words so far tell. All are 1 where it is so and 0 elsewhere unless said.

    Attributes
    ----------
    length
        Logarithm of 1 + number of words, a third of it.
    complete
        Ends with a full stop, question or exclamation mark.
    open
        The last word wants another: "the", "to", "and".
    filler
        The last word is a filler: "uh".
    backchannel
        Nothing but words of listeners: "mm-hm", "yeah, right".
    halts, corrects
        Begins with "stop", "wait", "no"; has a word of corrections.
    question, order
        Begins like a question; has a verb that robots are told.
    """

    length: float
    complete: float
    open: float
    filler: float
    backchannel: float
    halts: float
    corrects: float
    question: float
    order: float


@lru_cache(maxsize=4096)
def text_cues(text: str) -> TextCues:
    """Read the words so far.

    >>> text_cues("Robot, bring the").open, text_cues("Bring me the drill.").complete, text_cues("Mm-hm.").backchannel
    (1.0, 1.0, 1.0)
    """
    plain = [word.strip(",.?!;:-").lower() for word in text.split()]
    words = [word for word in plain if word]
    if not words:
        return TextCues(*[0.0] * len(TextCues._fields))
    tokens = Text(text).words
    cues = (
        float(np.log1p(len(words))) / 3,
        text.rstrip().endswith((".", "?", "!")),
        words[-1] in _OPEN or text.rstrip().endswith((",", "-")),
        words[-1] in FILLERS,
        all(word in BACKCHANNELS for word in words) and len(words) <= 4,
        not _NEGATIVE.isdisjoint(tokens[:2]),
        not _CORRECTS.isdisjoint(words[:4]),
        words[0] in QUESTIONS or words[0] in AUXILIARIES or text.rstrip().endswith("?"),
        not VERBS.isdisjoint(words),
    )
    return TextCues(*map(float, cues))
