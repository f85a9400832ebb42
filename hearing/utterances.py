"""Transcripts become utterances: who said what, from where, and to whom, with stable ids and revision numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hearing.attribution import AttributionConfig, DirectionAttribution, addressed_to_robot
from hearing.trust import Circumstances
from hearing.types import ArrayMotion, CueConfidence, Direction, SpeechChunk, Track, Transcript, Utterance

DIALOGUE = 10.0
"""Seconds for which somebody who talked to the robot is expected to go on."""


@dataclass(slots=True)
class _Open:
    """An utterance on its way.

    Attributes
    ----------
    track_id
        The track it is heard on.
    speaker, probability
        Who says it, and how likely that is right.
    heading
        Sum of the track's unit vectors while it sounded.
    start_time, end_time
        Extent of its audio so far.
    expected, addressed
        Probability that it is said to the robot: judged by what the same person said just before, and by its own words
        so far.
    circumstances
        How it is heard.
    revision
        Number of the next revision.
    ended
        Whether it has all its audio; its final words may still be waited for.
    """

    track_id: int
    speaker: str
    probability: float
    heading: NDArray[np.float64]
    start_time: float
    end_time: float
    expected: float
    addressed: float = 0.0
    circumstances: Circumstances = field(default_factory=Circumstances)
    revision: int = 0
    ended: bool = False


class UtteranceAssembler:
    """Streaming assembly of utterances.

    Parameters
    ----------
    config
        How speakers and addressees are found.
    lead, tail
        Seconds of the utterances' audio before and after their speech.
    """

    latency = 0.0

    def __init__(self, config: AttributionConfig | None = None, lead: float = 0.0, tail: float = 0.0) -> None:
        self.config = config or AttributionConfig()
        self._lead, self._tail = lead, tail
        self._attribution = DirectionAttribution(self.config)
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._attribution.reset()
        self._open: dict[str, _Open] = {}
        # When everybody's last words ended, and how likely they were said to the robot.
        self._last_said: dict[str, tuple[float, float]] = {}

    def follow(
        self,
        chunks: tuple[SpeechChunk, ...],
        tracks: tuple[Track, ...],
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
        motion
            How the array stands now, if it moves.
        moving, robot_talks
            Whether the robot moves, which makes noise, and whether its own loudspeaker is heard.
        """
        yaw = 0.0 if motion is None else motion.yaw
        live = {track.id: track for track in tracks}

        def at_rest(track: Track) -> Direction:
            return Direction(track.direction.azimuth + yaw, track.direction.elevation)

        for chunk in chunks:
            if track := live.get(chunk.track_id):
                # Asked again with every chunk, so that somebody who walks while speaking is known where he ends.
                speaking = {utterance.track_id for utterance in self._open.values() if not utterance.ended}
                speaker, probability = self._attribution.process(track.id, at_rest(track), speaking)
                if chunk.utterance_id not in self._open:
                    expected = self._expected(speaker, chunk.start_time)
                    self._open[chunk.utterance_id] = _Open(
                        track.id, speaker, probability, np.zeros(3), chunk.start_time, 0.0, expected
                    )
            utterance = self._open[chunk.utterance_id]
            utterance.end_time = max(utterance.end_time, chunk.end_time)
        for utterance in self._open.values():
            if not utterance.ended and (track := live.get(utterance.track_id)):
                utterance.circumstances.note(track.time, at_rest(track), moving, robot_talks)
                weight = max(track.activity, 1e-3)
                utterance.heading = utterance.heading + weight * track.direction.vector
        for chunk in chunks:
            self._open[chunk.utterance_id].ended = chunk.last

    def addressing(self, utterance_id: str) -> float:
        """Probability that an utterance whose audio is followed is said to the robot, from what is known now.

        Who called the robot by name does not do so again with every sentence.
        """
        utterance = self._open[utterance_id]
        return max(utterance.expected, utterance.addressed)

    def _expected(self, speaker: str, time: float) -> float:
        """Probability that what somebody begins to say at a time in seconds is said to the robot."""
        ended, addressed = self._last_said.get(speaker, (0.0, 0.0))
        return addressed if time - ended < DIALOGUE else 0.0

    def process(self, transcript: Transcript) -> Utterance:
        """Publish what is known of an utterance now.

        Parameters
        ----------
        transcript
            New words of an utterance whose audio was followed.
        """
        heard = self._open[transcript.utterance_id]
        words = transcript.words
        text = " ".join(word.text for word in words)
        confidence = transcript.confidence * heard.circumstances.trust
        utterance = Utterance(
            id=transcript.utterance_id,
            revision=heard.revision,
            final=transcript.final,
            speaker=heard.speaker,
            track_id=heard.track_id,
            words=words,
            start_time=max(heard.start_time + self._lead, words[0].start_time if words else 0.0),
            end_time=max(heard.end_time - self._tail, words[-1].end_time if words else 0.0),
            direction=Direction.from_vector(heard.heading),
            confidence=CueConfidence(recognition=confidence, direction=heard.probability),
            addressed_to_robot=addressed_to_robot(text, self.config.robot_name),
        )
        heard.revision += 1
        if words:
            heard.addressed = utterance.addressed_to_robot
            self._last_said[heard.speaker] = utterance.end_time, heard.addressed
        if transcript.final:
            del self._open[transcript.utterance_id]
        return utterance
