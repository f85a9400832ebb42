"""Audio messages as streams of blocks at `SAMPLE_RATE`: this project's, and those of ros-drivers' audio_common_msgs.

What `audio_common_msgs` leaves out is made up for as `hearing.bags` does for recorded messages: samples are numbered by
stamps, or by the time of receipt where there are none, and the format is what `AudioInfo` says, whose one message a
node that starts later never gets, or else what the parameters say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import soxr
from hearing_msgs import msg
from rclpy.subscription import Subscription

from hearing.bags.formats import CODES, RECEIVED_TOLERANCE, AudioFormat, SampleNumbers, described
from hearing.continuity import STAMP_TOLERANCE, Continuity, Faults
from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, AudioBlock
from hearing_nodes import conversions, optional
from hearing_nodes.conversions import StreamClock
from hearing_nodes.node import AUDIO_QOS, StageNode

MESSAGES = ("AudioBlock", "AudioDataStamped", "AudioData")
_BITRATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_LOW_BITRATES = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What has come with a message.

    Attributes
    ----------
    clock
        By the message: its stamp, and the frame of the microphones.
    blocks
        What is to be heard now, on a clock that starts at 0 with the stream.
    restart
        The stream before has ended, and this is the beginning of another.
    tail
        What is still to be heard of the stream before, at its end.
    """

    clock: StreamClock
    blocks: tuple[AudioBlock, ...]
    restart: bool = False
    tail: tuple[AudioBlock, ...] = ()


class BlockIntake:
    """Takes `hearing_msgs/AudioBlock`.

    Parameters
    ----------
    channels
        Of the array.
    max_gap
        Longest gap in seconds that is filled with silence.
    faults
        Where faults are counted.
    """

    def __init__(self, channels: int, max_gap: float, faults: Faults) -> None:
        self._channels = channels
        self._continuity = Continuity(max_gap, faults)

    def reset(self) -> None:
        """Expect a new stream."""
        self._continuity.reset()

    def take(self, message: Any, received: int) -> Arrival:
        """Take a message; its own stamp tells when it was heard.

        Raises
        ------
        InputError
            If the message does not fit the array or is not consistent in itself.
        """
        clock = StreamClock(conversions.nanoseconds(message.header.stamp), message.header.frame_id)
        admission = self._continuity.admit(conversions.audio_block(message, self._channels), clock.origin)
        return Arrival(clock, admission.blocks, admission.restart)


class CommonIntake:
    """Takes `audio_common_msgs/AudioDataStamped`, or `AudioData`, which has no stamp.

    Parameters
    ----------
    form
        How samples are sent, unless an `AudioInfo` says something else.
    frame_id
        Frame of the microphones, for messages that do not say it.
    max_gap, faults
        As for `BlockIntake`.
    """

    def __init__(self, form: AudioFormat, frame_id: str, max_gap: float, faults: Faults) -> None:
        self._frame_id, self._max_gap, self._faults = frame_id, max_gap, faults
        self._channels = form.channels
        self._use(form)
        self._refusal: InputError | None = None

    def inform(self, info: Any) -> None:
        """Take an `audio_common_msgs/AudioInfo`; if it describes another format, another stream begins."""
        try:
            form = described(info, self._channels, "the audio")
        except InputError as error:
            self._refusal = error
            return
        self._refusal = None
        if form != self._form:
            tail = self._resampler.end()
            begun = self._begun
            self._use(form)
            self._restarted, self._tail = begun, tail

    def reset(self) -> None:
        """Expect a new stream."""
        self._use(self._form)

    def take(self, message: Any, received: int) -> Arrival:
        """Take a message.

        Parameters
        ----------
        message
            With or without a stamp.
        received
            ROS time at which it came, in nanoseconds.

        Raises
        ------
        InputError
            If it is compressed, or does not fit the format.
        """
        if self._refusal is not None:
            raise self._refusal
        stamped = hasattr(message, "header")
        data = bytes(message.audio.data if stamped else message.data)
        if is_mpeg(data):
            raise InputError("the audio is compressed (MP3), which directions do not survive; set format:=wave")
        samples = self._form.samples(data)
        stamp = conversions.nanoseconds(message.header.stamp) if stamped else received
        numbers = self._stamped if stamped else self._received
        admission = self._continuity.admit(AudioBlock(samples, numbers.number(stamp, len(samples))), stamp)
        restart, tail = self._restarted or admission.restart, self._tail
        if admission.restart:
            tail = self._resampler.end()
        self._begun, self._restarted, self._tail = True, False, ()
        clock = StreamClock(stamp, (message.header.frame_id if stamped else "") or self._frame_id)
        return Arrival(clock, self._resampler.add(admission.blocks), restart, tail)

    def _use(self, form: AudioFormat) -> None:
        self._form = form
        self._continuity = Continuity(self._max_gap, self._faults, form.sample_rate)
        self._stamped = SampleNumbers(form.sample_rate, STAMP_TOLERANCE)
        self._received = SampleNumbers(form.sample_rate, RECEIVED_TOLERANCE)
        self._resampler = Resampler(form)
        self._begun = self._restarted = False
        self._tail: tuple[AudioBlock, ...] = ()


