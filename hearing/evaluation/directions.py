"""Direction error: how far heard azimuths are from the true ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from hearing.evaluation.files import Frames


def angular_distance(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Absolute difference of angles in degrees, in [0, 180], with broadcasting.

    >>> float(angular_distance(179.0, -179.0))
    2.0
    """
    difference: NDArray[np.float64] = np.abs((np.subtract(first, second) + 180.0) % 360.0 - 180.0)
    return difference


def frame_errors(truth: Frames, heard: Frames) -> tuple[float, ...]:
    """Errors in degrees in all frames in which somebody talks and a talker is heard.

    With several of them, the heard directions are mapped one to one to the true ones such that the error is smallest.
    Talkers who are not heard and tracks without a talker do not count here but in the diarization error.
    """
    errors: list[float] = []
    for frame in sorted(truth.keys() & heard.keys()):
        distance = angular_distance(np.array(truth[frame])[:, None], np.array(heard[frame])[None, :])
        errors.extend(distance[linear_sum_assignment(distance)].tolist())
    return tuple(errors)


def segment_errors(
    truth: list[Mapping[str, Any]] | list[dict[str, Any]], heard: list[dict[str, Any]]
) -> tuple[float, ...]:
    """Errors in degrees of each true segment that is heard: against the heard segment that overlaps it longest."""
    heard = [segment for segment in heard if segment.get("azimuth_deg") is not None]
    errors = []
    for segment in truth:
        best = max(heard, key=lambda other: _overlap(segment, other), default=None)
        if best is None or _overlap(segment, best) <= 0.0 or segment.get("azimuth_deg") is None:
            continue
        errors.append(float(angular_distance(segment["azimuth_deg"], best["azimuth_deg"])))
    return tuple(errors)


def _overlap(first: Mapping[str, Any], second: Mapping[str, Any]) -> float:
    start = max(first["start_time"], second["start_time"])
    return float(min(first["end_time"], second["end_time"]) - start)
