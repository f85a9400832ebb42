"""Who is recognized next when more people talk than the computer can listen to at once.

Engines may compute on so many seconds of audio per second of the stream. What is not used is saved up for a while;
what goes beyond it is owed, and nothing more is computed until it is paid. So words come late, but none are lost. It is
counted in audio, not by a clock: the same stream gives the same words at the same times on every computer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_ADDRESSED = 0.5


@dataclass(frozen=True, slots=True)
class SchedulingConfig:
    """How much may be computed.

    Attributes
    ----------
    decoders
        Seconds of audio that engines may compute on per second of the stream. Somebody who talks all the time needs
        two: one while he speaks, and one for the final words. So these are enough for two talkers at once.
    saved
        Seconds of the stream for which what is not used is saved up.
    """

    decoders: float = 4.0
    saved: float = 1.0

    @property
    def most(self) -> float:
        """Most seconds of audio that can be saved up."""
        return self.decoders * self.saved


@dataclass(frozen=True, slots=True)
class Job:
    """What an engine could compute on now.

    Attributes
    ----------
    utterance_id
        Whose audio.
    final
        Whether it is for the utterance's final words.
    since
        Stream time in seconds since when the audio waits.
    seconds
        How much audio.
    addressed
        Probability that it is said to the robot.
    """

    utterance_id: str
    final: bool
    since: float
    seconds: float
    addressed: float

    @property
    def first(self) -> bool:
        """Whether the robot is more likely addressed than not: then all others wait for this."""
        return self.addressed > _ADDRESSED


@dataclass(frozen=True, slots=True)
class RecognitionQueue:
    """What the recognizer has yet to do.

    Attributes
    ----------
    waiting
        Utterances whose audio waits.
    oldest
        Longest time in seconds of the stream that any of it waits.
    behind
        Seconds of audio that engines have to compute on to catch up.
    """

    waiting: int = 0
    oldest: float = 0.0
    behind: float = 0.0

    @classmethod
    def of(cls, jobs: Iterable[Job], now: float) -> RecognitionQueue:
        """Sum up the jobs that were not chosen at a stream time in seconds."""
        left = list(jobs)
        oldest = max((now - job.since for job in left), default=0.0)
        return cls(len(left), oldest, sum(job.seconds for job in left))


class Scheduler:
    """Chooses what is computed, within the budget.

    What is said to the robot comes first, then the final words of the others, then what they are saying; of equals
    the one that waits longest. A job is not divided, so the last one may go beyond the budget. What others owe does not
    hold up who addresses the robot: he waits only for what is said to the robot itself.

    Parameters
    ----------
    config
        How much may be computed.
    """

    def __init__(self, config: SchedulingConfig | None = None) -> None:
        self.config = config or SchedulingConfig()
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._now = 0.0
        # Seconds of audio left for everybody, and for what is said to the robot: less than nothing is owed.
        self._left = self._left_first = self.config.most

    def choose(self, jobs: Iterable[Job], now: float) -> list[Job]:
        """Choose what is to be computed now, in this order.

        Parameters
        ----------
        jobs
            All that could be computed.
        now
            Stream time in seconds; what may be computed grows with the time since the last call.
        """
        granted, self._now = self.config.decoders * (now - self._now), now
        self._left = min(self.config.most, self._left + granted)
        self._left_first = min(self.config.most, self._left_first + granted)
        chosen = []
        for job in sorted(jobs, key=_precedence):
            if (self._left_first if job.first else self._left) <= 0:
                continue
            self._left -= job.seconds
            if job.first:
                self._left_first -= job.seconds
            chosen.append(job)
        return chosen


def _precedence(job: Job) -> tuple[bool, bool, float, str]:
    return not job.first, not job.final, job.since, job.utterance_id
