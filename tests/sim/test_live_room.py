"""A room that is heard while it happens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hearing_sim.live import HallLoudspeaker, LiveRoom
from hearing_sim.motion import Waypoint
from hearing_sim.scene import ArrayPose, Background, Loudspeaker, Microphones, Robot, Room, Scene, Talker
from scipy.signal import oaconvolve

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

SCENE = Scene(
    "small", 2.0, Room(size=(5.0, 4.0, 2.6), rt60=0.2), ArrayPose("respeaker_4mic", position=(2.2, 1.9, 1.1)),
    Microphones(gain_spread_db=1.0), robot=Robot(loudspeaker=Loudspeaker(delay=0.02)),
    talkers=(Talker("anna", ("synthesis",), position=(3.4, 2.5, 1.6)),), seed=4,
)  # fmt: skip
BLOCK = 1024


@pytest.fixture(scope="module")
def room() -> LiveRoom:
    return LiveRoom(SCENE)


def hear(room: LiveRoom, playback: np.ndarray, block: int = BLOCK) -> np.ndarray:
    room.reset()
    blocks = [room.process(playback[at : at + block]) for at in range(0, len(playback), block)]
    assert [each.start_sample for each in blocks] == list(range(0, len(playback), block))
    return np.concatenate([each.samples for each in blocks])


def speech(seconds: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (0.1 * rng.standard_normal(round(seconds * SAMPLE_RATE))).astype(np.float32)


def test_blocks_of_any_size_sound_alike(room: LiveRoom) -> None:
    playback = np.concatenate([speech(), np.zeros(8 * BLOCK, np.float32)])[: 20 * BLOCK]
    np.testing.assert_allclose(hear(room, playback), hear(room, playback, 5 * BLOCK), atol=1e-6)


def test_what_is_played_is_heard_later_and_nothing_before(room: LiveRoom) -> None:
    silent = hear(room, np.zeros(20 * BLOCK, np.float32))
    playback = np.zeros(20 * BLOCK, np.float32)
    playback[4 * BLOCK : 5 * BLOCK] = speech()[:BLOCK]
    echo = hear(room, playback) - silent
    begin = 4 * BLOCK + round(0.02 * SAMPLE_RATE)
    assert not np.abs(echo[:begin]).max() > 1e-6
    assert np.abs(echo[begin : begin + BLOCK]).max() > 1e-3


def test_people_are_heard_from_when_they_begin(room: LiveRoom) -> None:
    silent = hear(room, np.zeros(30 * BLOCK, np.float32))
    room.reset()
    heard = []
    for number in range(30):
        if number == 10:
            room.say("anna", np.sin(np.arange(6000) / 5.0), "robot")
        heard.append(room.process(np.zeros(BLOCK, np.float32)).samples)
    voice = np.concatenate(heard) - silent
    assert np.abs(voice[: 10 * BLOCK]).max() < 1e-6
    assert np.sqrt(np.mean(voice[10 * BLOCK : 15 * BLOCK] ** 2)) > 1e-4
    assert np.abs(voice[-2 * BLOCK :]).max() < 1e-4


def test_a_hall_loudspeaker_repeats_it_later() -> None:
    both = LiveRoom(SCENE, (HallLoudspeaker((4.4, 3.2, 2.0), delay=0.3),))
    playback = np.zeros(20 * BLOCK, np.float32)
    playback[: BLOCK // 2] = speech()[: BLOCK // 2]
    own = LiveRoom(SCENE)
    later = hear(both, playback) - hear(own, playback)
    begin = round(0.3 * SAMPLE_RATE)
    assert np.abs(later[:begin]).max() < 1e-6
    assert np.abs(later[begin : begin + 2 * BLOCK]).max() > 1e-4


def test_its_noise_goes_on_without_a_seam() -> None:
    noisy = LiveRoom(replace(SCENE, robot=Robot(), backgrounds=(Background("hall", 60.0),)))
    heard = hear(noisy, np.zeros(50 * BLOCK, np.float32)).astype(np.float64)
    power = oaconvolve(np.square(heard[:, 0]), np.full(800, 1 / 800), mode="valid")
    assert power.min() > 0.05 * np.median(power)


def test_what_moves_is_refused() -> None:
    walker = Talker("ben", ("synthesis",), path=(Waypoint(0.0, (1.0, 1.0, 1.6)), Waypoint(2.0, (3.0, 1.0, 1.6))))
    with pytest.raises(InputError, match="nobody who moves"):
        LiveRoom(replace(SCENE, talkers=(walker,)))
