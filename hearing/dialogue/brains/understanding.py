"""What an utterance means, each meaning with the probability that exactly this was said."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearing.dialogue.brains.brain import SlotValue
from hearing.dialogue.brains.grammar import Slot
from hearing.dialogue.brains.matching import MISSING, Match, Matcher
from hearing.dialogue.brains.pattern import Pattern
from hearing.errors import InputError
from hearing.recognition.biasing import spoken

WEIGHTS = np.array([1.92, -1.57, 3.06, -8.08, -4.52])
"""Of `fit_values`; `python -m hearing.dialogue.brains.evaluation --fit` finds them."""
TEMPERATURE = 0.165
"""So much cheaper a meaning is e times as likely as another one."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What may be meant.

    Attributes
    ----------
    intent, slots, missing
        The command, its details, and those that nobody named.
    probability
        That exactly this was said.
    fits
        That something of the grammar was said that fits as well.
    least_sure
        Probability, by the recognizer, of the least sure word that names a detail; 1 if there is none.
    bare
        True if only details were heard and nothing of what to do with them.
    """

    intent: str
    slots: Mapping[str, SlotValue]
    missing: tuple[str, ...] = ()
    probability: float = 1.0
    fits: float = 1.0
    least_sure: float = 1.0
    bare: bool = False


class Understanding:
    """Finds meanings.

    Parameters
    ----------
    patterns, slots, robot_names
        See `Matcher`.
    """

    def __init__(
        self, patterns: Iterable[tuple[str, Pattern]], slots: Mapping[str, Slot], robot_names: Sequence[str]
    ) -> None:
        self._matcher = Matcher(patterns, slots, robot_names)

    def meanings(
        self, text: str, confidences: Sequence[float] = (), only: Container[str] | None = None
    ) -> list[Meaning]:
        """Find what a text may mean.

        Parameters
        ----------
        text
            What somebody said, as it was recognized.
        confidences
            Probability of each of its words that it is right, or none.
        only
            Intents that make sense now; None for all.

        Returns
        -------
        Meanings, the likeliest first; empty if it resembles nothing.
        """
        tokens, reliability = tokens_of(text, confidences)
        matches = self._matcher.matches(tokens, reliability, only)
        if not matches:
            return []
        shares = share(np.array([match.cost for match in matches]), TEMPERATURE)
        return [_meaning(match, float(part), reliability) for match, part in zip(matches, shares, strict=True)]


def tokens_of(text: str, confidences: Sequence[float] = ()) -> tuple[list[str], list[float]]:
    """Split a text into words of letters, numbers spelled out, each with its probability.

    >>> tokens_of("Go to bay 24.", [1.0, 1.0, 0.9, 0.8])
    (['go', 'to', 'bay', 'twenty', 'four'], [1.0, 1.0, 0.9, 0.8, 0.8])
    """
    words = text.split()
    given = list(confidences) if len(confidences) == len(words) else []
    tokens: list[str] = []
    reliability: list[float] = []
    for number, word in enumerate(words):
        try:
            parts = spoken(word)[0].split()
        except InputError:
            continue
        tokens += parts
        if given:
            reliability += [given[number]] * len(parts)
    return tokens, reliability


def share(costs: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Share certainty among alternatives by their costs: shape (n,), sums up to 1."""
    likelihoods = np.exp((costs.min() - costs) / temperature)
    shares: NDArray[np.float64] = likelihoods / likelihoods.sum()
    return shares


def fit_values(match: Match) -> NDArray[np.float64]:
    """Return what tells whether a phrase was said at all, of shape (5,).

    1, the cost, how much was heard, the cost's share of both, and the number of details that nobody named, whose cost
    is not counted.
    """
    cost = max(match.cost - MISSING * len(match.missing), 0.0)
    return np.array(
        [1.0, cost, min(match.fitting, 4.0), cost / (cost + match.fitting + 1e-9), float(len(match.missing))]
    )


def _meaning(match: Match, part: float, reliability: Sequence[float]) -> Meaning:
    fits = float(1 / (1 + np.exp(-WEIGHTS @ fit_values(match))))
    named = [reliability[at] for start, end in match.spans.values() for at in range(start, end)] if reliability else []
    least_sure = min(named, default=1.0)
    return Meaning(match.intent, match.slots, match.missing, fits * part, fits, least_sure, match.bare)
