"""A batch of examples, and how its sequences are padded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

IGNORED = -100
"""Target of the positions that do not count."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples, padded.

    Attributes
    ----------
    mel, clean
        Of shape (B, 2 T, 80).
    frames
        Encoder frames of each example, of shape (B,).
    tokens, targets
        What the decoder is told and what it shall say, of shape (B, L); targets are `IGNORED` within the prompt and
        after the end.
    letters, n_letters
        What is spoken, of shape (B, M), and how many letters each has.
    """

    mel: Tensor
    clean: Tensor
    frames: Tensor
    tokens: Tensor
    targets: Tensor
    letters: Tensor
    n_letters: Tensor


def padded(rows: Sequence[Sequence[int]], filler: int, device: torch.device) -> Tensor:
    """Return rows as one tensor, filled up to the longest."""
    longest = max(1, *(len(row) for row in rows)) if rows else 1
    return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows], device=device)
