"""Reading what a CTC network hears (Graves et al. 2006): letters in frames, with blanks between them.

A prefix beam search (Hannun et al. 2014, algorithm 1) follows the most likely texts while the frames come in. Frames
may also be asked how likely a given text is, and when each of its letters was said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hearing.recognition.engine import RecognizedWord
from hearing.types import Float32Array

if TYPE_CHECKING:  # biasing spells its phrases in the letters of this module
    from hearing.recognition.biasing import PhraseBoost

LETTERS = " 'abcdefghijklmnopqrstuvwxyz"
"""What the network writes: its number 1 is the first of these; its number 0 is the blank."""
FRAME_RATE = 50.0
"""Frames per second."""
BLANK, SPACE = 0, 1

_NUMBERS = {letter: number for number, letter in enumerate(LETTERS, SPACE)}
_MOST_LETTERS = 6
_LEAST_PROBABILITY = math.exp(-6.0)
_SURE_BLANK = 0.98
# A text this many nats behind the best is given up: it would only keep words from becoming stable.
_FAR_BEHIND = 6.0
_IMPOSSIBLE = -1e30


def to_letters(text: str) -> list[int]:
    """Return the numbers of a text's letters, whatever their case; what the network cannot write is dropped."""
    return [_NUMBERS[letter] for letter in text.lower() if letter in _NUMBERS]


@dataclass(slots=True)
class _Prefix:
    """A text that the utterance may have begun with, after the words that are stable.

    Attributes
    ----------
    text
        Words with one space between them, and perhaps one after them.
    last
        Number of its last letter; a space if it is empty.
    emissions
        Of each letter the frame in which it begins, and its highest posterior in the frames for which it goes on.
    blank, letter
        Probabilities of the paths that write the text and end with a blank, or with its last letter; up to a factor
        that all prefixes share.
    state, bonus
        The state of the boosted phrases after the text, and what it has gained by them so far, in nats.
    """

    text: str
    last: int
    emissions: tuple[tuple[int, float], ...]
    blank: float
    letter: float
    state: int
    bonus: float

    @property
    def rank(self) -> float:
        """Score in nats by which prefixes compete."""
        return math.log(self.blank + self.letter) + self.bonus

    def stay(self, probabilities: list[float]) -> None:
        """Hear a frame that adds nothing to the text: a blank, or more of the last letter."""
        total = self.blank + self.letter
        posterior = probabilities[self.last]
        # Another space makes no other text, so it may also follow a blank.
        self.letter = (total if self.last == SPACE else self.letter) * posterior
        self.blank = total * probabilities[BLANK]
        if self.last != SPACE and self.letter > self.blank and posterior > self.emissions[-1][1]:
            self.emissions = (*self.emissions[:-1], (self.emissions[-1][0], posterior))


