"""faster-whisper as it comes, to compare with: every utterance is padded to 30 s and encoded whole.

`hearing.recognition.whisper` runs the same network without the padding.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel

from hearing.recognition.engine import Recognition, RecognizedWord, at_speech_level
from hearing.recognition.text import normalize
from hearing.types import SAMPLE_RATE, Float32Array

_SHORTEST = 0.1


class FasterWhisper:
    """The package's `WhisperModel`, in English, greedy, without its voice activity detector.

    Parameters
    ----------
    folder
        Holds a CTranslate2 model: `model.bin`, `config.json`, `tokenizer.json` and `vocabulary.txt`.
    threads
        Threads that CTranslate2 may use.
    """

    def __init__(self, folder: Path, threads: int = 2) -> None:
        self._model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)

    def transcribe(self, samples: Float32Array) -> Recognition:
        """Recognize an utterance of any length.

        Parameters
        ----------
        samples
            Float32 array of shape (n_samples,) at 16 kHz. Anything shorter than 0.1 s holds no word.
        """
        duration = len(samples) / SAMPLE_RATE
        if duration < _SHORTEST:
            return Recognition()
        # At its default temperatures a doubtful utterance is sampled: the same audio would give other words.
        segments, _ = self._model.transcribe(
            at_speech_level(samples),
            language="en",
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            vad_filter=False,
            word_timestamps=True,
        )
        heard = [segment for segment in segments if segment.tokens]
        if not heard:
            return Recognition()
        words = tuple(
            RecognizedWord(word.word.strip(), min(word.start, duration), min(word.end, duration), word.probability)
            for segment in heard
            for word in segment.words
            if normalize(word.word)
        )
        n_tokens = [len(segment.tokens) for segment in heard]
        avg_logprob = float(np.average([segment.avg_logprob for segment in heard], weights=n_tokens))
        no_speech_prob = float(np.average([segment.no_speech_prob for segment in heard], weights=n_tokens))
        return Recognition(words, avg_logprob, no_speech_prob)
