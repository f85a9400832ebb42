"""Noise: MUSAN, DEMAND."""

from __future__ import annotations

from pathlib import Path

from hearing_datasets.corpora.folder import found
from hearing_datasets.manifest import Corpus, Supervision, sound_file


def musan(root: Path) -> Corpus:
    """Read MUSAN (OpenSLR 17): `{music,speech,noise}/SOURCE/*.wav`."""
    paths = [
        path for path in found(root, "*/*/*.wav", "MUSAN", "{music,speech,noise}/SOURCE/*.wav")
        if path.parts[-3] in ("music", "speech", "noise")
    ]  # fmt: skip
    recordings = tuple(sound_file(path.stem, [path]) for path in paths)
    supervisions = tuple(
        Supervision(r.id, r.id, 0.0, r.duration, custom={"kind": path.parts[-3], "source": path.parts[-2]})
        for r, path in zip(recordings, paths, strict=True)
    )
    return Corpus("musan", "CC BY 4.0 and public domain", recordings, supervisions)


def demand(root: Path) -> Corpus:
    """Read DEMAND: a folder per place with 16 channels `ch01.wav` to `ch16.wav`."""
    places = sorted({path.parent for path in found(root, "*/ch01.wav", "DEMAND", "PLACE/ch01.wav")})
    recordings = tuple(sound_file(place.name, sorted(place.glob("ch*.wav"))) for place in places)
    supervisions = tuple(
        Supervision(r.id, r.id, 0.0, r.duration, custom={"kind": "noise", "source": r.id}) for r in recordings
    )
    return Corpus("demand", "CC BY 4.0", recordings, supervisions)
