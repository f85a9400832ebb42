"""Audio messages as blocks on a sample clock: this project's `AudioBlock`, and ros-drivers' `audio_common_msgs`.

`AudioBlock` numbers its samples. `AudioDataStamped` has a stamp that jitters, and `AudioData` not even that: what is
lost of them is found where stamps, or times of recording, leave the sample clock. Their format is in an `AudioInfo`
that is sent once, so that a recorder which starts later never sees it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hearing.bags.formats import RECEIVED_TOLERANCE, AudioFormat, Heard, SampleNumbers, described, nanoseconds
from hearing.bags.messages import AUDIO_BLOCK, AUDIO_INFO, AUDIO_STAMPED
from hearing.bags.reading import Bag, Entry
from hearing.continuity import STAMP_TOLERANCE
from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, AudioBlock

RATES = (8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)


class AudioReader:
    """Reads the messages of one topic.

    Parameters
    ----------
    kind
        Their type.
    form
        How samples are sent; `AudioBlock` must be sent so.
    """

    def __init__(self, kind: str, form: AudioFormat) -> None:
        self.kind, self.form = kind, form
        tolerance = STAMP_TOLERANCE if kind == AUDIO_STAMPED else RECEIVED_TOLERANCE
        self._numbers = SampleNumbers(form.sample_rate, tolerance)

    def read(self, entry: Entry) -> Heard:
        """Convert a message.

        Raises
        ------
        InputError
            If it does not fit the format.
        """
        message = entry.message
        if self.kind == AUDIO_BLOCK:
            return self._block(message)
        stamped = self.kind == AUDIO_STAMPED
        samples = self.form.samples(message.audio.data if stamped else message.data)
        stamp = nanoseconds(message.header.stamp) if stamped else entry.time
        start = self._numbers.number(stamp, len(samples))
        return Heard(AudioBlock(samples, start), stamp, message.header.frame_id if stamped else "")

    def _block(self, message: Any) -> Heard:
        if message.sample_rate != self.form.sample_rate:
            raise InputError(f"audio of {message.sample_rate} Hz: publish it at {self.form.sample_rate} Hz")
        if message.channels != self.form.channels:
            raise InputError(
                f"audio of {message.channels} channels, the array has {self.form.channels}; give another --array"
            )
        samples = self.form.samples(message.data.astype("<i2").tobytes())
        block = AudioBlock(samples, int(message.start_sample))
        return Heard(block, nanoseconds(message.header.stamp), message.header.frame_id)


def audio_format(bag: Bag, topic: str, channels: int | None) -> AudioFormat:
    """Find out how a topic's samples are sent.

    Parameters
    ----------
    topic
        Of audio.
    channels
        Of the array; None if any number will do, for a loudspeaker.

    Raises
    ------
    InputError
        If they are compressed, or it cannot be found out.
    """
    if bag.type_of(topic) == AUDIO_BLOCK:
        return AudioFormat(channels or int(next(bag.read([topic])).message.channels))
    info = _info(bag, topic)
    if info is None:
        return AudioFormat(channels or 1, _guessed_rate(bag, topic, channels or 1))
    return described(info, channels, f"{bag.path}: {topic}")


def _info(bag: Bag, topic: str) -> Any | None:
    """Return what is said of a topic's format: beside it, or in the bag if that holds one format only."""
    infos = bag.topics(AUDIO_INFO)
    beside = [info for info in infos if info.rpartition("/")[0] == topic.rpartition("/")[0]]
    chosen = beside[:1] or (infos if len(infos) == 1 else [])
    return bag.last(chosen[0]) if chosen else None


def _guessed_rate(bag: Bag, topic: str, channels: int) -> int:
    """Take the usual rate that is nearest to how many samples of 16 bits were recorded in a second."""
    size = 0
    times = []
    for entry in bag.read([topic]):
        size += len(entry.message.data if hasattr(entry.message, "data") else entry.message.audio.data)
        times.append(entry.time)
    seconds = (times[-1] - times[0]) / 1e9 * len(times) / max(len(times) - 1, 1)  # the last message lasts as well
    heard = size / 2 / channels / seconds if seconds else float(SAMPLE_RATE)
    rate = min(RATES, key=lambda usual: abs(np.log(usual / heard)))
    if not 0.8 < rate / heard < 1.25:
        raise InputError(
            f"{bag.path}: {topic} has no AudioInfo, and {heard:.0f} samples of {channels} channels a second are no "
            "usual rate; record audio_info, with audio_capture's format:=wave, or give another --array"
        )
    return rate
