"""Speech synthesizers by name. Nothing of one is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hearing.errors import InputError
from hearing.speech.synthesizer import Synthesizer

DEFAULT_SYNTHESIZER, FALLBACK_SYNTHESIZER = "hibari", "espeak-ng"
"""The packaged voice, and what speaks where it is missing."""


def _hibari() -> Synthesizer:
    from hearing.speech.hibari import HibariSynthesizer

    return HibariSynthesizer()


def _espeak() -> Synthesizer:
    from hearing.speech.espeak import EspeakSynthesizer

    return EspeakSynthesizer()


def _piper(folder: Path) -> Synthesizer:
    from hearing.speech.piper import PiperSynthesizer

    return PiperSynthesizer(folder)


def _pocket(folder: Path) -> Synthesizer:
    from hearing.speech.pocket import PocketSynthesizer

    return PocketSynthesizer(folder)


_PACKAGED: dict[str, Callable[[], Synthesizer]] = {DEFAULT_SYNTHESIZER: _hibari, FALLBACK_SYNTHESIZER: _espeak}
_FROM_FOLDER: dict[str, Callable[[Path], Synthesizer]] = {"piper": _piper, "pocket-tts": _pocket}


def synthesizer_names() -> tuple[str, ...]:
    """Give the names that `load_synthesizer` knows, the default first, whether or not its package is installed."""
    return (*_PACKAGED, *_FROM_FOLDER)


def load_synthesizer(name: str | None = None, folder: Path | None = None) -> Synthesizer:
    """Load a speech synthesizer.

    Parameters
    ----------
    name
        One of `synthesizer_names()`; None for the default, or the fallback if the default cannot be loaded.
    folder
        The folder with the voice's files; None for one that brings its own.

    Raises
    ------
    InputError
        If there is none of this name, its package or a file of its voice is missing, or the voice is broken.
    """
    if name is None:
        try:
            return load_synthesizer(DEFAULT_SYNTHESIZER, folder)
        except InputError as missing:
            try:
                return load_synthesizer(FALLBACK_SYNTHESIZER, folder)
            except InputError as error:
                raise missing from error
    if name not in synthesizer_names():
        raise InputError(f"speech synthesizer {name!r} is unknown; known are: {', '.join(synthesizer_names())}")
    try:
        if name in _PACKAGED:
            if folder is not None:
                raise InputError(f"{folder}: it brings its own voice; leave out the folder")
            return _PACKAGED[name]()
        if folder is None or not folder.is_dir():
            raise InputError(f"{folder or 'no folder given'}: give the folder with the voice's files")
        return _FROM_FOLDER[name](folder)
    except InputError as error:
        raise InputError(f"speech synthesizer {name}: {error}") from error
    except Exception as error:  # every package has errors of its own for broken voices
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(
            f"speech synthesizer {name}: cannot load {folder or 'its voice'} ({reason}); get the voice anew"
        ) from error
