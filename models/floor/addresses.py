"""How likely it seems that something is said to the robot, for conversations that are made up."""

from __future__ import annotations

from hearing_models.addressee.dialogues import draw_examples
from hearing_models.floor.world import Address

from hearing.attribution import AddresseeModel


def addresses_of(split: str, seed: int, number: int = 4000) -> list[Address]:
    """Draw how likely utterances seem to be said to the robot: the addressee model's on dialogues of that split."""
    model = AddresseeModel()
    return [
        Address(example.to_robot, example.cues.facing, model.probability(example.cues))
        for example in draw_examples("train" if split == "train" else "dev", number, seed)
    ]
