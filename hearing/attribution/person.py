"""People whom the robot hears: where they are, how they sound, which faces are theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hearing.attribution.cues import DirectionCue
from hearing.attribution.voice_prints import VoiceSample
from hearing.sphere import azimuths_apart
from hearing.voices import VoiceLikelihood, VoiceProfile

_OWN = 2.0
"""Log-likelihood ratio of a face that is the speaker's by what he said before, and minus that of somebody else's."""

_BOUND, _SEEN = 0.998, 0.7
"""Probability that a person's face is his, and that of somebody new is seen, if there is one that is nobody's."""
_LOOKS_SURE, _INTRODUCED = 3.0, 5.0
"""Log-likelihood ratio from which on a face is somebody's who is remembered, and as how many seconds of his speech that
counts."""


@dataclass(slots=True, eq=False)
class Person:
    """Somebody, as far as he is known.

    Attributes
    ----------
    name
        What he is called in utterances.
    place
        Unit vector of shape (3,) towards where he was last heard or seen, in the frame that the array had when the
        stream began; None if that is not known.
    time
        When he was there, in seconds.
    voice
        How he sounds.
    faces
        Seconds of his speech in which a face was his, by face.
    utterances, last
        Those that are his, and the last one that he was learned from.
    enrolled
        Whether he is remembered from before.
    """

    name: str
    place: NDArray[np.float64] | None = None
    time: float = 0.0
    voice: VoiceProfile = field(default_factory=VoiceProfile)
    faces: dict[str, float] = field(default_factory=dict)
    utterances: set[str] = field(default_factory=set)
    last: str = ""
    enrolled: bool = False

    def direction_ratio(self, cue: DirectionCue, place: NDArray[np.float64], time: float) -> float:
        """Log-likelihood ratio of being heard at a place."""
        if self.place is None:
            return 0.0
        return cue.log_ratio(azimuths_apart(place, self.place), time - self.time)

    def voice_ratio(self, likelihood: VoiceLikelihood, heard: VoiceSample | None) -> float:
        """Log-likelihood ratio of sounding like this."""
        if heard is None or not self.voice.heard:
            return 0.0
        cosine = float(self.voice.embedding @ heard.embedding)
        return likelihood.log_ratio(cosine, heard.quality, self.voice.quality)

    def learn(self, heard: VoiceSample | None, belief: float) -> None:
        """Take an utterance's voice for his, as much as that is believed."""
        if heard is not None:
            self.voice.update(heard.embedding, heard.quality * belief)

    def snapshot(self) -> Person:
        """Copy what is known of him."""
        voice = replace(self.voice)
        return replace(self, voice=voice, faces=dict(self.faces), utterances=set(self.utterances))


def introduce(looks: Mapping[str, Mapping[str, float]], people: Iterable[Person]) -> None:
    """Give people who are remembered from before the faces that are theirs by their looks.

    Parameters
    ----------
    looks
        Log-likelihood ratios of being somebody, by face and name.
    people
        Everybody.
    """
    for face, ratios in looks.items():
        name = max(ratios, key=lambda known: ratios[known])
        if ratios[name] >= _LOOKS_SURE:
            for person in people:
                if person.name == name and person.enrolled:
                    person.faces[face] = max(person.faces.get(face, 0.0), _INTRODUCED)


def face_of(person: Person, people: Iterable[Person]) -> str | None:
    """Return the face that is a person's, if one is, and nobody else's rather."""
    others = [other for other in people if other.name != person.name]
    for face, seconds in sorted(person.faces.items(), key=lambda item: -item[1]):
        if all(other.faces.get(face, 0.0) <= seconds for other in others):
            return face
    return None


def face_ratios(seen: Mapping[str, float], own: Sequence[str | None]) -> NDArray[np.float64]:
    """Turn log-likelihood ratios of faces into those of people.

    Parameters
    ----------
    seen
        Ratios of faces, by face.
    own
        The face of each person, if one is his.

    Returns
    -------
    Ratios of everybody and of somebody new, of shape (n_people + 1,).
    """
    free = [ratio for name, ratio in seen.items() if name not in own]
    nobodys = float(np.log(1 - _SEEN + _SEEN * np.exp(max(free)))) if free else 0.0
    ratios = np.full(len(own) + 1, nobodys)
    for index, name in enumerate(own):
        if name is not None and name in seen:
            ratios[index] = np.log(_BOUND * np.exp(seen[name]) + (1 - _BOUND) * np.exp(nobodys))
    return ratios


def with_owners(ratios: Mapping[str, float], speaker: Person, people: Sequence[Person]) -> dict[str, float]:
    """Believe more that it is the speaker's own face, and less that it is another person's.

    Parameters
    ----------
    ratios
        Log-likelihood ratios of faces, by face.
    speaker
        Whose face is looked for.
    people
        Everybody.
    """
    owners = {face: person.name for person in people if (face := face_of(person, people))}
    return {
        face: ratio + (0.0 if face not in owners else _OWN if owners[face] == speaker.name else -_OWN)
        for face, ratio in ratios.items()
    }
