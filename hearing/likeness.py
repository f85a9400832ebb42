"""What is known of a person's voice or face by embeddings of it, and what the likeness of two of them means.

The embedding of a short or noisy utterance, or of a small face, holds little of the person: its likeness to others says
the less. What an embedding is worth is a quality in [0, 1): the share of its variance that is the
person's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hearing.fitted import read_fitted
from hearing.types import Float32Array

CALIBRATION = "calibration.json"
"""What `read_calibration` reads, beside an encoder's weights."""
_BEST = 0.999
"""No embedding is worth more."""


def log_ratio(
    likeness: float, quality: float, other_quality: float, slope: float, middle: float, doubt: float
) -> float:
    """Return the natural log-likelihood ratio of one person to two, given two embeddings' likeness and qualities.

    The worse the embeddings, the less alike are those of one person, and the less the ratio is; 0 if one is worth
    nothing.

    Parameters
    ----------
    likeness
        1 if they are the same, about 0 for strangers.
    quality, other_quality
        What they are worth, in [0, 1].
    slope
        Of the ratio over the likeness where both embeddings are perfect.
    middle
        Likeness there that speaks neither for one person nor for two.
    doubt
        Share of strangers who are taken for somebody whatever the likeness, and the other way round: the ratio stays
        below the logarithm of its inverse.
    """
    worth = float(np.sqrt(quality * other_quality))
    odds = float(np.exp(np.clip(slope * worth * (likeness - middle * worth), -50.0, 50.0)))
    return float(np.log((odds + doubt) / (1.0 + doubt * odds)))


def read_calibration(weights: Path, coefficients: Sequence[str], what: str) -> tuple[str, list[float]]:
    """Read what a fit has written into the folder of an encoder's weights.

    Parameters
    ----------
    weights
        The folder.
    coefficients
        Names of the fit's coefficients.
    what
        `voices` or `faces`, for people.

    Returns
    -------
    Name of the encoder that was fitted to, and the coefficients in their order.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    return read_fitted(
        weights / CALIBRATION,
        lambda record: (str(record["encoder"]), [float(record["fit"][name]) for name in coefficients]),
        f"calibration of {what}",
    )


@dataclass(slots=True)
class Profile:
    """A quality-weighted running mean of embeddings of one person.

    Attributes
    ----------
    total
        Sum of the embeddings, each times its quality, of shape (n_dimensions,); empty at first.
    information
        What all of them say together: odds of a quality, which add up as long as their errors are independent.
    heard
        Number of the embeddings.
    """

    total: Float32Array = field(default_factory=lambda: np.zeros(0, np.float32))
    information: float = 0.0
    heard: int = 0

    def update(self, embedding: Float32Array, quality: float) -> None:
        """Add an embedding.

        Parameters
        ----------
        embedding
            Of length 1 and of shape (n_dimensions,).
        quality
            What it is worth, in [0, 1].
        """
        quality = min(max(quality, 0.0), _BEST)
        weighted = np.float32(quality) * embedding
        self.total = self.total + weighted if len(self.total) else weighted
        self.information += quality / (1.0 - quality)
        self.heard += 1

    def joined(self, other: Profile) -> Profile:
        """Return what both say together."""
        total = self.total + other.total if self.heard and other.heard else other.total if other.heard else self.total
        return Profile(total, self.information + other.information, self.heard + other.heard)

    @property
    def embedding(self) -> Float32Array:
        """The mean, of length 1 and of shape (n_dimensions,); empty without any."""
        length = float(np.linalg.norm(self.total))
        return self.total / np.float32(length) if length else self.total

    @property
    def quality(self) -> float:
        """What the mean is worth, in [0, 1)."""
        return self.information / (1.0 + self.information)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {"total": self.total.tolist(), "information": self.information, "heard": self.heard}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Profile:
        """Restore what `to_dict` gave."""
        return cls(np.array(record["total"], np.float32), float(record["information"]), int(record["heard"]))
