"""`hearing enroll --face`."""

import sys

import cv2
import numpy as np
import pytest
from hearing_datasets import kit_root

from hearing import cli
from hearing.memory import PeopleStore, load_key
from hearing.vision.identity import FaceEncoder


@pytest.fixture(autouse=True)
def no_key(monkeypatch, tmp_path):
    monkeypatch.delenv("HEARING_KEY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def faces():
    if kit_root() is None or not (kit_root() / "faces").is_dir():
        pytest.skip("needs the photographs of the data kit")
    return kit_root() / "faces"


def enroll(*arguments):
    return cli.main(["enroll", *map(str, arguments)])


def refusal(capsys, *arguments):
    assert enroll(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    return captured.err


def test_a_face_is_enrolled_listed_recognised_and_forgotten(faces, tmp_path, capsys):
    here = ("--people", tmp_path / "people")
    neutral, smiling = faces / "london_neutral" / "003.jpg", faces / "london_smiling" / "003.jpg"
    assert enroll("Ada", "--face", neutral, "--face", smiling, "--yes", *here) == 0
    assert enroll("Bob", "--face", faces / "london_neutral" / "022.jpg", "--yes", *here) == 0
    assert enroll("--list", *here) == 0
    assert capsys.readouterr().out == "Ada: face (2 pictures)\nBob: face (1 pictures)\n"
    store = PeopleStore(tmp_path / "people", load_key(tmp_path / "people"))
    encoder = FaceEncoder()
    known = store.faces(encoder.name)
    assert float(known["Ada"].embedding @ known["Bob"].embedding) < 0.93
    assert b"Ada" not in (tmp_path / "people" / "people.enc").read_bytes()
    assert enroll("Ada", "--forget", *here) == 0
    assert list(PeopleStore(tmp_path / "people", load_key(tmp_path / "people")).people) == ["Bob"]


def test_pictures_of_two_people_are_refused(faces, tmp_path, capsys):
    pictures = [faces / "london_neutral" / f"{who}.jpg" for who in ("003", "022")]
    shown = [argument for path in pictures for argument in ("--face", path)]
    assert "somebody else" in refusal(capsys, "Ada", *shown, "--yes")
    both = np.hstack([cv2.imread(str(path)) for path in pictures])
    cv2.imwrite(str(tmp_path / "both.png"), both)
    assert "2 faces are seen" in refusal(capsys, "Ada", "--face", tmp_path / "both.png", "--yes")
    assert not (tmp_path / "data").exists()


def test_what_shows_no_face_is_refused(faces, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((240, 320, 3), 90, np.uint8))
    (tmp_path / "text.jpg").write_text("I am no picture")
    (tmp_path / "empty.jpg").touch()
    photograph = cv2.imread(str(faces / "london_neutral" / "003.jpg"))
    cv2.imwrite(str(tmp_path / "blurred.png"), cv2.GaussianBlur(photograph, (0, 0), 16))
    for name, reason in (
        ("wall.png", "no face is seen"),
        ("text.jpg", "neither a photograph nor a video"),
        ("empty.jpg", "neither a photograph nor a video"),
        ("blurred.png", "cannot be seen well"),
    ):
        assert reason in refusal(capsys, "Ada", "--face", tmp_path / name, "--yes"), name
    assert not (tmp_path / "data").exists()


def test_missing_packages_are_named(tmp_path, capsys, monkeypatch):
    (tmp_path / "a.jpg").touch()
    for name in [name for name in sys.modules if name.startswith("hearing.vision.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert "pip install 'robot-hearing[vision]'" in refusal(capsys, "Ada", "--face", tmp_path / "a.jpg", "--yes")
