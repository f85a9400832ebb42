"""How well commands are understood that a recognizer got wrong in part, and how often one is found where none is said.

`python -m hearing.dialogue.brains.evaluation` reads `$HEARING_DATA/speech`; with `--fit` it finds the weights of
`understanding` on other sentences and other errors than it reports on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from hearing.dialogue.brains.brain import Ask, Command, DialogueContext, SlotValue, UserTurn
from hearing.dialogue.brains.grammar import Grammar
from hearing.dialogue.brains.grammar_brain import GrammarBrain
from hearing.dialogue.brains.grammar_file import load_grammar
from hearing.dialogue.brains.matching import Matcher
from hearing.dialogue.brains.understanding import fit_values, tokens_of
from hearing.dialogue.brains.wording import label
from hearing.errors import InputError
from hearing.recognition.sounds import Lexicon

RATES = (0.0, 0.1, 0.2, 0.3)
"""Shares of words that the recognizer gets wrong."""
OUTCOMES = ("right", "asked", "wrong", "asked wrong", "nothing")
_CORPORA = ("read_accented_speakers", "read_5_speakers", "small_assets", "numbers_names_70_speakers")
_POLITE = ("", "", "", "please", "robot", "robot please", "hey robot", "could you please", "okay robot", "um")
_ABOUT = (
    "the {} is broken", "{} again", "i saw {} yesterday", "what about {}", "{} is not here", "did you see {}",
    "we talked about {} this morning", "{} is what he said", "no i don't think that {} works", "is that {}",
    "my brother bought {} for his birthday", "{} was full when i looked", "he was at {} all day", "it's {} i think",
    "the one with {}", "{} and {} are both missing", "who was it {} or {}", "they want to sell {}",
    "i asked him about {} last week", "there is something wrong with {}", "{} looks good", "why is {} so loud",
    "somebody has painted {} red", "{} has been repaired", "i like {} better than {}", "oh {}",
    "she told me that {} will be delivered on monday", "the new {} costs too much", "yes {} of course",
    "nobody has used {} since march",
)  # fmt: skip
"""What people say about things that commands mention; every other one is kept from the fit."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence, and the command that it is; no intent if it is none."""

    text: str
    intent: str = ""
    slots: tuple[tuple[str, SlotValue], ...] = ()


