"""Streaming acoustics: what it hears is what the simulator hears, moves without clicks, and knows no future."""

from __future__ import annotations

import numpy as np
import pytest
from hearing_gazebo.field import BLOCK, Receiver, Source, StreamingField
from hearing_gazebo.poses import Fixed, Pose, Received
from hearing_sim import propagation
from hearing_sim.motion import Pose as SimulatedPose
from hearing_sim.motion import PoseWaypoint, Trajectory, Waypoint
from hearing_sim.room import RoomAcoustics
from hearing_sim.scene import Room
from scipy.signal import butter, sosfiltfilt

from hearing.arrays import SPEED_OF_SOUND, load_array
from hearing.types import SAMPLE_RATE

SIZE = (6.0, 5.0, 3.0)
EARS, MOUTH = (2.0, 2.5, 1.2), (4.5, 3.5, 1.6)
MICROPHONES = load_array("respeaker_4mic").positions


class Samples:
    """A signal that is known, and silent before and after."""

    def __init__(self, samples: np.ndarray) -> None:
        self._samples = samples

    def read(self, start: int, n_samples: int) -> np.ndarray:
        index = np.arange(start, start + n_samples)
        inside = (index >= 0) & (index < len(self._samples))
        return np.where(inside, self._samples[np.clip(index, 0, len(self._samples) - 1)], 0.0)


def facing_west(position: tuple[float, float, float]) -> Fixed:
    return Fixed(Pose(np.array(position), np.diag([-1.0, -1.0, 1.0])))


def heard(field: StreamingField, n_blocks: int) -> np.ndarray:
    return np.concatenate([field.render(block * BLOCK) for block in range(n_blocks)])


def field_of(acoustics: RoomAcoustics, source: Source, body_radius: float | None = None) -> StreamingField:
    ears = Receiver(Fixed(Pose(np.array(EARS), np.eye(3))), MICROPHONES, body_radius)
    return StreamingField(acoustics, np.zeros(3), np.array(SIZE), ears, [source], seed=1)


@pytest.mark.parametrize(("talks", "body_radius"), [(False, None), (True, 0.09)])
def test_what_stands_still_sounds_as_in_the_simulator(talks: bool, body_radius: float | None) -> None:
    acoustics = RoomAcoustics(Room(size=SIZE, rt60=0.4))
    click = np.zeros(4000)
    click[1000] = 1.0
    source = Source("a", Samples(click), facing_west(MOUTH), np.zeros(3), talks)
    streamed = heard(field_of(acoustics, source, body_radius), 16)

    ears = SimulatedPose([PoseWaypoint(0, EARS)])
    simulator = propagation.SoundField(
        acoustics, propagation.Receiver(ears, MICROPHONES, np.zeros(len(MICROPHONES)), body_radius)
    )
    simulated = np.zeros_like(streamed)
    ahead = (lambda times: np.tile([-1.0, 0.0, 0.0], (len(times), 1))) if talks else None
    simulator.hear(propagation.PointSource(Trajectory([Waypoint(0, MOUTH)]), ahead), click, 0, simulated)

    band = butter(4, (100, 6500), "bandpass", fs=SAMPLE_RATE, output="sos")
    direct = float(np.linalg.norm(np.subtract(MOUTH, EARS))) / SPEED_OF_SOUND
    mixed = 1000 + round((direct + acoustics.mixing_time) * SAMPLE_RATE)
    early = slice(0, mixed - 100)  # what comes before the late reverberation, which is another draw of noise
    error, wanted = sosfiltfilt(band, streamed - simulated, axis=0)[early], sosfiltfilt(band, simulated, axis=0)[early]
    assert 10 * np.log10(np.sum(error**2) / np.sum(wanted**2)) < (-30 if talks else -40)
    late = slice(mixed + 100, None)
    assert np.sum(streamed[late] ** 2) / np.sum(simulated[late] ** 2) == pytest.approx(1, abs=0.15)


@pytest.fixture(scope="module")
def passing_by() -> np.ndarray:
    """A tone of 2 kHz that drives by, without a room."""
    tone = np.cos(2 * np.pi * 2000 * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE)
    way = Received()
    for time, x in ((0.0, 5.5), (1.0, 2.5)):
        way.add(time, Pose(np.array([x, 2.5, 1.2]), np.eye(3)))
    source = Source("cart", Samples(tone), way, np.zeros(3), False)
    return heard(field_of(RoomAcoustics(Room(size=SIZE, rt60=0)), source), 30)


def test_what_comes_nearer_sounds_higher(passing_by: np.ndarray) -> None:
    part = passing_by[4000:12000, 0] * np.hanning(8000)
    spectrum = np.abs(np.fft.rfft(part, 64 * 8000))
    frequency = spectrum.argmax() / 64 / 8000 * SAMPLE_RATE
    assert frequency == pytest.approx(2000 / (1 - 3.0 / SPEED_OF_SOUND), abs=1.0)


def test_what_moves_does_not_click(passing_by: np.ndarray) -> None:
    part = passing_by[4000:12000, 0] * np.blackman(8000)
    power = np.abs(np.fft.rfft(part)) ** 2
    main = power.argmax()
    aside = power.sum() - power[main - 20 : main + 21].sum()
    assert 10 * np.log10(aside / power.sum()) < -60


def test_it_knows_no_future() -> None:
    acoustics = RoomAcoustics(Room(size=SIZE, rt60=0.3))
    outputs = []
    for later in (1.0, 4.0):
        way = Received()
        for time, y in ((0.0, 3.0), (10 * BLOCK / SAMPLE_RATE, 3.5), (1.0, later)):
            way.add(time, Pose(np.array([4.0, y, 1.6]), np.eye(3)))
        noise = Samples(np.random.default_rng(0).standard_normal(SAMPLE_RATE))
        outputs.append(heard(field_of(acoustics, Source("a", noise, way, np.zeros(3), True)), 20))
    assert np.array_equal(outputs[0][: 10 * BLOCK], outputs[1][: 10 * BLOCK])
    assert not np.array_equal(outputs[0][10 * BLOCK :], outputs[1][10 * BLOCK :])
