import numpy as np
import pytest

from hearing.ego_noise import MotionStates, NoiseMemory
from hearing.features import Spectra
from hearing.stft import N_BINS
from hearing.types import ArrayMotion

ALL_NOISE = np.ones((4, N_BINS), np.float32)


def spectra(level: float, tilt: float = 0.0, seed: int = 0) -> Spectra:
    rng = np.random.default_rng(seed)
    shape = 10 ** (level / 20) * np.linspace(1, 10 ** (tilt / 20), N_BINS)[:, None]
    frames = shape * (rng.standard_normal((4, N_BINS, 2)) + 1j * rng.standard_normal((4, N_BINS, 2)))
    return Spectra.of(frames.astype(np.complex64))


def test_the_robot_says_what_it_does():
    states = MotionStates()
    still = np.zeros(3)
    assert states.process(spectra(0), ALL_NOISE, ArrayMotion(0.064, still, 0.0, "idle")) == "idle"
    assert not states.moving
    assert states.process(spectra(0), ALL_NOISE, ArrayMotion(0.128, still, 0.0, "lifting")) == "lifting"
    assert states.moving


def test_the_state_follows_from_the_pose_if_it_has_no_name():
    states = MotionStates()
    names = []
    for step in range(1, 10):
        yaw = 0.02 * max(0, step - 5)
        names.append(states.process(spectra(0), ALL_NOISE, ArrayMotion(0.064 * step, np.zeros(3), yaw, None)))
    assert names == ["idle"] * 5 + ["turning"] * 4


def test_unnamed_noises_are_told_apart_within_a_step_and_recognized_again():
    states = MotionStates()
    idle = {states.process(spectra(0, seed=i), ALL_NOISE, None) for i in range(30)}
    drive = {states.process(spectra(20, -15, seed=i), ALL_NOISE, None) for i in range(30)}
    again = {states.process(spectra(0, seed=i), ALL_NOISE, None) for i in range(30)}
    assert len(idle) == len(drive) == 1
    assert idle != drive
    assert again == idle


def test_every_state_keeps_its_own_noise():
    memory = NoiseMemory(2, 2.0)
    idle, drive = (np.tile(scale * np.eye(2), (N_BINS, 1, 1)).astype(np.complex64) for scale in (1, 100))
    weight = np.full(N_BINS, 4, np.float32)
    memory.switch("idle")
    for _ in range(100):
        memory.learn(4 * idle, weight, 4)
    memory.switch("driving")
    for _ in range(100):
        memory.learn(4 * drive, weight, 4)
    assert memory.covariance[10, 0, 0].real == pytest.approx(100, rel=0.05)
    memory.switch("idle")
    assert memory.covariance[10, 0, 0].real == pytest.approx(1, rel=0.05)


def test_a_new_state_starts_from_what_was_heard_before():
    memory = NoiseMemory(2, 2.0)
    memory.switch("idle")
    memory.learn(np.tile(4 * np.eye(2), (N_BINS, 1, 1)).astype(np.complex64), np.full(N_BINS, 4, np.float32), 4)
    memory.switch("driving")
    assert memory.covariance[10, 0, 0].real == pytest.approx(1, rel=0.05)
