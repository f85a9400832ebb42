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

from hearing.attribution.assignment import NEVER, assign, by_cue, most_likely, softmax
from hearing.attribution.config import CUES, UNKNOWN, Attribution, AttributionConfig
from hearing.attribution.heard import Heard
from hearing.attribution.person import Person, face_of, face_ratios, introduce, with_owners
from hearing.attribution.takeover import NEARBY, find_takeover
from hearing.attribution.voice_prints import UtteranceVoices
from hearing.sphere import rotation
from hearing.types import FaceState, SourceAudio, SpeechChunk, Track, Word
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
            introduce(sight.people, self._people)
        for person in self._people:
            face = face_of(person, self._people)
            if face and (there := self._faces.place(face)):
                person.place, person.time = there

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

    def read(self, utterance_id: str, words: Sequence[Word]) -> None:
        """Take the words of an utterance so far: the lips that say them are its speaker's."""
        heard = self._live.get(utterance_id)
        if heard is None or self._faces is None:
            return
        self._faces.read(utterance_id, heard.track_id, words)
        if heard.closed and heard.person is not None and heard.attribution is not None:
            self._look(heard)
            face, sure = most_likely(with_owners(heard.seen, heard.person, self._people))
            heard.attribution = replace(heard.attribution, face_id=face, face_probability=sure)

    def knows(self, utterance_id: str) -> bool:
        """Whether it can still be found out who says an utterance."""
        return utterance_id in self._live

    def withdraw(self, utterance_id: str) -> None:
        """Forget an utterance in which nobody said anything."""
        heard = self._live.pop(utterance_id, None)
        if heard is None:
            return
        for other in self._live.values():
            other.beside_echo |= heard.overlap(other) > 0
        if heard.person is not None:
            self._retract(heard)
            heard.person.utterances.discard(utterance_id)
            self._prune()

    def corrections(self, now: float) -> list[str]:
        """Judge again utterances that have ended by what was said since; give those that are somebody else's.

        Who goes on speaking on the same track is better known by then, and is likely to have begun.
        """
        recent = [h for h in self._live.values() if h.closed and now - h.end <= self.config.revision]
        return [heard.id for heard in recent if self._recognize(heard) or self._reconsider(heard)]

    def part(self, utterance_id: str, pauses: Sequence[float]) -> tuple[Heard, Heard] | None:
        """Find out whether another person goes on within an utterance that has ended, and part it if so.

        Parameters
        ----------
        utterance_id
            Which one.
        pauses
            Times between its words, in seconds.

        Returns
        -------
        Both parts, of which the first one keeps the id; None if one person says it all, or if that cannot be told.
        """
        whole, voices = self._live.get(utterance_id), self._voices
        if whole is None or whole.person is None or whole.before is None or not whole.path:
            return None
        before = replace(whole.before.snapshot(), utterances=whole.before.utterances - {whole.id})
        people = [person for person in self._people if person is not whole.person]
        people += [] if whole.alone else [before]
        parts = find_takeover(
            whole,
            pauses,
            lambda start, end: voices.part(utterance_id, start, end) if voices else None,
            lambda first, second: self._goes_over(first, second, people),
        )
        if parts is not None:
            self._divide(whole, whole.person, parts)
        return parts

    def _goes_over(self, first: Heard, second: Heard, people: Sequence[Person]) -> float:
        """Return the log odds that two people say the parts of an utterance, and not one of them both."""
        self._look(first)
        self._look(second)
        before, after = self._scores(first, people), self._scores(second, people)
        after[-1] += NEARBY
        stays = []
        for index, speaker in enumerate([*(person.snapshot() for person in people), Person("")]):
            self._learn(speaker, first, 1.0)
            stays.append(self._scores(second, [*people[:index], speaker, *people[index + 1 :]])[index])
        pairs = before[:, None] + after
        pairs[range(len(people)), range(len(people))] = NEVER
        same = np.max(before + stays) + self._clash(first, second)
        return float(np.max(pairs) - same + np.log(self.config.change))

    def _divide(self, whole: Heard, speaker: Person, parts: tuple[Heard, Heard]) -> None:
        """Give both parts of an utterance to two persons in place of the one."""
        newcomers = [speaker] if whole.alone else []
        self._retract(whole)
        speaker.utterances.discard(whole.id)
        people = [person for person in self._people if person not in newcomers]
        for part in parts:
            ratios = self._ratios(part, people)
            chosen = int((scores := self._scores(part, people, ratios)).argmax())
            person = people.pop(chosen) if chosen < len(people) else newcomers.pop() if newcomers else None
            self._live[part.id] = part
            self._give(part, person, float(softmax(scores)[chosen]), by_cue(ratios, chosen))
            self._close(part)
            part.before = None  # who goes on has been found out
        self._prune()

    def _extend(self, chunk: SpeechChunk, place: FloatArray) -> None:
        heard = self._live.get(chunk.utterance_id)
        if heard is None:
            extent = max(chunk.start_time, chunk.settled), chunk.end_time
            heard = self._live[chunk.utterance_id] = Heard(
                chunk.utterance_id, chunk.track_id, *extent, np.zeros(3), place, follows=self._spoke.get(chunk.track_id)
            )
        heard.end = max(heard.end, chunk.end_time)
        if self._voices:
            self._voices.extend(chunk)

    def _judge(self, utterances: Sequence[Heard], ending: set[str], now: float) -> None:
        """Give utterances that are open at the same time to persons."""
        people = list(self._people)
        ratios = np.zeros((len(utterances), len(people) + 1, len(CUES)))
        scores = np.zeros(ratios.shape[:2])
        for row, heard in enumerate(utterances):
            if self._voices:
                self._voices.listen(heard.id, heard.id in ending)
                heard.voice = self._voices.of(heard.id)
            self._look(heard)
            ratios[row] = self._ratios(heard, people)
            scores[row] = self._scores(heard, people, ratios[row])
            if heard.person is not None and heard.alone:
                # Whoever is known by this utterance alone is whom it would be given to as somebody new.
                own = people.index(heard.person)
                ratios[row, own], scores[row, own], scores[row, -1] = ratios[row, -1], scores[row, -1], NEVER
        clashes = np.array([[self._clash(heard, other) for other in utterances] for heard in utterances])
        chosen, probabilities = assign(scores, clashes)
        for row, (heard, index) in enumerate(zip(utterances, chosen.tolist(), strict=True)):
            heard.judged = now
            self._give(heard, [*people, None][index], float(probabilities[row]), by_cue(ratios[row], index))
        self._prune()

    def _look(self, heard: Heard) -> None:
        """Compare faces with an utterance."""
        if self._faces:
            heard.seen = self._faces.ratios(heard.track_id, heard.total, heard.start, heard.end)

    def _scores(self, heard: Heard, people: Sequence[Person], ratios: FloatArray | None = None) -> FloatArray:
        """Return the log odds of everybody, and of somebody new, from what the cues say, of shape (n_people + 1,)."""
        ratios = self._ratios(heard, people) if ratios is None else ratios
        prior = [self.config.enrolled if person.enrolled and not person.utterances else 1.0 for person in people]
        scores: FloatArray = ratios @ self._weights + np.log([*prior, self.config.newcomer])
        scores[:-1] += [self._busy(heard, person) for person in people]
        return scores

    def _ratios(self, heard: Heard, people: Sequence[Person]) -> FloatArray:
        """Return the log-likelihood ratio of every cue, of shape (n_people + 1, n_cues), the last for somebody new."""
        config = self.config
        direction, voice, face, continuity = ratios = np.zeros((len(CUES), len(people) + 1))
        if config.direction:
            direction[:-1] = [p.direction_ratio(config.directions, heard.total, heard.start) for p in people]
        if self._encoder:
            likelihood = self._encoder.likelihood
            voice[:-1] = [person.voice_ratio(likelihood, heard.voice) for person in people]
        if config.continuity and heard.follows is not None:
            owner, time = heard.follows
            since = heard.start - time
            continuity[:-1] = [config.tracks.log_ratio(owner.name == person.name, since) for person in people]
            continuity[-1] = config.tracks.log_ratio(False, since)
        if heard.seen:
            own = [face_of(person, self._people) for person in people]
            face[:] = face_ratios(heard.seen, own)
            direction[:-1] *= [name not in heard.seen for name in own]  # it is the face's
        return ratios.T

    def _busy(self, heard: Heard, person: Person) -> float:
        """Return the log-likelihood ratio of saying an utterance beside what else a person has said, or says."""
        others = (self._live[name] for name in person.utterances if name in self._live and name != heard.id)
        return min((self._clash(heard, other) for other in others if other.closed), default=0.0)

    def _clash(self, heard: Heard, other: Heard) -> float:
        """Return the log-likelihood ratio of two utterances being one person's by when and where they are said."""
        at_once, standstill = self.config.clash(heard.overlap(other)), self.config.standstill
        if not self.config.direction:
            return at_once
        return min(at_once, standstill.log_ratio(*heard.apart(other), max(heard.spread, other.spread)))

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
        face, sure = most_likely(with_owners(heard.seen, person, self._people))
        heard.attribution = Attribution(name, probability, cues, face, sure)

    def _prune(self) -> None:
        """Forget people of whom nothing was heard after all."""
        self._people = [person for person in self._people if person.utterances or person.enrolled]
        self._spoke = {track: spoke for track, spoke in self._spoke.items() if spoke[0] in self._people}

    def _recognize(self, heard: Heard) -> bool:
        """Give the only utterance of somebody new to whoever is likelier by now.

        What was heard at the same time, and made him somebody else, was an echo, or nothing, and has been withdrawn.
        Who is seen to speak was not somebody else because of that.
        """
        if not heard.beside_echo or not heard.alone or heard.seen or heard.attribution is None:
            return False
        people = [person for person in self._people if person is not heard.person]
        ratios = self._ratios(heard, people)
        scores = self._scores(heard, people, ratios)
        chosen = int(scores.argmax())
        if chosen == len(people) or scores[chosen] - scores[-1] < self.config.margin:
            return False
        self._retract(heard)
        self._give(heard, people[chosen], float(softmax(scores)[chosen]), by_cue(ratios, chosen))
        self._prune()
        return True

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
        self._learn(person, heard, attribution.probability)
        self._spoke[heard.track_id] = person, heard.end

    def _learn(self, person: Person, heard: Heard, belief: float) -> None:
        """Learn where somebody is, how he sounds and which face is his from what he said, if that is believed."""
        person.place, person.time, person.last = heard.place, heard.end, heard.id
        person.learn(heard.voice, belief)
        face, sure = most_likely(with_owners(heard.seen, person, self._people))
        if face is not None and sure >= _FACE_SURE:
            person.faces[face] = person.faces.get(face, 0.0) + belief * (heard.end - heard.start)

    def _expire(self, now: float) -> None:
        """Forget utterances that cannot change any more."""
        for heard in [heard for heard in self._live.values() if heard.closed]:
            if self._voices and now - heard.end > self.config.revision:
                self._voices.forget(heard.id)
            if now - heard.end > _REMEMBERED:
                del self._live[heard.id]
