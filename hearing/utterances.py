"""Transcripts become utterances: who said what, from where, and to whom, with stable ids and revision numbers."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hearing.attribution import AddresseeModel, Attribution, PersonAttribution
from hearing.attribution.company import Company
from hearing.attribution.echoes import is_echo
from hearing.sphere import rotation
from hearing.trust import Circumstances
from hearing.types import (
    ArrayMotion,
    CueConfidence,
    Direction,
    FaceState,
    SourceAudio,
    SpeechChunk,
    Track,
    Transcript,
    Utterance,
    Word,
)

if TYPE_CHECKING:
    from hearing.vision.face import Sight


ECHOES = 4.0
"""Seconds after its end in which an utterance may turn out to be the echo of another one."""


@dataclass(slots=True)
class _Open:
    """An utterance on its way.

    Attributes
    ----------
    track_id
        The track it is heard on.
    heading
        Sum of the track's unit vectors while it sounded.
    start_time, end_time
        Extent of its audio so far.
    addressed
        Probability that it is said to the robot: at first by who says it after what, then by its words so far.
    circumstances
        How it is heard.
    revision
        Number of the next revision.
    ended
        Whether it has all its audio; its final words may still be waited for.
    words
        What was heard last.
    """

    track_id: int
    heading: NDArray[np.float64]
    start_time: float
    end_time: float
    addressed: float
    circumstances: Circumstances = field(default_factory=Circumstances)
    revision: int = 0
    ended: bool = False
    words: tuple[Word, ...] = ()


class UtteranceAssembler:
    """Streaming assembly of utterances.

    Parameters
    ----------
    attribution
        Tells who speaks.
    lead, tail
        Seconds of the utterances' audio before and after their speech.
    """

    latency = 0.0

    def __init__(self, attribution: PersonAttribution | None = None, lead: float = 0.0, tail: float = 0.0) -> None:
        self._lead, self._tail = lead, tail
        self._attribution = attribution or PersonAttribution()
        self._addressee = AddresseeModel((self._attribution.config.robot_name,))
        self._company = Company()
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._attribution.reset()
        self._open: dict[str, _Open] = {}
        self._final: dict[str, Utterance] = {}
        self._fresh: list[str] = []
        self._company.reset()

    def follow(
        self,
        chunks: tuple[SpeechChunk, ...],
        tracks: tuple[Track, ...],
        now: float,
        sources: Sequence[SourceAudio] = (),
        motion: ArrayMotion | None = None,
        moving: bool = False,
        robot_talks: bool = False,
    ) -> None:
        """Note where and when the open utterances are heard.

        Parameters
        ----------
        chunks
            New audio of utterances.
        tracks
            All tracks as they are now.
        now
            Stream time in seconds.
        sources
            New audio of all tracks.
        motion
            How the array stands now, if it moves.
        moving, robot_talks
            Whether the robot moves, which makes noise, and whether its own loudspeaker is heard.
        """
        yaw = 0.0 if motion is None else motion.yaw
        live = {track.id: track for track in tracks}

        def at_rest(track: Track) -> Direction:
            return Direction(track.direction.azimuth + yaw, track.direction.elevation)

        if robot_talks:
            self._company.robot_talks(now)
        self._attribution.hear(sources)
        self._attribution.follow(chunks, tracks, yaw, now)
        for chunk in chunks:
            if chunk.utterance_id not in self._open:
                speaker = self._attribution.of(chunk.utterance_id).speaker
                addressed = self._addressee.probability(self._company.cues("", speaker, chunk.start_time))
                self._open[chunk.utterance_id] = _Open(chunk.track_id, np.zeros(3), chunk.start_time, 0.0, addressed)
            utterance = self._open[chunk.utterance_id]
            utterance.end_time = max(utterance.end_time, chunk.end_time)
        for utterance in self._open.values():
            if not utterance.ended and (track := live.get(utterance.track_id)):
                utterance.circumstances.note(track.time, at_rest(track), moving, robot_talks)
                weight = max(track.activity, 1e-3)
                utterance.heading = utterance.heading + weight * track.direction.vector
        for chunk in chunks:
            self._open[chunk.utterance_id].ended = chunk.last

    def see(self, sights: Sequence[Sight], motion: ArrayMotion | None = None) -> None:
        """Take what cameras see, in order of time, and how the array stands now, if it moves."""
        self._attribution.see(sights, 0.0 if motion is None else motion.yaw)

    def faces(self, now: float, tracks: Sequence[Track]) -> tuple[FaceState, ...]:
        """Say of all faces that are seen now whether they speak, from what is heard on all tracks."""
        return self._attribution.faces(now, tracks)

    def addressing(self, utterance_id: str) -> float:
        """Probability that an utterance whose audio is followed is said to the robot, from what is known now."""
        return self._open[utterance_id].addressed

    def process(self, transcript: Transcript) -> Utterance:
        """Publish what is known of an utterance now.

        Parameters
        ----------
        transcript
            New words of an utterance whose audio was followed.
        """
        heard = self._open[transcript.utterance_id]
        self._attribution.read(transcript.utterance_id, transcript.words)
        who = self._attribution.of(transcript.utterance_id)
        words = transcript.words
        if transcript.final and any(is_echo(words, other) for other in self._other_words(transcript.utterance_id)):
            words = ()
        confidence = transcript.confidence * heard.circumstances.trust
        utterance = Utterance(
            id=transcript.utterance_id,
            revision=heard.revision,
            final=transcript.final,
            speaker=who.speaker,
            track_id=heard.track_id,
            words=words,
            start_time=min([heard.start_time + self._lead, *(word.start_time for word in words)]),
            end_time=max([heard.end_time - self._tail, *(word.end_time for word in words)]),
            direction=Direction.from_vector(heard.heading),
            confidence=_confidence(confidence, who),
            addressed_to_robot=self._addressed(transcript.utterance_id, words, heard.start_time + self._lead),
            face_id=who.face_id,
        )
        heard.revision += 1
        heard.words = words
        if words:
            heard.addressed = utterance.addressed_to_robot
            self._company.speaks(utterance.speaker, utterance.end_time)
        if transcript.final:
            self._conclude(utterance)
        return utterance

    def _conclude(self, utterance: Utterance) -> None:
        """Note what is final."""
        del self._open[utterance.id]
        if utterance.words:
            self._final[utterance.id] = utterance
            self._fresh.append(utterance.id)
            self._company.said(utterance.speaker, utterance.end_time, utterance.addressed_to_robot)
        else:
            self._attribution.withdraw(utterance.id)

    def _parted(self, said: Utterance, now: float) -> tuple[Utterance, ...]:
        """Part what is final where another person goes on; nothing if one person says it, or if it is too late."""
        if now - said.end_time > self._attribution.config.revision:
            return ()
        pauses = [(before.end_time + after.start_time) / 2 for before, after in pairwise(said.words)]
        parts = self._attribution.part(said.id, pauses)
        if parts is None:
            return ()
        first, second = parts
        cut = bisect(pauses, second.start - 1e-6) + 1
        whole = _azimuth(first.total + second.total)
        halves = []
        for part, words in ((first, said.words[:cut]), (second, said.words[cut:])):
            who = self._attribution.of(part.id)
            start = said.start_time if part is first else words[0].start_time
            turned = rotation(_azimuth(part.total) - whole) @ said.direction.vector
            half = replace(
                said,
                id=part.id,
                revision=said.revision + 1 if part is first else 0,
                speaker=who.speaker,
                words=words,
                start_time=start,
                end_time=words[-1].end_time if part is first else said.end_time,
                direction=Direction.from_vector(turned),
                confidence=_confidence(said.confidence.recognition, who),
                addressed_to_robot=self._addressed(part.id, words, start),
                face_id=who.face_id,
            )
            self._final[half.id] = half
            self._company.said(half.speaker, half.end_time, half.addressed_to_robot)
            halves.append(half)
        return tuple(halves)

    def _addressed(self, utterance_id: str, words: Sequence[Word], start: float) -> float:
        """Return the probability that what somebody says from a time on is said to the robot."""
        text = " ".join(word.text for word in words)
        speaker, gaze = self._attribution.of(utterance_id).speaker, self._attribution.gaze(utterance_id)
        return self._addressee.probability(self._company.cues(text, speaker, start, *gaze))

    def _other_words(self, utterance_id: str) -> list[tuple[Word, ...]]:
        """List what is said in all other utterances."""
        others = [heard.words for name, heard in self._open.items() if name != utterance_id]
        return others + [said.words for name, said in self._final.items() if name != utterance_id]

    def corrections(self, now: float) -> tuple[Utterance, ...]:
        """Publish again what turns out to be somebody else's, or only the echo of something, soon after its end.

        Where another person went on, an utterance is published again without what he said, which is one of its own.
        """
        fresh, self._fresh = [self._final[name] for name in self._fresh if name in self._final], []
        corrected = [part for said in fresh for part in self._parted(said, now)]
        for said in [utterance for utterance in self._final.values() if now - utterance.end_time <= ECHOES]:
            if any(is_echo(said.words, other) for other in self._other_words(said.id)):
                corrected.append(replace(said, revision=said.revision + 1, words=()))
                self._attribution.withdraw(said.id)
                del self._final[said.id]
        for utterance_id in self._attribution.corrections(now):
            if before := self._final.get(utterance_id):
                who = self._attribution.of(utterance_id)
                confidence = replace(before.confidence, speaker=who.probability)
                after = replace(before, revision=before.revision + 1, speaker=who.speaker, confidence=confidence)
                self._final[utterance_id] = after
                corrected.append(after)
        for utterance_id in [name for name in self._final if not self._attribution.knows(name)]:
            del self._final[utterance_id]
        return tuple(corrected)


def _confidence(recognition: float, who: Attribution) -> CueConfidence:
    cue = who.by_cue
    return CueConfidence(recognition, cue.get("direction"), cue.get("voice"), cue.get("face"), who.probability)


def _azimuth(vector: NDArray[np.float64]) -> float:
    return float(np.arctan2(vector[1], vector[0]))