class PrefixBeamSearch:
    """Finds the most likely words of one utterance, frame by frame (Hannun et al. 2014, algorithm 1).

    Spaces in a row count as one, and those before the first word as none. Letters that are nearly certainly not said,
    and frames that are nearly certainly blank, add no texts. How frames are cut into chunks makes no difference.

    Parameters
    ----------
    beam
        Number of texts that are followed.
    boost
        Phrases to expect, compiled for letters.
    """

    def __init__(self, beam: int = 8, boost: PhraseBoost | None = None) -> None:
        self._width = beam
        self._boost = boost
        self._n_frames = 0
        self._stable: list[RecognizedWord] = []
        self._beam = [_Prefix("", SPACE, (), 1.0, 0.0, boost.start if boost else 0, 0.0)]

    @property
    def words(self) -> tuple[RecognizedWord, ...]:
        """The most likely words if the utterance ended here.

        Times are seconds since the first frame. A word lasts from the frame in which its first letter begins to the one
        in which its last letter begins, both included. Its probability is the geometric mean of those of its letters.
        """
        finish = self._boost.finish if self._boost else lambda _: 0.0
        return (*self._stable, *_words(max(self._beam, key=lambda prefix: prefix.rank + finish(prefix.state))))

    @property
    def stable(self) -> int:
        """How many of the words stay as they are: all texts of the beam have them, with a space after them."""
        return len(self._stable)

    def process(self, log_probabilities: Float32Array) -> None:
        """Hear the next frames.

        Parameters
        ----------
        log_probabilities
            Natural log-probabilities of shape (n_frames, 29): blank, then `LETTERS`.
        """
        for row in log_probabilities.tolist():
            self._hear([math.exp(value) for value in row])
            self._n_frames += 1

    def expect(self, boost: PhraseBoost | None) -> None:
        """Expect other phrases from now on, in the words that are not stable yet as well."""
        self._boost = boost
        for prefix in self._beam:
            prefix.state, prefix.bonus = boost.start if boost else 0, 0.0
            for letter in to_letters(prefix.text):
                prefix.state, gain = self._gain(prefix.state, letter)
                prefix.bonus += gain

    def _hear(self, probabilities: list[float]) -> None:
        """Take one frame."""
        longer = [] if probabilities[BLANK] > _SURE_BLANK else self._longer(probabilities)
        for prefix in self._beam:
            prefix.stay(probabilities)
        if longer:
            self._compete(longer)
            self._settle()
        most = max(prefix.blank + prefix.letter for prefix in self._beam)
        for prefix in self._beam:
            prefix.blank /= most
            prefix.letter /= most

    def _longer(self, probabilities: list[float]) -> list[_Prefix]:
        """Return the texts of the beam with one letter more."""
        letters = [letter for letter in range(SPACE, len(probabilities)) if probabilities[letter] > _LEAST_PROBABILITY]
        letters = sorted(letters, key=probabilities.__getitem__, reverse=True)[:_MOST_LETTERS]
        longer = []
        for prefix in self._beam:
            for letter in letters:
                # The same letter once more takes a blank in between.
                before = prefix.blank if letter == prefix.last else prefix.blank + prefix.letter
                if before > 0.0 and not letter == prefix.last == SPACE:
                    text, paths = prefix.text + LETTERS[letter - SPACE], before * probabilities[letter]
                    emissions = (*prefix.emissions, (self._n_frames, probabilities[letter]))
                    state, gain = self._gain(prefix.state, letter)
                    longer.append(_Prefix(text, letter, emissions, 0.0, paths, state, prefix.bonus + gain))
        return longer

    def _compete(self, longer: list[_Prefix]) -> None:
        """Add texts to the beam, which may have some of them already, and keep the best, the best one first."""
        known = {prefix.text: prefix for prefix in self._beam}
        for new in longer:
            if old := known.get(new.text):
                # The letter begins where most of the text's probability comes from.
                if new.letter > old.blank + old.letter:
                    old.emissions = new.emissions
                old.letter += new.letter
            else:
                self._beam.append(new)
        ranked = [(prefix.rank, prefix) for prefix in self._beam if prefix.blank + prefix.letter > 0.0]
        ranked.sort(key=lambda entry: entry[0], reverse=True)
        least = ranked[0][0] - _FAR_BEHIND
        self._beam = [prefix for rank, prefix in ranked[: self._width] if rank > least]

    def _settle(self) -> None:
        """Make words stable that all texts begin with: as texts only grow, none will contradict them."""
        while length := self._beam[0].text.find(" ") + 1:
            word = self._beam[0].text[:length]
            if not all(prefix.text.startswith(word) for prefix in self._beam):
                break
            self._stable.append(_words(self._beam[0])[0])
            for prefix in self._beam:
                prefix.text, prefix.emissions = prefix.text[length:], prefix.emissions[length:]

    def _gain(self, state: int, letter: int) -> tuple[int, float]:
        return self._boost.step(state, letter) if self._boost else (0, 0.0)


def _words(prefix: _Prefix) -> list[RecognizedWord]:
    words = []
    for match in re.finditer("[^ ]+", prefix.text):
        frames, posteriors = zip(*prefix.emissions[match.start() : match.end()], strict=True)
        probability = math.exp(sum(map(math.log, posteriors)) / len(posteriors))
        words.append(RecognizedWord(match[0], frames[0] / FRAME_RATE, (frames[-1] + 1) / FRAME_RATE, probability))
    return words


def log_likelihood(log_probabilities: Float32Array, letters: Sequence[int]) -> float:
    """Return the natural log-probability of a letter sequence, see `log_likelihoods`."""
    return float(log_likelihoods(log_probabilities, [letters])[0])