class Resampler:
    """Brings the blocks of a stream to `SAMPLE_RATE`.

    Parameters
    ----------
    form
        How they are sampled.
    """

    def __init__(self, form: AudioFormat) -> None:
        self._form = form
        self._begin()

    def add(self, blocks: Iterable[AudioBlock]) -> tuple[AudioBlock, ...]:
        """Take blocks that follow on each other; return what is ready."""
        if self._stream is None:
            return tuple(blocks)
        return self._numbered([self._stream.resample_chunk(np.ascontiguousarray(block.samples)) for block in blocks])

    def end(self) -> tuple[AudioBlock, ...]:
        """Return what is left of the stream, and begin another."""
        if self._stream is None:
            return ()
        nothing = np.zeros((0, self._form.channels), np.float32)
        left = self._numbered([self._stream.resample_chunk(nothing, last=True)])
        self._begin()
        return left

    def _begin(self) -> None:
        self._start = 0
        self._stream = None
        if self._form.sample_rate != SAMPLE_RATE:
            rates = self._form.sample_rate, SAMPLE_RATE
            self._stream = soxr.ResampleStream(*rates, self._form.channels, dtype="float32")

    def _numbered(self, pieces: list[np.ndarray[Any, np.dtype[np.float32]]]) -> tuple[AudioBlock, ...]:
        blocks = []
        for samples in pieces:
            if len(samples):
                blocks.append(AudioBlock(samples, self._start))
                self._start += len(samples)
        return tuple(blocks)


def is_mpeg(data: bytes) -> bool:
    """Tell whether bytes are an MP3 frame, which ends where the next one begins or the bytes do.

    `audio_capture` sends MP3 unless it is told not to.
    """
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return False
    version, layer, bitrate, rate = data[1] >> 3 & 3, data[1] >> 1 & 3, data[2] >> 4, data[2] >> 2 & 3
    if version == 1 or layer != 1 or bitrate in (0, 15) or rate == 3:
        return False
    first = version == 3
    hertz = (44_100, 48_000, 32_000)[rate] // (1 if first else 2 if version == 2 else 4)
    kilobits = (_BITRATES if first else _LOW_BITRATES)[bitrate]
    length = (144_000 if first else 72_000) * kilobits // hertz + (data[2] >> 1 & 1)
    return len(data) == length or data[length : length + 2] == data[:2]


def declare(node: StageNode) -> None:
    """Declare the parameters of what comes from the microphones."""
    node.declare("messages", MESSAGES[0], "Type of the audio; the last two: audio_common_msgs", choices=MESSAGES)
    node.declare("sample_rate", SAMPLE_RATE, "Of audio_common_msgs without AudioInfo, in Hz", (8000, 192_000))
    node.declare("sample_format", "S16LE", "Of audio_common_msgs without AudioInfo", choices=tuple(CODES))
    node.declare("frame_id", "microphones", "Frame of the microphone array where the audio does not say it")


def check(node: StageNode) -> None:
    """Raise InputError if the messages that a node is to hear are not installed."""
    if node.value("messages") != "AudioBlock":
        optional.needed("audio_common_msgs", f"audio as {node.value('messages')}")


def listen(
    node: StageNode,
    channels: int,
    faults: Faults,
    put: Callable[[Callable[[Any], None], Any], None],
    hear: Callable[[Any], None],
) -> tuple[BlockIntake | CommonIntake, list[Subscription]]:
    """Subscribe to the microphones, as a node's parameters say.

    Parameters
    ----------
    node
        Hears.
    channels
        Of the array.
    faults
        Where faults are counted.
    put
        Has something used by the thread that hears.
    hear
        Gets every message of audio.

    Returns
    -------
    What takes the messages, and what is to be destroyed at the end.
    """
    kind, gap = node.value("messages"), node.value("max_gap")
    if kind == "AudioBlock":
        return BlockIntake(channels, gap, faults), [node.create_subscription(msg.AudioBlock, "audio", hear, AUDIO_QOS)]
    messages = optional.needed("audio_common_msgs", f"audio as {kind}")
    form = AudioFormat(channels, node.value("sample_rate"), CODES[node.value("sample_format")])
    taker = CommonIntake(form, node.value("frame_id"), gap, faults)
    topic = "audio_stamped" if kind == "AudioDataStamped" else "audio"
    return taker, [
        # audio_capture does not latch it: who asks for that is given nothing at all.
        node.create_subscription(messages.AudioInfo, "audio_info", partial(put, taker.inform), 1),
        node.create_subscription(getattr(messages, kind), topic, hear, AUDIO_QOS),
    ]
