"""What the named engines share: finding packages and files, and steps of audio at one level."""

from __future__ import annotations

from importlib import import_module, resources
from pathlib import Path
from typing import Any

import numpy as np

from hearing.errors import InputError
from hearing.recognition.catalogue import MODELS
from hearing.recognition.engine import Recognition, RecognizedWord
from hearing.recognition.store import locate
from hearing.types import SAMPLE_RATE, Float32Array

_LOUDEST_STEP = 0.1
_QUIETEST = 1e-5
_LEAST_PROBABILITY = 1e-6


def import_optional(package: str) -> Any:
    """Import a package that a robot does not need, of the same name on PyPI but for underscores.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise InputError(f"{error}; pip install {package.replace('_', '-')}") from error


def own_weights() -> Path:
    """Give the folder of the weights that this project trains; it need not exist."""
    return Path(str(resources.files("hearing_models.recognizer"))) / "weights"


def given_with(folder: Path | None, *names: str) -> Path:
    """Check that the user gave a folder, and that it holds these files.

    Raises
    ------
    InputError
        Naming the first file that is missing.
    """
    if folder is None:
        raise InputError("no package carries its model; give the folder with its files")
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the folder with the model's files")
    for name in names:
        if not (folder / name).exists():
            raise InputError(f"{folder / name}: no such file; give the folder with {', '.join(names)}")
    return folder


def given_or_packaged(folder: Path | None, model: str) -> Path:
    """Check that the folder holds the files that a model of the catalogue has, or find that model if there is none.

    Raises
    ------
    InputError
        If a file is missing, or the model that was found is not the published one.
    """
    if folder is None:
        return locate(MODELS[model])
    return given_with(folder, *(file.name for file in MODELS[model].files))


def recognition_of(words: tuple[RecognizedWord, ...]) -> Recognition:
    """Wrap words of an engine that judges whole words only: each counts as one token."""
    probabilities = np.maximum([word.probability for word in words], _LEAST_PROBABILITY)
    return Recognition(words, float(np.mean(np.log(probabilities))) if words else 0.0)


def to_pcm(samples: Float32Array) -> bytes:
    """Convert samples of shape (n_samples,), full scale 1, to 16-bit integers; what is louder is clipped."""
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


class Steps:
    """Cuts an utterance into steps of one length, so that the blocks in which it arrives change nothing.

    Far talkers arrive at a hundredth of the level that networks were trained on. The whole utterance is not known yet:
    the loudest step so far sets the level, which jumps at the first word and hardly changes after it.

    Parameters
    ----------
    seconds
        Length of a step.
    """

    def __init__(self, seconds: float) -> None:
        self._length = round(seconds * SAMPLE_RATE)
        self._samples: Float32Array = np.zeros(0, np.float32)
        self._loudest = _QUIETEST

    @property
    def ready(self) -> float:
        """Seconds of audio in the steps that `take` would give."""
        return len(self._samples) // self._length * self._length / SAMPLE_RATE

    def accept(self, samples: Float32Array) -> None:
        """Keep the next samples, of shape (n_samples,) at 16 kHz."""
        self._samples = np.concatenate([self._samples, samples])

    def take(self) -> list[Float32Array]:
        """Give all steps that are complete, each of shape (n_samples,)."""
        end = len(self._samples) // self._length * self._length
        steps = self._samples[:end].reshape(-1, self._length)
        self._samples = self._samples[end:]
        return [self._scaled(step) for step in steps]

    def flush(self) -> Float32Array:
        """Give what is left at the end of the utterance, of shape (n_samples,), which may be empty."""
        rest, self._samples = self._samples, self._samples[:0]
        return self._scaled(rest) if len(rest) else rest

    def _scaled(self, step: Float32Array) -> Float32Array:
        self._loudest = max(self._loudest, float(np.sqrt(np.mean(np.square(step, dtype=np.float64)))))
        return step * np.float32(_LOUDEST_STEP / self._loudest)
