"""Folders of sounds that take hours to make: files are listed as they are completed, so that work can go on.

A line of `manifest.jsonl` is a dataclass whose `audio` is the file, relative to the folder.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import soundfile
from numpy.typing import NDArray

from hearing.types import SAMPLE_RATE

_FILE = "manifest.jsonl"


class Listed(Protocol):
    """What a line of a manifest says; a dataclass."""

    @property
    def audio(self) -> str:
        """The file, relative to the manifest."""


Entry = TypeVar("Entry", bound=Listed)


def listed(folder: Path, kind: type[Entry]) -> list[Entry]:
    """List the files that are complete."""
    path = folder / _FILE
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
    return [kind(**json.loads(line)) for line in lines if line.endswith("\n")]


def resume(folder: Path, kind: type[Entry]) -> dict[str, Entry]:
    """Make a folder if need be, cut off a line that was being written when a run was killed, and list its files."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _FILE
    if path.is_file():
        content = path.read_bytes()
        path.write_bytes(content[: content.rfind(b"\n") + 1])
    return {entry.audio: entry for entry in listed(folder, kind)}


def add(folder: Path, entry: Listed, samples: NDArray[np.float32]) -> None:
    """Write samples at 16 kHz as FLAC, of 16 bits and one channel, and list the file."""
    path = folder / entry.audio
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_suffix(".part")
    soundfile.write(temporary, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    temporary.rename(path)
    with (folder / _FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(entry)) + "\n")
