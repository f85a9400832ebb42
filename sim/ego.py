"""The robot's motion, and the noise of it: a fan, the head's joint motors, drive motors and wheels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hearing_sim.scene import Scene
from numpy.typing import ArrayLike, NDArray
from scipy.signal import butter, sosfilt

from hearing.types import SAMPLE_RATE

MOVES = 0.02
"""Metres per second above which the robot drives."""
TURNS = np.radians(3.0)
"""Radians per second above which its head turns."""
ODOMETRY_STEP = 0.05
"""Seconds between two lines of motion.jsonl."""
_RAMP = round(0.03 * SAMPLE_RATE)


@dataclass(frozen=True, slots=True, eq=False)
class EgoSource:
    """A part of the robot that makes noise.

    Attributes
    ----------
    name
        What it is.
    position
        In the array frame, in metres.
    samples
        Of shape (n_samples,), root mean square 1 while it is active.
    level_db
        At the microphones, in dB SPL.
    """

    name: str
    position: tuple[float, float, float]
    samples: NDArray[np.float64]
    level_db: float


def motion_states(scene: Scene, times: ArrayLike) -> NDArray[np.str_]:
    """Return the robot's motion states at times of any shape: `idle`, `head_turning` or `driving`."""
    times = np.asarray(times, dtype=np.float64)
    if scene.robot.states:
        starts = np.array([change.time for change in scene.robot.states])
        names = np.array(["idle", *(change.state for change in scene.robot.states)])
        return names[np.searchsorted(starts, times, side="right")]
    pose = scene.array.pose
    turning = np.where(np.abs(pose.turn_rate(times)) > TURNS, "head_turning", "idle")
    return np.where(pose.speed(times) > MOVES, "driving", turning)


def odometry(scene: Scene) -> list[dict[str, Any]]:
    """List what a robot with perfect odometry knows of its motion, relative to where it starts; empty if it rests.

    `hearing.motion.MotionLog` reads these lines.
    """
    pose = scene.array.pose
    if not (pose.moving or scene.robot.states):
        return []
    times = np.arange(round(scene.duration / ODOMETRY_STEP) + 1) * ODOMETRY_STEP
    positions = pose.to_frame(pose.origin(times), np.zeros(len(times)))
    turned = np.degrees(pose.yaw(times) - pose.yaw(0.0))
    return [
        {"time": time, "position": position, "yaw_deg": yaw_deg, "state": state}
        for time, position, yaw_deg, state in zip(
            times.round(3).tolist(),
            (positions.round(5) + 0.0).tolist(),  # no negative zeros
            (turned.round(4) + 0.0).tolist(),
            motion_states(scene, times).tolist(),
            strict=True,
        )
    ]


def ego_sources(scene: Scene, n_samples: int, rng: np.random.Generator) -> list[EgoSource]:
    """Make the noises of the robot's body; none if the scene's robot is silent."""
    ego = scene.robot.ego_noise
    if ego is None:
        return []
    states = np.repeat(motion_states(scene, np.arange(0, n_samples, 160) / SAMPLE_RATE), 160)[:n_samples]
    turning, driving = (_ramped(states == state) for state in ("head_turning", "driving"))
    fan = _band_noise(n_samples, (100, 4000), rng) + 0.5 * _tones(n_samples, 245.0, (1, 2, 3), rng)
    head = _band_noise(n_samples, (800, 6000), rng) + _tones(n_samples, 310.0, (1, 2, 4, 7, 11), rng)
    wheels = _band_noise(n_samples, (60, 1500), rng) + _tones(n_samples, 92.0, (1, 2, 3, 5, 9), rng)
    sources = [
        EgoSource("fan", (-0.08, 0.0, -0.12), _normalized(fan), ego.fan_db),
        EgoSource("head", (0.0, 0.0, -0.08), _normalized(head) * turning, ego.head_db),
        EgoSource("wheels", (0.0, 0.15, -0.9), _normalized(wheels) * driving, ego.wheels_db),
    ]
    return [source for source in sources if source.samples.any()]


def _ramped(active: NDArray[np.bool_]) -> NDArray[np.float64]:
    kernel = np.hanning(_RAMP + 2)[1:-1]
    return np.convolve(active.astype(np.float64), kernel / kernel.sum(), mode="same")


def _band_noise(n_samples: int, band: tuple[float, float], rng: np.random.Generator) -> NDArray[np.float64]:
    noise = sosfilt(butter(1, band, "bandpass", fs=SAMPLE_RATE, output="sos"), rng.standard_normal(n_samples))
    return _normalized(noise)


def _tones(n_samples: int, base: float, orders: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    angle = 2 * np.pi * base * np.arange(n_samples) / SAMPLE_RATE
    return sum((np.cos(order * angle + rng.uniform(0, 2 * np.pi)) / order for order in orders), np.zeros(n_samples))


def _normalized(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    normalized: NDArray[np.float64] = signal / max(float(np.sqrt(np.mean(signal**2))), 1e-12)
    return normalized
