"""Whether a mouth is seen, or covered by a mask, a hand or a cup: landmarks are found there all the same.

What shows mouths is made up of the principal components of mouths (Turk and Pentland 1991, Eigenfaces for recognition,
section "Using eigenfaces to detect faces"); what covers them is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.types import Float32Array

FILE = "mouths.npz"
"""Beside the lip networks' weights."""


def reduced(pictures: Float32Array) -> Float32Array:
    """Return pictures of mouths (..., 48, 64) at half the size as (..., 768), with mean 0 and standard deviation 1."""
    *more, height, width = pictures.shape
    halves = pictures.reshape(*more, height // 2, 2, width // 2, 2).mean(axis=(-3, -1)).reshape(*more, -1)
    halves = halves - halves.mean(axis=-1, keepdims=True)
    shades: Float32Array = halves / np.maximum(halves.std(axis=-1, keepdims=True), 0.05)
    return shades


@dataclass(frozen=True, slots=True, eq=False)
class MouthLooks:
    """How mouths look.

    Attributes
    ----------
    mean, components
        Of pictures at half the size, of shape (768,) and (n_components, 768).
    limit
        Strangeness of a mouth above which it is covered.
    """

    mean: Float32Array
    components: Float32Array
    limit: float

    @classmethod
    def beside(cls, weights: Path) -> MouthLooks:
        """Read what the fit (`hearing_models.lips.covers`) has written into the folder of the lip networks' weights.

        Raises
        ------
        InputError
            If the file is missing or damaged.
        """
        path = weights / FILE
        try:
            with np.load(path) as kept:
                mean, components = kept["mean"].astype(np.float32), kept["components"].astype(np.float32)
                return cls(mean, components, float(kept["limit"]))
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{path}: no looks of mouths ({error!r}); install the package again") from error

    def strangeness(self, pictures: Float32Array) -> NDArray[np.float32]:
        """Return the share of pictures (..., 48, 64) that is no mouth, of shape (...); 1 where they are blank."""
        shades = reduced(pictures)
        blank = (shades**2).mean(axis=-1) < 0.5
        shades = shades - self.mean
        known = shades @ self.components.T
        rest: NDArray[np.float32] = ((shades**2).sum(axis=-1) - (known**2).sum(axis=-1)) / self.mean.size
        return np.where(blank, np.float32(1), rest)
