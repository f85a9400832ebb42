"""Texts for synthetic voices, written and as they are said, and what a transcript sounds like in letters.

A number, a code, an address or a time can be said in several ways ("one one three", "one thirteen", "a hundred
thirteen") that people write in one. A `Line` has both, so that a recognizer learns to write "A-113" whichever way it
was said.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from hearing_models.recognizer.phrases import KINDS, PATTERNS
from hearing_models.recognizer.sayings import SAYINGS, Rng, Said, spell
from hearing_models.recognizer.words import WORDS
from num2words import num2words

from hearing.errors import InputError

LONGEST = 25
"""Words in a sentence at most."""
_TERM = re.compile(r"\{(\w+)((?: \w+)*)\}")
_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_REPAIRS = (
    (r"\b(kni|lea|shel|wol)fe?s\b", r"\1ves"),
    (r"(x|ch|sh|ss)s\b", r"\1es"),
    (r"([b-df-hj-np-tv-z])ys\b", r"\1ies"),
    (r"\ba (?=(?!uni|use|eu|one)[aeiou]\w|8|11\b|18\b)", "an "),
    (r"\.\.", "."),
)
"""What patterns leave ungrammatical: plurals, articles, the period after an abbreviation."""
_TAGS = {"NN": "any_noun", "JJ": "any_adjective", "RB": "any_adverb", "NNP": "any_name"}


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence.

    Attributes
    ----------
    written
        As people write it: "Bring me part A-113."
    said
        As somebody says it, to be read by a voice: "Bring me part A one thirteen." Letters that are said by name are
        capitals on their own.
    """

    written: str
    said: str

    @property
    def spoken(self) -> str:
        """What is said in letters, apostrophes and blanks only: "bring me part a one thirteen"."""
        return spoken(self.said)


def sentence(rng: Rng) -> Line:
    """Make up a sentence of 1 to 25 words, as it is said to a robot or around it.

    Raises
    ------
    InputError
        If hibari-tts, whose word list is used, is not installed.
    """
    kinds, weights = list(KINDS), np.array(list(KINDS.values()), np.float64)
    while True:
        kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
        written, said = _fill(f"{{{kind}}}", rng)
        if len(said.split()) <= LONGEST:
            return Line(_repaired(written), _repaired(said))


def _fill(pattern: str, rng: Rng) -> Said:
    """Fill in a pattern's terms."""
    pattern = _OPTIONAL.sub(lambda match: match[1] if rng.random() < 0.5 else "", pattern)
    written, said, end = "", "", 0
    for term in _TERM.finditer(pattern):
        before = pattern[end : term.start()]
        term_written, term_said = _term(term[1], term[2].split(), rng)
        written, said, end = written + before + term_written, said + before + term_said, term.end()
    return written + pattern[end:], said + pattern[end:]


def _term(name: str, words: list[str], rng: Rng) -> Said:
    if name in SAYINGS:
        return SAYINGS[name](rng, *words)
    if name == "spelled":
        person = _one_of("name" if rng.random() < 0.5 else "surname", rng)
        written, said = spell(person, rng)
        return f"{person}, {written}", f"{person}, {said}"
    return _fill(_one_of(name, rng), rng)


def _one_of(name: str, rng: Rng) -> str:
    choices = _choices()[name]
    return choices[int(rng.integers(len(choices)))]


@cache
def _choices() -> dict[str, list[str]]:
    """List what may stand for a term: patterns, words, and nouns, adjectives, adverbs and names of a lexicon."""
    choices = {name: text.split(" | ") for name, text in _entries(PATTERNS)}
    choices |= {name: [word.replace("_", " ") for word in text.split()] for name, text in _entries(WORDS)}
    lexicon: dict[str, list[str]] = {name: [] for name in _TAGS.values()}
    for word, tag in _tagged_words().items():
        # Abbreviations are left out: whether they are spelled or read differs from one to the next.
        casing = word.istitle() if tag == "NNP" else word.islower()
        if tag in _TAGS and casing and len(word) > 3 and word.isascii() and word.isalpha():
            lexicon[_TAGS[tag]].append(word)
    return choices | lexicon


def _entries(text: str) -> list[tuple[str, str]]:
    found = re.findall(r"^(\w+): (.*(?:\n .*)*)", text, re.MULTILINE)
    return [(name, " ".join(content.split())) for name, content in found]


def _tagged_words() -> dict[str, str]:
    """Read the words that hibari-tts knows one part of speech for; only its data are touched, no network is loaded."""
    spec = importlib.util.find_spec("hibari")
    if spec is None or not spec.submodule_search_locations:
        raise InputError("synthetic speech needs hibari-tts; run: pip install -r requirements/synthesis.txt")
    tagger = Path(spec.submodule_search_locations[0]) / "assets" / "tagger.json.gz"
    tags: dict[str, str] = json.loads(gzip.decompress(tagger.read_bytes()))["tagdict"]
    return dict(sorted(tags.items()))


def _repaired(text: str) -> str:
    for wrong, right in _REPAIRS:
        text = re.sub(wrong, right, text)
    return text[:1].upper() + text[1:]


