"""The floor model: its material, made-up conversations, network and recipe."""
