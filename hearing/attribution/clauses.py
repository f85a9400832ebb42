"""Words of an utterance, where its clauses begin, and what kind of words they are: English grammar, as far as needed.

It works with and without punctuation and capitals, and on the first words of an utterance: recognizers write all of
that, and finish late.
"""

from __future__ import annotations

import re


def word_set(words: str) -> frozenset[str]:
    """Split a list of words."""
    return frozenset(words.split())


_TOGETHER = re.compile(
    r"\b(excuse|thank|good|come|all|hold|never|hang) (me|you|morning|evening|on|right|mind|job)\b", re.I
)
_TOKEN = re.compile(r"[a-z0-9]+(?:['_][a-z]+)*|[,.;:?!]", re.I)
HAILS = word_set("hey hi hello okay ok listen excuse_me yo dear good_morning good_evening attention")
HALTS = word_set("stop wait halt cancel abort pause hold_on never_mind freeze hang_on whoa")
OPENERS = HAILS | word_set(
    """so now and but then well oh ah um uh er please yes yeah yep no nope right sorry thanks thank_you just also first
    next great good come_on all_right alright look cool sure ouch careful perfect good_job"""
)
"""What may stand before a clause."""
DETERMINERS = word_set(
    """the a an this that these those my your his her its our their some any every each no another which whose what one
    two three all both many more new old other same first last next little"""
)
PREPOSITIONS = word_set(
    """to at in on of from with by for about into onto under over behind near like than without after before between
    through around against beside up down off out away back here there along across"""
)
AUXILIARIES = word_set("is are was were am has have had do does did can could will would should shall may might must")
SUBJECTS = word_set("i you he she it we they this that there i'm i've it's that's there's he's she's we're they're")
OBJECTS = word_set("me him her it us them everybody everyone everything something")
QUESTIONS = word_set("what where when who why how which whose what's where's who's how's when's")
YOU = word_set("you your yours yourself you're you've you'll you'd")
PAST = word_set(
    """was were had did yesterday ago went came got took made said told thought broke gave found left saw heard bought
    lost forgot ran dropped stopped last been already didn't wasn't weren't hadn't"""
)
VERBS = word_set(
    """go come bring take get give hand pass fetch put place set move turn stop wait follow lift hold drop grab pick
    carry deliver open close start pause cancel check count scan look find show tell say read repeat drive roll return
    dock charge clean sweep wash press push pull raise lower tilt rotate slow speed help hurry stay stand leave let
    keep try call remind play switch dim lock unlock inspect measure load unload stack sort fill empty mute shut
    continue reset restart save record describe explain calculate translate spell remember forget back resume"""
)
"""Often said to robots."""
GROUPS = word_set(
    """guys everybody everyone folks boss mate buddy dude man honey darling dad mom mum sir madam ladies gentlemen team
    kids boys girls sweetheart doctor chief bro love people"""
)
"""How people call each other without a name."""
_ADVERBS = word_set("again forward backward left right slowly faster slower straight home now then first today closer")
_NOT_VERBS = (
    DETERMINERS | PREPOSITIONS | AUXILIARIES | SUBJECTS | QUESTIONS | OPENERS | OBJECTS
    | word_set("because if while when as since though not never always maybe perhaps yesterday tomorrow today nothing "
               "or nobody somebody mine yours he'll she'll we'll i'll they'll i'd we'd he'd she'd they'd don't didn't "
               "doesn't isn't wasn't can't couldn't won't wouldn't we've they've you're you've you'd you'll let's")
)  # fmt: skip
_CANNOT_ORDER = (_NOT_VERBS - VERBS) | GROUPS
_AFTER_ORDER = DETERMINERS | OBJECTS | PREPOSITIONS | _ADVERBS
_AFTER_ASKING = YOU | SUBJECTS | DETERMINERS
_USUAL = _NOT_VERBS | VERBS | HALTS | PAST
_OWNS, _TELLS = word_set("has had"), word_set("is was does has had")
_NOT_DOING = VERBS | (_NOT_VERBS - PAST)
_DOING = word_set("and or always never didn't doesn't isn't wasn't can't won't")
_PUNCTUATION, _SENTENCE_ENDS = frozenset(",.;:?!"), frozenset(".?!")


class Text:
    """Words of an utterance in lower case, and where clauses begin.

    Attributes
    ----------
    lower
        All of it in lower case.
    words
        Without punctuation; some pairs are one word, as "thank_you".
    stops
        Numbers of the words before which there is punctuation, and of the first and one more than the last.
    starts
        Numbers of the words at which clauses begin, after "okay, so" and the like.
    capitals
        Numbers of the words that are written with a capital though no sentence begins there.
    asks
        Whether there is a question mark.

    Examples
    --------
    >>> text = Text("Okay, robot, wait. Thank you")
    >>> text.words, sorted(text.stops), text.starts
    (['okay', 'robot', 'wait', 'thank_you'], [0, 1, 2, 3, 4], [1, 2])
    """

    __slots__ = ("asks", "capitals", "lower", "starts", "stops", "words")

    def __init__(self, text: str) -> None:
        text = text.replace("\u2019", "'")
        self.lower = text.lower()
        self.words: list[str] = []
        self.stops, self.capitals = {0}, set[int]()
        before = "."
        for token in _TOKEN.findall(_TOGETHER.sub(r"\1_\2", text)):
            if token in _PUNCTUATION:
                self.stops.add(len(self.words))
            else:
                if token[0].isupper() and before not in _SENTENCE_ENDS:
                    self.capitals.add(len(self.words))
                self.words.append(token.lower())
            before = token
        self.stops.add(len(self.words))
        self.asks = "?" in text
        self.starts = sorted(at for at in {self._opened(at) for at in self.stops} if at < len(self.words))

    def _opened(self, at: int) -> int:
        while at < len(self.words) and self.words[at] in OPENERS:
            at += 1
        return at

    def names(self, at: int) -> bool:
        """Tell whether a word is written like the name of somebody who is called: a capital, and set off by commas."""
        return at in self.capitals and at in self.stops and at + 1 in self.stops and self.words[at] not in _USUAL

    def orders(self, at: int) -> bool:
        """Tell whether a clause that begins with this word is an order, by the word or by what follows it."""
        word = self.words[at]
        if word in _CANNOT_ORDER or not word[0].isalpha() or word.endswith(("ing", "ly", "ed")) or _third(word):
            return False
        return word in VERBS if at + 1 in self.stops else self.words[at + 1] in _AFTER_ORDER

    def does(self, at: int) -> bool:
        """Tell whether the words from this one on say what somebody does: "is broken", but not "can you", "go"."""
        if at >= len(self.words):
            return False
        word = self.words[at]
        if word in AUXILIARIES:
            if at + 1 >= len(self.words):
                return word in _TELLS
            return word in _OWNS or self.words[at + 1] not in _AFTER_ASKING
        if word in _NOT_DOING:
            return word in _DOING
        return word in PAST or word.endswith("ed") or _third(word)


def _third(word: str) -> bool:
    return word.endswith("s") and not word.endswith("ss")
