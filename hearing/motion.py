"""How the robot moved: the pose of its array and its motion state over time, as its odometry knows them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.types import ArrayMotion

EXTRAPOLATED = 0.1
"""Seconds for which a movement is believed to go on after the last line that is known."""
_EXAMPLE = '{"time": 0.1, "position": [0.02, 0, 0], "yaw_deg": 1.5, "state": "driving"}'


class MotionLog:
    """What is known of a robot's motion.

    The poses are those of the array frame in the frame that it had when the stream started (REP-103): what turns and
    drives with the robot is at rest there.

    Parameters
    ----------
    motions
        At least one, in order of time.
    """

    def __init__(self, motions: Sequence[ArrayMotion]) -> None:
        self._times = np.array([motion.time for motion in motions])
        self._positions = np.array([motion.position for motion in motions], dtype=np.float64)
        self._yaws = np.unwrap([motion.yaw for motion in motions])
        self._states = [motion.state for motion in motions]

    @classmethod
    def load(cls, path: Path) -> MotionLog:
        """Read a `motion.jsonl`: a line per 0.1 s or more often, at most 50 in a second.

        Every line is an object with `time` (seconds of stream time), `position` ([x, y, z] in metres), `yaw_deg` and,
        if it is known, `state` (`idle`, `head_turning`, `driving`, or any other name).

        Raises
        ------
        InputError
            If the file cannot be read, is empty, or at its first bad line.
        """
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}); check it, or remove it") from error
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: not a text file; write one JSON object per line, or remove it") from error
        motions: list[ArrayMotion] = []
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            where = f"{path}, line {number}"
            motion = _parsed(line, where)
            if motions and motion.time <= motions[-1].time:
                raise InputError(
                    f"{where}: time {motion.time:g} does not rise after {motions[-1].time:g}; sort the lines"
                )
            motions.append(motion)
        if not motions:
            raise InputError(f"{path}: the file is empty; write one JSON object per line, or remove it")
        return cls(motions)

    def at(self, time: float) -> ArrayMotion:
        """Return the motion at a time, interpolated between the lines; before the first and after the last it rests.

        The yaw is continuous and may exceed pi. The state is that of the last line up to then.
        """
        position = np.array([np.interp(time, self._times, values) for values in self._positions.T])
        return ArrayMotion(time, position, float(np.interp(time, self._times, self._yaws)), self._state(time))

    def known_at(self, time: float) -> ArrayMotion:
        """Return the motion at a time as a robot knows it then: from the lines up to that time alone.

        The movement between the last two lines is believed to go on, for `EXTRAPOLATED` seconds at most. Before the
        first line the array is where it started.
        """
        known = int(np.searchsorted(self._times, time, side="right"))
        if known == 0:
            return ArrayMotion(time, np.zeros(3), 0.0, None)
        position, yaw = self._positions[known - 1], float(self._yaws[known - 1])
        if known > 1:
            ahead = min(time - self._times[known - 1], EXTRAPOLATED)
            share = float(ahead / (self._times[known - 1] - self._times[known - 2]))
            position = position + share * (position - self._positions[known - 2])
            yaw += share * (yaw - float(self._yaws[known - 2]))
        return ArrayMotion(time, position.copy(), yaw, self._state(time))

    def _state(self, time: float) -> str | None:
        known = int(np.searchsorted(self._times, time, side="right"))
        return self._states[known - 1] if known else None


def _parsed(line: str, where: str) -> ArrayMotion:
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise InputError(f"{where}: not JSON; write one object per line, such as {_EXAMPLE}") from error
    if not isinstance(entry, dict):
        raise InputError(f"{where}: not an object; write lines such as {_EXAMPLE}")
    time, yaw = (_number(entry, key, where) for key in ("time", "yaw_deg"))
    state = entry.get("state")
    if state is not None and not isinstance(state, str):
        raise InputError(f"{where}: state is {state!r}; give a name in quotes, or leave it out")
    return ArrayMotion(time, _position(entry, where), math.radians(yaw), state)


def _number(entry: dict[str, Any], key: str, where: str) -> float:
    value = entry.get(key)
    if not _is_number(value):
        raise InputError(f"{where}: {key} is {value!r}; give a number, as in {_EXAMPLE}")
    return float(value)


def _position(entry: dict[str, Any], where: str) -> NDArray[np.float64]:
    value = entry.get("position")
    if not (isinstance(value, list) and len(value) == 3 and all(map(_is_number, value))):
        raise InputError(f"{where}: position is {value!r}; give [x, y, z] in metres, as in {_EXAMPLE}")
    return np.array(value, dtype=np.float64)


def _is_number(value: object) -> TypeGuard[int | float]:
    # What is not a number, NaN, is not below the bound either.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12
