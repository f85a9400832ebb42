"""A person's voice: what several utterances say about it together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hearing.types import Float32Array

_BEST = 0.999
"""No embedding is worth more."""


@dataclass(slots=True)
class VoiceProfile:
    """A quality-weighted running mean of embeddings.

    Attributes
    ----------
    total
        Sum of the embeddings, each times its quality, of shape (n_dimensions,); empty at first.
    information
        What all of them say together: odds of a quality, which add up as long as their errors are independent.
    heard
        Number of the utterances.
    """

    total: Float32Array = field(default_factory=lambda: np.zeros(0, np.float32))
    information: float = 0.0
    heard: int = 0

    def update(self, embedding: Float32Array, quality: float) -> None:
        """Add an utterance.

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

    def joined(self, other: VoiceProfile) -> VoiceProfile:
        """Return what both say together."""
        total = self.total + other.total if self.heard and other.heard else other.total if other.heard else self.total
        return VoiceProfile(total, self.information + other.information, self.heard + other.heard)

    @property
    def embedding(self) -> Float32Array:
        """The mean, of length 1 and of shape (n_dimensions,); empty if nothing was heard."""
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
    def from_dict(cls, record: dict[str, Any]) -> VoiceProfile:
        """Restore what `to_dict` gave."""
        return cls(np.array(record["total"], np.float32), float(record["information"]), int(record["heard"]))
