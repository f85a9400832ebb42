"""What fits have written beside networks: small JSON files, each with a reader that says how to mend a bad one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from hearing.errors import InputError

Fitted = TypeVar("Fitted")


def read_fitted(
    path: Path, parse: Callable[[Any], Fitted], what: str, mend: str = "install the package again"
) -> Fitted:
    """Read a file that a fit has written.

    Parameters
    ----------
    path
        The file.
    parse
        Makes what is wanted of its record; may raise what a record of another kind makes it raise.
    what
        Which should be in it, for people: `calibration of lips`.
    mend
        What to do if it is not.

    Raises
    ------
    InputError
        If the file is missing, damaged, or of another kind.
    """
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: no {what} ({error!r}); {mend}") from error


def named_weights(record: Any, features: Sequence[str]) -> tuple[float, ...]:
    """Return a record's `weights` in the order of the features that they are fitted to.

    Raises
    ------
    ValueError
        If it was fitted to others.
    """
    if set(record["weights"]) != set(features):
        raise ValueError(f"features {', '.join(record['weights'])}")
    return tuple(float(record["weights"][name]) for name in features)
