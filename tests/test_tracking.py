import numpy as np
import pytest

from hearing.tracking import SourceTracker
from hearing.types import Direction, Peak, Track

DT = 0.064


def follow(
    tracker: SourceTracker,
    seen: list[list[tuple[float, float]]],
    start: float = 0.0,
    talking: float = 1.0,
    turn: float = 0.0,
) -> list[tuple[Track, ...]]:
    """Feed (azimuth in degrees, power) peaks, one list per step; on tracks that sound somebody talks, if so asked.

    Returns the tracks that are not tentative.
    """
    steps = []
    for i, peaks in enumerate(seen):
        ordered = sorted(peaks, key=lambda peak: -peak[1])
        found = tuple(Peak(Direction(np.deg2rad(azimuth)), power, power + 0.45) for azimuth, power in ordered)
        tracks = tracker.process(found, start + (i + 1) * DT, turn)
        tracks = tracker.believe({track.id: talking * min(1.0, 1.2 * track.activity) for track in tracks}, DT)
        steps.append(tuple(track for track in tracks if not track.tentative))
    return steps


def test_a_steady_source_becomes_one_track_with_a_stable_id():
    steps = follow(SourceTracker(), [[(30.0, 0.4)]] * 40)
    assert not steps[1]
    assert {track.id for tracks in steps for track in tracks} == {1}
    assert steps[-1][0].direction.azimuth_deg == pytest.approx(30.0, abs=0.5)
    assert steps[-1][0].activity > 0.9


def test_single_false_peaks_never_become_tracks():
    rng = np.random.default_rng(0)
    peaks = [[(float(rng.uniform(-180, 180)), 0.3)] if i % 6 == 0 else [] for i in range(200)]
    assert not any(follow(SourceTracker(), peaks))


def test_a_track_survives_a_pause_and_ends_after_the_timeout():
    tracker = SourceTracker()
    follow(tracker, [[(30.0, 0.4)]] * 20)
    pause = follow(tracker, [[]] * int(10.0 / DT), 20 * DT)
    assert pause[-1][0].id == 1
    assert pause[-1][0].activity < 0.05
    ended = follow(tracker, [[]] * int(11.0 / DT), 20 * DT + 10.0)
    assert not ended[-1]


def test_a_source_on_which_nobody_talks_never_becomes_a_talker():
    assert not any(follow(SourceTracker(), [[(30.0, 0.5)]] * 300, talking=0.2))


def test_two_people_who_cross_keep_their_ids():
    paths = [[(-40.0 + 0.6 * i, 0.4), (40.0 - 0.6 * i, 0.35)] for i in range(134)]
    # Where they meet, one peak is all that is seen of them.
    seen = [peaks if abs(peaks[0][0] - peaks[1][0]) > 15 else peaks[:1] for peaks in paths]
    steps = follow(SourceTracker(), seen)
    azimuth = {track.id: track.direction.azimuth_deg for track in steps[40]}
    for track in steps[-1]:
        assert track.direction.azimuth_deg * azimuth[track.id] < 0


@pytest.mark.parametrize("talks_again", [5.0, 9.0])
def test_when_the_array_turns_its_silent_sources_turn_back(talks_again: float):
    tracker = SourceTracker()
    follow(tracker, [[(30.0, 0.4)]] * 20)
    turning = follow(tracker, [[]] * 40, 20 * DT, turn=np.deg2rad(2.0))
    assert turning[-1][0].direction.azimuth_deg == pytest.approx(-50.0, abs=2.0)
    follow(tracker, [[]] * int((talks_again - 40 * DT) / DT), 60 * DT)
    again = follow(tracker, [[(-50.0, 0.4)]] * 20, 20 * DT + talks_again)
    assert [track.id for track in again[-1]] == [1]


def test_two_sources_keep_their_ids():
    steps = follow(SourceTracker(), [[(30.0, 0.4), (-60.0, 0.35)]] * 40)
    assert len(steps[-1]) == 2
    azimuth = {track.id: track.direction.azimuth_deg for track in steps[20]}
    for track in steps[-1]:
        assert azimuth[track.id] == pytest.approx(track.direction.azimuth_deg, abs=2.0)


def test_a_moving_source_is_one_track():
    steps = follow(SourceTracker(), [[(0.5 * i, 0.4)] for i in range(200)])
    assert {track.id for tracks in steps for track in tracks} == {1}
    assert steps[-1][0].direction.azimuth_deg == pytest.approx(99.5, abs=4.0)


def test_a_weak_peak_beside_a_strong_one_does_not_wake_a_silent_track():
    tracker = SourceTracker()
    follow(tracker, [[(30.0, 0.4)]] * 20)
    steps = follow(tracker, [[(-90.0, 0.45), (30.0, 0.12)]] * 30, 20 * DT)
    silent = [track for track in steps[-1] if track.id == 1]
    assert all(track.activity < 0.2 for track in silent)
    assert max(steps[-1], key=lambda track: track.activity).direction.azimuth_deg == pytest.approx(-90, abs=2)


def test_tracks_cross_the_back_without_a_jump():
    steps = follow(SourceTracker(), [[(((170 + 0.5 * i) + 180) % 360 - 180, 0.4)] for i in range(60)])
    assert {track.id for tracks in steps for track in tracks} == {1}


def test_a_silent_track_does_not_take_over_a_neighbour_30_degrees_away():
    tracker = SourceTracker()
    follow(tracker, [[(40.0, 0.4)]] * 30)
    follow(tracker, [[]] * int(4.0 / DT), 30 * DT)
    steps = follow(tracker, [[(10.0, 0.4)]] * 20, 30 * DT + 4.0)
    assert {track.id for track in steps[-1]} == {1, 2}
    assert steps[-1][0].direction.azimuth_deg == pytest.approx(40.0, abs=1.0)


def test_a_new_source_takes_the_place_of_one_that_is_silent():
    tracker = SourceTracker()
    for i, azimuth in enumerate((-150.0, -100.0, -50.0, 0.0, 50.0, 100.0)):
        follow(tracker, [[(azimuth, 0.4)]] * 10, 10 * i * DT)
    steps = follow(tracker, [[(150.0, 0.4)]] * 40, 60 * DT)
    assert len(steps[-1]) <= 6
    assert max(steps[-1], key=lambda track: track.activity).direction.azimuth_deg == pytest.approx(150.0, abs=1.0)


def test_a_weak_reflection_does_not_drag_a_silent_track_along():
    tracker = SourceTracker()
    follow(tracker, [[(130.0, 0.4)]] * 30)
    follow(tracker, [[(-110.0, 0.4), (130.0 - 0.5 * i, 0.09)] for i in range(40)], 30 * DT)
    steps = follow(tracker, [[(130.0, 0.4)]] * 20, 70 * DT)
    assert min(track.id for track in steps[-1] if track.activity > 0.9) == 1
