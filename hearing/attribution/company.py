"""Who is there and who spoke when, as far as it tells to whom something is said."""

from __future__ import annotations

from hearing.attribution.addressee import AddressCues

RECENT = 20.0
"""Seconds for which somebody who spoke counts as there."""
ADDRESSED = 0.5
"""Probability from which on something is taken to be said to the robot."""


class Company:
    """Streaming memory of a conversation."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._robot: float | None = None
        self._spoke: dict[str, float] = {}
        self._addressed: dict[str, float] = {}

    def robot_talks(self, now: float) -> None:
        """Note that the robot talks at a time in seconds."""
        self._robot = now

    def speaks(self, speaker: str, end: float) -> None:
        """Note that somebody has spoken until a time in seconds."""
        self._spoke[speaker] = max(end, self._spoke.get(speaker, end))

    def said(self, speaker: str, end: float, addressed: float) -> None:
        """Note how likely what somebody said until a time in seconds was said to the robot."""
        self.speaks(speaker, end)
        if addressed >= ADDRESSED:
            self._addressed[speaker] = end

    def cues(
        self, text: str, speaker: str, start: float, facing: float | None = None, distance: float | None = None
    ) -> AddressCues:
        """Gather what tells to whom something is said.

        Parameters
        ----------
        text
            The words so far.
        speaker
            Who says them.
        start
            When they begin, in seconds.
        facing, distance
            Share of the time for which the speaker looks at the robot, and metres to him; None if he is not seen.
        """
        addressed = self._addressed.get(speaker)
        others = {name: time for name, time in self._spoke.items() if name != speaker}
        return AddressCues(
            text,
            facing,
            distance,
            None if addressed is None else max(0.0, start - addressed),
            None if self._robot is None else max(0.0, start - self._robot),
            sum(start - time <= RECENT for time in others.values()),
            min((max(0.0, start - time) for time in others.values()), default=None),
        )
