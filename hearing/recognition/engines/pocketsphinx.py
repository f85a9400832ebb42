"""PocketSphinx (Huggins-Daines et al. 2006): no network, and the only engine whose package holds a complete model.

It is the baseline of what recognition was before neural networks.
"""

from __future__ import annotations

from hearing.recognition.engine import Recognition, RecognizedWord, at_speech_level
from hearing.recognition.engines.support import import_optional, recognition_of, to_pcm
from hearing.recognition.text import normalize
from hearing.types import SAMPLE_RATE, Float32Array

_FRAMES_PER_SECOND = 100
_SHORTEST = 0.1
# Silence and noises are words of its dictionary: <sil>, [NOISE], ++COUGH++.
_NO_WORD = ("<", "[", "+")


class PocketSphinx:
    """PocketSphinx in English with the model, the dictionary and the language model of its package."""

    def __init__(self) -> None:
        package = import_optional("pocketsphinx")
        self._decoder = package.Decoder(loglevel="FATAL", cmn="batch", dither=False)

    def transcribe(self, samples: Float32Array) -> Recognition:
        """Recognize an utterance.

        Parameters
        ----------
        samples
            Float32 array of shape (n_samples,) at 16 kHz. Anything shorter than 0.1 s holds no word.
        """
        duration = len(samples) / SAMPLE_RATE
        if duration < _SHORTEST:
            return Recognition()
        decoder = self._decoder
        # What the features remember of one utterance would change the words of the next.
        decoder.reinit_feat()
        decoder.start_utt()
        decoder.process_raw(to_pcm(at_speech_level(samples)), full_utt=True)
        decoder.end_utt()
        # The posteriors are fixed-point and may exceed 1 by a little.
        return recognition_of(
            tuple(
                RecognizedWord(
                    segment.word.partition("(")[0],  # "read(2)" is the second way to say it
                    min(segment.start_frame / _FRAMES_PER_SECOND, duration),
                    min((segment.end_frame + 1) / _FRAMES_PER_SECOND, duration),
                    min(segment.prob, 1.0),
                )
                for segment in decoder.seg() or ()
                if normalize(segment.word) and not segment.word.startswith(_NO_WORD)
            )
        )
