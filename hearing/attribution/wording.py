"""How somebody talks: orders, questions and requests are what robots are told, stories and gossip are not."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from hearing.attribution import clauses
from hearing.attribution.clauses import HALTS, PAST, VERBS, YOU, Text, word_set

_ROBOT_VERBS = word_set("dock charge scan follow drive roll rotate reset restart mute calibrate reboot navigate undock")
_ROBOT_PARTS = word_set(
    "battery gripper camera cameras sensor sensors microphone map volume software wheels memory queue program log"
)
_ASKS = re.compile(
    r"\b(can|do|did|could) you (hear|see|understand|recognize|find|read|reach|remember|know|still|detect)\b"
    r"|\bwhat (do|can|did) you (see|hear|do|say|have)\b|\bare you (there|ready|charging|charged|listening|done|stuck)\b"
    r"|\bwhere are you\b|\bhow (heavy|far|long|many|much)\b|\bwhat('s| is) (the|your)\b|\bwhat time\b"
)
_REQUEST = re.compile(
    r"\b(can|could|would|will) you\b|\bi('d| would) like\b|\bi (need|want) (you|a|an|the|some|that|this)\b"
    r"|\bwould you mind\b|\bmake sure\b|\bi'll have\b"
)
_FOR_ME = re.compile(r"\b(give|get|hand|bring|show|pass|fetch|find|read|help|grab|follow|tell) (me|us)\b")
_THIRD = word_set("he she they him his her their them he's she's they're he'll she'll they've he'd she'd they'd nobody")
_WE = word_set("we us our we're we've we'll ours let's we'd")
_I = word_set("i i'm i've i'll i'd")
_PRIVATE = word_set(
    """weekend lunch dinner holiday vacation kids wife husband daughter son brother sister mother father boss beer game
    match party home coffee school birthday doctor football movie guys honey tonight raise salary shift union overtime
    wedding neighbor traffic married dude mate cousin uncle aunt grandma grandpa mom dad"""
)
_ANSWERS = word_set("yes yeah yep no nope sure okay ok right exactly correct maybe fine both neither none mm uh hm huh")
_BACKCHANNELS = _ANSWERS | word_set("oh ah i see really all_right alright cool wow hmm great good got it of course")
_THANKS = word_set("thanks thank_you good_job perfect")
_CONTINUES = word_set("and also then another again more not no actually instead or")
_GREETINGS = clauses.HAILS - {"okay", "ok", "listen"}
_STATES = clauses.SUBJECTS | clauses.DETERMINERS
_NOT_ASKED = clauses.PREPOSITIONS | {"been", "not"}
_SCALE = 3.0


class WordingCues(NamedTuple):
    """How somebody talks. All are 1 where it is so and 0 elsewhere unless said.

    Attributes
    ----------
    imperative, known_verb
        A clause is an order, or begins with a verb that is often said to robots.
    robot_verb, robot_part, asks
        What only robots do ("dock") or have ("your battery"); a question to an assistant ("what do you see?").
    request, please, for_me
        "Could you", "I need the"; "please"; "bring me".
    halts
        "Stop", "wait", "never mind".
    you, first_you
        "You" or "your"; one of the first three words is.
    question
        A question mark, or a clause that begins like a question.
    third, we, i
        "He", "they"; "we", "our"; a clause begins with "I".
    past, private
        Words of stories, and of what people talk about among each other.
    statement
        A clause that begins like a statement.
    answer, backchannel, thanks, continues
        "Yes"; nothing but such words; "thanks"; begins with "and", "no", "another".
    greeting
        Begins with one.
    length
        Natural logarithm of 1 + number of words, a third of it.
    """

    imperative: float
    known_verb: float
    robot_verb: float
    robot_part: float
    asks: float
    request: float
    please: float
    for_me: float
    halts: float
    you: float
    first_you: float
    question: float
    third: float
    we: float
    i: float
    past: float
    private: float
    statement: float
    answer: float
    backchannel: float
    thanks: float
    continues: float
    greeting: float
    length: float


def wording(text: Text, starts: Sequence[int]) -> WordingCues:
    """Say how somebody talks.

    Parameters
    ----------
    text
        The words.
    starts
        Numbers of the words at which clauses begin, names skipped.
    """
    words, plain = text.words, set(text.words)
    first = [words[at] for at in starts]
    opening = words[0] if words else ""
    asks = text.asks or any(words[at] in clauses.QUESTIONS or _inverted(words, at) for at in starts)
    return WordingCues(
        imperative=any(text.orders(at) for at in starts),
        known_verb=not VERBS.isdisjoint(first),
        robot_verb=not plain.isdisjoint(_ROBOT_VERBS),
        robot_part=not plain.isdisjoint(_ROBOT_PARTS) and not plain.isdisjoint(YOU),
        asks=_ASKS.search(text.lower) is not None,
        request=_REQUEST.search(text.lower) is not None,
        please="please" in plain,
        for_me=_FOR_ME.search(text.lower) is not None,
        halts=not plain.isdisjoint(HALTS),
        you=not plain.isdisjoint(YOU),
        first_you=not YOU.isdisjoint(words[:3]),
        question=asks,
        third=not plain.isdisjoint(_THIRD),
        we=not plain.isdisjoint(_WE),
        i=not _I.isdisjoint(first),
        past=not plain.isdisjoint(PAST) or any(len(word) > 4 and word.endswith("ed") for word in words),
        private=not plain.isdisjoint(_PRIVATE),
        statement=not asks and not _STATES.isdisjoint(first),
        answer=opening in _ANSWERS,
        backchannel=bool(words) and plain <= _BACKCHANNELS,
        thanks=not plain.isdisjoint(_THANKS),
        continues=opening in _CONTINUES,
        greeting=opening in _GREETINGS,
        length=math.log1p(len(words)) / _SCALE,
    )


def _inverted(words: Sequence[str], at: int) -> bool:
    """Tell whether a clause begins like a question: "is the", "can you", but not "did in"."""
    return words[at] in clauses.AUXILIARIES and at + 1 < len(words) and words[at + 1] not in _NOT_ASKED
