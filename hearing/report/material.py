"""What a report is made of: recordings with their truth, and what runs have heard in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hearing.bags.reading import is_bag
from hearing.bags.results import unpack
from hearing.errors import InputError
from hearing.evaluation import Score, evaluate
from hearing.evaluation.files import Hypothesis, Truth, read_hypothesis, read_reference


@dataclass(frozen=True, slots=True)
class Heard:
    """What a run has heard in a recording.

    Attributes
    ----------
    run
        Its name.
    folder
        Its outputs.
    hypothesis
        What is in them.
    score
        Against the truth, if that is known.
    """

    run: str
    folder: Path
    hypothesis: Hypothesis
    score: Score | None


@dataclass(frozen=True, slots=True)
class Session:
    """A recording.

    Attributes
    ----------
    name
        For people.
    truth
        What was said, if it is known.
    audio
        Its sound, if it is there.
    heard
        What was heard, run by run.
    """

    name: str
    truth: Truth | None
    audio: Path | None
    heard: tuple[Heard, ...]

    @property
    def duration(self) -> float:
        """Seconds until the last thing that was said or heard ends."""
        records = [
            *(self.truth.segments if self.truth else []),
            *(s for h in self.heard for s in h.hypothesis.segments),
        ]
        ends = [float(record["end_time"]) for record in records]
        return max([*ends, *(heard.hypothesis.audio_seconds for heard in self.heard), 1.0])


def collect(path: Path, runs: Sequence[Path], scratch: Path) -> list[Session]:
    """Find recordings and what was heard in them.

    Parameters
    ----------
    path
        A recording folder, a bag, a folder that `hearing transcribe` or `hearing replay` wrote, or a folder of those.
    runs
        Folders of outputs: of one recording the outputs themselves, of several a folder for each, by its name. Without
        any, what lies in the recordings is taken, and what the robot heard when a bag was recorded.
    scratch
        Folder into which bags may be unpacked.

    Raises
    ------
    InputError
        If nothing is found, or a file is broken.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; check the path")
    for run in runs:
        if not run.is_dir():
            raise InputError(
                f"{run}: no such folder; give one that `hearing transcribe` or `hearing replay` has written"
            )
    names = run_names(runs)
    places = [path] if _is_recording(path) else sorted(filter(_is_recording, path.iterdir())) if path.is_dir() else []
    sessions = [_session(place, dict(zip(names, runs, strict=True)), len(places) == 1, scratch) for place in places]
    sessions = [session for session in sessions if session.heard]
    if not sessions:
        hint = "no run has heard any of its recordings" if places else "no recording, bag or outputs here"
        raise InputError(f"{path}: {hint}; hear it with `hearing transcribe` or `hearing replay` and give --run FOLDER")
    return sessions


def read_runs(first: Path, second: Path, references: Path | None) -> tuple[dict[str, Score], dict[str, Score]]:
    """Score two runs over the same recordings.

    Parameters
    ----------
    first, second
        Folders with a folder of outputs for each recording.
    references
        Folder of the recordings; by default the truth that `hearing replay` wrote beside the outputs of `first`.

    Raises
    ------
    InputError
        If the two have no recording in common, or a truth is missing.
    """
    for run in (first, second):
        if not run.is_dir():
            raise InputError(f"{run}: no such folder; give one with a folder of outputs for each recording")
    outputs = {place.name for place in first.iterdir() if (place / "segments.json").is_file()}
    common = sorted(name for name in outputs if (second / name / "segments.json").is_file())
    if not common:
        raise InputError(f"{first} and {second} have no recording in common; transcribe the same ones into both")
    truths = {name: (references or first) / name for name in common}
    missing = next((truth for truth in truths.values() if not (truth / "reference" / "segments.json").is_file()), None)
    if missing is not None:
        raise InputError(f"{missing}: no reference/segments.json; give the folder of the recordings with --reference")
    one, other = ({name: evaluate(truths[name], run / name) for name in common} for run in (first, second))
    return one, other


def _is_recording(path: Path) -> bool:
    return is_bag(path) or any((path / name).is_file() for name in ("audio.wav", "segments.json"))


def run_names(runs: Sequence[Path]) -> list[str]:
    """Name runs by their folders, as far up as they differ."""
    names = [run.resolve().name for run in runs]
    if len(set(names)) < len(names):
        names = [f"{run.resolve().parent.name}/{run.resolve().name}" for run in runs]
    return names if len(set(names)) == len(names) else [str(run) for run in runs]


def _session(place: Path, runs: dict[str, Path], alone: bool, scratch: Path) -> Session:
    name = place.stem if place.is_file() else place.resolve().name
    if is_bag(place):
        unpack(place, scratch / name)
        place = scratch / name
    folders = {run: _outputs(folder, name, alone) for run, folder in runs.items()} or {"": _if_heard(place)}
    found = {run: folder for run, folder in folders.items() if folder is not None}
    where = next((p for p in (place, *found.values()) if (p / "reference" / "segments.json").is_file()), None)
    heard = tuple(
        Heard(run, folder, read_hypothesis(folder), evaluate(where, folder) if where is not None else None)
        for run, folder in found.items()
    )
    audio = place / "audio.wav"
    return Session(
        name, read_reference(where) if where is not None else None, audio if audio.is_file() else None, heard
    )


def _outputs(run: Path, name: str, alone: bool) -> Path | None:
    return _if_heard(run / name) or (_if_heard(run) if alone else None)


def _if_heard(folder: Path) -> Path | None:
    return folder if (folder / "segments.json").is_file() else None
