"""People whom the robot hears: where they are, how they sound, which faces are theirs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hearing.attribution.cues import DirectionCue
from hearing.attribution.voice_prints import VoiceSample
from hearing.sphere import azimuths_apart
from hearing.voices import VoiceLikelihood, VoiceProfile


@dataclass(slots=True, eq=False)
class Person:
    """Somebody, as far as he is known.

    Attributes
    ----------
    name
        What he is called in utterances.
    place
        Unit vector of shape (3,) towards where he was last heard or seen, in the frame that the array had when the
        stream began; None if that is not known.
    time
        When he was there, in seconds.
    voice
        How he sounds.
    faces
        Seconds of his speech in which a face was his, by face.
    utterances, last
        Those that are his, and the last one that he was learned from.
    enrolled
        Whether he is remembered from before.
    """

    name: str
    place: NDArray[np.float64] | None = None
    time: float = 0.0
    voice: VoiceProfile = field(default_factory=VoiceProfile)
    faces: dict[str, float] = field(default_factory=dict)
    utterances: set[str] = field(default_factory=set)
    last: str = ""
    enrolled: bool = False

    def direction_ratio(self, cue: DirectionCue, place: NDArray[np.float64], time: float) -> float:
        """Log-likelihood ratio of being heard at a place."""
        if self.place is None:
            return 0.0
        return cue.log_ratio(azimuths_apart(place, self.place), time - self.time)

    def voice_ratio(self, likelihood: VoiceLikelihood, heard: VoiceSample | None) -> float:
        """Log-likelihood ratio of sounding like this."""
        if heard is None or not self.voice.heard:
            return 0.0
        cosine = float(self.voice.embedding @ heard.embedding)
        return likelihood.log_ratio(cosine, heard.quality, self.voice.quality)

    def learn(self, heard: VoiceSample | None, belief: float) -> None:
        """Take an utterance's voice for his, as much as that is believed."""
        if heard is not None:
            self.voice.update(heard.embedding, heard.quality * belief)

    def snapshot(self) -> Person:
        """Copy what is known of him."""
        voice = replace(self.voice)
        return replace(self, voice=voice, faces=dict(self.faces), utterances=set(self.utterances))
