"""Faces: whether words are given to the right one, and whether the right ones are said to speak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from hearing.evaluation.files import FRAME, Box, FaceFrames, HeardFace
from hearing.evaluation.words import RecognizedWord


@dataclass(frozen=True, slots=True)
class FaceErrorRate:
    """Share of recognized words that are given to a face which does not say them.

    Attributes
    ----------
    errors
        Words given to another face than the speaker's, or to what is no face.
    missed
        Words given to no face, although the speaker's is seen.
    length
        Recognized words of recordings with a camera.
    """

    errors: int
    missed: int
    length: int

    @classmethod
    def zero(cls) -> FaceErrorRate:
        """Return the neutral element of the sum."""
        return cls(0, 0, 0)

    def __add__(self, other: FaceErrorRate) -> FaceErrorRate:
        """Combine two recordings."""
        return FaceErrorRate(self.errors + other.errors, self.missed + other.missed, self.length + other.length)

    @property
    def error_rate(self) -> float | None:
        """Errors per recognized word, or None if there are none."""
        return self.errors / self.length if self.length else None


@dataclass(frozen=True, slots=True)
class ActiveSpeaker:
    """How well it is told which faces speak.

    Attributes
    ----------
    scores
        Probability that a face speaks, for each face and window.
    labels
        Whether it does.
    """

    scores: tuple[float, ...] = ()
    labels: tuple[bool, ...] = ()

    def __add__(self, other: ActiveSpeaker) -> ActiveSpeaker:
        """Combine two recordings: all windows are ranked together."""
        return ActiveSpeaker(self.scores + other.scores, self.labels + other.labels)

    @property
    def auc(self) -> float | None:
        """Area under the receiver operating characteristic; None if all speak, or nobody.

        The probability that a face that speaks has a higher score than one that does not, ties being halves (Hanley &
        McNeil 1982).

        >>> ActiveSpeaker((0.9, 0.4, 0.5, 0.1), (True, True, False, False)).auc
        0.75
        """
        labels = np.array(self.labels, np.bool_)
        positive, negative = int(labels.sum()), int((~labels).sum())
        if not positive or not negative:
            return None
        ranks = rankdata(self.scores)[labels].sum()
        return float((ranks - positive * (positive + 1) / 2) / (positive * negative))

    @property
    def average_precision(self) -> float | None:
        """Mean precision at the scores of faces that speak, over all of them; None if nobody does.

        With the one class "speaks" this is the mAP of AVA-ActiveSpeaker (Roth et al. 2020); equal scores count
        together.

        >>> ActiveSpeaker((0.9, 0.4, 0.5, 0.1), (True, True, False, False)).average_precision
        0.8333333333333333
        """
        labels, scores = np.array(self.labels, np.bool_), np.array(self.scores)
        if not labels.any():
            return None
        _, place = np.unique(-scores, return_inverse=True)
        speaking = np.bincount(place, weights=labels)
        precision = np.cumsum(speaking) / np.cumsum(np.bincount(place))
        return float((precision * speaking).sum() / speaking.sum())


class FaceOwners:
    """Tells whose a heard face is, by where it is in the picture.

    In a frame it is the person's whose true face is nearest among those in whose box its middle lies. Where it lies in
    none, because its person has turned away or it is followed no more, it is whose it is in most of the frames in which
    it is somebody's.

    Parameters
    ----------
    truth
        Where people's faces really are.
    heard
        What faces are followed.
    """

    def __init__(self, truth: FaceFrames, heard: Iterable[HeardFace]) -> None:
        self._of = {(face.face_id, face.frame): _owner(face.box, truth.boxes.get(face.frame, {})) for face in heard}
        votes: dict[str, Counter[str]] = {}
        for (face_id, _), name in self._of.items():
            if name is not None:
                votes.setdefault(face_id, Counter())[name] += 1
        self._mostly = {face_id: counter.most_common(1)[0][0] for face_id, counter in votes.items()}

    def at(self, face_id: str, frame: int) -> str | None:
        """Name a face's person in a frame; None if it is nobody's."""
        return self._of.get((face_id, frame)) or self._mostly.get(face_id)


def face_error_rate(
    words: Iterable[RecognizedWord], truth: FaceFrames | None, heard: Sequence[HeardFace]
) -> FaceErrorRate:
    """Compare the faces that words are given to with where their speakers' faces are.

    Parameters
    ----------
    words
        Recognized words.
    truth
        Where people's faces really are; None without a camera: then there is nothing to compare.
    heard
        What faces are followed.
    """
    if truth is None:
        return FaceErrorRate.zero()
    owners = FaceOwners(truth, heard)
    errors = missed = length = 0
    for word in words:
        frame, length = round(word.time / FRAME), length + 1
        if word.face_id is None:
            missed += word.speaker in truth.boxes.get(frame, {})
        else:
            errors += owners.at(word.face_id, frame) != word.speaker
    return FaceErrorRate(errors, missed, length)


def active_speaker(truth: FaceFrames, heard: Sequence[HeardFace], window: float) -> ActiveSpeaker:
    """Compare which faces are said to speak with which do, in windows that follow on each other.

    Parameters
    ----------
    truth
        Where people's faces really are, and who speaks.
    heard
        What faces are followed, and how likely each speaks.
    window
        Seconds. A face's score is the mean of its frames in a window, of which at least half must be there; it speaks
        if its person does so in more than half of them. Faces of nobody do not count.
    """
    owners = FaceOwners(truth, heard)
    frames: dict[tuple[str, int], list[tuple[float, bool]]] = {}
    for face in heard:
        name = owners.at(face.face_id, face.frame)
        if name is not None:
            # The small addend keeps a frame that begins with a window in it, whatever rounding does.
            key = name, int(face.frame * FRAME / window + 1e-6)
            frames.setdefault(key, []).append((face.speaking, name in truth.speaking.get(face.frame, set())))
    kept = [np.array(values) for _, values in sorted(frames.items()) if len(values) >= 0.5 * window / FRAME]
    return ActiveSpeaker(
        tuple(float(values[:, 0].mean()) for values in kept), tuple(bool(values[:, 1].mean() > 0.5) for values in kept)
    )


def seen_share(truth: FaceFrames, heard: Sequence[HeardFace]) -> tuple[int, int]:
    """Count the true faces in all frames that are followed, and all of them."""
    owners = FaceOwners(truth, heard)
    followed = {(owners.at(face.face_id, face.frame), face.frame) for face in heard}
    there = {(name, frame) for frame, boxes in truth.boxes.items() for name in boxes}
    return len(followed & there), len(there)


def _owner(box: Box, people: dict[str, Box]) -> str | None:
    middle = _middle(box)
    near = {
        name: float(np.linalg.norm(middle - _middle(true)))
        for name, true in people.items()
        if true[0] <= middle[0] <= true[0] + true[2] and true[1] <= middle[1] <= true[1] + true[3]
    }
    return min(near, key=near.__getitem__) if near else None


def _middle(box: Box) -> NDArray[np.float64]:
    return np.array([box[0] + box[2] / 2, box[1] + box[3] / 2])
