import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from numpy.typing import NDArray
from plane_waves import microphone_noise, speech_like, spherical_wave
from scipy.spatial.transform import Rotation

from hearing import cli
from hearing.arrays import MicrophoneArray, load_array
from hearing.calibration import Calibration, calibrate
from hearing.calibration_camera import Faces, rotation_of
from hearing.calibration_fit import procrustes, unit_vectors
from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, AudioBlock, Float32Array
from hearing.vision.camera import Camera, load_camera

GAINS_DB = np.array([1.0, -0.5, 0.0, -1.0, 0.7, -0.2, 0.4, -0.4])
INVERTED = 2
PACE = 0.6
"""Seconds that the walker talks at each spot."""


def true_positions(array: MicrophoneArray) -> NDArray[np.float64]:
    return array.positions + 0.004 * np.random.default_rng(5).standard_normal(array.positions.shape)


@cache
def walk(name: str, spots: int = 36, circle: float = 2 * np.pi) -> Float32Array:
    """Somebody walks around microphones that are not quite where they should be, and talks."""
    array = load_array(name)
    positions, rng = true_positions(array), np.random.default_rng(3)
    parts = []
    for number in range(spots):
        azimuth, distance = 0.4 + circle * number / spots, rng.uniform(1.2, 2.0)
        height = distance * np.tan(np.deg2rad(rng.uniform(5.0, 15.0)))
        place = np.array([distance * np.cos(azimuth), distance * np.sin(azimuth), height])
        parts.append(spherical_wave(positions, place, speech_like(PACE, number)))
    samples = np.concatenate(parts)
    samples += microphone_noise(samples.shape, 1e-4, 1)
    samples *= 10 ** (GAINS_DB[: array.n_microphones] / 20)
    samples[:, INVERTED] *= -1
    return samples.astype(np.float32)


def blocks(samples: Float32Array) -> list[AudioBlock]:
    return [AudioBlock(samples[i : i + 5000], i) for i in range(0, len(samples), 5000)]


@cache
def calibrated(name: str) -> Calibration:
    return calibrate(blocks(walk(name)), load_array(name))


