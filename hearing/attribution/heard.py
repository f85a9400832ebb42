"""Utterances on their way, as attribution sees them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hearing.attribution.config import Attribution
from hearing.attribution.person import Person

FloatArray = NDArray[np.float64]
PADDING = 0.6
"""Seconds of two utterances' audio that are no speech where one goes over into the other."""


@dataclass(slots=True, eq=False)
class Heard:
    """An utterance: where and when it is heard, and whose it is.

    Attributes
    ----------
    id, track_id
        Which it is, and the track that it is heard on.
    start, end
        Extent of its audio so far, in seconds.
    total, place
        Where it is heard, of shape (3,), in the frame that does not turn with the array: the sum of unit vectors over
        all of it, and the last one.
    judged
        When it was last given to somebody.
    closed
        Whether it has ended.
    person, attribution
        Whose it is, and how sure that is.
    seen
        Log-likelihood ratios of the faces that may say it, by face, as it was last judged.
    before
        The person as he was known before he was learned from it.
    """

    id: str
    track_id: int
    start: float
    end: float
    total: FloatArray
    place: FloatArray
    judged: float = -np.inf
    closed: bool = False
    person: Person | None = None
    attribution: Attribution | None = None
    seen: dict[str, float] = field(default_factory=dict)
    before: Person | None = None

    @property
    def alone(self) -> bool:
        """Whether nothing else is known of the person."""
        return self.person is not None and self.person.utterances == {self.id} and not self.person.enrolled

    def overlap(self, other: Heard) -> float:
        """Share of the shorter one that is said while the other one is, in [0, 1]."""
        common = min(self.end, other.end) - max(self.start, other.start) - PADDING
        shorter = min(self.end - self.start, other.end - other.start) - PADDING
        return float(np.clip(common / max(shorter, PADDING), 0.0, 1.0))

    def move(self, place: FloatArray, now: float) -> None:
        """Note where it is heard at a time in seconds."""
        self.place, self.total = place, self.total + place
        if self.person is not None and self.alone:
            self.person.place, self.person.time = place, now
