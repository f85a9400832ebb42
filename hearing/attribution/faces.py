"""What a camera knows of who speaks: the face whose mouth moves where a voice comes from."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hearing.attribution.cues import DirectionCue
from hearing.sphere import azimuths_apart, rotation
from hearing.types import FaceState, SourceAudio, Track, Word
from hearing.vision.face import Face, LipState, Sight
from hearing.vision.synchrony import Synchrony

FloatArray = NDArray[np.float64]
_KEPT = 30.0
"""Seconds for which faces are remembered: as long as utterances can be."""
_GONE = 0.5
"""Seconds after which a face that is in no frame is not seen."""
_LEAST_SEEN = 0.3
"""Share of an utterance for which its face must be seen."""
_SPREAD = np.deg2rad(7.0)
_BIAS, _HEARD, _MOVES = 0.0, 1.0, 0.5
"""Logistic regression of a face's speaking on the log odds that somebody is heard there, and that the mouth moves."""


@dataclass(frozen=True, slots=True)
class FaceCue:
    """What counts for a face.

    Attributes
    ----------
    directions
        A face elsewhere does not speak, whatever its mouth does: direction has a veto.
    lips, synchrony
        Weights of the log odds that the mouth moves like one that speaks, and of the log-likelihood ratio that it makes
        the sound that is heard and says the words that are recognized in it.
    least, most
        Limits of both together: some people hardly move their lips, and some mouths are badly seen. Of one that is
        covered for most of the time nothing is said.
    """

    directions: DirectionCue = field(
        default_factory=lambda: DirectionCue(np.deg2rad(6.0), sway=0.0, stay=np.inf, elsewhere=0.02)
    )
    lips: float = 1.0
    synchrony: float = 1.0
    least: float = -3.0
    most: float = 4.0


@dataclass(slots=True)
class _Seen:
    """A face over time: when and where (in a frame that does not turn with the array), what its mouth does."""

    times: deque[float] = field(default_factory=deque)
    places: deque[FloatArray] = field(default_factory=deque)
    speaking: deque[float] = field(default_factory=deque)
    covered: deque[bool] = field(default_factory=deque)
    facing: deque[float] = field(default_factory=deque)
    face: Face | None = None

    def during(self, start: float, end: float) -> NDArray[np.int64]:
        times = np.array(self.times)
        return np.flatnonzero((times >= start) & (times <= end))


