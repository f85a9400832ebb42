import json
import math
from pathlib import Path

import numpy as np
import pytest

from hearing.errors import InputError
from hearing.motion import MotionLog

LINES = [
    {"time": 0.0, "position": [0, 0, 0], "yaw_deg": 170, "state": "idle"},
    {"time": 0.1, "position": [0.1, 0, 0], "yaw_deg": -170, "state": "driving"},
    {"time": 0.2, "position": [0.1, 0.2, 0], "yaw_deg": -150},
]


def written(path: Path, lines: list[dict]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def log(tmp_path: Path) -> MotionLog:
    return MotionLog.load(written(tmp_path / "motion.jsonl", LINES))


def test_pose_is_interpolated_the_short_way_round(log: MotionLog) -> None:
    motion = log.at(0.05)
    assert motion.time == 0.05
    np.testing.assert_allclose(motion.position, [0.05, 0, 0])
    assert math.degrees(motion.yaw) == pytest.approx(180)
    assert math.degrees(log.at(0.2).yaw) == pytest.approx(210)
    assert [log.at(time).state for time in (0.0, 0.05, 0.1, 0.2)] == ["idle", "idle", "driving", None]


def test_pose_is_held_outside_of_the_lines(log: MotionLog) -> None:
    np.testing.assert_allclose(log.at(9.0).position, [0.1, 0.2, 0])
    assert math.degrees(log.at(9.0).yaw) == pytest.approx(210)
    np.testing.assert_allclose(log.at(-1.0).position, [0, 0, 0])


def test_what_a_robot_knows_goes_on_for_a_tenth_of_a_second(log: MotionLog) -> None:
    assert math.degrees(log.known_at(0.05).yaw) == pytest.approx(170)
    np.testing.assert_allclose(log.known_at(0.15).position, [0.15, 0, 0])
    assert math.degrees(log.known_at(0.15).yaw) == pytest.approx(200)
    for time in (0.3, 5.0):
        np.testing.assert_allclose(log.known_at(time).position, [0.1, 0.4, 0])
        assert math.degrees(log.known_at(time).yaw) == pytest.approx(230)


def test_what_a_robot_knows_does_not_depend_on_the_future(log: MotionLog, tmp_path: Path) -> None:
    other = MotionLog.load(written(tmp_path / "other.jsonl", [*LINES[:2], LINES[2] | {"position": [5, 5, 5]}]))
    for time in np.arange(-0.1, 0.199, 0.01):
        one, another = log.known_at(time), other.known_at(time)
        np.testing.assert_array_equal(one.position, another.position)
        assert (one.yaw, one.state) == (another.yaw, another.state)


def test_before_the_first_line_the_array_is_where_it_started(tmp_path: Path) -> None:
    log = MotionLog.load(written(tmp_path / "motion.jsonl", LINES[1:]))
    motion = log.known_at(0.0)
    assert (motion.position.tolist(), motion.yaw, motion.state) == ([0, 0, 0], 0, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": None}, "time is None; give a number"),
        ({"time": 0.1}, "time 0.1 does not rise after 0.1; sort the lines"),
        ({"time": True}, "time is True"),
        ({"yaw_deg": "left"}, "yaw_deg is 'left'"),
        ({"yaw_deg": float("nan")}, "yaw_deg is nan"),
        ({"yaw_deg": 10**400}, "yaw_deg is 1000"),
        ({"position": [1, 2]}, r"position is \[1, 2\]; give \[x, y, z\] in metres"),
        ({"position": [1, 2, "3"]}, "position is"),
        ({"state": 3}, "state is 3; give a name in quotes"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, change: dict, message: str) -> None:
    path = written(tmp_path / "motion.jsonl", [*LINES[:2], LINES[2] | change])
    with pytest.raises(InputError, match=rf"motion\.jsonl, line 3: {message}"):
        MotionLog.load(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"[1, 2]", "line 1: not an object"),
        (b"time: 3", "line 1: not JSON"),
        (b"\xff\xfe\x00", "not a text file"),
    ],
)
def test_files_that_are_no_motion(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "motion.jsonl").write_bytes(content)
    with pytest.raises(InputError, match=message):
        MotionLog.load(tmp_path / "motion.jsonl")


def test_a_folder_is_no_motion(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        MotionLog.load(tmp_path)
