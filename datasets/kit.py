"""Recorded clips of the data kit: folders of audio files with a `manifest.jsonl` each.

The kit is found through the environment variable HEARING_DATA; by default it is the folder `shared/data` beside the
checkout of this project.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

from hearing_datasets.clip import Clip

from hearing.errors import InputError

DEFAULT_ROOT = Path(__file__).resolve().parents[2] / "shared" / "data"

Split = Literal["train", "dev", "test"]


def kit_root() -> Path | None:
    """Return the folder of the data kit, or None if there is no kit.

    Raises
    ------
    InputError
        If HEARING_DATA names something that is no folder.
    """
    chosen = os.environ.get("HEARING_DATA")
    if chosen and not Path(chosen).is_dir():
        raise InputError(f"HEARING_DATA: no folder {chosen}; set it to the folder of the data kit, or unset it")
    root = Path(chosen or DEFAULT_ROOT)
    return root if root.is_dir() else None


def kit_clips(collection: str) -> list[Clip]:
    """List the clips of one folder of the kit, ordered by name.

    Parameters
    ----------
    collection
        The folder inside the kit, such as `speech/read_5_speakers`, or the start of several such names: `noise`.

    Returns
    -------
    The clips; empty without a kit.

    Raises
    ------
    InputError
        If a manifest is damaged.
    """
    root = kit_root()
    if root is None:
        return []
    return list(clips_in(root, collection))


def split_of(speaker: str | None) -> Split:
    """Tell what a speaker is for.

    The split is by speaker, never by clip, and follows from the last digit of the md5 digest of the name: 0 and 1 are
    for development, 2 is for tests, all others and the unknown ones for training.
    """
    digest = hashlib.md5(speaker.encode(), usedforsecurity=False).hexdigest() if speaker else "f"
    return "dev" if digest[-1] in "01" else "test" if digest[-1] == "2" else "train"


@cache
def clips_in(root: Path, collection: str = ".") -> tuple[Clip, ...]:
    """List the clips in one folder of a kit that is anywhere."""
    clips = (clip for manifest in (root / collection).rglob("manifest.jsonl") for clip in _clips_of(manifest, root))
    return tuple(sorted(clips, key=lambda clip: (clip.collection, clip.name)))


def _clips_of(manifest: Path, root: Path) -> Iterator[Clip]:
    collection = manifest.parent.relative_to(root).as_posix()
    for number, line in enumerate(manifest.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entry: dict[str, Any] = json.loads(line)
            sound = entry.get("audio") or entry.get("video")
            if sound is None:
                continue
            yield Clip(
                path=manifest.parent / sound,
                collection=collection,
                name=Path(sound).with_suffix("").as_posix(),
                text=entry["text"],
                speaker=entry["speaker"],
                duration=float(entry["duration"]),
                licence=entry["licence"],
                label=entry.get("label") or entry.get("condition"),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{manifest}, line {number}: not a manifest entry ({error!r}); restore the file"
            ) from error