class FaceWitness:
    """Streaming memory of the faces that are seen.

    Parameters
    ----------
    cue
        What counts.
    """

    def __init__(self, cue: FaceCue | None = None) -> None:
        self.cue = cue or FaceCue()
        self._synchrony = Synchrony()
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._synchrony.reset()
        self._seen: dict[str, _Seen] = {}
        self._frames: deque[float] = deque()

    def hear(self, sources: Sequence[SourceAudio]) -> None:
        """Hear all tracks, to compare mouths with them."""
        if self._frames:
            self._synchrony.hear(tuple(sources))

    def read(self, utterance_id: str, track_id: int, words: Sequence[Word]) -> None:
        """Take the words of an utterance so far, to compare mouths with them."""
        if self._frames:
            self._synchrony.read(utterance_id, track_id, words)

    def see(self, sights: Iterable[Sight], yaw: float) -> None:
        """Take what cameras see.

        Parameters
        ----------
        sights
            Frames, in order of time.
        yaw
            By how many radians the array has turned since the stream began.
        """
        turn = rotation(yaw)
        for sight in sights:
            self._synchrony.see(sight.lips)
            self._frames.append(sight.time)
            for face, lips in zip(sight.faces, sight.lips, strict=True):
                self._note(face, lips, turn)
            oldest = sight.time - _KEPT
            while self._frames[0] < oldest:
                self._frames.popleft()
            for seen in self._seen.values():
                while seen.times and seen.times[0] < oldest:
                    for column in (seen.times, seen.places, seen.speaking, seen.covered, seen.facing):
                        column.popleft()
            self._seen = {name: seen for name, seen in self._seen.items() if seen.times}

    def place(self, face_id: str) -> tuple[FloatArray, float] | None:
        """Return where a face is, as a unit vector in the frame that does not turn, and when it was seen there."""
        seen = self._seen.get(face_id)
        return (seen.places[-1], seen.times[-1]) if seen else None

    def ratios(self, track_id: int, place: FloatArray, start: float, end: float) -> dict[str, float]:
        """Compare all faces with a voice.

        Parameters
        ----------
        track_id
            The voice's track.
        place
            Where it comes from, of shape (3,), in the frame that does not turn.
        start, end
            When it speaks, in seconds.

        Returns
        -------
        Log-likelihood ratio of being said by the face to being said by nobody who is seen, by face.
        """
        n_frames = sum(start <= time <= end for time in self._frames)
        ratios = {}
        for face_id, seen in self._seen.items():
            during = seen.during(start, end)
            if n_frames and len(during) >= _LEAST_SEEN * n_frames:
                there = np.mean([seen.places[index] for index in during], axis=0)
                ratio = self.cue.directions.log_ratio(azimuths_apart(place, there), 0.0)
                ratios[face_id] = ratio + self._mouth(face_id, track_id, start, end)
        return ratios

    def facing(self, face_id: str, start: float, end: float) -> float | None:
        """Return for which share of a stretch of time a face looks at the robot; None if it is not seen."""
        seen = self._seen.get(face_id)
        during = seen.during(start, end) if seen else np.zeros(0, np.int64)
        facing = np.array([seen.facing[index] for index in during] if seen else [])
        facing = facing[np.isfinite(facing)]
        return float(facing.mean()) if len(facing) else None

    def distance(self, face_id: str) -> float | None:
        """Return the metres to a face; None if it is not known."""
        seen = self._seen.get(face_id)
        return seen.face.distance if seen and seen.face else None

    def states(self, now: float, tracks: Sequence[Track]) -> tuple[FaceState, ...]:
        """Say of all faces that are seen now whether they speak.

        Parameters
        ----------
        now
            Stream time in seconds.
        tracks
            All people who are heard, with the probability that they speak as activity.
        """
        return tuple(
            FaceState(
                now,
                face_id,
                seen.face.direction,
                seen.face.distance,
                seen.face.box,
                self._speaking(seen, tracks),
                seen.face.facing,
            )
            for face_id, seen in self._seen.items()
            if seen.face is not None and now - seen.times[-1] <= _GONE
        )

    def _note(self, face: Face, lips: LipState, turn: FloatArray) -> None:
        seen = self._seen.setdefault(face.id, _Seen())
        seen.face = face
        seen.times.append(face.time)
        seen.places.append(turn @ face.direction.vector)
        seen.speaking.append(lips.speaking if face.mouth is not None else np.nan)
        seen.covered.append(face.quality > 0 and face.mouth is None)
        seen.facing.append(face.facing if face.quality > 0 else np.nan)

    def _mouth(self, face_id: str, track_id: int, start: float, end: float) -> float:
        """Return what mouth and sound say together."""
        seen, cue = self._seen[face_id], self.cue
        during = seen.during(start, end)
        moves = np.array([seen.speaking[index] for index in during])
        moves = moves[np.isfinite(moves)]
        if sum(seen.covered[index] for index in during) > len(moves):
            return 0.0  # what is seen of it now and then is the cup
        lips = _log_odds(float(moves.mean())) if len(moves) else 0.0
        match = self._synchrony.log_ratio(face_id, track_id, start, end)
        return float(np.clip(cue.lips * lips + cue.synchrony * match, cue.least, cue.most))

    def _speaking(self, seen: _Seen, tracks: Sequence[Track]) -> float:
        """Return the probability that a face speaks, by its mouth and by who is heard from there."""
        if seen.face is None:
            return 0.0
        here = seen.face.direction.vector
        heard = max(
            (
                track.activity * np.exp(-0.5 * (azimuths_apart(track.direction.vector, here) / _SPREAD) ** 2)
                for track in tracks
            ),
            default=0.0,
        )
        moves = seen.speaking[-1]
        odds = _BIAS + _HEARD * _log_odds(float(heard)) + (_MOVES * _log_odds(moves) if np.isfinite(moves) else 0.0)
        return float(1 / (1 + np.exp(-odds)))


def _log_odds(probability: float) -> float:
    inside = min(max(probability, 0.02), 0.98)
    return float(np.log(inside / (1 - inside)))
