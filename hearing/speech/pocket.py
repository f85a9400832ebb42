"""Pocket TTS by Kyutai, https://github.com/kyutai-labs/pocket-tts: a language model of sound, on torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.recognition.engines.support import given_with, import_optional
from hearing.speech.synthesizer import Synthesizer, at_pipeline_rate
from hearing.speech.timing import shared_out, typical_lengths
from hearing.types import Float32Array

_CONFIG, _VOICE = "config.yaml", "voice.safetensors"


class PocketSynthesizer(Synthesizer):
    """Pocket TTS; words share the sound of a clause by their typical length, rate and pitch stay the voice's own.

    It draws at random: the same text never sounds twice the same.

    Parameters
    ----------
    folder
        Holds `config.yaml`, one of the package's whose paths of weights and tokenizer name local files, and
        `voice.safetensors`, a state that `export_model_state` wrote.

    Raises
    ------
    InputError
        If pocket-tts is not installed, or a file is missing or on the network.
    """

    name = "pocket-tts"
    takes_rate = False

    def __init__(self, folder: Path) -> None:
        package = import_optional("pocket_tts")
        given_with(folder, _CONFIG, _VOICE)
        lines = (folder / _CONFIG).read_text(encoding="utf-8").splitlines()
        if any("://" in line.partition("#")[0] for line in lines):
            raise InputError(f"{folder / _CONFIG}: names files on the network; download them and give their paths")
        self._model = package.TTSModel.load_model(config=folder / _CONFIG)
        self._state = self._model.get_state_for_audio_prompt(folder / _VOICE)

    def _voiced(self, words: Sequence[str], rate: float) -> tuple[Float32Array, NDArray[np.float64]]:
        sound = self._model.generate_audio(self._state, " ".join(words)).numpy()
        samples = at_pipeline_rate(sound.reshape(-1), self._model.sample_rate)
        return samples, shared_out(samples, typical_lengths(words))
