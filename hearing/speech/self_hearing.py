"""The robot's own speech heard back: the last resort behind echo canceller and direction of the own voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

import numpy as np

from hearing.recognition.text import normalize
from hearing.speech.speaking import SaidWord
from hearing.types import SpottedWord, Utterance, Word

EARLIEST, LATEST = -0.25, 0.6
"""Seconds from a word at the loudspeaker to the same word at the microphones: how wrong recognizers time words, and the
buffers of devices and of the hall's loudspeakers."""
TOGETHER = 0.3
"""Seconds by which the delays of words of one echo may differ."""
SHARE = 0.5
"""Share of the utterance's letters that must be the robot's."""
FEW_LETTERS, EXACTLY = 5, (-0.15, 0.3)
"""Where fewer letters than this are the robot's, it may be by chance: they must be later by so many seconds."""
_ALIKE, _SHORT = 0.6, 4
REMEMBERED = 30.0
"""Seconds for which the robot's words are kept: utterances last so long, and become final when the answer is over."""
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {str(number): word for number, word in enumerate(_DIGITS)}


class SelfHearing:
    """Streaming: keeps the robot's own speech out of what was heard, also when it is recognized after its end."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._said: dict[tuple[float, str], SaidWord] = {}
        self._shown: dict[str, float] = {}

    def process(self, utterances: Sequence[Utterance], said: Sequence[SaidWord] = ()) -> tuple[Utterance, ...]:
        """Take what is new.

        Parameters
        ----------
        utterances
            New or revised ones.
        said
            What the loudspeaker has played of the present answer, or lately, from `Speaking.words`.

        Returns
        -------
        The utterances of people. One that turns out to be the robot's is given once more, without words.
        """
        self._said |= {(word.start_time, word.text): word for word in said}
        if said:
            oldest = max(word.start_time for word in said) - REMEMBERED
            self._said = {key: word for key, word in self._said.items() if key[0] >= oldest}
        words = tuple(self._said.values())
        others = []
        for utterance in utterances:
            if not self_heard(utterance.words, words):
                self._show(utterance)
                others.append(utterance)
            elif self._shown.pop(utterance.id, None) is not None:
                others.append(replace(utterance, words=()))
        return tuple(others)

    def others(self, spotted: Sequence[SpottedWord]) -> tuple[SpottedWord, ...]:
        """Return the spotted words that people said, after `process` was told what the loudspeaker has played."""
        said = tuple(self._said.values())
        return tuple(
            word
            for word in spotted
            if not self_heard([Word(word.word, word.start_time, word.end_time, 1.0, word.emitted)], said)
        )

    def _show(self, utterance: Utterance) -> None:
        """Remember that an utterance was passed on, for as long as it may turn out to be the robot's."""
        self._shown[utterance.id] = utterance.end_time
        oldest = utterance.end_time - REMEMBERED
        self._shown = {name: end for name, end in self._shown.items() if end >= oldest}


def self_heard(words: Sequence[Word], said: Sequence[SaidWord]) -> bool:
    """Whether an utterance is the robot's own speech heard back.

    Words must be the same, or nearly so, as echoes are misheard, and come one after the other with one delay between
    them. Somebody who repeats the robot's words is later than an echo.

    Parameters
    ----------
    words
        The utterance, partial or final.
    said
        What the loudspeaker played in the last seconds, from `Speaking.words`, on the clock of the microphones.

    Examples
    --------
    >>> said = [SaidWord(word, 5 + 0.4 * k, 5.3 + 0.4 * k, True) for k, word in enumerate("I bring bay five.".split())]
    >>> def heard(text, start):
    ...     return [Word(word, start + 0.4 * k, start + 0.4 * k + 0.3, 1.0, 0.0) for k, word in enumerate(text.split())]
    >>> self_heard(heard("bring pay 5", 5.5), said), self_heard(heard("bay five", 6.8), said)
    (True, False)
    """
    heard = [(_plain(word.text), word.start_time) for word in words]
    played = [(_plain(word.text), word.start_time) for word in said]
    lengths = np.array([len(text) for text, _ in heard])
    if not lengths.any():
        return False
    delays = np.array([[at - since for _, since in played] for _, at in heard]).reshape(len(heard), len(played))
    near = (delays >= EARLIEST) & (delays <= LATEST)
    alike = np.zeros(near.shape, bool)
    for a, b in zip(*np.nonzero(near), strict=True):
        alike[a, b] = _similar(heard[a][0], played[b][0])
    # The delay that most letters share: each pair's own is tried.
    own = 0
    for delay in delays[alike]:
        together = alike & (np.abs(delays - delay) <= TOGETHER)
        shared = int(lengths[together.any(axis=1)].sum())
        if shared >= FEW_LETTERS or EXACTLY[0] <= delay <= EXACTLY[1]:
            own = max(own, shared)
    return bool(own >= SHARE * lengths.sum())


def _plain(text: str) -> str:
    word = normalize(text)
    return _NUMBERS.get(word, word)


def _similar(first: str, second: str) -> bool:
    if first == second or min(len(first), len(second)) < _SHORT:
        return first == second
    return SequenceMatcher(None, first, second, autojunk=False).ratio() >= _ALIKE
