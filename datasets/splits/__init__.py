"""Fixed splits of the data kit: `kit.json` lists whose recordings, and which faces, are for what.

`python -m hearing_datasets.splits` makes that file anew. People follow `split_of`; clips without a name go by their own
one, and faces by their identity, in the same way.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path

from hearing_datasets.clip import Clip
from hearing_datasets.kit import Split

FILE = Path(str(resources.files("hearing_datasets"))) / "splits" / "kit.json"


def split_of_clip(clip: Clip) -> Split:
    """Tell what a clip of the data kit is for: as its speaker, or if nobody is named, as the file lists it."""
    from hearing_datasets.kit import split_of

    return split_of(clip.speaker) if clip.speaker else split_of(f"{clip.collection}/{clip.name}")


@cache
def kit_splits() -> dict[str, dict[str, list[str]]]:
    """Return who and what is in each split of the kit: `speakers`, `clips` without a speaker, and `faces`."""
    splits: dict[str, dict[str, list[str]]] = json.loads(FILE.read_text(encoding="utf-8"))
    return splits
