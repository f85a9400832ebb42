"""What has been measured, one JSON object per line, so that a long run can be stopped and goes on where it was."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hearing.bench.score import FrontEndScore
from hearing.errors import InputError


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


class Journal:
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
        self._path = path
        self._known: dict[tuple[str, str], Measurement] = {}
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        whole, _, cut = text.rpartition("\n")
        for number, line in enumerate(whole.splitlines(), 1):
            measurement = _parsed(line, f"{path}: line {number}")
            self._known[measurement.scene, measurement.variant] = measurement
        if cut:  # a run was killed while it wrote this line
            path.write_text(whole + "\n" if whole else "", encoding="utf-8")

    def get(self, scene: str, variant: str) -> Measurement | None:
        """Return what was measured, if it was."""
        return self._known.get((scene, variant))

    def holds(self, scene: str, variant: str, recognizer: bool) -> bool:
        """Tell whether a scene and a variant need not be measured any more, words included if they count."""
        known = self.get(scene, variant)
        return known is not None and known.recognizer >= recognizer

    def add(self, measurement: Measurement) -> None:
        """Keep a measurement."""
        self._known[measurement.scene, measurement.variant] = measurement
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(measurement)) + "\n")


def _parsed(line: str, where: str) -> Measurement:
    try:
        record: dict[str, Any] = json.loads(line)
        return Measurement(**record | {"score": FrontEndScore.from_dict(record["score"])})
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{where}: no measurement ({error!r}); remove the file, or give another --out") from error
