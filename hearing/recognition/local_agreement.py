"""LocalAgreement-2: what two successive hypotheses agree on stays (Liu et al. 2020; Macháček et al. 2023)."""

from __future__ import annotations

from collections.abc import Sequence

from hearing.recognition.engine import RecognizedWord
from hearing.recognition.text import matches, normalized


class LocalAgreement:
    """Makes successive hypotheses about a growing stretch of speech stable.

    Attributes
    ----------
    committed
        Words that two successive hypotheses began with. They only ever grow.
    tentative
        Words that the last hypothesis has after them; the next one may change them.
    """

    def __init__(self) -> None:
        self.committed: tuple[RecognizedWord, ...] = ()
        self.tentative: tuple[RecognizedWord, ...] = ()

    def update(self, hypothesis: Sequence[RecognizedWord]) -> None:
        """Take a new hypothesis about the whole stretch so far and commit the prefix that it shares with the last one.

        Words are compared without casing and punctuation, and a committed word keeps its first spelling. Where the
        hypothesis contradicts committed words, its continuation is what follows the last committed word in it.
        """
        tail = tuple(hypothesis[self._continuation(hypothesis) :])
        agreed = 0
        for new, old in zip(normalized(tail), normalized(self.tentative), strict=False):
            if new != old:
                break
            agreed += 1
        self.committed += tail[:agreed]
        self.tentative = tail[agreed:]

    def _continuation(self, hypothesis: Sequence[RecognizedWord]) -> int:
        """Index of the first word of the hypothesis that is not committed yet."""
        known, new = normalized(self.committed), normalized(hypothesis)
        if new[: len(known)] == known:
            return len(known)
        aligned = matches(known, new)
        if not aligned:
            return min(len(known), len(new))
        last_known, last_new = aligned[-1]
        # Committed words after the last match were misheard now: they stand for as many words of the hypothesis.
        return min(last_new + len(known) - last_known, len(new))
