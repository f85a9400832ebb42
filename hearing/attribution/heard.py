"""Utterances on their way, as attribution sees them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hearing.attribution.config import Attribution
from hearing.attribution.person import Person
from hearing.attribution.voice_prints import VoiceSample
from hearing.sphere import azimuths_apart

FloatArray = NDArray[np.float64]
Path = list[tuple[float, FloatArray]]
_LEVEL = np.array([1.0, 1.0, 0.0])
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
        Where it is heard, of shape (3,), in the frame that does not turn with the array: the sum of level unit vectors
        over all of it, and the last unit vector.
    path
        The times and places that the sum is of, in order of time.
    follows
        Who spoke on the track before, and until when; None for nobody.
    voice
        How it sounds, as it was last judged.
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
    beside_echo
        Whether another utterance was heard at the same time and withdrawn since.
    """

    id: str
    track_id: int
    start: float
    end: float
    total: FloatArray
    place: FloatArray
    path: Path = field(default_factory=list)
    follows: tuple[Person, float] | None = None
    voice: VoiceSample | None = None
    judged: float = -np.inf
    closed: bool = False
    person: Person | None = None
    attribution: Attribution | None = None
    seen: dict[str, float] = field(default_factory=dict)
    before: Person | None = None
    beside_echo: bool = False

    @property
    def alone(self) -> bool:
        """Whether nothing else is known of the person."""
        return self.person is not None and self.person.utterances == {self.id} and not self.person.enrolled

    @property
    def spread(self) -> float:
        """Standard deviation in radians of the azimuth that it is heard from (Mardia & Jupp 2000, section 2.3)."""
        resultant = float(np.linalg.norm(self.total)) / max(len(self.path), 1)
        return float(np.sqrt(-2 * np.log(np.clip(resultant, 1e-6, 1.0))))

    def overlap(self, other: Heard) -> float:
        """Share of the shorter one that is said while the other one is, in [0, 1]."""
        common = min(self.end, other.end) - max(self.start, other.start) - PADDING
        shorter = min(self.end - self.start, other.end - other.start) - PADDING
        return float(np.clip(common / max(shorter, PADDING), 0.0, 1.0))

    def apart(self, other: Heard) -> tuple[float, float]:
        """Radians between where two utterances are heard, and seconds between them, less than 0 where they overlap."""
        pause = max(self.start, other.start) - min(self.end, other.end) + PADDING
        return azimuths_apart(self.total, other.total), pause

    def parted(self, time: float) -> tuple[Heard, Heard]:
        """Return what is heard before and after a time in seconds, as two utterances that are nobody's yet."""
        before = [step for step in self.path if step[0] <= time] or self.path[:1]
        after = [step for step in self.path if step[0] > time] or self.path[-1:]
        return (
            _along(before, self.id, self.track_id, self.start, time, self.follows),
            _along(after, f"{self.id}-2", self.track_id, time, self.end, None),
        )

    def move(self, place: FloatArray, now: float) -> None:
        """Note where it is heard at a time in seconds."""
        self.place, self.total = place, self.total + level(place)
        self.path.append((now, place))
        if self.person is not None and self.alone:
            self.person.place, self.person.time = place, now


def _along(
    path: Path, name: str, track_id: int, start: float, end: float, follows: tuple[Person, float] | None
) -> Heard:
    total = np.sum([level(place) for _, place in path], axis=0)
    return Heard(name, track_id, start, end, total, path[-1][1], path, follows, closed=True)


def level(place: FloatArray) -> FloatArray:
    """Return the horizontal unit vector with the azimuth of a direction; both of shape (3,)."""
    flat = place * _LEVEL
    unit: FloatArray = flat / max(float(np.linalg.norm(flat)), 1e-9)
    return unit
