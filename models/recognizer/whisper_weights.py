"""Whisper's published weights, read from a CTranslate2 file: a flat list of named arrays."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearing.errors import InputError

_DTYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
_VERSION = 6


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read all arrays of a CTranslate2 model.

    Parameters
    ----------
    path
        The file `model.bin`, float16 or float32.

    Returns
    -------
    Float32 arrays by name, such as `encoder/layer_0/ffn/linear_0/weight` of shape (n_out, n_in).

    Raises
    ------
    InputError
        If the file is no such model.
    """
    data = path.read_bytes()
    try:
        return _parse(data)
    except (struct.error, KeyError, ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a CTranslate2 model of version {_VERSION} ({error}); fetch it again") from error


def _parse(data: bytes) -> dict[str, NDArray[np.float32]]:
    position = 0

    def take(layout: str) -> int:
        nonlocal position
        (value,) = struct.unpack_from(layout, data, position)
        position += struct.calcsize(layout)
        return int(value)

    def text() -> str:
        nonlocal position
        length = take("<H")
        position += length
        return data[position - length : position].rstrip(b"\0").decode()

    if (version := take("<I")) != _VERSION:
        raise ValueError(f"version {version}")
    text()
    take("<I")
    arrays = {}
    for _ in range(take("<I")):
        name = text()
        shape = [take("<I") for _ in range(take("<B"))]
        dtype = np.dtype(_DTYPES[take("<B")])
        size = take("<I")
        values = np.frombuffer(data, dtype, size // dtype.itemsize, position).reshape(shape)
        position += size
        arrays[name] = values.astype(np.float32)
    return arrays
