"""Streaming with engines that only hear finished audio: everything so far is heard again and again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hearing.errors import InputError
from hearing.recognition import guards
from hearing.recognition.engine import Engine, Hypothesis, Recognition, RecognizedWord
from hearing.recognition.local_agreement import LocalAgreement
from hearing.types import SAMPLE_RATE, Float32Array

_LOG = logging.getLogger(__name__)


class DraftingEngine:
    """Makes a streaming engine of one or two offline engines.

    While an utterance goes on, a cheap engine hears all of it again and again; LocalAgreement-2 decides which of its
    words stay. A draft that is sure of itself also gives the words after them as tentative, but for the last, which the
    end of the audio usually cuts in half: waiting for the next draft would show every word one interval later, although
    most of these words stay. When the utterance ends, an accurate engine hears it once as a whole, and text that is
    invented is withdrawn.

    Parameters
    ----------
    draft
        The cheap engine.
    final
        The accurate engine; may be the same.
    partial_interval
        Least new audio in seconds between two drafts.
    partial_growth
        Least new audio between two drafts as a share of the utterance so far. It bounds the cost of the drafts, which
        grows with what they hear: at a real-time factor r of the draft engine they cost less than r / partial_growth.
    """

    takes_phrases = False

    def __init__(
        self, draft: Engine, final: Engine, partial_interval: float = 0.6, partial_growth: float = 0.2
    ) -> None:
        self.latency = partial_interval
        self._draft = draft
        self._final = final
        self._growth = partial_growth

    def open(self) -> DraftedUtterance:
        """Begin an utterance."""
        return DraftedUtterance(self._draft, self._final, self.latency, self._growth)

    def bias(self, phrases: Sequence[str]) -> None:
        """Refuse phrases: offline engines have nowhere to put them.

        Raises
        ------
        InputError
            Unless the list is empty.
        """
        if phrases:
            name = type(self._final).__name__
            raise InputError(f"{name} does not take phrases; leave them out, or use an engine that takes them")


class DraftedUtterance:
    """One utterance on its way through a `DraftingEngine`, which also explains the parameters."""

    def __init__(self, draft: Engine, final: Engine, interval: float, growth: float) -> None:
        self._draft = draft
        self._final = final
        self._interval = interval
        self._growth = growth
        self._samples: list[Float32Array] = [np.zeros(0, np.float32)]
        self._length = 0
        self._drafted = 0
        self._agreement = LocalAgreement()
        self._hypothesis = Hypothesis()

    @property
    def pending(self) -> float:
        """Seconds that the next draft would hear, which is the whole utterance; 0 until enough of it is new."""
        fresh = self._length - self._drafted
        due = fresh > 0 and fresh >= max(self._interval * SAMPLE_RATE, self._growth * self._length)
        return self._length / SAMPLE_RATE if due else 0.0

    def accept(self, samples: Float32Array) -> None:
        """Take the next samples, of shape (n_samples,) at 16 kHz; only keeps them."""
        self._samples.append(samples)
        self._length += len(samples)

    def advance(self) -> Hypothesis:
        """Draft the whole utterance again if enough of it is new, and return what was said so far."""
        if self.pending:
            self._drafted = self._length
            draft = self._draft.transcribe(np.concatenate(self._samples))
            duration = self._length / SAMPLE_RATE
            if not guards.is_invented(draft, duration):
                self._agreement.update(draft.words)
                tentative = self._agreement.tentative[:-1] if guards.is_sure(draft, duration) else ()
                self._hypothesis = in_order(self._agreement.committed, tentative)
        return self._hypothesis

    def finish(self, whole: Float32Array | None = None) -> Recognition:
        """Recognize the utterance for good; no words if the text is invented.

        Parameters
        ----------
        whole
            The utterance's audio once more, of shape (n_samples,), if it could be made cleaner than what was accepted.
        """
        samples = np.concatenate(self._samples) if whole is None else whole
        final = self._final.transcribe(samples)
        # An engine cannot vouch for itself: without a second one nobody is asked whether he heard the same.
        asked = final.words and self._draft is not self._final
        second = self._draft.transcribe(samples) if asked else Recognition()
        if reason := guards.reason_to_drop(final, second, len(samples) / SAMPLE_RATE):
            _LOG.info("utterance dropped: %s: %r", reason, final.text)
            return Recognition()
        return final


def in_order(committed: Sequence[RecognizedWord], tentative: Sequence[RecognizedWord] = ()) -> Hypothesis:
    """Make a hypothesis of words that were timed at different times, so that they may overlap.

    A word begins no earlier than the one before it ends; what comes later changes nothing.
    """
    words: list[RecognizedWord] = []
    until = 0.0
    for word in (*committed, *tentative):
        start = max(word.start, until)
        until = max(word.end, start)
        words.append(replace(word, start=start, end=until))
    return Hypothesis(tuple(words[: len(committed)]), tuple(words[len(committed) :]))
