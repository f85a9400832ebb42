import numpy as np
import pytest
from hearing_sim import Background, Machine
from hearing_sim.checks import BACKGROUND_KINDS, MACHINE_KINDS
from hearing_sim.machines import KINDS, background_signals, machine_signal
from hearing_sim.machines.signals import BEEP_HZ
from scipy.signal import butter, find_peaks, sosfilt
from scipy.stats import kurtosis

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

PARAMETRIC = [kind for kind in KINDS if kind != "recording"]


def machine(kind, **options):
    return Machine("it", kind, (1.0, 1.0, 1.0), **options)


def sound(kind, seconds=10.0, seed=0, start=0.0, **options):
    return machine_signal(machine(kind, **options), start, round(seconds * SAMPLE_RATE), np.random.default_rng(seed))


def spectrum(signal):
    """Power in dB per bin of 0.5 Hz or less."""
    return 10 * np.log10(np.abs(np.fft.rfft(signal * np.hanning(len(signal)), 1 << 18)) ** 2 + 1e-9)


def stands_out(signal, frequency):
    """By how many dB a line within 1 % of a frequency rises above its neighbourhood."""
    power, step = spectrum(signal), SAMPLE_RATE / (1 << 18)
    near = power[round(0.99 * frequency / step) : round(1.01 * frequency / step) + 1]
    around = power[round(0.9 * frequency / step) : round(1.1 * frequency / step)]
    return near.max() - np.median(around)


def envelope(signal, rate=100):
    return np.sqrt(
        np.mean(
            signal[: len(signal) // (SAMPLE_RATE // rate) * (SAMPLE_RATE // rate)].reshape(-1, SAMPLE_RATE // rate)
            ** 2,
            axis=1,
        )
    )


def test_every_kind_that_a_scene_may_name_has_a_model():
    assert tuple(KINDS) == MACHINE_KINDS


@pytest.mark.parametrize("kind", PARAMETRIC)
def test_unit_level_reproducible_and_different_for_another_seed(no_kit, kind):
    first = sound(kind)
    assert np.mean(first**2) == pytest.approx(1.0)
    np.testing.assert_array_equal(first, sound(kind))
    assert not np.array_equal(first, sound(kind, seed=1))


@pytest.mark.parametrize("kind", PARAMETRIC)
def test_silent_when_it_does_not_run(no_kit, kind):
    signal = sound(kind, on=((2.0, 5.0), (7.0, 9.0)))
    times = np.arange(len(signal)) / SAMPLE_RATE
    on = ((times > 2) & (times < 5)) | ((times > 7) & (times < 9))
    assert not signal[~on].any()
    assert np.mean(signal[on] ** 2) == pytest.approx(1.0, rel=0.01)
    assert np.abs(signal[on][:40]).max() < 0.5, "it does not start with a click"


@pytest.mark.parametrize(("kind", "order"), [("motor", 17), ("fan", 7), ("compressor", 3), ("cnc", 4), ("grinder", 1)])
@pytest.mark.parametrize("rpm", [1500.0, 2100.0])
def test_order_lines_are_at_multiples_of_the_shaft_speed(kind, order, rpm):
    assert stands_out(sound(kind, speed_rpm=rpm), order * rpm / 60) > 10


def test_order_lines_follow_the_speed_profile():
    signal = sound("motor", 12.0, speed_rpm=1500.0, speed_profile=((0.0, 0.5), (5.0, 0.5), (7.0, 1.0), (12.0, 1.0)))
    slow, fast = signal[: 5 * SAMPLE_RATE], signal[7 * SAMPLE_RATE :]
    assert stands_out(slow, 17 * 12.5) > 10
    assert stands_out(fast, 17 * 25.0) > 10


def test_press_strikes_at_its_stroke_rate():
    level = envelope(sound("press", 20.0, speed_rpm=30.0))
    peaks, _ = find_peaks(level, height=0.5 * level.max(), distance=50)
    assert np.median(np.diff(peaks)) / 100 == pytest.approx(2.0, rel=0.03)


def test_reverse_beeper_beeps_half_of_each_second():
    signal = sound("forklift", 40.0)
    assert stands_out(signal, BEEP_HZ) > 15
    sos = butter(2, (BEEP_HZ - 60, BEEP_HZ + 60), "bandpass", fs=SAMPLE_RATE, output="sos")
    beeps = envelope(sosfilt(sos, signal), 20)
    loud = beeps > 0.5 * np.quantile(beeps, 0.98)
    starts = np.flatnonzero(np.diff(loud.astype(int)) == 1) / 20
    gaps = np.diff(starts)
    assert np.median(gaps[gaps < 2]) == pytest.approx(1.0, abs=0.1)


def test_welder_crackles_and_a_fan_does_not():
    assert kurtosis(sound("welder")) > 10
    assert kurtosis(sound("fan")) < 1


def test_air_comes_in_bursts():
    level = envelope(sound("air_burst", 20.0))
    assert np.quantile(level, 0.95) > 20 * np.quantile(level, 0.2)


def test_alarms_are_tonal():
    power = spectrum(sound("alarm"))
    assert power.max() - np.median(power) > 40


def test_announcement_says_its_text(no_kit):
    other, same = sound("announcement", text="Gate five."), sound("announcement", text="Hall two is closed.")
    assert not np.array_equal(other, same)


def test_radio_goes_on_without_the_kit(no_kit):
    level = envelope(sound("radio", 20.0), 2)
    assert np.mean(level > 0.03) > 0.9


@pytest.mark.parametrize("kind", [kind for kind in BACKGROUND_KINDS if kind != "recording"])
def test_backgrounds_are_independent_signals_of_unit_level(no_kit, kind):
    signals = background_signals(Background(kind), 3, 20 * SAMPLE_RATE, np.random.default_rng(0))
    assert signals.shape == (20 * SAMPLE_RATE, 3)
    np.testing.assert_allclose(np.mean(signals**2, axis=0), 1.0)
    correlation = np.corrcoef(signals.T)
    assert np.abs(correlation[~np.eye(3, dtype=bool)]).max() < 0.15


def test_recordings_repeat_without_a_seam(kit):
    looped = sound("recording", 7.0, recording="hum")
    assert looped.shape == (7 * SAMPLE_RATE,)
    assert np.mean(looped**2) == pytest.approx(1.0)
    many = background_signals(Background("recording", recording="hum"), 2, SAMPLE_RATE, np.random.default_rng(0))
    assert many.shape == (SAMPLE_RATE, 2)


def test_missing_recording(kit):
    with pytest.raises(InputError, match="machine it: no noise recording 'buzz'"):
        sound("recording", recording="buzz")
    with pytest.raises(InputError, match="a background: no noise recording 'buzz'"):
        background_signals(Background("recording", recording="buzz"), 2, 100, np.random.default_rng(0))
