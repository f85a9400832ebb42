"""Speech recognition engines by name. Nothing of an engine is imported before it is asked for (docs/engines.md)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from hearing.errors import InputError
from hearing.recognition.drafting import DraftingEngine
from hearing.recognition.engine import Engine, StreamingEngine
from hearing.recognition.engines.support import given_or_packaged, given_with, own_weights

__all__ = ["DEFAULT_ENGINE", "engine_names", "load_engine"]

DEFAULT_ENGINE = "hearing"
"""The project's own engine."""


def _hearing(folder: Path | None, threads: int) -> StreamingEngine:
    from hearing.recognition.streaming import StreamingRecognizer

    if folder is None:
        return StreamingRecognizer(own_weights(), threads)
    return StreamingRecognizer(given_with(folder, "encoder.onnx", "decoder.onnx", "tokenizer.json"), threads)


def _moonshine(folder: Path | None, threads: int) -> Engine:
    from hearing.recognition.moonshine import Moonshine

    return Moonshine(given_or_packaged(folder, "moonshine-tiny-en"), threads)


def _whisper_base(folder: Path | None, threads: int) -> StreamingEngine:
    """Load Whisper base for the final words and Moonshine tiny for the drafts: another make vouches for them."""
    from hearing.recognition.moonshine import Moonshine
    from hearing.recognition.whisper import Whisper

    final = Whisper(given_or_packaged(folder, "whisper-base"), threads)
    return DraftingEngine(Moonshine(given_or_packaged(None, "moonshine-tiny-en"), threads), final)


def _faster_whisper(folder: Path | None, threads: int, model: str = "whisper-base") -> Engine:
    from hearing.recognition.engines.faster_whisper import FasterWhisper

    return FasterWhisper(given_or_packaged(folder, model), threads)


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


_STREAMING: dict[str, Callable[[Path | None, int], StreamingEngine]] = {
    "hearing": _hearing,
    "whisper-base": _whisper_base,
    "sherpa-onnx": _sherpa_onnx,
    "vosk": _vosk,
}
_OFFLINE: dict[str, Callable[[Path | None, int], Engine]] = {
    "moonshine": _moonshine,
    "faster-whisper": _faster_whisper,
    "faster-whisper-tiny.en": partial(_faster_whisper, model="whisper-tiny.en"),
    "pocketsphinx": _pocketsphinx,
}


def engine_names() -> tuple[str, ...]:
    """Give the names that `load_engine` knows, the default first, whether or not the engine's package is installed."""
    return (*_STREAMING, *_OFFLINE)


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
