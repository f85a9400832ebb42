"""How far the recognizer's words are to be believed, and when it had better say nothing: a blank beats a guess."""

from __future__ import annotations

import numpy as np

from hearing.recognition.engine import Recognition

_MOST_REPETITION = 2.4
_WORDS_PER_SECOND = 6.0
_SPARE_WORDS = 2
_NOBODY = 0.1
_LEAST_LIVENESS = -2.0
_LEAST_PROBABILITY = 0.3
# Of development speech it is above -2, in noise and reverberation above -3; a text that nobody said was at -15.
_LEAST_LETTER = -6.0


def reason_to_drop(heard: Recognition, duration: float, liveness: float = 0.0) -> str | None:
    """Say why the words of an utterance were never said, or None if they are believed.

    Parameters
    ----------
    heard
        The final words.
    duration
        Length of the utterance in seconds.
    liveness
        Log-odds that somebody speaks who is there, see `Liveness`.
    """
    if not heard.words:
        return "no words"
    if heard.compression_ratio > _MOST_REPETITION:
        return f"it repeats itself (compression ratio {heard.compression_ratio:.1f})"
    if len(heard.words) > _WORDS_PER_SECOND * duration + _SPARE_WORDS:
        return f"{len(heard.words)} words in {duration:.1f} s"
    if (heard.no_speech_prob or 0.0) > _NOBODY:
        return f"probability {heard.no_speech_prob:.2f} that nobody speaks"
    if liveness < _LEAST_LIVENESS:
        return f"log-odds {liveness:.1f} that it is no loudspeaker"
    if (probability := float(np.mean([word.probability for word in heard.words]))) < _LEAST_PROBABILITY:
        return f"word probability {probability:.2f}"
    if heard.letter_logprob is not None and heard.letter_logprob < _LEAST_LETTER:
        return f"log-probability {heard.letter_logprob:.1f} of its letters"
    return None
