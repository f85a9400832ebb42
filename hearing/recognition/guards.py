"""Guards against invented text: recognizers write sentences into noise and silence.

What is impossible (loops, more words than a person can say) is refused outright. For the rest a logistic regression
weighs the clues: that nobody speaks according to the engine; how sure it is of its words (which says the same as their
mean log-probability); whether an engine of another make heard the same; and whether the text is one of the stock
phrases that such networks learn from captions of films. Two networks invent different texts in noise, but they share
these phrases.

The weights come from 0.6-10 s of recorded and synthetic machine noise against speech of many corpora at 5-20 dB, whole
utterances and fragments, each of them dry and reverberant. As nearly all invented text in them is a stock phrase, the
fit alone would trust any other text; the weights of the other clues are raised until four fifths of the noise would be
refused without that clue, which costs some fragments under a second and a lone "Okay." in noise.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher

import numpy as np

from hearing.recognition.engine import Recognition
from hearing.recognition.text import normalized

_MOST_REPETITION = 2.4
_WORDS_PER_SECOND = 6.0
_SPARE_WORDS = 2

_BIAS = 9.0
_NO_SPEECH = -14.0
_WORD_PROBABILITY = 8.0
_AGREEMENT = 1.5
_STOCK = -5.5

_SURE_DRAFT = -0.5

_STOCK_PHRASES = re.compile(
    r"(you|thankyou|thankyouverymuch|thanks|(thankyou|thanks)forwatching|pleasesubscribe|bye|oh|so|okay|yeah|imsorry)+"
    r"|(subtitle|caption|transcript|translat)(s|d|ed|ion)?by.*|transcriptemilybeynon"
)


def reason_to_drop(final: Recognition, draft: Recognition, duration: float) -> str | None:
    """Say why the words of an utterance were never said, or None if they are believed.

    Parameters
    ----------
    final
        What the accurate engine makes of the utterance.
    draft
        What another engine makes of it.
    duration
        Length of the utterance in seconds.
    """
    if reason := _impossible(final, duration):
        return reason
    evidence = log_odds(final, draft)
    if evidence < 0:
        return (
            f"log-odds of speech {evidence:.1f} (no-speech probability {final.no_speech_prob or 0:.2f}, "
            f"word probability {_word_probability(final):.2f}, agreement {agreement(final, draft):.2f}, "
            f"stock phrase: {is_stock(final)})"
        )
    return None


def is_sure(draft: Recognition, duration: float) -> bool:
    """Tell whether a draft is good enough to be shown before the next one confirms it.

    Parameters
    ----------
    draft
        What the cheap engine makes of the utterance so far.
    duration
        Length of the utterance so far in seconds.
    """
    return not is_invented(draft, duration) and draft.avg_logprob > _SURE_DRAFT


def is_invented(draft: Recognition, duration: float) -> bool:
    """Tell whether a draft is worth nothing: a loop, impossibly many words, a stock phrase or nothing at all."""
    return _impossible(draft, duration) is not None or is_stock(draft)


def log_odds(final: Recognition, draft: Recognition) -> float:
    """Natural log-odds that somebody speaks rather than a machine; 0 is the decision threshold."""
    return (
        _BIAS
        + _NO_SPEECH * (final.no_speech_prob or 0.0)
        + _WORD_PROBABILITY * _word_probability(final)
        + _AGREEMENT * agreement(final, draft)
        + _STOCK * is_stock(final)
    )


def agreement(first: Recognition, second: Recognition) -> float:
    """Share of letters that two recognitions have in common in order; words are often split or spelled differently."""
    matcher = SequenceMatcher(None, _letters(first), _letters(second), autojunk=False)
    return matcher.ratio() if first.words and second.words else 0.0


def is_stock(recognition: Recognition) -> bool:
    """Tell whether a text is nothing but phrases that recognizers write into noise."""
    return _STOCK_PHRASES.fullmatch(_letters(recognition)) is not None


def _impossible(recognition: Recognition, duration: float) -> str | None:
    """Say why nobody can have said it, or None."""
    if not recognition.words:
        return "no words"
    if recognition.compression_ratio > _MOST_REPETITION:
        return f"it repeats itself (compression ratio {recognition.compression_ratio:.1f})"
    if len(recognition.words) > _WORDS_PER_SECOND * duration + _SPARE_WORDS:
        return f"{len(recognition.words)} words in {duration:.1f} s"
    return None


def _word_probability(recognition: Recognition) -> float:
    return float(np.mean([word.probability for word in recognition.words]))


def _letters(recognition: Recognition) -> str:
    return "".join(normalized(recognition.words))
