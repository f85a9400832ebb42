"""Live microphones, with a stand-in for PortAudio: this machine may have neither."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import islice
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest

from hearing.arrays import load_array
from hearing.errors import InputError
from hearing.microphones import live_blocks

ARRAY = load_array("respeaker_6mic")


class PortAudioError(Exception):
    """As in sounddevice."""


class ThreeBlocks:
    """A sound card that has recorded three blocks before anybody looks, and dropped 100 samples before the third."""

    def __init__(self, channels: int, blocksize: int, callback: Callable[..., None], device: object, **_: object):
        if device == "broken":
            raise PortAudioError("Invalid number of channels")
        for number in range(3):
            dropped = number == 2
            time = SimpleNamespace(inputBufferAdcTime=7.0 + (number * blocksize + 100 * dropped) / 16_000)
            samples = np.full((blocksize, channels), number, np.float32)
            callback(samples, blocksize, time, SimpleNamespace(input_overflow=dropped))

    def __enter__(self) -> ThreeBlocks:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def sound_card(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(InputStream=ThreeBlocks, PortAudioError=PortAudioError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)


@pytest.mark.usefixtures("sound_card")
def test_blocks_are_numbered_and_dropped_samples_leave_a_gap() -> None:
    blocks = list(islice(live_blocks("", ARRAY, Event()), 3))
    assert [block.start_sample for block in blocks] == [0, 512, 1124]
    assert [block.samples[0, 0] for block in blocks] == [0, 1, 2]
    assert blocks[0].samples.shape == (512, 6)


@pytest.mark.usefixtures("sound_card")
def test_a_device_that_cannot_record_the_array_is_named() -> None:
    with pytest.raises(InputError, match=r"broken: Invalid number of channels; respeaker_6mic needs 6 channels"):
        next(live_blocks("broken", ARRAY, Event()))


def test_without_portaudio_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(InputError, match="apt install libportaudio2"):
        next(live_blocks("", ARRAY, Event()))


class Unplugged(ThreeBlocks):
    """A sound card that falls silent after three blocks, is away once, and is back then."""

    opened = 0

    def __init__(self, channels: int, blocksize: int, callback: Callable[..., None], device: object, **_: object):
        type(self).opened += 1
        if type(self).opened == 2:
            raise PortAudioError("Device unavailable")
        super().__init__(channels, blocksize, callback, device)


def test_a_device_that_was_unplugged_is_heard_again_after_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(InputStream=Unplugged, PortAudioError=PortAudioError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    monkeypatch.setattr("hearing.microphones.LOST", 0.3)
    monkeypatch.setattr("hearing.microphones.AGAIN", 0.1)
    notices: list[str] = []
    blocks = list(islice(live_blocks("", ARRAY, Event(), notices.append), 6))
    assert [block.start_sample for block in blocks[:3]] == [0, 512, 1124]
    assert blocks[3].start_sample >= round(0.4 * 16_000)
    assert [block.start_sample - blocks[3].start_sample for block in blocks[3:]] == [0, 512, 1124]
    assert len(notices) == 2
    assert "gives no sound any more" in notices[0]
    assert "is back" in notices[1]
