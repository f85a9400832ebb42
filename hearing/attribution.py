"""Who speaks, and to whom: speakers told apart by direction, the robot addressed by name.

A speaker outlives the track: whoever starts to speak where somebody spoke before is taken for the same person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from hearing.sphere import azimuths_apart
from hearing.types import Direction


@dataclass(frozen=True, slots=True)
class AttributionConfig:
    """How to attribute.

    Attributes
    ----------
    spread
        Standard deviation in radians of where a speaker is heard again.
    new_speaker
        Likelihood of a new speaker relative to a known one exactly where he was.
    robot_name
        What people call the robot.
    """

    spread: float = np.deg2rad(10.0)
    new_speaker: float = 0.15
    robot_name: str = "robot"


class DirectionAttribution:
    """Streaming attribution of tracks to speakers.

    Parameters
    ----------
    config
        How to attribute.
    """

    latency = 0.0

    def __init__(self, config: AttributionConfig | None = None) -> None:
        self.config = config or AttributionConfig()
        self.reset()

    def reset(self) -> None:
        """Forget everybody."""
        self._directions: dict[str, Direction] = {}
        self._speaker_of_track: dict[int, tuple[str, float]] = {}

    def process(self, track_id: int, direction: Direction, speaking_tracks: set[int]) -> tuple[str, float]:
        """Attribute a track that speaks.

        Parameters
        ----------
        track_id
            The track.
        direction
            Where it is heard now, in a frame that does not turn with the array.
        speaking_tracks
            All tracks that speak now: whoever is heard on one of them is not looked for elsewhere.

        Returns
        -------
        The speaker's name and the probability that it is right.
        """
        if track_id not in self._speaker_of_track:
            taken = {self._speaker_of_track[k][0] for k in speaking_tracks if k in self._speaker_of_track}
            self._speaker_of_track[track_id] = self._recognize(direction, taken)
        speaker, probability = self._speaker_of_track[track_id]
        self._directions[speaker] = direction
        return speaker, probability

    def _recognize(self, direction: Direction, taken: set[str]) -> tuple[str, float]:
        likelihood = {
            name: float(np.exp(-0.5 * (azimuths_apart(direction.vector, known.vector) / self.config.spread) ** 2))
            for name, known in self._directions.items()
            if name not in taken
        }
        newcomer = f"talker_{len(self._directions) + 1}"
        likelihood[newcomer] = self.config.new_speaker
        best = max(likelihood, key=lambda name: likelihood[name])
        return best, likelihood[best] / sum(likelihood.values())


def addressed_to_robot(text: str, robot_name: str) -> float:
    """Probability that something is said to the robot, judged by its name alone.

    Called by name at the beginning or the end counts; being talked about counts little.

    Examples
    --------
    >>> addressed_to_robot("Robot, bring me the wrench.", "robot")
    0.95
    >>> addressed_to_robot("Yesterday the robot dropped it again.", "robot")
    0.3
    >>> addressed_to_robot("Hand me the wrench.", "robot")
    0.2
    """
    words = re.findall(r"[a-z']+", text.lower())
    name = robot_name.lower()
    if name in words[:2] or name in words[-1:]:
        return 0.95
    return 0.3 if name in words else 0.2
