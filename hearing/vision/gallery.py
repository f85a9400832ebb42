"""Faces by their looks: who comes back keeps his id, and who takes another's place does not get it.

A tracker follows places. A face that left the picture, was hidden for long, or was turned away while its owner walked
is a new one to it when it comes back; and where two faces cross it may take one for the other. Here the ids follow the
looks: a new face is compared with all that are not seen, and all are compared with themselves from time to time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from hearing.likeness import Profile
from hearing.types import Float32Array
from hearing.vision.camera import Image
from hearing.vision.face import Face
from hearing.vision.identity import FaceEncoder


@dataclass(frozen=True, slots=True)
class GalleryConfig:
    """How to recognise faces. Times in seconds.

    Attributes
    ----------
    new_period, period
        Time between two looks at a face that may turn out to be another, and at all others.
    looks
        Looks after which a face that is like none is a new one for good.
    min_quality
        `Face.quality` below which a face is not looked at.
    min_ratio
        Size of a log-likelihood ratio from which on two faces are one person's, or two people's. A wrong one mixes up
        two people, or makes two of one.
    margin
        By how much the ratio must exceed that of all other faces.
    doubts
        Looks in a row that must say so before a face is somebody else.
    """

    new_period: float = 0.2
    period: float = 2.0
    looks: int = 5
    min_quality: float = 0.3
    min_ratio: float = 3.0
    margin: float = 2.0
    doubts: int = 2


@dataclass(slots=True)
class _Known:
    """What is known of a face: its looks, when they were last taken, whether it is settled whose it is, and doubts."""

    looks: Profile = field(default_factory=Profile)
    looked: float = -math.inf
    settled: bool = False
    doubts: int = 0


class FaceGallery:
    """Gives the faces that a tracker follows ids by their looks.

    Parameters
    ----------
    encoder
        Makes embeddings.
    people
        Looks of people who are known from before, by name; embeddings of the same encoder.
    config
        How to recognise.
    """

    def __init__(
        self, encoder: FaceEncoder, people: Mapping[str, Profile] | None = None, config: GalleryConfig | None = None
    ) -> None:
        self.config = config or GalleryConfig()
        self._encoder, self._people = encoder, dict(people or {})
        self.reset()

    def reset(self) -> None:
        """Start a new stream: forget all but those who were known from before."""
        self._known: dict[str, _Known] = {}
        self._ids: dict[str, str] = {}  # of the tracker's faces
        self._count = 0

    def process(self, image: Image, faces: tuple[Face, ...], time: float) -> tuple[Face, ...]:
        """Give the faces of a frame their ids.

        Parameters
        ----------
        image
            The frame.
        faces
            What the tracker says of it.
        time
            In seconds.

        Returns
        -------
        The same faces, without those that the tracker expects somewhere but that are seen elsewhere.
        """
        for face in faces:
            if face.landmarks is None:
                continue
            known = self._known[self._named(face)]
            waiting = self.config.period if known.settled and not known.doubts else self.config.new_period
            if face.quality >= self.config.min_quality and time - known.looked >= waiting - 1e-3:
                known.looked = time
                self._look(face, self._encoder.embed(image, face.landmarks), faces)
        return tuple(replace(face, id=self._ids[face.id]) for face in faces if face.id in self._ids)

    def looks(self, face_id: str) -> Profile:
        """Return how a face of this stream looks; nothing is in it before it was looked at."""
        known = self._known.get(face_id)
        return known.looks if known else Profile()

    def who(self, face_id: str) -> dict[str, float]:
        """Return the log-likelihood ratios of being each of the people known from before to being somebody else."""
        looks = self.looks(face_id)
        return self._ratios(looks.embedding, looks.quality, self._people.items()) if looks.heard else {}

    def _named(self, face: Face) -> str:
        """Give a face of the tracker's its id, a new one if it has none."""
        if face.id not in self._ids:
            self._count += 1
            name = f"{face.id[: face.id.rindex('face_')]}face_{self._count}"
            self._ids[face.id], self._known[name] = name, _Known()
        return self._ids[face.id]

    def _look(self, face: Face, embedding: Float32Array, faces: tuple[Face, ...]) -> None:
        """Learn how a face looks; or find out that it is not whose it was taken for, or who it is."""
        quality = self._encoder.likelihood.quality(face.quality)
        known = self._known[self._ids[face.id]]
        itself = self._ratios(embedding, quality, [("", known.looks)]).get("", 0.0)
        if itself <= -self.config.min_ratio:
            known.doubts += 1
            if known.doubts < self.config.doubts:
                return
            known.doubts = 0
            del self._ids[face.id]
            known = self._known[self._named(face)]
        known.doubts = 0
        known.looks.update(embedding, quality)
        if not known.settled:
            self._settle(face, known, faces)

    def _settle(self, face: Face, known: _Known, faces: tuple[Face, ...]) -> None:
        """Find out whether a face is one that is not seen now."""
        seen = {self._ids.get(other.id) for other in faces if other.landmarks is not None}
        unseen = [(name, other.looks) for name, other in self._known.items() if name not in seen]
        ratios = self._ratios(known.looks.embedding, known.looks.quality, unseen)
        known.settled = not ratios or known.looks.heard >= self.config.looks
        if not ratios:
            return
        best, *others = sorted(ratios, key=lambda name: -ratios[name])
        ahead = ratios[best] - max((ratios[other] for other in others), default=-math.inf)
        if ratios[best] >= self.config.min_ratio and ahead >= self.config.margin:
            # Where the tracker still expects the one who is seen here, there will be somebody else.
            self._ids = {other: name for other, name in self._ids.items() if name != best}
            del self._known[self._ids[face.id]]
            self._ids[face.id] = best
            former = self._known[best]
            former.looks, former.looked, former.settled = former.looks.joined(known.looks), known.looked, True

    def _ratios(
        self, embedding: Float32Array, quality: float, others: Iterable[tuple[str, Profile]]
    ) -> dict[str, float]:
        """Compare an embedding with the looks of others that are known."""
        likelihood = self._encoder.likelihood
        return {
            name: likelihood.log_ratio(float(embedding @ other.embedding), quality, other.quality)
            for name, other in others
            if other.heard
        }