class Mishearing:
    """Makes the errors of recognizers.

    Of the words that go wrong, 60 % are replaced, mostly by ones that sound alike, 25 % are lost, and after 15 %
    another word is invented.

    Parameters
    ----------
    vocabulary
        Words that are heard instead.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._words = sorted(set(vocabulary))
        self._lexicon = Lexicon(self._words)
        self._alike: dict[str, list[str]] = {}

    def garble(self, text: str, rate: float, rng: np.random.Generator) -> str:
        """Write a text as it is misheard where each word goes wrong with a probability."""
        heard: list[str] = []
        for word in tokens_of(text)[0]:
            kind = rng.random() if rng.random() < rate else 2.0
            if kind < 0.6:
                heard.append(self._instead(word, rng))
            elif kind >= 0.85:
                heard.append(word)
            if 0.85 <= kind < 1.0:
                heard.append(str(rng.choice(self._words)))
        return " ".join(heard)

    def _instead(self, word: str, rng: np.random.Generator) -> str:
        if word not in self._alike:
            distances = self._lexicon.distances([word])[0, 0]
            close = [self._words[i] for i in np.argsort(distances, kind="stable")[:9] if distances[i] < 0.5]
            self._alike[word] = [other for other in close if other != word]
        if self._alike[word] and rng.random() < 0.75:
            return str(rng.choice(self._alike[word]))
        return str(rng.choice(self._words))


def commands(
    grammar: Grammar, count: int, texts: Sequence[str], rng: np.random.Generator, forgotten: float = 0.0
) -> list[Spoken]:
    """Draw commands as people say them: every intent equally often, with courtesies.

    Parameters
    ----------
    grammar
        Whose commands.
    count
        How many.
    texts
        What is put into free text.
    rng
        What chooses.
    forgotten
        Probability of each detail that the speaker leaves it out.
    """
    intents = list(grammar.intents.values())
    drawn = []
    for number in range(count):
        intent = intents[number % len(intents)]
        pattern = intent.patterns[rng.integers(len(intent.patterns))]
        variants = list(pattern.variants())
        words: list[str] = []
        slots: list[tuple[str, SlotValue]] = []
        for word in variants[rng.integers(len(variants))]:
            if not word.startswith("{"):
                words.append(word)
                continue
            slot = grammar.slots[word[1:-1]]
            if rng.random() < forgotten:
                continue
            if slot.kind == "text":
                said = " ".join(tokens_of(str(rng.choice(list(texts))))[0][:6])
                value: SlotValue = said
            else:
                value = slot.values[rng.integers(len(slot.values))]
                said = str(rng.choice([spelling for spelling, means in slot.spellings.items() if means == value]))
            words.append(said)
            slots.append((slot.name, value))
        before = str(rng.choice(_POLITE)).replace("robot", grammar.robot_names[0])
        text = " ".join(filter(None, (before, *words)))
        drawn.append(Spoken(text, intent.name, tuple(sorted(slots))))
    return drawn


def outcome(brain: GrammarBrain, sentence: Spoken, turn: UserTurn) -> str:
    """Tell what a robot does about a sentence, and a turn that is heard of it.

    Returns
    -------
    `right` command, `wrong` command, `asked` back with the right command among the answers, `asked wrong`, or
    `nothing`.
    """
    brain.question = None
    events = list(brain.respond(turn, DialogueContext()))
    wanted = (sentence.intent, dict(sentence.slots))
    done = [(event.intent, dict(event.slots)) for event in events if isinstance(event, Command)]
    if done:
        return "right" if done == [wanted] else "wrong"
    if not any(isinstance(event, Ask) for event in events):
        return "nothing"
    question = brain.question
    offered: list[tuple[str, dict[str, SlotValue]]]
    offered = [(option.intent, dict(option.slots)) for option in question.options] if question else []
    if question and question.kind == "confirm":
        return "right" if offered == [wanted] else "wrong"
    close = any(intent == wanted[0] and slots.items() <= wanted[1].items() for intent, slots in offered)
    return "asked" if sentence.intent and close else "asked wrong"


def unrelated(root: Path, development: bool) -> list[str]:
    """Read sentences that are no commands, of the speakers of one half, and cut beginnings of 1 to 5 words off them."""
    texts = []
    for corpus in _CORPORA:
        manifest = root / "speech" / corpus / "manifest.jsonl"
        for line in manifest.read_text(encoding="utf-8").splitlines():
            clip = json.loads(line)
            half = int(hashlib.md5(str(clip["speaker"]).encode()).hexdigest()[-1], 16) % 2 == 0
            if clip["text"] and half == development and len(tokens_of(clip["text"])[0]) > 1:
                texts.append(clip["text"].lower())
    texts = sorted(set(texts))
    beginnings = {" ".join(text.split()[: 1 + number % 5]) for number, text in enumerate(texts)}
    return texts + sorted(beginnings.difference(texts))


def mentions(grammar: Grammar, development: bool, rng: np.random.Generator) -> list[str]:
    """Make sentences that mention what commands mention, and are none."""
    slots = [slot for slot in grammar.slots.values() if slot.kind != "text"]

    def said() -> str:
        slot = slots[rng.integers(len(slots))]
        return label(slot, slot.values[rng.integers(len(slot.values))])

    about = _ABOUT[1 - development :: 2]
    return [sentence.replace("{}", said(), 1).replace("{}", said()) for sentence in about for _ in range(10)]


def fit(grammar: Grammar, sentences: Sequence[tuple[Spoken, str]]) -> tuple[list[float], float]:
    """Find weights and temperature that make probabilities right, by maximum likelihood.

    Parameters
    ----------
    grammar
        Whose commands they are.
    sentences
        What was said, and how it was heard.

    Returns
    -------
    weights, temperature
        For `understanding.WEIGHTS` and `TEMPERATURE`.
    """
    patterns = [(intent.name, pattern) for intent in grammar.intents.values() for pattern in intent.patterns]
    matcher = Matcher(patterns, grammar.slots, grammar.robot_names)
    values, gaps, right = [], [], []
    for sentence, heard in sentences:
        matches = matcher.matches(tokens_of(heard)[0])
        if not matches:
            continue
        best = matches[0]
        values.append(fit_values(best))
        gaps.append(np.array([match.cost - best.cost for match in matches[:20]]))
        right.append((best.intent, dict(best.slots)) == (sentence.intent, dict(sentence.slots)))
    features, correct = np.array(values), np.array(right)
    widest = max(map(len, gaps))
    padded = np.array([np.pad(gap, (0, widest - len(gap)), constant_values=np.inf) for gap in gaps])

    def surprise(parameters: NDArray[np.float64]) -> float:
        fits = 1 / (1 + np.exp(-(features @ parameters[:-1])))
        probability = np.clip(fits / np.exp(-padded / np.exp(parameters[-1])).sum(axis=1), 1e-4, 1 - 1e-4)
        return float(-np.where(correct, np.log(probability), np.log(1 - probability)).mean())

    start = np.array([0.0, -1.0, 1.0, -4.0, 0.0, np.log(0.2)])
    found = minimize(surprise, start, method="Nelder-Mead", options={"maxiter": 4000})
    return [round(float(weight), 2) for weight in found.x[:-1]], round(float(np.exp(found.x[-1])), 3)


def evaluate(grammar: Grammar, sentences: Sequence[tuple[Spoken, str]]) -> Counter[str]:
    """Count outcomes over sentences and what was heard of them."""
    brain = GrammarBrain(grammar)
    counts: Counter[str] = Counter()
    for number, (sentence, heard) in enumerate(sentences):
        apart = 100.0 * number  # so that nothing is taken for a correction of the one before
        counts[outcome(brain, sentence, UserTurn(str(number), heard, "Anna", start_time=apart, end_time=apart))] += 1
    return counts


def main() -> None:
    """Report, or fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grammar", type=Path, help="a YAML file; by default the package's")
    parser.add_argument("--count", type=int, default=400, help="commands per error rate")
    parser.add_argument("--fit", action="store_true", help="find weights instead")
    arguments = parser.parse_args()
    root = Path(os.environ.get("HEARING_DATA", "."))
    if not (root / "speech").is_dir():
        raise InputError(f"{root / 'speech'}: no such folder; set HEARING_DATA to the folder of the recorded data")
    grammar = load_grammar(arguments.grammar)
    others = unrelated(root, arguments.fit)
    rng = np.random.default_rng(1 if arguments.fit else 3)
    mishearing = Mishearing([word for text in others for word in tokens_of(text)[0]])
    heard: dict[str, list[tuple[Spoken, str]]] = {}
    for rate in RATES:
        said = commands(grammar, arguments.count, others, rng, 0.1 if arguments.fit else 0.0)
        for one in said:
            free = any(grammar.slots[name].kind == "text" for name, _ in one.slots)
            name = f"{'free text' if free else 'commands'}, {rate:.0%} of words wrong"
            heard.setdefault(name, []).append((one, mishearing.garble(one.text, rate, rng)))
    for name, texts in {"read": others, "talk about": mentions(grammar, arguments.fit, rng)}.items():
        heard[f"no commands, {name}"] = [(Spoken(text), mishearing.garble(text, 0.1, rng)) for text in texts]
    if arguments.fit:
        print(*fit(grammar, [pair for pairs in heard.values() for pair in pairs]))
        return
    for name, pairs in heard.items():
        counts = evaluate(grammar, pairs)
        print(f"{name}:", *(f"{counts[kind] / len(pairs):.1%} {kind}," for kind in OUTCOMES), f"of {len(pairs)}")


if __name__ == "__main__":
    main()
