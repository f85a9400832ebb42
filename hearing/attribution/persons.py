"""Who speaks: utterances are given to persons by direction, voice, lips and continuity together.

For every utterance each cue gives a log-likelihood ratio for every person (`cues.py`, `faces.py`, and the calibrated
likeness of voices); their weighted sum and a prior make the odds of a log-linear model. People who talk at the same
time are different people: open utterances are assigned together, each to another person or to somebody new.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hearing.attribution.assignment import NEVER, assign, most_likely, softmax
from hearing.attribution.config import CUES, UNKNOWN, Attribution, AttributionConfig
from hearing.attribution.heard import Heard
from hearing.attribution.person import Person
from hearing.attribution.voice_prints import UtteranceVoices
from hearing.sphere import rotation
from hearing.types import FaceState, SourceAudio, SpeechChunk, Track
from hearing.voices import VoiceEncoder, VoiceProfile

if TYPE_CHECKING:
    from hearing.attribution.faces import FaceWitness
    from hearing.vision.face import Sight

FloatArray = NDArray[np.float64]
_SURE = 0.8
"""Probability from which on whoever goes on speaking on a track is asked about what was said before."""
_REMEMBERED = 60.0
"""Seconds after its end for which it can be asked who said an utterance: recognition may lag."""
_GAZE = 1.0
"""Seconds before an utterance's end in which it counts whom its speaker looks at."""
_FACE_SURE = 0.7
"""Probability from which on a face says an utterance, and is learned to be its speaker's."""
_LOOKS_SURE, _INTRODUCED = 3.0, 5.0
"""Log-likelihood ratio from which on a face is somebody's who is remembered, and as how many seconds of his speech that
counts."""
_OWN = 2.0
"""Log-likelihood ratio of a face that is the speaker's by what he said before, and minus that of somebody else's."""
_BOUND, _SEEN = 0.998, 0.7
"""Probability that a person's face is his, and that of somebody new is seen, if there is one that is nobody's."""


