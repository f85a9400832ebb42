"""Talking faces: GRID, LRS3."""

from __future__ import annotations

from pathlib import Path

from hearing_datasets.clip import Word
from hearing_datasets.corpora.folder import found, lines_of
from hearing_datasets.manifest import Corpus, Recording, Supervision
from hearing_datasets.text import plain_text

from hearing.errors import InputError

GRID_UNIT = 1 / 25_000
"""Seconds of GRID's unit of time."""


def grid(root: Path) -> Corpus:
    """Read GRID: videos `SPEAKER/**/*.mpg` with `SPEAKER/**/NAME.align`, in one folder or in `align/`."""
    videos = {(path.relative_to(root).parts[0], path.stem): path for path in root.glob("*/**/*.mpg")}
    recordings, supervisions = [], []
    for path in found(root, "*/**/*.align", "GRID", "SPEAKER/align/*.align and SPEAKER/**/*.mpg"):
        speaker = path.relative_to(root).parts[0]
        video = videos.get((speaker, path.stem))
        if video is None:
            continue
        entries = [line.split() for line in lines_of(path)]
        words = tuple(
            Word(word, int(start) * GRID_UNIT, int(end) * GRID_UNIT)
            for start, end, word in entries
            if word not in ("sil", "sp")
        )
        name = f"{speaker}-{path.stem}"
        recordings.append(_film(name, video))
        text = " ".join(word.word for word in words)
        duration = recordings[-1].duration
        supervisions.append(Supervision(name, name, 0.0, duration, text, f"grid-{speaker}", language="en", words=words))
    if not recordings:
        raise InputError(f"{root}: GRID without videos; expected SPEAKER/**/*.mpg, unpack them there too")
    return Corpus("grid", "see the GRID corpus' site", tuple(recordings), tuple(supervisions))


def lrs3(root: Path) -> Corpus:
    """Read LRS3: `{pretrain,trainval,test}/SPEAKER/NUMBER.mp4` with `NUMBER.txt` beside it."""
    recordings, supervisions = [], []
    for path in found(root, "*/*/*.txt", "LRS3", "{pretrain,trainval,test}/SPEAKER/NUMBER.txt"):
        video = path.with_suffix(".mp4")
        if not video.is_file():
            continue
        split, speaker = path.parts[-3:-1]
        lines = lines_of(path)
        text = plain_text(lines[0].removeprefix("Text:").strip())
        header = next((i for i, line in enumerate(lines) if line.startswith("WORD ")), len(lines))
        rows = [line.split() for line in lines[header + 1 :] if line.strip()]
        words = tuple(Word(row[0].lower(), float(row[1]), float(row[2])) for row in rows)
        name = f"{split}-{speaker}-{path.stem}"
        recordings.append(_film(name, video))
        supervisions.append(
            Supervision(
                name, name, 0.0, recordings[-1].duration, text, f"lrs3-{speaker}", language="en", words=words,
                custom={"split": split},
            )
        )  # fmt: skip
    if not recordings:
        raise InputError(f"{root}: LRS3 without videos; expected NUMBER.mp4 beside each NUMBER.txt")
    return Corpus("lrs3", "LRS3 licence (research)", tuple(recordings), tuple(supervisions))


def _film(name: str, path: Path) -> Recording:
    """Describe the sound of a video."""
    import av  # only videos need it

    try:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            rate, seconds = stream.rate, float((stream.duration or 0) * stream.time_base)
            seconds = seconds or float(container.duration or 0) / av.time_base
    except (av.error.FFmpegError, IndexError, OSError) as error:
        raise InputError(f"{path}: cannot read the sound of this video ({error}); restore the file") from error
    return Recording(name, (path,), rate, round(seconds * rate), 1)
