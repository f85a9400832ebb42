"""What the likeness of two voices means: a log-likelihood ratio of being the same person's.

The embedding of a short or noisy utterance holds little of the voice, so that a cosine says the less, the worse either
of both is. `hearing_models.voices.calibration` fits how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from hearing.likeness import log_ratio, read_calibration

CONTRAST = 2.0
"""Spread of the log-mel frames of a usual utterance in a room, in natural logarithms of power."""
DOUBT = 0.0025
"""See `likeness.log_ratio`: no fit to a few thousand pairs can know more, so that ratios stay below 6."""
COEFFICIENTS = ("half", "clarity", "slope", "middle")
"""Of a `VoiceLikelihood`."""


def own_weights() -> Path:
    """Give the folder of the project's speaker encoder."""
    return Path(str(resources.files("hearing_models"))) / "voices" / "weights"


@dataclass(frozen=True, slots=True)
class VoiceLikelihood:
    """A fitted logistic regression on the cosine and on what both embeddings are worth.

    Attributes
    ----------
    encoder
        Name of the speaker encoder that it was fitted to; embeddings of others mean nothing to it.
    half
        Seconds of speech at the usual contrast after which half of the embedding's variance is the voice's.
    clarity
        How much more a second says per unit of contrast, as a natural logarithm.
    slope
        Of the ratio over the cosine where both embeddings are perfect.
    middle
        Cosine there that speaks neither for one person nor for two.
    """

    encoder: str
    half: float
    clarity: float
    slope: float
    middle: float

    @classmethod
    def beside(cls, weights: Path) -> VoiceLikelihood:
        """Read what the fit has written into the folder of the weights.

        Raises
        ------
        InputError
            If the file is missing or damaged.
        """
        encoder, fit = read_calibration(weights, COEFFICIENTS, "voices")
        return cls(encoder, *fit)

    def quality(self, seconds: float, contrast: float) -> float:
        """Return what an embedding is worth, in [0, 1): the share of its variance that is the voice's.

        Parameters
        ----------
        seconds
            Of speech that was heard.
        contrast
            Standard deviation over time of its log-mel frames, averaged over the bands: noise and echoes fill the
            gaps between sounds.
        """
        information = seconds / self.half * float(np.exp(self.clarity * (contrast - CONTRAST)))
        return information / (1.0 + information)

    def log_ratio(self, cosine: float, quality: float, other_quality: float) -> float:
        """Return the natural log-likelihood ratio of one person to two, given a cosine and both qualities."""
        return log_ratio(cosine, quality, other_quality, self.slope, self.middle, DOUBT)
