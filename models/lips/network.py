"""The two networks: one sees a mouth, one hears a track; what belongs together gets embeddings that fit.

Tensors are named by their axes: B mouths or tracks, T frames (of the camera, or of 40 ms of sound), D dimensions.
"""

from __future__ import annotations

import torch
from hearing_models.lips.articulation import N_CLASSES
from torch import Tensor, nn

from hearing.vision.lips import N_FEATURES
from hearing.vision.synchrony import N_POINT, N_SOUND

_HIDDEN = 160


class Head(nn.Module):
    """What comes out of either network: a point, and probabilities of the visemes."""

    def __init__(self) -> None:
        super().__init__()
        self.point = nn.Linear(_HIDDEN, N_POINT)
        self.viseme = nn.Linear(_HIDDEN, N_CLASSES)

    def forward(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return points (B, T, N_POINT) and logits (B, T, N_CLASSES)."""
        return self.point(hidden), self.viseme(hidden)


class LipEncoder(nn.Module):
    """Motion of lips to what a mouth does: a recurrent unit along time."""

    def __init__(self) -> None:
        super().__init__()
        self.lips = nn.Sequential(nn.Linear(N_FEATURES, 112), nn.ReLU(), nn.Dropout(0.1))
        self.memory = nn.GRU(112, _HIDDEN, batch_first=True)
        self.speaking = nn.Linear(_HIDDEN, 1)
        self.head = Head()

    def forward(self, features: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Read lips.

        Parameters
        ----------
        features
            See `lip_features`, of shape (B, T, N_FEATURES).
        memory
            Of shape (B, D); zeros at first.

        Returns
        -------
        Logits of speaking (B, T), points (B, T, N_POINT), logits of visemes (B, T, N_CLASSES), memory (B, D).
        """
        hidden, after = self.memory(self.lips(features), memory[None].contiguous())
        return self.speaking(hidden)[..., 0], *self.head(hidden), after[0]


class SoundEncoder(nn.Module):
    """Sound of a track to the mouth that would make it: a recurrent unit along time."""

    def __init__(self) -> None:
        super().__init__()
        self.sound = nn.Sequential(nn.Linear(N_SOUND, _HIDDEN), nn.ReLU(), nn.Dropout(0.1))
        self.memory = nn.GRU(_HIDDEN, _HIDDEN, batch_first=True)
        self.head = Head()

    def forward(self, sound: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Hear.

        Parameters
        ----------
        sound
            See `SoundSteps`, of shape (B, T, N_SOUND).
        memory
            Of shape (B, D); zeros at first.

        Returns
        -------
        Points (B, T, N_POINT), logits of visemes (B, T, N_CLASSES), memory (B, D).
        """
        hidden, after = self.memory(self.sound(sound), memory[None].contiguous())
        return *self.head(hidden), after[0]


def silence(network: nn.Module, number: int) -> Tensor:
    """Return the memory of so many mouths or tracks of which nothing is known yet."""
    return torch.zeros(number, _HIDDEN, device=next(network.parameters()).device)
