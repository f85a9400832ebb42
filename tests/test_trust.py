from __future__ import annotations

import numpy as np
import pytest

from hearing.trust import FAST, LOST_BY_WALKING, LOST_WHILE_MOVING, LOST_WHILE_TALKING, Circumstances
from hearing.types import Direction

STEP = 0.064


def heard(
    rate: float = 0.0, moving: float = 0.0, talking: float = 0.0, error_deg: float = 0.0, n_steps: int = 100
) -> Circumstances:
    """What 6.4 s are like whose talker walks at so many rad/s, and for a share of which the robot moves or talks."""
    errors = np.deg2rad(error_deg) * np.random.default_rng(0).standard_normal(n_steps)
    circumstances = Circumstances()
    for number in range(n_steps):
        direction = Direction(3.0 + rate * STEP * number + errors[number], 0.2)
        circumstances.note(number * STEP, direction, number < moving * n_steps, number < talking * n_steps)
    return circumstances


def test_at_rest_nothing_is_lost() -> None:
    assert Circumstances().trust == 1.0
    assert heard().trust == pytest.approx(1.0)
    assert heard(n_steps=1).trust == pytest.approx(1.0)
    assert heard(error_deg=1.0).trust > 0.98


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_robot_that_moves_or_talks_costs_its_share(share: float) -> None:
    assert heard(moving=share).trust == pytest.approx(1 - LOST_WHILE_MOVING * share)
    assert heard(talking=share).trust == pytest.approx(1 - LOST_WHILE_TALKING * share)
    both = (1 - LOST_WHILE_MOVING * share) * (1 - LOST_WHILE_TALKING * share)
    assert heard(moving=share, talking=share).trust == pytest.approx(both)


def test_the_faster_the_talker_walks_the_more_is_lost() -> None:
    trusts = [heard(rate=rate * FAST).trust for rate in (0.0, 0.25, 0.5, 1.0, 2.0)]
    assert trusts == sorted(trusts, reverse=True)
    assert trusts[2] == pytest.approx(1 - LOST_BY_WALKING / 2, abs=0.03)
    assert trusts[-1] == pytest.approx(1 - LOST_BY_WALKING, abs=0.01)
    assert heard(rate=-FAST).trust == pytest.approx(trusts[3], abs=0.01)