_SIGNS = {"&": "and", "@": "at", "+": "plus", "=": "equals", "%": "percent", "°": "degrees"}
_ABBREVIATIONS = {"mr": "mister", "mrs": "missus", "dr": "doctor", "vs": "versus"}
_UNITS = {
    "mm": "millimeters", "cm": "centimeters", "km": "kilometers", "kg": "kilograms", "nm": "newton meters",
    "kw": "kilowatts", "hz": "hertz", "khz": "kilohertz", "ml": "milliliters", "lbs": "pounds", "ft": "feet",
    "mph": "miles per hour", "rpm": "r p m", "psi": "p s i", "am": "a m", "pm": "p m",
}  # fmt: skip
_MONEY = {"$": ("dollars", "cents"), "£": ("pounds", "pence"), "€": ("euros", "cents")}
_AMOUNT = re.compile(r"([$£€])(\d[\d,]*)(?:\.(\d\d))?( (?:thousand|million|billion))?")
_CLOCK = re.compile(r"\b(\d{1,2}):(\d\d)\b")
_HALF_DAY = re.compile(r"\b([ap])\.m\b\.?")
_UNIT = re.compile(rf"(\d) ?({'|'.join(_UNITS)})\b")
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
_DECADE = re.compile(r"\b(\d+0)'?s\b")
_CODE = re.compile(r"\b([A-Z]{1,3})-(?=\d)")
_PHONE = re.compile(r"\b(?:\d{5,}|\d{2,4}(?:-\d{3,4})+)\b")
_NUMBER = re.compile(r"(?<![\d.])(-?\d{1,3}(?:,\d{3})+|-?\d+)(?:\.(\d+))?(?!\d)")


def spoken(text: str) -> str:
    """Guess how a transcript sounds: in letters, apostrophes and blanks only.

    >>> spoken("Bring Dr. Müller's part A-113 to bay 4 at 7:05!")
    "bring doctor muller's part a one one three to bay four at seven oh five"
    >>> spoken("It's 3.5 bar, 20% more than on the 2nd, and costs $4.50.")
    "it's three point five bar twenty percent more than on the second and costs four dollars fifty cents"
    """
    text = unicodedata.normalize("NFKD", text.replace("\u2019", "'").replace("\u2212", "-"))
    text = _CODE.sub(lambda match: match[1], text).lower()
    text = _AMOUNT.sub(_money, text)
    text = _CLOCK.sub(lambda match: f"{match[1]} {_minutes(match[2])}", text)
    text = _HALF_DAY.sub(r"\1 m", text)
    text = _UNIT.sub(lambda match: f"{match[1]} {_UNITS[match[2]]}", text)
    text = _ORDINAL.sub(lambda match: str(num2words(int(match[1]), to="ordinal")), text)
    text = _DECADE.sub(lambda match: re.sub("y$", "ie", _whole(match[1])) + "s", text)
    # Letters and digits in one word are a code: short runs of letters are spelled, as are three digits or more.
    text = re.sub(r"\b(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]+\b", lambda match: _code(match[0]), text)
    text = _PHONE.sub(lambda match: _digits(match[0]), text)
    text = _NUMBER.sub(_number, text)
    text = re.sub("|".join(map(re.escape, _SIGNS)), lambda match: f" {_SIGNS[match[0]]} ", text)
    text = re.sub(r"[^a-z' ]", " ", re.sub(r"[.\u0300-\u036f](?=\S)|(?<=[a-z])[\u0300-\u036f]", "", text))
    words = [_ABBREVIATIONS.get(word, word) for word in re.sub(r"(?<![a-z])'|'(?![a-z])", " ", text).split()]
    return " ".join(words)


def _digits(digits: str) -> str:
    return " ".join(num2words(int(digit)) for digit in digits if digit.isdigit())


def _minutes(minutes: str) -> str:
    return {"00": "o'clock"}.get(minutes, f"oh {minutes[1]}" if minutes[0] == "0" else minutes)


def _money(amount: re.Match[str]) -> str:
    unit, cent = _MONEY[amount[1]]
    return f"{amount[2]}{amount[4] or ''} {unit}" + (f" {amount[3]} {cent}" if amount[3] else "")


def _code(word: str) -> str:
    parts = re.findall(r"[a-z]+|\d+", word)
    said = [
        (" ".join(part) if len(part) < 4 else part) if part.isalpha() else _digits(part) if len(part) > 2 else part
        for part in parts
    ]
    return " ".join(said)


def _number(number: re.Match[str]) -> str:
    whole = _whole(number[1])
    return f" {whole} point {_digits(number[2])} " if number[2] else f" {whole} "


def _whole(digits: str) -> str:
    minus = "minus " if digits.startswith("-") else ""
    digits = digits.removeprefix("-")
    if len(digits) > 1 and digits[0] == "0":
        return minus + _digits(digits)
    number = int(digits.replace(",", ""))
    is_year = len(digits) == 4 and (1100 <= number < 2000 or 2010 <= number < 2100)
    words: str = num2words(number, to="year" if is_year else "cardinal")
    return minus + words
