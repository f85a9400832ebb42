"""What each cue says about who speaks: natural-log likelihood ratios of being a certain person to being anybody else.

A ratio of 0 says nothing. Ratios of cues whose errors have nothing to do with each other add up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class DirectionCue:
    """Where somebody is heard, against where he was known to be.

    People stay where they are for a while, and may be anywhere once they have walked off.

    Attributes
    ----------
    spread
        Standard deviation in radians of the direction of somebody who stays.
    sway
        By how much more it is after a second, growing with the root of the time.
    stay
        Seconds after which somebody has walked off with a probability of 63 %.
    elsewhere
        Probability of hearing somebody where he is not, by an echo or a track that went astray.
    """

    spread: float = np.deg2rad(7.0)
    sway: float = np.deg2rad(1.0)
    stay: float = 90.0
    elsewhere: float = 0.025

    def log_ratio(self, apart: float, seconds: float) -> float:
        """Compare two directions.

        Parameters
        ----------
        apart
            Radians between where somebody is heard and where he was last known to be, in [0, pi].
        seconds
            Since then.
        """
        spread = np.hypot(self.spread, self.sway * np.sqrt(max(seconds, 0.0)))
        gone = 1.0 - (1.0 - self.elsewhere) * np.exp(-max(seconds, 0.0) / self.stay)
        there = np.exp(-0.5 * (apart / spread) ** 2) / (np.sqrt(2 * np.pi) * spread)
        return float(np.log((1.0 - gone) * 2 * np.pi * there + gone))


@dataclass(frozen=True, slots=True)
class ContinuityCue:
    """Who spoke before on the same track.

    A track is a source that was followed without a break; now and then it goes over to somebody else.

    Attributes
    ----------
    same
        Ratio for whoever spoke on the track just before.
    other
        Ratio for all others.
    forget
        Seconds of silence after which both have fallen to 37 %.
    """

    same: float = 2.0
    other: float = -1.0
    forget: float = 20.0

    def log_ratio(self, same: bool, seconds: float) -> float:
        """Return the ratio for the one who spoke on the track so many seconds before, or for another one."""
        return (self.same if same else self.other) * float(np.exp(-max(seconds, 0.0) / self.forget))


@dataclass(frozen=True, slots=True)
class StandstillCue:
    """Where somebody cannot have got to: direction has a veto, however alike two voices are.

    Whoever stood still to the end of what he said, and stands still again from the beginning of what he says next, has
    set off and stopped in between.

    Attributes
    ----------
    still
        Standard deviation in radians of the direction during an utterance up to which its speaker stands still.
    near
        Radians that tracks may be apart where one person is heard on both.
    acceleration
        In radians per square second, of a brisk walk around the robot 1.5 m away.
    veto
        Log-likelihood ratio of somebody who cannot have got there.
    """

    still: float = np.deg2rad(1.2)
    near: float = np.deg2rad(25.0)
    acceleration: float = np.deg2rad(60.0)
    veto: float = -9.0

    def log_ratio(self, apart: float, seconds: float, spread: float) -> float:
        """Compare where two utterances are heard.

        Parameters
        ----------
        apart
            Radians between their directions, in [0, pi].
        seconds
            Between the end of the one and the beginning of the other; 0 or less if they overlap.
        spread
            Standard deviation in radians of the direction of the less steady one.
        """
        reach = self.acceleration * max(seconds, 0.0) ** 2 / 4
        return self.veto if spread <= self.still and apart > max(self.near, reach) else 0.0
