"""Where another person goes on within an utterance, from about the same direction and without a pause.

What is heard before and after each pause between words is compared: who would say either part if one person said both,
and if another one went on (Chen & Gopalakrishnan 1998, with likelihoods of what is known of people in place of the
Bayesian information criterion).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np

from hearing.attribution.heard import Heard
from hearing.attribution.voice_prints import VoiceSample
from hearing.voices import VoiceProfile

LEAST = 1.5
"""Seconds without which a voice is not told from another one."""
NEARBY = float(np.log(360 / 30))
"""Log-likelihood ratio of the direction of somebody new who is heard in another one's beam: within 30 degrees."""

Listener = Callable[[float, float], VoiceSample | None]
"""Tells how an utterance sounds between two times in seconds."""
Judge = Callable[[Heard, Heard], float]
"""Tells the log odds that another person says the second part of an utterance."""


def find_takeover(heard: Heard, pauses: Sequence[float], listen: Listener, judge: Judge) -> tuple[Heard, Heard] | None:
    """Part an utterance where another person most likely goes on.

    Parameters
    ----------
    heard
        The utterance.
    pauses
        Times between its words, in seconds.
    listen, judge
        See there.

    Returns
    -------
    Both parts, if there is a pause where the odds are above 0.
    """
    edges = stretches(heard.start, heard.end, pauses)
    if len(edges) < 3:
        return None
    voices = [listen(*between) for between in pairwise(edges)]

    def parts(at: int, time: float, before: VoiceSample | None, after: VoiceSample | None) -> tuple[Heard, Heard]:
        first, second = heard.parted(time)
        first.voice, second.voice = joined([*voices[: at - 1], before]), joined([after, *voices[at + 1 :]])
        return first, second

    rough = {at: judge(*parts(at, edges[at], voices[at - 1], voices[at])) for at in range(1, len(edges) - 1)}
    at = max(rough, key=lambda index: rough[index])
    if rough[at] <= 0:
        return None
    begin, end = edges[at - 1], edges[at + 1]
    found = [parts(at, time, listen(begin, time), listen(time, end)) for time in pauses if begin < time < end]
    odds = [judge(*both) for both in found]
    return found[int(np.argmax(odds))] if max(odds) > 0 else None


def stretches(start: float, end: float, pauses: Iterable[float]) -> list[float]:
    """Choose pauses so that there are `LEAST` seconds from each one to the next; give them with both ends.

    >>> stretches(0.0, 5.0, [0.5, 1.6, 1.9, 3.2])
    [0.0, 1.6, 3.2, 5.0]
    """
    edges = [start]
    for time in pauses:
        if time - edges[-1] >= LEAST and end - time >= LEAST:
            edges.append(time)
    return [*edges, end]


def joined(samples: Iterable[VoiceSample | None]) -> VoiceSample | None:
    """Return how stretches of one voice sound together; None if nothing is heard in any."""
    profile = VoiceProfile()
    for sample in samples:
        if sample is not None:
            profile.update(sample.embedding, sample.quality)
    return VoiceSample(profile.embedding, profile.quality) if profile.heard else None
