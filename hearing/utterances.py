"""Transcripts become utterances: who said what, from where, and to whom, with stable ids and revision numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearing.attribution import AttributionConfig, DirectionAttribution, addressed_to_robot
from hearing.types import ArrayMotion, CueConfidence, Direction, SpeechChunk, Track, Transcript, Utterance

UNTRUSTED_WHILE_MOVING = 0.3
"""Share of the confidence that is lost while the robot moves."""


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
    moving, heard
        Steps in which the robot moved, and all steps.
    revision
        Number of the next revision.
    """

    track_id: int
    speaker: str
    probability: float
    heading: NDArray[np.float64]
    start_time: float
    end_time: float
    moving: int = 0
    heard: int = 0
    revision: int = 0


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

    def follow(
        self,
        chunks: tuple[SpeechChunk, ...],
        tracks: tuple[Track, ...],
        motion: ArrayMotion | None = None,
        moving: bool = False,
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
        moving
            Whether the robot moves, which makes noise.
        """
        yaw = 0.0 if motion is None else motion.yaw
        live = {track.id: track for track in tracks}
        for chunk in chunks:
            if track := live.get(chunk.track_id):
                # Asked again with every chunk, so that somebody who walks while speaking is known where he ends.
                speaking = {utterance.track_id for utterance in self._open.values()}
                at_rest = Direction(track.direction.azimuth + yaw, track.direction.elevation)
                speaker, probability = self._attribution.process(track.id, at_rest, speaking)
                self._open.setdefault(
                    chunk.utterance_id, _Open(track.id, speaker, probability, np.zeros(3), chunk.start_time, 0.0)
                )
            utterance = self._open[chunk.utterance_id]
            utterance.end_time = max(utterance.end_time, chunk.end_time)
        for utterance in self._open.values():
            if track := live.get(utterance.track_id):
                utterance.heard += 1
                utterance.moving += moving
                weight = max(track.activity, 1e-3)
                utterance.heading = utterance.heading + weight * track.direction.vector

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
        # A robot that moves hears itself: its recognizer is less often right than it believes.
        trust = 1 - UNTRUSTED_WHILE_MOVING * heard.moving / max(heard.heard, 1)
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
            confidence=CueConfidence(recognition=transcript.confidence * trust, direction=heard.probability),
            addressed_to_robot=addressed_to_robot(text, self.config.robot_name),
        )
        heard.revision += 1
        if transcript.final:
            del self._open[transcript.utterance_id]
        return utterance
