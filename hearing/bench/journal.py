"""What has been measured, one JSON object per line, so that a long run can be stopped and goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hearing.bench.score import FrontEndScore
from hearing.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One scene, heard by one variant of the front end.

    Attributes
    ----------
    scene, variant
        Their names.
    version
        Fingerprint of the front end: its networks and settings.
    recognizer
        Whether words were counted.
    score
        What came out.
    """

    scene: str
    variant: str
    version: str
    recognizer: bool
    score: FrontEndScore


class RecordFile(Generic[Record]):
    """Records in a file; the last one of a key counts.

    Parameters
    ----------
    path
        The file; it need not exist.
    parse
        Makes a record of what `dataclasses.asdict` and JSON made of one.
    key
        Tells what a record is about.

    Raises
    ------
    InputError
        If the file holds anything else.
    """

    def __init__(
        self, path: Path, parse: Callable[[dict[str, Any]], Record], key: Callable[[Record], tuple[str, ...]]
    ) -> None:
        self._path, self._key = path, key
        self._known: dict[tuple[str, ...], Record] = {}
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        whole, _, cut = text.rpartition("\n")
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                record = parse(json.loads(line))
            except (ValueError, TypeError, KeyError) as error:
                raise InputError(
                    f"{path}: line {number}: no measurement ({error!r}); remove the file, or give another --out"
                ) from error
            self._known[key(record)] = record
        if cut:  # a run was killed while it wrote this line
            path.write_text(whole + "\n" if whole else "", encoding="utf-8")

    def find(self, *key: str) -> Record | None:
        """Return the record with this key, if there is one."""
        return self._known.get(key)

    def add(self, record: Record) -> None:
        """Keep a record."""
        self._known[self._key(record)] = record
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(record)) + "\n")


class Journal(RecordFile[Measurement]):
    """Measurements in a file; the last one of a scene and a variant counts.

    Parameters
    ----------
    path
        The file; it need not exist.

    Raises
    ------
    InputError
        If the file is no journal.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, _parsed, lambda measurement: (measurement.scene, measurement.variant))

    def get(self, scene: str, variant: str) -> Measurement | None:
        """Return what was measured, if it was."""
        return self.find(scene, variant)

    def holds(self, scene: str, variant: str, recognizer: bool) -> bool:
        """Tell whether a scene and a variant need not be measured any more, words included if they count."""
        known = self.get(scene, variant)
        return known is not None and known.recognizer >= recognizer


def _parsed(record: dict[str, Any]) -> Measurement:
    return Measurement(**record | {"score": FrontEndScore.from_dict(record["score"])})
