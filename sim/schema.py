"""Checking what a YAML file says against dataclasses: one clear error for the first mistake.

The dataclasses are the schema. A field may be a plain type, another dataclass, a tuple of either, a mapping from text
to text, or one of these or None.
"""

from __future__ import annotations

import difflib
import math
import re
import types
from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

import yaml

from hearing.errors import InputError

T = TypeVar("T")

_NUMBER_NAMES = {2: "two numbers", 3: "three numbers [x, y, z]"}
_PLAIN_NAMES = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}


class _Loader(yaml.SafeLoader):
    """Reads only true and false as booleans, as YAML 1.2 does: `on` and `no` are words."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":bool")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^([Tt]rue|[Ff]alse)$"), list("tTfF"))


def load_yaml(kind: type[T], path: Path, where: str) -> T:
    """Read a YAML file as a dataclass.

    Parameters
    ----------
    kind
        The dataclass.
    path
        The file.
    where
        What the file describes, for error messages.

    Raises
    ------
    InputError
        If the file cannot be read, or for the first mistake in it.
    """
    try:
        parsed: T = parse(kind, yaml.load(path.read_text(encoding="utf-8"), _Loader), where)
        return parsed
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a YAML file ({' '.join(str(error).split())})") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def parse(kind: Any, value: Any, where: str) -> Any:
    """Turn what YAML gave into `kind`.

    Raises
    ------
    InputError
        For the first thing in `value` that is not as `kind` wants it.
    """
    if isinstance(kind, type) and is_dataclass(kind):
        return _parse_fields(kind, value, where)
    if get_origin(kind) is types.UnionType:
        return None if value is None else parse(get_args(kind)[0], value, where)
    if get_origin(kind) is tuple:
        return _parse_tuple(kind, value, where)
    if get_origin(kind) is dict:
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {key: parse(get_args(kind)[1], entry, f"{where}.{key}") for key, entry in value.items()}
        raise InputError(f"{where} must be a mapping with names as keys, not {value!r}")
    if kind is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if kind is not float and type(value) is kind:
        return value
    raise InputError(f"{where} must be {_PLAIN_NAMES[kind]}, not {value!r}")


def check_choice(what: str, value: str, choices: Iterable[str]) -> None:
    """Raise InputError, with the closest choice as a hint, if `value` is none of the choices."""
    choices = list(choices)
    if value not in choices:
        close = difflib.get_close_matches(value, choices, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(choices) or 'none'}"
        raise InputError(f"{what} is unknown; {hint}")


def _parse_tuple(kind: Any, value: Any, where: str) -> tuple[Any, ...]:
    item, *rest = get_args(kind)
    if rest == [...]:
        items = [value] if item is str and isinstance(value, str) else value
        if isinstance(items, list):
            return tuple(parse(item, entry, f"{where}[{i}]") for i, entry in enumerate(items))
        raise InputError(f"{where} must be a list, not {value!r}")
    size = len(get_args(kind))
    if isinstance(value, list) and len(value) == size:
        return tuple(parse(item, entry, where) for entry in value)
    raise InputError(f"{where} must be {_NUMBER_NAMES[size]}, not {value!r}")


def _parse_fields(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise InputError(f"{where} must be a mapping with keys, not {value!r}")
    known = {field.name: field for field in fields(kind)}
    for key in value:
        check_choice(f"{where}: key {key!r}", str(key), list(known))
    for name, field in known.items():
        if field.default is MISSING and field.default_factory is MISSING and name not in value:
            raise InputError(f"{where} lacks the key {name!r}; add it")
    hints = get_type_hints(kind)
    return kind(**{key: parse(hints[key], entry, f"{where}.{key}") for key, entry in value.items()})