class PersonAttribution:
    """Streaming attribution of utterances to persons.

    Parameters
    ----------
    config
        How to attribute.
    encoder
        Hears voices; without one, they are no cue.
    known
        Voices of people who are remembered from before, by name; nothing is in those of whom only the face is known.
    """

    latency = 0.0

    def __init__(
        self,
        config: AttributionConfig | None = None,
        encoder: VoiceEncoder | None = None,
        known: Mapping[str, VoiceProfile] | None = None,
    ) -> None:
        self.config = config or AttributionConfig()
        self._encoder = encoder if self.config.voice else None
        self._voices = UtteranceVoices(self._encoder) if self._encoder else None
        self._known = dict(known or {})
        self._faces: FaceWitness | None = None
        self._weights = np.array([getattr(self.config.weights, cue) for cue in CUES])
        self.reset()

    def reset(self) -> None:
        """Start a new stream: forget everybody but those who are remembered from before."""
        if self._voices:
            self._voices.reset()
        if self._faces:
            self._faces.reset()
        self._people = [Person(name, voice=replace(voice), enrolled=True) for name, voice in self._known.items()]
        self._count = 0
        self._live: dict[str, Heard] = {}
        self._spoke: dict[int, tuple[Person, float]] = {}

    def hear(self, sources: Sequence[SourceAudio]) -> None:
        """Note who talks: the stretches of all tracks for the same time."""
        if self._voices:
            self._voices.hear(sources)
        if self._faces:
            self._faces.hear(sources)

    def see(self, sights: Sequence[Sight], yaw: float) -> None:
        """Take what cameras see, in order of time, while the array is turned by `yaw` radians since the beginning."""
        if not sights or not self.config.lips:
            return
        if self._faces is None:
            # What sees needs more packages than what hears: imported where there is a camera.
            from hearing.attribution.faces import FaceWitness

            self._faces = FaceWitness()
        self._faces.see(sights, yaw)
        for sight in sights:
            self._introduce(sight.people)
        for person in self._people:
            face = self._face_of(person)
            if face and (there := self._faces.place(face)):
                person.place, person.time = there

    def _introduce(self, people: Mapping[str, Mapping[str, float]]) -> None:
        """Give people who are remembered from before the faces that are theirs by their looks."""
        for face, ratios in people.items():
            name = max(ratios, key=lambda known: ratios[known])
            if ratios[name] >= _LOOKS_SURE:
                for person in self._people:
                    if person.name == name and person.enrolled:
                        person.faces[face] = max(person.faces.get(face, 0.0), _INTRODUCED)

    def faces(self, now: float, tracks: Sequence[Track]) -> tuple[FaceState, ...]:
        """Say of all faces that are seen now whether they speak, from what is heard on all tracks."""
        return self._faces.states(now, tracks) if self._faces else ()

    def follow(self, chunks: Sequence[SpeechChunk], tracks: Iterable[Track], yaw: float, now: float) -> None:
        """Take new audio of utterances, and where their tracks are.

        Parameters
        ----------
        chunks
            New audio.
        tracks
            All tracks as they are now.
        yaw
            By how many radians the array has turned since the stream began.
        now
            Stream time in seconds.
        """
        turn = rotation(yaw)
        places = {track.id: turn @ track.direction.vector for track in tracks}
        for chunk in chunks:
            self._extend(chunk, places.get(chunk.track_id, np.zeros(3)))
        still_open = [heard for heard in self._live.values() if not heard.closed]
        for heard in still_open:
            if heard.track_id in places:
                heard.move(places[heard.track_id], now)
        ending = [self._live[chunk.utterance_id] for chunk in chunks if chunk.last]
        if ending or any(now - heard.judged >= self.config.period for heard in still_open):
            self._judge(still_open, {heard.id for heard in ending}, now)
        for heard in ending:
            self._close(heard)
        self._expire(now)

    def of(self, utterance_id: str) -> Attribution:
        """Say who speaks, as far as it is known."""
        heard = self._live.get(utterance_id)
        return heard.attribution if heard and heard.attribution else Attribution(UNKNOWN, 0.0)

    def gaze(self, utterance_id: str) -> tuple[float | None, float | None]:
        """Return for which share of an utterance's last second its speaker looks at the robot, and the metres to him.

        Both are None if he is not seen.
        """
        heard, face = self._live.get(utterance_id), self.of(utterance_id).face_id
        if heard is None or face is None or self._faces is None:
            return None, None
        return self._faces.facing(face, heard.end - _GAZE, heard.end), self._faces.distance(face)

    def knows(self, utterance_id: str) -> bool:
        """Whether it can still be found out who says an utterance."""
        return utterance_id in self._live

    def withdraw(self, utterance_id: str) -> None:
        """Forget an utterance in which nobody said anything."""
        heard = self._live.pop(utterance_id, None)
        if heard is not None and heard.person is not None:
            self._retract(heard)
            heard.person.utterances.discard(utterance_id)
            self._prune()

    def corrections(self, now: float) -> list[str]:
        """Judge again utterances that have ended by what was said since; give those that are somebody else's.

        Who goes on speaking on the same track is better known by then, and is likely to have begun.
        """
        recent = [h for h in self._live.values() if h.closed and now - h.end <= self.config.revision]
        return [heard.id for heard in recent if self._reconsider(heard)]

    def _extend(self, chunk: SpeechChunk, place: FloatArray) -> None:
        heard = self._live.get(chunk.utterance_id)
        if heard is None:
            heard = Heard(chunk.utterance_id, chunk.track_id, chunk.start_time, chunk.end_time, place, place)
            self._live[heard.id] = heard
        heard.end = max(heard.end, chunk.end_time)
        if self._voices:
            self._voices.extend(chunk)

    def _judge(self, utterances: Sequence[Heard], ending: set[str], now: float) -> None:
        """Give utterances that are open at the same time to persons."""
        people = list(self._people)
        ratios = np.zeros((len(utterances), len(people) + 1, len(CUES)))
        for row, heard in enumerate(utterances):
            if self._voices:
                self._voices.listen(heard.id, heard.id in ending)
            if self._faces:
                heard.seen = self._faces.ratios(heard.track_id, heard.total, heard.start, heard.end)
            ratios[row] = self._ratios(heard, people)
        prior = [self.config.enrolled if p.enrolled and not p.utterances else 1.0 for p in people]
        scores = ratios @ self._weights + np.log([*prior, self.config.newcomer])
        for row, heard in enumerate(utterances):
            scores[row, :-1] += [self._busy(heard, person) for person in people]
            if heard.person is not None and heard.alone:
                # Whoever is known by this utterance alone is whom it would be given to as somebody new.
                own = people.index(heard.person)
                ratios[row, own], scores[row, own], scores[row, -1] = ratios[row, -1], scores[row, -1], NEVER
        clashes = np.array([[self.config.clash(heard.overlap(other)) for other in utterances] for heard in utterances])
        chosen, probabilities = assign(scores, clashes)
        for row, (heard, index) in enumerate(zip(utterances, chosen.tolist(), strict=True)):
            heard.judged = now
            said, alone = np.abs(ratios[row]).sum(axis=0), softmax(ratios[row].T)[:, index]
            cues = {cue: float(p) for cue, p, much in zip(CUES, alone, said, strict=True) if much}
            self._give(heard, [*people, None][index], float(probabilities[row]), cues)
        self._prune()

    def _ratios(self, heard: Heard, people: Sequence[Person]) -> FloatArray:
        """Return the log-likelihood ratio of every cue, of shape (n_people + 1, n_cues), the last for somebody new."""
        config = self.config
        direction, voice, face, continuity = ratios = np.zeros((len(CUES), len(people) + 1))
        if config.direction:
            direction[:-1] = [p.direction_ratio(config.directions, heard.total, heard.start) for p in people]
        if self._voices and self._encoder:
            likelihood, sample = self._encoder.likelihood, self._voices.of(heard.id)
            voice[:-1] = [person.voice_ratio(likelihood, sample) for person in people]
        owner, time = self._spoke.get(heard.track_id, (None, np.inf))
        if config.continuity and owner is not None and time <= heard.start:
            since = heard.start - time
            continuity[:-1] = [config.tracks.log_ratio(owner.name == person.name, since) for person in people]
            continuity[-1] = config.tracks.log_ratio(False, since)
        if seen := heard.seen:
            own = [self._face_of(person) for person in people]
            free = [ratio for name, ratio in seen.items() if name not in own]
            nobodys = float(np.log(1 - _SEEN + _SEEN * np.exp(max(free)))) if free else 0.0
            face[:] = nobodys
            for index, name in enumerate(own):
                if name in seen:
                    face[index] = np.log(_BOUND * np.exp(seen[name]) + (1 - _BOUND) * np.exp(nobodys))
                    direction[index] = 0.0  # it is the face's
        return ratios.T

    def _with_owners(self, ratios: Mapping[str, float], speaker: Person) -> dict[str, float]:
        """Believe more that it is the speaker's own face, and less that it is another person's."""
        owners = {face: person for person in self._people if (face := self._face_of(person))}
        return {
            face: ratio + (0.0 if face not in owners else _OWN if owners[face] is speaker else -_OWN)
            for face, ratio in ratios.items()
        }

    def _face_of(self, person: Person) -> str | None:
        """Return the face that is a person's, if one is, and nobody else's rather."""
        for face, seconds in sorted(person.faces.items(), key=lambda item: -item[1]):
            if all(other.faces.get(face, 0.0) <= seconds for other in self._people):
                return face
        return None

    def _busy(self, heard: Heard, person: Person) -> float:
        """Return the log-likelihood ratio of saying an utterance beside what else a person says meanwhile."""
        others = (self._live[name] for name in person.utterances if name in self._live and name != heard.id)
        overlap = max((heard.overlap(other) for other in others if other.closed), default=0.0)
        return self.config.clash(overlap)

    def _give(self, heard: Heard, person: Person | None, probability: float, cues: Mapping[str, float]) -> None:
        """Give an utterance to a person, or to somebody new."""
        before = heard.person
        if person is None:
            self._count += 1
            person = Person(f"talker_{self._count}", heard.place, heard.end)
            self._people.append(person)
        if before is not None and before is not person:
            before.utterances.discard(heard.id)
        person.utterances.add(heard.id)
        heard.person = person
        name = person.name if probability >= self.config.unknown else UNKNOWN
        face, sure = most_likely(self._with_owners(heard.seen, person))
        heard.attribution = Attribution(name, probability, cues, face, sure)

    def _prune(self) -> None:
        """Forget people of whom nothing was heard after all."""
        self._people = [person for person in self._people if person.utterances or person.enrolled]
        self._spoke = {track: spoke for track, spoke in self._spoke.items() if spoke[0] in self._people}

    def _reconsider(self, heard: Heard) -> bool:
        """Give an utterance to whoever goes on speaking on its track, if he is sure and its own voice is not."""
        later = min(
            (other for other in self._live.values() if other.track_id == heard.track_id and other.start > heard.start),
            key=lambda other: other.start,
            default=None,
        )
        if later is None or later.person is None or later.person is heard.person or not self.config.continuity:
            return False
        sure = later.attribution is not None and later.attribution.probability >= _SURE
        if not sure or heard.before is None or heard.attribution is None:
            return False
        # By then he is known to be there; it is only the same track that tells who began.
        there = replace(later.person.snapshot(), place=later.total, time=later.start)
        ours, theirs, _ = self._ratios(heard, [heard.before, there]) @ self._weights
        gain = theirs - ours + self.config.tracks.same * self.config.weights.continuity
        if gain < self.config.margin:
            return False
        self._retract(heard)
        self._give(heard, later.person, float(1 / (1 + np.exp(-gain))), heard.attribution.by_cue)
        self._prune()
        return True

    def _retract(self, heard: Heard) -> None:
        """Unlearn what an utterance said about the one whose it is not."""
        person, before = heard.person, heard.before
        if person is not None and before is not None and person.last == heard.id:
            person.place, person.time = before.place, before.time
            person.voice, person.faces = before.voice, before.faces

    def _close(self, heard: Heard) -> None:
        """Learn from an utterance that has ended."""
        heard.closed = True
        person, attribution = heard.person, heard.attribution
        if person is None or attribution is None:
            return
        heard.before = person.snapshot()
        person.place, person.time, person.last = heard.place, heard.end, heard.id
        if self._voices:
            person.learn(self._voices.of(heard.id), attribution.probability)
        self._spoke[heard.track_id] = person, heard.end
        face = attribution.face_id
        if face is not None and attribution.face_probability >= _FACE_SURE:
            believed = attribution.probability * (heard.end - heard.start)
            person.faces[face] = person.faces.get(face, 0.0) + believed

    def _expire(self, now: float) -> None:
        """Forget utterances that cannot change any more."""
        for heard in [heard for heard in self._live.values() if heard.closed]:
            if self._voices and now - heard.end > self.config.revision:
                self._voices.forget(heard.id)
            if now - heard.end > _REMEMBERED:
                del self._live[heard.id]
