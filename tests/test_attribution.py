import numpy as np
import pytest

from hearing.attribution import DirectionAttribution, addressed_to_robot
from hearing.types import Direction


def direction(azimuth_deg: float) -> Direction:
    return Direction(np.deg2rad(azimuth_deg))


def test_a_new_track_where_somebody_spoke_is_the_same_speaker():
    attribution = DirectionAttribution()
    first, _ = attribution.process(1, direction(30.0), {1})
    other, _ = attribution.process(2, direction(-80.0), {1, 2})
    again, probability = attribution.process(7, direction(34.0), {7})
    assert first != other
    assert again == first
    assert probability > 0.8


def test_somebody_far_from_all_others_is_new():
    attribution = DirectionAttribution()
    names = {attribution.process(k, direction(60.0 * k), {k})[0] for k in range(1, 6)}
    assert len(names) == 5


def test_two_tracks_at_once_are_two_speakers():
    attribution = DirectionAttribution()
    first, _ = attribution.process(1, direction(30.0), {1, 2})
    second, _ = attribution.process(2, direction(38.0), {1, 2})
    assert first != second


def test_a_track_keeps_its_speaker_while_it_moves():
    attribution = DirectionAttribution()
    names = {attribution.process(1, direction(azimuth), {1})[0] for azimuth in range(0, 180, 10)}
    assert len(names) == 1


def test_the_back_is_one_place():
    attribution = DirectionAttribution()
    first, _ = attribution.process(1, direction(178.0), {1})
    again, _ = attribution.process(2, direction(-179.0), {2})
    assert again == first


@pytest.mark.parametrize(
    ("text", "addressed"),
    [
        ("Robot, stop.", True),
        ("Hey robot come here.", True),
        ("Stop it, robot!", True),
        ("The old robot broke.", False),
    ],
)
def test_calling_by_name_addresses(text: str, addressed: bool):
    assert (addressed_to_robot(text, "robot") > 0.5) == addressed


def test_a_silent_track_does_not_keep_its_speaker_from_being_found_where_he_was():
    attribution = DirectionAttribution()
    first, _ = attribution.process(1, direction(30.0), {1})
    again, _ = attribution.process(2, direction(32.0), {2})
    assert again == first