def log_likelihoods(log_probabilities: Float32Array, hypotheses: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Sum over all paths that write each of several letter sequences (Graves et al. 2006, eq. 5-8).

    Parameters
    ----------
    log_probabilities
        Natural log-probabilities of shape (n_frames, 29).
    hypotheses
        One or more sequences of letters' numbers, without blanks.

    Returns
    -------
    Natural log-probabilities of shape (n_hypotheses,); minus infinity for what does not fit into the frames.
    """
    labels, skip = _lattice(hypotheses)
    # Two places stand before the first label: paths begin in the second one, and none is ever in the first one.
    forward = np.full((len(labels), labels.shape[1] + 2), _IMPOSSIBLE)
    forward[:, 1] = 0.0
    stay, step, jump = forward[:, 2:], forward[:, 1:-1], forward[:, :-2]
    jumped, most, total, term = np.empty((4, *labels.shape))
    for row in np.maximum(log_probabilities.astype(np.float64), _IMPOSSIBLE):
        np.add(jump, skip, out=jumped)
        np.maximum(np.maximum(stay, step, out=most), jumped, out=most)
        np.exp(np.subtract(stay, most, out=total), out=total)
        total += np.exp(np.subtract(step, most, out=term), out=term)
        total += np.exp(np.subtract(jumped, most, out=term), out=term)
        most += np.log(total, out=total)
        np.add(most, np.take(row, labels, out=term), out=stay)
        forward[:, 1] = _IMPOSSIBLE
    # A path ends with the last letter or the blank after it.
    rows, ends = np.arange(len(labels)), np.array([2 * len(letters) + 2 for letters in hypotheses])
    likelihoods = np.logaddexp(forward[rows, ends - 1], forward[rows, ends])
    return np.where(likelihoods > _IMPOSSIBLE / 2, likelihoods, -np.inf)


def align(log_probabilities: Float32Array, letters: Sequence[int]) -> NDArray[np.int64]:
    """Find when each letter is said on the most likely path that writes them.

    Parameters
    ----------
    log_probabilities
        Natural log-probabilities of shape (n_frames, 29).
    letters
        Numbers of the letters, without blanks; ValueError if they do not fit into the frames.

    Returns
    -------
    Frames of the letters, strictly increasing, of shape (n_letters,); of a letter that goes on its most likely frame.
    """
    labels, skip = _lattice([letters])
    emitted = np.maximum(log_probabilities[:, labels[0]].astype(np.float64), _IMPOSSIBLE)
    best = np.full(labels.shape[1] + 2, _IMPOSSIBLE)
    best[1] = 0.0
    origins = np.empty(emitted.shape, dtype=np.int64)
    for row, origin in zip(emitted, origins, strict=True):
        ways = np.stack((best[2:], best[1:-1], best[:-2] + skip[0]))
        np.argmax(ways, axis=0, out=origin)
        np.add(np.max(ways, axis=0), row, out=best[2:])
        best[1] = _IMPOSSIBLE
    if max(best[-2:]) < _IMPOSSIBLE / 2:
        raise ValueError(f"{len(letters)} letters do not fit into {len(emitted)} frames")
    path = np.empty(len(emitted), dtype=np.int64)
    place = labels.shape[1] - (1 if best[-1] > best[-2] else 2)
    for frame in reversed(range(len(path))):
        path[frame] = place
        place -= origins[frame, place]
    said = [np.where(path == place, emitted[:, place], -np.inf).argmax() for place in range(1, labels.shape[1], 2)]
    return np.array(said, dtype=np.int64)


def _lattice(hypotheses: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Put blanks around all letters (Graves et al. 2006, section 4.1).

    Returns labels of shape (n_hypotheses, 2 n_letters + 1), and of the same shape 0 where a path may skip the label
    before, as between different letters, or a very negative number.
    """
    labels = np.full((len(hypotheses), 2 * max(map(len, hypotheses)) + 1), BLANK)
    for row, letters in zip(labels, hypotheses, strict=True):
        row[1 : 2 * len(letters) : 2] = letters
    skip = np.full(labels.shape, _IMPOSSIBLE)
    skip[:, 1:2] = 0.0
    skip[:, 2:][(labels[:, 2:] != BLANK) & (labels[:, 2:] != labels[:, :-2])] = 0.0
    return labels, skip
