"""Corpora that users own, read from the folders in which they are published: `load_corpus("ami", Path(...))`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hearing_datasets.corpora.audio_visual import grid, lrs3
from hearing_datasets.corpora.meetings import ami, chime6, easycom, libricss
from hearing_datasets.corpora.noise import demand, musan
from hearing_datasets.corpora.read_speech import data_kit, librispeech
from hearing_datasets.manifest import Corpus

from hearing.errors import InputError

CORPORA: dict[str, Callable[[Path], Corpus]] = {
    "kit": data_kit,
    "librispeech": librispeech,
    "ami": ami,
    "chime6": chime6,
    "libricss": libricss,
    "easycom": easycom,
    "musan": musan,
    "demand": demand,
    "lrs3": lrs3,
    "grid": grid,
}
"""Loaders by name. Each takes the folder that the corpus unpacks to."""


def load_corpus(name: str, root: Path) -> Corpus:
    """Read a corpus.

    Parameters
    ----------
    name
        One of `CORPORA`.
    root
        The folder that the corpus unpacks to.

    Raises
    ------
    InputError
        If there is no such corpus, or the folder is not it.
    """
    if name not in CORPORA:
        raise InputError(f"corpus {name!r} is unknown; known are: {', '.join(CORPORA)}")
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; give the folder that {name} unpacks to")
    return CORPORA[name](root)
