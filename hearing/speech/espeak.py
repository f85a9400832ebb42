"""eSpeak NG, for machines without the packaged voice: small, quick, robotic. Runs as a program of its own."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.speech.synthesizer import Synthesizer, at_pipeline_rate
from hearing.speech.timing import shared_out, typical_lengths
from hearing.types import Float32Array

_PROGRAM = "espeak-ng"
_VOICE = "en-us"
_WORDS_PER_MINUTE = 165
_HEADER = 44
_PATIENCE = 20.0


class EspeakSynthesizer(Synthesizer):
    """The program `espeak-ng`; words share the sound of a clause by their typical length.

    Raises
    ------
    InputError
        If the program isn't installed.
    """

    name = "espeak-ng"

    def __init__(self) -> None:
        program = shutil.which(_PROGRAM)
        if program is None:
            raise InputError(f"no program {_PROGRAM}; apt install {_PROGRAM}")
        self._program = program

    def _voiced(self, words: Sequence[str], rate: float) -> tuple[Float32Array, NDArray[np.float64]]:
        speed = str(round(_WORDS_PER_MINUTE * rate))
        command = [self._program, "-v", _VOICE, "-s", speed, "-b", "1", "--stdin", "--stdout"]
        try:
            done = subprocess.run(command, input=" ".join(words).encode(), capture_output=True, timeout=_PATIENCE)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError(f"{self._program}: {error}; install espeak-ng anew") from error
        if done.returncode or len(done.stdout) < _HEADER or done.stdout[:4] != b"RIFF":
            reason = done.stderr.decode(errors="replace").strip().splitlines() or ["no sound"]
            raise InputError(f"{self._program}: {reason[0]}; install espeak-ng anew")
        # The header promises endless sound, because its length isn't known when it is written.
        (sample_rate,) = struct.unpack_from("<I", done.stdout, 24)
        pcm = np.frombuffer(done.stdout[_HEADER : len(done.stdout) // 2 * 2], "<i2")
        samples = at_pipeline_rate(pcm.astype(np.float32) / 32768, sample_rate)
        return samples, shared_out(samples, typical_lengths(words))
