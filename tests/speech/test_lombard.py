from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hearing.errors import InputError
from hearing.speech import LombardFilter, LombardStyle, Synthesizer
from hearing.speech.timing import loud_frames
from hearing.types import SAMPLE_RATE, Float32Array

NOISES = (30, 45, 55, 65, 75, 85, 95)


def shaped(samples: Float32Array, style: LombardStyle) -> Float32Array:
    filtering = LombardFilter()
    filtering.set_style(style)
    filtering.reset()
    return filtering.process(samples)


def active_level(samples: Float32Array) -> float:
    power, loud = loud_frames(samples)
    return 10 * float(np.log10(power[loud].mean()))


@settings(deadline=None)
@given(st.floats(0, 120), st.floats(0, 120), st.floats(0.05, 30), st.floats(0.05, 30))
def test_style_only_ever_rises_with_noise_and_distance(noise: float, more: float, near: float, far: float) -> None:
    calm = LombardStyle.from_noise(min(noise, more), min(near, far))
    loud = LombardStyle.from_noise(max(noise, more), max(near, far))
    assert calm.level_db <= loud.level_db
    assert calm.tilt_db <= loud.tilt_db
    assert calm.pitch <= loud.pitch
    assert calm.rate >= loud.rate
    assert 50 <= calm.level_db <= loud.level_db <= 84


def test_quiet_rooms_change_nothing_and_close_listeners_are_spared() -> None:
    assert LombardStyle.from_noise(35, 1) == LombardStyle()
    assert LombardStyle.from_noise(35, 0.5).level_db == pytest.approx(54, abs=0.1)


@pytest.mark.parametrize(("noise", "distance"), [(float("nan"), 1), (float("inf"), 1), (60, 0), (60, float("nan"))])
def test_impossible_rooms_are_refused(noise: float, distance: float) -> None:
    with pytest.raises(InputError, match="give"):
        LombardStyle.from_noise(noise, distance)


def test_speech_grows_louder_and_brighter_with_noise(voice: Synthesizer) -> None:
    speech = voice.speak("Please step back, the forklift is coming.", LombardStyle()).samples
    loud = [shaped(speech, LombardStyle.from_noise(noise, 1)) for noise in NOISES]
    levels, above = zip(*((active_level(samples), brightness(samples)) for samples in loud), strict=True)
    assert all(a <= b for a, b in pairwise(levels))
    assert all(a <= b + 0.05 for a, b in pairwise(above))
    assert levels[-1] - levels[0] > 15
    assert above[-1] - above[0] > 3


def test_level_is_kept_while_the_loudspeaker_reaches_it(voice: Synthesizer) -> None:
    speech = voice.speak("Please step back, the forklift is coming.", LombardStyle()).samples
    for noise in NOISES[:4]:
        style = LombardStyle.from_noise(noise, 1)
        assert active_level(shaped(speech, style)) == pytest.approx(-26 + style.level_db - 70, abs=1)


def brightness(samples: Float32Array) -> float:
    """Level above 1 kHz in comparison with the whole, in dB."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    return 10 * float(np.log10(power[len(samples) * 1000 // SAMPLE_RATE :].sum() / power.sum()))


@settings(deadline=None)
@given(
    hnp.arrays(np.float32, st.integers(0, 400), elements=st.floats(-4, 4, width=32)),
    st.floats(50, 84),
    st.floats(0, 12),
)
def test_nothing_ever_clips(samples: Float32Array, level_db: float, tilt_db: float) -> None:
    filtering = LombardFilter(loudspeaker_db=50)
    filtering.set_style(LombardStyle(level_db, tilt_db))
    filtering.reset()
    for block in np.array_split(samples, 3):
        output = filtering.process(block)
        assert output.shape == block.shape
        assert np.all(np.abs(output) <= LombardFilter.CEILING + 1e-6)


def test_blocks_change_nothing_and_nothing_is_late() -> None:
    rng = np.random.default_rng(0)
    samples = rng.uniform(-1, 1, 8000).astype(np.float32)
    outputs = []
    for size in (8000, 160, 333):
        filtering = LombardFilter()
        filtering.set_style(LombardStyle.from_noise(90, 1))  # glides while it plays
        outputs.append(np.concatenate([filtering.process(samples[at : at + size]) for at in range(0, 8000, size)]))
    np.testing.assert_allclose(outputs[1], outputs[0], atol=2e-6)
    np.testing.assert_allclose(outputs[2], outputs[0], atol=2e-6)
    assert outputs[0][0] != 0


def test_a_new_style_glides() -> None:
    tone = np.sin(2 * np.pi * 300 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32) / 20
    filtering = LombardFilter()
    before = filtering.process(tone)
    filtering.set_style(LombardStyle.from_noise(85, 1))
    after = filtering.process(tone)
    steady = np.abs(np.diff(before[4000:])).max()
    assert np.abs(after[0] - before[-1]) < 1.5 * steady
    assert np.abs(np.diff(after)).max() < 20 * steady
    assert np.abs(after[-1000:]).max() > 3 * np.abs(after[:1000]).max()
