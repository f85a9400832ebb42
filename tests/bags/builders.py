"""Messages and sound for bags."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearing.bags import messages
from hearing.bags.messages import typestore

_SCALES = {"S16LE": ("<i2", 32_768), "S32LE": ("<i4", 2_147_483_648), "F32LE": ("<f4", 1)}


def sound(samples: int, channels: int, seed: int = 1) -> NDArray[np.float32]:
    """Noise that 16 bits hold exactly."""
    noise = np.random.default_rng(seed).normal(0, 3000, (samples, channels))
    return (np.rint(noise).clip(-32_768, 32_767) / 32_768).astype(np.float32)


def header(stamp: int, frame: str = "mic_array_link") -> Any:
    types = typestore().types
    time = types["builtin_interfaces/msg/Time"](sec=stamp // 10**9, nanosec=stamp % 10**9)
    return types["std_msgs/msg/Header"](stamp=time, frame_id=frame)


def audio_block(samples: NDArray[np.float32], start: int, origin: int, last: bool) -> Any:
    return typestore().types[messages.AUDIO_BLOCK](
        header=header(origin + round(start * 1e9 / 16_000)), start_sample=start, sample_rate=16_000,
        channels=samples.shape[1], end_of_stream=last, data=(samples * 32_768).astype(np.int16).ravel(),
    )  # fmt: skip


def audio_stamped(samples: NDArray[np.float32], stamp: int, form: str) -> Any:
    code, scale = _SCALES[form]
    data = np.frombuffer((samples * scale).astype(code).tobytes(), np.uint8)
    types = typestore().types
    return types[messages.AUDIO_STAMPED](header=header(stamp), audio=types[messages.AUDIO_DATA](data=data))


def audio_info(channels: int, rate: int, form: str, coding: str) -> Any:
    return typestore().types[messages.AUDIO_INFO](
        channels=channels, sample_rate=rate, sample_format=form, bitrate=0, coding_format=coding
    )
