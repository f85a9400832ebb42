"""Reading the shards that `hearing simulate --random` writes."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from hearing.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A simulated mixture at 16 kHz.

    Attributes
    ----------
    key
        Its number in the data set.
    mixture
        The recording, of shape (n_samples, n_microphones).
    talkers, direct
        What the first microphone hears of each talker, with and without the room, of shape (n_samples, n_talkers).
    metadata
        `scene`, `segments`, `talkers`, `array`, `rt60`, `snr_db`, `gain`.
    """

    key: str
    mixture: NDArray[np.float32]
    talkers: NDArray[np.float32]
    direct: NDArray[np.float32]
    metadata: dict[str, Any]


def read_shard(path: Path) -> Iterator[Sample]:
    """Read the samples of a shard one after the other.

    Raises
    ------
    InputError
        If the file is missing, damaged, or no shard.
    """
    try:
        with tarfile.open(path) as shard:
            files: dict[str, bytes] = {}
            for entry in shard:
                key, _, part = entry.name.partition(".")
                content = shard.extractfile(entry)
                files[part] = content.read() if content is not None else b""
                if len(files) == 4:
                    audio = {name: _audio(files[f"{name}.flac"]) for name in ("mixture", "talkers", "direct")}
                    yield Sample(key, **audio, metadata=json.loads(files["json"]))
                    files = {}
    except (OSError, tarfile.TarError, soundfile.SoundFileError, KeyError, ValueError) as error:
        raise InputError(f"{path}: not a shard that can be read ({error}); make it anew") from error


def _audio(content: bytes) -> NDArray[np.float32]:
    samples: NDArray[np.float32] = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)[0]
    return samples
