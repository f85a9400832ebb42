"""Piper voices (VITS), https://github.com/OHF-Voice/piper1-gpl; its package is under the GPL and none of it is ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.recognition.engines.support import import_optional
from hearing.speech.synthesizer import Synthesizer, at_pipeline_rate
from hearing.speech.timing import shared_out, typical_lengths
from hearing.types import Float32Array


class PiperSynthesizer(Synthesizer):
    """A Piper voice; words share the sound of a clause by their typical length.

    Parameters
    ----------
    folder
        Holds one voice as Piper publishes them: `NAME.onnx` and `NAME.onnx.json`.

    Raises
    ------
    InputError
        If piper-tts is not installed, or the folder doesn't hold exactly one voice.
    """

    name = "piper"

    def __init__(self, folder: Path) -> None:
        try:
            self._package = import_optional("piper")
        except InputError as error:
            raise InputError("no package piper; pip install piper-tts") from error
        models = sorted(folder.glob("*.onnx"))
        if len(models) != 1:
            raise InputError(f"{folder}: holds {len(models)} files *.onnx; give the folder of one voice")
        if not models[0].with_suffix(".onnx.json").is_file():
            raise InputError(f"{models[0]}.json: no such file; it is published beside the voice")
        self._voice = self._package.PiperVoice.load(models[0])

    def _voiced(self, words: Sequence[str], rate: float) -> tuple[Float32Array, NDArray[np.float64]]:
        config = self._package.SynthesisConfig(length_scale=self._voice.config.length_scale / rate)
        chunks = list(self._voice.synthesize(" ".join(words), syn_config=config))
        if not chunks:
            return np.zeros(0, np.float32), np.zeros((len(words), 2))
        sound = np.concatenate([chunk.audio_float_array for chunk in chunks])
        samples = at_pipeline_rate(sound, chunks[0].sample_rate)
        return samples, shared_out(samples, typical_lengths(words))
