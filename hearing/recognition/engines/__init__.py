"""Speech recognition engines by name. Nothing of an engine is imported before it is asked for (docs/engines.md)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hearing.errors import InputError
from hearing.recognition.drafting import DraftingEngine
from hearing.recognition.engine import Engine, StreamingEngine
from hearing.recognition.engines.support import given_or_packaged, given_with

__all__ = ["engine_names", "load_engine"]


def _moonshine(folder: Path | None, threads: int) -> Engine:
    from hearing.recognition.moonshine import Moonshine

    return Moonshine(given_or_packaged(folder, "moonshine-tiny-en"), threads)


def _whisper_base(folder: Path | None, threads: int) -> Engine:
    from hearing.recognition.whisper import Whisper

    return Whisper(given_or_packaged(folder, "whisper-base"), threads)


def _faster_whisper(folder: Path | None, threads: int) -> Engine:
    from hearing.recognition.engines.faster_whisper import FasterWhisper

    return FasterWhisper(given_or_packaged(folder, "whisper-base"), threads)


def _pocketsphinx(folder: Path | None, threads: int) -> Engine:
    from hearing.recognition.engines.pocketsphinx import PocketSphinx

    if folder is not None:
        raise InputError(f"{folder}: pocketsphinx brings its own model; leave out the folder")
    return PocketSphinx()


def _sherpa_onnx(folder: Path | None, threads: int) -> StreamingEngine:
    from hearing.recognition.engines.sherpa_onnx import SherpaOnnx

    return SherpaOnnx(given_with(folder, "tokens.txt"), threads)


def _vosk(folder: Path | None, threads: int) -> StreamingEngine:
    from hearing.recognition.engines.vosk import Vosk

    return Vosk(given_with(folder, "am/final.mdl", "conf/model.conf", "conf/mfcc.conf", "graph"))


_OFFLINE: dict[str, Callable[[Path | None, int], Engine]] = {
    "moonshine": _moonshine,
    "whisper-base": _whisper_base,
    "faster-whisper": _faster_whisper,
    "pocketsphinx": _pocketsphinx,
}
_STREAMING: dict[str, Callable[[Path | None, int], StreamingEngine]] = {
    "sherpa-onnx": _sherpa_onnx,
    "vosk": _vosk,
}


def engine_names() -> tuple[str, ...]:
    """Give the names that `load_engine` knows, whether or not the engine's package is installed."""
    return (*_OFFLINE, *_STREAMING)


def load_engine(name: str, folder: Path | None = None, threads: int = 2) -> StreamingEngine:
    """Load an engine; one that only hears finished audio drafts as well as finishes (`DraftingEngine`).

    Parameters
    ----------
    name
        One of `engine_names()`.
    folder
        The folder with the model's files; None for the model that installed packages carry, if the engine has one.
    threads
        Threads that the engine may use; PocketSphinx and Vosk always take one.

    Raises
    ------
    InputError
        If there is no engine of this name, its package or a file of its model is missing, or the model is broken.
    """
    if name not in engine_names():
        raise InputError(f"engine {name!r} is unknown; known are: {', '.join(engine_names())}")
    try:
        if name in _STREAMING:
            return _STREAMING[name](folder, threads)
        engine = _OFFLINE[name](folder, threads)
    except InputError as error:
        raise InputError(f"engine {name}: {error}") from error
    except Exception as error:  # every package has errors of its own for broken models
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(
            f"engine {name}: cannot load {folder or 'its model'} ({reason}); get the model anew"
        ) from error
    return DraftingEngine(engine, engine)
