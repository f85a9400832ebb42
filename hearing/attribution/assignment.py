"""Utterances to persons, all at once: whoever says one does not say another one meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components

from hearing.attribution.config import CUES

FloatArray = NDArray[np.float64]
_PASSES = 4
NEVER = -1e6
"""Log odds of what cannot be."""


def assign(scores: FloatArray, clashes: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
    """Assign utterances so that the sum of their log odds is largest.

    First each one of those that clash goes to another person (Kuhn, 1955); then each in turn to whoever is likeliest,
    given the others (iterated conditional modes, Besag, 1986).

    Parameters
    ----------
    scores
        Log odds of each person, and of somebody new, for each utterance, of shape (n_utterances, n_people + 1).
    clashes
        Log-likelihood ratio, 0 or less, of two utterances being one person's, as they are said at the same time, of
        shape (n_utterances, n_utterances).

    Returns
    -------
    For each utterance the person's number, n_people for somebody new, and the probability of that, given the others.

    Examples
    --------
    Both sound like the first person, but talk at the same time:

    >>> scores, clashes = np.array([[3.0, 0.0, -1.0], [2.0, 1.0, -1.0]]), -4.0 * (1 - np.eye(2))
    >>> assign(scores, clashes)[0].tolist()
    [0, 1]
    >>> assign(scores, 0 * clashes)[0].tolist()
    [0, 0]
    """
    n_utterances, n_people = len(scores), scores.shape[1] - 1
    newcomers = np.full((n_utterances, n_utterances), NEVER)
    np.fill_diagonal(newcomers, scores[:, -1])
    odds = np.maximum(np.hstack([scores[:, :-1], newcomers]), NEVER)
    _, group = connected_components(clashes < 0, directed=False)
    people = np.zeros(n_utterances, np.int64)
    for number in np.unique(group):
        members = np.flatnonzero(group == number)
        rows, columns = linear_sum_assignment(odds[members], maximize=True)
        people[members[rows]] = np.minimum(columns, n_people)
    for _ in range(_PASSES):
        before = people.copy()
        for utterance in range(n_utterances):
            people[utterance] = _given(scores, clashes, people)[utterance].argmax()
        if np.array_equal(before, people):
            break
    probability = softmax(_given(scores, clashes, people))[np.arange(n_utterances), people]
    return people, probability


def _given(scores: FloatArray, clashes: FloatArray, people: NDArray[np.int64]) -> FloatArray:
    """Return the log odds of everybody for each utterance, given whose the others are."""
    said = np.eye(scores.shape[1])[people]
    said[:, -1] = 0.0  # everybody new is somebody else
    return scores + (clashes - np.diag(np.diag(clashes))) @ said


def softmax(scores: FloatArray) -> FloatArray:
    """Turn log odds into probabilities along the last axis."""
    odds = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: FloatArray = odds / odds.sum(axis=-1, keepdims=True)
    return shares


def most_likely(ratios: Mapping[str, float]) -> tuple[str | None, float]:
    """Return the face that most likely says something, and how likely that is; None if it is said by nobody seen."""
    names: list[str | None] = [None, *ratios]
    odds = np.exp(np.array([0.0, *ratios.values()]))
    best = int(odds.argmax())
    return names[best], float(odds[best] / odds.sum())


def by_cue(ratios: FloatArray, chosen: int) -> dict[str, float]:
    """Return how likely each cue alone that says something makes the one who was chosen.

    Parameters
    ----------
    ratios
        Log-likelihood ratios, of shape (n_people, n_cues).
    chosen
        His number.
    """
    said, alone = np.abs(ratios).sum(axis=0), softmax(ratios.T)[:, chosen]
    return {cue: float(likely) for cue, likely, much in zip(CUES, alone, said, strict=True) if much}
