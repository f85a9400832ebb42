"""The front end as a whole on real voices, as plane waves without a room."""

from __future__ import annotations

import dataclasses
import gc
import sys

import numpy as np
import pytest
from hearing_datasets import packaged_clips, read_clip
from plane_waves import microphone_noise, plane_wave

from hearing.arrays import load_array
from hearing.front_end import FrontEnd, FrontEndConfig, FrontEndOutput
from hearing.pipeline import STEP
from hearing.types import SAMPLE_RATE, ArrayMotion, Direction, Float32Array

ARRAY = load_array("respeaker_6mic")
TALKER, MACHINE, LOUDSPEAKER = (
    Direction(np.deg2rad(70.0), 0.1),
    Direction(np.deg2rad(-60.0)),
    Direction(np.deg2rad(180.0)),
)
SWITCHES = [field.name for field in dataclasses.fields(FrontEndConfig) if field.type == "bool"]


@pytest.fixture(scope="module")
def voice() -> Float32Array:
    clip = next(read_clip(clip) for clip in packaged_clips() if clip.start == 23.60)
    return np.concatenate([np.zeros(8000), clip, np.zeros(8000)]).astype(np.float32)


@pytest.fixture(scope="module")
def scene(voice: Float32Array) -> Float32Array:
    """A sentence and a hum 10 dB below it."""
    hum = 0.3 * np.std(voice) * np.random.default_rng(0).standard_normal(len(voice))
    heard = plane_wave(ARRAY, TALKER, voice.astype(np.float64)) + plane_wave(ARRAY, MACHINE, hum)
    return heard + microphone_noise(heard.shape, 1e-3, 0)


def hear(
    front_end: FrontEnd, samples: Float32Array, playback: Float32Array | None = None, turn_rate: float | None = None
) -> list[FrontEndOutput]:
    outputs = []
    for i in range(0, len(samples) - STEP + 1, STEP):
        now = (i + STEP) / SAMPLE_RATE
        motion = None if turn_rate is None else ArrayMotion(now, np.zeros(3), turn_rate * now, None)
        played = None if playback is None else playback[i : i + STEP]
        outputs.append(front_end.process(samples[i : i + STEP], played, motion))
    return outputs


def confirmed(outputs: list[FrontEndOutput]) -> list[Direction]:
    return [track.direction for output in outputs for track in output.tracks if not track.tentative]


def test_the_talker_is_found_and_the_machine_is_not_taken_for_one(scene: Float32Array):
    outputs = hear(FrontEnd(ARRAY), scene)
    found = confirmed(outputs)
    assert len(found) > 20
    assert np.median([abs(direction.azimuth - TALKER.azimuth) for direction in found]) < np.deg2rad(3)
    (machine,) = outputs[-1].machines
    assert machine.kind == "noise"
    assert abs(machine.direction.azimuth - MACHINE.azimuth) < np.deg2rad(4)


def test_what_comes_later_changes_nothing_before(scene: Float32Array, voice: Float32Array):
    half = len(scene) // 2 // STEP * STEP
    changed, played = scene.copy(), 0.1 * voice[:, None]
    changed[half:] = 0.3 * np.random.default_rng(1).standard_normal(changed[half:].shape)
    other = played.copy()
    other[half:] = 0
    first = hear(FrontEnd(ARRAY), scene, played, turn_rate=0.1)[: half // STEP]
    second = hear(FrontEnd(ARRAY), changed, other, turn_rate=0.1)[: half // STEP]
    for one, two in zip(first, second, strict=True):
        assert one.tracks == two.tracks
        assert one.machines == two.machines
        for mine, yours in zip(one.sources, two.sources, strict=True):
            np.testing.assert_array_equal(mine.samples, yours.samples)
            np.testing.assert_array_equal(mine.enhanced, yours.enhanced)


def test_a_dead_microphone_is_reported_and_does_not_hurt(scene: Float32Array):
    broken = np.concatenate([scene, scene])
    broken[:, 2] = 0
    outputs = hear(FrontEnd(ARRAY), broken)
    (fault,) = outputs[-1].faults
    assert (fault.channel, fault.kind) == (2, "dead")
    late = confirmed(outputs[len(outputs) // 2 :])
    assert np.median([abs(direction.azimuth - TALKER.azimuth) for direction in late]) < np.deg2rad(4)
    assert all(np.isfinite(source.samples).all() for output in outputs for source in output.sources)


def test_the_robots_own_voice_is_a_robot_and_no_talker(voice: Float32Array):
    speech = np.concatenate([voice, voice])
    echo = plane_wave(ARRAY, LOUDSPEAKER, np.roll(speech, 640).astype(np.float64))
    outputs = hear(FrontEnd(ARRAY), echo + microphone_noise(echo.shape, 3e-4, 0), speech[:, None])
    late = outputs[len(outputs) // 2 :]
    assert not confirmed(late)
    robots = [track for output in late for track in output.machines if track.kind == "robot"]
    assert robots
    assert abs(abs(robots[-1].direction.azimuth) - np.pi) < np.deg2rad(5)


@pytest.mark.parametrize("switch", SWITCHES)
def test_every_stage_can_be_left_out(scene: Float32Array, voice: Float32Array, switch: str):
    front_end = FrontEnd(ARRAY, dataclasses.replace(FrontEndConfig(), **{switch: False}))
    outputs = hear(front_end, scene[: 40 * STEP], voice[: 40 * STEP, None])
    assert all(np.isfinite(source.samples).all() for output in outputs for source in output.sources)


def test_a_reset_starts_anew(scene: Float32Array):
    front_end = FrontEnd(ARRAY)
    first = hear(front_end, scene[: 50 * STEP])
    front_end.reset()
    assert [output.tracks for output in hear(front_end, scene[: 50 * STEP])] == [output.tracks for output in first]


def test_memory_does_not_grow(voice: Float32Array):
    """Half a minute is what is remembered at most; after a minute it is no more than after that."""
    talk = np.tile(plane_wave(ARRAY, TALKER, voice.astype(np.float64)), (20, 1)) + 1e-3
    front_end = FrontEnd(ARRAY, FrontEndConfig(dereverberation=False, channel_check=False))
    steps = 36 * SAMPLE_RATE // STEP * STEP
    hear(front_end, talk[:steps])
    before = held_bytes(front_end)
    hear(front_end, talk[steps : 2 * steps])
    assert held_bytes(front_end) < 1.1 * before


def held_bytes(root: object) -> int:
    """Bytes of all arrays that can be reached from an object without passing through classes and modules."""
    seen, pending, total = {id(root)}, [root], 0
    while pending:
        thing = pending.pop()
        if isinstance(thing, np.ndarray):
            total += sys.getsizeof(thing) if thing.base is None else thing.nbytes
        for child in gc.get_referents(thing):
            if id(child) not in seen and not isinstance(child, type) and not hasattr(child, "__spec__"):
                seen.add(id(child))
                pending.append(child)
    return total