def errors(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far nominal and estimated positions are from the true ones, whose orientation nobody can hear."""
    nominal, truth = load_array(name).centred, true_positions(load_array(name))
    truth = (truth - truth.mean(axis=0)) @ procrustes(truth, nominal).T
    found = calibrated(name).positions
    return nominal - truth, found - found.mean(axis=0) - truth


def test_a_head_is_measured_to_a_millimetre():
    before, after = errors("head_8mic")
    assert np.sqrt((before**2).mean()) > 0.003
    assert np.sqrt((after[:, :2] ** 2).mean()) < 0.001
    assert np.sqrt((after**2).mean()) < 0.002


@pytest.mark.parametrize("name", ["respeaker_6mic", "azure_kinect"])
def test_what_is_heard_of_a_plane_gets_better(name: str):
    before, after = errors(name)
    assert np.sqrt((after[:, :2] ** 2).mean()) < 0.5 * np.sqrt((before[:, :2] ** 2).mean())
    assert np.sqrt((after**2).mean()) < np.sqrt((before**2).mean())


@pytest.mark.parametrize("name", ["head_8mic", "respeaker_6mic", "azure_kinect"])
def test_the_times_of_arrival_fit_better_and_the_uncertainty_is_honest(name: str):
    result = calibrated(name)
    _, after = errors(name)
    assert result.error_after < 0.5 * result.error_before
    assert np.median(np.abs(after) / result.standard_error) < 2.0


@pytest.mark.parametrize("name", ["head_8mic", "respeaker_6mic", "azure_kinect"])
def test_polarity_and_gains_are_found_and_the_array_stays_in_its_place(name: str):
    result, array = calibrated(name), load_array(name)
    assert np.flatnonzero(result.polarity < 0).tolist() == [INVERTED]
    gains = GAINS_DB[: array.n_microphones]
    np.testing.assert_allclose(result.gains_db, gains - gains.mean(), atol=0.4)
    np.testing.assert_allclose(result.positions.mean(axis=0), array.positions.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(procrustes(result.positions, array.positions), np.eye(3), atol=2e-3)


def test_too_little_speech_too_few_directions_and_broken_microphones_are_refused():
    array = load_array("respeaker_6mic")
    with pytest.raises(InputError, match="too little"):
        calibrate(blocks(walk("respeaker_6mic")[: 4 * SAMPLE_RATE]), array)
    with pytest.raises(InputError, match="too little"):
        calibrate(blocks(microphone_noise((20 * SAMPLE_RATE, 6), 1e-3, 1)), array)
    with pytest.raises(InputError, match="all the way around"):
        calibrate(blocks(walk("respeaker_6mic", circle=np.deg2rad(70.0))), array)
    broken = walk("respeaker_6mic").copy()
    broken[:, 4] = 0
    with pytest.raises(InputError, match="channel 5 is dead"):
        calibrate(blocks(broken), array)
    line = MicrophoneArray("line", np.array([[0.0, y, 0.0] for y in (-0.09, -0.03, 0.03, 0.09)]))
    with pytest.raises(InputError, match="in one line"):
        calibrate([], line)


def test_the_command_writes_an_array_that_can_be_loaded_and_says_what_to_mend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    audio, out, report = tmp_path / "walk.wav", tmp_path / "mine.yaml", tmp_path / "report.json"
    soundfile.write(audio, walk("head_8mic"), SAMPLE_RATE, subtype="FLOAT")
    arguments = ["calibrate", str(audio), "--array", "head_8mic", "--out", str(out), "--report", str(report)]
    assert cli.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "channel 3 has inverted polarity: swap its two wires" in printed
    assert "camera" in printed
    np.testing.assert_allclose(load_array(out).positions, calibrated("head_8mic").positions, atol=1e-4)
    content = yaml.safe_load(out.read_text())
    assert content["name"] == "mine"
    assert content["polarity"] == [1, 1, -1, 1, 1, 1, 1, 1]
    assert len(content["gains_db"]) == 8
    assert json.loads(report.read_text())["error_after_us"] < 10
    assert {path.name for path in tmp_path.iterdir()} == {"walk.wav", "mine.yaml", "report.json"}

    assert cli.main(arguments) == 2
    assert "exists" in capsys.readouterr().err


def test_the_command_writes_nothing_if_it_cannot_calibrate(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    audio, out = tmp_path / "short.wav", tmp_path / "mine.yaml"
    soundfile.write(audio, walk("respeaker_6mic")[: 3 * SAMPLE_RATE], SAMPLE_RATE, subtype="FLOAT")
    start = ["calibrate", str(audio), "--array", "respeaker_6mic", "--out"]
    for place, problem in ((out, "too little"), (tmp_path / "no" / "mine.yaml", "no such folder")):
        assert cli.main([*start, str(place)]) == 2
        assert problem in capsys.readouterr().err
    assert cli.main([*start, str(out), "--report", str(out)]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["short.wav"]


def seen(camera: Camera, angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points in the camera's axes of talkers 1.5 m from the array."""
    turn = Rotation.from_euler("ZYX", [camera.yaw, camera.pitch, camera.roll], degrees=True)
    points: NDArray[np.float64] = turn.inv().apply(1.5 * unit_vectors(angles) - np.array(camera.position))
    return points


def test_the_camera_is_turned_to_where_faces_are_heard():
    rng = np.random.default_rng(2)
    truth = Camera(640, 480, 457, 457, 320, 240, (0.05, 0.0, 0.08), yaw=12.0, pitch=-6.0)
    said = Camera(640, 480, 457, 457, 320, 240, (0.05, 0.0, 0.08), yaw=0.0, pitch=0.0)
    angles = np.stack([rng.uniform(-0.3, 0.7, 60), rng.uniform(0.05, 0.3, 60)], axis=1)
    others = np.stack([rng.uniform(-0.3, 0.7, 30), rng.uniform(0.05, 0.3, 30)], axis=1)
    points = np.concatenate([seen(truth, angles), seen(truth, others)])
    faces = Faces(np.concatenate([np.arange(60), np.arange(30)]), points)
    heard = angles + 0.02 * rng.standard_normal(angles.shape)
    found = rotation_of(said, faces, heard, planar=False)
    assert found.yaw == pytest.approx(12.0, abs=1.0)
    assert found.pitch == pytest.approx(-6.0, abs=1.5)
    assert found.n_faces >= 50
    flat = rotation_of(Camera(640, 480, 457, 457, 320, 240, (0.05, 0.0, 0.08), pitch=-6.0), faces, heard, planar=True)
    assert flat.yaw == pytest.approx(12.0, abs=1.0)
    assert flat.pitch is None


def test_a_camera_without_faces_or_description_is_refused(tmp_path: Path):
    camera = Camera(640, 480, 457, 457, 320, 240)
    with pytest.raises(InputError, match="0 faces"):
        rotation_of(camera, Faces(np.zeros(0, np.intp), np.zeros((0, 3))), np.zeros((5, 2)), planar=True)
    path = tmp_path / "camera.yaml"
    path.write_text("width: 640\n")
    with pytest.raises(InputError, match="describes no camera"):
        load_camera(path)
