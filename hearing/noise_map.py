"""Where machines stand: noise tracks that persist, so that people can see them and nobody takes them for talkers.

The steered response of what is not speech is averaged for seconds; what stays where it is for long enough becomes a
track of its own, keeps its name while it is silent, and turns back when the array turns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearing.features import Spectra
from hearing.localization import AveragedResponse, SteeredResponse
from hearing.sphere import azimuths_apart, rotation
from hearing.types import Direction, Float32Array, Track


@dataclass(frozen=True, slots=True)
class NoiseMapConfig:
    """How machines are found. Angles in radians, times in seconds.

    Attributes
    ----------
    memory
        Time constant of the averaged response.
    period
        From one look at the response to the next.
    min_power
        Steered response power of the weakest machine that is looked for.
    same_place
        Angle within which a peak is a machine that is known.
    apart
        Angle to a talker within which no machine is looked for: his room answers from there.
    confirm_after
        Looks in which a machine must have been found, more often than not, to be believed.
    forget_after
        A machine that was not heard for this time is taken from the map.
    max_machines
        On the map.
    """

    memory: float = 1.5
    period: float = 0.512
    min_power: float = 0.12
    same_place: float = np.deg2rad(12.0)
    apart: float = np.deg2rad(20.0)
    confirm_after: int = 4
    forget_after: float = 600.0
    max_machines: int = 8


@dataclass(slots=True)
class _Machine:
    """A machine on the map: where it is, when it was heard, how often looks found it (less those that did not)."""

    id: int
    position: NDArray[np.float64]
    heard: float
    found: int = 1
    confirmed: bool = False


class NoiseMap:
    """Streaming map of the machines around the array.

    Parameters
    ----------
    response
        Steered response of the array.
    config
        How machines are found.
    """

    latency = 0.0
    FIRST_ID = 10_001
    """Tracks of machines are numbered from here, so that they never meet those of talkers."""

    def __init__(self, response: SteeredResponse, config: NoiseMapConfig | None = None) -> None:
        self.config = config or NoiseMapConfig()
        self._averaged = AveragedResponse(response, self.config.memory)
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._averaged.reset()
        self._machines: list[_Machine] = []
        self._next_id = self.FIRST_ID
        self._looked = 0.0

    def process(
        self, spectra: Spectra, noise: Float32Array, talkers: tuple[Track, ...], time: float, turn: float = 0.0
    ) -> tuple[Track, ...]:
        """Listen to the next frames.

        Parameters
        ----------
        spectra
            The frames.
        noise
            Share of each bin's power that is not speech, of shape (n_frames, N_BINS).
        talkers
            Where people talk.
        time
            Stream time at the end of the frames in seconds.
        turn
            Radians by which the array turned counter-clockwise since the last call.

        Returns
        -------
        The machines that are believed, as tracks of kind `noise`; active are those that were heard at the last look.
        """
        self._turn_back(turn)
        # What was averaged before a turn belongs to other directions.
        self._averaged.add(spectra, noise, float(np.exp(-abs(turn) / self.config.same_place)))
        if time - self._looked >= self.config.period:
            self._looked = time
            self._look(talkers, time)
        return tuple(
            Track(
                machine.id,
                time,
                Direction.from_vector(machine.position),
                float(machine.heard >= self._looked),
                kind="noise",
            )
            for machine in self._machines
            if machine.confirmed
        )

    def _turn_back(self, turn: float) -> None:
        """Turn all machines clockwise, as the array sees them when it turns counter-clockwise."""
        back = rotation(-turn)
        for machine in self._machines:
            machine.position = back @ machine.position

    def _look(self, talkers: tuple[Track, ...], time: float) -> None:
        """Match the peaks of the averaged response to the machines on the map."""
        people = np.array([track.direction.vector for track in talkers if not track.tentative]).reshape(-1, 3)
        for peak in self._averaged.peaks(self.config.min_power):
            vector = peak.direction.vector
            if len(people) and (people @ vector).max() > np.cos(self.config.apart):
                continue
            nearest = max(self._machines, key=lambda machine: float(machine.position @ vector), default=None)
            if nearest is not None and azimuths_apart(nearest.position, vector) < self.config.same_place:
                nearest.position += 0.3 * (vector - nearest.position)
                nearest.position /= np.linalg.norm(nearest.position)
                nearest.heard, nearest.found = time, nearest.found + 2
            elif len(self._machines) < self.config.max_machines:
                self._machines.append(_Machine(self._next_id, vector, time))
                self._next_id += 1
        for machine in self._machines:
            machine.found = min(machine.found - 1, 2 * self.config.confirm_after)
            machine.confirmed |= machine.found >= self.config.confirm_after
        self._machines = [
            machine
            for machine in self._machines
            if (time - machine.heard < self.config.forget_after if machine.confirmed else machine.found >= 0)
        ]
