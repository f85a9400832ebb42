"""Reading folders: what all loaders need."""

from __future__ import annotations

from pathlib import Path

from hearing.errors import InputError


def found(root: Path, pattern: str, corpus: str, layout: str) -> list[Path]:
    """List the files of a pattern in order.

    Raises
    ------
    InputError
        If there is none: then the folder is not the corpus, whose layout the message says.
    """
    paths = sorted(root.glob(pattern))
    if not paths:
        raise InputError(f"{root}: not {corpus}; expected files {layout} in it, give the folder that it unpacks to")
    return paths


def lines_of(path: Path) -> list[str]:
    """Read the lines of a text file.

    Raises
    ------
    InputError
        If it is missing or no text.
    """
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); restore the file") from error
