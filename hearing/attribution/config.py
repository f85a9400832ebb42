"""How utterances are attributed, and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hearing.attribution.cues import ContinuityCue, DirectionCue, StandstillCue

UNKNOWN = "unknown"
"""Who speaks if nobody is likely enough."""
CUES = ("direction", "voice", "face", "continuity")


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each cue's ratio counts: errors of cues that agree by chance make it less than 1."""

    direction: float = 1.0
    voice: float = 1.0
    face: float = 1.0
    continuity: float = 0.5


@dataclass(frozen=True, slots=True)
class AttributionConfig:
    """How to attribute.

    Attributes
    ----------
    direction, voice, lips, continuity
        Whether these cues count; `lips` stands for all that cameras see.
    newcomer, enrolled
        Prior odds to somebody who has spoken: of somebody new, and of one who is remembered from before and has not.
    busy
        Log-likelihood ratio of being heard on two tracks at once, as where somebody walks away from his track.
    unknown
        Probability below which it is left open who speaks.
    period
        Seconds between two judgements of an utterance that goes on.
    revision
        Seconds after its end in which an utterance, or its end, may still be given to somebody else.
    margin
        Log odds that it takes.
    change
        Probability that another person goes on within an utterance.
    weights
        Of the cues.
    directions, standstill, tracks
        What direction and continuity say.
    robot_name
        What people call the robot.
    """

    direction: bool = True
    voice: bool = True
    lips: bool = True
    continuity: bool = True
    newcomer: float = 0.5
    enrolled: float = 0.2
    busy: float = -4.0
    unknown: float = 0.3
    period: float = 1.0
    revision: float = 2.0
    margin: float = 1.0
    change: float = 0.02
    weights: Weights = field(default_factory=Weights)
    directions: DirectionCue = field(default_factory=DirectionCue)
    standstill: StandstillCue = field(default_factory=StandstillCue)
    tracks: ContinuityCue = field(default_factory=ContinuityCue)
    robot_name: str = "robot"

    def clash(self, overlap: float) -> float:
        """Log-likelihood ratio of two utterances being one person's, by the share of the shorter one that is both's."""
        return self.busy * min(1.0, 2 * overlap)


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who says an utterance.

    Attributes
    ----------
    speaker
        A person's name, or `UNKNOWN`.
    probability
        That it is right.
    by_cue
        The same by each cue alone; without those that say nothing.
    face_id, face_probability
        The face that says it, None if that is not seen, and how likely that is.
    """

    speaker: str
    probability: float
    by_cue: Mapping[str, float] = field(default_factory=dict)
    face_id: str | None = None
    face_probability: float = 0.0
