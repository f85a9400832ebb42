"""What the likeness of two faces means: a log-likelihood ratio of being the same person's.

A small, blurred or turned face holds little of the person, so that a cosine says the less, the worse either of both is.
`hearing_models.faces.calibration` fits how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hearing.likeness import log_ratio, read_calibration

DOUBT = 0.006
"""See `likeness.log_ratio`: the network's error on photographs from everywhere, as published (LFW, 99.38 % right); the
photographs of the fit are alike in all but the face. Ratios stay below 5.1."""
COEFFICIENTS = ("strangers", "half", "power", "slope", "middle")
"""Of a `FaceLikelihood`."""


@dataclass(frozen=True, slots=True)
class FaceLikelihood:
    """A fitted logistic regression on the cosine and on what both embeddings are worth.

    Attributes
    ----------
    encoder
        Name of the face encoder that it was fitted to; embeddings of others mean nothing to it.
    strangers
        Mean cosine of two people's embeddings: whatever is a face has much in common.
    half
        Quality of a face at which half of what its embedding adds to that is the person's.
    power
        How much faster than the quality the odds of that grow.
    slope, middle
        See `likeness.log_ratio`.
    """

    encoder: str
    strangers: float
    half: float
    power: float
    slope: float
    middle: float

    @classmethod
    def beside(cls, weights: Path) -> FaceLikelihood:
        """Read what the fit has written into the folder of the weights.

        Raises
        ------
        InputError
            If the file is missing or damaged.
        """
        encoder, fit = read_calibration(weights, COEFFICIENTS, "faces")
        return cls(encoder, *fit)

    def quality(self, seen: float) -> float:
        """Return what an embedding is worth, in [0, 1), by how much can be seen of the face, `Face.quality`."""
        information = (seen / self.half) ** self.power
        return float(information / (1.0 + information))

    def log_ratio(self, cosine: float, quality: float, other_quality: float) -> float:
        """Return the natural log-likelihood ratio of one person to two, given a cosine and both qualities."""
        likeness = (cosine - self.strangers) / (1.0 - self.strangers)
        return log_ratio(likeness, quality, other_quality, self.slope, self.middle, DOUBT)
