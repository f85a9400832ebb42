"""Where the networks' files come from: any source will do, a file is trusted by its sha256 alone.

A model is looked for in the user's folder (`$HEARING_MODELS/NAME`), in the cache
(`$XDG_CACHE_HOME/robot-hearing/models/NAME`) and in installed Python packages, which may carry a file in parts; parts
are joined in the cache. A model that is nowhere is fetched from its hub if `$HEARING_DOWNLOAD` is set; otherwise
nothing ever goes over the network.

Hashing 145 MB takes a moment, so the cache remembers, by size and modification time, which files had which digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hearing.errors import InputError
from hearing.recognition.catalogue import Model, ModelFile

_VERIFIED = "verified.json"


def cache_folder() -> Path:
    """Give the folder for joined and downloaded models; it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "robot-hearing" / "models"


def locate(model: Model, *, thorough: bool = False) -> Path:
    """Find a model, joining its parts if need be, and make sure that its files are the right ones.

    Parameters
    ----------
    model
        One of `catalogue.MODELS`.
    thorough
        Compute every digest again instead of trusting what the cache remembers.

    Returns
    -------
    folder
        Holds all files of the model under their names.

    Raises
    ------
    InputError
        If the model is missing or one of its files is not the published one.
    """
    for folder in _folders(model):
        if all((folder / file.name).is_file() for file in model.files):
            for file in model.files:
                _verify(folder / file.name, file, thorough)
            return folder
    folder = cache_folder() / model.name
    for file in model.files:
        if (folder / file.name).is_file():
            _verify(folder / file.name, file, thorough)
        else:
            _install(model, file, folder / file.name)
    return folder


def _folders(model: Model) -> Iterator[Path]:
    """List the folders that may hold all files of a model."""
    if own := os.environ.get("HEARING_MODELS"):
        yield Path(own) / model.name
    yield cache_folder() / model.name
    for part in model.files[0].parts if all(len(file.parts) == 1 for file in model.files) else ():
        if path := part.locate():
            yield path.parent


def _install(model: Model, file: ModelFile, target: Path) -> None:
    """Join a file from its parts, or fetch it, and put it into the cache in one step."""
    parts = [part.locate() for part in file.parts]
    found = [part for part in parts if part]
    if len(found) < len(parts):
        found = [_fetch(model, file)]
    with _replacing(target) as stream:
        hasher = hashlib.sha256()
        for part in found:
            data = part.read_bytes()
            hasher.update(data)
            stream.write(data)
        if (digest := hasher.hexdigest()) != file.sha256:
            raise InputError(f"{', '.join(map(str, found))}: {_wrong(file, digest)}; get it from another source")
    _remember(target, file.sha256)


def _how_to_get(model: Model, file: ModelFile) -> str:
    ways = [f"`pip install {' '.join(model.packages)}`", f"put its files into $HEARING_MODELS/{model.name}"]
    if model.hub:
        ways.append(f"set HEARING_DOWNLOAD=1 to fetch it from {model.hub[0]}")
    return f"model {model.name}: {file.name} is not on this machine; {', or '.join(ways)}"


def _fetch(model: Model, file: ModelFile) -> Path:
    """Fetch a file from the Hugging Face hub into the hub's own cache, if the user wants that."""
    if not (model.hub and os.environ.get("HEARING_DOWNLOAD")):
        raise InputError(_how_to_get(model, file))
    from huggingface_hub import hf_hub_download  # slow to import and needed once in a robot's life

    repository, revision = model.hub
    try:
        return Path(hf_hub_download(repository, file.name, revision=revision))
    except Exception as error:  # the hub's client raises whatever its HTTP library does
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(f"model {model.name}: cannot fetch {file.name} from {repository}: {reason}") from error


def _verify(path: Path, file: ModelFile, thorough: bool) -> None:
    """Raise an InputError unless the file has its digest."""
    if not thorough and _remembered(path) == file.sha256:
        return
    if (digest := _digest(path)) != file.sha256:
        raise InputError(f"{path}: {_wrong(file, digest)}; delete it or put the published file in its place")
    _remember(path, file.sha256)


def _wrong(file: ModelFile, digest: str) -> str:
    return f"sha256 of {file.name} is {digest[:12]}..., not {file.sha256[:12]}..., so it is not the published file"


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _state(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _remembered(path: Path) -> str | None:
    """Give the digest that the file had when it was last hashed, or None if it has changed since."""
    state, digest = _read_verified().get(str(path), (None, None))
    return digest if state == _state(path) else None


def _read_verified() -> dict[str, tuple[list[int], str]]:
    try:
        return dict(json.loads((cache_folder() / _VERIFIED).read_text()))
    except (OSError, ValueError):
        return {}


def _remember(path: Path, digest: str) -> None:
    """Note a verified file. Two processes may lose each other's note, which costs a second hashing at most."""
    notes = _read_verified() | {str(path): (_state(path), digest)}
    try:
        with _replacing(cache_folder() / _VERIFIED) as stream:
            stream.write(json.dumps(notes, indent=1).encode())
    except InputError:
        return  # a cache that cannot be written only makes starting slower


@contextmanager
def _replacing(target: Path) -> Iterator[IO[bytes]]:
    """Open a temporary sibling that becomes the target when the block ends well: nobody ever sees half a file."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise InputError(
            f"{target.parent}: cannot write the models' cache ({error.strerror}); set XDG_CACHE_HOME"
        ) from error
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
