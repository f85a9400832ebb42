"""Who is around: persons with the voice and the face that they were last heard and seen with, and where that was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hearing.types import Direction
from hearing_nodes.frames import Matrix, pose
from hearing_nodes.identifiers import is_anonymous, person_id

HEARD_CONFIDENCE = 0.5
"""Confidence in the place of somebody who is heard and not seen: the direction is known, the distance is not."""
FORGOTTEN = 30.0
"""Seconds after which it is not known any more where somebody is."""
SEEN = 0.5
"""Seconds for which somebody who was seen counts as seen."""


@dataclass(slots=True)
class Person:
    """Somebody who has spoken.

    Attributes
    ----------
    id, name
        Identifier of REP-155, and what the robot calls him.
    anonymous
        Whether he is known only as one of those who have talked.
    voice, face
        Track that he was last heard on, and face that was last seen to say it; None if there is none.
    place
        Matrix of shape (4, 4) of where his head is, in metres in `frame`; None if that is not known.
    frame
        Name of the frame of `place`.
    noticed
        ROS time in nanoseconds at which he was last heard or seen there.
    seen
        Whether it was by his face.
    """

    id: str
    name: str
    anonymous: bool
    voice: int | None = None
    face: str | None = None
    place: Matrix | None = None
    frame: str = ""
    noticed: int = 0
    seen: bool = False

    def confidence(self, now: int) -> float:
        """Return how sure it is at a ROS time, in nanoseconds, that he still is where he was: 1 only if he is seen."""
        if self.place is None:
            return 0.0
        age = max(now - self.noticed, 0) / 1e9
        if self.seen and age <= SEEN:
            return 1.0
        return HEARD_CONFIDENCE * max(1 - age / FORGOTTEN, 0.0)

    def notice(self, place: Matrix, frame: str, now: int, seen: bool) -> None:
        """Take in where he is; what is only heard does not count while he is seen."""
        if seen or self.confidence(now) < 1.0:
            self.place, self.frame, self.noticed, self.seen = place, frame, now, seen


class Persons:
    """All who have spoken so far, by identifier."""

    def __init__(self) -> None:
        self._all: dict[str, Person] = {}

    def __iter__(self) -> Iterator[Person]:
        return iter(self._all.values())

    def speaks(self, origin: int, speaker: str, track_id: int, face: str | None) -> Person | None:
        """Take in who says something; a voice, or a face, is one person's.

        Parameters
        ----------
        origin
            ROS time of the stream's first sample in nanoseconds.
        speaker
            His name.
        track_id, face
            Where he is heard, and by whom it is seen to be said, if by anybody.

        Returns
        -------
        None if the speaker is unknown.
        """
        key = person_id(origin, speaker)
        for other in self:
            if other.id != key:
                other.voice = None if other.voice == track_id else other.voice
                other.face = None if face is not None and other.face == face else other.face
        if key is None:
            return None
        person = self._all.setdefault(key, Person(key, speaker, is_anonymous(speaker)))
        person.voice, person.face = track_id, face or person.face
        return person

    def of_voice(self, track_id: int) -> Person | None:
        """Return who is heard on a track."""
        return next((person for person in self if person.voice == track_id), None)

    def of_face(self, face: str) -> Person | None:
        """Return whose face this is."""
        return next((person for person in self if person.face == face), None)

    def forget_voices(self) -> None:
        """Begin another stream, whose tracks are others."""
        for person in self:
            person.voice = None


def place(direction: Direction, distance: float) -> Matrix:
    """Return what lies in a direction, so many metres away, as a matrix of shape (4, 4) in the array frame."""
    return pose(distance * direction.vector)
