"""Manifests: recordings and what is said in them, as JSON lines that lhotse reads.

A corpus is a folder with `recordings.jsonl` and `supervisions.jsonl`; `lhotse.load_manifest` reads either, and
`read_manifest` reads what lhotse's recipes write, as far as their recordings are files.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import soundfile
from hearing_datasets.clip import Clip, Word

from hearing.errors import InputError

T = TypeVar("T")

RECORDINGS, SUPERVISIONS = "recordings.jsonl", "supervisions.jsonl"


@dataclass(frozen=True, slots=True)
class Recording:
    """An audio or video file, or several that were recorded together.

    Attributes
    ----------
    id
        Unique in the corpus.
    paths
        The files, each with its channels; a multichannel file stands alone.
    sampling_rate, num_samples
        Of the sound, per channel.
    channels
        How many there are in all files together.
    """

    id: str
    paths: tuple[Path, ...]
    sampling_rate: int
    num_samples: int
    channels: int

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.num_samples / self.sampling_rate


@dataclass(frozen=True, slots=True)
class Supervision:
    """Something that is said, or heard, in a recording. Times are seconds.

    Attributes
    ----------
    id, recording_id
        Names.
    start, duration
        When, from the start of the recording.
    text
        What is said, free of the corpus' own markup; None where nobody wrote it down.
    speaker, gender, language
        Who says it, where known.
    words
        When each word is said, from the start of the recording.
    custom
        Whatever else the corpus knows.
    """

    id: str
    recording_id: str
    start: float
    duration: float
    text: str | None = None
    speaker: str | None = None
    gender: str | None = None
    language: str | None = None
    words: tuple[Word, ...] = ()
    custom: dict[str, Any] = field(default_factory=dict)

    @property
    def end(self) -> float:
        """Seconds from the start of the recording."""
        return self.start + self.duration


@dataclass(frozen=True, slots=True)
class Corpus:
    """Recordings with their supervisions.

    Attributes
    ----------
    name
        Of the corpus.
    licence
        Under which terms it may be used.
    recordings, supervisions
        What it holds.
    """

    name: str
    licence: str
    recordings: tuple[Recording, ...]
    supervisions: tuple[Supervision, ...]

    def clips(self) -> list[Clip]:
        """List every supervision as a clip of its recording's first file, for the simulator to speak with."""
        files = {recording.id: recording.paths[0] for recording in self.recordings}
        return [
            Clip(
                path=files[supervision.recording_id],
                collection=self.name,
                name=supervision.id,
                text=supervision.text,
                speaker=supervision.speaker,
                duration=supervision.duration,
                licence=self.licence,
                start=supervision.start,
                words=tuple(
                    Word(word.word, word.start - supervision.start, word.end - supervision.start, word.phones)
                    for word in supervision.words
                )
                or None,
            )
            for supervision in self.supervisions
        ]


def sound_file(recording_id: str, paths: Iterable[Path]) -> Recording:
    """Describe audio files that belong together by what their headers say.

    Raises
    ------
    InputError
        If one cannot be read, or they differ in sample rate.
    """
    paths = tuple(paths)
    try:
        headers = [soundfile.info(path) for path in paths]
    except (OSError, soundfile.SoundFileError) as error:
        raise InputError(f"{paths[0]}: cannot read this recording ({error}); restore the file") from error
    if len({header.samplerate for header in headers}) > 1:
        raise InputError(f"{paths[0].parent}: the files of {recording_id} differ in sample rate; restore them")
    frames, channels = min(header.frames for header in headers), sum(header.channels for header in headers)
    return Recording(recording_id, paths, headers[0].samplerate, frames, channels)


def write_manifest(corpus: Corpus, folder: Path) -> None:
    """Write a corpus as `recordings.jsonl` and `supervisions.jsonl`.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_lines(folder / RECORDINGS, map(_recording_entry, corpus.recordings))
        entries = (_supervision_entry(supervision, corpus.licence) for supervision in corpus.supervisions)
        _write_lines(folder / SUPERVISIONS, entries)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error


def read_manifest(folder: Path, name: str | None = None) -> Corpus:
    """Read a corpus that `write_manifest` or a recipe of lhotse has written, gzipped or not.

    Raises
    ------
    InputError
        If there is none, or it is damaged.
    """
    recordings = tuple(_parsed(_find(folder, RECORDINGS), _recording))
    supervisions = tuple(_parsed(_find(folder, SUPERVISIONS), _supervision))
    licences = {str(supervision.custom.pop("licence", "unknown")) for supervision in supervisions}
    return Corpus(name or folder.name, "; ".join(sorted(licences)) or "unknown", recordings, supervisions)


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise InputError(f"{folder}: no {name} here; write it with hearing_datasets.write_manifest, or with lhotse")


def _write_lines(path: Path, entries: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")


def _parsed(path: Path, parse: Callable[[dict[str, Any]], T]) -> Iterator[T]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for number, line in enumerate(content.decode("utf-8").splitlines(), 1):
        try:
            yield parse(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}, line {number}: no manifest entry ({error!r}); restore the file") from error


def _recording_entry(recording: Recording) -> dict[str, Any]:
    shares = recording.channels // len(recording.paths)
    sources = [
        {"type": "file", "channels": list(range(i * shares, (i + 1) * shares)), "source": str(path)}
        for i, path in enumerate(recording.paths)
    ]
    return {
        "id": recording.id,
        "sources": sources,
        "sampling_rate": recording.sampling_rate,
        "num_samples": recording.num_samples,
        "duration": recording.duration,
        "channel_ids": list(range(recording.channels)),
    }


def _recording(entry: dict[str, Any]) -> Recording:
    paths = tuple(Path(source["source"]) for source in entry["sources"])
    channels = sum(len(source["channels"]) for source in entry["sources"])
    return Recording(str(entry["id"]), paths, int(entry["sampling_rate"]), int(entry["num_samples"]), channels)


def _supervision_entry(supervision: Supervision, licence: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": supervision.id,
        "recording_id": supervision.recording_id,
        "start": supervision.start,
        "duration": supervision.duration,
        "channel": 0,
        "custom": {**supervision.custom, "licence": licence},
    }
    for key in ("text", "speaker", "gender", "language"):
        if getattr(supervision, key) is not None:
            entry[key] = getattr(supervision, key)
    if supervision.words:
        # lhotse's AlignmentItem: symbol, start, duration, score.
        items = [[word.word, word.start, round(word.end - word.start, 4), None] for word in supervision.words]
        entry["alignment"] = {"word": items}
    return entry


def _supervision(entry: dict[str, Any]) -> Supervision:
    items = (entry.get("alignment") or {}).get("word", [])
    return Supervision(
        id=str(entry["id"]),
        recording_id=str(entry["recording_id"]),
        start=float(entry["start"]),
        duration=float(entry["duration"]),
        text=entry.get("text"),
        speaker=entry.get("speaker"),
        gender=entry.get("gender"),
        language=entry.get("language"),
        words=tuple(Word(symbol, start, round(start + duration, 4)) for symbol, start, duration, *_ in items),
        custom=dict(entry.get("custom") or {}),
    )
