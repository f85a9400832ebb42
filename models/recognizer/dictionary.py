"""General English for synthetic voices: the examples of use in WordNet 3.0 (Fellbaum 1998), forty thousand phrases.

They come with Debian's package `wordnet-base` and hold far more words than people say to robots.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
from hearing_models.recognizer.texts import LONGEST, Line

from hearing.errors import InputError

FOLDER = Path("/usr/share/wordnet")
_PARTS = ("noun", "verb", "adj", "adv")
_EXAMPLE = re.compile(r'"([^"]+)"')
_PLAIN = re.compile(r"[A-Za-z][A-Za-z' ,;:!?.-]*")
_SHORTEST = 3


def read_examples(folder: Path) -> list[str]:
    """Read the examples of plain words that are sentences or at least three words long.

    Raises
    ------
    InputError
        If WordNet is not there.
    """
    found = []
    for part in _PARTS:
        path = folder / f"data.{part}"
        try:
            lines = path.read_text(encoding="latin-1").splitlines()
        except OSError as error:
            raise InputError(f"{path}: no WordNet there ({error}); run: apt install wordnet-base") from error
        for line in lines:
            gloss = line.partition("| ")[2]
            examples = (example.strip(" ;,") for example in _EXAMPLE.findall(gloss))
            found += [e for e in examples if _PLAIN.fullmatch(e) and _SHORTEST <= len(e.split()) <= LONGEST]
    return found


def example_of_use(rng: np.random.Generator, folder: Path = FOLDER) -> Line:
    """Draw one to three examples, said one after the other, of 25 words at most."""
    examples = _read_once(folder)
    text = ""
    for _ in range(int(rng.integers(1, 4))):
        example = examples[int(rng.integers(len(examples)))]
        sentence = example[:1].upper() + example[1:] + ("" if example[-1] in ".?!" else ".")
        if len(f"{text} {sentence}".split()) <= LONGEST:
            text = f"{text} {sentence}".strip()
    return Line(text, text)


@cache
def _read_once(folder: Path) -> list[str]:
    return read_examples(folder)
