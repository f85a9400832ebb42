import numpy as np
import pytest
from hearing_sim import Machine
from hearing_sim.machines import machine_signal

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

N = 4 * SAMPLE_RATE
# Tone of each model that a listener recognises it by: order of the shaft speed.
SIGNATURES = {"motor": 17, "fan": 7, "compressor": 1}


def sound(seed=0, **keys):
    return machine_signal(Machine("m", position=(1.0, 1.0, 1.0), **keys), N, np.random.default_rng(seed))


@pytest.mark.parametrize("kind", SIGNATURES)
def test_order_line_follows_the_shaft_speed(kind):
    for speed in (900.0, 1500.0):
        spectrum = np.abs(np.fft.rfft(sound(kind=kind, speed_rpm=speed) * np.hanning(N)))
        line = SIGNATURES[kind] * speed / 60 * N / SAMPLE_RATE
        near = spectrum[int(0.97 * line) : int(1.03 * line) + 1].max()
        around = np.median(spectrum[int(0.8 * line) : int(1.2 * line)])
        assert near > 6 * around


@pytest.mark.parametrize("kind", SIGNATURES)
def test_level_is_one_and_the_seed_decides(kind):
    signal = sound(kind=kind)
    assert np.mean(signal**2) == pytest.approx(1)
    np.testing.assert_array_equal(signal, sound(kind=kind))
    assert not np.array_equal(signal, sound(kind=kind, seed=1))


def test_recording_is_repeated_until_the_end(kit):
    signal = sound(kind="recording", recording="hum")
    assert len(signal) == N
    assert np.mean(signal[N // 2 :] ** 2) == pytest.approx(1, rel=0.2)


def test_missing_recording(kit):
    with pytest.raises(InputError, match="no noise recording 'hmm'"):
        sound(kind="recording", recording="hmm")


def test_recording_without_the_kit(no_kit):
    with pytest.raises(InputError, match="no noise recording 'hum'"):
        sound(kind="recording", recording="hum")
