"""The packaged voice: hibari, distilled from Kokoro-82M (Apache-2.0), and the durations that its network predicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.speech.synthesizer import Synthesizer, at_pipeline_rate
from hearing.speech.timing import of_written, trimmed
from hearing.types import Float32Array

# The network's inner result: frames that each phoneme takes. The sound has a fixed number of samples for each.
_DURATIONS = "/Clip_output_0"
_GRAPH, _OUTPUT, _NAME = 7, 12, 1
_PAUSES = frozenset(' ;:,.!?\u2014\u2026"()\u201c\u201d')
_AHEAD = 0.03
"""Seconds by which sounds are heard before the durations say, measured against forced alignment."""


class HibariSynthesizer(Synthesizer):
    """hibari's voice "heart" (American English), on one thread.

    Raises
    ------
    InputError
        If hibari-tts is not installed.
    """

    name = "hibari"

    def __init__(self) -> None:
        try:
            from hibari import Hibari, dsp
            from hibari.g2p.normalize import normalize
            from hibari.voices import DEFAULT, voice_path
        except ImportError as error:
            raise InputError(f"{error}; pip install hibari-tts") from error
        with open(voice_path(DEFAULT), "rb") as file:
            model = file.read()
        self._voice = Hibari(model=model + _also_put_out(_DURATIONS), threads=1)
        self._grapheme_to_phoneme = self._voice.g2p  # loaded now, not with the first word
        self._spell_out = normalize
        self._vocoder: Any = dsp.synth

    def _voiced(self, words: Sequence[str], rate: float) -> tuple[Float32Array, NDArray[np.float64]]:
        tokens = self._grapheme_to_phoneme.phonemize_tokens(
            self._grapheme_to_phoneme.tokenize(self._spell_out(" ".join(words)))
        )
        known = self._voice.vocab
        # Of every spoken word the range of its phonemes; a word begins to sound in the blank before it.
        spoken, ranges = [""], [[1, 0]]
        ids = [0]
        for token in tokens:
            phonemes = [phoneme for phoneme in token.phonemes or "" if phoneme in known]
            sounds = [at for at, phoneme in enumerate(phonemes, len(ids)) if phoneme not in _PAUSES]
            if sounds:
                ranges[-1][1] = sounds[-1] + 1
            spoken[-1] += token.text
            ids += [known[phoneme] for phoneme in phonemes]
            if token.whitespace:
                ids.append(known[" "])
                spoken.append("")
                ranges.append([len(ids) - 1, 0])
        if len(ids) == 1:  # letters of a language that the voice doesn't speak
            return np.zeros(0, np.float32), np.zeros((len(words), 2))
        samples, bounds = self._sound([*ids, 0], rate)
        ends = np.maximum.accumulate([end for _, end in ranges])
        starts = np.minimum([start for start, _ in ranges], ends)
        times = np.maximum(bounds[np.stack([starts, ends], axis=1)] - _AHEAD, 0.0)
        return samples, of_written(words, spoken, trimmed(samples, times))

    def _sound(self, ids: Sequence[int], rate: float) -> tuple[Float32Array, NDArray[np.float64]]:
        """Make the sound, of shape (n_samples,), and the times at which phonemes begin, of shape (len(ids) + 1,)."""
        inputs = {"ids": np.asarray([ids], np.int64), "speed": np.asarray([rate], np.float32)}
        *outputs, durations = self._voice.sess.run(None, inputs)
        sound = self._vocoder(*(part[0] for part in outputs), np.random.default_rng(0))
        bounds = np.concatenate([[0.0], np.cumsum(durations)])
        bounds *= len(sound) / self._voice.sample_rate / bounds[-1]
        return at_pipeline_rate(sound, self._voice.sample_rate), bounds


def _also_put_out(name: str) -> bytes:
    """Return what makes a result inside an ONNX graph an output if it is appended to the file.

    Serialised messages of Protocol Buffers merge when they are concatenated: this is a model whose graph has one
    output and nothing else.
    """
    return _field(_GRAPH, _field(_OUTPUT, _field(_NAME, name.encode())))


def _field(number: int, content: bytes) -> bytes:
    """Encode a field of fewer than 128 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content
