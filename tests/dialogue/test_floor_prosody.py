import numpy as np
import pytest

from hearing.dialogue.prosody import SILENCE, ProsodyTracker
from hearing.errors import InputError
from hearing.types import SAMPLE_RATE


def tone(pitches, seconds=0.1):
    frequency = np.repeat(np.asarray(pitches, float), round(seconds * SAMPLE_RATE))
    phase = 2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE
    return (0.1 * sum(np.sin(k * phase) / k for k in range(1, 8))).astype(np.float32)


def padded(samples):
    samples = np.pad(samples, (0, -len(samples) % 256))
    return samples, np.ones(len(samples) // 256, np.float32)


def test_the_blocks_do_not_matter():
    samples, talking = padded(tone(np.linspace(100, 150, 20)))
    whole = ProsodyTracker().process(samples, talking)
    tracker = ProsodyTracker()
    parts = [
        tick
        for at in range(0, len(talking), 4)
        for tick in tracker.process(samples[at * 256 : (at + 4) * 256], talking[at : at + 4])
    ]
    assert parts == whole
    assert len(whole) == len(samples) // 1600


def test_what_comes_later_changes_nothing():
    samples, talking = padded(tone([120] * 10))
    changed = samples.copy()
    changed[8000:] = 0.5
    assert ProsodyTracker().process(changed, talking)[:4] == ProsodyTracker().process(samples, talking)[:4]


def test_a_rising_voice_rises():
    ticks = ProsodyTracker().process(*padded(tone([120] * 10 + [130, 145, 160, 180])))
    assert all(tick.voiced > 0.9 for tick in ticks[1:])
    assert abs(ticks[8].pitch) < 0.1
    assert ticks[13].pitch > ticks[11].pitch > 0.1


def test_a_hum_has_less_high_frequencies_than_a_hiss():
    hiss = np.random.default_rng(0).normal(0, 0.1, 4096).astype(np.float32)
    hum = tone([120] * 3)[:4096]
    ones = np.ones(16, np.float32)
    heard = [ProsodyTracker().process(sound, ones)[1] for sound in (hum, hiss)]
    assert heard[0].tilt < heard[1].tilt
    assert heard[1].voiced < 0.3


def test_who_does_not_talk_has_no_prosody():
    samples, talking = padded(tone([120] * 4))
    assert set(ProsodyTracker().process(samples, 0 * talking)) == {SILENCE}


def test_it_needs_a_probability_for_every_hop():
    with pytest.raises(InputError, match="give one for every 256"):
        ProsodyTracker().process(np.zeros(1024, np.float32), np.zeros(3, np.float32))
